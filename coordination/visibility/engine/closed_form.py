"""The quick search: rising and setting from the hour angle at which a target crosses the altitude limit.

Over one night a far target stands still but for a slow drift, so that it is up within a half-width H0 of hour
angle around its transits. That gives the edges to some seconds; two or three Newton steps on the true altitude make
them exact. What is not plain is left to the thorough search (`dense`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.pairs import SPIN, Pairs, cos_sin
from coordination.visibility.engine.sweep import Intervals

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_COS_SLACK = 0.002  # of cos H0: diurnal aberration, changing parallax
_GRAZE_RAD = 0.08  # an H0 nearer than this to 0 or 180 degrees is not trusted
_LARGEST_DRIFT = 0.05  # of an edge, in tau, by the target's own motion
_MARGIN = 0.15  # how far outside the cell an edge is still refined
_CONVERGED = 1e-5  # the last Newton step in tau: what is left goes with its square, some microseconds
_MOST_STEPS = 4


@dataclass(frozen=True)
class Middle:
    """What k pairs look like at the middle of their cells, every field (k,).

    direction: topocentric unit vector in the meridian frame; cos_dec. hour_angle_rad, and hour_angle_turn_rad, by which
    it grows in half a cell. motion_rad: bound of the target's motion on the sky in half a cell.
    """

    direction: tuple[FloatArray, FloatArray, FloatArray]
    cos_dec: FloatArray
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
        inverse = 1.0 / np.sqrt(length_squared)
        radial = (x * x1 + y * y1 + z * z1) / length_squared
        # Bound of the motion, parallax included: the transverse velocity and all of the higher terms.
        ax, ay, az = x1 - radial * x, y1 - radial * y, z1 - radial * z
        first = np.sqrt(ax * ax + ay * ay + az * az)
        rest = np.abs(pairs.vectors_au[2:]).sum(axis=(0, 1))
        site = 2.0 * np.sqrt(px * px + py * py)
        return cls(
            direction=(x * inverse, y * inverse, z * inverse),
            cos_dec=np.sqrt(flat_squared) * inverse,
            hour_angle_rad=np.arctan2(-y, x),
            hour_angle_turn_rad=pairs.turn_rad - (x * y1 - y * x1) / flat_squared,
            motion_rad=(first + rest + site) * inverse * 1.1,
        )


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
    def of(cls, pairs: Pairs, middle: Middle) -> Lobes:
        """From cos H0 = (sin a - sin lat sin dec) / (cos lat cos dec), and how it changes with the
        declination in the cell.
        """
        limits, telescope = pairs.cells.limits, pairs.telescope
        sin_alt, sin_lat, cos_lat = (
            values[telescope] for values in (limits.sin_min_alt, limits.sin_lat, limits.cos_lat)
        )
        sin_dec, cos_dec = middle.direction[2], np.maximum(middle.cos_dec, 1e-12)
        inverse = 1.0 / (cos_lat * cos_dec)
        cos_half = (sin_alt - sin_lat * sin_dec) * inverse
        by_motion = 1.2 * np.abs(sin_alt * sin_dec - sin_lat) * inverse / cos_dec * middle.motion_rad
        slack = _COS_SLACK * inverse + by_motion
        never, always = cos_half > 1.0 + slack, cos_half < -1.0 - slack
        cos_half = np.clip(cos_half, -1.0, 1.0)
        sin_half = np.maximum(np.sqrt(1.0 - cos_half * cos_half), 1e-12)
        drift = by_motion / (sin_half * np.abs(middle.hour_angle_turn_rad))
        grazes = (sin_half < math.sin(_GRAZE_RAD)) | (drift > _LARGEST_DRIFT)
        odd = ~(middle.hour_angle_turn_rad > 0.0)
        return cls(np.arccos(cos_half), never, always, ~never & ((~always & grazes) | odd))


def quick_altitudes(pairs: Pairs, middle: Middle, lobes: Lobes, wanted: BoolArray) -> tuple[Intervals, BoolArray]:
    """When wanted pairs (k,) are above the lowest altitude, and for which of them this could not tell (k,), which are
    left out.
    """
    opens, closes = pairs.cells.opens[pairs.cell], pairs.cells.closes[pairs.cell]
    always = np.flatnonzero(lobes.always & ~lobes.doubtful & wanted)
    ones = np.ones(always.size)
    failed = lobes.doubtful & wanted
    plain = wanted & ~(lobes.always | lobes.never | lobes.doubtful)
    transit = -middle.hour_angle_rad / middle.hour_angle_turn_rad
    width = lobes.half_width_rad / middle.hour_angle_turn_rad
    items, rises, falls = [], [], []
    for turn in (-1, 0, 1):
        top = transit if turn == 0 else transit + turn * (2.0 * np.pi) / middle.hour_angle_turn_rad
        item = np.flatnonzero(plain & (top - width < 1.0 + _MARGIN) & (top + width > -1.0 - _MARGIN))
        items.append(item)
        rises.append(top[item] - width[item])
        falls.append(top[item] + width[item])
    item, guess = np.concatenate(items), np.concatenate(rises + falls)
    edge, fine = _refined(pairs, np.concatenate([item, item]), guess)
    rise, fall = edge.reshape(2, -1)
    failed[item[~fine.reshape(2, -1).all(axis=0)]] = True
    start, end = np.maximum(rise, -1.0), np.minimum(fall, 1.0)
    found = Intervals(
        np.concatenate([always, item]),
        np.concatenate([-ones, start]),
        np.concatenate([ones, end]),
        np.concatenate([opens[always], np.where(rise > -1.0, int(Edge.ALTITUDE), opens[item])]),
        np.concatenate([closes[always], np.where(fall < 1.0, int(Edge.ALTITUDE), closes[item])]),
    )
    return found.take(np.flatnonzero((found.start < found.end) & ~failed[found.item])), failed


def _refined(pairs: Pairs, item: IntArray, guess: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Edges (m,) of pairs `item` (m,) from first guesses, and whether they converged. Those far outside stay."""
    inside = np.flatnonzero(np.abs(guess) < 1.0 + _MARGIN)
    edge, fine = guess.copy(), np.ones(guess.size, dtype=bool)
    curves, tau = _Heights.of(pairs.take(item[inside])), guess[inside]
    step = curves.newton(tau)
    tau = tau + step
    active = np.arange(tau.size)
    for _ in range(_MOST_STEPS - 1):
        step = curves.newton(tau[active])
        tau[active] += step
        last = np.flatnonzero(~(np.abs(step) < _CONVERGED))
        active = active[last]
        if not active.size:
            break
        curves = curves.take(last)
    edge[inside] = tau
    fine[inside] = np.abs(tau - guess[inside]) < _LARGEST_DRIFT
    fine[inside[active]] = False
    return edge, fine


@dataclass(frozen=True)
class _Heights:
    """Curves (m,) that are zero where a target is at its lowest altitude; no quotient needs to be taken.

    The altitude is a when up . (v / |v| + b) = sin a |v / |v| + b|, with v the vector from the site and b diurnal
    aberration. To first order in b (its square is 1e-12) that is (up - sin a b) . v + (up . b - sin a) |v| = 0.
    """

    vectors_au: FloatArray  # (terms, 3, m)
    slopes_au: FloatArray  # (terms - 1, 3, m)
    turn_rad: FloatArray
    site: FloatArray  # (3, m), in the meridian frame as the next ones
    weight: FloatArray  # (3, m) up - sin a b
    of_length: FloatArray  # sin a - up . b

    @classmethod
    def of(cls, pairs: Pairs) -> _Heights:
        sine = pairs.cells.limits.sin_min_alt[pairs.telescope]
        site, up, terms = pairs.position_au, pairs.zenith, len(pairs.vectors_au)
        bx, by = -SPIN * site[1], SPIN * site[0]
        return cls(
            pairs.vectors_au,
            pairs.vectors_au[1:] * np.arange(1.0, terms)[:, None, None],
            pairs.turn_rad,
            site,
            np.stack([up[0] - sine * bx, up[1] - sine * by, up[2]]),
            sine - (up[0] * bx + up[1] * by),
        )

    def take(self, index: IntArray) -> _Heights:
        return _Heights(*(values[..., index] for values in vars(self).values()))

    def newton(self, tau: FloatArray) -> FloatArray:
        """The step (m,) from tau towards the zero."""
        x, y, z = _horner(self.vectors_au, tau)
        dx, dy, dz = _horner(self.slopes_au, tau)
        cos, sin = cos_sin(self.turn_rad * tau)
        x, y = cos * x + sin * y, cos * y - sin * x
        dx, dy = cos * dx + sin * dy + self.turn_rad * y, cos * dy - sin * dx - self.turn_rad * x
        x, y, z = x - self.site[0], y - self.site[1], z - self.site[2]
        length = np.sqrt(x * x + y * y + z * z)
        wx, wy, wz = self.weight
        height = wx * x + wy * y + wz * z - self.of_length * length
        climb = wx * dx + wy * dy + wz * dz - self.of_length * (x * dx + y * dy + z * dz) / length
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(-height / climb)


def _horner(powers: FloatArray, tau: FloatArray) -> FloatArray:
    value = powers[-1] * tau
    for coefficient in powers[-2:0:-1]:
        value += coefficient
        value *= tau
    value += powers[0]
    return value
