"""The rows of the command `windows`: from orbits, telescopes and a span to columns of text and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from coordination.common.timescales import iso_utc, tt_mjd_to_utc, tt_to_tdb_mjd, utc_to_tt_mjd
from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.closures import Closures, without_closures
from coordination.visibility.engine.edges import edge_labels
from coordination.visibility.engine.observe import observe
from coordination.visibility.engine.quantities import describe
from coordination.visibility.engine.windows import BlockGroup, find_windows
from coordination.visibility.rows import Column
from targets.orbits.elements import OrbitBatch
from targets.orbits.ephemeris import build_blocks
from targets.orbits.planets import Planets
from targets.orbits.propagation import propagate

_BLOCK_DAYS = 1.0  # light left the targets, and the integrator has its steps, outside the span


def window_columns(
    targets: OrbitBatch,
    telescopes: Sequence[Telescope],
    start_utc: np.datetime64,
    end_utc: np.datetime64,
    planets: Planets,
    closures: Closures | None = None,
) -> list[Column]:
    """One row for each window in [start, end) UTC, by target, telescope and start; only the ends of the span
    and closures cut windows.

    Raises ValueError for spans outside the planetary kernel or the known rotation of the Earth, naming what
    is covered.
    """
    start, end = (float(utc_to_tt_mjd(instant)) for instant in (start_utc, end_utc))
    observing = observe(telescopes, start, end, planets)
    groups = block_groups(targets, start, end, planets)
    table = find_windows(groups, observing, cut_at_nights=False)
    if closures is not None:
        table = without_closures(table, closures, observing.least_days)
    quantities = describe(table, groups, observing)
    names = np.array(targets.names, dtype=object)
    sites = np.array([telescope.name for telescope in telescopes], dtype=object)
    return [
        Column.text("name", names[table.target]),
        Column.text("site", sites[table.telescope]),
        Column.text("start_utc", iso_utc(tt_mjd_to_utc(table.start_tt_mjd))),
        Column.text("end_utc", iso_utc(tt_mjd_to_utc(table.end_tt_mjd))),
        Column.text("opened_by", edge_labels(table.opened_by)),
        Column.text("closed_by", edge_labels(table.closed_by)),
        Column.numbers("max_alt_deg", quantities.max_alt_deg, 4),
        Column.numbers("v_mag", quantities.v_mag, 3),
        Column.numbers("rate_arcsec_min", quantities.rate_arcsec_min, 4),
        Column.numbers("moon_sep_deg", quantities.moon_sep_deg, 3),
    ]


def block_groups(targets: OrbitBatch, start_tt_mjd: float, end_tt_mjd: float, planets: Planets) -> list[BlockGroup]:
    """Positions of targets over a span, integrated from their orbits, as the search takes them."""
    days = math.ceil((end_tt_mjd - start_tt_mjd) / _BLOCK_DAYS - 1e-9)
    span_tdb = tt_to_tdb_mjd(np.array([start_tt_mjd - _BLOCK_DAYS, start_tt_mjd + days + _BLOCK_DAYS]))
    trajectory = propagate(targets, float(span_tdb[0]), float(span_tdb[1]), planets)
    return build_blocks(trajectory, targets, start_tt_mjd, days, planets)
