"""Rapid response: whoever can see a newly risky target in the coming day is asked at once."""

import datetime as dt

from django.db import transaction

from coordination.campaigns.models import Campaign
from coordination.common import clock
from coordination.common.problems import ConflictError, DomainError
from observatories.people import Principal

from ..models import Slot
from .proposing import propose_slots
from .slots import publish_slot

LONGEST_HOURS = 72.0


@transaction.atomic
def rapid_response(
    campaign_id: int, *, hours: float = 24.0, count: int | None = None, actor: Principal | None = None
) -> list[Slot]:
    """Find every participating telescope that can see the campaign's targets in the next hours, publish open slots
    there, and tell all participants, in one step.

    Raises ConflictError where nobody can see any of them, and for a campaign that is not open.
    """
    if not 0.0 < hours <= LONGEST_HOURS:
        raise DomainError("Out of range.", field="hours", value=hours, expected=f"above 0, {LONGEST_HOURS:g} at most")
    state = Campaign.objects.filter(pk=campaign_id).values_list("state", flat=True).first()
    if state is not None and state != Campaign.State.OPEN:
        raise ConflictError(f"The campaign is {state}; open it first.", field="campaign", value=state)
    now = clock.now()
    slots = propose_slots(
        campaign_id,
        starts_at=now,
        ends_at=now + dt.timedelta(hours=hours),
        count=count,
        kind=Slot.Kind.OPEN,
        actor=actor,
    )
    if not slots:
        raise ConflictError(
            f"No participating telescope can see the target in the next {hours:g} h.", field="hours", value=hours
        )
    return [publish_slot(slot.pk, actor=actor) for slot in slots]
