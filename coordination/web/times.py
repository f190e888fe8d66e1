"""Times and numbers in words: UTC, and local time of a site."""

import datetime as dt
import functools
import zoneinfo

from django.utils.translation import get_language


def minute(instant: dt.datetime) -> str:
    """2026-11-24 21:30 UTC."""
    return f"{instant.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def span(start: dt.datetime, end: dt.datetime) -> str:
    """2026-11-24 21:30 to 23:10 UTC; the date again where it is another."""
    start, end = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M} to {until} UTC"


def cell(start: dt.datetime, end: dt.datetime) -> str:
    """2026-11-24 21:30 – 03:10 (+1 d), under a heading that says UTC."""
    start, end = start.astimezone(dt.UTC), end.astimezone(dt.UTC)
    days = (end.date() - start.date()).days
    return f"{start:%Y-%m-%d %H:%M} – {end:%H:%M}{f' (+{days} d)' if days else ''}"


def local_span(start: dt.datetime, end: dt.datetime, zone: str) -> str:
    """22:26 – 22:46 -03, with the date first where it differs from that in UTC; empty for an unknown zone."""
    known = zone_of(zone)
    if known is None:
        return ""
    first, last = start.astimezone(known), end.astimezone(known)
    day = f"{first:%Y-%m-%d} " if first.date() != start.astimezone(dt.UTC).date() else ""
    return f"{day}{first:%H:%M} – {last:%H:%M} {last.tzname()}"


def local(instant: dt.datetime, zone: str) -> str:
    """17:30 -04 (or MST …), with the date where it differs from that in UTC; empty for an unknown zone."""
    known = zone_of(zone)
    if known is None:
        return ""
    there = instant.astimezone(known)
    day = f"{there:%Y-%m-%d} " if there.date() != instant.astimezone(dt.UTC).date() else ""
    return f"{day}{there:%H:%M} {there.tzname()}"


@functools.cache
def zone_of(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None


def longitude(deg: float) -> str:
    """17.9° W."""
    return f"{abs(deg):.1f}° {'E' if deg >= 0 else 'W'}"


def latitude(deg: float) -> str:
    return f"{abs(deg):.1f}° {'N' if deg >= 0 else 'S'}"


def number(value: float, places: int = 0) -> str:
    """1,234.5, and where commas are decimal signs 1 234.5, which is read the same everywhere."""
    return apart(f"{value:,.{places}f}")


def grouped(value: float, digits: int) -> str:
    """37,000: to so many significant digits."""
    return apart(f"{float(f'{value:.{digits}g}'):,.0f}")


def apart(text: str) -> str:
    """A number as Python writes it, its thousands apart as the reader's language has it."""
    return text if (get_language() or "en").startswith("en") else text.replace(",", "\u202f")
