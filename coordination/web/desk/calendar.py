"""What telescopes are booked for, over a week or a night: a bar for each, and the bookings to act on."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from coordination.booking.models import Booking
from coordination.common import clock
from coordination.common.desk import action_address, actor_for
from coordination.common.intervals import Interval
from coordination.common.problems import DomainError
from coordination.visibility.darkness import dark_hours
from observatories.models import Closure, Telescope
from targets.services.ephemerides import Span

from ..figures import Figure, Table
from ..plots.axes import Key
from ..plots.bars import Bar, Row, Words, draw_bars
from ..plots.svg import Drawing
from .night import SHOWN, booking_bar, closure_bar, told_bookings, what_for

DAYS = {"night": 1, "week": 7}
STEP_MINUTES = {"night": 5, "week": 30}  # by which bookings are dragged
MOST_DARK = 16  # telescopes for which darkness is drawn: it is computed for each
MOST_LISTED = 300


@dataclass(frozen=True)
class Entry:
    """A booking with what may be done with it now: addresses and labels. `move_address` is empty for what is fixed."""

    booking: Any
    what_for: str
    actions: tuple[tuple[str, str], ...]
    move_address: str = ""


@dataclass(frozen=True)
class Calendar:
    view: str
    first: dt.date
    span: Interval
    telescopes: Sequence[Telescope]
    bookings: Sequence[Any]
    closures: Sequence[Closure]

    @property
    def step_minutes(self) -> int:
        return STEP_MINUTES[self.view]

    @property
    def before(self) -> dt.date:
        return self.first - dt.timedelta(days=DAYS[self.view])

    @property
    def after(self) -> dt.date:
        return self.first + dt.timedelta(days=DAYS[self.view])


def calendar(request: HttpRequest, view: str, first: dt.date, telescopes: Sequence[Telescope]) -> Calendar:
    """From noon UTC of a day. Two queries."""
    start = dt.datetime.combine(first, dt.time(12), dt.UTC)
    span = start, start + dt.timedelta(days=DAYS[view])
    actor = actor_for(request)
    there = {
        "telescope__in": [telescope.pk for telescope in telescopes],
        "starts_at__lt": span[1],
        "ends_at__gt": start,
    }
    bookings = told_bookings(actor).filter(state__in=SHOWN, **there).order_by("observe_from", "pk")[:MOST_LISTED]
    closures = Closure.objects.visible_to(actor).filter(**there).select_related("telescope").order_by("starts_at")
    return Calendar(view, first, span, telescopes, list(bookings), list(closures))


def entries(found: Calendar, scheduled: set[int]) -> list[Entry]:
    told = []
    for booking in found.bookings:
        labels = {action_address(booking, name): (name, label) for name, label in _actions(booking, scheduled)}
        move = next((address for address, (name, _label) in labels.items() if name == "move"), "")
        actions = tuple((address, label) for address, (_name, label) in labels.items())
        told.append(Entry(booking, what_for(booking), actions, move))
    return told


def _actions(booking: Any, scheduled: set[int]) -> tuple[tuple[str, str], ...]:
    """As the administration of bookings offers them."""
    ours = booking.organisation_id in scheduled
    told: list[tuple[str, str]] = []
    if not ours and booking.telescope.organisation_id not in scheduled:
        return ()
    if booking.state == Booking.State.HELD and ours and booking.claim_id is None:
        told.append(("confirm", _("Confirm")))
    if booking.state in Booking.ACTIVE and ours and booking.claim_id is None:
        told += [("move", _("Move")), ("release", _("Release"))]
    if booking.state != Booking.State.HELD and clock.now() >= booking.observe_from:
        told.append(("report", _("Report")))
    return tuple(told)


def calendar_figure(found: Calendar) -> Figure:
    rows = []
    for telescope in found.telescopes:
        bars = _dark(telescope, found.span) if len(found.telescopes) <= MOST_DARK else []
        bars += [closure_bar(each) for each in found.closures if each.telescope_id == telescope.pk]
        bars += [booking_bar(each) for each in found.bookings if each.telescope_id == telescope.pk]
        code = telescope.observatory.mpc_code
        rows.append(Row(f"{telescope.name} · {code}" if code else telescope.name, telescope.name, bars))
    keys = [Key("taken confirmed", _("booked")), Key("taken held", _("held")), Key("taken done", _("observed")),
            Key("taken failed", _("failed")), Key("closed", _("closed")), Key("dark-hours", _("dark"))]  # fmt: skip
    words = Words(
        _("Bookings from %(day)s") % {"day": found.first},
        _("%(n)d bookings and %(m)d closures over UTC.") % {"n": len(found.bookings), "m": len(found.closures)},
        _("now"),
    )

    def draw(name: str, width: int) -> Drawing:
        return draw_bars(name, width, found.span, rows, clock.now(), words, keys=keys)

    return Figure("calendar", draw, Table((), ()), "")


def _dark(telescope: Telescope, span: Interval) -> list[Bar]:
    try:
        return [Bar(dark.starts_at, dark.ends_at, "dark-hours") for dark in dark_hours(telescope, Span(*span))]
    except DomainError:
        return []  # no fixed place, or a date beyond what is known: nothing is drawn
