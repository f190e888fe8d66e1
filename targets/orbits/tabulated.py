"""Paths given by a table of states, such as JPL Horizons' vectors, in the form that the propagator gives its own.

Between two rows the path is the polynomial of degree 7 that has the positions and velocities of these and of the rows
beside them (Hermite). How good that is, is measured: every second row is left out and predicted by the others, twice
as far apart, where the error is some 250 times what it is between the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from targets.orbits import collocation
from targets.orbits.planets import EARTH, SUN, Planets
from targets.orbits.trajectory import Piece

FloatArray = NDArray[np.float64]

_ROWS = 4  # that a polynomial is made from, with position and velocity each
_DEGREE = 2 * _ROWS - 1
LEAST_ROWS = 2 * _ROWS - 1  # of which every second still makes a path
_OFF_AU = 1e-11  # 1.5 m, by which the series of a piece may miss the path: what rounded times make of the rows
_ARCSEC = np.radians(1.0 / 3600.0)
_x, _w = legendre.leggauss(collocation.N_SERIES + 6)  # more nodes than coefficients: what is left out shows
_NODES: FloatArray = 0.5 * (_x + 1.0)
_BASIS = collocation.basis(_NODES)
_TO_SERIES = (_BASIS * _w[:, None]).T * (np.arange(collocation.N_SERIES) + 0.5)[:, None]
_STORED = np.dtype("<f8")


@dataclass(frozen=True, eq=False)
class StateTable:
    """Heliocentric ICRF states at ascending times, and 1-sigma errors on the sky where they were given too.

    Raises ValueError for times that do not ascend, fewer than `LEAST_ROWS` rows, and numbers that are not finite.
    """

    tdb_mjd: FloatArray  # (n,)
    state: FloatArray  # (n, 6) au and au/d
    sigma_tdb_mjd: FloatArray = field(default_factory=lambda: np.empty(0))  # (m,) ascending
    sigma_arcsec: FloatArray = field(default_factory=lambda: np.empty(0))  # (m,) radius of a circle on the sky
    solution: str = ""  # of the orbit behind it, as its source calls it

    def __post_init__(self) -> None:
        n, m = self.tdb_mjd.size, self.sigma_tdb_mjd.size
        if n < LEAST_ROWS or self.state.shape != (n, 6) or self.sigma_arcsec.shape != (m,):
            raise ValueError(f"a table of {n} times, {self.state.shape} states and {m} errors is none to interpolate")
        if (np.diff(self.tdb_mjd) <= 0.0).any() or (np.diff(self.sigma_tdb_mjd) <= 0.0).any():
            raise ValueError("the times of a table do not ascend")
        if not (np.isfinite(self.state).all() and np.isfinite(self.sigma_arcsec).all()):
            raise ValueError("a table holds numbers that are not finite")

    def covers(self, start_tdb_mjd: float, end_tdb_mjd: float) -> bool:
        """Whether the path is known over all of [start, end]."""
        return bool(self.tdb_mjd[0] <= start_tdb_mjd and end_tdb_mjd <= self.tdb_mjd[-1])

    def sigma_at(self, tdb_mjd: FloatArray) -> FloatArray:
        """1-sigma on the sky in arcsec (n_t,): linear between those given, NaN without any."""
        if not self.sigma_arcsec.size:
            return np.full(tdb_mjd.shape, np.nan)
        return np.asarray(np.interp(tdb_mjd, self.sigma_tdb_mjd, self.sigma_arcsec))

    @property
    def middle(self) -> tuple[float, FloatArray]:
        """Time and state (6,) of the row in the middle."""
        k = self.tdb_mjd.size // 2
        return float(self.tdb_mjd[k]), self.state[k]

    def pieces(self, index: int, planets: Planets) -> list[Piece]:
        """The barycentric path as pieces of a trajectory in which the object has the number `index`: as long as their
        series describe it.
        """
        sun = np.concatenate(planets.state(SUN, self.tdb_mjd), axis=1)
        path = _Path(self.tdb_mjd, self.state + sun)
        shortest = float(np.diff(self.tdb_mjd).min())
        found, left = [], [(float(self.tdb_mjd[0]), float(self.tdb_mjd[-1]))]
        while left:
            start, end = left.pop()
            values = path.position(start + (end - start) * _NODES)
            series = _TO_SERIES @ values
            if end - start <= shortest or np.abs(_BASIS @ series - values).max() < _OFF_AU:
                found.append(Piece(start, end - start, np.array([index]), series.T[..., None]))
            else:
                middle = 0.5 * (start + end)
                left += [(start, middle), (middle, end)]
        return found

    def error_arcsec(self, planets: Planets) -> float:
        """The largest error, as seen from the Earth's centre, with which every second row predicts those between."""
        times = self.tdb_mjd
        kept = slice(None, None, 2)
        left_out = np.arange(1, times[kept].size * 2 - 2, 2)
        predicted = _Path(times[kept], self.state[kept]).position(times[left_out])
        off = np.linalg.norm(predicted - self.state[left_out, :3], axis=1)
        earth = planets.position(EARTH, times[left_out]) - planets.position(SUN, times[left_out])
        distance = np.linalg.norm(self.state[left_out, :3] - earth, axis=1)
        return float((off / distance).max() / _ARCSEC)

    def rows_to_bytes(self) -> bytes:
        """Times and states for storage: little-endian doubles, seven a row."""
        return np.column_stack([self.tdb_mjd, self.state]).astype(_STORED).tobytes()

    @classmethod
    def from_bytes(
        cls, rows: bytes, sigma_tdb_mjd: FloatArray, sigma_arcsec: FloatArray, solution: str = ""
    ) -> StateTable:
        """As `rows_to_bytes` stored it. Raises ValueError for other bytes."""
        values = np.frombuffer(rows, dtype=_STORED).astype(float).reshape(-1, 7)
        return cls(values[:, 0].copy(), values[:, 1:].copy(), sigma_tdb_mjd, sigma_arcsec, solution)


class _Path:
    """Positions between the rows (n,) of states (n, 6)."""

    def __init__(self, times: FloatArray, state: FloatArray) -> None:
        self._times, self._length = times, np.diff(times)
        n = times.size
        first = np.clip(np.arange(n - 1) - (_ROWS // 2 - 1), 0, n - _ROWS)
        rows = first[:, None] + np.arange(_ROWS)  # (n - 1, 4) for each of the gaps
        length = self._length[:, None]
        x = 2.0 * (times[rows] - times[:-1, None]) / length - 1.0
        values = legendre.legvander(x, _DEGREE)
        slopes = legendre.legvander(x, _DEGREE - 1) @ legendre.legder(np.eye(_DEGREE + 1), axis=0)
        known = np.concatenate([state[rows, :3], state[rows, 3:] * (0.5 * length)[..., None]], axis=1)
        self._series = np.linalg.solve(np.concatenate([values, slopes], axis=1), known)  # (n - 1, 8, 3)

    def position(self, times: FloatArray) -> FloatArray:
        """(n_t, 3), at times within the rows."""
        gap = np.clip(np.searchsorted(self._times, times, side="right") - 1, 0, self._length.size - 1)
        basis = collocation.basis((times - self._times[gap]) / self._length[gap], _DEGREE + 1)
        return np.asarray(np.einsum("tk,tkc->tc", basis, self._series[gap]))
