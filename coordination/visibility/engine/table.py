"""Windows as flat columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coordination.visibility.engine.edges import SEAM, Edge

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_TOUCHING_DAYS = 2e-3 / 86400.0


@dataclass(frozen=True)
class WindowTable:
    """n visibility windows, half-open [start, end), sorted by target, telescope and start.

    target, telescope (n,): indices. night (n,): label of the night in which the window starts, datetime64[D].
    opened_by, closed_by (n,): codes of `Edge`.
    """

    target: IntArray
    telescope: IntArray
    night: NDArray[np.datetime64]
    start_tt_mjd: FloatArray
    end_tt_mjd: FloatArray
    opened_by: IntArray
    closed_by: IntArray

    @property
    def n(self) -> int:
        """Number of windows."""
        return self.target.size

    def take(self, index: ArrayLike) -> WindowTable:
        """The windows at `index`, in that order."""
        return WindowTable(*(getattr(self, column.name)[index] for column in fields(self)))

    @classmethod
    def concatenate(cls, parts: Sequence[WindowTable]) -> WindowTable:
        """All windows of several tables, in order of the parts."""
        if not parts:
            empty = np.empty(0, dtype=np.int64)
            return cls(empty, empty, np.empty(0, dtype="datetime64[D]"), np.empty(0), np.empty(0), empty, empty)
        return cls(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls)))

    def sorted(self) -> WindowTable:
        """Ordered by target, telescope, start."""
        return self.take(np.lexsort((self.start_tt_mjd, self.telescope, self.target)))


def joined(table: WindowTable, at_nights: bool) -> WindowTable:
    """Windows of a sorted table joined where only a seam of the search parts them, and `at_nights` also at
    the noons.
    """
    meets = _meets(table, np.array([SEAM, Edge.NIGHT] if at_nights else [SEAM]))
    if not meets.any():
        return table
    first = np.flatnonzero(np.concatenate([[True], ~meets]))
    last = np.append(first[1:] - 1, table.n - 1)
    head = table.take(first)
    return WindowTable(
        target=head.target,
        telescope=head.telescope,
        night=head.night,
        start_tt_mjd=head.start_tt_mjd,
        end_tt_mjd=table.end_tt_mjd[last],
        opened_by=head.opened_by,
        closed_by=table.closed_by[last],
    )


def without_short(table: WindowTable, least_days: FloatArray) -> WindowTable:
    """A sorted table without windows shorter than their telescope asks (least_days, by telescope).

    A window cut at noon is as long as the whole that it belongs to.
    """
    if not table.n or not np.any(least_days > 0.0):
        return table
    return table.take(whole_days(table) >= least_days[table.telescope] - 1e-9)


def whole_days(table: WindowTable) -> FloatArray:
    """How long (n,) the windows of a sorted table are; those cut at noon as long as the whole that they belong to."""
    if not table.n:
        return np.empty(0)
    meets = _meets(table, np.array([SEAM, Edge.NIGHT]))
    whole = np.cumsum(np.concatenate([[True], ~meets])) - 1
    return np.asarray(np.bincount(whole, weights=table.end_tt_mjd - table.start_tt_mjd)[whole])


def _meets(table: WindowTable, codes: IntArray) -> NDArray[np.bool_]:
    """Whether each window (but the last) and the next are one, cut at an edge of one of the codes."""
    same = (table.target[1:] == table.target[:-1]) & (table.telescope[1:] == table.telescope[:-1])
    touching = np.abs(table.start_tt_mjd[1:] - table.end_tt_mjd[:-1]) < _TOUCHING_DAYS
    return np.asarray(same & touching & np.isin(table.closed_by[:-1], codes) & np.isin(table.opened_by[1:], codes))
