"""The rows of the command `windows`: from orbits, telescopes and a span to columns of text and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import iso_utc, tdb_to_tt_mjd, tt_mjd_to_utc, tt_to_tdb_mjd, utc_to_tt_mjd
from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.closures import Closures, without_closures
from coordination.visibility.engine.edges import edge_labels
from coordination.visibility.engine.impact import until_impact
from coordination.visibility.engine.observe import observe
from coordination.visibility.engine.quantities import describe
from coordination.visibility.engine.windows import BlockGroup, find_windows
from coordination.visibility.inputs import InputError
from coordination.visibility.rows import Column
from coordination.visibility.trusting import Knowledge, Tell, Trusting, labels
from targets.orbits.elements import OrbitBatch
from targets.orbits.ephemeris import build_blocks
from targets.orbits.impacts import impact_times
from targets.orbits.planets import Planets
from targets.orbits.propagation import propagate
from targets.orbits.trust import Trust

_TARGETS_AT_ONCE = 1000
_BLOCK_DAYS = 1.0  # light left the targets, and the integrator has its steps, outside the span


def window_columns(
    targets: OrbitBatch,
    telescopes: Sequence[Telescope],
    start_utc: np.datetime64,
    end_utc: np.datetime64,
    planets: Planets,
    closures: Closures | None = None,
    knowledge: Knowledge | None = None,
    tell: Tell = lambda text: None,
) -> list[Column]:
    """One row for each window in [start, end) UTC, by target, telescope and start; only the ends of the span
    and closures cut windows.

    Windows on days on which an orbit is unusable are left out, and `tell` is told why. Raises InputError where that
    is true of all targets on all days; ValueError for spans outside the planetary kernel or the known rotation of the
    Earth, naming what is covered.
    """
    start, end = (float(utc_to_tt_mjd(instant)) for instant in (start_utc, end_utc))
    observing = observe(telescopes, start, end, planets)
    days = np.append(np.arange(start, end, 1.0), end)
    trusting = Trusting.over(targets, knowledge or Knowledge.none(len(targets)), days, planets)
    trusting.tell(tell)
    groups, impacts = groups_and_impacts(targets, start, end, planets)
    tell_impacts(impacts, targets.names, start, tell)
    table = until_impact(find_windows(groups, observing, cut_at_nights=False), impacts, observing.least_days)
    if closures is not None:
        table = without_closures(table, closures, observing.least_days)
    levels = trusting.worst_levels(table.target, table.start_tt_mjd, table.end_tt_mjd)
    usable = levels != Trust.UNUSABLE
    table, levels = table.take(usable), levels[usable]
    quantities = describe(table, groups, observing)
    names = np.array(targets.names, dtype=object)
    sites = np.array([telescope.name for telescope in telescopes], dtype=object)
    return [
        Column.text("name", names[table.target]),
        Column.text("site", sites[table.telescope]),
        Column.text("start_utc", iso_utc(tt_mjd_to_utc(table.start_tt_mjd))),
        Column.text("end_utc", iso_utc(tt_mjd_to_utc(table.end_tt_mjd))),
        Column.text("opened_by", edge_labels(table.opened_by)),
        Column.text("closed_by", edge_labels(table.closed_by)),
        Column.numbers("max_alt_deg", quantities.max_alt_deg, 4),
        Column.numbers("v_mag", quantities.v_mag, 3),
        Column.numbers("rate_arcsec_min", quantities.rate_arcsec_min, 4),
        Column.numbers("moon_sep_deg", quantities.moon_sep_deg, 3),
        Column.text("orbit_trust", labels(levels)),
    ]


def groups_and_impacts(
    targets: OrbitBatch, start_tt_mjd: float, end_tt_mjd: float, planets: Planets
) -> tuple[list[BlockGroup], NDArray[np.float64]]:
    """Positions of targets over a span, integrated from their orbits, as the search takes them; and when they hit the
    Earth, TT (n,), NaN where they do not.
    """
    days = math.ceil((end_tt_mjd - start_tt_mjd) / _BLOCK_DAYS - 1e-9)
    span_tdb = tt_to_tdb_mjd(np.array([start_tt_mjd - _BLOCK_DAYS, start_tt_mjd + days + _BLOCK_DAYS]))
    trajectory = propagate(targets, float(span_tdb[0]), float(span_tdb[1]), planets)
    groups = build_blocks(trajectory, targets, start_tt_mjd, days, planets)
    return groups, tdb_to_tt_mjd(impact_times(targets, trajectory, groups, planets))


def impacts_over(targets: OrbitBatch, start_tt_mjd: float, end_tt_mjd: float, planets: Planets) -> NDArray[np.float64]:
    """When targets hit the Earth until the end of a span, TT (n,), NaN where they do not."""
    start, end = tt_to_tdb_mjd(np.array([start_tt_mjd, end_tt_mjd])).tolist()
    found = []
    for first in range(0, len(targets), _TARGETS_AT_ONCE):
        batch = targets.take(np.arange(first, min(first + _TARGETS_AT_ONCE, len(targets))))
        # Half a day on: the end of a trajectory is no minimum of the distance.
        trajectory = propagate(batch, start, min(end + 0.5, planets.span_tdb_mjd[1]), planets)
        found.append(tdb_to_tt_mjd(impact_times(batch, trajectory, None, planets)))
    return np.concatenate(found)


def tell_impacts(impact_tt_mjd: NDArray[np.float64], names: Sequence[str], start_tt_mjd: float, tell: Tell) -> None:
    """Say which targets hit the Earth; raises InputError where all did before the start."""
    hit = np.flatnonzero(np.isfinite(impact_tt_mjd)).tolist()
    when = iso_utc(tt_mjd_to_utc(impact_tt_mjd[hit]), "s")
    told = [
        f"{names[k]} hits the Earth at {at}: there is nothing to see after that"
        for k, at in zip(hit, when, strict=True)
    ]
    if hit and np.all(impact_tt_mjd <= start_tt_mjd):
        raise InputError("\n".join(told))
    for text in told:
        tell(text)
