"""How periods and states look on the pages of this room."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from coordination.common.desk import actor_for, link
from coordination.common.problems import DomainError
from coordination.visibility.almanac import night_of
from observatories.models import Telescope
from targets.models import Target

from ..models import Booking, Slot
from ..services.telling import period_text

SLOT_COLOURS = {
    "draft": "info", "open": "warning", "confirmed": "success", "in progress": "primary", "completed": "primary",
    "expired": "danger", "cancelled": "danger",
}  # fmt: skip
SEAT_COLOURS = {
    "open": "info", "waiting": "warning", "held": "warning", "confirmed": "success", "blocked": "danger",
    "done": "primary",
}  # fmt: skip
CLAIM_COLOURS = {
    "waiting": "warning", "held": "warning", "confirmed": "success", "withdrawn": "danger", "released": "danger",
    "done": "primary",
}  # fmt: skip
BOOKING_COLOURS = {
    "held": "warning", "confirmed": "success", "done": "primary", "failed": "danger", "released": "danger",
}  # fmt: skip


def at_place(telescope: Telescope, starts_at: dt.datetime, ends_at: dt.datetime) -> str:
    """A period in UTC, and as the clocks at the telescope show it."""
    return format_html(
        "{}<br><small>{}</small>", period_text(starts_at, ends_at), local_text(telescope, starts_at, ends_at)
    )


def local_text(telescope: Telescope, starts_at: dt.datetime, ends_at: dt.datetime) -> str:
    zone = telescope.observatory.time_zone
    if not zone:
        return ""
    starts_at, ends_at = (instant.astimezone(ZoneInfo(zone)) for instant in (starts_at, ends_at))
    return f"{starts_at:%m-%d %H:%M} to {ends_at:%H:%M} in {zone}"


def print_links(booking: Booking, *, with_target: bool) -> str:
    """To what is printed for the dome, by the names of its addresses: the pages are of the room above."""
    place, links = booking.telescope.observatory.place, []
    if place is not None:
        night = night_of(place, booking.observe_from)
        links.append((reverse("dome-plan", args=[booking.telescope_id, str(night)]), "plan of the night"))
        if with_target:
            links.append((reverse("dome-ephemeris-csv", args=[booking.pk]), "ephemeris as CSV"))
            links.append((reverse("dome-ephemeris-json", args=[booking.pk]), "as JSON"))
    shown = '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'
    return format_html_join(" · ", shown, links) or "-"


def paragraphs(rows: Iterable[tuple[object, object]]) -> str:
    """A line of each row, its second part under the first."""
    return format_html_join(mark_safe("<br>"), "{}<br>{}", rows)


def yield_in_words(slot: Slot) -> list[str]:
    """What is expected of a slot, a line for each figure that is known."""
    told = slot.expected_yield or {}

    def known(key: str, text: str) -> list[str]:
        return [text.format(told[key])] if told.get(key) is not None else []

    return [
        *known("sites", "{:.0f} sites"),
        *known("baseline_km", "projected baseline {:,.0f} km"),
        *known("parallax_arcsec", "parallax {:g} arcsec between the two farthest sites"),
        *([f"distance to {100.0 * told['range_error_fraction']:.2g} %"] if told.get("range_error_fraction") else []),
        *known("range_error_km", "that is {:,.0f} km"),
        *known("distance_au", "at {:.4f} au"),
        *known("lowest_altitude_deg", "altitude {:.0f} deg or more"),
        *known("faintest_v_mag", "V {:.1f} at the faintest"),
        *known("least_v_margin_mag", "{:.1f} mag above the limit of the weakest telescope"),
        *known("coverage_h", "{:.1f} h covered"),
        *([f"{told['covered_fraction']:.0%} of the slot covered"] if told.get("covered_fraction") else []),
        *([f"{told['rotation_fraction']:.0%} of the rotation"] if told.get("rotation_fraction") else []),
        *known("largest_gap_minutes", "largest gap {:.0f} min"),
    ]


def other_booking(request: HttpRequest, error: DomainError) -> str:
    """The booking that is in the way, named and linked for who may see it; also where the database found it, when two
    were entered at once.
    """
    met = error.extra.get("conflict") or {}
    if met.get("kind") != "booking" or "telescope" not in met:
        return ""
    times = {name: parse_datetime(met[name]) for name in ("starts_at", "ends_at")}
    targets = Target.objects.visible_to(actor_for(request)).filter(pk=OuterRef("target"))
    visible = Booking.objects.visible_to(actor_for(request)).active().filter(telescope=met["telescope"], **times)
    booking: Any = visible.annotate(names_target=Exists(targets)).select_related("organisation", "target").first()
    if booking is None:
        return ""
    named = (booking.target if booking.names_target else None, booking.purpose, booking.organisation)
    what = ", ".join(str(each) for each in named if each)
    return format_html(_("In the way: {} ({})."), link(booking, _("booking %d") % booking.pk), what)


def period_panel(given: Mapping[str, object], besides: int | None = None) -> str:
    """Beside a form with a period: what is taken and free around it, drawn by the room above and redrawn as one types;
    without script a picture of what the form came with.
    """
    query = urlencode({name: str(value) for name, value in given.items() if value})
    picture = f"{reverse('desk:timeline-file')}?{query}" if {"telescope", "observe_from"} <= given.keys() else ""
    shown = (
        format_html('<img src="{}" alt="{}">', picture, _("What is taken and free in that night")) if picture else ""
    )
    return format_html(
        '<link rel="stylesheet" href="{}"><link rel="stylesheet" href="{}">'
        '<div class="desk-aside" data-timeline="{}" data-besides="{}" role="status">{}</div>',
        static("web/plots.css"), static("web/desk.css"), reverse("desk:timeline"), besides or "", shown,
    )  # fmt: skip


def typed_period(form: Any) -> dict[str, object]:
    """Telescope, target and times of a form as they stand in it, for the panel."""
    found: dict[str, object] = {}
    for name in ("telescope", "target"):
        if name in form.fields:
            value = form[name].value()
            found[name] = getattr(value, "pk", value)
    for name in ("observe_from", "observe_until"):
        value = form[name].value()
        if isinstance(value, list):
            value = parse_datetime("T".join(str(part) for part in value) + "Z") if all(value) else None
        if isinstance(value, dt.datetime):
            found[name] = value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return found
