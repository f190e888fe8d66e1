"""The first sieve: which targets can be observable at all in which cells, from bounds alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Cells
from coordination.visibility.engine.pairs import RAD_D_TO_ARCSEC_MIN
from coordination.visibility.engine.series import Series

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Bounds = tuple[FloatArray, FloatArray]

_SLACK_RAD = 1e-4  # diurnal aberration, polar motion and rounding, many times over
_LOOKED_AT_ONCE = 65_536  # combinations of cell and target


@dataclass(frozen=True)
class Candidates:
    """k pairs of target and cell that may hold a window, sorted by cell.

    magnitude_open, rate_open (k,): whether that limit may be crossed inside the cell (else it holds
    throughout).
    """

    objects: IntArray
    cell: IntArray
    magnitude_open: BoolArray
    rate_open: BoolArray

    @property
    def n(self) -> int:
        """Number of pairs."""
        return self.objects.size

    def _part(self, begin: int, end: int) -> Candidates:
        part = slice(begin, end)
        return Candidates(self.objects[part], self.cell[part], self.magnitude_open[part], self.rate_open[part])

    @staticmethod
    def chunks(found: Iterator[Candidates], size: int) -> Iterator[Candidates]:
        """The same pairs in pieces of about `size`, none larger."""
        kept: list[Candidates] = []
        waiting = 0
        for each in found:
            kept.append(each)
            waiting += each.n
            if waiting >= size:
                yield from Candidates._cut(kept, size)
                kept, waiting = [], 0
        if waiting:
            yield from Candidates._cut(kept, size)

    @staticmethod
    def _cut(kept: list[Candidates], size: int) -> Iterator[Candidates]:
        whole = Candidates(
            np.concatenate([each.objects for each in kept]),
            np.concatenate([each.cell for each in kept]),
            np.concatenate([each.magnitude_open for each in kept]),
            np.concatenate([each.rate_open for each in kept]),
        )
        pieces = max(1, -(-whole.n // size))
        ends = [whole.n * k // pieces for k in range(pieces + 1)]
        for begin, end in itertools.pairwise(ends):
            yield whole._part(begin, end)


def candidates(series: Series, cells: Cells) -> Iterator[Candidates]:
    """All pairs that the bounds do not rule out, some cells at a time."""
    first, last = series.blocks_of(cells)
    limits, telescope = cells.limits, cells.telescope
    v_limit = limits.v_limit_mag[telescope] if limits.has_v_limit.any() else None
    fastest = limits.max_rate_arcsec_min[telescope] / RAD_D_TO_ARCSEC_MIN if limits.has_max_rate.any() else None
    up = _Up.of(series, cells, first, last)
    step = max(1, _LOOKED_AT_ONCE // max(series.n, 1))
    for begin in range(0, cells.n, step):
        part = slice(begin, min(begin + step, cells.n))
        possible = up.possible(part)
        if v_limit is not None:
            possible &= ~_beyond(series.v_mag, v_limit[part], first[part], last[part])
        if fastest is not None:
            possible &= ~_beyond(series.rate_rad_d, fastest[part], first[part], last[part])
        row, objects = np.nonzero(possible)
        cell = row + begin
        yield Candidates(
            objects,
            cell,
            magnitude_open=_open(series.v_mag if v_limit is not None else None, v_limit, first, last, cell, objects),
            rate_open=_open(series.rate_rad_d if fastest is not None else None, fastest, first, last, cell, objects),
        )


def _beyond(bounds: Bounds, limit: FloatArray, first: IntArray, last: IntArray) -> BoolArray:
    """Whether the value is above the limit (c,) for sure in the first and the last block of cells, (c, n)."""
    least = bounds[0]
    above = least.take(first, axis=0) > limit[:, None]
    if np.array_equal(first, last):
        return above
    above &= least.take(last, axis=0) > limit[:, None]
    return above


def _open(
    bounds: Bounds | None, limit: FloatArray | None, first: IntArray, last: IntArray, cell: IntArray, objects: IntArray
) -> BoolArray:
    """Whether the value of pairs (k,) is not below the limit (c,) for sure (NaN: unsure)."""
    if bounds is None or limit is None:
        return np.zeros(objects.size, dtype=bool)
    most, n = bounds[1].ravel(), bounds[1].shape[1]
    here = limit[cell]
    below = (most[first[cell] * n + objects] <= here) & (most[last[cell] * n + objects] <= here)
    return ~below & (here < np.inf)


@dataclass(frozen=True)
class _Up:
    """Whether a direction within reach of the tabulated one can be above the altitude limit during a cell.

    If the true direction stays within an angle m of a fixed one, the sine of its altitude is at most m more than the
    largest that the fixed one reaches while the Earth turns. That is at the hour angle of the cell nearest to the
    meridian.
    """

    cells: Cells
    here: IntArray  # (c,) the block at the middle of the cell
    other: IntArray  # (c,) another one that the cell reaches into, or the same
    unit: FloatArray  # (3, n_blocks, n) the tabulated direction
    flat: FloatArray  # (n_blocks, n) cosine of its declination
    margin: FloatArray  # (n_blocks, n)
    beyond: FloatArray  # (n_blocks, n) what another block adds to the margin

    @classmethod
    def of(cls, series: Series, cells: Cells, first: IntArray, last: IntArray) -> _Up:
        middle = (cells.middle_tt_mjd - series.start_tt_mjd) / series.block_days
        here = np.clip(middle.astype(np.int64), first, last)
        unit = np.moveaxis(series.middle_au / np.linalg.norm(series.middle_au, axis=1, keepdims=True), 1, 0)
        return cls(
            cells,
            here,
            np.where(here == first, last, first),
            np.ascontiguousarray(unit),
            np.sqrt(unit[0] ** 2 + unit[1] ** 2),
            series.reach_rad + series.parallax_rad + _SLACK_RAD,
            2.0 * series.reach_rad + series.parallax_rad,
        )

    def possible(self, part: slice) -> BoolArray:
        """For cells (c,) and all objects, (c, n)."""
        cells, here, other = self.cells, self.here[part], self.other[part]
        limits, telescope = cells.limits, cells.telescope[part]
        meridian = cells.meridian_rad[part]
        cos, sin = np.cos(meridian)[:, None], np.sin(meridian)[:, None]
        turn = np.minimum(cells.turn_rad[part] + _SLACK_RAD, np.pi)
        cos_turn, sin_turn = np.cos(turn)[:, None], np.sin(turn)[:, None]
        x, y, z = (component.take(here, axis=0) for component in self.unit)
        flat = self.flat.take(here, axis=0)
        south, west = cos * x + sin * y, np.abs(cos * y - sin * x)
        nearest = np.where(south >= flat * cos_turn, flat, south * cos_turn + west * sin_turn)
        highest = limits.sin_lat[telescope][:, None] * z + limits.cos_lat[telescope][:, None] * nearest
        margin = self.margin.take(here, axis=0)
        two = np.flatnonzero(here != other)
        margin[two] += self.beyond.take(other[two], axis=0)
        return np.asarray(highest + margin >= np.sin(limits.lowest_alt_rad)[telescope][:, None])
