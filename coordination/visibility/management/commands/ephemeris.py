"""`manage.py ephemeris`: places of targets as sites see them, as CSV or JSON on standard output."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from coordination.visibility import inputs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coordination.visibility.rows import Column
    from targets.orbits.covariance import OrbitCovariance
    from targets.orbits.elements import OrbitBatch
    from targets.orbits.planets import Planets


class Command(BaseCommand):
    help = (
        "Places of targets at given times from MPC observatory codes (500 is the geocentre). The last column says how "
        "far the orbit can be trusted then (good, fair, poor); times at which it is unusable are left out."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        inputs.add_target_arguments(parser)
        parser.add_argument("--site", action="append", required=True, metavar="CODE", help="MPC code; may be repeated")
        parser.add_argument("--start", help="first instant, ISO 8601, UTC unless it gives an offset")
        parser.add_argument("--stop", help="last instant")
        parser.add_argument("--step", help="such as 1d, 6h, 30m, 10s")
        parser.add_argument("--times", type=Path, metavar="FILE", help="one ISO UTC instant a line, instead of a span")
        parser.add_argument(
            "--uncertainty",
            action="store_true",
            help="three more columns: the 1-sigma ellipse on the sky (empty where nothing is known of the orbit's "
            "accuracy), integrated and from the site itself",
        )
        inputs.add_format_argument(parser)

    def handle(self, *args: Any, **options: Any) -> str:
        import numpy as np

        from coordination.common.timescales import utc_to_tt_mjd
        from coordination.visibility.ephemeris_rows import ephemeris_columns
        from coordination.visibility.rows import Column, render
        from coordination.visibility.trusting import Trusting, labels, rows_where
        from coordination.visibility.window_rows import impacts_over, tell_impacts
        from targets.orbits.trust import Trust

        with inputs.refusals():
            times = inputs.read_times(options)
            sites = inputs.read_sites(options["site"], geocentre=True)
            targets = inputs.read_targets(options)
            inputs.require_rows(len(targets), len(sites), times.size)
            planets = inputs.read_planets()
            columns = ephemeris_columns(targets, sites, times, planets)
            trusting = Trusting.over(
                targets, inputs.read_knowledge(options, len(targets)), utc_to_tt_mjd(times), planets
            )
            trusting.tell(self.stderr.write)
            tt = utc_to_tt_mjd(times)
            impacts = impacts_over(targets, float(tt.min()), float(tt.max()), planets)
            tell_impacts(impacts, targets.names, float(tt.min()), self.stderr.write)
            target = np.repeat(np.arange(len(targets)), len(sites) * times.size)
            levels = trusting.levels(target, np.tile(tt, len(targets) * len(sites)))
            if options["uncertainty"]:
                columns += _uncertainty(options, targets, sites, times, planets)
            columns = [*columns, Column.text("orbit_trust", labels(levels))]
            seen = ~(np.tile(tt, len(targets) * len(sites)) > impacts[target])  # NaN: no impact
        return render(rows_where(columns, (levels != Trust.UNUSABLE) & seen), options["format"])


def _uncertainty(
    options: dict[str, Any],
    targets: OrbitBatch,
    sites: list[inputs.Site],
    times: NDArray[np.datetime64],
    planets: Planets,
) -> list[Column]:
    """The columns of --uncertainty. A file of elements says nothing of their accuracy."""
    from coordination.visibility.uncertainty_rows import uncertainty_columns

    covariances: list[OrbitCovariance | None] = [None] * len(targets)
    if options["elements"] is None:
        from targets.services.orbit_quality import current_knowledge

        _, covariances = current_knowledge(options["target"], planets)
    return uncertainty_columns(covariances, sites, times, planets)
