"""The search for visibility windows: every target, every telescope, every night of a span."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.candidates import Candidates, candidates
from coordination.visibility.engine.cells import Observing, Telescope
from coordination.visibility.engine.closed_form import Lobes, Middle, quick_windows
from coordination.visibility.engine.dense import Watched, search
from coordination.visibility.engine.first_look import first_look
from coordination.visibility.engine.pairs import Pairs
from coordination.visibility.engine.series import Series, alike
from coordination.visibility.engine.sweep import Intervals
from coordination.visibility.engine.table import WindowTable, joined, without_short
from targets.orbits.blocks import EphemerisBlocks

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
BlockGroup = tuple[IntArray, EphemerisBlocks]

CHUNK_PAIRS = 50_000


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
    for targets, blocks in groups:
        for members, series, terms, near in alike(blocks):
            for telescope in range(len(observing.telescopes)):
                for found in _one_telescope(series, observing, telescope, terms, near, chunk_pairs):
                    parts.append(replace(found, target=np.asarray(targets)[members][found.target]))
    table = joined(WindowTable.concatenate(parts).sorted(), at_nights=False)
    table = without_short(table, observing.least_days)
    return table if cut_at_nights else joined(table, at_nights=True)


def _one_telescope(
    series: Series, observing: Observing, index: int, terms: int, near: bool, chunk_pairs: int
) -> Iterator[WindowTable]:
    telescope = observing.telescopes[index]
    cells = observing.cells(index, min(1.0, series.block_days))
    if not cells.n:
        return
    for candidate in candidates(series, cells, telescope, 50 * chunk_pairs):
        for chunk in candidate.chunks(chunk_pairs):
            pairs = Pairs.expand(series, cells, chunk.objects, chunk.cell, terms, near)
            for some, intervals in _windows_of(pairs, chunk, telescope, near):
                yield _as_table(some, intervals, index)


def _as_table(pairs: Pairs, intervals: Intervals, telescope: int) -> WindowTable:
    cell = pairs.cell[intervals.item]
    return WindowTable(
        target=pairs.objects[intervals.item],
        telescope=np.full(cell.size, telescope),
        night=pairs.cells.night[cell],
        start_tt_mjd=pairs.cells.tt_mjd(cell, intervals.start),
        end_tt_mjd=pairs.cells.tt_mjd(cell, intervals.end),
        opened_by=intervals.opened_by,
        closed_by=intervals.closed_by,
    )


def _windows_of(pairs: Pairs, chunk: Candidates, telescope: Telescope, near: bool) -> Iterator[tuple[Pairs, Intervals]]:
    """Windows of the pairs, by the closed form where that decides and by the thorough search elsewhere."""
    if not pairs.n:
        return
    if near:
        everything = np.ones(pairs.n, dtype=bool)
        watched = Watched(everything, everything, everything)
        yield pairs, search(pairs, telescope, watched, near=True)
        return
    middle = Middle.of(pairs)
    lobes = Lobes.of(middle, telescope)
    look = first_look(pairs, middle, chunk, telescope, ~lobes.never)
    alive = ~lobes.never & ~look.ruled_out
    special = look.magnitude_open | chunk.rate_open | look.moon_open | _needs_samples(middle, lobes, telescope)
    quick = np.flatnonzero(alive & ~special)
    some = pairs.take(quick)
    intervals, failed = quick_windows(some, middle.take(quick), lobes.take(quick), telescope)
    yield some, intervals
    thorough = np.concatenate([np.flatnonzero(alive & special), quick[failed]])
    if thorough.size:
        watched = Watched(look.moon_open[thorough], look.magnitude_open[thorough], chunk.rate_open[thorough])
        rest = pairs.take(thorough)
        yield rest, search(rest, telescope, watched, near=False)


def _needs_samples(middle: Middle, lobes: Lobes, telescope: Telescope) -> BoolArray:
    """Whether limits beyond the lowest altitude may cut inside the cell (k,)."""
    limits, place = telescope.limits, telescope.place
    needed = np.full(middle.dec_rad.size, limits.horizon is not None)
    if limits.max_alt_deg is not None:
        highest = math.radians(limits.geometric_deg(limits.max_alt_deg, place))
        top = 0.5 * np.pi - np.abs(middle.dec_rad - math.radians(place.lat_deg)) + middle.motion_rad + 1e-3
        needed |= top > highest
    if limits.hour_angle_h is not None:
        narrowest = math.radians(15.0) * min(abs(limits.hour_angle_h[0]), abs(limits.hour_angle_h[1]))
        straddles = limits.hour_angle_h[0] < 0.0 < limits.hour_angle_h[1]
        needed |= ~(straddles & ~lobes.always & (lobes.half_width_rad + 0.1 < narrowest))
    return needed
