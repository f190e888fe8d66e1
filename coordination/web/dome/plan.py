"""What a night plan says: one telescope, one night, what is booked there for whom the reader may know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.db.models import Q

from coordination.booking.models import Booking, Slot
from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.problems import DomainError, UnknownError
from coordination.visibility.almanac import Almanac, almanac
from coordination.visibility.rows import Column
from coordination.visibility.target_ephemeris import target_ephemeris
from observatories.models import Closure, Telescope
from targets.models import Target
from targets.services.ephemerides import planets

SHOWN_STATES = (Booking.State.HELD, Booking.State.CONFIRMED, Booking.State.DONE, Booking.State.FAILED)


@dataclass(frozen=True)
class Position:
    """Of a target at an instant: astrometric place (ICRF), azimuth and airless altitude; NaN uncertainty: not known."""

    ra_deg: float
    dec_deg: float
    az_deg: float
    alt_deg: float
    rate_arcsec_min: float
    pa_deg: float
    v_mag: float
    sun_alt_deg: float
    moon_sep_deg: float
    unc_major_arcsec: float  # 1-sigma
    unc_minor_arcsec: float
    unc_pa_deg: float
    at: dt.datetime
    orbit_trust: str


@dataclass(frozen=True)
class Entry:
    """One booking. `target` None: none, or one of which the reader may not know (`is_secret`)."""

    booking: Booking
    target: Target | None
    is_secret: bool
    slot: Slot | None
    positions: tuple[Position, ...] = ()
    refusal: str = ""  # why there are no positions
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class NightPlan:
    telescope: Telescope
    night: dt.date
    sky: Almanac
    zone: ZoneInfo
    entries: tuple[Entry, ...]
    closures: tuple[Closure, ...]
    made_at: dt.datetime = field(default_factory=clock.now)


def night_plan(telescope_id: int, night: dt.date, actor: Actor) -> NightPlan:
    """Raises UnknownError for who neither belongs to the operator nor holds time there that night; DomainError for a
    telescope without a place, and nights that are not known.
    """
    telescope = Telescope.objects.select_related("observatory", "organisation").filter(pk=telescope_id).first()
    if telescope is None:
        raise UnknownError("There is no such telescope.")
    place = telescope.observatory.place
    if place is None:
        raise DomainError(f"{telescope} has no fixed place: it has no nights.", field="telescope")
    try:
        sky = almanac(place, night, planets())
    except (ValueError, OverflowError) as error:
        raise DomainError(str(error), field="night", value=str(night)) from error
    bookings = list(
        Booking.objects.visible_to(actor)
        .filter(telescope=telescope, state__in=SHOWN_STATES, starts_at__lt=sky.ends_at, ends_at__gt=sky.starts_at)
        .select_related("organisation", "target", "claim__slot__campaign")
        .order_by("observe_from")
    )
    own = actor.sees_everything or telescope.organisation_id in actor.organisation_ids
    if not own and not bookings:
        raise UnknownError("There is no such telescope.")
    closures = Closure.objects.visible_to(actor).filter(
        telescope=telescope, starts_at__lt=sky.ends_at, ends_at__gt=sky.starts_at
    )
    zone = ZoneInfo(telescope.observatory.time_zone or "UTC")
    return NightPlan(telescope, night, sky, zone, _entries(bookings, telescope, actor), tuple(closures))


def booking_for(booking_id: int, actor: Actor) -> Booking:
    """A booking whose content the reader may see, target included. Raises UnknownError."""
    targets = Target.objects.visible_to(actor)
    booking = (
        Booking.objects.visible_to(actor)
        .filter(Q(target=None) | Q(target__in=targets), pk=booking_id)
        .select_related("telescope__observatory", "target")
        .first()
    )
    if booking is None:
        raise UnknownError("There is no such booking.")
    if booking.target is None:
        raise DomainError("This booking names no target, so there is nothing to follow.", field="target")
    return booking


def _entries(bookings: Sequence[Booking], telescope: Telescope, actor: Actor) -> tuple[Entry, ...]:
    target_ids = {booking.target_id for booking in bookings if booking.target_id}
    known = set(Target.objects.visible_to(actor).filter(pk__in=target_ids).values_list("pk", flat=True))
    slots = set(
        Slot.objects.visible_to(actor)
        .filter(pk__in=[booking.claim.slot_id for booking in bookings if booking.claim])
        .values_list("pk", flat=True)
    )
    return tuple(_entry(booking, telescope, known, slots) for booking in bookings)


def _entry(booking: Booking, telescope: Telescope, known: set[int], slots: set[int]) -> Entry:
    slot = booking.claim.slot if booking.claim and booking.claim.slot_id in slots else None
    target = booking.target if booking.target_id in known else None
    notes = tuple(text for text in (booking.purpose, slot.notes if slot else "", booking.result_note) if text.strip())
    positions: tuple[Position, ...] = ()
    refusal = ""
    if target is not None:
        middle = booking.observe_from + (booking.observe_until - booking.observe_from) / 2
        try:
            positions = _positions(target, telescope, (booking.observe_from, middle, booking.observe_until))
        except DomainError as error:
            refusal = error.detail
    is_secret = booking.target_id is not None and target is None
    return Entry(booking, target, is_secret, slot, positions, refusal, notes)


def _positions(target: Target, telescope: Telescope, instants: Sequence[dt.datetime]) -> tuple[Position, ...]:
    columns = {column.name: column for column in target_ephemeris([target.pk], telescope, instants)}
    names = ("ra_deg", "dec_deg", "az_deg", "alt_deg", "rate_arcsec_min", "pa_deg", "v_mag", "sun_alt_deg",
             "moon_sep_deg", "unc_major_arcsec", "unc_minor_arcsec", "unc_pa_deg")  # fmt: skip
    numbers = zip(*(columns[name].values.tolist() for name in names), strict=True)
    times, trust = _texts(columns["utc"]), _texts(columns["orbit_trust"])
    return tuple(
        Position(**dict(zip(names, row, strict=True)), at=dt.datetime.fromisoformat(at), orbit_trust=level)
        for at, row, level in zip(times, numbers, trust, strict=True)
    )


def _texts(column: Column) -> list[str]:
    return [str(value) for value in column.values]
