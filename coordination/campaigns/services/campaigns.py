"""Campaigns: created with the template of their kind, edited, opened and closed by their coordinators."""

from typing import Any

from django.db import transaction
from django.utils.timezone import is_naive

from coordination.common import clock, events, states
from coordination.common.actors import SYSTEM, actor_of
from coordination.common.checking import apply_changes, check
from coordination.common.problems import ConflictError, DomainError
from observatories.models import Organisation
from observatories.people import Principal, require_scheduler
from targets import services as targets
from targets.models import Target

from ..models import Campaign, CampaignTarget, Participation
from ..requirements import REQUIREMENTS, TEMPLATES, check_requirements
from .access import OVER, lock_campaign, require_coordinator, require_state
from .participants import joined_organisation_ids

EDITABLE = (
    "title", "slug", "visibility", "aim", "starts_at", "ends_at", "claim_lead_hours", "replacement_lead_hours",
    "time_tolerance_minutes", "field_tolerance_arcsec", "hour_limit_h", *REQUIREMENTS,
)  # fmt: skip


@transaction.atomic
def create_campaign(
    *,
    title: str,
    slug: str,
    aim: str,
    lead_organisation_id: int,
    kind: str = Campaign.Kind.OTHER,
    is_demo: bool = False,
    actor: Principal | None = None,
    **fields: Any,
) -> Campaign:
    """A draft with the requirements of its kind, unless `fields` say otherwise. Its lead organisation has joined it."""
    if kind not in TEMPLATES:
        raise DomainError(f"{kind!r} is no kind.", field="kind", value=kind, expected=", ".join(TEMPLATES))
    organisation = Organisation.objects.filter(pk=lead_organisation_id).first()
    if organisation is None:
        raise DomainError("There is no such organisation.", field="lead_organisation", value=lead_organisation_id)
    require_scheduler(actor, organisation)
    campaign = Campaign(
        title=title, slug=slug, aim=aim, kind=kind, lead_organisation=organisation, is_demo=is_demo, **TEMPLATES[kind]
    )
    _apply(campaign, fields)
    states.create([campaign], actor=actor)
    leads = Participation(campaign=campaign, organisation=organisation, state=Participation.State.JOINED)
    states.create([leads], actor=actor)
    events.record("campaign.created", campaign, actor=actor)
    return campaign


@transaction.atomic
def update_campaign(campaign_id: int, *, actor: Principal | None = None, **changes: Any) -> Campaign:
    """Change what a campaign is for and what it needs. Slots that were published keep what they were published with."""
    campaign = lock_campaign(campaign_id, actor)
    require_coordinator(actor, campaign)
    if campaign.state in OVER:
        raise ConflictError(f"The campaign is {campaign.state} and cannot be changed.", value=campaign.state)
    changed = _apply(campaign, changes)
    if changed:
        states.save([campaign], changed, actor=actor)
        events.record("campaign.updated", campaign, {"changed": changed}, actor=actor)
    return campaign


def _apply(campaign: Campaign, changes: dict[str, Any]) -> list[str]:
    for field in ("starts_at", "ends_at"):
        if field in changes and is_naive(changes[field]):
            value = changes[field].isoformat()
            raise DomainError(f"{field} has no time zone.", field=field, value=value, expected="aware UTC")
    changed = apply_changes(campaign, changes, EDITABLE)
    check(campaign)
    check_requirements(campaign)
    return changed


@transaction.atomic
def add_target(campaign_id: int, target_id: int, *, actor: Principal | None = None) -> CampaignTarget:
    """Observe a target in a campaign. Joined participants may know of it from then on."""
    campaign = lock_campaign(campaign_id, actor)
    require_coordinator(actor, campaign)
    visible = Target.objects.visible_to(SYSTEM if actor is None else actor_of(actor))
    target = visible.filter(pk=target_id).first()
    if target is None:
        raise DomainError("There is no such target.", field="target", value=target_id)
    held, created = CampaignTarget.objects.get_or_create(campaign=campaign, target=target)
    if created:
        events.record("campaign.target_added", campaign, {"target": target.pk}, actor=actor)
    return held


@transaction.atomic
def remove_target(campaign_id: int, target_id: int, *, actor: Principal | None = None) -> None:
    """Observe it no longer. Slots that were made for it stay."""
    campaign = lock_campaign(campaign_id, actor)
    require_coordinator(actor, campaign)
    deleted, _ = CampaignTarget.objects.filter(campaign=campaign, target_id=target_id).delete()
    if not deleted:
        raise DomainError("The campaign does not hold this target.", field="target", value=target_id)
    events.record("campaign.target_removed", campaign, {"target": target_id}, actor=actor)


@transaction.atomic
def choose_ephemeris_source(campaign_id: int, target_id: int, source: str, *, actor: Principal | None = None) -> Target:
    """Where positions of a target come from, for everybody: decided by who coordinates an open campaign on it."""
    campaign = lock_campaign(campaign_id, actor)
    require_coordinator(actor, campaign)
    require_state(campaign, Campaign.State.OPEN)
    if not campaign.campaign_targets.filter(target_id=target_id).exists():
        raise DomainError("The campaign does not hold this target.", field="target", value=target_id)
    return targets.choose_ephemeris_source(target_id, source, actor=actor)


@transaction.atomic
def open_campaign(campaign_id: int, *, actor: Principal | None = None) -> Campaign:
    """From now on slots can be published and claimed; also opens a closed campaign again."""
    campaign = lock_campaign(campaign_id, actor)
    require_coordinator(actor, campaign)
    if not campaign.campaign_targets.exists():
        raise ConflictError("The campaign has no target yet.", field="targets", expected="one target or more")
    if campaign.ends_at <= clock.now():
        raise ConflictError("The period of the campaign is over.", field="ends_at", value=campaign.ends_at.isoformat())
    states.move([campaign], Campaign.State.OPEN, Campaign.TRANSITIONS, actor=actor)
    _tell(campaign, "campaign.opened", "Campaign open: {title}", actor)
    return campaign


@transaction.atomic
def close_campaign(campaign_id: int, *, actor: Principal | None = None) -> Campaign:
    """No new slots and claims; what is agreed goes on."""
    campaign = lock_campaign(campaign_id, actor)
    require_coordinator(actor, campaign)
    states.move([campaign], Campaign.State.CLOSED, Campaign.TRANSITIONS, actor=actor)
    _tell(campaign, "campaign.closed", "Campaign closed: {title}", actor)
    return campaign


def _tell(campaign: Campaign, kind: str, title: str, actor: Principal | None) -> None:
    notice = events.notice(
        joined_organisation_ids(campaign),
        title=title.replace("{title}", campaign.title),
        text=campaign.aim,
        path=f"/admin/campaigns/campaign/{campaign.pk}/change/",
    )
    events.record(kind, campaign, notice, actor=actor)
