"""Dense output of the propagator: barycentric positions and velocities at any time of a span."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from targets.orbits import collocation
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import SUN, Planets, SpanError, iso_day

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LIGHT_DAYS = 1.0  # output reaches this much before the start: light from 170 au arrives within the span
_GRACE_DAYS = 1e-6  # for roundings


@dataclass(frozen=True)
class Piece:
    """One accepted step of some objects: Legendre series of their barycentric positions."""

    start_tdb_mjd: float
    length_days: float  # negative where the step was made backwards
    index: IntArray  # (m,) which objects
    series: FloatArray  # (3, 18, m), au

    @property
    def first_tdb_mjd(self) -> float:
        return min(self.start_tdb_mjd, self.start_tdb_mjd + self.length_days)

    @property
    def last_tdb_mjd(self) -> float:
        return max(self.start_tdb_mjd, self.start_tdb_mjd + self.length_days)


class Trajectory:
    """Paths of the n objects of a batch over [start, end] TDB, and a day before for the light that arrives at
    the start.

    Times are given as MJD of TDB, either (n_t,) common to all objects or (n, n_t), one row per object;
    positions come as (n, n_t, 3) barycentric ICRF in au, velocities in au/d. Times outside the span raise
    `SpanError`.
    """

    def __init__(
        self, batch: OrbitBatch, planets: Planets, start_tdb_mjd: float, end_tdb_mjd: float, pieces: list[Piece]
    ) -> None:
        self.batch, self.planets = batch, planets
        self.start_tdb_mjd, self.end_tdb_mjd = start_tdb_mjd, end_tdb_mjd
        self.pieces = sorted(pieces, key=lambda piece: piece.first_tdb_mjd)

    @property
    def n(self) -> int:
        """Number of objects."""
        return len(self.batch)

    def take(self, index: ArrayLike) -> Trajectory:
        """The trajectory of some of the objects: integers, ascending or in any order, without repeats."""
        chosen = np.arange(self.n)[np.asarray(index)]
        place = np.full(self.n, -1)
        place[chosen] = np.arange(chosen.size)
        pieces = []
        for piece in self.pieces:
            members = place[piece.index] >= 0
            if members.any():
                pieces.append(replace(piece, index=place[piece.index[members]], series=piece.series[..., members]))
        return Trajectory(self.batch.take(chosen), self.planets, self.start_tdb_mjd, self.end_tdb_mjd, pieces)

    def position(self, tdb_mjd: ArrayLike) -> FloatArray:
        """Barycentric ICRF positions in au, (n, n_t, 3)."""
        times = self._checked(tdb_mjd)
        if times.ndim == 1:
            return np.ascontiguousarray(self._common(times, 1)[0].transpose(2, 1, 0))
        return self._own(times, derivative=0)

    def velocity(self, tdb_mjd: ArrayLike) -> FloatArray:
        """Barycentric ICRF velocities in au/d, (n, n_t, 3)."""
        times = self._checked(tdb_mjd)
        if times.ndim == 1:
            return np.ascontiguousarray(self._common(times, 2)[1].transpose(2, 1, 0))
        return self._own(times, derivative=1)

    def by_time(self, tdb_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Positions and velocities of all objects at common times (n_t,), each (3, n_t, n), for fast loops."""
        position, velocity = self._common(self._checked(tdb_mjd), 2)
        return position, velocity

    def state_at(self, tdb_mjd: float) -> FloatArray:
        """Heliocentric ICRF states (n, 6) in au and au/d: what `OrbitBatch.from_state` takes to continue from here."""
        sun = np.concatenate(self.planets.state(SUN, tdb_mjd))
        at = np.array([tdb_mjd])
        return np.concatenate([self.position(at)[:, 0], self.velocity(at)[:, 0]], axis=1) - sun

    def batch_at(self, tdb_mjd: float) -> OrbitBatch:
        """The same objects with their osculating states at another epoch."""
        return replace(self.batch, epoch_tdb_mjd=np.full(self.n, tdb_mjd), state=self.state_at(tdb_mjd))

    def _checked(self, tdb_mjd: ArrayLike) -> FloatArray:
        times = np.atleast_1d(np.asarray(tdb_mjd, dtype=float))
        earliest, latest = self.start_tdb_mjd - LIGHT_DAYS - _GRACE_DAYS, self.end_tdb_mjd + _GRACE_DAYS
        if times.size and not (earliest <= times.min() and times.max() <= latest):
            raise SpanError(
                f"{iso_day(times.min())} to {iso_day(times.max())} is not within the trajectory's span: "
                f"{iso_day(self.start_tdb_mjd)} to {iso_day(self.end_tdb_mjd)} (TDB)"
            )
        return times

    def _common(self, times: FloatArray, n_derivatives: int) -> list[FloatArray]:
        """All objects at the same times, by matrix products: [position] or [position, velocity], each (3, n_t, n)."""
        order = np.argsort(times, kind="stable")
        ordered = times[order]
        values = [np.full((3, times.size, self.n), np.nan) for _ in range(n_derivatives)]
        weights: dict[tuple[float, float, int], FloatArray] = {}  # shared by the pieces of one step
        for piece in self._pieces_within(times):
            lo = np.searchsorted(ordered, piece.first_tdb_mjd, side="left")
            hi = np.searchsorted(ordered, piece.last_tdb_mjd, side="right")
            if lo == hi:
                continue
            for derivative, target in enumerate(values):
                step = (piece.start_tdb_mjd, piece.length_days, derivative)
                if step not in weights:
                    weights[step] = _weights(piece, ordered[lo:hi], derivative)
                target[:, order[lo:hi][:, None], piece.index] = weights[step] @ piece.series
        return values

    def _own(self, times: FloatArray, derivative: int) -> FloatArray:
        """Each object at its own times (n, n_t)."""
        times = np.broadcast_to(times, (self.n, times.shape[1]))
        who = np.repeat(np.arange(self.n), times.shape[1])
        return self._pairs(who, times.ravel(), derivative).reshape(*times.shape, 3)

    def at_pairs(self, who: IntArray, tdb_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Positions and velocities (k, 3) of object `who[j]` at its time j, for k pairs."""
        times = self._checked(tdb_mjd)
        return self._pairs(who, times, 0), self._pairs(who, times, 1)

    def _pairs(self, who: IntArray, times: FloatArray, derivative: int) -> FloatArray:
        values = np.full((who.size, 3), np.nan)
        member = np.empty(self.n, dtype=np.int64)
        for piece in self._pieces_within(times):
            member[:] = -1
            member[piece.index] = np.arange(piece.index.size)
            inside = (times >= piece.first_tdb_mjd) & (times <= piece.last_tdb_mjd) & (member[who] >= 0)
            here = np.flatnonzero(inside)
            if here.size:
                weights = _weights(piece, times[here], derivative)
                values[here] = np.einsum("mk,ckm->mc", weights, piece.series[:, :, member[who[here]]])
        return values

    def _pieces_within(self, times: FloatArray) -> list[Piece]:
        if times.size == 0:
            return []
        first, last = times.min(), times.max()
        return [piece for piece in self.pieces if piece.first_tdb_mjd <= last and piece.last_tdb_mjd >= first]


def _weights(piece: Piece, times: FloatArray, derivative: int) -> FloatArray:
    """What the piece's series is multiplied with for the values, or rates, at the times: (n_t, 18)."""
    tau = (times - piece.start_tdb_mjd) / piece.length_days
    if derivative:
        return collocation.basis(tau, collocation.N_SERIES - 1) @ collocation.DERIVATIVE / piece.length_days
    return collocation.basis(tau)
