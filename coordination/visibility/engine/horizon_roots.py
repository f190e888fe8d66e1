"""Where a target crosses a horizon mask: a curve with kinks, so no parabola can be trusted; bounds on its
slope are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.pairs import Pairs
from coordination.visibility.engine.sweep import Changes
from observatories.sites.horizon import HorizonMask
from observatories.sites.roots import refine

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_SHORTEST_DAYS = 1.0 / 86400.0  # an excursion across the mask shorter than this may be overlooked
_TOLERANCE_DAYS = 1e-3 / 86400.0
_MOST_HALVINGS = 24
_SLACK = 1.05  # over the speed of the sky, for diurnal parallax and the target's own motion


@dataclass(frozen=True)
class _Spans:
    """Pieces of cells: the pair, the ends in tau, altitude and height over the mask (degrees) at both ends
    (2, k).
    """

    item: IntArray
    tau: FloatArray
    altitude_deg: FloatArray
    margin_deg: FloatArray

    def take(self, chosen: BoolArray) -> _Spans:
        return _Spans(self.item[chosen], self.tau[:, chosen], self.altitude_deg[:, chosen], self.margin_deg[:, chosen])

    @property
    def crosses(self) -> BoolArray:
        return np.asarray((self.margin_deg[0] >= 0.0) != (self.margin_deg[1] >= 0.0))


@dataclass(frozen=True)
class _Mask:
    """A horizon over pairs."""

    pairs: Pairs
    horizon: HorizonMask
    speed_deg_d: FloatArray  # (k,) bound of the speed of a target across the sky over the site

    def look(self, item: IntArray, tau: FloatArray) -> tuple[FloatArray, FloatArray]:
        azimuth, altitude = self.pairs.take(item).horizontal_deg(tau)
        return altitude, altitude - self.horizon.altitude_at(azimuth)

    def may_hide_a_root(self, spans: _Spans) -> BoolArray:
        """Whether the slope allows a crossing that the ends do not show, or the exact place of one is not yet
        known.
        """
        days = (spans.tau[1] - spans.tau[0]) * self.pairs.cells.half_days[self.pairs.cell[spans.item]]
        path = self.speed_deg_d[spans.item] * days
        top, bottom = np.max(spans.altitude_deg, axis=0) + 0.5 * path, np.min(spans.altitude_deg, axis=0) - 0.5 * path
        clear = (bottom > self.horizon.altitude_deg.max()) | (top < self.horizon.altitude_deg.min())
        narrowing = np.cos(np.radians(np.minimum(np.maximum(top, -bottom), 89.99)))
        reach = path * (1.0 + self.horizon.steepest / narrowing)
        hidden = np.abs(spans.margin_deg).sum(axis=0) < reach
        return np.asarray((hidden | spans.crosses) & ~clear & (days > _SHORTEST_DAYS))

    def halves(self, spans: _Spans) -> _Spans:
        tau = spans.tau.mean(axis=0)
        altitude, margin = self.look(spans.item, tau)
        both = (
            [np.stack([ends[0], middle]), np.stack([middle, ends[1]])]
            for ends, middle in ((spans.tau, tau), (spans.altitude_deg, altitude), (spans.margin_deg, margin))
        )
        return _Spans(np.tile(spans.item, 2), *(np.concatenate(parts, axis=1) for parts in both))


def horizon_changes(pairs: Pairs, horizon: HorizonMask, samples: int) -> Changes:
    """Changes of "above the mask" of pairs, in tau.

    Between two samples of one sign a root can hide only if the slope can bring the curve to zero and back.
    Such pieces are halved until they cannot, or are shorter than a second.
    """
    motion_rad_d = pairs.series.rate_rad_d[1].max(axis=0)[pairs.objects]
    mask = _Mask(pairs, horizon, _SLACK * (361.0 + np.degrees(motion_rad_d)))
    grid = np.broadcast_to(np.linspace(-1.0, 1.0, samples), (pairs.n, samples))
    item = np.repeat(np.arange(pairs.n), samples)
    altitude, margin = (values.reshape(pairs.n, samples) for values in mask.look(item, grid.ravel()))
    spans = _Spans(
        np.repeat(np.arange(pairs.n), samples - 1),
        *(np.stack([values[:, :-1].ravel(), values[:, 1:].ravel()]) for values in (grid, altitude, margin)),
    )
    settled = []
    for _ in range(_MOST_HALVINGS):
        doubtful = mask.may_hide_a_root(spans)
        settled.append(spans.take(~doubtful & spans.crosses))
        spans = spans.take(doubtful)
        if not spans.item.size:
            break
        spans = mask.halves(spans)
    item = np.concatenate([each.item for each in settled])
    tau, at_ends = (
        np.concatenate(parts, axis=1) for parts in zip(*((s.tau, s.margin_deg) for s in settled), strict=True)
    )
    tolerance = _TOLERANCE_DAYS / float(np.max(pairs.cells.half_days[pairs.cell], initial=1e-3))
    time = refine(lambda k, t: mask.look(k, t)[1], item, tau[0], tau[1], at_ends[0], at_ends[1], tolerance)
    return Changes(int(Edge.HORIZON), margin[:, 0] >= 0.0, item, time, at_ends[1] >= 0.0)
