"""One night of a telescope, looked at every other minute: whether each constraint holds, and the best it reaches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.constraints import Constraint
from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.instants import AtInstants

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

STEP_DAYS = 2.0 / 1440.0
_ROUNDS, _LOOKS = 2, 9  # around the best sample: leaves 8 s
_AT_ONCE = 50_000


@dataclass(frozen=True)
class NightSamples:
    """k targets in the dark hours of one night under c constraints.

    holds (c, m, k): at m instants, among them the best of each constraint. margin, value, tt_mjd (c, k): by how much
    each constraint is met at its best, the value then, and when. The best of the Moon is taken while the target is
    otherwise observable, if it ever is.
    """

    holds: BoolArray
    margin: FloatArray
    value: FloatArray
    tt_mjd: FloatArray

    @classmethod
    def take(
        cls, look: AtInstants, constraints: Sequence[Constraint], start_tt_mjd: FloatArray, end_tt_mjd: FloatArray
    ) -> NightSamples:
        """Look at the targets of `look` during the dark intervals [start, end) (d,)."""
        times = np.concatenate(
            [
                np.linspace(start, end, max(2, math.ceil((end - start) / STEP_DAYS) + 1))
                for start, end in zip(start_tt_mjd, end_tt_mjd, strict=True)
            ]
        )
        k = look.objects.size
        margins, values = _measure(look, constraints, np.broadcast_to(times[:, None], (times.size, k)))
        best = np.stack(
            [_best(constraint, c, margins) for c, constraint in enumerate(constraints)]
        )  # (c, k), of the samples
        every = np.arange(k)
        margin, value = (np.stack([part[c, best[c], every] for c in range(len(best))]) for part in (margins, values))
        night = cls(margins >= 0.0, margin, value, times[best])
        night = night._refined(look, constraints, start_tt_mjd, end_tt_mjd)
        at_best, _ = _measure(look, constraints, night.tt_mjd)
        return replace(night, holds=np.concatenate([night.holds, at_best >= 0.0], axis=1))

    def _refined(
        self, look: AtInstants, constraints: Sequence[Constraint], start: FloatArray, end: FloatArray
    ) -> NightSamples:
        """With closer looks around the best samples. The Moon moves too slowly for that."""
        margin, value, tt_mjd = self.margin.copy(), self.value.copy(), self.tt_mjd.copy()
        every = np.arange(look.objects.size)
        for c, constraint in enumerate(constraints):
            if constraint.edge == Edge.MOON:
                continue
            interval = np.maximum(np.searchsorted(start, tt_mjd[c], side="right") - 1, 0)
            low, high, reach = start[interval], end[interval], STEP_DAYS
            for _ in range(_ROUNDS):
                around = np.clip(tt_mjd[c] + reach * np.linspace(-1.0, 1.0, _LOOKS)[:, None], low, high)
                margins, values = (part[0] for part in _measure(look, [constraint], around))
                best = np.where(np.isnan(margins), -np.inf, margins).argmax(axis=0)
                margin[c], value[c], tt_mjd[c] = (part[best, every] for part in (margins, values, around))
                reach *= 2.0 / (_LOOKS - 1)
        return replace(self, margin=margin, value=value, tt_mjd=tt_mjd)


def _best(constraint: Constraint, c: int, margins: FloatArray) -> IntArray:
    """The sample (k,) at which constraint number c is met best."""
    known = np.where(np.isnan(margins[c]), -np.inf, margins[c])
    if constraint.edge == Edge.MOON:
        otherwise = np.all(np.delete(margins, c, axis=0) >= 0.0, axis=0)
        known = np.where(otherwise | ~otherwise.any(axis=0), known, -np.inf)
    return np.asarray(known.argmax(axis=0))


def _measure(look: AtInstants, constraints: Sequence[Constraint], tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Margins and values (c, m, k) of targets (k,) at times (m, k)."""
    margins, values = (np.empty((len(constraints), *tt_mjd.shape)) for _ in range(2))
    rows = max(1, _AT_ONCE // look.objects.size)
    for begin in range(0, len(tt_mjd), rows):
        some = tt_mjd[begin : begin + rows]
        pairs, tau = replace(look, objects=np.tile(look.objects, len(some)))(some.ravel())
        for c, constraint in enumerate(constraints):
            margin, value = constraint.measure(pairs, tau, some.ravel())
            margins[c, begin : begin + rows] = margin.reshape(some.shape)
            values[c, begin : begin + rows] = value.reshape(some.shape)
    return margins, values
