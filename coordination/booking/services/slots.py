"""Slots in the hands of their coordinator: published, edited, cancelled."""

import datetime as dt
from typing import Any

from django.utils.timezone import is_naive

from coordination.campaigns.models import Campaign
from coordination.campaigns.services import require_coordinator, require_state
from coordination.common import clock, states
from coordination.common.actors import SYSTEM, actor_of
from coordination.common.checking import apply_changes, check
from coordination.common.problems import ConflictError, DomainError, UnknownError
from observatories.people import Principal

from ..models import Seat, Slot
from . import lifecycle, waiting
from .locking import in_transaction, lock_slot, lock_telescopes
from .periods import utc_text
from .telling import participants, period_text, slot_event

QUORUM = ("min_sites", "min_baseline_km", "min_longitude_spread_deg", "min_covered_fraction", "max_gap_minutes")
DEADLINES = ("claim_deadline", "replacement_deadline")
# Before the first claim; afterwards deadlines only later, the quorum only lower, the capacity only higher.
EDITABLE = ("kind", *QUORUM, "capacity", *DEADLINES, "notes", "reason")
EDITABLE_WHEN_CLAIMED = (*QUORUM, "capacity", "claim_deadline", "notes")


@in_transaction
def publish_slot(slot_id: int, *, actor: Principal | None = None) -> Slot:
    """Open a draft to claims; all participants are told."""
    slot = coordinated_slot(slot_id, actor)
    now = clock.now()
    require_state(slot.campaign, Campaign.State.OPEN)
    if slot.claim_deadline <= now:
        raise ConflictError(
            "The claim deadline has passed.", field="claim_deadline", value=utc_text(slot.claim_deadline),
            expected=f"after {utc_text(now)}",
        )  # fmt: skip
    if slot.kind == Slot.Kind.LISTED and not slot.seats.exists():
        raise ConflictError("The slot has no seats.", field="seats", expected="one seat or more, or an open slot")
    states.move([slot], Slot.State.OPEN, Slot.TRANSITIONS, actor=actor)
    slot_event(
        "slot.published", slot, told=participants(slot), actor=actor,
        title=f"New slot: {{target}}, {period_text(slot.starts_at, slot.ends_at)}",
        text=f"{slot.reason} Claim until {period_text(slot.claim_deadline, slot.claim_deadline)[:16]} UTC.".strip(),
    )  # fmt: skip
    return slot


@in_transaction
def update_slot(slot_id: int, *, actor: Principal | None = None, **changes: Any) -> Slot | ConflictError:
    """Change deadlines, quorum, capacity or notes. After the first claim they may only get easier; for new times cancel
    the slot and propose again.

    Raises ConflictError for what the first claim fixed, DomainError for what contradicts itself.
    """
    seen = visible_slot(slot_id, actor)
    locked = lock_telescopes(waiting.telescope_ids(seen.pk))
    slot = coordinated_slot(slot_id, actor)
    if (refusal := lifecycle.lapse(slot)) is not None:
        return refusal
    lifecycle.require_not_begun(slot, "it can no longer be changed")
    if slot.state not in (Slot.State.DRAFT, *Slot.CLAIMABLE):
        raise ConflictError(f"The slot is {slot.state}.", field="slot", value=slot.pk, state=slot.state)
    for field in DEADLINES:
        if field in changes and is_naive(changes[field]):
            raise DomainError(f"{field} has no time zone.", field=field, expected="aware UTC")
    if slot.claims.exists():
        _require_easier(slot, changes)
    changed = apply_changes(slot, changes, EDITABLE)
    if not changed:
        return slot
    check(slot)
    if slot.state == Slot.State.OPEN and slot.claim_deadline <= clock.now():
        raise DomainError(
            "The claim deadline would have passed.", field="claim_deadline", value=utc_text(slot.claim_deadline)
        )
    states.save([slot], changed, actor=actor)
    slot_event("slot.updated", slot, actor=actor, changed=changed)
    if slot.state in Slot.CLAIMABLE:
        waiting.promote(slot, locked)
        lifecycle.settle(slot, actor=actor)
    return slot


def _require_easier(slot: Slot, changes: dict[str, Any]) -> None:
    """Raises ConflictError for a change that those who have claimed did not agree to."""
    for field, value in changes.items():
        now: Any = getattr(slot, field, None)
        if value == now:
            continue
        if field not in EDITABLE_WHEN_CLAIMED:
            raise ConflictError(
                f"{field} is fixed since the first claim: cancel the slot and propose again.", field=field
            )
        if field in ("capacity", "max_gap_minutes"):  # empty is no limit
            easier = value is None or (now is not None and value > now)
        elif field in QUORUM:
            easier = value is None or (now is not None and value < now)
        else:
            easier = field == "notes" or value > now
        if not easier:
            direction = "later" if field == "claim_deadline" else "easier to meet"
            raise ConflictError(
                f"After the first claim {field} may only become {direction}.", field=field, value=str(value),
                expected=f"{direction} than {now}",
            )  # fmt: skip


@in_transaction
def remove_seat(seat_id: int, *, actor: Principal | None = None) -> None:
    """Take a candidate telescope off a draft."""
    visible = Slot.objects.visible_to(SYSTEM if actor is None else actor_of(actor))
    seat = Seat.objects.filter(pk=seat_id, slot__in=visible).first()
    if seat is None:
        raise UnknownError(f"There is no seat {seat_id}.", field="seat", value=seat_id)
    slot = coordinated_slot(seat.slot_id, actor)
    if slot.state != Slot.State.DRAFT:
        raise ConflictError("Seats are removed from drafts only.", field="seat", value=seat_id, state=slot.state)
    slot_event("slot.updated", slot, actor=actor, changed=["seats"], removed=seat.telescope_id)
    seat.delete()


@in_transaction
def cancel_slot(slot_id: int, *, reason: str, actor: Principal | None = None) -> Slot:
    """Give it up. All holds are released, and the holders told."""
    slot = coordinated_slot(slot_id, actor)
    lifecycle.cancel(slot, reason, actor=actor)
    return slot


@in_transaction
def complete_slot(slot_id: int, *, actor: Principal | None = None) -> Slot:
    """Close a slot that is over without waiting for the remaining reports."""
    slot = coordinated_slot(slot_id, actor)
    if clock.now() < slot.ends_at:
        raise ConflictError(f"The slot ends at {utc_text(slot.ends_at)}.", field="slot", value=slot.pk)
    lifecycle.complete(slot, actor=actor)
    return slot


def coordinated_slot(slot_id: int, actor: Principal | None) -> Slot:
    """The slot, locked. Raises UnknownError for whom it does not exist, ForbiddenError for who does not coordinate."""
    visible_slot(slot_id, actor)
    slot = lock_slot(slot_id)
    require_coordinator(actor, slot.campaign)
    return slot


def visible_slot(slot_id: int, actor: Principal | None) -> Slot:
    """Raises UnknownError for a slot that the person may not know of."""
    slot = Slot.objects.visible_to(SYSTEM if actor is None else actor_of(actor)).filter(pk=slot_id).first()
    if slot is None:
        raise UnknownError(f"There is no slot {slot_id}.", field="slot", value=slot_id)
    return slot


def default_deadlines(campaign: Campaign, starts_at: dt.datetime) -> dict[str, dt.datetime]:
    """When claims and replacements end, as the campaign says."""
    return {
        "claim_deadline": starts_at - dt.timedelta(hours=campaign.claim_lead_hours),
        "replacement_deadline": starts_at - dt.timedelta(hours=campaign.replacement_lead_hours),
    }
