"""Why a telescope cannot observe a target in a night: what ruled it out, with its figure.

Whether there is a window is what the search says, and nothing else: every night asked for has either windows or one
absence. The figures of an absence come from samples of the night; they explain, they are no edges.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Observing
from coordination.visibility.engine.closures import Closures, without_closures
from coordination.visibility.engine.constraints import Constraint, apart, constraints_of
from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.instants import AtInstants
from coordination.visibility.engine.night_samples import STEP_DAYS, NightSamples
from coordination.visibility.engine.series import Series, alike
from coordination.visibility.engine.table import WindowTable, whole_days, without_short
from coordination.visibility.engine.windows import find_windows
from observatories.sites.nights import nights_between
from observatories.sites.sun_moon import altitude_sine
from targets.orbits.blocks import EphemerisBlocks

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BlockGroup = tuple[IntArray, EphemerisBlocks]

DURATION = "duration"  # the one reason that is no edge: windows there are, but shorter than the telescope asks
_TARGETS_AT_ONCE = 50  # with the samples of a night and all constraints some 10 MB


@dataclass(frozen=True)
class Check:
    """One constraint over the dark hours of a night.

    code: label of its `Edge`, or `duration`. holds: at any time. value: the best it reaches, in `unit` (deg, mag, h,
    arcsec/min, min); of the Moon while the target is otherwise observable, if it ever is; of the Sun its lowest
    altitude, of a closure what it leaves open. margin: by how much `value` is inside the limit, negative where it
    misses it; NaN where it is not known. tt_mjd: when the best is reached; NaN where that is no instant.
    """

    code: str
    holds: bool
    value: float
    margin: float
    unit: str
    tt_mjd: float = float("nan")


@dataclass(frozen=True)
class Absence:
    """A night without a window. target, telescope: indices. night: label, datetime64[D].

    reasons: codes as in `Check`, the first explains best. together False: each of them alone rules out the night;
    True: each holds for some time, but never all of them at once. text: the same for people, with the figures.
    checks: all constraints of the telescope.
    """

    target: int
    telescope: int
    night: np.datetime64
    reasons: tuple[str, ...]
    together: bool
    text: str
    checks: tuple[Check, ...]

    @property
    def reason(self) -> str:
        """One word: the best reason, or those that exclude each other, joined by "+"."""
        return "+".join(self.reasons) if self.together else self.reasons[0]


@dataclass(frozen=True)
class Explained:
    """windows: all of the span, cut at the nights, closures taken out. absences: the nights asked for that have none,
    by target, telescope and night.
    """

    windows: WindowTable
    absences: list[Absence]

    def minutes(self, target: int, telescope: int, night: np.datetime64) -> float:
        """Total length of the windows of one night."""
        table = self.windows
        mine = (table.target == target) & (table.telescope == telescope) & (table.night == night)
        return float(np.sum(table.end_tt_mjd[mine] - table.start_tt_mjd[mine]) * 1440.0)


def explain(
    groups: EphemerisBlocks | Sequence[BlockGroup],
    observing: Observing,
    closures: Closures | None = None,
    nights: Sequence[np.datetime64] | None = None,
) -> Explained:
    """Explain every night without a window of targets x telescopes.

    groups, observing: as for `find_windows`; a night that the span cuts is judged by what is inside the span. nights:
    labels (datetime64[D]); all of the span where None. Raises ValueError for a night that no part of the span belongs
    to.
    """
    if isinstance(groups, EphemerisBlocks):
        groups = [(np.arange(groups.n), groups)]
    found = _Found.search(groups, observing, closures or Closures.none())
    absences: list[Absence] = []
    for targets, blocks in groups:
        for members, series, _, _ in alike(blocks):
            for telescope in range(len(observing.telescopes)):
                for night in _Night.of(telescope, observing, nights):
                    absences += night.explain(np.asarray(targets)[members], series, found)
    absences.sort(key=lambda each: (each.target, each.telescope, each.night))
    return Explained(found.windows, absences)


@dataclass(frozen=True)
class _Found:
    """What the search finds: whatever its length, long enough, and with the closures taken out (`windows`)."""

    brief: WindowTable
    long: WindowTable
    windows: WindowTable
    closures: Closures

    @classmethod
    def search(cls, groups: Sequence[BlockGroup], observing: Observing, closures: Closures) -> _Found:
        least_days = observing.least_days
        any_length = [replace(t, limits=replace(t.limits, min_duration_minutes=0.0)) for t in observing.telescopes]
        brief = find_windows(groups, replace(observing, telescopes=any_length))
        long = without_short(brief, least_days)
        return cls(brief, long, without_closures(long, closures, least_days), closures)

    @cached_property
    def nights(self) -> set[tuple[int, int, np.datetime64]]:
        """Target, telescope and night of all windows."""
        return set(zip(self.windows.target.tolist(), self.windows.telescope.tolist(), self.windows.night, strict=True))

    def in_night(self, table: WindowTable, target: int, telescope: int, night: np.datetime64) -> IntArray:
        """The rows of one night in one of the tables."""
        rows = (table.target == target) & (table.telescope == telescope) & (table.night == night)
        return np.flatnonzero(rows)

    @cached_property
    def brief_days(self) -> FloatArray:
        """How long the windows of `brief` are."""
        return whole_days(self.brief)


@dataclass(frozen=True)
class _Night:
    """One night of one telescope: from start to end (TT, the noons or the ends of the span)."""

    observing: Observing
    telescope: int
    label: np.datetime64
    start_tt_mjd: float
    end_tt_mjd: float

    @classmethod
    def of(cls, telescope: int, observing: Observing, labels: Sequence[np.datetime64] | None) -> Iterator[_Night]:
        place = observing.telescopes[telescope].place
        every = nights_between(place, observing.start_tt_mjd, observing.end_tt_mjd)
        asked = every.date if labels is None else np.array(labels, dtype="datetime64[D]")
        for label in asked:
            at = int((label - every.date[0]).astype(np.int64))
            if not 0 <= at < every.date.size:
                raise ValueError(f"the night of {label} is outside the span, {every.date[0]} to {every.date[-1]}")
            yield cls(observing, telescope, label, float(every.start_tt_mjd[at]), float(every.end_tt_mjd[at]))

    @cached_property
    def dark(self) -> tuple[FloatArray, FloatArray]:
        """Starts and ends of the dark intervals (d,)."""
        cells = self.observing.nights
        mine = (cells.telescope == self.telescope) & (cells.night == self.label)
        return cells.start_tt_mjd[mine], cells.end_tt_mjd[mine]

    def explain(self, targets: IntArray, series: Series, found: _Found) -> Iterator[Absence]:
        """The absences among targets, which are the objects of a series."""
        seen = found.nights
        absent = np.array([(int(t), self.telescope, self.label) not in seen for t in targets], dtype=bool)
        objects = np.flatnonzero(absent)
        if not self.dark[0].size:
            check = self._sun(holds=False)
            limit = self.observing.telescopes[self.telescope].limits.sun_alt_deg
            text = f"never dark (Sun at {apart(check.value, limit)} deg at its lowest, {limit:g} deg needed)"
            for target in targets[objects]:
                yield self._absence(int(target), (check.code,), False, text, (check,))
            return
        constraints = constraints_of(self.observing.telescopes[self.telescope], self.observing.sun_moon)
        for begin in range(0, objects.size, _TARGETS_AT_ONCE):
            some = objects[begin : begin + _TARGETS_AT_ONCE]
            samples = NightSamples.take(
                AtInstants(series, self.observing, self.telescope, some), constraints, *self.dark
            )
            for k, target in enumerate(targets[some]):
                yield self._reasoned(int(target), constraints, samples, k, found)

    def _reasoned(
        self, target: int, constraints: Sequence[Constraint], samples: NightSamples, k: int, found: _Found
    ) -> Absence:
        """What ruled out one target; first what the search found and dropped, then what the samples tell."""
        holds = samples.holds[:, :, k]
        checks = [self._sun(holds=True)]
        for c, constraint in enumerate(constraints):
            value, margin, at = (float(part[c, k]) for part in (samples.value, samples.margin, samples.tt_mjd))
            checks.append(Check(constraint.edge.label, bool(holds[c].any()), value, margin, constraint.unit, at))
        for dropped in (self._closed(target, found), self._short(target, found)):
            if dropped is not None:
                check, text = dropped
                return self._absence(target, (check.code,), False, text, (*checks, check))
        alone = [c for c in range(len(constraints)) if not holds[c].any()]
        codes = [constraints[c].edge.label for c in alone]
        texts = [constraints[c].never(float(samples.value[c, k]), float(samples.margin[c, k])) for c in alone]
        if found.closures.cover(self.telescope, *self.dark):
            checks.append(Check(Edge.CLOSURE.label, False, 0.0, -self._least_minutes, "min"))
            codes.append(Edge.CLOSURE.label)
            texts.append(self._closure_text(found.closures, *self.dark))
        if codes:
            return self._absence(target, tuple(codes), False, "; ".join(texts), tuple(checks))
        which, text = _excluding(constraints, holds)
        codes = [constraints[c].edge.label for c in which]
        return self._absence(target, tuple(codes), len(codes) > 1, text, tuple(checks))

    def _closed(self, target: int, found: _Found) -> tuple[Check, str] | None:
        """Windows that closures took away."""
        rows = found.in_night(found.long, target, self.telescope, self.label)
        if not rows.size:
            return None
        windows = found.long.take(rows)
        opened = without_closures(windows, found.closures, np.zeros(len(self.observing.telescopes)))
        days = opened.end_tt_mjd - opened.start_tt_mjd
        left, needed = 1440.0 * float(np.max(days, initial=0.0)), self._least_minutes
        text = self._closure_text(found.closures, windows.start_tt_mjd, windows.end_tt_mjd)
        if left > 0.0:
            text += f" (leaves {apart(left, needed)} min, {needed:g} min needed)"
        return Check(Edge.CLOSURE.label, False, left, left - needed, "min"), text

    def _short(self, target: int, found: _Found) -> tuple[Check, str] | None:
        """Windows that are shorter than the telescope asks."""
        rows = found.in_night(found.brief, target, self.telescope, self.label)
        if not rows.size:
            return None
        longest, needed = 1440.0 * float(np.max(found.brief_days[rows])), self._least_minutes
        text = f"shorter than the shortest useful window ({apart(longest, needed)} min, {needed:g} min needed)"
        return Check(DURATION, False, longest, longest - needed, "min"), text

    def _closure_text(self, closures: Closures, start_tt_mjd: FloatArray, end_tt_mjd: FloatArray) -> str:
        reasons = closures.reasons_between(self.telescope, float(start_tt_mjd[0]), float(end_tt_mjd[-1]))
        told = ", ".join(reason for reason in reasons if reason)
        return f"closure: {told}" if told else "closure"

    @property
    def _least_minutes(self) -> float:
        return self.observing.telescopes[self.telescope].limits.min_duration_minutes

    def _sun(self, holds: bool) -> Check:
        lowest, at = self._lowest_sun
        limit = self.observing.telescopes[self.telescope].limits.sun_alt_deg
        return Check(Edge.SUN.label, holds, lowest, limit - lowest, "deg", at)

    @cached_property
    def _lowest_sun(self) -> tuple[float, float]:
        """Lowest altitude of the Sun in degrees, and when."""
        count = max(2, int((self.end_tt_mjd - self.start_tt_mjd) / STEP_DAYS) + 2)
        times = np.linspace(self.start_tt_mjd, self.end_tt_mjd, count)
        which, sun = np.full(count, self.telescope), self.observing.sun_moon.sun(times).T
        sine = altitude_sine(self.observing.stations, which, sun, times)
        lowest = int(sine.argmin())
        return float(np.degrees(np.arcsin(np.clip(sine[lowest], -1.0, 1.0)))), float(times[lowest])

    def _absence(
        self, target: int, reasons: tuple[str, ...], together: bool, text: str, checks: tuple[Check, ...]
    ) -> Absence:
        return Absence(target, self.telescope, self.label, reasons, together, text, checks)


def _excluding(constraints: Sequence[Constraint], holds: NDArray[np.bool_]) -> tuple[tuple[int, ...], str]:
    """The fewest constraints that never hold at once, and how to say it; holds (c, m), each of them at some time."""
    for size in range(2, len(constraints) + 1):
        for which in itertools.combinations(range(len(constraints)), size):
            if not holds[list(which)].all(axis=0).any():
                one, other = constraints[which[0]], constraints[which[1]]
                if size == 2:
                    return which, f"{one.met} only while {other.missed}"
                return which, f"never at once: {', '.join(constraints[c].met for c in which)}"
    # Met at a sampled instant, but for no length of time: a target that grazes its limits.
    rarest = int(holds.sum(axis=1).argmin())
    return (rarest,), f"{constraints[rarest].met} for an instant only"
