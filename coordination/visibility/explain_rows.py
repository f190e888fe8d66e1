"""One night of targets at telescopes, explained: from orbits to what the command and the API say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import iso_utc, tt_mjd_to_utc, tt_to_tdb_mjd, utc_to_tt_mjd
from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.closures import Closures
from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.explain import Absence, explain
from coordination.visibility.engine.impact import until_impact
from coordination.visibility.engine.observe import observe
from coordination.visibility.engine.table import WindowTable
from coordination.visibility.rows import Column
from coordination.visibility.trusting import Knowledge, Trusting
from coordination.visibility.window_rows import groups_and_impacts
from observatories.sites.nights import noon_utc
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import Planets
from targets.orbits.trust import Trust

ORBIT = "orbit"  # the reason of a night on which the orbit is unusable
_DAY = np.timedelta64(1, "D")
_TARGETS_AT_ONCE = 1000


@dataclass(frozen=True)
class Night:
    """One night of one target at one telescope (indices; label: local date of its evening): the length of its
    windows, or why there are none. `solution`: of JPL, where positions are taken from Horizons.
    """

    target: int
    telescope: int
    label: np.datetime64
    minutes: float
    absence: Absence | None
    orbit_trust: str
    solution: str = ""

    @property
    def observable(self) -> bool:
        """Whether there is a window."""
        return self.absence is None


def span_utc(night: dt.date) -> tuple[np.datetime64, np.datetime64]:
    """A span that holds the night of a date wherever it is, with a day before and after: a window that goes on over
    noon, in polar night, is as long as the whole.
    """
    day = np.datetime64(night, "us")
    return day - _DAY, day + 3 * _DAY  # nights of the date begin within its 24 h of UTC


def explained_nights(
    targets: OrbitBatch,
    telescopes: Sequence[Telescope],
    night: dt.date,
    planets: Planets,
    closures: Closures | None = None,
    knowledge: Knowledge | None = None,
) -> list[Night]:
    """One for each target and telescope, in that order.

    night: local date of the evening at each telescope. Raises ValueError as `window_columns`.
    """
    start, end = (float(utc_to_tt_mjd(instant)) for instant in span_utc(night))
    label = np.datetime64(night, "D")
    observing = observe(telescopes, start, end, planets)
    trusting = Trusting.over(
        targets, knowledge or Knowledge.none(len(targets)), _day_of_trust(telescopes, label), planets
    )
    nights = []
    for first in range(0, len(targets), _TARGETS_AT_ONCE):
        batch = targets.take(np.arange(first, min(first + _TARGETS_AT_ONCE, len(targets))))
        groups, impacts = groups_and_impacts(batch, start, end, planets)
        found = explain(groups, observing, closures, [label])
        windows = until_impact(found.windows, impacts, observing.least_days)
        absent = {(each.target, each.telescope): each for each in found.absences}
        nights += [
            Night(
                first + target,
                telescope,
                label,
                replace(found, windows=windows).minutes(target, telescope, label),
                _after_impact(absent.get((target, telescope)), target, telescope, label, windows, impacts[target]),
                "",
                "" if batch.tables[target] is None else batch.tables[target].solution,
            )
            for target in range(len(batch))
            for telescope in range(len(telescopes))
        ]
    return [_trusted(each, trusting, telescopes[each.telescope]) for each in nights]


def _after_impact(
    absence: Absence | None,
    target: int,
    telescope: int,
    label: np.datetime64,
    windows: WindowTable,
    impact_tt_mjd: float,
) -> Absence | None:
    """The absence of a night, or that an impact took away its windows."""
    left = (windows.target == target) & (windows.telescope == telescope) & (windows.night == label)
    if not np.isfinite(impact_tt_mjd) or absence is not None or left.any():
        return absence
    text = f"hits the Earth at {iso_utc(tt_mjd_to_utc([impact_tt_mjd]), 's')[0]}"
    return Absence(target, telescope, label, (Edge.IMPACT.label,), False, text, ())


def _day_of_trust(telescopes: Sequence[Telescope], label: np.datetime64) -> NDArray[np.float64]:
    """For each telescope 00:00 UTC of the date on which the night ends, TT: the day that counts for stored windows."""
    ends = [(noon_utc(telescope.place, label) + _DAY).astype("datetime64[D]") for telescope in telescopes]
    return utc_to_tt_mjd(np.array(ends).astype("datetime64[us]"))


def _trusted(night: Night, trusting: Trusting, telescope: Telescope) -> Night:
    """A night with the level of trust in the orbit; where that is unusable there is no window for that reason."""
    at = int(trusting.outlook.nearest(tt_to_tdb_mjd(_day_of_trust([telescope], night.label)))[0])
    level = Trust(int(trusting.outlook.level[night.target, at]))
    if level is not Trust.UNUSABLE:
        return replace(night, orbit_trust=level.label)
    text = trusting.refusal(night.target, at)
    checks = () if night.absence is None else night.absence.checks
    absence = Absence(night.target, night.telescope, night.label, (ORBIT,), False, text, checks)
    return replace(night, minutes=0.0, absence=absence, orbit_trust=level.label)


def explain_columns(
    nights: Sequence[Night], targets: OrbitBatch, telescopes: Sequence[Telescope], night: dt.date
) -> list[Column]:
    """The rows of the command."""
    absences = [each.absence for each in nights]
    return [
        Column.text("name", [targets.names[each.target] for each in nights]),
        Column.text("site", [telescopes[each.telescope].name for each in nights]),
        Column.text("night", [night.isoformat()] * len(nights)),
        Column.text("observable", [each.observable for each in nights]),
        Column.text("reason", ["" if absence is None else absence.reason for absence in absences]),
        Column.text("detail", ["" if absence is None else absence.text for absence in absences]),
        Column.numbers("minutes", [each.minutes for each in nights], 2),
        Column.text("orbit_trust", [each.orbit_trust for each in nights]),
    ]
