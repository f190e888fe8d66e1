"""Who takes part in a campaign: invitations and the answers to them."""

from django.db import transaction

from coordination.common import events, states
from coordination.common.checking import check
from coordination.common.problems import ConflictError, DomainError, UnknownError
from observatories.models import Organisation
from observatories.people import Principal, require_scheduler

from ..models import Campaign, Participation
from .access import OVER, lock_campaign, require_coordinator

State = Participation.State
LONGEST_MESSAGE = 2000  # characters


@transaction.atomic
def invite(
    campaign_id: int, organisation_id: int, *, hour_limit_h: float | None = None, actor: Principal | None = None
) -> Participation:
    """Ask an organisation to take part; one that declined may be asked again."""
    campaign = lock_campaign(campaign_id, actor)
    require_coordinator(actor, campaign)
    if campaign.state in OVER:
        raise ConflictError(f"The campaign is {campaign.state}.", value=campaign.state)
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    if organisation is None:
        raise DomainError("There is no such organisation.", field="organisation", value=organisation_id)
    participation = Participation.objects.filter(campaign=campaign, organisation=organisation).first()
    if participation is None:
        participation = Participation(campaign=campaign, organisation=organisation, hour_limit_h=hour_limit_h)
        check(participation)
        states.create([participation], actor=actor)
    else:
        states.move([participation], State.INVITED, Participation.TRANSITIONS, actor=actor, hour_limit_h=hour_limit_h)
    _tell(campaign, [organisation.pk], "campaign.invited", f"Invited to a campaign: {campaign.title}", actor)
    return participation


@transaction.atomic
def answer_invitation(
    campaign_id: int,
    organisation_id: int,
    *,
    join: bool,
    hour_limit_h: float | None = None,
    actor: Principal | None = None,
) -> Participation:
    """Join a campaign, perhaps with a limit of one's own on telescope hours below the one it was invited with, or
    decline it.

    A joined participant may still leave; what it has claimed stays until it is withdrawn. The lead organisation stays.
    """
    mine = Participation.objects.filter(campaign_id=campaign_id, organisation_id=organisation_id)
    participation = mine.select_for_update(of=("self",)).select_related("campaign", "organisation").first()
    if participation is None:
        raise UnknownError("There is no such invitation.", field="campaign", value=campaign_id)
    require_scheduler(actor, participation.organisation)
    campaign = participation.campaign
    if not join and campaign.lead_organisation_id == organisation_id:
        raise ConflictError("The lead organisation cannot leave its own campaign.", field="organisation")
    limits = [limit for limit in (hour_limit_h, participation.hour_limit_h) if limit is not None]
    participation.hour_limit_h = hour_limit_h
    check(participation)
    limit_h = participation.hour_limit_h = min(limits, default=None)
    state = State.JOINED if join else State.DECLINED
    states.move([participation], state, Participation.TRANSITIONS, actor=actor, hour_limit_h=limit_h)
    did = "joins" if join else "does not take part in"
    title = f"{participation.organisation} {did} {campaign}"
    _tell(campaign, [campaign.lead_organisation_id], f"campaign.{state}", title, actor)
    return participation


@transaction.atomic
def send_message(campaign_id: int, *, text: str, actor: Principal | None = None) -> None:
    """A message of the coordinator to everybody who takes part: a notice, and e-mail for who wants it."""
    campaign = lock_campaign(campaign_id, actor)
    require_coordinator(actor, campaign)
    text = text.strip()
    if not text or len(text) > LONGEST_MESSAGE:
        raise DomainError(
            "The message is empty or too long.", field="text", expected=f"1 to {LONGEST_MESSAGE} characters"
        )
    told = events.notice(
        joined_organisation_ids(campaign), title=f"Message from the coordinator: {campaign.title}", text=text,
        path=f"/admin/campaigns/campaign/{campaign.pk}/change/",
    )  # fmt: skip
    events.record("campaign.message", campaign, told, actor=actor)


def joined_organisation_ids(campaign: Campaign) -> list[int]:
    """Organisations that take part, the lead organisation among them."""
    joined = campaign.participations.filter(state=State.JOINED)
    return list(joined.values_list("organisation_id", flat=True))


def _tell(campaign: Campaign, organisation_ids: list[int], kind: str, title: str, actor: Principal | None) -> None:
    notice = events.notice(
        organisation_ids, title=title, text=campaign.aim, path=f"/admin/campaigns/campaign/{campaign.pk}/change/"
    )
    events.record(kind, campaign, {**notice, "organisations": organisation_ids}, actor=actor)
