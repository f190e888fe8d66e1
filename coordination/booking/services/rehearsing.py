"""What would come of a claim, a proposal or a booking: the service itself is asked, and all that it did undone.

A service refuses for the first reason that it meets. Here every reason is told, by the same rules.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from coordination.campaigns.models import Campaign, Participation
from coordination.common import clock
from coordination.common.problems import ConflictError, DomainError, ForbiddenError
from coordination.common.transactions import in_one_transaction
from observatories.models import Telescope

from ..models import Booking, Claim, Seat, Slot, TelescopeGrant
from . import rules
from .bookings import book_telescope
from .claims import claim_seats, claim_wanted
from .hours import COUNTED, hours_of
from .open_seats import windows_over
from .periods import Period, conflict_with, first_among, inactive, obstacles_of, occupied, sharing_setup
from .proposing import proposal_refusals, propose_slots

_NOT_FOR_CALLER = ("not-scheduler",)


@dataclass(frozen=True)
class Refusal:
    """One reason why not; of one of the seats, or of all."""

    error: DomainError
    telescope_id: int | None = None
    seat_id: int | None = None

    @property
    def _key(self) -> tuple[Any, ...]:
        return self.error.extra.get("code"), str(self.error.extra.get("conflict"))

    def says_the_same(self, other: "Refusal") -> bool:
        return self._key == other._key


@dataclass(frozen=True)
class Verdict:
    """`would`: what it would make, as `show` gave it; None where it is refused, and then why."""

    would: Any
    refusals: Sequence[Refusal]


def rehearse_claim(
    slot_id: int, organisation_id: int, *, show: Callable[[Claim], Any], allow_waiting: bool = False, **asked: Any
) -> Verdict:
    """What `claim_seats` would do; `show` is called with the claim while it is there. Raises what is no proper request,
    as that does.
    """

    def reasons() -> Iterator[Refusal]:
        slot, seats = claim_wanted(slot_id, asked.get("seat_ids", ()), asked.get("telescope_ids", ()))
        return claim_refusals(slot, seats, organisation_id, allow_waiting=allow_waiting)

    return _rehearsed(
        lambda: show(claim_seats(slot_id, organisation_id, allow_waiting=allow_waiting, **asked)), reasons
    )


def rehearse_proposal(campaign_id: int, *, show: Callable[[list[Slot]], Any], **asked: Any) -> Verdict:
    """What `propose_slots` would do."""

    def reasons() -> Iterator[Refusal]:
        campaign = Campaign.objects.get(pk=campaign_id)
        return map(Refusal, proposal_refusals(campaign, asked.get("starts_at"), asked.get("ends_at")))

    return _rehearsed(lambda: show(propose_slots(campaign_id, **asked)), reasons)


def rehearse_booking(
    telescope_id: int,
    *,
    observe_from: dt.datetime,
    observe_until: dt.datetime,
    show: Callable[[Booking], Any],
    **asked: Any,
) -> Verdict:
    """What `book_telescope` would do."""
    asked |= {"observe_from": observe_from, "observe_until": observe_until}

    def reasons() -> Iterator[Refusal]:
        telescope = Telescope.objects.select_related("organisation").get(pk=telescope_id)
        return _of_period(occupied(telescope, observe_from, observe_until), {telescope.organisation_id})

    return _rehearsed(lambda: show(book_telescope(telescope_id, **asked)), reasons)


def _rehearsed(work: Callable[[], Any], reasons: Callable[[], Iterator[Refusal]]) -> Verdict:
    try:
        return Verdict(in_one_transaction(work, undo=True), [])
    except (ConflictError, ForbiddenError) as refused:
        if refused.extra.get("code") in _NOT_FOR_CALLER:
            raise
        first = Refusal(refused)
    found = list(reasons())
    known = any(each.says_the_same(first) for each in found)
    return Verdict(None, found if known else [first, *found])


def claim_refusals(
    slot: Slot, seats: Sequence[Seat], organisation_id: int, *, allow_waiting: bool
) -> Iterator[Refusal]:
    """Every reason why an organisation cannot claim these seats of a slot now: of the slot, of each seat, of all."""
    joined = slot.campaign.participations.filter(organisation=organisation_id, state=Participation.State.JOINED).first()
    if joined is None:
        yield Refusal(rules.not_joined())
    if (over := rules.no_longer(slot, clock.now())) is not None:
        yield Refusal(over)
    grants = list(TelescopeGrant.objects.filter(organisation_id=organisation_id))
    foreign = [rules.not_yours(slot, seat, seat.telescope, organisation_id, grants) for seat in seats]
    # Windows take a moment to compute: not for a slot that is closed or for telescopes that are another's.
    asked = [s.telescope for s, refusal in zip(seats, foreign, strict=True) if s.pk is None and refusal is None]
    blind = _blind(slot, asked) if joined and over is None else set()
    periods = sharing_setup(occupied(seat.telescope, seat.observe_from, seat.observe_until) for seat in seats)
    by_place = {(period.telescope.pk, period.observe_from): period for period in periods}
    for seat, refusal in zip(seats, foreign, strict=True):
        if refusal is not None:
            yield Refusal(refusal, seat.telescope_id, seat.pk)
        if seat.telescope_id in blind:
            yield Refusal(rules.no_window(seat.telescope), seat.telescope_id, seat.pk)
        yield from _of_period(by_place[seat.telescope_id, seat.observe_from], {organisation_id}, seat.pk)
    yield from _of_hours(slot.campaign, joined, sum(period.hours for period in periods))
    taken = Booking.objects.active().filter(claim__slot=slot).count()
    if not allow_waiting and (full := rules.full(slot, taken, len(seats))) is not None:
        yield Refusal(full)


def _blind(slot: Slot, telescopes: list[Telescope]) -> set[int]:
    """Those that do not see the target all through an open slot; of those in use."""
    used = [telescope for telescope in telescopes if inactive(telescope) is None]
    windows = windows_over(slot.target, used, slot.starts_at, slot.ends_at, with_closures=False)
    return {telescope.pk for telescope in used} - set(windows)


def _of_period(period: Period, organisation_ids: set[int], seat_id: int | None = None) -> Iterator[Refusal]:
    """A telescope out of use, and each closure and booking in its way."""
    if (refusal := inactive(period.telescope)) is not None:
        yield Refusal(refusal, period.telescope.pk, seat_id)
    for obstacle in obstacles_of([period]):
        if first_among([period], [obstacle]):
            yield Refusal(conflict_with(period, obstacle, organisation_ids), period.telescope.pk, seat_id)


def _of_hours(campaign: Campaign, joined: Participation | None, wanted_h: float) -> Iterator[Refusal]:
    bookings = Booking.objects.filter(claim__slot__campaign=campaign, state__in=COUNTED)
    limits = [(campaign.hour_limit_h, bookings, "campaign")]
    if joined is not None:
        own = bookings.filter(organisation_id=joined.organisation_id)
        limits.insert(0, (joined.hour_limit_h, own, "organisation"))
    for limit_h, counted, whose in limits:
        if limit_h is not None:
            refusal = rules.too_many_hours(limit_h, hours_of(counted), wanted_h, whose)
            if refusal is not None:
                yield Refusal(refusal)
