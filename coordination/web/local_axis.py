"""Full hours of a place's own time, for an axis beside that of UTC."""

import datetime as dt

from .times import zone_of


def local_hours(start: dt.datetime, end: dt.datetime, zone: str) -> list[tuple[dt.datetime, str]]:
    """Instants at which clocks there show a full hour, with what they show; none for an unknown zone."""
    known = zone_of(zone)
    if known is None:
        return []
    first = start.astimezone(known)
    at = start - dt.timedelta(minutes=first.minute, seconds=first.second, microseconds=first.microsecond)
    found = []
    while at <= end:
        if at >= start:
            found.append((at, f"{at.astimezone(known):%H:%M}"))
        at += dt.timedelta(hours=1)
    return found
