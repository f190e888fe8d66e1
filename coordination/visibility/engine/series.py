"""The ephemeris blocks as the search reads them: rows of coefficients with the objects side by side, and
their bounds.

A Chebyshev series is bounded by its coefficients. These bounds, one set per object and block and shared by
all telescopes, decide cheaply and safely what is too faint, too fast or never up, before any position is
computed.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Cells, powers_from_nodes
from observatories.sites.station import LIGHT_AU_PER_DAY, turn_about_z
from targets.orbits.blocks import EphemerisBlocks
from targets.orbits.photometry import phase_dimming_mag

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ARCSEC_RAD = np.pi / 180.0 / 3600.0
EARTH_RADIUS_AU = 6378.2e3 / 149597870700.0 * 1.002  # no place is farther from the centre
EARTH_SPIN_RAD_D = 2.0 * np.pi * 1.0028
FEW_TERMS = 5  # powers of tau that describe a far object over a night
NEAR_AU = 0.02  # nearer: light time to the site itself, fine sampling, topocentric brightness
_NEGLIGIBLE_RAD = 0.005 * ARCSEC_RAD
_MAGNITUDE_PER_LN = 5.0 / np.log(10.0)


@dataclass(frozen=True)
class Series:
    """n objects with blocks of one length.

    vectors_au (n_blocks, n_coef, 3, n): apparent geocentric CIRS. log10_r_delta, phase_rad (n_blocks,
    n_coef_v, n).
    """

    start_tt_mjd: float
    block_days: float
    vectors_au: FloatArray
    log10_r_delta: FloatArray
    phase_rad: FloatArray
    h_mag: FloatArray
    g: NDArray[Any]

    @classmethod
    def of(cls, blocks: EphemerisBlocks) -> Series:
        """The same numbers, laid out so that one object is one column."""
        return cls(
            start_tt_mjd=blocks.start_tt_mjd,
            block_days=blocks.block_days,
            vectors_au=np.ascontiguousarray(np.moveaxis(blocks.cirs_au, 0, 3)),
            log10_r_delta=np.ascontiguousarray(np.moveaxis(blocks.log10_r_delta, 0, 2)),
            phase_rad=np.ascontiguousarray(np.moveaxis(blocks.phase_rad, 0, 2)),
            h_mag=np.asarray(blocks.h_mag, dtype=float),
            g=blocks.g,
        )

    @property
    def n(self) -> int:
        """Number of objects."""
        return self.vectors_au.shape[3]

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return self.vectors_au.shape[0]

    @cached_property
    def middle_au(self) -> FloatArray:
        """Vectors (n_blocks, 3, n) at the middle of the blocks."""
        return np.asarray(np.einsum("k,bkcn->bcn", _MIDDLE[: self.vectors_au.shape[1]], self.vectors_au))

    @cached_property
    def distance_au(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper bound (n_blocks, n) of the geocentric distance in each block."""
        middle = np.linalg.norm(self.middle_au, axis=1)
        away = _excursion(np.linalg.norm(self.vectors_au, axis=2))
        return np.maximum(middle - away, 0.0), middle + away

    @cached_property
    def ra_dec_rad(self) -> tuple[FloatArray, FloatArray]:
        """Geocentric CIRS right ascension and declination (n_blocks, n) at the middle of the blocks."""
        x, y, z = np.moveaxis(self.middle_au, 1, 0)
        return np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))

    @cached_property
    def reach_rad(self) -> FloatArray:
        """Bound (n_blocks, n) of the angle between the direction at the middle of a block and any other in
        it.
        """
        unit = self.middle_au / np.linalg.norm(self.middle_au, axis=1, keepdims=True)
        along = np.einsum("bkcn,bcn->bkn", self.vectors_au, unit)
        across = np.sqrt(np.maximum(np.sum(self.vectors_au**2, axis=2) - along**2, 0.0))
        return _angle(_excursion(across), np.linalg.norm(self.middle_au, axis=1) - _excursion(np.abs(along)))

    @cached_property
    def parallax_rad(self) -> FloatArray:
        """Bound (n_blocks, n) of the angle between the geocentric and any topocentric direction."""
        return _angle(np.full(self.distance_au[0].shape, EARTH_RADIUS_AU), self.distance_au[0])

    @cached_property
    def _phase_bounds_rad(self) -> tuple[FloatArray, FloatArray]:
        middle, turn = np.abs(self.phase_rad[:, 0]), np.abs(self.phase_rad[:, 1:]).sum(axis=1) + self.parallax_rad
        return np.clip(middle - turn, 0.0, np.pi), np.clip(middle + turn, 0.0, np.pi)

    @property
    def least_phase_rad(self) -> FloatArray:
        """Lower bound (n_blocks, n) of the topocentric phase angle in each block."""
        return self._phase_bounds_rad[0]

    @cached_property
    def v_mag(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper bound (n_blocks, n) of topocentric V in each block; NaN where H is unknown."""
        ratio = np.minimum(EARTH_RADIUS_AU / np.maximum(self.distance_au[0], 2.0 * EARTH_RADIUS_AU), 0.5)
        slack = -_MAGNITUDE_PER_LN * np.log1p(-ratio)
        spread = 5.0 * np.abs(self.log10_r_delta[:, 1:]).sum(axis=1) + slack
        middle = self.h_mag + 5.0 * self.log10_r_delta[:, 0]
        least, most = self._phase_bounds_rad
        return (
            middle - spread + phase_dimming_mag(least, self.g),
            middle + spread + phase_dimming_mag(most, self.g),
        )

    @cached_property
    def rate_rad_d(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper bound (n_blocks, n) of the topocentric angular rate in each block."""
        unit = self.middle_au / np.linalg.norm(self.middle_au, axis=1, keepdims=True)
        slopes = chebyshev.chebder(self.vectors_au, axis=1) * (2.0 / self.block_days)
        velocity = np.einsum("k,bkcn->bcn", _MIDDLE[: slopes.shape[1]], slopes)
        speed = np.linalg.norm(velocity, axis=1)
        radial = np.abs(np.sum(velocity * unit, axis=1))
        change = _excursion(np.linalg.norm(slopes, axis=2))
        site_speed = EARTH_SPIN_RAD_D * EARTH_RADIUS_AU
        tilt = np.minimum(self.reach_rad + self.parallax_rad, 0.5 * np.pi)
        across = np.sqrt(np.maximum(speed**2 - radial**2, 0.0))
        least = across - change - site_speed - speed * np.sin(tilt)
        most = across + change + site_speed + speed * np.sin(tilt)
        nearest = np.maximum(self.distance_au[0] - EARTH_RADIUS_AU, 1e-12)
        return np.maximum(least, 0.0) / (self.distance_au[1] + EARTH_RADIUS_AU), most / nearest

    @cached_property
    def near(self) -> NDArray[np.bool_]:
        """Whether an object (n,) wants the careful treatment of near objects."""
        return np.asarray((self.distance_au[0].min(axis=0) < NEAR_AU) | (self.block_days < 1.0))

    @cached_property
    def few_terms(self) -> NDArray[np.bool_]:
        """Whether FEW_TERMS powers of tau describe an object (n,) to 0.005" over up to a whole block."""
        tail = np.linalg.norm(self.vectors_au[:, FEW_TERMS:], axis=2).sum(axis=1)
        return np.asarray(np.all(tail < _NEGLIGIBLE_RAD * self.distance_au[0], axis=0))

    def blocks_of(self, cells: Cells) -> tuple[IntArray, IntArray]:
        """First and last block (c,) that cells reach into. Raises ValueError where the blocks do not cover
        the cells.
        """
        first = (cells.middle_tt_mjd - cells.half_days - self.start_tt_mjd) / self.block_days
        last = (cells.middle_tt_mjd + cells.half_days - self.start_tt_mjd) / self.block_days
        if cells.n and (first.min() < -1e-6 or last.max() > self.n_blocks + 1e-6):
            end = self.start_tt_mjd + self.n_blocks * self.block_days
            raise ValueError(f"the ephemeris covers TT MJD {self.start_tt_mjd} to {end} only")
        top = self.n_blocks - 1
        return (
            np.clip(np.floor(first + 1e-9), 0, top).astype(np.int64),
            np.clip(np.ceil(last - 1e-9) - 1, 0, top).astype(np.int64),
        )

    def expansion(self, cells: Cells, terms: int) -> Expansion:
        """What takes the coefficients of all objects to powers of tau in cells."""
        first, weights = self._weights(cells, terms, self.vectors_au.shape[1])
        turn = np.stack([np.cos(cells.meridian_rad), np.sin(cells.meridian_rad)])
        return Expansion(self.vectors_au, first, weights, turn)

    def brightness_at(self, objects: IntArray, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Geocentric log10(r delta) and phase angle in radians at instants; objects broadcast against the
        times.

        Always from the blocks themselves: an expansion over a cell would smooth the cusp of the phase angle
        at opposition.
        """
        place = (tt_mjd - self.start_tt_mjd) / self.block_days
        block = np.clip(place.astype(np.int64), 0, self.n_blocks - 1)
        twice = 2.0 * (2.0 * (place - block) - 1.0)
        terms = self.log10_r_delta.shape[1]
        at = block * (terms * self.n) + objects
        both = np.zeros((2, 2, *twice.shape))
        upper, lower = both
        for j in range(terms - 1, 0, -1):
            lower, upper = upper, self._brightness[:, at + j * self.n] + twice * upper - lower
        log10_r_delta, phase = self._brightness[:, at] + 0.5 * twice * upper - lower
        return log10_r_delta, np.abs(phase)

    @cached_property
    def _brightness(self) -> FloatArray:
        return np.stack([self.log10_r_delta.ravel(), self.phase_rad.ravel()])

    def at(self, objects: IntArray, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Vector (k, 3) in CIRS, au, and velocity (k, 3) in au per day, at single instants."""
        place = (tt_mjd - self.start_tt_mjd) / self.block_days
        block = np.clip(place.astype(np.int64), 0, self.n_blocks - 1)
        basis = chebyshev.chebvander(2.0 * (place - block) - 1.0, self.vectors_au.shape[1] - 1)
        slopes = basis @ _derivative(basis.shape[1]) * (2.0 / self.block_days)
        coefficients = self.vectors_au[block, :, :, objects]
        return np.einsum("kj,kjc->kc", basis, coefficients), np.einsum("kj,kjc->kc", slopes, coefficients)

    def _weights(self, cells: Cells, terms: int, n_coef: int) -> tuple[IntArray, FloatArray]:
        """First block (c,) and matrices (c, terms, blocks * n_coef) from its and the next blocks'
        coefficients to powers of tau.
        """
        nodes = chebyshev.chebpts1(terms)
        first, last = self.blocks_of(cells)
        reach = int(np.max(last - first, initial=0)) + 1
        first = np.minimum(first, self.n_blocks - reach)
        place = (cells.tt_mjd(np.arange(cells.n)[:, None], nodes) - self.start_tt_mjd) / self.block_days
        block = np.clip(np.floor(place), first[:, None], first[:, None] + reach - 1).astype(np.int64)
        basis = chebyshev.chebvander(2.0 * (place - block) - 1.0, n_coef - 1)
        evaluate = np.zeros((cells.n, terms, reach, n_coef))
        np.put_along_axis(evaluate, (block - first[:, None])[:, :, None, None], basis[:, :, None, :], axis=2)
        return first, powers_from_nodes(nodes) @ evaluate.reshape(cells.n, terms, reach * n_coef)


@dataclass(frozen=True)
class Expansion:
    """From the Chebyshev coefficients of n objects to powers of tau in c cells.

    coefficients (n_blocks, n_coef, 3, n); first (c,): block in which a cell begins; weights (c, terms, s): from the s
    coefficients of its blocks to the powers; turn (2, c): cosine and sine of the angle of the cell frame.
    """

    coefficients: FloatArray
    first: IntArray
    weights: FloatArray
    turn: FloatArray

    def vectors_au(self, objects: IntArray, cell: IntArray) -> FloatArray:
        """Powers of tau (terms, 3, k) of geocentric vectors in the cell frame, au, for k pairs sorted by cell.

        All cells that begin in one block are expanded at once for all objects that occur there: one product of
        matrices costs less than picking out the pairs that are wanted.
        """
        n_coef, _, n = self.coefficients.shape[1:]
        rows = self.coefficients.reshape(-1, n)
        terms, span = self.weights.shape[1:]
        out = np.empty((terms, 3, objects.size))
        block = self.first[cell]
        bounds = np.flatnonzero(np.diff(block, prepend=-1, append=-1)) if cell.size else np.empty(0, dtype=np.int64)
        for begin, end in itertools.pairwise(bounds.tolist()):
            pairs = slice(begin, end)
            low, high, start = int(cell[begin]), int(cell[end - 1]) + 1, 3 * n_coef * int(block[begin])
            wanted = np.zeros(n, dtype=bool)
            wanted[objects[pairs]] = True
            chosen = np.flatnonzero(wanted)
            columns = rows[start : start + 3 * span].take(chosen, axis=1).reshape(span, -1)
            grid = self.weights[low:high].transpose(1, 0, 2).reshape(-1, span) @ columns
            grid = grid.reshape(terms, -1)
            place = (cell[pairs] - low) * (3 * chosen.size) + (np.cumsum(wanted) - 1)[objects[pairs]]
            for component in range(3):
                out[:, component, pairs] = grid.take(place + component * chosen.size, axis=1)
        (cos, sin), x, y = self.turn.take(cell, axis=1), out[:, 0], out[:, 1]
        out[:, 0], out[:, 1] = cos * x + sin * y, cos * y - sin * x
        return out


def alike(blocks: EphemerisBlocks) -> Iterator[tuple[IntArray, Series, int, bool]]:
    """Targets that are computed alike: which (indices), their series, powers of tau to keep, and whether they
    are near.
    """
    series = Series.of(blocks)
    n_coef = series.vectors_au.shape[1]
    few, near = series.few_terms & (n_coef > FEW_TERMS), series.near
    for members, terms, is_near in (
        (np.flatnonzero(few & ~near), FEW_TERMS, False),
        (np.flatnonzero(~few & ~near), n_coef, False),
        (np.flatnonzero(near), n_coef, True),
    ):
        if members.size == blocks.n:
            yield members, series, terms, is_near
        elif members.size:
            yield members, Series.of(blocks.take(members)), terms, is_near


def light_time_corrected(vectors_au: FloatArray, cells: Cells, cell: IntArray) -> FloatArray:
    """Vectors of near objects (terms, 3, k) as seen at the site itself; pairs sorted in any order.

    Two small things that grow as 1/distance: the length that aberration gives a vector (see
    `sun_moon.lengthened_by_aberration`), and that light reaches the site earlier or later than the Earth's
    centre, by up to 21 ms, in which the object moves 0.4 km: together 0.4" at the distance of the Moon.
    """
    terms = vectors_au.shape[0]
    nodes = chebyshev.chebpts1(terms)
    powers = np.vander(nodes, terms, increasing=True)
    at_nodes = np.einsum("mt,tck->mck", powers, vectors_au)
    slopes = np.einsum("mt,tck->mck", powers[:, :-1], vectors_au[1:] * np.arange(1.0, terms)[:, None, None])
    velocity = slopes / cells.half_days[cell]
    angle = nodes[:, None] * cells.turn_rad[cell]
    site = np.moveaxis(turn_about_z(cells.position_au[:, cell].T, angle), -1, 1)
    corrected = at_site_light_time(at_nodes, velocity, site, cells.earth_velocity_au_d[:, cell])
    return np.asarray(np.einsum("tm,mck->tck", powers_from_nodes(nodes), corrected))


def at_site_light_time(
    vectors_au: FloatArray, velocity_au_d: FloatArray, site_au: FloatArray, earth_velocity_au_d: FloatArray
) -> FloatArray:
    """The same for vectors (..., 3, k) at single instants, all in one frame: what is left is to subtract the
    site's position.
    """
    unit = vectors_au / np.linalg.norm(vectors_au, axis=-2, keepdims=True)
    early_days = np.sum(site_au * unit, axis=-2, keepdims=True) / LIGHT_AU_PER_DAY
    along = np.sum(earth_velocity_au_d * unit, axis=-2, keepdims=True) / LIGHT_AU_PER_DAY
    return np.asarray(vectors_au * (1.0 + along) + velocity_au_d * early_days)


_MIDDLE = chebyshev.chebvander(0.0, 63)[0]  # T_j(0): 1, 0, -1, 0, 1, ...


@functools.cache
def _derivative(terms: int) -> FloatArray:
    """Matrix (terms, terms) that takes values of Chebyshev polynomials to their derivatives, when multiplied
    from the right.
    """
    matrix = np.zeros((terms, terms))
    matrix[:-1] = chebyshev.chebder(np.eye(terms))
    return matrix


def _excursion(sizes: FloatArray) -> FloatArray:
    """Bound (n_blocks, n) of the distance between a series' value and its value at the middle, from
    coefficient sizes.
    """
    factor = 1.0 + np.abs(_MIDDLE[: sizes.shape[1]])
    factor[0] = 0.0
    return np.asarray(np.einsum("k,bkn->bn", factor, sizes))


def _angle(across: FloatArray, distance: FloatArray) -> FloatArray:
    """Largest angle by which a shift of length `across` can turn a vector that is at least `distance` long;
    pi if any.
    """
    ratio = across / np.maximum(distance, 1e-30)
    return np.where(ratio < 1.0, np.arcsin(np.minimum(ratio, 1.0)), np.pi)
