"""What the job makes of an answer of Horizons, without asking: the path of a target by our propagator, late or not."""

import numpy as np

from coordination.common import clock
from targets.models import HorizonsTable, Target
from targets.orbits.planets import default_planets
from targets.orbits.propagation import propagate
from targets.orbits.tabulated import StateTable
from targets.services import comparing, orbit_batch


def horizons_says(target: Target, *, late_d: float = 0.0, solution: str = "JPL#77", sigma_arcsec: float = 0.2) -> None:
    """A target is behind on its orbit by some days."""
    planets, target = default_planets(), Target.objects.get(pk=target.pk)
    span = comparing.compared_span(clock.now())
    asked = comparing.asked_span(span)
    first, last = asked.start_tt_mjd, asked.end_tt_mjd
    times = np.linspace(first - 0.01, last + 0.01, 4 * round(last - first) + 1)
    _, batch = orbit_batch([target.pk])
    path = propagate(batch, float(times[0]) - late_d, float(times[-1]) - late_d, planets)
    position, velocity = path.position(times - late_d)[0], path.velocity(times - late_d)[0]
    sun = np.concatenate(planets.state("sun", times - late_d), axis=1)
    table = StateTable(times, np.concatenate([position, velocity], axis=1) - sun, solution=solution)
    comparison = comparing.compare(target, table, span)
    fetched = None
    if comparing.needs_table(target, comparison):
        fetched = comparing.Fetched(table, asked, "6h", [sigma_arcsec] * ((asked.ends_at - asked.starts_at).days + 1))
    comparing.take_comparison(target.pk, comparison, fetched)
    assert HorizonsTable.objects.filter(target=target).exists() == (fetched is not None)
