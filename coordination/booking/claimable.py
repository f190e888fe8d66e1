"""Which seats somebody can claim now, and why not the others: for whole pages of slots, in a fixed number of queries.

The rules are those of `claim_seats`, in its order (`coordination.booking.services.rules`). Only whether a telescope
sees the target of an open slot is looked up in the stored windows, where a claim computes it anew.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, DurationField, ExpressionWrapper, F, Prefetch, Q, QuerySet, Sum

from coordination.campaigns.models import Campaign, Participation
from coordination.common import clock
from coordination.common.problems import ConflictError, DomainError, ForbiddenError, UnknownError
from coordination.visibility.models import VisibilityWindow
from coordination.visibility.planning import stored_span
from observatories.models import Closure, Membership, Observatory, Organisation, Telescope, User
from observatories.people import organisations_with_role

from .models import Booking, Seat, Slot, TelescopeGrant
from .seats import SeatState, with_state
from .services import rules
from .services.hours import COUNTED
from .services.periods import Period, first_among, inactive, obstacles_of, occupied

_NIGHT = dt.timedelta(days=2)


@dataclass(frozen=True)
class Offer:
    """A seat of a slot as somebody sees it; one of an open slot that nobody took yet has no key."""

    seat: Seat
    state: str
    claimable_by: tuple[str, ...]  # short names of the organisations for which the person can claim it now
    why_not: DomainError | None


def seats_with_state() -> Prefetch:
    """For slots: their seats with state, telescope, observatory and operator."""
    seats = with_state(Seat.objects.select_related("telescope__observatory", "telescope__organisation"))
    return Prefetch("seats", queryset=seats.order_by("observe_from", "telescope_id"))


def offers(slots: Sequence[Slot], user: Any, organisation: Organisation | None = None) -> dict[int, list[Offer]]:
    """By slot, its seats (prefetched by `seats_with_state`; the slots with campaign and target), and of an open slot
    the further ones that telescopes of the person's organisations, or of the one named, could take.
    """
    mine = schedulable(user)
    known = _look_up(slots, user, mine if organisation is None else mine.filter(pk=organisation.pk))
    return {slot.pk: [known.offer(slot, seat) for seat in known.seats[slot.pk]] for slot in slots}


def only_claimable(slots: QuerySet[Slot], user: Any) -> QuerySet[Slot]:
    """The slots of which the person can claim at least one seat now."""
    now, mine = clock.now(), schedulable(user)
    joined = Participation.objects.filter(organisation__in=mine, state=Participation.State.JOINED)
    late = Q(state=Slot.State.CONFIRMED, needs_replacement=True, replacement_deadline__gt=now)
    asked = slots.filter(Q(claim_deadline__gt=now) | late, state__in=Slot.CLAIMABLE)
    asked = asked.filter(campaign__state=Campaign.State.OPEN, campaign__in=joined.values("campaign"))
    candidates = list(asked.select_related("campaign", "target").prefetch_related(seats_with_state()))
    found = offers(candidates, user)
    return slots.filter(pk__in=[pk for pk, each in found.items() if any(offer.claimable_by for offer in each)])


def schedulable(user: Any) -> QuerySet[Organisation]:
    """Organisations for which a person may claim; all for an administrator of the installation."""
    if isinstance(user, User) and user.is_active and user.is_superuser:
        return Organisation.objects.all()
    roles = (Membership.Role.SCHEDULER, Membership.Role.MANAGER)
    return Organisation.objects.filter(pk__in=organisations_with_role(user, *roles))


def sole_claimant(slot_id: int, visible: QuerySet[Slot], user: Any) -> int:
    """The one organisation that has joined the slot's campaign and for which the person may claim. Raises DomainError
    where it has to be named, UnknownError for a slot that is not among the visible.
    """
    slot = visible.filter(pk=slot_id).first()
    if slot is None:
        raise UnknownError(f"There is no slot {slot_id}.", field="slot", value=slot_id)
    joined = Q(participations__campaign=slot.campaign_id, participations__state=Participation.State.JOINED)
    mine = list(schedulable(user).filter(joined).order_by("slug").distinct())
    if not mine:
        raise rules.not_joined()
    if len(mine) > 1:
        expected = ", ".join(organisation.slug for organisation in mine)
        raise DomainError("Say for which organisation.", field="organisation", expected=expected)
    return mine[0].pk


@dataclass
class _Known:
    """What the rules look at, loaded for a page of slots."""

    now: dt.datetime
    signed_in: bool
    organisations: dict[int, Organisation]
    seats: dict[int, list[Seat]] = field(default_factory=dict)
    joined: dict[tuple[int, int], Participation] = field(default_factory=dict)
    grants: list[TelescopeGrant] = field(default_factory=list)
    obstacles: dict[int, list[Booking | Closure]] = field(default_factory=dict)
    taken: dict[int, int] = field(default_factory=dict)
    hours: dict[tuple[int, int], float] = field(default_factory=dict)
    windows: dict[tuple[int, int], list[tuple[dt.datetime, dt.datetime]]] = field(default_factory=dict)
    span: tuple[dt.datetime, dt.datetime] | None = None

    def offer(self, slot: Slot, seat: Seat) -> Offer:
        able, refusals = [], []
        for organisation in self._in_order(slot, seat):
            refusal = self._refusal(slot, seat, organisation.pk)
            if refusal is None:
                able.append(organisation.slug)
            else:
                refusals.append(refusal)
        why_not = None if able else refusals[0] if refusals else self._nobody()
        return Offer(seat, self._state(seat), tuple(able), why_not)

    def _in_order(self, slot: Slot, seat: Seat) -> list[Organisation]:
        """Whose refusal says the most first: who operates the telescope, then who has joined."""

        def rank(organisation: Organisation) -> tuple[bool, bool, int]:
            others = organisation.pk != seat.telescope.organisation_id
            return others, (slot.campaign_id, organisation.pk) not in self.joined, organisation.pk

        return sorted(self.organisations.values(), key=rank)

    def _nobody(self) -> ForbiddenError:
        if not self.signed_in:
            return ForbiddenError("Sign in to claim seats.", code="not-signed-in")
        return ForbiddenError("Only schedulers and managers of an organisation claim seats.", code="not-scheduler")

    def _state(self, seat: Seat) -> str:
        if seat.pk is not None:
            return str(seat.state)  # type: ignore[attr-defined]  # annotated by with_state
        free = inactive(seat.telescope) is None and first_among([_period(seat)], self._obstacles(seat)) is None
        return str(SeatState.OPEN if free else SeatState.BLOCKED)

    def _obstacles(self, seat: Seat) -> list[Booking | Closure]:
        return self.obstacles.get(seat.telescope_id, [])

    def _refusal(self, slot: Slot, seat: Seat, organisation_id: int) -> DomainError | None:
        """What `claim_seats` would answer to this one seat for this organisation."""
        campaign, telescope = slot.campaign, seat.telescope
        participation = self.joined.get((campaign.pk, organisation_id))
        if participation is None:
            return rules.not_joined()
        refusal: DomainError | None = rules.no_longer(slot, self.now)
        refusal = refusal or rules.not_yours(slot, seat, telescope, organisation_id, self.grants)
        if refusal is None and seat.pk is None:
            refusal = self._unseen(slot, telescope)
        period = _period(seat)
        refusal = refusal or rules.not_free([period], self._obstacles(seat), {organisation_id})
        used = self.hours.get((campaign.pk, organisation_id), 0.0)
        refusal = refusal or rules.too_many_hours(participation.hour_limit_h, used, period.hours, "organisation")
        if refusal is None and campaign.hour_limit_h is not None:
            used = sum(hours for (pk, _), hours in self.hours.items() if pk == campaign.pk)
            refusal = rules.too_many_hours(campaign.hour_limit_h, used, period.hours, "campaign")
        return refusal or rules.full(slot, self.taken.get(slot.pk, 0), 1)

    def _unseen(self, slot: Slot, telescope: Telescope) -> ConflictError | None:
        """For a telescope that could take a further seat of an open slot."""
        if (refusal := inactive(telescope)) is not None:
            return refusal
        windows = self.windows.get((slot.target_id, telescope.pk), [])
        if any(start <= slot.starts_at and slot.ends_at <= end for start, end in windows):
            return None
        closures = [each for each in self.obstacles.get(telescope.pk, []) if isinstance(each, Closure)]
        if any(each.starts_at < slot.ends_at and each.ends_at > slot.starts_at for each in closures):
            return None  # which cut the window: the closure itself is the reason to tell
        if self.span is None or not self.span[0] <= slot.starts_at <= slot.ends_at <= self.span[1]:
            return ConflictError(
                "Windows are not stored so far ahead: a claim computes them.", field="telescopes",
                value=telescope.pk, code="window-unknown",
            )  # fmt: skip
        return rules.no_window(telescope)


def _period(seat: Seat) -> Period:
    return occupied(seat.telescope, seat.observe_from, seat.observe_until)


def _look_up(slots: Sequence[Slot], user: Any, organisations: QuerySet[Organisation]) -> _Known:
    mine = {organisation.pk: organisation for organisation in organisations}
    known = _Known(clock.now(), bool(getattr(user, "is_authenticated", False)), mine)
    campaigns = {slot.campaign_id for slot in slots}
    if mine and campaigns:
        joined = Participation.objects.filter(
            campaign__in=campaigns, organisation__in=list(mine), state=Participation.State.JOINED
        )
        known.joined = {(each.campaign_id, each.organisation_id): each for each in joined}
        known.grants = list(TelescopeGrant.objects.filter(organisation__in=list(mine), ends_at__gt=known.now))
        known.hours = _hours(campaigns)
        known.taken = _taken(slots)
    further = _further(slots, known)
    known.seats = {slot.pk: [*slot.seats.all(), *further.get(slot.pk, [])] for slot in slots}
    seats = [seat for each in known.seats.values() for seat in each]
    if mine:
        known.obstacles = _by_telescope(obstacles_of([_period(seat) for seat in seats]))
    if further:
        _load_windows(known, slots, {seat.telescope_id for each in further.values() for seat in each})
    return known


def _by_telescope(obstacles: Iterable[Booking | Closure]) -> dict[int, list[Booking | Closure]]:
    found: dict[int, list[Booking | Closure]] = defaultdict(list)
    for obstacle in obstacles:
        found[obstacle.telescope_id].append(obstacle)
    return found


def _hours(campaigns: Collection[int]) -> dict[tuple[int, int], float]:
    """Hours that count against limits, by campaign and organisation."""
    length = ExpressionWrapper(F("observe_until") - F("observe_from"), output_field=DurationField())
    counted = Booking.objects.filter(claim__slot__campaign__in=campaigns, state__in=COUNTED).order_by()
    rows = counted.values_list("claim__slot__campaign_id", "organisation_id").annotate(total=Sum(length))
    return {(campaign, organisation): total.total_seconds() / 3600.0 for campaign, organisation, total in rows}


def _taken(slots: Sequence[Slot]) -> dict[int, int]:
    active = Booking.objects.active().filter(claim__slot__in=[slot.pk for slot in slots]).order_by()
    return dict(active.values_list("claim__slot_id").annotate(Count("pk")))


def _further(slots: Sequence[Slot], known: _Known) -> dict[int, list[Seat]]:
    """Seats that telescopes of the person's organisations, their own and granted ones, could take in open slots."""
    opened = [slot for slot in slots if slot.kind == Slot.Kind.OPEN and rules.no_longer(slot, known.now) is None]
    if not opened or not known.joined:
        return {}
    participants = {organisation for _, organisation in known.joined}
    there = Q(organisation__in=participants) | Q(pk__in={grant.telescope_id for grant in known.grants})
    usable = Telescope.objects.filter(there, observatory__kind=Observatory.Kind.FIXED)
    usable = usable.exclude(state=Telescope.State.RETIRED).order_by("pk")
    telescopes = list(usable.select_related("observatory", "organisation"))
    found: dict[int, list[Seat]] = {}
    for slot in opened:
        ours = [organisation for campaign, organisation in known.joined if campaign == slot.campaign_id]
        present = {seat.telescope_id for seat in slot.seats.all()}
        for telescope in telescopes:
            seat = Seat(slot=slot, telescope=telescope, observe_from=slot.starts_at, observe_until=slot.ends_at)
            seat.occupied_from = _period(seat).starts_at  # type: ignore[attr-defined]  # as with_state says it
            allowed = any(rules.not_yours(slot, seat, telescope, each, known.grants) is None for each in ours)
            if telescope.pk not in present and allowed:
                found.setdefault(slot.pk, []).append(seat)
    return found


def _load_windows(known: _Known, slots: Sequence[Slot], telescope_ids: Collection[int]) -> None:
    opened = [slot for slot in slots if slot.kind == Slot.Kind.OPEN]
    first, last = min(slot.starts_at for slot in opened), max(slot.ends_at for slot in opened)
    stored = VisibilityWindow.objects.filter(
        target__in={slot.target_id for slot in opened}, telescope__in=telescope_ids, starts_at__lte=last,
        ends_at__gte=first, night_ends_on__range=((first - _NIGHT).date(), (last + _NIGHT).date()),
    )  # fmt: skip
    windows: dict[tuple[int, int], list[tuple[dt.datetime, dt.datetime]]] = defaultdict(list)
    for target, telescope, start, end in stored.values_list("target_id", "telescope_id", "starts_at", "ends_at"):
        windows[target, telescope].append((start, end))
    known.windows = windows
    span = stored_span()
    known.span = None if span is None else (span.starts_at, span.ends_at)
