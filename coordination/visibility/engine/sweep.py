"""From the instants at which single constraints change to the intervals in which all of them hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Changes:
    """One constraint over n pairs: holds_at_start (n,), and where it begins or ceases to hold.

    edge: its code. item, time, begins (m,): which pair, when, and whether the constraint holds from then on.
    """

    edge: int
    holds_at_start: BoolArray
    item: IntArray
    time: FloatArray
    begins: BoolArray


@dataclass(frozen=True)
class Intervals:
    """Intervals (k,) of items; opened_by, closed_by are codes of edges, or the code of the item's own ends."""

    item: IntArray
    start: FloatArray
    end: FloatArray
    opened_by: IntArray
    closed_by: IntArray

    def take(self, index: IntArray | BoolArray) -> Intervals:
        """The intervals at `index`."""
        return Intervals(
            self.item[index], self.start[index], self.end[index], self.opened_by[index], self.closed_by[index]
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Intervals]) -> Intervals:
        """All intervals of some parts."""
        if not parts:
            none = np.empty(0, dtype=np.int64)
            return cls(none, np.empty(0), np.empty(0), none, none)
        return cls(
            np.concatenate([part.item for part in parts]),
            np.concatenate([part.start for part in parts]),
            np.concatenate([part.end for part in parts]),
            np.concatenate([part.opened_by for part in parts]),
            np.concatenate([part.closed_by for part in parts]),
        )


def sweep(
    constraints: Sequence[Changes],
    start: FloatArray,
    end: FloatArray,
    opens: IntArray,
    closes: IntArray,
) -> Intervals:
    """Where all constraints hold: start, end (n,) of the pairs and the codes of these ends; sorted by pair
    and time.

    Counts the broken constraints along each pair; an interval is where the count is zero. An edge is named
    after the constraint that brought the count to zero, or away from it.
    """
    n = start.size
    every = np.arange(n)
    broken_at_start = np.zeros(n, dtype=np.int64)
    for change in constraints:
        broken_at_start += ~change.holds_at_start
    item = np.concatenate([every, *(change.item for change in constraints), every])
    time = np.concatenate([start, *(change.time for change in constraints), end])
    step = np.concatenate([broken_at_start, *(np.where(c.begins, -1, 1) for c in constraints), np.zeros_like(every)])
    code = np.concatenate([opens, *(np.full(c.item.size, c.edge) for c in constraints), closes])
    rank = np.repeat([0, 1, 2], [n, item.size - 2 * n, n])  # a change at the very start or end stays inside
    order = np.lexsort((rank, time, item))
    item, time, step, code, rank = item[order], time[order], step[order], code[order], rank[order]
    total = np.cumsum(step)
    before_item = total[np.searchsorted(item, every)] - broken_at_start
    broken = total - before_item[item]
    begin = np.flatnonzero((broken == 0) & (rank < 2))
    begin = begin[time[begin + 1] > time[begin]]
    return Intervals(item[begin], time[begin], time[begin + 1], code[begin], code[begin + 1])
