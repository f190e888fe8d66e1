"""A night of a telescope as its staff plan it: Sun and Moon, what is taken, what is free."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from coordination.booking.models import Booking
from coordination.booking.occupancy import free_intervals
from coordination.common.actors import Actor
from coordination.common.intervals import Interval
from coordination.common.problems import DomainError
from coordination.visibility.almanac import Almanac, almanac
from observatories.models import Closure, Telescope
from targets.models import Target
from targets.services.ephemerides import planets

from .. import times
from ..plots.bars import Bar

HALF_HOUR = dt.timedelta(minutes=30)
SHOWN = (*Booking.ACTIVE, Booking.State.DONE, Booking.State.FAILED)


@dataclass(frozen=True)
class Night:
    """What is known of a night before targets are looked at. `bookings` are those that the reader may see."""

    telescope: Telescope
    label: dt.date
    sky: Almanac
    bookings: tuple[Any, ...]
    closures: tuple[Closure, ...]
    free: tuple[Interval, ...]

    @property
    def zone(self) -> str:
        return self.telescope.observatory.time_zone

    @property
    def shown(self) -> Interval:
        """From half an hour before sunset to half an hour after sunrise; from noon to noon where the Sun does not
        set or rise.
        """
        sunset = self.sky.sun[0]
        begins = self.sky.starts_at if sunset.begins_at is None else sunset.begins_at - HALF_HOUR
        ends = self.sky.ends_at if sunset.ends_at is None else sunset.ends_at + HALF_HOUR
        return begins, ends

    @property
    def free_hours(self) -> float:
        return sum((end - start).total_seconds() for start, end in self.free) / 3600.0

    @property
    def active(self) -> list[Any]:
        return [booking for booking in self.bookings if booking.state in Booking.ACTIVE]


def night_at(telescope: Telescope, label: dt.date, actor: Actor) -> Night:
    """Four queries. Raises DomainError for a telescope without a place, and nights that are not known."""
    place = telescope.observatory.place
    if place is None:
        raise DomainError(
            _("%(telescope)s has no fixed place: it has no nights.") % {"telescope": telescope}, field="telescope"
        )
    try:
        sky = almanac(place, label, planets())
    except (ValueError, OverflowError) as error:
        raise DomainError(str(error), field="night", value=str(label)) from error
    span = {"telescope": telescope, "starts_at__lt": sky.ends_at, "ends_at__gt": sky.starts_at}
    bookings = told_bookings(actor).filter(state__in=SHOWN, **span).order_by("observe_from")
    closures = Closure.objects.visible_to(actor).filter(**span).order_by("starts_at")
    free = free_intervals(telescope, sky.starts_at, sky.ends_at)
    parts = tuple((part.starts_at, part.ends_at) for part in free)
    return Night(telescope, label, sky, tuple(bookings), tuple(closures), parts)


def told_bookings(actor: Actor) -> Any:
    """Bookings that the actor may see, with `names_target`: whether the target may be named too."""
    named = Target.objects.visible_to(actor).filter(pk=OuterRef("target"))
    bookings: Any = Booking.objects.visible_to(actor).annotate(names_target=Exists(named))
    return bookings.select_related("telescope__observatory", "organisation", "target", "claim")


def what_for(booking: Any) -> str:
    """Target and purpose, as far as they may be told."""
    target: object = booking.target
    if target is not None and not booking.names_target:
        target = _("a target that is not public")
    told = [str(each) for each in (target, booking.purpose) if each]
    return ", ".join(told) or (_("seat of a slot") if booking.claim_id else _("local use"))


def booking_bar(booking: Any) -> Bar:
    """Setup and slew belong to the bar: the telescope is occupied."""
    tip = f"{what_for(booking)}, {booking.organisation.slug}, {booking.get_state_display()}: " + times.span(
        booking.observe_from, booking.observe_until
    )
    return Bar(booking.starts_at, booking.ends_at, f"taken {booking.state}", tip, f"booking-{booking.pk}")


def closure_bar(closure: Closure) -> Bar:
    return Bar(closure.starts_at, closure.ends_at, "closed", f"{closure.reason}: " + times.span(
        closure.starts_at, closure.ends_at
    ))  # fmt: skip


def longest_free(
    night: Night, windows: Sequence[Interval], peak: dt.datetime, now: dt.datetime, longest: dt.timedelta
) -> Interval | None:
    """What to propose for an observation: inside a window and free time, setup and slew included, not in the past, as
    near as can be to when the target is highest, and not longer than `longest`.
    """
    before = dt.timedelta(seconds=night.telescope.setup_s + night.telescope.slew_s)
    parts = [
        (max(start, begun + before, now + before), min(end, over))
        for start, end in windows
        for begun, over in night.free
    ]
    parts = [(_up_to_minute(start), _down_to_minute(end)) for start, end in parts]
    parts = [(start, end) for start, end in parts if end - start >= dt.timedelta(minutes=5)]
    if not parts:
        return None

    def worth(part: Interval) -> tuple[dt.timedelta, dt.timedelta]:
        away = max(part[0] - peak, peak - part[1], dt.timedelta())
        return min(part[1] - part[0], longest), -away

    start, end = max(parts, key=worth)
    if end - start <= longest:
        return start, end
    begins = min(max(_down_to_minute(peak - longest / 2), start), end - longest)
    return begins, begins + longest


def _down_to_minute(instant: dt.datetime) -> dt.datetime:
    return instant.replace(second=0, microsecond=0)


def _up_to_minute(instant: dt.datetime) -> dt.datetime:
    down = _down_to_minute(instant)
    return down if down == instant else down + dt.timedelta(minutes=1)
