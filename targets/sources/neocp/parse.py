"""The Minor Planet Center's confirmation page (`neocp.txt`, `pccp.txt`): an object a line. Not for the public."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.reading import FieldError, number, text
from targets.sources.records import ORBIT_RANGES
from targets.sources.rows import Rows, read_rows

PROVIDER = "neocp"
_NO_MAGNITUDE = 99.9
_LAST_WORD = re.compile(r"-?\d*\.\d{3}", re.ASCII)
_DESIGNATION = re.compile(r"[-A-Za-z0-9_]{1,8}", re.ASCII)


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


def parse_list(body: bytes) -> Rows[NeocpObject]:
    """The objects of the page. Raises Nonsense, also for nothing at all: the page is never empty, and an empty answer
    must not make every object look as if it had left.
    """
    try:
        lines = [line for line in body.decode("ascii").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise Nonsense(PROVIDER, "no plain text", Wrong.UNREADABLE, body) from error
    if not lines:
        raise Nonsense(PROVIDER, "the list is empty", Wrong.UNREADABLE, body)
    return read_rows(PROVIDER, body, lines, parse_line, None)


def parse_line(line: str) -> NeocpObject:
    """One line: eight words from the left, four from the right, the note between them. Raises FieldError."""
    words = line.split()
    if len(words) < 12:
        raise FieldError(f"has {len(words)} words: expected at least 12")
    designation, score, year, month, day, ra, dec, v = words[:8]
    observations, arc, h, not_seen = words[-4:]
    if not _DESIGNATION.fullmatch(designation):
        raise FieldError(f"the designation is {designation[:40]!a}: expected at most 8 letters and digits")
    if not _LAST_WORD.fullmatch(not_seen):
        raise FieldError(f"its last word is {not_seen[:40]!a}: expected three decimals, so it was cut off")
    v_mag = number("V", v, -30.0, 100.0)
    return NeocpObject(
        designation=designation,
        score=_whole("score", score, 100),
        discovered_at=_discovered_at(year, month, day),
        ra_deg=15.0 * number("R.A.", ra, 0.0, 24.0),
        dec_deg=number("Decl.", dec, -90.0, 90.0),
        v_mag=None if v_mag >= _NO_MAGNITUDE else v_mag,
        note=text("note", " ".join(words[8:-4])),
        observation_count=_whole("NObs", observations, 10**6),
        arc_days=number("Arc", arc, *ORBIT_RANGES["arc_days"]),
        h_mag=number("H", h, *ORBIT_RANGES["h_mag"]),
        not_seen_days=number("Not seen", not_seen, -10.0, 1e5),
    )


def _whole(name: str, word: str, high: int) -> int:
    value = number(name, word, 0, high)
    if value != int(value):
        raise FieldError(f"{name} is {word[:40]!a}: expected a whole number")
    return int(value)


def _discovered_at(year: str, month: str, day: str) -> dt.datetime:
    days = number("day of discovery", day, 1.0, 32.0)
    try:
        first = dt.datetime(_whole("year", year, 3000), _whole("month", month, 12), 1, tzinfo=dt.UTC)
    except ValueError as error:
        raise FieldError(f"the discovery is {year} {month} {day}: there is no such date") from error
    return first + dt.timedelta(days=days - 1.0)
