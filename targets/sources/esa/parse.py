"""ESA's priority list of the NEO Coordination Centre (`esa_priority_neo_list`, plain text).

The right ascension is left out: its unit is not settled among those who read the list, and positions are computed here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum


class Priority(IntEnum):
    URGENT = 0
    NECESSARY = 1
    USEFUL = 2
    LOW = 3


@dataclass(frozen=True, slots=True)
class PriorityEntry:
    """One object whose orbit needs observations."""

    designation: str
    priority: Priority
    dec_deg: float
    elongation_deg: float
    v_mag: float
    sky_uncertainty_arcsec: float
    visible_until: dt.date
