"""Parameters of the Virtual Observatory's services (IVOA DALI): names in any case, times as MJD, in UTC here."""

import datetime as dt
import math
from collections.abc import Collection, Iterable, Mapping

from django.http import HttpRequest

from coordination.common import votable
from coordination.common.problems import DomainError

VOTABLE_TYPE = votable.MEDIA_TYPE
VOTABLE, JSON = "votable", "json"
_FORMATS = {
    "votable": VOTABLE,
    VOTABLE_TYPE: VOTABLE,
    "text/xml": VOTABLE,
    "application/xml": VOTABLE,
    "json": JSON,
    "application/json": JSON,
}
_OF_DALI = frozenset({"REQUEST", "VERSION", "RUNID", "LANG"})  # sent by clients everywhere; they mean nothing here
_MJD_ZERO = dt.datetime(1858, 11, 17, tzinfo=dt.UTC)
_LAST_MJD = 2_000_000.0  # about the year 7300: within what a datetime holds

Parameters = Mapping[str, list[str]]


def to_mjd(instant: dt.datetime) -> float:
    """Modified Julian Date, UTC."""
    return (instant - _MJD_ZERO) / dt.timedelta(days=1)


def parameters(request: HttpRequest) -> Parameters:
    """Query and form together, by upper-case name. Raises DomainError for a POST that holds something else."""
    form = "application/x-www-form-urlencoded", "multipart/form-data"
    if request.method == "POST" and request.body and request.content_type not in form:
        raise DomainError(f"A POST holds a form, not {request.content_type}.", expected=" or ".join(form))
    given: dict[str, list[str]] = {}
    for source in (request.GET, request.POST):
        for name, values in source.lists():
            given.setdefault(name.upper(), []).extend(str(value).strip() for value in values)
    return given


def require_known(given: Parameters, known: Collection[str]) -> None:
    """Raises DomainError for a parameter that is not known, or is empty: a misspelt one that is silently ignored would
    answer with everything.
    """
    expected = ", ".join(sorted(known))
    for name, values in given.items():
        if name in _OF_DALI:
            continue
        if name not in known:
            shown = name[:40]
            raise DomainError(f"{shown} is not a parameter here; there are {expected}.", field=shown, expected=expected)
        if not all(values):
            raise DomainError(f"{name} is empty: give a value, or leave it out.", field=name)


def one(given: Parameters, name: str) -> str | None:
    """The value of a parameter that is given once at most."""
    values = given.get(name, [])
    if len(values) > 1:
        raise DomainError(f"{name} is given {len(values)} times: give it once.", field=name, expected="one value")
    return values[0] if values else None


def number(name: str, text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:  # NaN fails too
        raise DomainError(
            f"{name} is {text[:40]!r}: expected a number from {least:g} to {most:g}.",
            field=name.partition(" ")[0],
            value=text[:40],
        )
    return value


def position(given: Parameters) -> tuple[float, float] | None:
    """POS: right ascension and declination, ICRS degrees."""
    text = one(given, "POS")
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) != 2:
        raise DomainError(f"POS is {text[:40]!r}: expected ra,dec in degrees, such as 52,-27.8.", field="POS")
    return number("POS (right ascension)", parts[0], 0.0, 360.0), number("POS (declination)", parts[1], -90.0, 90.0)


def time_range(given: Parameters, now: dt.datetime) -> tuple[dt.datetime | None, dt.datetime | None]:
    """TIME: t0/t1 (or t0 t1) in MJD; an open or missing start is now, an open or missing end None."""
    text = one(given, "TIME")
    if text is None:
        return now, None
    parts = text.split("/") if "/" in text else text.split()
    if len(parts) != 2:
        raise DomainError(f"TIME is {text[:40]!r}: expected t0/t1 in MJD, such as 61368/61370.5.", field="TIME")
    ends = [
        None if part.strip().lower().lstrip("+-") in ("", "inf") else number("TIME (MJD)", part, 0.0, _LAST_MJD)
        for part in parts
    ]
    start, end = (None if mjd is None else _MJD_ZERO + dt.timedelta(days=mjd) for mjd in ends)
    if start is not None and end is not None and end <= start:
        raise DomainError(f"TIME is {text[:40]!r}: expected an end later than the start.", field="TIME")
    return start or now, end


def maxrec(given: Parameters, default: int, most: int) -> int:
    """How many rows to answer with; 0 asks for the columns only. More than `most` is `most`."""
    text = one(given, "MAXREC")
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise DomainError(f"MAXREC is {text[:40]!r}: expected a whole number from 0.", field="MAXREC")
    return min(int(text[:20]), most)


def response_format(given: Parameters, offered: Iterable[str]) -> str:
    """RESPONSEFORMAT: a short name or a media type, the first offered if it is missing."""
    offered = list(offered)
    text = one(given, "RESPONSEFORMAT")
    if text is None:
        return offered[0]
    found = _FORMATS.get(text.partition(";")[0].strip().lower())
    if found not in offered:
        expected = ", ".join(name for name, form in _FORMATS.items() if form in offered)
        raise DomainError(f"RESPONSEFORMAT {text[:60]!r} is not offered; there are {expected}.", field="RESPONSEFORMAT")
    return found
