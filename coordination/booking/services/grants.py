"""Grants: by which the operator of a telescope lets another organisation claim it."""

import datetime as dt

from coordination.campaigns.models import Campaign
from coordination.common import events, preconditions, states
from coordination.common.actors import SYSTEM, actor_of, person_of
from coordination.common.checking import check
from coordination.common.problems import DomainError, UnknownError
from observatories.models import Organisation
from observatories.people import Principal, require_scheduler

from ..models import TelescopeGrant
from .locking import in_transaction, lock_telescopes
from .periods import require_interval, utc_text


@in_transaction
def grant_telescope(
    telescope_id: int,
    organisation_id: int,
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    campaign_id: int | None = None,
    actor: Principal | None = None,
) -> TelescopeGrant:
    """Let an organisation claim a telescope for observations inside [starts_at, ends_at), in one campaign or in any."""
    require_interval(starts_at, ends_at, ("starts_at", "ends_at"))
    telescope = lock_telescopes([telescope_id])[telescope_id]
    require_scheduler(actor, telescope.organisation)
    organisation = Organisation.objects.filter(pk=organisation_id).first()
    if organisation is None or organisation_id == telescope.organisation_id:
        raise DomainError(
            "A grant is for another organisation.", field="organisation", value=organisation_id, expected="another one"
        )
    campaigns = Campaign.objects.visible_to(SYSTEM if actor is None else actor_of(actor))
    if campaign_id is not None and not campaigns.filter(pk=campaign_id).exists():
        raise DomainError("There is no such campaign.", field="campaign", value=campaign_id)
    grant = TelescopeGrant(
        telescope=telescope,
        organisation=organisation,
        campaign_id=campaign_id,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by=person_of(actor),
    )
    check(grant)
    states.create([grant], actor=actor)
    _record("grant.given", grant, f"You may claim {telescope}", actor)
    return grant


@in_transaction
def revoke_grant(grant_id: int, *, actor: Principal | None = None) -> None:
    """No further claims by it; what is claimed stays."""
    rows = TelescopeGrant.objects.select_for_update(of=("self",)).select_related("telescope__organisation")
    grant = rows.filter(pk=grant_id).first()
    if grant is None:
        raise UnknownError(f"There is no grant {grant_id}.", field="grant", value=grant_id)
    preconditions.require(grant)
    require_scheduler(actor, grant.telescope.organisation)
    _record("grant.revoked", grant, f"You may no longer claim {grant.telescope}", actor)
    grant.delete()


def _record(kind: str, grant: TelescopeGrant, title: str, actor: Principal | None) -> None:
    payload = {
        "telescope": grant.telescope_id,
        "organisation": grant.organisation_id,
        "starts_at": utc_text(grant.starts_at),
        "ends_at": utc_text(grant.ends_at),
    }
    notice = events.notice(
        [grant.organisation_id], title=title, text=f"{payload['starts_at']} to {payload['ends_at']}.",
        path="/admin/booking/telescopegrant/",
    )  # fmt: skip
    events.record(kind, grant, payload | notice, actor=actor)
