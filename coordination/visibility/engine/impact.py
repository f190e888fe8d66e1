"""Windows of objects that hit the Earth end there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.table import WindowTable, without_short


def until_impact(
    table: WindowTable, impact_tt_mjd: NDArray[np.float64], least_days: NDArray[np.float64]
) -> WindowTable:
    """A sorted table without what comes after the impacts of its targets, TT (n,) by target; NaN: none.

    Windows that are cut close with `impact`; what is left of them is dropped if it is shorter than the telescope asks.
    """
    impact = impact_tt_mjd[table.target]
    if not np.isfinite(impact).any():
        return table
    hit = impact < table.end_tt_mjd
    cut = replace(
        table,
        end_tt_mjd=np.where(hit, impact, table.end_tt_mjd),
        closed_by=np.where(hit, int(Edge.IMPACT), table.closed_by),
    )
    return without_short(cut.take(cut.end_tt_mjd > cut.start_tt_mjd), least_days)
