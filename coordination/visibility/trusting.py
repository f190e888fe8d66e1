"""How far the orbits that a command is given can be trusted on its dates, and what it leaves out for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coordination.common.timescales import tt_to_tdb_mjd
from coordination.visibility.inputs import InputError
from coordination.visibility.rows import Column
from targets.orbits.covariance import OrbitCovariance
from targets.orbits.elements import OrbitBatch
from targets.orbits.outlook import Outlook, outlook
from targets.orbits.planets import Planets, iso_day
from targets.orbits.propagation import propagate
from targets.orbits.runoff import OrbitQuality
from targets.orbits.trust import Trust, judge

IntArray = NDArray[np.int64]
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Knowledge:
    """What is said of the accuracy of n orbits besides their elements."""

    qualities: Sequence[OrbitQuality]
    covariances: Sequence[OrbitCovariance | None]

    @classmethod
    def none(cls, count: int) -> Knowledge:
        """Nothing is known, as of a file of elements: such orbits are fair or poor, and computed."""
        return cls([OrbitQuality()] * count, [None] * count)


@dataclass(frozen=True)
class Trusting:
    """Verdicts on n orbits on the dates of an outlook."""

    names: Sequence[str]
    epoch_mjd: NDArray[np.float64]
    knowledge: Knowledge
    outlook: Outlook

    @classmethod
    def over(cls, targets: OrbitBatch, knowledge: Knowledge, tt_mjd: ArrayLike, planets: Planets) -> Trusting:
        """At the midnights (00:00) nearest to times TT (n_t,), as stored ephemerides have it."""
        tdb = tt_to_tdb_mjd(np.atleast_1d(np.asarray(tt_mjd, dtype=float)))
        days = np.unique(np.clip(np.round(tdb), *planets.span_tdb_mjd))
        middle = float(0.5 * (days[0] + days[-1]))
        near = propagate(targets, middle, middle, planets).batch_at(middle)
        found = outlook(near, targets.epoch_tdb_mjd, knowledge.qualities, knowledge.covariances, days, planets)
        return cls(targets.names, targets.epoch_tdb_mjd, knowledge, found)

    def levels(self, target: IntArray, tt_mjd: NDArray[np.float64]) -> NDArray[np.uint8]:
        """`Trust` of targets (k,) at times (k,)."""
        return self.outlook.level[target, self.outlook.nearest(tt_to_tdb_mjd(tt_mjd))]

    def sigma_arcsec(self, target: IntArray, tt_mjd: NDArray[np.float64]) -> NDArray[np.float64]:
        """1-sigma semi-major axes of targets (k,) at times (k,), as known for the nearest date; NaN: not known."""
        return self.outlook.major_arcsec[target, self.outlook.nearest(tt_to_tdb_mjd(tt_mjd))]

    def worst_levels(
        self, target: IntArray, start_tt_mjd: NDArray[np.float64], end_tt_mjd: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        """The worst at the start, the middle and the end of intervals (k,)."""
        times = (start_tt_mjd, 0.5 * (start_tt_mjd + end_tt_mjd), end_tt_mjd)
        return np.max([self.levels(target, time) for time in times], axis=0, initial=0)

    def reason(self, target: int, date: int) -> str:
        """Why the level is what it is on one of the dates."""
        found = self.outlook
        sigma = float(found.major_arcsec[target, date])
        return judge(
            self.knowledge.qualities[target],
            float(self.epoch_mjd[target]),
            float(found.tdb_mjd[date]),
            float(found.delta_au[target, date]),
            sigma if np.isfinite(sigma) else None,
            int(found.reasons[target, date]),
        ).reason

    def refusal(self, target: int, date: int) -> str:
        """What to say of an unusable date."""
        return f"orbit unusable on {iso_day(float(self.outlook.tdb_mjd[date]))}: {self.reason(target, date)}"

    def left_out(self) -> dict[int, str]:
        """What to say of the targets that are unusable on some or all of the dates."""
        told = {}
        for target in np.flatnonzero(self.outlook.unusable.any(axis=1)).tolist():
            unusable = self.outlook.unusable[target]
            text = self.refusal(target, int(unusable.argmax()))
            told[target] = text if unusable.all() else f"{text} (left out on {unusable.sum()} of {unusable.size} days)"
        return told

    def tell(self, tell: Tell) -> None:
        """Say which targets are left out on which dates; raises InputError where nothing is left of them all."""
        refused = [f"{self.names[target]}: {text}" for target, text in self.left_out().items()]
        if refused and self.outlook.unusable.all():
            raise InputError("\n".join(refused))
        for text in refused:
            tell(text)


def labels(levels: NDArray[np.uint8]) -> list[str]:
    """Levels as words of the output."""
    return [Trust(level).label for level in levels.tolist()]


def rows_where(columns: Sequence[Column], kept: NDArray[np.bool_]) -> list[Column]:
    """Some of the rows."""
    return [replace(column, values=column.values[kept]) for column in columns]
