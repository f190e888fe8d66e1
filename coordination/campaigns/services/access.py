"""Who may change a campaign, and the lock under which it is changed."""

from coordination.common import preconditions
from coordination.common.actors import SYSTEM, actor_of
from coordination.common.problems import ConflictError, UnknownError
from observatories.people import Principal, require_scheduler

from ..models import Campaign

OVER = (Campaign.State.COMPLETED, Campaign.State.CANCELLED)


def lock_campaign(campaign_id: int, actor: Principal | None) -> Campaign:
    """The row, locked. Raises UnknownError for one the person may not know of."""
    visible = Campaign.objects.visible_to(SYSTEM if actor is None else actor_of(actor))
    campaign = (
        visible.select_for_update(of=("self",)).select_related("lead_organisation").filter(pk=campaign_id).first()
    )
    if campaign is None:
        raise UnknownError(f"There is no campaign {campaign_id}.", field="campaign", value=campaign_id)
    preconditions.require(campaign)
    return campaign


def require_state(campaign: Campaign, *accepted: str) -> None:
    """Raises ConflictError unless the campaign is in one of the states, in which it then stays until the end of the
    transaction. To be called under the slot's lock, where there is one.
    """
    state = Campaign.objects.select_for_update(no_key=True).values_list("state", flat=True).get(pk=campaign.pk)
    if state not in accepted:
        raise ConflictError(f"The campaign is {state}.", field="campaign", value=state, expected=" or ".join(accepted))


def require_coordinator(actor: Principal | None, campaign: Campaign) -> None:
    """Raises ForbiddenError unless the person coordinates the campaign; None is the service itself."""
    require_scheduler(actor, campaign.lead_organisation)
