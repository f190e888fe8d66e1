"""N-body propagation of thousands of orbits at once.

Time is cut into segments of 16 days on a grid that all objects share (multiples of 16 in MJD of TDB), so the
planets are tabulated once for the whole batch. A segment is halved, for those objects only that need it,
until the acceleration is well represented. Every object goes from its own epoch to the grid first, then along
the grid forwards or backwards; dense output is kept only for the segments that were asked for.

Positions agree with those of JPL to metres after a year; steps add some centimetres.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from targets.orbits import collocation
from targets.orbits.elements import OrbitBatch
from targets.orbits.forces import PlanetTable, inside_the_earth, perturbations, sun_gravity
from targets.orbits.planets import MARGIN_DAYS, SUN, Planets
from targets.orbits.trajectory import LIGHT_DAYS, Piece, Trajectory

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SEGMENT_DAYS = 16.0
CHUNK = 256  # objects that one attempt works on: its arrays then stay in the processor's cache
FEW = 64  # objects: a step with fewer costs hardly less than with so many
MAX_LEVEL = 15  # halvings: steps of 42 s, reached only inside a planet
TAIL_AU = 1e-10  # last Legendre coefficients of the acceleration x step^2: halve above (5 mm in dense output)
COARSEN_AU = TAIL_AU / 2.0**14  # two steps in one will very likely do
SETTLED_AU = 1e-14  # by how much one more Picard iteration would move a position
UNMOVED_AU = 2e-14  # by how much one more evaluation of the perturbers would
_MAX_ROUNDS = 5  # further evaluations of the perturbers
_MAX_ITERATIONS = 12  # of the Sun's pull, in each round
_APPROACH, _APPROACH_FROM_GUESS = 4, 2  # of these, before the perturbers are evaluated
_CHECKED = slice(None, None, -5)  # nodes at which changes are looked for: they grow towards the end of a step
_TERMS_AHEAD = 13  # of the series of an acceleration that is extrapolated: further ones are mostly noise there
_TABLE_STEPS = 16  # steps whose planets are tabulated together
_TINY_AU = 1e-20
_IMPACT_LEVEL = 6  # steps of 6 h: what meets the Earth is taken through it in finer ones
_NEVER = np.int64(-99)


@functools.lru_cache(maxsize=96)  # of 200 kB: all that a year at a few levels asks for
def _tabulated(planets: Planets, level: int, group: int) -> PlanetTable:
    """Planets at the nodes of _TABLE_STEPS steps of the dyadic grid; kept, as the next batch asks for the same."""
    days = SEGMENT_DAYS / 2.0**level
    starts = (group * _TABLE_STEPS + np.arange(_TABLE_STEPS)) * days
    times = (starts[:, None] + days * collocation.NODES).ravel()
    first, last = planets.span_tdb_mjd
    # Steps of this group that lie beyond the kernel are never asked for.
    times = np.clip(times, first - MARGIN_DAYS, last + MARGIN_DAYS)
    return PlanetTable.at(times[:, None], planets)


@functools.lru_cache(maxsize=64)
def _table_of(planets: Planets, start_tdb_mjd: float, length_days: float) -> PlanetTable:
    """Planets at the nodes of one step that several objects share, kept as `_tabulated` is."""
    return PlanetTable.at(start_tdb_mjd + collocation.NODES[:, None] * length_days, planets)


@dataclass(frozen=True)
class _GridStep:
    """A step of the shared grid: 16 d / 2^level long, with the same times for all objects."""

    planets: Planets
    level: int
    number: int
    backward: bool
    dense: bool

    @property
    def length_days(self) -> float:
        days = SEGMENT_DAYS / 2.0**self.level
        return -days if self.backward else days

    @property
    def start_tdb_mjd(self) -> float:
        return (self.number + self.backward) * abs(self.length_days)

    def table(self) -> PlanetTable:
        group, place = divmod(self.number, _TABLE_STEPS)
        return _tabulated(self.planets, self.level, group).step(place, self.backward)

    def of(self, chosen: IntArray | NDArray[np.bool_]) -> _GridStep:
        return self

    def halves(self) -> tuple[_GridStep, _GridStep]:
        first, second = (
            _GridStep(self.planets, self.level + 1, 2 * self.number + half, self.backward, self.dense)
            for half in ((1, 0) if self.backward else (0, 1))
        )
        return first, second


@dataclass(frozen=True)
class _OwnStep:
    """A step with times of its own for every object: from its epoch towards the grid. Never dense."""

    planets: Planets
    start_tdb_mjd: FloatArray  # (n,)
    length_days: FloatArray  # (n,)
    level: int = 0

    def table(self) -> PlanetTable:
        starts, lengths = self.start_tdb_mjd, self.length_days
        if np.all(starts == starts[0]) and np.all(lengths == lengths[0]):  # most orbits have the catalogue's epoch
            return _table_of(self.planets, float(starts[0]), float(lengths[0]))
        return PlanetTable.at(starts + collocation.NODES[:, None] * lengths, self.planets)

    def of(self, chosen: IntArray | NDArray[np.bool_]) -> _OwnStep:
        return _OwnStep(self.planets, self.start_tdb_mjd[chosen], self.length_days[chosen], self.level)

    def halves(self) -> tuple[_OwnStep, _OwnStep]:
        half = 0.5 * self.length_days
        return (
            _OwnStep(self.planets, self.start_tdb_mjd, half, self.level + 1),
            _OwnStep(self.planets, self.start_tdb_mjd + half, half, self.level + 1),
        )


@dataclass(frozen=True)
class _Solution:
    """A step solved for m objects, and whether well enough.

    forces (2, 3, 16, m): accelerations at the nodes, then the same without the Sun's pull, which are a hundred times
    more even and so can be continued better.
    """

    forces: FloatArray
    tail_au: FloatArray  # (m,)
    settled: NDArray[np.bool_]  # (m,)

    def of(self, chosen: NDArray[np.bool_]) -> _Solution:
        return _Solution(self.forces[..., chosen], self.tail_au[chosen], self.settled[chosen])


def _solve(
    position: FloatArray,
    velocity: FloatArray,
    length: float | FloatArray,
    table: PlanetTable,
    guess: FloatArray | None,
    nongrav: FloatArray | None,
    worst_tail_au: float,
    rounds: int = _MAX_ROUNDS,
) -> _Solution:
    """Picard iteration on one step for positions and velocities (3, m) at its start.

    The Sun's pull changes most from one iteration to the next and costs least, so it is iterated alone, and
    the perturbers are evaluated again only for those objects for which that would still move something. `guess`
    (2, 3, 16, m) are first forces, as those of a `_Solution`. What has a larger tail than `worst_tail_au` is left
    as it is, for the step will be halved.
    """
    h2 = np.square(length)
    drift = position[:, None] + velocity[:, None] * (collocation.NODES[:, None] * length)
    if guess is None:
        where, others = drift, np.zeros_like(drift)
    else:
        where, others = drift + h2 * (collocation.POSITION_AT_NODES @ guess[0]), guess[1]

    def pulled(current: FloatArray) -> tuple[FloatArray, FloatArray]:
        """One iteration of the Sun's pull: accelerations, and the positions that follow from them."""
        acceleration = sun_gravity(current, table)
        acceleration += others
        better = collocation.POSITION_AT_NODES @ acceleration
        better *= h2
        better += drift
        return acceleration, better

    for _ in range(_APPROACH if guess is None else _APPROACH_FROM_GUESS):
        acceleration, where = pulled(where)
    speed = velocity[:, None] + length * (collocation.VELOCITY_AT_NODES[collocation.SPARSE] @ acceleration)
    others, steepness, even = perturbations(where, speed, table, nongrav)
    seen_at, change = where, np.zeros(position.shape[1])
    for _ in range(_MAX_ITERATIONS):
        before, at = change, where
        acceleration, where = pulled(at)
        change = _largest(where[:, _CHECKED] - at[:, _CHECKED])
        ahead = change * np.minimum(change / (before + _TINY_AU), 1.0)  # changes shrink faster and faster
        if ahead.max() < SETTLED_AU:
            break
    tail = h2 * np.maximum(
        _largest(collocation.TO_LEGENDRE[-2:] @ acceleration),
        _largest(collocation.SPARSE_TO_LEGENDRE[-1:] @ even),
    )
    moved = h2 * steepness * _largest(where[:, _CHECKED] - seen_at[:, _CHECKED])
    settled = (moved < UNMOVED_AU) & (ahead < 10.0 * SETTLED_AU)
    solution = _Solution(np.stack([acceleration, others]), tail, settled)
    if rounds and (late := np.flatnonzero(~settled & (tail < worst_tail_au))).size:
        own_length = length[late] if isinstance(length, np.ndarray) else length
        own_nongrav = None if nongrav is None else nongrav[:, late]
        state = position[:, late], velocity[:, late]
        more = _solve(
            *state, own_length, table.of(late), solution.forces[..., late], own_nongrav, worst_tail_au, rounds - 1
        )
        solution.forces[..., late], tail[late], settled[late] = more.forces, more.tail_au, more.settled
    return solution


def _largest(values: FloatArray) -> FloatArray:
    """Largest absolute component (m,) of (3, k, m)."""
    return np.asarray(np.abs(values).reshape(-1, values.shape[2]).max(axis=0))


class _Sweep:
    """Objects on their way along the grid in one direction."""

    def __init__(self, batch: OrbitBatch, planets: Planets, backward: bool) -> None:
        n = len(batch)
        self.planets, self.backward = planets, backward
        self.nongrav = np.ascontiguousarray(batch.nongrav.T) if np.any(batch.nongrav) else None
        self.position, self.velocity = np.empty((3, n)), np.empty((3, n))
        self.last = np.empty((2, 3, collocation.N_NODES, n))  # forces of the last accepted step ...
        self.last_level = np.full(n, _NEVER)  # ... and its level
        self.level = np.zeros(n, dtype=np.int64)  # at which to try the next segment
        self._coarsest = np.zeros(n, dtype=np.int64)
        self._worst_au = np.zeros(n)
        self.pieces: list[Piece] = []
        self.impacted = np.zeros(n, dtype=bool)  # noticed in steps that are not kept

    def segment(self, index: IntArray, number: int, dense: bool) -> None:
        """Take the objects through the whole segment `number`."""
        self._coarsest[index] = MAX_LEVEL
        self._worst_au[index] = 0.0
        levels = _merged(self.level[index])
        for level in np.unique(levels).tolist():
            group = index[levels == level]
            count = 2**level
            numbers = range(number * count, (number + 1) * count)
            for k in reversed(numbers) if self.backward else numbers:
                self.advance(group, _GridStep(self.planets, level, k, self.backward, dense))
        easy = self._worst_au[index] < COARSEN_AU
        self.level[index] = np.maximum(self._coarsest[index] - easy, 0)

    def advance(self, index: IntArray, step: _GridStep | _OwnStep, guess: FloatArray | None = None) -> None:
        """Take the objects over one step, halving it for those that need it."""
        again: list[IntArray] = []
        tried: list[FloatArray] = []
        known = np.ones(index.size, dtype=bool) if guess is not None else self._can_extrapolate(index, step)
        for members in _chunks(known):
            first = guess[..., members] if guess is not None else self._extrapolated(index[members], step)
            solution = self._attempt(index[members], step.of(members), first)
            if not (good := self._good_enough(solution, step)).all():
                again.append(members[~good])
                tried.append(solution.forces[..., ~good])
        if again:
            # Halve once for all chunks: the steps of a few objects cost as much as those of many.
            members = np.concatenate(again)
            one, other = step.of(members).halves()
            self.advance(index[members], one, collocation.continuation(0.0, 0.5) @ np.concatenate(tried, axis=3))
            self.advance(index[members], other)

    @staticmethod
    def _good_enough(solution: _Solution, step: _GridStep | _OwnStep) -> NDArray[np.bool_]:
        return (solution.settled & (solution.tail_au < TAIL_AU)) | (step.level >= MAX_LEVEL)

    def _attempt(self, index: IntArray, step: _GridStep | _OwnStep, guess: FloatArray | None) -> _Solution:
        """Solve the step, and take those objects over it for which it is good enough."""
        position, velocity = self.position[:, index], self.velocity[:, index]
        nongrav = None if self.nongrav is None else self.nongrav[:, index]
        worst_tail_au = TAIL_AU if step.level < MAX_LEVEL else np.inf
        solution = _solve(position, velocity, step.length_days, step.table(), guess, nongrav, worst_tail_au)
        good = self._good_enough(solution, step)
        if good.all():
            self._accept(index, step, position, velocity, solution)
        elif good.any():
            self._accept(index[good], step.of(good), position[:, good], velocity[:, good], solution.of(good))
        return solution

    def _can_extrapolate(self, index: IntArray, step: _GridStep | _OwnStep) -> NDArray[np.bool_]:
        """Which objects' last step tells about this one: it may have been shorter by half, but not by more."""
        if isinstance(step, _OwnStep):
            return np.zeros(index.size, dtype=bool)
        level = self.last_level[index]
        return np.asarray((level != _NEVER) & (level <= step.level + 1))

    def _extrapolated(self, index: IntArray, step: _GridStep | _OwnStep) -> FloatArray | None:
        """First guess of the forces: the last step's polynomials continued."""
        if not self._can_extrapolate(index[:1], step).all():
            return None
        last, level = self.last[..., index], self.last_level[index]

        def matrix(last_level: int) -> FloatArray:
            return collocation.continuation(1.0, 2.0 ** (last_level - step.level), _TERMS_AHEAD)

        if level.min() == level.max():
            return np.asarray(matrix(int(level[0])) @ last)
        for last_level in np.unique(level).tolist():
            same = level == last_level
            last[..., same] = matrix(last_level) @ last[..., same]
        return last

    def _accept(
        self,
        index: IntArray,
        step: _GridStep | _OwnStep,
        position: FloatArray,
        velocity: FloatArray,
        solution: _Solution,
    ) -> None:
        length, acceleration = step.length_days, solution.forces[0]
        gain = collocation.POSITION_AT_END @ acceleration
        self.position[:, index] = position + length * velocity + np.square(length) * gain
        self.velocity[:, index] = velocity + length * (collocation.VELOCITY_AT_END @ acceleration)
        if isinstance(step, _OwnStep):
            return
        self.last[..., index] = solution.forces
        self.last_level[index] = step.level
        self._coarsest[index] = np.minimum(self._coarsest[index], step.level)
        self._worst_au[index] = np.maximum(self._worst_au[index], solution.tail_au)
        if not step.dense and step.level >= _IMPACT_LEVEL:
            where = position[:, None] + velocity[:, None] * (collocation.NODES[:, None] * length)
            where += length**2 * (collocation.POSITION_AT_NODES @ acceleration)
            self.impacted[index] |= inside_the_earth(where, step.table())
        if step.dense:
            series = step.length_days**2 * (collocation.POSITION_SERIES @ acceleration)
            # Position and drift of the start: x + v t with t = length (P0 + P1) / 2.
            half = 0.5 * step.length_days * velocity
            series[:, 0] += position + half
            series[:, 1] += half
            self.pieces.append(Piece(step.start_tdb_mjd, step.length_days, index, series))


def _merged(level: IntArray) -> IntArray:
    """The levels (m,) at which objects go together: a few join the next finer level, whose steps are taken anyway."""
    level = level.copy()
    used = np.unique(level).tolist()
    for coarse, finer in itertools.pairwise(used):
        few = level == coarse
        if np.count_nonzero(few) * (2 ** (finer - coarse) - 1) < FEW:
            level[few] = finer
    return level


def _chunks(known: NDArray[np.bool_]) -> list[IntArray]:
    """The objects in groups that are solved together: those with a first guess apart from those without."""
    parts = (np.flatnonzero(known), np.flatnonzero(~known))
    return [part[lo : lo + CHUNK] for part in parts for lo in range(0, part.size, CHUNK)]


def propagate(
    batch: OrbitBatch, start_tdb_mjd: float, end_tdb_mjd: float, planets: Planets, *, impacts_end: bool = False
) -> Trajectory:
    """Integrate every orbit from its own epoch and return dense output over [start, end].

    With `impacts_end` an object that falls to the Earth between its epoch and the first kept segment ends there: its
    positions are NaN. Else its path goes on through the Earth.

    An orbit with a table (`OrbitBatch.with_table`) that covers the span is not integrated: its path is the table's.

    Only the segments that touch [start, end] are kept, so a year between epoch and start costs time but no
    memory: 430 bytes per object and 16 days, more where an object is close to a planet. Raises `SpanError`
    where the planetary kernel does not cover a date or an epoch, ValueError where end < start.
    """
    if end_tdb_mjd < start_tdb_mjd:
        raise ValueError(f"the end (TDB MJD {end_tdb_mjd}) is before the start ({start_tdb_mjd})")
    is_known = np.array([t is not None and t.covers(start_tdb_mjd - LIGHT_DAYS, end_tdb_mjd) for t in batch.tables])
    if is_known.any():
        known, others = np.flatnonzero(is_known), np.flatnonzero(~is_known)
        rest = propagate(batch.take(others), start_tdb_mjd, end_tdb_mjd, planets, impacts_end=impacts_end)
        pieces = [replace(piece, index=others[piece.index]) for piece in rest.pieces]
        pieces += [piece for k in known.tolist() for piece in batch.tables[k].pieces(k, planets)]
        return Trajectory(batch, planets, start_tdb_mjd, end_tdb_mjd, pieces)
    epochs = batch.epoch_tdb_mjd
    planets.require(min(start_tdb_mjd, epochs.min(initial=np.inf)), max(end_tdb_mjd, epochs.max(initial=-np.inf)))
    first = int(np.floor((start_tdb_mjd - LIGHT_DAYS) / SEGMENT_DAYS))
    last = max(int(np.ceil(end_tdb_mjd / SEGMENT_DAYS)) - 1, first)
    home = np.floor(epochs / SEGMENT_DAYS).astype(np.int64)  # the segment that begins where the object meets the grid
    forward = _Sweep(batch, planets, backward=False)
    _to_grid(forward, batch, home)
    backward = _Sweep(batch, planets, backward=True)
    backward.position, backward.velocity = forward.position.copy(), forward.velocity.copy()
    everyone = np.arange(len(batch))
    for number in range(int(home.min(initial=first)), last + 1):
        joined = everyone[(home <= number) & ~(impacts_end & forward.impacted)]
        forward.segment(joined, number, dense=number >= first)
    for number in range(int(home.max(initial=first)) - 1, first - 1, -1):
        joined = everyone[home > number]
        backward.segment(joined, number, dense=number <= last)
    return Trajectory(batch, planets, start_tdb_mjd, end_tdb_mjd, forward.pieces + backward.pieces)


def _to_grid(sweep: _Sweep, batch: OrbitBatch, home: IntArray) -> None:
    """Set the objects' barycentric states at the start of their home segments."""
    sun_position, sun_velocity = sweep.planets.state(SUN, batch.epoch_tdb_mjd)
    sweep.position[:] = (batch.state[:, :3] + sun_position).T
    sweep.velocity[:] = (batch.state[:, 3:] + sun_velocity).T
    lengths = home * SEGMENT_DAYS - batch.epoch_tdb_mjd
    off_grid = np.flatnonzero(lengths)
    if off_grid.size:
        sweep.advance(off_grid, _OwnStep(sweep.planets, batch.epoch_tdb_mjd[off_grid], lengths[off_grid]))
