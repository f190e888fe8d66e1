"""The first sieve: which targets can be observable at all in which cells, from bounds alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Cells, Telescope
from coordination.visibility.engine.pairs import RAD_D_TO_ARCSEC_MIN
from coordination.visibility.engine.series import Series

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_SLACK_RAD = 1e-4  # diurnal aberration, polar motion and rounding, many times over


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

    def chunks(self, size: int) -> Iterator[Candidates]:
        """Pieces of at most `size` pairs."""
        for begin in range(0, self.objects.size, size):
            part = slice(begin, begin + size)
            yield Candidates(self.objects[part], self.cell[part], self.magnitude_open[part], self.rate_open[part])


def candidates(series: Series, cells: Cells, telescope: Telescope, size: int) -> Iterator[Candidates]:
    """All pairs that the bounds do not rule out, for about `size` combinations of cell and target at a time."""
    first, last = series.blocks_of(cells)
    limits = telescope.limits
    faint, faint_open = _against(series.v_mag, limits.v_limit_mag) if limits.v_limit_mag is not None else (None, None)
    fast, fast_open = None, None
    if limits.max_rate_arcsec_min is not None:
        fast, fast_open = _against(series.rate_rad_d, limits.max_rate_arcsec_min / RAD_D_TO_ARCSEC_MIN)
    step = max(1, size // max(series.n, 1))
    for begin in range(0, cells.n, step):
        part = np.arange(begin, min(begin + step, cells.n))
        possible = np.ones((part.size, series.n), dtype=bool)
        for ruled_out in (faint, fast):
            if ruled_out is not None:
                possible &= ~(ruled_out[first[part]] & ruled_out[last[part]])
        row, objects = np.nonzero(possible)
        cell = part[row]
        up = _may_be_up(series, cells, telescope, objects, cell, first, last)
        objects, cell = objects[up], cell[up]
        yield Candidates(
            objects,
            cell,
            magnitude_open=_open(faint_open, first[cell], last[cell], objects),
            rate_open=_open(fast_open, first[cell], last[cell], objects),
        )


def _against(bounds: tuple[NDArray[np.float64], NDArray[np.float64]], limit: float) -> tuple[BoolArray, BoolArray]:
    """Per block and target: whether the value is above the limit for sure, and whether it is not below for
    sure (NaN: unsure).
    """
    return bounds[0] > limit, ~(bounds[1] <= limit)


def _open(unsure: BoolArray | None, first: IntArray, last: IntArray, objects: IntArray) -> BoolArray:
    if unsure is None:
        return np.zeros(objects.size, dtype=bool)
    return np.asarray(unsure[first, objects] | unsure[last, objects])


def _may_be_up(
    series: Series,
    cells: Cells,
    telescope: Telescope,
    objects: IntArray,
    cell: IntArray,
    first: IntArray,
    last: IntArray,
) -> BoolArray:
    """Whether a direction within reach of the tabulated one can be above the altitude limit during the cell.

    If the true direction stays within an angle m of a fixed one, its altitude is above a only while the fixed
    one's is above a - m; and for the fixed one that is a lobe of hour angles around the meridian, of
    half-width H0.
    """
    middle = (cells.middle_tt_mjd - series.start_tt_mjd) / series.block_days
    block = np.clip(middle.astype(np.int64), first, last)
    ra, dec = series.ra_dec_rad
    other = np.where(block == first, last, first)
    here, there = block[cell], other[cell]
    margin = series.reach_rad[here, objects] + series.parallax_rad[here, objects] + _SLACK_RAD
    beyond = 2.0 * series.reach_rad[there, objects] + series.parallax_rad[there, objects]
    margin += np.where(here != there, beyond, 0.0)
    lowest = math.radians(telescope.limits.lowest_alt_deg(telescope.place))
    lat = math.radians(telescope.place.lat_deg)
    threshold = np.sin(np.maximum(lowest - margin, -0.5 * np.pi))
    sin_dec, cos_dec = np.sin(dec[here, objects]), np.cos(dec[here, objects])
    with np.errstate(divide="ignore", invalid="ignore"):
        cos_lobe = (threshold - math.sin(lat) * sin_dec) / (math.cos(lat) * cos_dec)
    lobe = np.arccos(np.clip(cos_lobe, -1.0, 1.0))
    hour_angle = np.abs(np.mod(cells.meridian_rad[cell] - ra[here, objects] + np.pi, 2.0 * np.pi) - np.pi)
    return np.asarray((cos_lobe <= 1.0) & (hour_angle <= lobe + cells.turn_rad[cell] + _SLACK_RAD))
