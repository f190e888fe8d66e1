"""The quick search: rising and setting from the hour angle at which a target crosses the altitude limit.

Over one night a far target stands still but for a slow drift, so that it is up within a half-width H0 of hour
angle around its transits. That gives the edges to some seconds; one Newton and two secant steps on the true
altitude make them exact. What is not plain is left to the thorough search (`dense`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.pairs import Pairs
from coordination.visibility.engine.sweep import Intervals

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_COS_SLACK = 0.002  # of cos H0: diurnal aberration, changing parallax
_GRAZE_RAD = 0.08  # an H0 nearer than this to 0 or 180 degrees is not trusted
_LARGEST_DRIFT = 0.05  # of an edge, in tau, by the target's own motion
_MARGIN = 0.15  # how far outside the cell an edge is still refined
_CONVERGED = 1e-6  # last step in tau


@dataclass(frozen=True)
class Middle:
    """What k pairs look like at the middle of their cells, every field (k,).

    direction: topocentric unit vector in the meridian frame. dec_rad; hour_angle_rad, and
    hour_angle_turn_rad, by which it grows in half a cell. motion_rad: bound of the target's motion on the sky
    in half a cell.
    """

    direction: tuple[FloatArray, FloatArray, FloatArray]
    dec_rad: FloatArray
    hour_angle_rad: FloatArray
    hour_angle_turn_rad: FloatArray
    motion_rad: FloatArray

    @classmethod
    def of(cls, pairs: Pairs) -> Middle:
        px, py, pz = pairs.position_au
        x0, y0, z0 = pairs.vectors_au[0]
        x1, y1, z1 = pairs.vectors_au[1]
        x, y, z = x0 - px, y0 - py, z0 - pz
        flat_squared = x * x + y * y
        length_squared = flat_squared + z * z
        flat, length = np.sqrt(flat_squared), np.sqrt(length_squared)
        radial = (x * x1 + y * y1 + z * z1) / length_squared
        return cls(
            direction=(x / length, y / length, z / length),
            dec_rad=np.arctan2(z, flat),
            hour_angle_rad=np.arctan2(-y, x),
            hour_angle_turn_rad=pairs.turn_rad - (x * y1 - y * x1) / flat_squared,
            motion_rad=_motion_bound(pairs, radial, (x, y, z), length),
        )

    def take(self, index: IntArray) -> Middle:
        """The pairs at `index`."""
        x, y, z = (component[index] for component in self.direction)
        rest = (self.dec_rad, self.hour_angle_rad, self.hour_angle_turn_rad, self.motion_rad)
        return Middle((x, y, z), *(values[index] for values in rest))


def _motion_bound(
    pairs: Pairs, radial: FloatArray, vector: tuple[FloatArray, FloatArray, FloatArray], length: FloatArray
) -> FloatArray:
    """Bound of the angle a target moves from mid-cell, parallax included: its transverse velocity and all of
    the higher terms.
    """
    across = [pairs.vectors_au[1, k] - radial * vector[k] for k in range(3)]
    first = np.sqrt(across[0] ** 2 + across[1] ** 2 + across[2] ** 2)
    rest = np.abs(pairs.vectors_au[2:]).sum(axis=(0, 1))
    site = 2.0 * np.hypot(pairs.position_au[0], pairs.position_au[1])
    return np.asarray((first + rest + site) / length * 1.1)


@dataclass(frozen=True)
class Lobes:
    """Hour angles at which pairs are up: half-width H0 (k,) around the meridian; never and always up;
    doubtful ones.
    """

    half_width_rad: FloatArray
    never: BoolArray
    always: BoolArray
    doubtful: BoolArray

    @classmethod
    def of(cls, middle: Middle, telescope: Telescope) -> Lobes:
        """From cos H0 = (sin a - sin lat sin dec) / (cos lat cos dec), and how it changes with the
        declination in the cell.
        """
        limits, place = telescope.limits, telescope.place
        sin_alt = math.sin(math.radians(limits.geometric_deg(limits.min_alt_deg, place)))
        sin_lat, cos_lat = math.sin(math.radians(place.lat_deg)), max(math.cos(math.radians(place.lat_deg)), 1e-12)
        sin_dec, cos_dec = np.sin(middle.dec_rad), np.maximum(np.cos(middle.dec_rad), 1e-12)
        cos_half = (sin_alt - sin_lat * sin_dec) / (cos_lat * cos_dec)
        per_dec = (sin_alt * sin_dec - sin_lat) / (cos_lat * cos_dec**2)
        slack = _COS_SLACK / (cos_lat * cos_dec) + 1.2 * np.abs(per_dec) * middle.motion_rad
        never, always = cos_half > 1.0 + slack, cos_half < -1.0 - slack
        half_width = np.arccos(np.clip(cos_half, -1.0, 1.0))
        sin_half = np.maximum(np.sin(half_width), 1e-12)
        drift = 1.2 * np.abs(per_dec) * middle.motion_rad / sin_half / np.abs(middle.hour_angle_turn_rad)
        grazes = (sin_half < math.sin(_GRAZE_RAD)) | (drift > _LARGEST_DRIFT)
        odd = ~(middle.hour_angle_turn_rad > 0.0)
        return cls(half_width, never, always, ~never & ((~always & grazes) | odd))

    def take(self, index: IntArray) -> Lobes:
        """The pairs at `index`."""
        return Lobes(self.half_width_rad[index], self.never[index], self.always[index], self.doubtful[index])


def quick_windows(pairs: Pairs, middle: Middle, lobes: Lobes, telescope: Telescope) -> tuple[Intervals, BoolArray]:
    """Windows of pairs (k,) that are plain, and which pairs turned out not to be (k,), whose windows are left
    out.
    """
    limits, place = telescope.limits, telescope.place
    lowest = math.sin(math.radians(limits.geometric_deg(limits.min_alt_deg, place)))
    opens, closes = pairs.cells.opens[pairs.cell], pairs.cells.closes[pairs.cell]
    always = np.flatnonzero(lobes.always & ~lobes.doubtful)
    ones = np.ones(always.size)
    found = [Intervals(always, -ones, ones, opens[always], closes[always])]
    failed = lobes.doubtful.copy()
    transit = -middle.hour_angle_rad / middle.hour_angle_turn_rad
    period = 2.0 * np.pi / middle.hour_angle_turn_rad
    width = lobes.half_width_rad / middle.hour_angle_turn_rad
    plain = ~(lobes.always | lobes.never | lobes.doubtful)
    for turn in (-1, 0, 1):
        rise, fall = transit + turn * period - width, transit + turn * period + width
        item = np.flatnonzero(plain & (rise < 1.0 + _MARGIN) & (fall > -1.0 - _MARGIN))
        if not item.size:
            continue
        some = pairs.take(item)
        slope = _altitude_slope(middle, lobes, telescope)[item]
        rise, rise_ok = _refined(some, rise[item], slope, lowest)
        fall, fall_ok = _refined(some, fall[item], -slope, lowest)
        failed[item[~(rise_ok & fall_ok)]] = True
        start, end = np.maximum(rise, -1.0), np.minimum(fall, 1.0)
        opened = np.where(rise > -1.0, Edge.ALTITUDE, opens[item])
        closed = np.where(fall < 1.0, Edge.ALTITUDE, closes[item])
        found.append(Intervals(item, start, end, opened, closed).take(start < end))
    windows = Intervals.concatenate(found)
    return windows.take(~failed[windows.item]), failed


def _altitude_slope(middle: Middle, lobes: Lobes, telescope: Telescope) -> FloatArray:
    """d sin(altitude) / d tau where a target rises through the limit."""
    cos_lat = math.cos(math.radians(telescope.place.lat_deg))
    return np.asarray(cos_lat * np.cos(middle.dec_rad) * np.sin(lobes.half_width_rad) * middle.hour_angle_turn_rad)


def _refined(pairs: Pairs, guess: FloatArray, slope: FloatArray, lowest: float) -> tuple[FloatArray, BoolArray]:
    """Edges (k,) from first guesses by a Newton and two secant steps, and whether they converged. Those far
    outside stay.
    """
    inside = np.flatnonzero(np.abs(guess) < 1.0 + _MARGIN)
    some = pairs if inside.size == pairs.n else pairs.take(inside)
    older, slope = guess[inside], slope[inside]
    at_older = some.altitude_sine(older) - lowest
    step = -at_older / slope
    for _ in range(2):
        newer = older + step
        at_newer = some.altitude_sine(newer) - lowest
        change = at_newer - at_older
        flat = np.abs(change) < 1e-14
        slope = np.where(flat, slope, change / np.where(flat, 1.0, step))
        older, at_older, step = newer, at_newer, -at_newer / slope
    edge = guess.copy()
    edge[inside] = older + step
    fine = np.ones(guess.size, dtype=bool)
    fine[inside] = (np.abs(step) < _CONVERGED) & (np.abs(edge[inside] - guess[inside]) < _LARGEST_DRIFT)
    return edge, fine
