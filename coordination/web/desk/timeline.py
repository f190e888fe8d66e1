"""A period of a telescope that somebody is about to enter, drawn among what is taken, closed, dark and free."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from coordination.booking.services.periods import Period, conflict_with, first_among, inactive, obstacles_of, occupied
from coordination.common import clock
from coordination.common.desk import actor_for
from coordination.common.problems import DomainError
from coordination.visibility.almanac import night_of
from coordination.visibility.models import VisibilityWindow
from observatories.models import Telescope

from .. import times
from ..local_axis import local_hours
from ..night_bars import twilight
from ..plots.axes import Key
from ..plots.bars import Bar, Overlay, Row, Words, draw_bars
from ..plots.svg import Drawing
from .access import desk_telescopes
from .night import Night, booking_bar, closure_bar, night_at

_DAY = dt.timedelta(days=1)
_LONGEST = 4 * _DAY


@dataclass(frozen=True)
class Asked:
    """What the form holds so far. `besides`: the booking that is moved."""

    telescope: Telescope
    observe_from: dt.datetime
    observe_until: dt.datetime
    target_id: int | None = None
    besides: int | None = None

    @property
    def period(self) -> Period:
        return occupied(self.telescope, self.observe_from, self.observe_until)


@dataclass(frozen=True)
class Timeline:
    asked: Asked
    night: Night
    windows: tuple[tuple[dt.datetime, dt.datetime], ...]
    obstacle: str  # what is in the way, in words; empty: the period is free
    remarks: tuple[str, ...]

    @property
    def shown(self) -> tuple[dt.datetime, dt.datetime]:
        """The night, or more where the period is longer."""
        period, night = self.asked.period, self.night.shown
        return min(night[0], period.starts_at), max(night[1], period.ends_at)


def asked_of(request: HttpRequest) -> Asked:
    """Raises DomainError for what is not complete, or no telescope of the person's."""
    given = request.GET
    telescope = desk_telescopes(request).filter(pk=number(given.get("telescope"))).first()
    if telescope is None:
        raise DomainError(_("Choose a telescope."), field="telescope")
    start, end = (instant_of(given.get(name)) for name in ("observe_from", "observe_until"))
    if start is None or end is None or end <= start:
        raise DomainError(_("Enter when the observation begins and ends, in UTC."), field="observe_from")
    if end - start > _LONGEST:
        raise DomainError(_("Periods of more than four days are not drawn."), field="observe_until")
    return Asked(telescope, start, end, number(given.get("target")) or None, number(given.get("besides")) or None)


def number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 18 else 0


def instant_of(text: str | None) -> dt.datetime | None:
    """Aware UTC; None for what is none, or has no offset."""
    try:
        instant = parse_datetime(text or "")
    except ValueError:
        return None
    return None if instant is None or instant.tzinfo is None else instant.astimezone(dt.UTC)


def timeline(asked: Asked, request: HttpRequest) -> Timeline:
    """A fixed number of queries. Raises DomainError for a telescope without nights."""
    actor = actor_for(request)
    place = asked.telescope.observatory.place
    label = night_of(place, asked.observe_from) if place is not None else asked.observe_from.date()
    night = night_at(asked.telescope, label, actor)
    organisation_ids = None if actor.sees_everything else actor.organisation_ids
    besides = () if asked.besides is None else (asked.besides,)
    met = first_among([asked.period], obstacles_of([asked.period], besides=besides))
    refusal = inactive(asked.telescope) or (conflict_with(*met, organisation_ids) if met else None)
    windows = _windows(asked, night, request)
    return Timeline(asked, night, windows, refusal.detail if refusal else "", tuple(_remarks(asked, night, windows)))


def _windows(asked: Asked, night: Night, request: HttpRequest) -> tuple[tuple[dt.datetime, dt.datetime], ...]:
    if asked.target_id is None:
        return ()
    found = VisibilityWindow.objects.visible_to(actor_for(request)).filter(
        telescope=asked.telescope, target=asked.target_id, night=night.label,
        night_ends_on__range=(night.sky.starts_at.date(), (night.sky.ends_at + _DAY).date()),
    )  # fmt: skip
    return tuple(found.order_by("starts_at").values_list("starts_at", "ends_at"))


def _remarks(asked: Asked, night: Night, windows: Sequence[tuple[dt.datetime, dt.datetime]]) -> list[str]:
    told = []
    start, end = asked.observe_from, asked.observe_until
    if start < clock.now():
        told.append(_("It begins in the past."))
    limit = night.telescope.sun_altitude_max_deg
    dark = next((each for each in night.sky.sun if each.altitude_deg <= limit + 0.01), None)
    if dark is not None:
        span = night.sky.span_of(dark)
        if span is None or start < span[0] or end > span[1]:
            told.append(_("Not all of it is dark: the Sun is above %(deg)g deg.") % {"deg": dark.altitude_deg})
    if windows and not any(begun <= start and end <= over for begun, over in windows):
        told.append(_("Not all of it lies inside the target's window."))
    return told


def draw(found: Timeline, name: str, width: int, now: dt.datetime) -> Drawing:
    asked, night, shown = found.asked, found.night, found.shown
    class_ = "conflict" if found.obstacle else "chosen"
    others = [each for each in night.active if each.pk != asked.besides]
    closed, taken = [closure_bar(each) for each in night.closures], [booking_bar(each) for each in others]
    observation = asked.observe_from, asked.observe_until
    chosen = [
        Bar(asked.period.starts_at, asked.observe_from, "setup", _("setup and slew")),
        Bar(*observation, class_, times.span(*observation)),
    ]
    rows = [
        Row(_("This observation"), _("this"), chosen),
        Row(_("Taken"), _("taken"), [*closed, *taken]),
        Row(_("Free and dark"), _("free"), [Bar(*part, "free", times.span(*part)) for part in night.free]),
    ]
    keys = [
        Key(class_, _("in conflict") if found.obstacle else _("this observation")),
        Key("setup", _("setup and slew")),
        Key("taken confirmed", _("booked")),
        Key("closed", _("closed")),
        Key("free", _("free")),
    ]
    if found.windows:
        bars = [Bar(*each, "window", times.span(*each)) for each in found.windows]
        rows.append(Row(_("Target's window"), _("window"), bars))
        keys.append(Key("window", _("can observe")))
    over = [Overlay(asked.period.starts_at, asked.observe_until, f"over-{class_}")]
    words = Words(
        _("%(telescope)s, night of %(night)s") % {"telescope": asked.telescope, "night": night.label},
        found.obstacle or _("The period is free."), _("now"),
    )  # fmt: skip
    return draw_bars(
        name, width, shown, rows, now, words, keys=keys, behind=twilight(night.sky), overlays=over,
        marks=local_hours(*shown, night.zone), zone=_("local"),
    )  # fmt: skip
