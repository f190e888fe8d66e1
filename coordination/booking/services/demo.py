"""The demonstration campaign: the demonstration network measures the distance of a real asteroid in the coming days,
and a slot is open for whoever tries the service.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count, Min

from coordination.campaigns.models import Campaign
from coordination.campaigns.requirements import TEMPLATES
from coordination.campaigns.services import add_target, answer_invitation, create_campaign, invite, open_campaign
from coordination.common import clock
from coordination.common.actors import ANONYMOUS
from coordination.common.problems import ConflictError, DomainError
from coordination.visibility.models import VisibilityWindow
from coordination.visibility.quality import LISTED, at_best, with_quality
from observatories.models import Telescope, User
from observatories.services import DemoResult, remove_demo
from targets.models import Target
from targets.services.ephemerides import Span

from ..models import Booking, Claim, ClaimedSeat, Slot
from .placing import best_placements
from .proposing import propose_slots
from .slots import publish_slot

_DAYS = 3  # that are searched
_ORGANISATIONS = 3  # that a slot should have seats for
_CANDIDATES = 6  # brightest targets that are tried
_LEAST_OBSERVATORIES = 6  # that have windows of a candidate


def load_demo_campaign(*, actor: User | None = None) -> Campaign | None:
    """A campaign of the demonstration organisations with a slot that is open for 21 h at least; the one that is there
    while its slot can be claimed. None where there is nothing to make it of: no demonstration telescopes, or no windows
    yet.

    What it observes follows from the date and the stored windows: the brightest target with a reliable orbit that three
    organisations can see at once.
    """
    now = clock.now()
    present = Campaign.objects.filter(
        is_demo=True, state=Campaign.State.OPEN, slots__state__in=Slot.CLAIMABLE, slots__claim_deadline__gt=now
    )
    if (campaign := present.order_by("-pk").first()) is not None:
        return campaign
    usable = Telescope.objects.filter(is_demo=True, organisation__is_demo=True, state=Telescope.State.ACTIVE)
    telescopes = list(usable.select_related("observatory", "organisation").order_by("pk"))
    midnight = dt.datetime.combine(now.date() + dt.timedelta(days=2), dt.time(), dt.UTC)
    span = Span(midnight, midnight + dt.timedelta(days=_DAYS))
    for target in _brightest(telescopes, span):
        if _suits(target, telescopes, span):
            return _create(target, telescopes, span, actor)
    return None


def _brightest(telescopes: Sequence[Telescope], span: Span) -> list[Target]:
    """Public targets with reliable orbits that many of the observatories can see on the first day."""
    ends = span.starts_at + dt.timedelta(days=1)
    rows = (
        with_quality(VisibilityWindow.objects.visible_to(ANONYMOUS))
        .filter(night_ends_on__range=(span.starts_at.date(), ends.date() + dt.timedelta(days=1)))
        .filter(starts_at__lt=ends, ends_at__gt=span.starts_at, telescope__in=[each.pk for each in telescopes])
        .filter(at_best(LISTED))
        .values("target")
        .annotate(brightest=Min("v_mag"), observatories=Count("telescope__observatory", distinct=True))
        .filter(observatories__gte=_LEAST_OBSERVATORIES)
        .order_by("brightest", "target")[:_CANDIDATES]
    )
    targets = Target.objects.select_related("current_orbit").in_bulk([row["target"] for row in rows])
    return [targets[row["target"]] for row in rows]


def _suits(target: Target, telescopes: Sequence[Telescope], span: Span) -> bool:
    """Whether enough organisations can take part in the best slot."""
    asked = Campaign(starts_at=span.starts_at, ends_at=span.ends_at, **_needs())
    try:
        found = best_placements(asked, target, telescopes, span, 1)
    except DomainError:  # its orbit cannot be computed that far
        return False
    operator = {telescope.pk: telescope.organisation_id for telescope in telescopes}
    seen_by = {operator[seat.telescope_id] for placement in found for seat in placement.seats}
    return len(seen_by) >= _ORGANISATIONS


def _needs() -> dict[str, object]:
    return {
        **TEMPLATES[Campaign.Kind.RANGING],
        "min_sites": 3,
        "observation_count": 1,
        "claim_lead_hours": 3.0,
        "replacement_lead_hours": 1.0,
    }


@transaction.atomic
def _create(target: Target, telescopes: Sequence[Telescope], span: Span, actor: User | None) -> Campaign:
    organisations = sorted({telescope.organisation_id: telescope.organisation for telescope in telescopes}.items())
    lead_id = organisations[0][0]
    slug = f"demo-{span.starts_at:%Y-%m-%d}"
    again = Campaign.objects.filter(slug__startswith=slug).count()
    campaign = create_campaign(
        title=f"Demonstration: distance of {target}, {span.starts_at:%Y-%m-%d}",
        slug=f"{slug}-{again + 1}" if again else slug,
        kind=Campaign.Kind.RANGING,
        aim="To try the service with: several observatories observe the asteroid at the same time, and its parallax "
        "gives its distance. None of the organisations has agreed to anything.",
        lead_organisation_id=lead_id,
        starts_at=clock.now(),
        ends_at=span.ends_at,
        is_demo=True,
        actor=actor,
        **_needs(),
    )
    for organisation_id, _ in organisations[1:]:
        invite(campaign.pk, organisation_id, actor=actor)
        answer_invitation(campaign.pk, organisation_id, join=True, actor=actor)
    add_target(campaign.pk, target.pk, actor=actor)
    open_campaign(campaign.pk, actor=actor)
    for slot in propose_slots(
        campaign.pk, target_id=target.pk, starts_at=span.starts_at, ends_at=span.ends_at, count=1, actor=actor
    ):
        publish_slot(slot.pk, actor=actor)
    campaign.refresh_from_db()
    return campaign


@transaction.atomic
def remove_demonstration(*, actor: User | None = None) -> DemoResult:
    """Delete the demonstration campaigns with all that was claimed in them, then the demonstration network.

    Refused with ConflictError while an organisation that is not demo holds seats, or else uses the network.
    """
    campaigns = list(Campaign.objects.select_for_update().filter(is_demo=True).order_by("pk"))
    slots = list(Slot.objects.select_for_update().filter(campaign__in=campaigns).order_by("pk"))
    foreign = Claim.objects.filter(slot__in=slots, organisation__is_demo=False, state__in=Claim.ACTIVE)
    if (held := foreign.select_related("organisation").first()) is not None:
        raise ConflictError(
            f"{held.organisation} holds seats of slot {held.slot_id} of a demonstration campaign. Withdraw the claim "
            "first."
        )
    Booking.objects.filter(claim__slot__in=slots).delete()
    ClaimedSeat.objects.filter(claim__slot__in=slots).delete()
    Claim.objects.filter(slot__in=slots).delete()
    Slot.objects.filter(pk__in=[slot.pk for slot in slots]).delete()
    Campaign.objects.filter(pk__in=[campaign.pk for campaign in campaigns]).delete()
    return remove_demo(actor=actor)
