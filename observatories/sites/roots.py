"""Zeros of many sampled functions at once.

A function is called as `function(item, time)` with two equally long arrays: the number of the curve and where
to evaluate it. A value >= 0 counts as positive, everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Curves = Callable[[IntArray, FloatArray], FloatArray]

_MOST_STEPS = 60
# how near to zero a parabola's extremum must come, in units of its own sag, to be looked at
_CURVATURE_SHARE = 0.3


@dataclass(frozen=True)
class Roots:
    """Zeros of curves: item (k,) which curve, time (k,), rising (k,) from negative to positive. Ordered by
    item, then time.
    """

    item: IntArray
    time: FloatArray
    rising: NDArray[np.bool_]


def refine(
    function: Curves,
    item: IntArray,
    low: FloatArray,
    high: FloatArray,
    at_low: FloatArray,
    at_high: FloatArray,
    tolerance: float,
) -> FloatArray:
    """Zeros (k,) in brackets (low, high) whose end values have different signs, each to within `tolerance` in
    time.

    Chandrupatla (1997, Adv. Eng. Software 28, 145): inverse quadratic steps while they can be trusted, else
    halving. It ends on the width of the bracket, never on a small step, so a flat curve that only just
    crosses zero is solved too.
    """
    if not item.size:
        return np.empty(0)
    newest, opposite = np.array(low, dtype=float), np.array(high, dtype=float)
    at_newest, at_opposite = np.array(at_low, dtype=float), np.array(at_high, dtype=float)
    share = at_newest / (at_newest - at_opposite)  # of the way from newest to opposite: the chord's zero
    best = np.where(np.abs(at_newest) < np.abs(at_opposite), newest, opposite)
    active = np.arange(item.size)
    for _ in range(_MOST_STEPS):
        least = 0.5 * tolerance / np.maximum(np.abs(opposite - newest), tolerance)
        time = newest + np.clip(share, least, 1.0 - least) * (opposite - newest)
        value = function(item[active], time)
        same = (value >= 0.0) == (at_newest >= 0.0)
        oldest, at_oldest = np.where(same, newest, opposite), np.where(same, at_newest, at_opposite)
        opposite, at_opposite = np.where(same, opposite, newest), np.where(same, at_opposite, at_newest)
        newest, at_newest = time, value
        best[active] = np.where(np.abs(at_newest) < np.abs(at_opposite), newest, opposite)
        going = (np.abs(opposite - newest) > tolerance) & (value != 0.0)
        if not going.any():
            break
        active, newest, opposite, oldest = active[going], newest[going], opposite[going], oldest[going]
        at_newest, at_opposite, at_oldest = at_newest[going], at_opposite[going], at_oldest[going]
        share = _next_share(newest, opposite, oldest, at_newest, at_opposite, at_oldest)
    return best


def _next_share(
    x1: FloatArray, x2: FloatArray, x3: FloatArray, f1: FloatArray, f2: FloatArray, f3: FloatArray
) -> FloatArray:
    """Where between x1 (0) and x2 (1) to look next: inverse quadratic where Chandrupatla's test trusts it,
    else the middle.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
        trusted = (1.0 - np.sqrt(1.0 - xi) < phi) & (phi < np.sqrt(xi))
        quadratic = f1 * f3 / ((f2 - f1) * (f2 - f3)) + (x3 - x1) / (x2 - x1) * f1 * f2 / ((f3 - f1) * (f3 - f2))
    return np.where(trusted & np.isfinite(quadratic), quadratic, 0.5)


def find_roots(function: Curves, times: FloatArray, values: FloatArray, tolerance: float) -> Roots:
    """All zeros of n curves sampled at times (n, m): sign changes, and pairs of zeros hidden between samples
    of one sign.

    values (n, m): the curves at the times. Where a parabola through three samples has its extremum near zero,
    the extremum is sought, and both zeros beside it when it lies across. Curves must be smooth at the scale
    of the sampling.
    """
    positive = values >= 0.0
    item, place = np.nonzero(positive[:, 1:] != positive[:, :-1])
    shown = _Brackets(item, times[item, place], times[item, place + 1], values[item, place], values[item, place + 1])
    brackets = [shown, *_hidden_brackets(function, times, values)]
    item = np.concatenate([each.item for each in brackets])
    low, high, at_low, at_high = (
        np.concatenate(parts)
        for parts in zip(*((each.low, each.high, each.at_low, each.at_high) for each in brackets), strict=True)
    )
    time = refine(function, item, low, high, at_low, at_high, tolerance)
    order = np.lexsort((time, item))
    return Roots(item=item[order], time=time[order], rising=(at_high >= 0.0)[order])


@dataclass(frozen=True)
class _Brackets:
    """Intervals (k,) of curves whose ends differ in sign."""

    item: IntArray
    low: FloatArray
    high: FloatArray
    at_low: FloatArray
    at_high: FloatArray


def _hidden_brackets(function: Curves, times: FloatArray, values: FloatArray) -> list[_Brackets]:
    """Intervals between samples of one sign inside which the curve has the other sign, in two halves."""
    item, left, guess = _promising_extrema(times, values)
    if not item.size:
        return []
    start, end = times[item, left], times[item, left + 1]
    sign = np.where(values[item, left] >= 0.0, 1.0, -1.0)
    middle, at_middle = _seek_extremum(function, item, start, end, guess, sign)
    crosses = (at_middle >= 0.0) != (values[item, left] >= 0.0)
    item, left, middle, at_middle = item[crosses], left[crosses], middle[crosses], at_middle[crosses]
    return [
        _Brackets(item, times[item, left], middle, values[item, left], at_middle),
        _Brackets(item, middle, times[item, left + 1], at_middle, values[item, left + 1]),
    ]


def _promising_extrema(times: FloatArray, values: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Curve, number of the sample to the left, and time (k,) of extrema that come near zero by a parabola
    through three samples.
    """
    if values.shape[1] < 3:
        none = np.empty(0, dtype=np.int64)
        return none, none, np.empty(0)
    before, here, after = values[:, :-2], values[:, 1:-1], values[:, 2:]
    sign = np.where(here >= 0.0, 1.0, -1.0)
    slope, curvature = 0.5 * (after - before), before - 2.0 * here + after
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = -slope / curvature  # in steps from the middle sample
    reach_low, reach_high = np.full(here.shape[1], -0.6), np.full(here.shape[1], 0.6)
    reach_low[0], reach_high[-1] = -1.0, 1.0  # the first and last interval have no sample beyond
    at_vertex = here + 0.5 * slope * vertex
    item, place = np.nonzero(
        (sign * curvature > 0.0)
        & (vertex >= reach_low)
        & (vertex <= reach_high)
        & (sign * at_vertex < _CURVATURE_SHARE * np.abs(curvature))
    )
    offset = vertex[item, place]
    left = place + np.where(offset < 0.0, 0, 1)
    same_sign = (values[item, left] >= 0.0) == (values[item, left + 1] >= 0.0)
    # two parabolas may point at one interval
    _, first = np.unique(item * values.shape[1] + left, return_index=True)
    keep = np.intersect1d(first, np.flatnonzero(same_sign))
    item, place, offset, left = item[keep], place[keep], offset[keep], left[keep]
    step = times[item, left + 1] - times[item, left]
    guess = np.clip(times[item, place + 1] + offset * step, times[item, left], times[item, left + 1])
    return item, left, guess


def _seek_extremum(
    function: Curves, item: IntArray, start: FloatArray, end: FloatArray, guess: FloatArray, sign: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The extremum towards zero in (start, end) by parabolas through ever closer samples; returns time and
    value.
    """
    best, at_best = guess, function(item, guess)
    reach = 0.25 * (end - start)
    for _ in range(4):
        low, high = np.clip(best - reach, start, end), np.clip(best + reach, start, end)
        at_low, at_high = function(item, low), function(item, high)
        trial = np.clip(_vertex(low, best, high, at_low, at_best, at_high), low, high)
        at_trial = function(item, trial)
        for time, value in ((low, at_low), (high, at_high), (trial, at_trial)):
            better = sign * value < sign * at_best
            best, at_best = np.where(better, time, best), np.where(better, value, at_best)
        reach = reach * 0.2
    return best, at_best


def _vertex(
    low: FloatArray,
    middle: FloatArray,
    high: FloatArray,
    at_low: FloatArray,
    at_middle: FloatArray,
    at_high: FloatArray,
) -> FloatArray:
    """Abscissa of the extremum of the parabolas through three points; the middle point where they are
    straight lines.
    """
    left, right = middle - low, high - middle
    with np.errstate(divide="ignore", invalid="ignore"):
        slope_left, slope_right = (at_middle - at_low) / left, (at_high - at_middle) / right
        shift = -0.5 * (slope_left * right + slope_right * left) / (slope_right - slope_left)
    return np.where(np.isfinite(shift), middle + shift, middle)
