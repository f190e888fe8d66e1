"""The state of a seat, which is never stored: it follows from bookings, claims and closures."""

import datetime as dt

from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    TextChoices,
    Value,
    When,
)

from observatories.models import Closure, Telescope

from .models import Booking, Claim, ClaimedSeat, Seat


class SeatState(TextChoices):
    OPEN = "open"
    WAITING = "waiting", "waiting: a claim waits for it"
    HELD = "held"
    CONFIRMED = "confirmed"
    BLOCKED = "blocked", "blocked: its telescope is otherwise booked, closed or out of use"
    DONE = "done"


def with_state(seats: QuerySet[Seat]) -> QuerySet[Seat]:
    """Seats with `state` (SeatState) and `occupied_from`, where setup and slew begin."""
    second = Value(dt.timedelta(seconds=1), output_field=DurationField())
    before = ExpressionWrapper(
        second * (F("telescope__setup_s") + F("telescope__slew_s")), output_field=DurationField()
    )
    seats = seats.annotate(occupied_from=ExpressionWrapper(F("observe_from") - before, output_field=DateTimeField()))
    mine = Booking.objects.filter(seat=OuterRef("pk"))
    overlapping = {
        "telescope": OuterRef("telescope"),
        "starts_at__lt": OuterRef("observe_until"),
        "ends_at__gt": OuterRef("occupied_from"),
    }
    waited_for = ClaimedSeat.objects.filter(seat=OuterRef("pk"), claim__state=Claim.State.WAITING)
    over = (Booking.State.DONE, Booking.State.FAILED)
    return seats.annotate(
        state=Case(
            When(Exists(mine.filter(state=Booking.State.CONFIRMED)), then=Value(SeatState.CONFIRMED)),
            When(Exists(mine.filter(state=Booking.State.HELD)), then=Value(SeatState.HELD)),
            When(Exists(mine.filter(state__in=over)), then=Value(SeatState.DONE)),
            When(
                Q(Exists(Booking.objects.active().filter(**overlapping)))
                | Q(Exists(Closure.objects.filter(**overlapping)))
                | ~Q(telescope__state=Telescope.State.ACTIVE),
                then=Value(SeatState.BLOCKED),
            ),
            When(Exists(waited_for), then=Value(SeatState.WAITING)),
            default=Value(SeatState.OPEN),
            output_field=CharField(),
        )
    )
