"""What can be done with a telescope in a night: targets by priority, and the seats that slots offer it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from coordination.booking.claimable import Offer, offers, seats_with_state
from coordination.booking.models import Slot
from coordination.campaigns.models import Campaign, CampaignTarget
from coordination.common.actors import Actor
from coordination.common.desk import actor_for
from coordination.common.problems import DomainError
from coordination.visibility.models import VisibilityWindow
from coordination.visibility.planning import stored_span
from coordination.visibility.priorities import RankedTarget, ranked_targets
from coordination.visibility.quality import LISTED, at_best, with_quality
from targets.models import Target

from .. import times
from ..figures import NARROW, WIDE, Figure, Table
from ..local_axis import local_hours
from ..night_bars import moon_row, twilight
from ..plots.axes import Key
from ..plots.bars import Bar, Overlay, Row, Words, draw_bars
from ..plots.svg import Drawing
from .night import Night, booking_bar, closure_bar, longest_free

__all__ = ["NARROW", "WIDE", "Seat", "TargetRow", "seats_of", "target_rows", "tonight_figure"]

MOST_TARGETS, MOST_SLOTS = 30, 40
PROPOSED = dt.timedelta(hours=1)  # the longest observation that a button fills in
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class TargetRow:
    """A target with its windows of the night, in order of time. `last_chance`: the last night with a window here; it
    is `beyond` where that is the last one for which windows are stored.
    """

    target: Target
    windows: tuple[Any, ...]
    ranked: RankedTarget
    in_campaign: bool
    last_chance: dt.date
    beyond: bool
    book_address: str = ""
    seats: tuple["Seat", ...] = ()

    @property
    def parts(self) -> list[tuple[str, float]]:
        """What its priority is made of, in words."""
        labels = {"importance": _("importance"), "need": _("need"), "urgency": _("urgency"), "cost": _("cost")}
        return [(labels.get(name, name), part.value) for name, part in self.ranked.parts.items()]

    @property
    def best(self) -> Any:
        return max(self.windows, key=lambda window: window.peak_altitude_deg)

    @property
    def sigma_arcsec(self) -> float | None:
        value: float | None = self.best.sigma_major_arcsec
        return value


@dataclass(frozen=True)
class Seat:
    """What a slot offers to this telescope: `address` leads to the claim, filled in; else `why_not`."""

    offer: Offer
    slot: Slot
    address: str
    why_not: str = field(default="")


def target_rows(
    night: Night, now: dt.datetime, request: HttpRequest, seats: Sequence[Seat], *, may_book: bool
) -> list[TargetRow]:
    """At most MOST_TARGETS, by priority (coordination.visibility.priorities) at this telescope that night; only those
    with a window in what is left of it, and orbits that are good or fair. A fixed number of queries.
    """
    actor = actor_for(request)
    ranked = _ranked(night, actor)
    windows = _windows(night, now, actor, [each.target_id for each in ranked])
    last, horizon = _last_nights(night, list(windows))
    by_slot_target: dict[int, list[Seat]] = {}
    for seat in seats:
        by_slot_target.setdefault(seat.slot.target_id, []).append(seat)
    rows = []
    for each in [each for each in ranked if each.target_id in windows][:MOST_TARGETS]:
        group = windows[each.target_id]
        final = last.get(each.target_id, night.label)
        row = TargetRow(
            group[0].target, tuple(group), each, group[0].in_campaign, final, final >= horizon,
            seats=tuple(by_slot_target.get(each.target_id, ())),
        )  # fmt: skip
        rows.append(replace(row, book_address=_book_address(night, row, now)) if may_book else row)
    return rows


def _ranked(night: Night, actor: Actor) -> list[RankedTarget]:
    """More than are shown: of some the window is over. None for nights for which no windows are stored."""
    try:
        found = ranked_targets(night.label, telescope_id=night.telescope.pk, limit=2 * MOST_TARGETS, actor=actor)
    except DomainError:
        return []
    return found.results


def _windows(night: Night, now: dt.datetime, actor: Actor, target_ids: Sequence[int]) -> dict[int, list[Any]]:
    """What is left of the night, by target in order of time."""
    campaigns = Campaign.objects.visible_to(actor).filter(state=Campaign.State.OPEN)
    held = CampaignTarget.objects.filter(target=OuterRef("target"), campaign__in=campaigns)
    found = (
        with_quality(VisibilityWindow.objects.visible_to(actor))
        .filter(telescope=night.telescope, night=night.label, ends_at__gt=now, target__in=target_ids)
        .filter(night_ends_on__range=(night.sky.starts_at.date(), (night.sky.ends_at + _DAY).date()))
        .filter(at_best(LISTED))
        .annotate(in_campaign=Exists(held))
        .select_related("target")
        .order_by("starts_at")
    )
    by_target: dict[int, list[Any]] = {}
    for window in found:
        by_target.setdefault(window.target_id, []).append(window)
    return by_target


def _last_nights(night: Night, target_ids: Sequence[int]) -> tuple[dict[int, dt.date], dt.date]:
    """By target the last stored night with a window here, and the last whole night for which windows are stored."""
    span = stored_span()
    ends_on = night.label if span is None else (span.ends_at - _DAY).date()
    later = (
        VisibilityWindow.objects.filter(telescope=night.telescope, target__in=target_ids)
        .filter(night_ends_on__gte=night.sky.ends_at.date())
        .order_by()
    )
    return dict(later.values_list("target_id").annotate(Max("night"))), ends_on - _DAY


def _book_address(night: Night, row: TargetRow, now: dt.datetime) -> str:
    spans = [(window.starts_at, window.ends_at) for window in row.windows]
    proposed = longest_free(night, spans, row.best.peak_at, now, PROPOSED)
    if proposed is None:
        return ""
    given = {"telescope": str(night.telescope.pk), "target": str(row.target.pk), "observe_from": iso(proposed[0]),
             "observe_until": iso(proposed[1])}  # fmt: skip
    return f"{reverse('admin:booking_booking_add')}?{urlencode(given)}"


def iso(instant: dt.datetime) -> str:
    return f"{instant.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def seats_of(night: Night, request: HttpRequest) -> list[Seat]:
    """Of slots that can still be claimed, those for this telescope, in order of time."""
    actor = actor_for(request)
    slots = list(
        Slot.objects.visible_to(actor)
        .filter(state__in=Slot.CLAIMABLE, starts_at__lt=night.sky.ends_at, ends_at__gt=night.sky.starts_at)
        .filter(Q(seats__telescope=night.telescope) | Q(kind=Slot.Kind.OPEN))
        .distinct()
        .select_related("campaign", "target")
        .prefetch_related(seats_with_state())
        .order_by("starts_at", "pk")[:MOST_SLOTS]
    )
    found = []
    for slot_id, offered in offers(slots, request.user).items():
        slot = next(each for each in slots if each.pk == slot_id)
        for offer in offered:
            if offer.seat.telescope_id == night.telescope.pk:
                found.append(_seat(offer, slot))
    return found


def _seat(offer: Offer, slot: Slot) -> Seat:
    if not offer.claimable_by:
        return Seat(offer, slot, "", "" if offer.why_not is None else offer.why_not.detail)
    key = f"telescope-{offer.seat.telescope_id}" if offer.seat.pk is None else f"seat-{offer.seat.pk}"
    given = urlencode({"seats": key, "for": offer.claimable_by[0]})
    return Seat(offer, slot, f"{reverse('admin:booking_slot_claim', args=[slot.pk])}?{given}")


def tonight_figure(night: Night, rows: Sequence[TargetRow], now: dt.datetime, address: str) -> Figure:
    """Twilight behind, what is taken over everything, and a row for free time, the Moon and each target."""
    taken = [booking_bar(booking) for booking in night.active]
    closed = [closure_bar(closure) for closure in night.closures]
    lines = [
        Row(_("Taken"), _("taken"), [*closed, *taken]),
        Row(_("Free and dark, %(h).1f h") % {"h": night.free_hours}, _("free"),
            [Bar(*part, "free", times.span(*part)) for part in night.free]),
        moon_row(night.sky),
    ]  # fmt: skip
    for row in rows:
        bars = [Bar(w.starts_at, w.ends_at, "window", times.span(w.starts_at, w.ends_at)) for w in row.windows]
        bars += [Bar(seat.offer.seat.observe_from, seat.offer.seat.observe_until, f"seat {seat.offer.state}",
                     _("seat, %(state)s") % {"state": seat.offer.state}) for seat in row.seats]  # fmt: skip
        lines.append(Row(f"{row.target}, V {row.best.v_mag:.1f}", row.target.designation, bars))
    over = [Overlay(bar.start, bar.end, f"over-{bar.class_.split()[0]}") for bar in (*closed, *taken)]
    keys = [Key("window", _("can observe")), Key("free", _("free")), Key("taken confirmed", _("booked")),
            Key("taken held", _("held")), Key("closed", _("closed")), Key("seat open", _("open seat")),
            Key("dusk-key", _("twilight and night"))]  # fmt: skip
    words = Words(
        title=_("%(telescope)s, night of %(night)s") % {"telescope": night.telescope, "night": night.label},
        description=_("Windows of %(count)d targets over UTC, with what is booked, closed and free.")
        % {"count": len(rows)},
        now=_("now"),
    )
    marks = local_hours(*night.shown, night.zone)

    def draw(name: str, width: int) -> Drawing:
        return draw_bars(
            name, width, night.shown, lines, now, words, keys=keys, behind=twilight(night.sky), overlays=over,
            marks=marks, zone=_("local"),
        )  # fmt: skip

    return Figure("tonight", draw, Table((), ()), address)
