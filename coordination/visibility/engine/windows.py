"""The search for visibility windows: every target, every telescope, every night of a span."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.candidates import Candidates, candidates
from coordination.visibility.engine.cells import Cells, Observing
from coordination.visibility.engine.closed_form import Lobes, Middle, quick_altitudes
from coordination.visibility.engine.dense import Thorough, Watched, search
from coordination.visibility.engine.first_look import MoonAtMiddle, first_look
from coordination.visibility.engine.galactic import without_milky_way
from coordination.visibility.engine.pairs import Pairs
from coordination.visibility.engine.series import Series, alike
from coordination.visibility.engine.sweep import Intervals
from coordination.visibility.engine.table import WindowTable, joined, without_short
from targets.orbits.blocks import EphemerisBlocks

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
BlockGroup = tuple[IntArray, EphemerisBlocks]

CHUNK_PAIRS = 16_384  # a column of so many pairs stays in the processor's cache


def find_windows(
    groups: EphemerisBlocks | Sequence[BlockGroup],
    observing: Observing,
    *,
    cut_at_nights: bool = True,
    chunk_pairs: int = CHUNK_PAIRS,
) -> WindowTable:
    """All windows of targets at telescopes.

    groups: blocks of the targets, or several groups of (target indices, blocks) as `build_blocks` gives them.
    observing: the telescopes, the span and what all targets share. cut_at_nights: cut windows at the noons of
    the place (edge `night`), as they are stored; else only the ends of the span cut (edge `span`).
    chunk_pairs bounds the memory.

    Returns a `WindowTable` with target the index given in the groups. Raises ValueError where the blocks do
    not cover the span.
    """
    if isinstance(groups, EphemerisBlocks):
        groups = [(np.arange(groups.n), groups)]
    parts = []
    for targets, blocks in groups if observing.telescopes else ():
        for members, series, terms, near in alike(blocks):
            for cells in observing.cells(series.block_days):
                for found in _in_cells(series, cells, terms, near, chunk_pairs):
                    parts.append(replace(found, target=np.asarray(targets)[members][found.target]))
    table = joined(WindowTable.concatenate(parts).sorted(), at_nights=False)
    places = [telescope.place for telescope in observing.telescopes]
    least_deg = [telescope.limits.galactic_latitude_min_deg for telescope in observing.telescopes]
    table = without_milky_way(table, groups, places, least_deg, observing.sun_moon, observing.earth)
    table = without_short(table, observing.least_days)
    return table if cut_at_nights else joined(table, at_nights=True)


def _in_cells(series: Series, cells: Cells, terms: int, near: bool, chunk_pairs: int) -> Iterator[WindowTable]:
    if not cells.n:
        return
    expansion, moon = series.expansion(cells, terms), MoonAtMiddle.of(cells)
    waiting: list[Thorough] = []
    for chunk in Candidates.chunks(candidates(series, cells), chunk_pairs):
        pairs = Pairs.expand(series, cells, chunk.objects, chunk.cell, expansion, near)
        if near:
            waiting.append(Thorough(pairs, Watched.everything(pairs), Intervals.concatenate([])))
        else:
            found, rest = _quick(pairs, chunk, moon)
            yield _as_table(pairs, found)
            waiting.append(rest)
        if sum(each.pairs.n for each in waiting) >= chunk_pairs:
            yield _thoroughly(waiting, near)
            waiting = []
    if waiting:
        yield _thoroughly(waiting, near)


def _thoroughly(waiting: Sequence[Thorough], near: bool) -> WindowTable:
    """Windows of what waited for the thorough search: a few pairs of each chunk, that cost less together."""
    together = Thorough.concatenate(waiting)
    return _as_table(together.pairs, search(together, near))


def _as_table(pairs: Pairs, intervals: Intervals) -> WindowTable:
    cells, cell = pairs.cells, pairs.cell[intervals.item]
    return WindowTable(
        target=pairs.objects[intervals.item],
        telescope=cells.telescope[cell],
        night=cells.night[cell],
        start_tt_mjd=cells.tt_mjd(cell, intervals.start),
        end_tt_mjd=cells.tt_mjd(cell, intervals.end),
        opened_by=intervals.opened_by,
        closed_by=intervals.closed_by,
    )


def _quick(pairs: Pairs, chunk: Candidates, moon: MoonAtMiddle) -> tuple[Intervals, Thorough]:
    """Windows of far pairs where the closed form decides, and what is left to the thorough search."""
    middle = Middle.of(pairs)
    lobes = Lobes.of(pairs, middle)
    look = first_look(pairs, middle, chunk, moon, ~lobes.never)
    alive = ~(lobes.never | look.ruled_out)
    up, failed = quick_altitudes(pairs, middle, lobes, alive)
    altitude_max, hour_angle = _cut_further(pairs, middle, lobes)
    watched = Watched(
        altitude=failed,
        altitude_max=altitude_max,
        hour_angle=hour_angle,
        horizon=pairs.cells.limits.has_horizon[pairs.telescope],
        moon=look.moon_open,
        magnitude=look.magnitude_open,
        rate=chunk.rate_open,
    )
    thorough = alive & watched.anything
    chosen, is_known = np.flatnonzero(thorough), thorough[up.item]
    known = up.take(np.flatnonzero(is_known))
    place = np.cumsum(thorough) - 1
    rest = Thorough(pairs.take(chosen), watched.take(chosen), replace(known, item=place[known.item]))
    return up.take(np.flatnonzero(~is_known)), rest


def _cut_further(pairs: Pairs, middle: Middle, lobes: Lobes) -> tuple[BoolArray, BoolArray]:
    """Whether the highest altitude, and the limits of the hour angle, may cut inside the cell (k,)."""
    limits, telescope = pairs.cells.limits, pairs.telescope
    highest, hours = np.zeros(pairs.n, dtype=bool), np.zeros(pairs.n, dtype=bool)
    if limits.has_max_alt.any():
        # Sine of the altitude at culmination, at most; motion moves it by no more than itself.
        top = limits.sin_lat[telescope] * middle.direction[2] + limits.cos_lat[telescope] * middle.cos_dec
        highest = limits.has_max_alt[telescope] & (top + middle.motion_rad + 1e-3 > limits.sin_max_alt[telescope])
    if limits.has_hour_angle.any():
        centre, half = limits.hour_angle_centre_rad[telescope], limits.hour_angle_half_rad[telescope]
        narrowest = half - np.abs(centre)  # negative where they do not straddle the meridian
        inside = ~lobes.always & (lobes.half_width_rad + 0.1 < narrowest)
        hours = limits.has_hour_angle[telescope] & ~inside
    return highest, hours
