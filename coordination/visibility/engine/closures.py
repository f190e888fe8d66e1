"""Closures of telescopes: taken out of windows last, when all that the sky forbids is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.table import WindowTable, without_short

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_SHORTEST_DAYS = 1e-3 / 86400.0  # UTC is told in microseconds: a shorter rest could be stored without a length


@dataclass(frozen=True)
class Closures:
    """m periods, half-open [start, end), in which telescopes cannot be used; in any order, and they may overlap.

    telescope (m,): index. start_tt_mjd, end_tt_mjd (m,). reasons: m texts, empty where it is not to be told.
    """

    telescope: IntArray
    start_tt_mjd: FloatArray
    end_tt_mjd: FloatArray
    reasons: Sequence[str]

    @classmethod
    def none(cls) -> Closures:
        """Telescopes that are always open."""
        return cls(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0), ())

    def merged(self, telescope: int) -> tuple[FloatArray, FloatArray]:
        """Starts and ends of the disjoint periods, in order, in which a telescope is closed for whatever reason."""
        mine = self.telescope == telescope
        return merged(self.start_tt_mjd[mine], self.end_tt_mjd[mine])

    def reasons_between(self, telescope: int, start_tt_mjd: float, end_tt_mjd: float) -> list[str]:
        """The different reasons for which a telescope is closed at some time of [start, end), in order of their
        beginning.
        """
        falls = (self.telescope == telescope) & (self.start_tt_mjd < end_tt_mjd) & (self.end_tt_mjd > start_tt_mjd)
        which = np.flatnonzero(falls)
        which = which[np.argsort(self.start_tt_mjd[which], kind="stable")]
        return list(dict.fromkeys(self.reasons[int(k)] for k in which))

    def cover(self, telescope: int, start_tt_mjd: FloatArray, end_tt_mjd: FloatArray) -> bool:
        """Whether a telescope is closed during the whole of all intervals [start, end) (k,)."""
        closed_from, closed_until = self.merged(telescope)
        if not closed_from.size:
            return False
        last = np.searchsorted(closed_from, start_tt_mjd, side="right") - 1
        return bool(np.all((last >= 0) & (closed_until[np.maximum(last, 0)] >= end_tt_mjd)))


def merged(start: FloatArray, end: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The union of intervals [start, end) (m,), as disjoint intervals in order; those that touch become one."""
    if not start.size:
        return start, end
    order = np.argsort(start, kind="stable")
    start, until = start[order], np.maximum.accumulate(end[order])
    begins = np.concatenate([[True], start[1:] > until[:-1]])
    last = np.append(np.flatnonzero(begins)[1:] - 1, start.size - 1)
    return start[begins], until[last]


def without_closures(table: WindowTable, closures: Closures, least_days: FloatArray) -> WindowTable:
    """A sorted table without the closed periods; edges made by them are named `closure`.

    Every piece keeps the night of its window, so tables that are read by night have to be cut at the nights. What is
    left of a window and is shorter than its telescope asks (least_days, by telescope) goes too. Windows of telescopes
    without closures stay as they are.
    """
    closed = [int(k) for k in np.unique(closures.telescope)]
    touched = np.isin(table.telescope, closed)
    if not touched.any():
        return table
    parts = [table.take(~touched)]
    parts += [_open_part(table.take(table.telescope == k), *closures.merged(k)) for k in closed]
    return without_short(WindowTable.concatenate(parts).sorted(), least_days)


def _open_part(table: WindowTable, closed_from: FloatArray, closed_until: FloatArray) -> WindowTable:
    """Windows of one telescope, cut to the gaps between its closures (disjoint, in order)."""
    opens, closes = np.append(-np.inf, closed_until), np.append(closed_from, np.inf)  # the gaps
    first = np.searchsorted(closes, table.start_tt_mjd, side="right")
    last = np.searchsorted(opens, table.end_tt_mjd, side="left") - 1
    pieces = np.maximum(last - first + 1, 0)
    window = np.repeat(np.arange(table.n), pieces)
    gap = np.repeat(first, pieces) + np.arange(window.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    whole = table.take(window)
    left = replace(
        whole,
        start_tt_mjd=np.maximum(whole.start_tt_mjd, opens[gap]),
        end_tt_mjd=np.minimum(whole.end_tt_mjd, closes[gap]),
        opened_by=np.where(opens[gap] > whole.start_tt_mjd, int(Edge.CLOSURE), whole.opened_by),
        closed_by=np.where(closes[gap] < whole.end_tt_mjd, int(Edge.CLOSURE), whole.closed_by),
    )
    return left.take(left.end_tt_mjd - left.start_tt_mjd >= _SHORTEST_DAYS)
