"""Why a seat cannot be claimed: each rule once, on rows that are loaded, as the refusal or None.

`claim_seats` asks them under its locks, for one claim; `coordination.booking.claimable` asks them in the same order for
whole pages of seats. A refusal has a stable `code`.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from coordination.campaigns.models import Campaign
from coordination.common.problems import ConflictError, DomainError, ForbiddenError
from observatories.models import Closure, Telescope

from ..models import Booking, Seat, Slot, TelescopeGrant
from .periods import Period, conflict_with, first_among, inactive, utc_text


def require(refusal: DomainError | None) -> None:
    if refusal is not None:
        raise refusal


def not_joined() -> ForbiddenError:
    return ForbiddenError(
        "Only organisations that have joined the campaign claim its seats.", field="slot", code="not-joined"
    )


def last_claim(slot: Slot) -> dt.datetime:
    """Until when claims are accepted: a replacement is welcome longer."""
    late = slot.state == Slot.State.CONFIRMED and slot.needs_replacement
    return slot.replacement_deadline if late else slot.claim_deadline


def no_longer(slot: Slot, now: dt.datetime) -> ConflictError | None:
    """Why a slot, with its campaign, accepts no claims."""
    if slot.state not in Slot.CLAIMABLE:
        told, code = f"The slot is {slot.state}.", "slot-not-open"
    elif now >= last_claim(slot):
        told, code = f"Claims were accepted until {utc_text(last_claim(slot))}.", "deadline-passed"
    elif slot.campaign.state != Campaign.State.OPEN:
        return ConflictError(
            f"The campaign is {slot.campaign.state}.", field="slot", value=slot.pk, state=slot.state,
            code="campaign-not-open",
        )  # fmt: skip
    else:
        return None
    return ConflictError(told, field="slot", value=slot.pk, state=slot.state, code=code)


def not_yours(
    slot: Slot, seat: Seat, telescope: Telescope, organisation_id: int, grants: Iterable[TelescopeGrant]
) -> ForbiddenError | None:
    """For a telescope of another organisation that gave no grant for the time; `telescope` with its organisation."""
    if telescope.organisation_id == organisation_id:
        return None
    for grant in grants:
        mine = grant.organisation_id == organisation_id and grant.telescope_id == telescope.pk
        inside = grant.starts_at <= seat.observe_from and seat.observe_until <= grant.ends_at
        if mine and inside and grant.campaign_id in (None, slot.campaign_id):
            return None
    return ForbiddenError(
        f"{telescope} belongs to {telescope.organisation}, which has not granted it for this time.",
        field="seats" if seat.pk else "telescopes",
        value=seat.pk or telescope.pk,
        code="not-yours",
    )


def no_window(telescope: Telescope) -> ConflictError:
    """For a telescope that does not see the target of an open slot all through it."""
    return ConflictError(
        f"{telescope} has no window over the whole slot.", field="telescopes", value=telescope.pk, code="no-window",
        expected="a telescope that sees the target all through the slot",
    )  # fmt: skip


def not_free(
    periods: Sequence[Period], obstacles: Iterable[Booking | Closure], organisation_ids: Collection[int] | None
) -> ConflictError | None:
    """For telescopes that are out of use, closed or otherwise booked. Of whom and why is told to whose it is."""
    for period in periods:
        if (refusal := inactive(period.telescope)) is not None:
            return refusal
    found = first_among(periods, obstacles)
    return None if found is None else conflict_with(*found, organisation_ids)


def too_many_hours(limit_h: float | None, used_h: float, wanted_h: float, whose: str) -> ConflictError | None:
    """For what would pass a limit on telescope hours, of the organisation or the campaign (`whose`)."""
    if limit_h is None or used_h + wanted_h <= limit_h + 1e-9:
        return None
    return ConflictError(
        f"The {whose}'s limit is {limit_h:g} telescope hours: {used_h:.2f} h are taken and {wanted_h:.2f} h asked for.",
        field="seats",
        value=round(wanted_h, 4),
        expected=f"at most {max(limit_h - used_h, 0.0):.2f} h",
        code="hour-limit",
    )


def full(slot: Slot, taken: int, wanted: int) -> ConflictError | None:
    """For more seats than the capacity leaves."""
    if slot.capacity is None or taken + wanted <= slot.capacity:
        return None
    return ConflictError(
        f"The slot is full: {taken} of {slot.capacity} seats are taken.", field="seats", value=wanted,
        expected=f"at most {max(slot.capacity - taken, 0)}, or allow_waiting", code="full",
    )  # fmt: skip
