"""What the window search takes: apparent geocentric places as short Chebyshev series.

All blocks of one `EphemerisBlocks` have the same length; objects are grouped by the length that they need. A
value at TT t in block k is sum_j c_j T_j(s) with s = 2 (t - start) / block_days - 2 k - 1 in [-1, 1].
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray

from targets.orbits.photometry import joined_slopes, phase_dimming_mag, slopes_of

FloatArray = NDArray[np.float64]

_HEADER = struct.Struct("<HHHIdddddd")  # version, n_coef, n_coef_v, n_blocks, start, block_days, h, g, g1, g2
_VERSION = 2


@dataclass(frozen=True)
class EphemerisBlocks:
    """Apparent geocentric places of n objects as Chebyshev series over equal blocks of TT.

    `cirs_au` is the apparent geocentric vector in the Celestial Intermediate Reference System: light time, annual
    aberration and bias-precession-nutation (CIO based, IAU 2006/2000A, without dX, dY) are applied before the fit.
    Its length is the true distance at the light time, which `distance_au` holds too, in fewer operations.
    V = h_mag + 5 log10_r_delta + `phase_dimming_mag`(phase_rad, g), as seen from the geocentre. Of a comet h_mag is M1,
    and log10 r counts K1 / 5 times in log10_r_delta.
    """

    start_tt_mjd: float  # start of block 0
    block_days: float  # 1.0, or 2**-k for objects that are near
    cirs_au: FloatArray  # (n, n_blocks, n_coef, 3)
    distance_au: FloatArray  # (n, n_blocks, n_coef_v)
    log10_r_delta: FloatArray  # (n, n_blocks, n_coef_v), r and delta in au
    phase_rad: FloatArray  # (n, n_blocks, n_coef_v)
    h_mag: FloatArray  # (n,) NaN = unknown
    g: NDArray[Any]  # (n,) G, or slopes of several systems (photometry.SLOPES)

    @property
    def n(self) -> int:
        """Number of objects."""
        return self.cirs_au.shape[0]

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return self.cirs_au.shape[1]

    @property
    def end_tt_mjd(self) -> float:
        """End of the last block."""
        return self.start_tt_mjd + self.n_blocks * self.block_days

    def take(self, index: ArrayLike) -> EphemerisBlocks:
        """The objects at `index` (integers or a boolean mask), in that order."""
        chosen = np.arange(self.n)[np.asarray(index)]
        return replace(
            self,
            cirs_au=self.cirs_au[chosen],
            distance_au=self.distance_au[chosen],
            log10_r_delta=self.log10_r_delta[chosen],
            phase_rad=self.phase_rad[chosen],
            h_mag=self.h_mag[chosen],
            g=self.g[chosen],
        )

    def _slice(self, first: int, last: int) -> EphemerisBlocks:
        return replace(
            self,
            start_tt_mjd=self.start_tt_mjd + first * self.block_days,
            cirs_au=self.cirs_au[:, first:last],
            distance_au=self.distance_au[:, first:last],
            log10_r_delta=self.log10_r_delta[:, first:last],
            phase_rad=self.phase_rad[:, first:last],
        )

    def covering(self, start_tt_mjd: float, end_tt_mjd: float) -> EphemerisBlocks:
        """The fewest blocks that cover [start, end]. Raises ValueError where the blocks do not reach so far."""
        first = int(np.floor((start_tt_mjd - self.start_tt_mjd) / self.block_days))
        last = int(np.ceil((end_tt_mjd - self.start_tt_mjd) / self.block_days))
        if first < 0 or last > self.n_blocks or first >= last:
            raise ValueError(
                f"TT MJD {start_tt_mjd} to {end_tt_mjd} is not within the blocks' span of "
                f"{self.start_tt_mjd} to {self.end_tt_mjd}"
            )
        return self._slice(first, last)

    def followed_by(self, later: EphemerisBlocks) -> EphemerisBlocks:
        """These blocks and `later` of the same objects, whose start must be this end: the horizon rolls on."""
        if later.block_days != self.block_days or abs(later.start_tt_mjd - self.end_tt_mjd) > 1e-9:
            raise ValueError("blocks can be joined only where they meet and are of equal length")
        if later.cirs_au.shape[2] != self.cirs_au.shape[2] or later.n != self.n:
            raise ValueError("blocks can be joined only for the same objects and the same number of coefficients")
        return replace(
            self,
            cirs_au=np.concatenate([self.cirs_au, later.cirs_au], axis=1),
            distance_au=np.concatenate([self.distance_au, later.distance_au], axis=1),
            log10_r_delta=np.concatenate([self.log10_r_delta, later.log10_r_delta], axis=1),
            phase_rad=np.concatenate([self.phase_rad, later.phase_rad], axis=1),
        )

    @staticmethod
    def stack(parts: Sequence[EphemerisBlocks]) -> EphemerisBlocks:
        """The objects of several blocks of the same span, length and number of coefficients, in order."""
        first = parts[0]
        if any((p.start_tt_mjd, p.block_days) != (first.start_tt_mjd, first.block_days) for p in parts):
            raise ValueError("only blocks of the same start and length can be stacked")
        return replace(
            first,
            cirs_au=np.concatenate([p.cirs_au for p in parts]),
            distance_au=np.concatenate([p.distance_au for p in parts]),
            log10_r_delta=np.concatenate([p.log10_r_delta for p in parts]),
            phase_rad=np.concatenate([p.phase_rad for p in parts]),
            h_mag=np.concatenate([p.h_mag for p in parts]),
            g=joined_slopes([p.g for p in parts]),
        )

    def evaluate(self, tt_mjd: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """At common times (n_t,): CIRS vector (n, n_t, 3) in au, distance in au, geocentric V and phase in
        rad (n, n_t).

        Raises ValueError for times outside the blocks.
        """
        t = np.atleast_1d(np.asarray(tt_mjd, dtype=float))
        place = (t - self.start_tt_mjd) / self.block_days
        if t.size and (place.min() < -1e-9 or place.max() > self.n_blocks + 1e-9):
            raise ValueError(f"times outside the blocks' span of TT MJD {self.start_tt_mjd} to {self.end_tt_mjd}")
        block = np.clip(np.floor(place).astype(int), 0, self.n_blocks - 1)
        s = 2.0 * (place - block) - 1.0
        basis = chebyshev.chebvander(s, self.cirs_au.shape[2] - 1)
        basis_v = chebyshev.chebvander(s, self.distance_au.shape[2] - 1)
        cirs = np.einsum("tk,ntkc->ntc", basis, self.cirs_au[:, block])
        distance, log10_r_delta, phase = (
            np.einsum("tk,ntk->nt", basis_v, series[:, block])
            for series in (self.distance_au, self.log10_r_delta, self.phase_rad)
        )
        phase = np.abs(phase)
        v_mag = self.h_mag[:, None] + 5.0 * log10_r_delta + phase_dimming_mag(phase, self.g[:, None])
        return cirs, distance, v_mag, phase

    def _slopes_of(self, i: int) -> tuple[float, float, float]:
        if self.g.dtype.names is None:
            return float(self.g[i]), np.nan, np.nan
        g, g1, g2 = self.g[i]
        return float(g), float(g1), float(g2)

    def to_bytes(self, i: int) -> bytes:
        """Object `i` for storage: a small header and little-endian doubles."""
        header = _HEADER.pack(
            _VERSION,
            self.cirs_au.shape[2],
            self.distance_au.shape[2],
            self.n_blocks,
            self.start_tt_mjd,
            self.block_days,
            float(self.h_mag[i]),
            *self._slopes_of(i),
        )
        series = (self.cirs_au, self.distance_au, self.log10_r_delta, self.phase_rad)
        return header + b"".join(values[i].astype("<f8").tobytes() for values in series)

    @classmethod
    def from_bytes(cls, stored: bytes) -> EphemerisBlocks:
        """One object as `to_bytes` stored it. Raises ValueError for bytes of another format."""
        if len(stored) < _HEADER.size or stored[:2] != struct.pack("<H", _VERSION):
            raise ValueError("these bytes are no ephemeris blocks of this version")
        _, n_coef, n_coef_v, n_blocks, start, block_days, h, *slopes = _HEADER.unpack_from(stored)
        values = np.frombuffer(stored, dtype="<f8", offset=_HEADER.size).astype(float)
        n_cirs, n_v = n_blocks * n_coef * 3, n_blocks * n_coef_v
        if values.size != n_cirs + 3 * n_v:
            raise ValueError("ephemeris blocks are cut short")
        cirs, distance, brightness, phase = np.split(values, [n_cirs, n_cirs + n_v, n_cirs + 2 * n_v])
        shape = (1, n_blocks, n_coef_v)
        return cls(
            start,
            block_days,
            cirs.reshape(1, n_blocks, n_coef, 3),
            distance.reshape(shape),
            brightness.reshape(shape),
            phase.reshape(shape),
            np.array([h]),
            slopes_of([slopes[0]], [slopes[1]], [slopes[2]], [np.isnan(slopes).all()]),
        )
