"""ESA's priority list of the NEO Coordination Centre (`esa_priority_neo_list`, plain text).

The right ascension is left out: its unit is not settled among those who read the list, and positions are computed here.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import IntEnum

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.reading import FieldError, instant, number, text
from targets.designations import taken_apart
from targets.sources.rows import Rows, read_rows

PROVIDER = "esa"
_DAY = re.compile(r"\d{4}/\d{2}/\d{2}", re.ASCII)
_ROW = re.compile(r'\s*([0-3])\s+"([^"]{1,40})"\s+(.+)', re.ASCII)


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


def parse_priority_list(body: bytes) -> Rows[PriorityEntry]:
    """The objects of the list. Raises Nonsense, also for the empty answer that the service is known to give."""
    try:
        lines = [line for line in body.decode("ascii").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise Nonsense(PROVIDER, "no plain text", Wrong.UNREADABLE, body) from error
    first = next((k for k, line in enumerate(lines) if '"' in line), len(lines))
    if first == len(lines):
        raise Nonsense(PROVIDER, "the list is empty", Wrong.UNREADABLE, body)
    return read_rows(PROVIDER, body, lines[first:], _entry, None)


def _entry(line: str) -> PriorityEntry:
    match = _ROW.fullmatch(line.rstrip())
    words = match[3].split() if match else []
    if match is None or len(words) < 6:
        raise FieldError('expected priority, "object", R.A., Decl., elongation, V, sky uncertainty, end of visibility')
    dec, elongation, v, sky, until = words[-5:]
    if not _DAY.fullmatch(until):
        raise FieldError(f"end of visibility is {until[:40]!a}: expected a day such as 2026/12/24")
    return PriorityEntry(
        designation=_spaced(text("object", match[2], 40)),
        priority=Priority(int(match[1])),
        dec_deg=number("Decl.", dec, -90.0, 90.0),
        elongation_deg=number("elongation", elongation, 0.0, 180.0),
        v_mag=number("V", v, -30.0, 60.0),
        sky_uncertainty_arcsec=number("sky uncertainty", sky, 0.0, 1e9),
        visible_until=instant("end of visibility", until.replace("/", "-")).date(),
    )


def _spaced(designation: str) -> str:
    """ESA writes 2024YR4 for 2024 YR4."""
    called = taken_apart(designation)
    return called.number or called.provisional or called.name
