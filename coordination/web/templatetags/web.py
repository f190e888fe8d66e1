"""How pages write times and figures: UTC first, the site's local time beside it, units always."""

import datetime as dt
import math
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from coordination.web import times
from coordination.web.labels import said
from coordination.web.refusals import in_words
from coordination.web.target_risk import torino_in_words

register = template.Library()


@register.filter
def utc_minute(instant: dt.datetime | None) -> str:
    """2026-11-24 21:30 UTC; nothing for nothing."""
    return times.minute(instant) if instant else ""


@register.filter
def utc(instant: dt.datetime | None) -> SafeString | str:
    """The same as an element that programs can read."""
    return _element(instant, times.minute(instant)) if instant else ""


@register.filter
def clock(instant: dt.datetime | None) -> SafeString | str:
    """21:30, where the date and UTC are said beside it."""
    return _element(instant, f"{instant.astimezone(dt.UTC):%H:%M}") if instant else ""


@register.filter
def local(instant: dt.datetime | None, zone: str) -> str:
    """Local time at a site, with the zone's own abbreviation or offset; empty where the zone is not known."""
    return times.local(instant, zone) if instant else ""


@register.simple_tag
def local_span(start: dt.datetime, end: dt.datetime, zone: str) -> str:
    """22:26 – 22:46 -03."""
    return times.local_span(start, end, zone)


@register.simple_tag
def utc_span(start: dt.datetime, end: dt.datetime) -> str:
    """2026-11-24 21:30 – 03:10 (+1 d), under a heading that says UTC."""
    return times.cell(start, end)


@register.filter
def figure(value: object, places: int = 1) -> str:
    """A number with so many decimals and thousands apart; a dash for nothing."""
    return times.number(value, places) if isinstance(value, int | float) and math.isfinite(value) else "–"


@register.filter
def probability(value: float | None) -> str:
    """1 in 37,000, and as a power of ten: what is read, and what is compared."""
    if not value:
        return "–"
    return _("1 in %(n)s (%(p)s)") % {"n": times.grouped(1.0 / value, 2), "p": f"{value:.1e}"}


register.filter("said", said)
register.filter("in_words", in_words)


@register.filter
def torino(level: int) -> str:
    """What the colour of a level of the Torino scale means."""
    return torino_in_words(level)


@register.filter
def east(longitude_deg: float | None) -> str:
    """17.9° W."""
    return "–" if longitude_deg is None else times.longitude(longitude_deg)


@register.filter
def north(latitude_deg: float | None) -> str:
    """28.8° N."""
    return "–" if latitude_deg is None else times.latitude(latitude_deg)


@register.simple_tag(takes_context=True)
def page_address(context: dict[str, Any], number: int) -> str:
    """The address of another page of the same list."""
    given = context["request"].GET.copy()
    given["page"] = str(number)
    return f"?{given.urlencode()}"


def _element(instant: dt.datetime, shown: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', f"{instant.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}", shown)
