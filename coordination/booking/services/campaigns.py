"""Ending a campaign, with the slots in it."""

from coordination.campaigns.models import Campaign
from coordination.campaigns.services import joined_organisation_ids, lock_campaign, require_coordinator
from coordination.common import events, states
from coordination.common.problems import ConflictError
from observatories.people import Principal

from ..models import Slot
from . import lifecycle
from .locking import LockSetChangedError, in_transaction, lock_slot


@in_transaction
def cancel_campaign(campaign_id: int, *, reason: str, actor: Principal | None = None) -> Campaign:
    """Give up a campaign: its slots are cancelled, their telescopes are free, and everybody is told."""
    # Slots first: a claim holds its slot when it comes to look at the campaign.
    slots = [lock_slot(pk) for pk in _unfinished(campaign_id)]
    campaign = lock_campaign(campaign_id, actor)
    require_coordinator(actor, campaign)
    if set(_unfinished(campaign_id)) - {slot.pk for slot in slots}:  # proposed since; no more can come now
        raise LockSetChangedError
    for slot in slots:
        if slot.state in (Slot.State.DRAFT, *Slot.LIVE):
            lifecycle.cancel(slot, f"the campaign was cancelled: {reason}", actor=actor)
    states.move([campaign], Campaign.State.CANCELLED, Campaign.TRANSITIONS, actor=actor, reason=reason)
    _tell(campaign, "campaign.cancelled", f"Campaign cancelled: {campaign.title}", reason, actor)
    return campaign


@in_transaction
def complete_campaign(campaign_id: int, *, actor: Principal | None = None) -> Campaign:
    """Put a closed campaign on record as done. Refused while slots are open, confirmed or in progress."""
    campaign = lock_campaign(campaign_id, actor)
    require_coordinator(actor, campaign)
    live = campaign.slots.filter(state__in=Slot.LIVE).first()
    if live is not None:
        raise ConflictError(f"Slot {live.pk} is still {live.state}.", field="campaign", value=campaign.pk, slot=live.pk)
    states.move([campaign], Campaign.State.COMPLETED, Campaign.TRANSITIONS, actor=actor)
    _tell(campaign, "campaign.completed", f"Campaign completed: {campaign.title}", "", actor)
    return campaign


def _unfinished(campaign_id: int) -> list[int]:
    slots = Slot.objects.filter(campaign_id=campaign_id, state__in=(Slot.State.DRAFT, *Slot.LIVE))
    return list(slots.order_by("pk").values_list("pk", flat=True))


def _tell(campaign: Campaign, kind: str, title: str, text: str, actor: Principal | None) -> None:
    notice = events.notice(
        joined_organisation_ids(campaign), title=title, text=text,
        path=f"/admin/campaigns/campaign/{campaign.pk}/change/",
    )  # fmt: skip
    events.record(kind, campaign, notice, actor=actor)
