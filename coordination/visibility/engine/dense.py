"""The thorough search: constraints sampled along the cell, all their roots found, then one sweep over the roots.

For pairs and constraints that the closed form does not decide: targets that graze a limit, near and fast ones, those
close to the Moon or to their limiting magnitude, and telescopes with a horizon mask, hour angle limits or a highest
altitude.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.horizon_roots import horizon_changes
from coordination.visibility.engine.pairs import Pairs, polynomial
from coordination.visibility.engine.sweep import Changes, Intervals, sweep
from observatories.sites.roots import find_roots

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Margin = Callable[[Pairs, FloatArray], FloatArray]  # of pairs and tau: the constraint holds where it is >= 0

STEP_DAYS, NEAR_STEP_DAYS = 20.0 / 1440.0, 5.0 / 1440.0
MOON_STEP_DAYS = 60.0 / 1440.0  # the Moon is passed slowly: in a night by a chord of its circle at most
TOLERANCE_DAYS = 1e-3 / 86400.0
_FEWEST_SAMPLES = 5
_SAMPLES_STEP = 8  # numbers of samples are rounded up, so that cells of about one length go together
_POINTS_AT_ONCE = 60_000  # samples held in memory together


@dataclass(frozen=True)
class Watched:
    """Which constraints of k pairs have to be followed along the cell; the others hold throughout it."""

    altitude: BoolArray
    altitude_max: BoolArray
    hour_angle: BoolArray
    horizon: BoolArray
    moon: BoolArray
    magnitude: BoolArray
    rate: BoolArray

    @classmethod
    def everything(cls, pairs: Pairs) -> Watched:
        """All that the telescopes ask."""
        limits, telescope = pairs.cells.limits, pairs.telescope
        asked = [limits.has_max_alt, limits.has_hour_angle, limits.has_horizon, limits.has_moon]
        asked += [limits.has_v_limit, limits.has_max_rate]
        return cls(np.ones(pairs.n, dtype=bool), *(each[telescope] for each in asked))

    def take(self, index: IntArray) -> Watched:
        """Of the pairs at `index`."""
        return Watched(*(getattr(self, each.name)[index] for each in fields(self)))

    @property
    def anything(self) -> BoolArray:
        """Whether anything of a pair (k,) is followed."""
        return np.asarray(np.logical_or.reduce([getattr(self, each.name) for each in fields(self)]))


@dataclass(frozen=True)
class Thorough:
    """Pairs (k,) of one series and the same cells to be searched, what has to be followed, and when those are above the
    lowest altitude (item = number of the pair, times in tau) whose altitude is not.
    """

    pairs: Pairs
    watched: Watched
    up: Intervals

    @classmethod
    def concatenate(cls, parts: Sequence[Thorough]) -> Thorough:
        """All pairs of one or more parts."""
        if len(parts) == 1:
            return parts[0]
        first = parts[0].pairs
        before = np.cumsum([0, *(part.pairs.n for part in parts)])
        return cls(
            Pairs(
                first.series,
                first.cells,
                np.concatenate([part.pairs.objects for part in parts]),
                np.concatenate([part.pairs.cell for part in parts]),
                np.concatenate([part.pairs.vectors_au for part in parts], axis=2),
            ),
            Watched(*(np.concatenate([getattr(p.watched, each.name) for p in parts]) for each in fields(Watched))),
            Intervals.concatenate(
                [replace(part.up, item=part.up.item + n) for part, n in zip(parts, before[:-1], strict=True)]
            ),
        )


def search(asked: Thorough, near: bool) -> Intervals:
    """Windows of pairs (item = number of the pair, times in tau, sorted). Opened and closed by `Edge` codes or SEAM."""
    pairs, watched = asked.pairs, asked.watched
    step = NEAR_STEP_DAYS if near else STEP_DAYS
    followed: tuple[tuple[BoolArray, Edge, Margin, float], ...] = (
        (watched.altitude, Edge.ALTITUDE, _altitude_margin, step),
        (watched.altitude_max, Edge.ALTITUDE_MAX, _altitude_max_margin, step),
        (watched.hour_angle, Edge.HOUR_ANGLE, _hour_angle_margin, step),
        (watched.moon, Edge.MOON, moon_margin, step if near else MOON_STEP_DAYS),
        (watched.magnitude, Edge.MAGNITUDE, magnitude_margin, step),
        (watched.rate, Edge.RATE, _rate_margin, step),
    )
    changes = [_known(asked.up, ~watched.altitude)]
    for wanted, edge, margin, step_days in followed:
        for chosen, samples in _alike(pairs, wanted, step_days):
            changes.append(_follow(pairs, chosen, edge, margin, samples))
    for chosen, samples in _alike(pairs, watched.horizon, step):
        changes += _over_horizons(pairs, chosen, samples)
    ends = np.ones(pairs.n)
    return sweep(changes, -ends, ends, pairs.cells.opens[pairs.cell], pairs.cells.closes[pairs.cell])


def _known(up: Intervals, known: BoolArray) -> Changes:
    """The changes of a constraint of which the intervals are known, and which holds for all other pairs (k,)."""
    holds = ~known
    holds[up.item[up.start <= -1.0]] = True
    begins, ends = np.flatnonzero(up.start > -1.0), np.flatnonzero(up.end < 1.0)
    return Changes(
        int(Edge.ALTITUDE),
        holds,
        np.concatenate([up.item[begins], up.item[ends]]),
        np.concatenate([up.start[begins], up.end[ends]]),
        np.repeat([True, False], [begins.size, ends.size]),
    )


def _alike(pairs: Pairs, wanted: BoolArray, step_days: float) -> Iterator[tuple[IntArray, int]]:
    """The wanted pairs in parts that take equally many samples along their cells, and how many."""
    chosen = np.flatnonzero(wanted)
    if not chosen.size:
        return
    steps = np.ceil(2.0 * pairs.half_days[chosen] / step_days).astype(np.int64)
    samples = np.maximum(_FEWEST_SAMPLES, -(-steps // _SAMPLES_STEP) * _SAMPLES_STEP + 1)
    for count in np.unique(samples).tolist():
        some = chosen[samples == count]
        size = max(1, _POINTS_AT_ONCE // count)
        for begin in range(0, some.size, size):
            yield some[begin : begin + size], count


def _follow(pairs: Pairs, chosen: IntArray, edge: Edge, margin: Margin, samples: int) -> Changes:
    """Where one constraint changes, for the chosen pairs; for the others it holds."""
    some = pairs.take(chosen)
    grid = np.linspace(-1.0, 1.0, samples)
    values = np.ascontiguousarray(margin(some, np.broadcast_to(grid[:, None], (samples, chosen.size))).T)
    times = np.broadcast_to(grid, values.shape)
    tolerance = TOLERANCE_DAYS / float(np.max(some.half_days))
    roots = find_roots(lambda item, tau: margin(some.take(item), tau), times, values, tolerance)
    holds = np.ones(pairs.n, dtype=bool)
    holds[chosen] = values[:, 0] >= 0.0
    return Changes(int(edge), holds, chosen[roots.item], roots.time, roots.rising)


def _over_horizons(pairs: Pairs, chosen: IntArray, samples: int) -> Iterator[Changes]:
    """Where the chosen pairs cross the masks of their telescopes."""
    telescope = pairs.telescope[chosen]
    for number in np.unique(telescope).tolist():
        horizon = pairs.cells.limits.horizon[number]
        if horizon is None:
            continue
        mine = chosen[telescope == number]
        found = horizon_changes(pairs.take(mine), horizon, samples)
        holds = np.ones(pairs.n, dtype=bool)
        holds[mine] = found.holds_at_start
        yield Changes(found.edge, holds, mine[found.item], found.time, found.begins)


def _altitude_margin(pairs: Pairs, tau: FloatArray) -> FloatArray:
    return pairs.altitude_sine(tau) - pairs.cells.limits.sin_min_alt[pairs.telescope]


def _altitude_max_margin(pairs: Pairs, tau: FloatArray) -> FloatArray:
    return pairs.cells.limits.sin_max_alt[pairs.telescope] - pairs.altitude_sine(tau)


def _hour_angle_margin(pairs: Pairs, tau: FloatArray) -> FloatArray:
    """Smooth across the meridian and across 12 h: the cosine of the angle from the middle of the allowed hour
    angles.
    """
    limits, telescope = pairs.cells.limits, pairs.telescope
    off_centre = pairs.hour_angle_rad(tau) - limits.hour_angle_centre_rad[telescope]
    return np.asarray(np.cos(off_centre) - np.cos(limits.hour_angle_half_rad[telescope]))


def magnitude_margin(pairs: Pairs, tau: FloatArray) -> FloatArray:
    """Positive where the target is brighter than the limit; NaN, which is not positive, where H is unknown."""
    return pairs.cells.limits.v_limit_mag[pairs.telescope] - pairs.v_mag(tau)


def _rate_margin(pairs: Pairs, tau: FloatArray) -> FloatArray:
    return pairs.cells.limits.max_rate_arcsec_min[pairs.telescope] - pairs.rate_arcsec_min(tau)


def moon_margin(pairs: Pairs, tau: FloatArray) -> FloatArray:
    """Positive where the Moon is farther than the limit, which may depend on its illumination."""
    illuminated = polynomial(pairs.cells.illuminated.take(pairs.cell, axis=1), tau)
    least_deg = pairs.cells.limits.moon_separation_deg(pairs.telescope, illuminated)
    return np.asarray(np.cos(np.radians(least_deg)) - pairs.moon_separation_cosine(tau))
