"""What stands in a calendar: slots, bookings and closures as far as the calendar's organisation may see them."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, Model, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest

from coordination.booking.models import Booking, Seat, Slot
from coordination.campaigns.models import Campaign
from coordination.common import clock
from coordination.common.actors import Actor
from observatories.models import Closure, Observatory, Telescope
from targets.models import Target

from .changes import changes, history, latest_change
from .models import CalendarFeed

BACK = dt.timedelta(days=30)  # over so long, or cancelled so long ago, is not told any more
CONFIDENTIAL = "confidential"

TENTATIVE, CONFIRMED, CANCELLED = "TENTATIVE", "CONFIRMED", "CANCELLED"
_OF_SLOTS = {
    Slot.State.DRAFT: TENTATIVE,
    Slot.State.OPEN: TENTATIVE,
    Slot.State.EXPIRED: CANCELLED,
    Slot.State.CANCELLED: CANCELLED,
}
_OF_BOOKINGS = {Booking.State.HELD: TENTATIVE, Booking.State.RELEASED: CANCELLED}


@dataclass(frozen=True)
class Entry:
    """One event. `key` never changes, `sequence` goes up with every change, `changed_at` is when the last one was."""

    key: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    status: str
    sequence: int
    changed_at: dt.datetime
    summary: str
    description: str
    location: str
    lat_lon_deg: tuple[float, float] | None
    path: str
    categories: tuple[str, ...]


def entries_of(feed: CalendarFeed) -> list[Entry]:
    """In order of time. Three queries at most, however much there is."""
    actor = Actor(organisation_ids=frozenset({feed.organisation_id}))
    since = clock.now() - BACK
    if feed.kind == CalendarFeed.Kind.CAMPAIGN:
        entries = [_of_slot(slot) for slot in _slots(feed, actor, since)]
    else:
        entries = [_of_booking(booking) for booking in _bookings(feed, actor, since)]
        entries += [_of_closure(closure) for closure in _closures(feed, actor, since)]
    return sorted(entries, key=lambda entry: (entry.starts_at, entry.key))


def _slots(feed: CalendarFeed, actor: Actor, since: dt.datetime) -> QuerySet[Slot]:
    slots: QuerySet[Slot] = Slot.objects.visible_to(actor).filter(campaign=feed.campaign, ends_at__gt=since)
    mine, taken = history(Slot, "id"), history(Booking, "seat__slot")
    slots = slots.annotate(
        sequence=changes(mine) + changes(taken),
        changed_at=Coalesce(Greatest(latest_change(mine), latest_change(taken)), "created_at"),
    )
    held = Prefetch("bookings", Booking.objects.active().select_related("organisation"), to_attr="active_bookings")
    seats = Seat.objects.select_related("telescope__observatory").prefetch_related(held)
    slots = slots.select_related("campaign", "target").prefetch_related(Prefetch("seats", seats))
    return _not_long_cancelled(slots, _OF_SLOTS, since)


def _bookings(feed: CalendarFeed, actor: Actor, since: dt.datetime) -> QuerySet[Booking]:
    bookings: QuerySet[Booking] = Booking.objects.visible_to(actor).filter(_of_feed(feed), ends_at__gt=since)
    mine = history(Booking, "id")
    bookings = bookings.annotate(
        sequence=changes(mine),
        changed_at=Coalesce(latest_change(mine), "created_at"),
        target_is_visible=Exists(Target.objects.visible_to(actor).filter(pk=OuterRef("target"))),
        campaign_is_visible=Exists(Campaign.objects.visible_to(actor).filter(pk=OuterRef("seat__slot__campaign"))),
    )
    bookings = bookings.select_related("telescope__observatory", "organisation", "target", "seat__slot__campaign")
    return _not_long_cancelled(bookings, _OF_BOOKINGS, since)


def _closures(feed: CalendarFeed, actor: Actor, since: dt.datetime) -> QuerySet[Closure]:
    closures: QuerySet[Closure] = Closure.objects.visible_to(actor).filter(_of_feed(feed), ends_at__gt=since)
    mine = history(Closure, "id")
    closures = closures.annotate(sequence=changes(mine), changed_at=Coalesce(latest_change(mine), "created_at"))
    return closures.select_related("telescope__observatory")


def _of_feed(feed: CalendarFeed) -> Q:
    """The condition on bookings and closures of one's own (what is visible) for the calendar's kind."""
    if feed.kind == CalendarFeed.Kind.TELESCOPE:
        return Q(telescope=feed.telescope)
    if feed.kind == CalendarFeed.Kind.OBSERVATORY:
        return Q(telescope__observatory=feed.observatory, telescope__organisation=feed.organisation)
    return Q()


def _not_long_cancelled(rows: QuerySet[Any], statuses: dict[Any, str], since: dt.datetime) -> QuerySet[Any]:
    over = [state for state, status in statuses.items() if status == CANCELLED]
    return rows.filter(~Q(state__in=over) | Q(changed_at__gt=since)).order_by(F("pk"))


def _of_slot(slot: Any) -> Entry:
    seats = list(slot.seats.all())
    telescopes = [seat.telescope for seat in seats]
    lines = [
        f"{slot.campaign}: {slot.get_kind_display()}; {_state(slot)}.",
        f"Claims until {_utc(slot.claim_deadline)}; sites at least {slot.min_sites}.",
        *(_line_of_seat(seat) for seat in seats),
        slot.notes,
    ]
    return Entry(
        key=f"slot-{slot.pk}",
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        status=_OF_SLOTS.get(slot.state, CONFIRMED),
        sequence=slot.sequence,
        changed_at=slot.changed_at,
        summary=f"{slot.target}: joint observation ({_state(slot)})",
        description=_lines(lines),
        location="; ".join(dict.fromkeys(str(telescope.observatory) for telescope in telescopes)),
        lat_lon_deg=_common_place([telescope.observatory for telescope in telescopes]),
        path=_path(slot),
        categories=("slot", slot.campaign.slug),
    )


def _line_of_seat(seat: Any) -> str:
    held = [f"{_state(booking)} by {booking.organisation}" for booking in seat.active_bookings]
    period = f"{seat.observe_from:%H:%M} to {seat.observe_until:%H:%M} UTC"
    return f"{_where(seat.telescope)}, {period}: {', '.join(held) or 'not claimed'}"


def _of_booking(booking: Any) -> Entry:
    """Over the occupied period: setup and slew are no time for anything else either."""
    if booking.target_id is None:
        what = booking.purpose or "local use"
    else:
        what = str(booking.target) if booking.target_is_visible else CONFIDENTIAL
    campaign = None if booking.seat is None else booking.seat.slot.campaign
    named = str(campaign) if booking.campaign_is_visible else f"a {CONFIDENTIAL} campaign"
    lines = [
        f"Observation {_utc(booking.observe_from)} to {_utc(booking.observe_until)}.",
        f"Booked by {booking.organisation}" + (f" for {named}." if campaign is not None else "."),
        "A closure falls over it." if booking.disturbed else "",
    ]
    return Entry(
        key=f"booking-{booking.pk}",
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        status=_OF_BOOKINGS.get(booking.state, CONFIRMED),
        sequence=booking.sequence,
        changed_at=booking.changed_at,
        summary=f"{what}: {booking.telescope} ({_state(booking)})",
        description=_lines(lines),
        location=_where(booking.telescope),
        lat_lon_deg=_common_place([booking.telescope.observatory]),
        path=_path(booking),
        categories=("booking", "local use" if campaign is None else "joint observation"),
    )


def _of_closure(closure: Any) -> Entry:
    return Entry(
        key=f"closure-{closure.pk}",
        starts_at=closure.starts_at,
        ends_at=closure.ends_at,
        status=CONFIRMED,
        sequence=closure.sequence,
        changed_at=closure.changed_at,
        summary=f"{closure.telescope} closed: {closure.reason}",
        description="",
        location=_where(closure.telescope),
        lat_lon_deg=_common_place([closure.telescope.observatory]),
        path=_path(closure),
        categories=("closure",),
    )


def _state(row: Any) -> str:
    return str(row.get_state_display()).lower()


def _where(telescope: Telescope) -> str:
    return f"{telescope}, {telescope.observatory}"


def _common_place(observatories: Iterable[Observatory]) -> tuple[float, float] | None:
    """Latitude and longitude of the one place that all share; an event has no second one."""
    places = {observatory.place for observatory in observatories}
    place = places.pop() if len(places) == 1 else None
    return None if place is None else (place.lat_deg, place.lon_deg)


def _path(row: Model) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def _utc(instant: dt.datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(line for line in lines if line)
