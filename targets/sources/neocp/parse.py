"""The Minor Planet Center's confirmation page (`neocp.txt`, `pccp.txt`): an object a line. Not for the public."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NeocpObject:
    """One object. Place and V are an ephemeris for the moment of the request: no sign that something changed."""

    designation: str  # temporary
    score: int  # digest2, 0 to 100
    discovered_at: dt.datetime
    ra_deg: float
    dec_deg: float
    v_mag: float | None  # absent where the page has 99.9
    note: str  # such as "Updated Nov. 2.95 UT"
    observation_count: int
    arc_days: float
    h_mag: float
    not_seen_days: float
