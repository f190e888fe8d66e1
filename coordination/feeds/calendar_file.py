"""Entries as an iCalendar file (RFC 5545), which calendar programs subscribe to."""

import datetime as dt
import re
from collections.abc import Iterable

from icalendar import Calendar, Event

from .calendar_entries import Entry

PRODUCT = "-//NEO Coordination//calendar feeds//EN"
REFRESH = dt.timedelta(minutes=15)

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")  # of which RFC 5545 lets none but the tab into a text


def calendar_file(name: str, entries: Iterable[Entry], base_url: str, host: str) -> bytes:
    """CRLF, folded at 75 octets, the same bytes for the same entries. `host` is in the UIDs: it must not change."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", _text(name))
    calendar.add("x-wr-timezone", "UTC")
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT15M")
    for entry in entries:
        calendar.add_component(_event(entry, base_url, host))
    return bytes(calendar.to_ical())


def _event(entry: Entry, base_url: str, host: str) -> Event:
    event = Event()
    changed = _whole_seconds(entry.changed_at)
    event.add("uid", f"{entry.key}@{host}")
    event.add("dtstamp", changed)  # without METHOD: when what is told was last revised
    event.add("last-modified", changed)
    event.add("sequence", entry.sequence)
    event.add("dtstart", _whole_seconds(entry.starts_at))
    event.add("dtend", _whole_seconds(entry.ends_at))
    event.add("status", entry.status)
    event.add("summary", _text(entry.summary))
    if entry.description:
        event.add("description", _text(entry.description))
    event.add("location", _text(entry.location))
    if entry.lat_lon_deg is not None:
        event.add("geo", tuple(round(value, 6) for value in entry.lat_lon_deg))
    event.add("url", base_url + entry.path)
    event.add("categories", [_text(category) for category in entry.categories])
    event.add("transp", "TRANSPARENT" if entry.status == "CANCELLED" else "OPAQUE")
    return event


def _whole_seconds(instant: dt.datetime) -> dt.datetime:
    return instant.astimezone(dt.UTC).replace(microsecond=0)


def _text(text: str) -> str:
    return _CONTROL.sub(" ", text.replace("\r\n", "\n"))
