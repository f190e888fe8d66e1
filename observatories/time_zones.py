"""The time zone of a place, offline."""

import functools

from timezonefinder import TimezoneFinder

from .sites.geodesy import Place


@functools.cache
def _finder() -> TimezoneFinder:
    return TimezoneFinder()  # reads its polygons once per process


def time_zone_of(place: Place) -> str:
    """IANA name, such as America/Santiago; at sea the nautical zone, such as Etc/GMT+10."""
    return _finder().timezone_at(lng=place.lon_east_deg, lat=place.lat_deg) or "UTC"
