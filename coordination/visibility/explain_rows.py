"""One night of targets at telescopes, explained: from orbits to what the command and the API say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coordination.common.timescales import utc_to_tt_mjd
from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.closures import Closures
from coordination.visibility.engine.explain import Absence, explain
from coordination.visibility.engine.observe import observe
from coordination.visibility.rows import Column
from coordination.visibility.window_rows import block_groups
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import Planets

_DAY = np.timedelta64(1, "D")
_TARGETS_AT_ONCE = 1000


@dataclass(frozen=True)
class Night:
    """One night of one target at one telescope (indices; label: local date of its evening): the length of its
    windows, or why there are none.
    """

    target: int
    telescope: int
    label: np.datetime64
    minutes: float
    absence: Absence | None

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
) -> list[Night]:
    """One for each target and telescope, in that order.

    night: local date of the evening at each telescope. Raises ValueError as `window_columns`.
    """
    start, end = (float(utc_to_tt_mjd(instant)) for instant in span_utc(night))
    label = np.datetime64(night, "D")
    observing = observe(telescopes, start, end, planets)
    nights = []
    for first in range(0, len(targets), _TARGETS_AT_ONCE):
        batch = targets.take(np.arange(first, min(first + _TARGETS_AT_ONCE, len(targets))))
        found = explain(block_groups(batch, start, end, planets), observing, closures, [label])
        absent = {(each.target, each.telescope): each for each in found.absences}
        nights += [
            Night(
                first + target,
                telescope,
                label,
                found.minutes(target, telescope, label),
                absent.get((target, telescope)),
            )
            for target in range(len(batch))
            for telescope in range(len(telescopes))
        ]
    return nights


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
    ]
