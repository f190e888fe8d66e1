"""The thorough search: every constraint sampled along the cell, all its roots found, then one sweep over the
roots.

For pairs that the closed form does not decide: targets that graze a limit, near and fast ones, those close to
the Moon or to their limiting magnitude, and telescopes with a horizon mask, hour angle limits or a highest
altitude.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Telescope
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
TOLERANCE_DAYS = 1e-3 / 86400.0
_FEWEST_SAMPLES = 5
_POINTS_AT_ONCE = 60_000  # samples held in memory together


@dataclass(frozen=True)
class Watched:
    """Which constraints of k pairs have to be followed along the cell; the others hold throughout it."""

    moon: BoolArray
    magnitude: BoolArray
    rate: BoolArray


def search(pairs: Pairs, telescope: Telescope, watched: Watched, near: bool) -> Intervals:
    """Windows of pairs (item = number of the pair, times in tau, sorted). Opened and closed by `Edge` codes
    or SEAM.
    """
    cells = pairs.cells
    longest = float(np.max(cells.half_days[pairs.cell], initial=0.0)) * 2.0
    samples = max(_FEWEST_SAMPLES, math.ceil(longest / (NEAR_STEP_DAYS if near else STEP_DAYS)) + 1)
    size = max(1, _POINTS_AT_ONCE // samples)
    found = []
    for begin in range(0, pairs.n, size):
        part = np.arange(begin, min(begin + size, pairs.n))
        some = Watched(watched.moon[part], watched.magnitude[part], watched.rate[part])
        intervals = _search_some(pairs.take(part), telescope, some, samples)
        found.append(replace(intervals, item=intervals.item + begin))
    return Intervals.concatenate(found)


def _search_some(pairs: Pairs, telescope: Telescope, watched: Watched, samples: int) -> Intervals:
    limits, place = telescope.limits, telescope.place
    everyone = np.ones(pairs.n, dtype=bool)
    changes = [_follow(pairs, everyone, Edge.ALTITUDE, _altitude_margin(telescope), samples)]
    if limits.max_alt_deg is not None:
        highest = math.sin(math.radians(limits.geometric_deg(limits.max_alt_deg, place)))
        changes.append(
            _follow(pairs, everyone, Edge.ALTITUDE_MAX, lambda p, tau: highest - p.altitude_sine(tau), samples)
        )
    if limits.hour_angle_h is not None:
        changes.append(_follow(pairs, everyone, Edge.HOUR_ANGLE, _hour_angle_margin(*limits.hour_angle_h), samples))
    if limits.needs_moon:
        changes.append(_follow(pairs, watched.moon, Edge.MOON, moon_margin(telescope), samples))
    if limits.v_limit_mag is not None:
        changes.append(_follow(pairs, watched.magnitude, Edge.MAGNITUDE, magnitude_margin(limits.v_limit_mag), samples))
    if limits.max_rate_arcsec_min is not None:
        fastest = limits.max_rate_arcsec_min
        changes.append(
            _follow(pairs, watched.rate, Edge.RATE, lambda p, tau: fastest - p.rate_arcsec_min(tau), samples)
        )
    horizon = limits.geometric_horizon(place)
    if horizon is not None:
        changes.append(horizon_changes(pairs, horizon, samples))
    ends = np.ones(pairs.n)
    return sweep(changes, -ends, ends, pairs.cells.opens[pairs.cell], pairs.cells.closes[pairs.cell])


def _follow(pairs: Pairs, wanted: BoolArray, edge: Edge, margin: Margin, samples: int) -> Changes:
    """Where one constraint changes, for the pairs that want it; for the others it holds."""
    chosen = np.flatnonzero(wanted)
    holds = np.ones(pairs.n, dtype=bool)
    if not chosen.size:
        return Changes(int(edge), holds, chosen, np.empty(0), np.empty(0, dtype=bool))
    some = pairs if chosen.size == pairs.n else pairs.take(chosen)
    times = np.broadcast_to(np.linspace(-1.0, 1.0, samples), (chosen.size, samples))
    values = margin(some, times)
    tolerance = TOLERANCE_DAYS / float(np.max(pairs.cells.half_days[pairs.cell]))
    roots = find_roots(lambda item, tau: margin(some.take(item), tau), times, values, tolerance)
    holds[chosen] = values[:, 0] >= 0.0
    return Changes(int(edge), holds, chosen[roots.item], roots.time, roots.rising)


def _altitude_margin(telescope: Telescope) -> Margin:
    lowest = math.sin(math.radians(telescope.limits.geometric_deg(telescope.limits.min_alt_deg, telescope.place)))
    return lambda pairs, tau: pairs.altitude_sine(tau) - lowest


def _hour_angle_margin(first_h: float, last_h: float) -> Margin:
    """Smooth across the meridian and across 12 h: the cosine of the angle from the middle of the allowed hour
    angles.
    """
    centre, half = math.radians(7.5 * (first_h + last_h)), math.radians(7.5 * (last_h - first_h))
    edge = math.cos(half)

    def margin(pairs: Pairs, tau: FloatArray) -> FloatArray:
        return np.cos(pairs.hour_angle_rad(tau) - centre) - edge

    return margin


def magnitude_margin(faintest_mag: float) -> Margin:
    """Positive where the target is brighter than the limit; NaN, which is not positive, where H is unknown."""
    return lambda pairs, tau: faintest_mag - pairs.v_mag(tau)


def moon_margin(telescope: Telescope) -> Margin:
    """Positive where the Moon is farther than the limit, which may depend on its illumination (taken at
    mid-cell).
    """

    def margin(pairs: Pairs, tau: FloatArray) -> FloatArray:
        add = (...,) + (None,) * (tau.ndim - 1)
        illuminated = polynomial(pairs.cells.illuminated[:, pairs.cell][add], tau)
        least_deg = telescope.limits.moon_separation_deg(illuminated)
        return np.asarray(np.cos(np.radians(least_deg)) - pairs.moon_separation_cosine(tau))

    return margin
