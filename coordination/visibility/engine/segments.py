"""Segments: the pieces of joint windows in which the same telescopes can observe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.joint import InView, JointTable, Windows, in_view

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Segments:
    """s segments, half-open [start, end), in order of their joint windows and time.

    joint (s,): index of the joint window; its segments fill it. Members of segment i are
    `telescope[offset[i]:offset[i + 1]]`, rising; offset (s + 1,).
    """

    joint: IntArray
    start_tt_mjd: FloatArray
    end_tt_mjd: FloatArray
    offset: IntArray
    telescope: IntArray

    @property
    def n(self) -> int:
        """Number of segments."""
        return self.joint.size

    @property
    def segment(self) -> IntArray:
        """The segment that each entry of `telescope` is of."""
        return ranges_of(self.offset)

    def members(self, segment: int) -> list[int]:
        """The telescopes of one segment."""
        found: list[int] = self.telescope[self.offset[segment] : self.offset[segment + 1]].tolist()
        return found

    @classmethod
    def concatenate(cls, parts: Sequence[Segments]) -> Segments:
        """Several in order; their indices of joint windows must be of the same table."""
        counts = [np.diff(part.offset) for part in parts]
        none = np.empty(0, dtype=np.int64)
        return cls(
            joint=np.concatenate([none, *(part.joint for part in parts)]),
            start_tt_mjd=np.concatenate([np.empty(0), *(part.start_tt_mjd for part in parts)]),
            end_tt_mjd=np.concatenate([np.empty(0), *(part.end_tt_mjd for part in parts)]),
            offset=np.concatenate([[0], np.cumsum(np.concatenate([none, *counts]))]),
            telescope=np.concatenate([none, *(part.telescope for part in parts)]),
        )


def ranges_of(offset: IntArray) -> IntArray:
    """For each entry of concatenated lists that begin at offset (n + 1,) the number of its list."""
    return np.repeat(np.arange(offset.size - 1), np.diff(offset))


def expanded(first: IntArray, count: IntArray) -> tuple[IntArray, IntArray]:
    """All numbers from first (n,) on, count (n,) of each, one after the other; and the index of their range."""
    index = np.repeat(np.arange(first.size), count)
    return first[index] + np.arange(index.size) - (np.cumsum(count) - count)[index], index


def segments_of(joint: JointTable, windows: Windows, telescopes: int) -> Segments:
    """Segments of joint windows, from the windows in which those were found.

    joint: sorted, as `joint_windows` gives them; only those asked about need be in it. telescopes: how many there
    are; indices in `windows` are below it.
    """
    wanted = np.isin(windows.target, joint.target)
    some = _Some(
        windows.target[wanted], windows.telescope[wanted], windows.start_tt_mjd[wanted], windows.end_tt_mjd[wanted]
    )
    parts = []
    for view in in_view(some, telescopes):
        first, last = np.searchsorted(joint.target, [view.targets[0], view.targets[-1] + 1])
        parts.append(_of_view(view, joint, np.arange(first, last)))
    return Segments.concatenate(parts)


@dataclass(frozen=True)
class _Some:
    target: IntArray
    telescope: IntArray
    start_tt_mjd: FloatArray
    end_tt_mjd: FloatArray


def _of_view(view: InView, joint: JointTable, index: IntArray) -> Segments:
    """Segments of the joint windows at `index`, all of whose targets are in view."""
    target = np.searchsorted(view.targets, joint.target[index])
    bounds = [view.ticks_at(times[index]) for times in (joint.start_tt_mjd, joint.end_tt_mjd)]
    member, interval = _overlapping(view, target, bounds[0], bounds[1])
    opens = np.maximum(view.tick(view.opens[interval]), bounds[0][member])
    closes = np.minimum(view.tick(view.closes[interval]), bounds[1][member])
    # Where a telescope begins or ends, one segment ends and the next begins; each joint window has one cut more than
    # it has segments.
    begin, end = (member << view.bits) | opens, (member << view.bits) | closes
    cuts = np.unique(np.concatenate([begin, end]))
    of_cut = cuts >> view.bits
    starts = np.flatnonzero(of_cut[:-1] == of_cut[1:])
    first, last = (np.searchsorted(cuts, keys) - member for keys in (begin, end))
    segment, owner = expanded(first, last - first)
    telescope = view.telescope[interval][owner]
    order = np.lexsort((telescope, segment))
    return Segments(
        joint=index[of_cut[starts]],
        start_tt_mjd=view.tt_mjd(cuts[starts]),
        end_tt_mjd=view.tt_mjd(cuts[starts + 1]),
        offset=np.searchsorted(segment[order], np.arange(starts.size + 1)),
        telescope=telescope[order],
    )


def _overlapping(view: InView, target: IntArray, first: IntArray, last: IntArray) -> tuple[IntArray, IntArray]:
    """Pairs of joint windows (target numbers and ticks, (j,)) and intervals in view that have a time in common."""
    opens, closes = view.tick(view.opens), view.tick(view.closes)
    keys = (view.target_number << view.bits) | opens
    order = np.argsort(keys)
    keys = keys[order]
    longest = int(np.max(closes - opens))
    low = np.searchsorted(keys, (target << view.bits) | np.maximum(first - longest, 0))
    high = np.searchsorted(keys, (target << view.bits) | last)
    place, member = expanded(low, high - low)
    interval = order[place]
    meets = closes[interval] > first[member]
    return member[meets], interval[meets]
