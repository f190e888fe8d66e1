"""Campaigns on a target that turned out to be another one."""

from ..models import CampaignTarget


def concerned_by(target_id: int) -> dict[str, int]:
    """How many campaigns hold a target."""
    return {"campaigns": CampaignTarget.objects.filter(target_id=target_id).count()}


def repoint_target(kept_id: int, merged_id: int) -> None:
    """Let campaigns hold the one target in the place of the other, once each; inside the caller's transaction."""
    held = CampaignTarget.objects.filter(target_id=kept_id).values("campaign_id")
    merged = CampaignTarget.objects.filter(target_id=merged_id)
    merged.filter(campaign_id__in=held).delete()
    merged.update(target_id=kept_id)
