"""Relays: chains of telescopes that hand a target on, one to the next."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.closures import merged

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_TOUCHING_DAYS = 2e-3 / 86400.0
_NO_WAY = 1 << 60  # the cost of a window from which the end of its stretch is not reached


@dataclass(frozen=True)
class Chain:
    """The relay of one target over a span, [start, end) TT as MJD.

    window (m,): index of the window of each leg, in order. start_tt_mjd, end_tt_mjd (m,): the leg's part of it.
    handed_on (m,): whether the next leg begins `handover` before this one ends; where not, and after the last leg,
    nobody overlaps. gap_start_tt_mjd, gap_end_tt_mjd (g,): what no leg covers.
    """

    window: IntArray
    start_tt_mjd: FloatArray
    end_tt_mjd: FloatArray
    handed_on: BoolArray
    gap_start_tt_mjd: FloatArray
    gap_end_tt_mjd: FloatArray

    @property
    def covered_days(self) -> float:
        """Time in which at least one leg observes."""
        begin, end = merged(self.start_tt_mjd, self.end_tt_mjd)
        return float(np.sum(end - begin))

    def rotation_fraction(self, period_days: float) -> float:
        """Fraction of the phases of a rotation that are covered once the legs are folded with its period."""
        return folded_fraction(self.start_tt_mjd, self.end_tt_mjd, period_days)


def relay(
    telescope: IntArray,
    start_tt_mjd: FloatArray,
    end_tt_mjd: FloatArray,
    altitude_deg: FloatArray,
    span_tt_mjd: tuple[float, float],
    handover_days: float,
    slack_days: float = 0.0,
) -> Chain:
    """The chain that covers the most time of a span; exact.

    telescope, start_tt_mjd, end_tt_mjd, altitude_deg (n,): windows of one target, inside the span, with their highest
    altitudes; those of one telescope neither overlap nor touch. Every time at which a telescope observes can be
    covered, so the chain covers all of it. Of the chains that do it has, in each unbroken stretch, the fewest changes
    without a full overlap of `handover_days`, then the fewest changes, then the greatest lowest altitude, then the
    lowest telescopes. A hand-over is in the middle of what two windows have in common.

    slack_days: so much at each end of a stretch counts for nothing. Telescopes side by side begin and end within a
    second of each other; no leg is worth that.
    """
    if handover_days < 0.0:
        raise ValueError(f"a hand-over of {handover_days} days: expected 0 or more")
    order = np.lexsort((telescope, start_tt_mjd))
    until = np.maximum.accumulate(end_tt_mjd[order]) if order.size else end_tt_mjd
    begins = np.append(True, start_tt_mjd[order][1:] > until[:-1] + _TOUCHING_DAYS)[: order.size]
    stretches = [part for part in np.split(order, np.flatnonzero(begins)) if part.size]
    chains = [
        part[
            _best_chain(
                telescope[part], start_tt_mjd[part], end_tt_mjd[part], altitude_deg[part], handover_days, slack_days
            )
        ]
        for part in stretches
    ]
    windows = np.concatenate([np.empty(0, dtype=np.int64), *chains])
    last = np.zeros(windows.size, dtype=bool)
    last[np.cumsum([chain.size for chain in chains], dtype=np.int64) - 1] = True
    begin, end, handed_on = _legs(start_tt_mjd[windows], end_tt_mjd[windows], last, handover_days)
    return Chain(windows, begin, end, handed_on, *gaps(begin, end, span_tt_mjd))


def gaps(start: FloatArray, end: FloatArray, span: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """Starts and ends of the parts of a span that intervals inside it leave free."""
    begin, until = merged(start, end)
    first, last = np.append(span[0], until), np.append(begin, span[1])
    some = last - first > _TOUCHING_DAYS
    return first[some], last[some]


def folded_fraction(start: FloatArray, end: FloatArray, period: float) -> float:
    """Fraction of the phases of a period that intervals cover."""
    if not (math.isfinite(period) and period > 0.0):
        raise ValueError(f"a period of {period}: expected a length of time")
    if np.any(end - start >= period):
        return 1.0
    first = np.mod(start, period)
    last = first + (end - start)
    begin, until = merged(np.append(first, np.zeros(first.size)), np.append(last, np.maximum(last - period, 0.0)))
    return float(np.sum(np.minimum(until, period) - np.minimum(begin, period)) / period)


def fillings(
    gap_start: FloatArray, gap_end: FloatArray, telescope: IntArray, start: FloatArray, end: FloatArray, telescopes: int
) -> FloatArray:
    """Time (g, telescopes) of each of g gaps that windows of each further telescope cover; those of one telescope do
    not overlap.
    """
    covered = np.zeros((gap_start.size, telescopes))
    for gap in range(gap_start.size):
        inside = np.minimum(end, gap_end[gap]) - np.maximum(start, gap_start[gap])
        covered[gap] = np.bincount(telescope, weights=np.maximum(inside, 0.0), minlength=telescopes)
    return covered


def _best_chain(
    telescope: IntArray, start: FloatArray, end: FloatArray, altitude: FloatArray, handover: float, slack: float
) -> IntArray:
    """Indices of the best chain over the windows of one unbroken stretch, sorted by start.

    From the back: for each window the least cost to go on from it to the end of the stretch, then the greatest lowest
    altitude on the ways of that cost. Only windows that begin and end later can follow: another would be superfluous.
    """
    n = start.size
    untied = n + 1  # the cost of a change without a full overlap: more than all changes together
    cost, lowest = np.full(n, _NO_WAY), altitude.copy()
    cost[end >= end.max() - slack] = 1
    ways: list[IntArray] = [np.empty(0, dtype=np.int64)] * n
    for k in reversed(range(n)):
        if cost[k] == 1:
            continue
        later = _later(k, start, end)
        if not later.size:
            continue
        price = cost[later] + np.where(end[k] - start[later] >= handover, 1, 1 + untied)
        cost[k] = price.min()
        ways[k] = later[price == cost[k]]
        lowest[k] = min(altitude[k], lowest[ways[k]].max())
    here = np.flatnonzero(start <= start.min() + slack)
    here = here[cost[here] == cost[here].min()]
    asked = lowest[here].max()
    chain = []
    while here.size:
        here = here[lowest[here] >= asked]
        chain.append(int(here[np.lexsort((end[here], telescope[here]))[0]]))
        here = ways[chain[-1]]
    return np.array(chain, dtype=np.int64)


def _later(k: int, start: FloatArray, end: FloatArray) -> IntArray:
    """Windows that can follow the k-th of those sorted by start."""
    first, last = k + 1, int(np.searchsorted(start, end[k] + _TOUCHING_DAYS, side="right"))
    return np.flatnonzero((end[first:last] > end[k]) & (start[first:last] > start[k])) + first


def _legs(
    start: FloatArray, end: FloatArray, last: BoolArray, handover: float
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """The parts of the windows of a chain that its legs take; last: of the windows that end a stretch."""
    begin, until = start.copy(), end.copy()
    handed_on = np.zeros(start.size, dtype=bool)
    change = np.flatnonzero(~last)
    common_from, common_to = start[change + 1], end[change]
    middle = 0.5 * (common_from + common_to)
    full = common_to - common_from >= handover
    half = np.where(full, 0.5 * handover, 0.0)
    until[change], begin[change + 1] = middle + half, middle - half
    handed_on[change] = full
    return begin, until, handed_on
