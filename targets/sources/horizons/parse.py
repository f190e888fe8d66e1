"""JPL Horizons (`horizons.api` 1.x): observer tables and vectors, from between `$$SOE` and `$$EOE`.

What is asked for is written in `client`: CSV, angles in degrees, au and days. A table that says otherwise is refused.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.common.providers.errors import Ambiguous, Nonsense, NotFound, Wrong
from coordination.common.providers.reading import (
    FieldError,
    instant,
    json_object,
    number,
    reading,
    require_signature,
    shown,
)
from targets.designations import key_of, taken_apart
from targets.sources.records import EPOCH_JD_RANGE

FloatArray = NDArray[np.float64]

PROVIDER = "horizons"
VERSIONS = ("1.0", "1.1", "1.2", "1.3")
_MOST_ROWS = 100_000
_NAMED = re.compile(r"^Target body name: (.+?) *\{source: (.*?)\}", re.MULTILINE)
_CANDIDATE = re.compile(r"^ +(\d{5,9}) {2,}.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Header:
    """What was computed, and from which solution."""

    body: str  # such as "99942 Apophis (2004 MN4)"
    solution: str  # such as "JPL#220"
    center: str
    site: str
    has_covariance: bool


@dataclass(frozen=True)
class ObserverTable:
    """Airless places in ICRF, astrometric, one a row; arrays (n,). None for what was not asked for, or where Horizons
    has "n.a." in any row (altitudes at the Earth's centre, magnitudes without H). Sigmas are 1-sigma here.
    """

    header: Header
    times: tuple[dt.datetime, ...]  # UTC, increasing
    ra_deg: FloatArray
    dec_deg: FloatArray
    r_au: FloatArray | None
    delta_au: FloatArray | None
    ra_rate_arcsec_h: FloatArray | None  # times cos(dec)
    dec_rate_arcsec_h: FloatArray | None
    azimuth_deg: FloatArray | None
    altitude_deg: FloatArray | None
    v_mag: FloatArray | None  # of a comet the total magnitude
    elongation_deg: FloatArray | None
    phase_deg: FloatArray | None
    ra_sigma_arcsec: FloatArray | None  # times cos(dec)
    dec_sigma_arcsec: FloatArray | None


@dataclass(frozen=True)
class VectorTable:
    """Geometric states in ICRF; arrays (n,) and (n, 3)."""

    header: Header
    tdb_jd: FloatArray  # increasing
    position_au: FloatArray
    velocity_au_d: FloatArray


def parse_observer(body: bytes, asked: str = "", versions: Sequence[str] = VERSIONS) -> ObserverTable:
    """An observer table. Raises Nonsense, NotFound, Ambiguous."""
    text = _text(body, versions)
    with reading(PROVIDER, body):
        header, columns, rows = _table(text, body, asked)
        if "Date__(UT)" not in columns[0]:
            raise FieldError(f"the first column is {shown(columns[0])}: expected times in UT")
        times = tuple(instant("the time", row[0].lstrip()) for row in rows)
        if any(later <= earlier for earlier, later in itertools.pairwise(times)):
            raise FieldError("the times do not increase")
        wanted = _Columns(columns, rows)
        ra_sigma, dec_sigma = (wanted.maybe(name, 0.0, 1e12) for name in ("RA_3sigma", "DEC_3sigma"))
        return ObserverTable(
            header=header,
            times=times,
            ra_deg=wanted.required("R.A._(ICRF)", 0.0, 360.0),
            dec_deg=wanted.required("DEC_(ICRF)", -90.0, 90.0),
            r_au=wanted.maybe("r", 0.0, 1e6),
            delta_au=wanted.maybe("delta", 0.0, 1e6),
            ra_rate_arcsec_h=wanted.maybe("dRA*cosD", -1e9, 1e9),
            dec_rate_arcsec_h=wanted.maybe("d(DEC)/dt", -1e9, 1e9),
            azimuth_deg=wanted.maybe("Azi_(a-app)", 0.0, 360.0),
            altitude_deg=wanted.maybe("Elev_(a-app)", -90.0, 90.0),
            v_mag=wanted.maybe("T-mag" if "T-mag" in columns else "APmag", -50.0, 200.0),
            elongation_deg=wanted.maybe("S-O-T", 0.0, 180.0),
            phase_deg=wanted.maybe("S-T-O", 0.0, 180.0),
            ra_sigma_arcsec=None if ra_sigma is None else ra_sigma / 3.0,
            dec_sigma_arcsec=None if dec_sigma is None else dec_sigma / 3.0,
        )


def parse_vectors(body: bytes, asked: str = "", versions: Sequence[str] = VERSIONS) -> VectorTable:
    """A table of states. Raises Nonsense, NotFound, Ambiguous."""
    text = _text(body, versions)
    with reading(PROVIDER, body):
        header, columns, rows = _table(text, body, asked)
        for title, expected in (("Output units", "AU-D"), ("Reference frame", "ICRF"), ("Output type", "GEOMETRIC")):
            if not _line(text, title).startswith(expected):
                raise FieldError(f"{title} is {shown(_line(text, title))}: expected {expected}")
        wanted = _Columns(columns, rows)
        tdb_jd = wanted.required("JDTDB", *EPOCH_JD_RANGE)
        if (np.diff(tdb_jd) <= 0.0).any():
            raise FieldError("the times do not increase")
        position = [wanted.required(name, -1e6, 1e6) for name in ("X", "Y", "Z")]
        velocity = [wanted.required(name, -1e3, 1e3) for name in ("VX", "VY", "VZ")]
        return VectorTable(header, tdb_jd, np.stack(position, axis=1), np.stack(velocity, axis=1))


def _text(body: bytes, versions: Sequence[str]) -> str:
    """The text of a reply, which may be wrapped into JSON. Raises Nonsense."""
    stripped = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if stripped.startswith(b"{"):
        reply = json_object(PROVIDER, stripped)
        require_signature(PROVIDER, reply, versions, body)
        result = reply.raw.get("result", reply.raw.get("error"))
        if not isinstance(result, str):
            raise Nonsense(PROVIDER, "it has no result", Wrong.FIELD, body)
        return result
    try:
        text = stripped.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Nonsense(PROVIDER, "no plain text", Wrong.UNREADABLE, body) from error
    version = re.match(r"API VERSION: (\S{1,20})", text)
    if version is None or version[1] not in versions:
        message = f"the version of its format is {shown(version[1] if version else None)}, not {' or '.join(versions)}"
        raise Nonsense(PROVIDER, message, Wrong.SIGNATURE, body)
    return text


def _table(text: str, body: bytes, asked: str) -> tuple[Header, list[str], list[list[str]]]:
    """What the table is about, its titles and its rows. Raises FieldError, Nonsense, NotFound, Ambiguous."""
    before, start, rest = text.partition("$$SOE")
    if not start:
        raise _refusal(text, body)
    inside, end, _ = rest.partition("$$EOE")
    if not end:
        raise Nonsense(PROVIDER, "the table is cut off: it has no $$EOE", Wrong.UNREADABLE, body)
    header = _header(before)
    if asked and not _is_called(header.body, asked):
        raise Nonsense(PROVIDER, f"asked for {shown(asked)}, it answers {shown(header.body)}", Wrong.OBJECT, body)
    titles = [line for line in before.splitlines() if line.strip() and not line.startswith("*")]
    columns = [title.strip() for title in titles[-1].split(",")] if titles else []
    rows = [line.split(",") for line in inside.splitlines() if line.strip()]
    if not rows or len(rows) > _MOST_ROWS or len(columns) < 3:
        raise FieldError(f"the table has {len(rows)} rows and {len(columns)} columns")
    if any(len(row) != len(columns) for row in rows):
        raise FieldError(f"a row of the table has not {len(columns)} columns, as its titles have")
    return header, columns, rows


def _header(before: str) -> Header:
    named = _NAMED.search(before)
    if named is None:
        raise FieldError("the name of the body is missing")
    return Header(
        body=named[1].strip()[:200],
        solution=named[2].strip()[:60],
        center=re.sub(r" *\{.*", "", _line(before, "Center body name"))[:200],
        site=_line(before, "Center-site name")[:200],
        has_covariance="(+COV)" in before,
    )


def _line(text: str, title: str) -> str:
    match = re.search(rf"^{re.escape(title)} *: *(.*?) *$", text, re.MULTILINE)
    return match[1] if match else ""


def _is_called(name: str, asked: str) -> bool:
    own, called = taken_apart(name), taken_apart(asked)
    keys = {key_of(text) for text in (name, own.number, own.provisional, own.name, *re.split(r"[/()]", name)) if text}
    return any(key_of(text) in keys for text in (asked, called.number, called.provisional, called.name) if text)


def _refusal(text: str, body: bytes) -> Exception:
    """What it says in the place of a table."""
    if candidates := _CANDIDATE.findall(text):
        return Ambiguous(PROVIDER, "several records match", tuple(candidates[:100]))
    lowered = text.lower()
    if "no matches found" in lowered or "unknown target" in lowered:
        return NotFound(PROVIDER, "no matches found")
    said = " ".join(line for line in text.splitlines() if line.strip() and not line.startswith(("API ", "*")))
    return Nonsense(PROVIDER, f"it has no table, and says: {shown(said[:200])}", Wrong.UNREADABLE, body)


class _Columns:
    """The columns of a table by their titles."""

    def __init__(self, columns: list[str], rows: list[list[str]]) -> None:
        self.columns, self.rows = columns, rows

    def required(self, title: str, low: float, high: float) -> FloatArray:
        if self.columns.count(title) != 1:
            raise FieldError(f"the column {title} is {'missing' if title not in self.columns else 'there twice'}")
        place = self.columns.index(title)
        return np.array([number(title, row[place], low, high) for row in self.rows])

    def maybe(self, title: str, low: float, high: float) -> FloatArray | None:
        if title not in self.columns:
            return None
        place = self.columns.index(title)
        if any(row[place].strip() in ("n.a.", "") for row in self.rows):
            return None
        return self.required(title, low, high)
