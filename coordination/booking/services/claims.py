"""Claiming seats, all or nothing, and giving them back."""

from collections.abc import Mapping, Sequence

from django.db.models import Exists, OuterRef, prefetch_related_objects

from coordination.campaigns.models import Participation
from coordination.common import clock, preconditions, states
from coordination.common.actors import SYSTEM, Actor, actor_of, person_of
from coordination.common.problems import ConflictError, DomainError, UnknownError
from observatories.models import Organisation, Telescope
from observatories.people import Principal, require_scheduler

from ..models import Booking, Claim, ClaimedSeat, Seat, Slot, TelescopeGrant
from . import lifecycle, rules, waiting
from .first_look import already_taken
from .hours import require_hours
from .locking import LockSetChangedError, in_transaction, lock_slot, lock_telescopes
from .open_seats import look_through_windows, present_or_new, seats_for
from .periods import Period, occupied, require_free, sharing_setup
from .telling import claim_event

MOST_SEATS = 50


def claim_seats(
    slot_id: int,
    organisation_id: int,
    *,
    seat_ids: Sequence[int] = (),
    telescope_ids: Sequence[int] = (),
    allow_waiting: bool = False,
    note: str = "",
    actor: Principal | None = None,
) -> Claim:
    """Take seats of a slot for an organisation, all or none: `seat_ids` of a listed slot, `telescope_ids` of an open
    one.

    The claim is held, or confirmed at once where the slot is; where the slot is full it waits if `allow_waiting`.
    Raises DomainError (400) for what is no proper request, ForbiddenError (403) for a telescope that is another's,
    UnknownError (404) for what the organisation may not know of, ConflictError (409) with the interval or the state for
    what is taken, closed, full or over.
    """
    wanted = _wanted(seat_ids, telescope_ids)
    _require_scheduler(actor, organisation_id)
    rules.require(already_taken(slot_id, organisation_id, seat_ids) if seat_ids else None)
    return _claim(slot_id, organisation_id, wanted, bool(telescope_ids), allow_waiting, note, actor)


@in_transaction
def _claim(
    slot_id: int,
    organisation_id: int,
    wanted: list[int],
    by_telescope: bool,
    allow_waiting: bool,
    note: str,
    actor: Principal | None,
) -> Claim | ConflictError:
    seen = _slot_for(slot_id, organisation_id)
    seats = _open_seats(seen, wanted, organisation_id) if by_telescope else _listed_seats(seen, wanted)
    telescopes = lock_telescopes(seat.telescope_id for seat in seats)
    slot = lock_slot(slot_id)
    if any(getattr(slot, name) != getattr(seen, name) for name in ("starts_at", "ends_at", "orbit_id", "solution")):
        raise LockSetChangedError  # the seats were read, or their windows computed, for other times
    if (refusal := _closed(slot)) is not None:
        return refusal
    seats = present_or_new(seats)  # somebody may have made one of them meanwhile
    _require_telescopes(slot, seats, telescopes, organisation_id)
    periods = sharing_setup(occupied(telescopes[s.telescope_id], s.observe_from, s.observe_until) for s in seats)
    require_free(periods, {organisation_id})
    require_hours(slot.campaign, organisation_id, periods)
    return _enter(slot, seats, periods, organisation_id, allow_waiting, note, actor)


def _wanted(seat_ids: Sequence[int], telescope_ids: Sequence[int]) -> list[int]:
    field = "telescopes" if telescope_ids else "seats"
    wanted = list(telescope_ids or seat_ids)
    if seat_ids and telescope_ids:
        raise DomainError("Give seats or telescopes, not both.", field="telescopes")
    if not wanted:
        raise DomainError("No seat is named.", field="seats", value=[], expected="one seat or more")
    if len(set(wanted)) != len(wanted):
        raise DomainError(f"One of the {field} is named twice.", field=field, value=wanted)
    if len(wanted) > MOST_SEATS:
        raise DomainError(
            f"{len(wanted)} {field} are too many.", field=field, value=len(wanted), expected=f"{MOST_SEATS} at most"
        )
    return wanted


def _require_scheduler(actor: Principal | None, organisation_id: int) -> None:
    if actor is None:
        return
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    if organisation is None:
        raise DomainError("There is no such organisation.", field="organisation", value=organisation_id)
    require_scheduler(actor, organisation)


def _enter(
    slot: Slot,
    seats: list[Seat],
    periods: list[Period],
    organisation_id: int,
    allow_waiting: bool,
    note: str,
    actor: Principal | None,
) -> Claim:
    """Write the claim, and what follows for the slot. Under the locks of both."""
    waits = _waits(slot, len(seats), allow_waiting)
    state = Claim.State.WAITING if waits else Claim.State.HELD
    claim = Claim(slot=slot, organisation_id=organisation_id, state=state, note=note, created_by=person_of(actor))
    states.create([claim], actor=actor)
    Seat.objects.bulk_create([seat for seat in seats if seat.pk is None])
    ClaimedSeat.objects.bulk_create([ClaimedSeat(claim=claim, seat=seat) for seat in seats])
    claim_event(f"claim.{claim.state}", claim, slot, actor=actor, seats=[seat.pk for seat in seats])
    if not waits:
        book_seats(claim, slot, seats, periods, actor)
        lifecycle.settle(slot, actor=actor)
        if slot.state == Slot.State.CONFIRMED:
            claim.state = Claim.State.CONFIRMED  # as settle() makes all that were held
    return claim


def _waits(slot: Slot, seats: int, allow_waiting: bool) -> bool:
    """Whether a claim for so many seats has to wait. Raises DomainError for more than the slot has at all,
    ConflictError for more than are free where it shall not wait.
    """
    if slot.capacity is None:
        return False
    if seats > slot.capacity:
        raise DomainError(
            f"The slot has {slot.capacity} seats.", field="seats", value=seats, expected=f"{slot.capacity} at most"
        )
    refusal = rules.full(slot, Booking.objects.active().filter(claim__slot=slot).count(), seats)
    if not allow_waiting:
        rules.require(refusal)
    return refusal is not None


def _slot_for(slot_id: int, organisation_id: int) -> Slot:
    """The slot as the organisation sees it. Raises UnknownError, and ForbiddenError for who does not take part."""
    joined = Participation.objects.filter(
        campaign=OuterRef("campaign"), organisation_id=organisation_id, state=Participation.State.JOINED
    )
    visible = Slot.objects.visible_to(Actor(organisation_ids=frozenset({organisation_id})))
    slot = visible.annotate(is_joined=Exists(joined)).select_related("campaign", "target").filter(pk=slot_id).first()
    if slot is None:
        raise UnknownError(f"There is no slot {slot_id}.", field="slot", value=slot_id)
    if not slot.is_joined:  # type: ignore[attr-defined]  # annotated above
        raise rules.not_joined()
    return slot


def claim_wanted(slot_id: int, seat_ids: Sequence[int], telescope_ids: Sequence[int]) -> tuple[Slot, list[Seat]]:
    """The slot and the seats that are asked for, with their telescopes; as they are, without any lock."""
    wanted = _wanted(seat_ids, telescope_ids)
    slot = Slot.objects.select_related("campaign", "target").get(pk=slot_id)
    if telescope_ids and slot.kind == Slot.Kind.OPEN:
        return slot, seats_for(slot, wanted)
    seats = _listed_seats(slot, [] if telescope_ids else wanted)
    prefetch_related_objects(seats, "telescope__organisation")
    return slot, seats


def _listed_seats(slot: Slot, seat_ids: list[int]) -> list[Seat]:
    seats = list(Seat.objects.filter(slot=slot, pk__in=seat_ids).order_by("telescope_id", "observe_from"))
    unknown = set(seat_ids) - {seat.pk for seat in seats}
    if unknown:
        raise DomainError(
            f"Slot {slot.pk} has no seat {min(unknown)}.", field="seats", value=min(unknown),
            expected="identifiers of its seats",
        )  # fmt: skip
    return seats


def _open_seats(slot: Slot, telescope_ids: list[int], organisation_id: int) -> list[Seat]:
    """Seats for telescopes that see the target all through an open slot; existing ones where they were made before."""
    if slot.kind != Slot.Kind.OPEN:
        raise DomainError(
            "The seats of this slot are listed.", field="telescopes", expected="seats, by their identifiers"
        )
    seats = seats_for(slot, telescope_ids)
    new = [seat for seat in seats if seat.pk is None]
    # Windows take a moment to compute: not for a slot that is closed or for telescopes that are another's.
    if new and rules.no_longer(slot, clock.now()) is None:
        _require_telescopes(slot, new, {seat.telescope_id: seat.telescope for seat in new}, organisation_id)
        look_through_windows(slot, new)
    return seats


def _closed(slot: Slot) -> ConflictError | None:
    """Why no claim is accepted any more; an overdue slot ends here and now."""
    refusal = rules.no_longer(slot, clock.now())
    if refusal is None or lifecycle.lapse(slot) is None:
        return refusal
    told = f"{refusal.detail[:-1]}, and the slot is {slot.state}."
    return ConflictError(told, field=refusal.field, value=slot.pk, **refusal.extra | {"state": slot.state})


def _require_telescopes(
    slot: Slot, seats: Sequence[Seat], telescopes: Mapping[int, Telescope], organisation_id: int
) -> None:
    """Raises ForbiddenError for a telescope of another organisation that gave no grant for the time."""
    ids = {seat.telescope_id for seat in seats if telescopes[seat.telescope_id].organisation_id != organisation_id}
    grants = list(TelescopeGrant.objects.filter(organisation_id=organisation_id, telescope_id__in=ids)) if ids else []
    for seat in seats:
        rules.require(rules.not_yours(slot, seat, telescopes[seat.telescope_id], organisation_id, grants))


def book_seats(
    claim: Claim, slot: Slot, seats: Sequence[Seat], periods: Sequence[Period], actor: Principal | None
) -> list[Booking]:
    """Occupy the telescopes of a claim's seats; in order of the telescopes, as they were locked."""
    by_place = {(seat.telescope_id, seat.observe_from): seat for seat in seats}
    return states.create(
        [
            Booking(
                telescope=period.telescope,
                organisation_id=claim.organisation_id,
                claim=claim,
                seat=by_place[period.telescope.pk, period.observe_from],
                target_id=slot.target_id,
                state=Booking.State.HELD,
                observe_from=period.observe_from,
                observe_until=period.observe_until,
                starts_at=period.starts_at,
                ends_at=period.ends_at,
                created_by=person_of(actor),
            )
            for period in periods
        ],
        actor=actor,
    )


@in_transaction
def withdraw_claim(claim_id: int, *, reason: str = "", actor: Principal | None = None) -> Claim:
    """Give all its seats back. Who waits is tried next; a confirmed slot that falls below its quorum seeks a
    replacement, or is cancelled where it is too late for one.

    Raises ConflictError for a claim that is over, and once its slot has begun.
    """
    seen = _claim_for(claim_id, actor)
    locked = lock_telescopes(waiting.telescope_ids(seen.slot_id))
    slot = lock_slot(seen.slot_id)
    claim = Claim.objects.select_related("organisation").get(pk=claim_id)  # again, under the slot's lock
    preconditions.require(claim)
    lifecycle.require_not_begun(slot, "report what came of it")
    lifecycle.release(slot, [claim], Claim.State.WITHDRAWN, actor=actor, reason=reason or "withdrawn")
    if lifecycle.lapse(slot) is None and slot.state in Slot.CLAIMABLE:
        waiting.promote(slot, locked)
        lifecycle.settle(slot, actor=actor)
    return claim


def _claim_for(claim_id: int, actor: Principal | None) -> Claim:
    visible = Claim.objects.visible_to(SYSTEM if actor is None else actor_of(actor))
    claim = visible.select_related("organisation", "slot").filter(pk=claim_id).first()
    if claim is None:
        raise UnknownError(f"There is no claim {claim_id}.", field="claim", value=claim_id)
    require_scheduler(actor, claim.organisation)
    return claim


@in_transaction
def accept_shift(claim_id: int, *, actor: Principal | None = None) -> Claim:
    """Agree to the shift that is proposed for the slot; with the last holder's word it is carried out."""
    from .shifting import carry_out_if_accepted, require_movable, telescope_ids_of

    seen = _claim_for(claim_id, actor)
    locked = lock_telescopes(telescope_ids_of(seen.slot_id))
    slot = lock_slot(seen.slot_id)
    claim = Claim.objects.get(pk=claim_id)
    preconditions.require(claim)
    if slot.proposed_shift_s is None or claim.state not in Claim.HOLDING:
        raise ConflictError("No shift is proposed for this claim.", field="claim", value=claim.pk)
    require_movable(slot)
    if not claim.accepts_shift:
        states.change([claim], accepts_shift=True, actor=actor)
        claim_event("claim.accepts_shift", claim, slot, actor=actor, shift_s=slot.proposed_shift_s)
    carry_out_if_accepted(slot, locked, actor)
    return claim
