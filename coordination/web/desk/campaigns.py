"""A campaign at the desk: who takes part with what, how far it has come, who covers its targets when, and its slots
with what one may do.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from coordination.booking.admin.slots import SlotAdmin, steps_of_coordinator
from coordination.booking.api.campaign_rows import dress_campaigns
from coordination.booking.models import Booking, Claim, Slot
from coordination.booking.progress import Observation, Progress, progress_of
from coordination.campaigns.admin import acts_for
from coordination.campaigns.models import Campaign, Participation
from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.desk import action_address, actor_for, list_address
from observatories.models import Telescope

from .. import times
from ..campaign_figures import coverage_figure
from ..campaign_page import DAYS, coverage_of, first_day, slots_of, target_shown
from .frame import page


def campaign_page(request: HttpRequest, pk: int) -> HttpResponse:
    """For everybody who may know of the campaign; claims, results and answers as far as they may be told."""
    actor, now = actor_for(request), clock.now()
    campaign = Campaign.objects.visible_to(actor).select_related("lead_organisation").filter(pk=pk).first()
    if campaign is None:
        raise Http404
    dress_campaigns([campaign], actor)
    dressed: Any = campaign
    slots = slots_of(campaign, actor, request.user, now)
    target = target_shown(request.GET.get("target", ""), dressed.known_targets, slots, now)
    context: dict[str, Any] = {"coverage": None}
    if target is not None:
        joined = [each for each in dressed.known_participations if each.state == Participation.State.JOINED]
        start = first_day(request.GET.get("from", ""), slots, target, now)
        strip = coverage_of(campaign, target, joined, start, actor)
        address = reverse("web:campaign-figure", args=[campaign.slug, "x", "svg"]).removesuffix("x.svg")
        context = {
            "coverage": strip,
            "figure": coverage_figure(strip, slots, now, address, request.GET.urlencode()),
            "gap_rows": [(gap, [strip.others[k] for k in gap.fillers]) for gap in strip.gaps],
        }
    return page(
        request, "campaign", str(campaign), campaign=campaign, target=target, targets=dressed.known_targets, days=DAYS,
        participants=participants_of(campaign, dressed.known_participations, actor), steps=_steps(request, campaign),
        progress=[(each, _requirements(campaign, each)) for each in progress_of(campaign, actor)],
        slot_rows=[_slot_row(request, slot) for slot in slots], states=_states(campaign), **context,
    )  # fmt: skip


# --- who takes part --------------------------------------------------------------------------------------------------
@dataclass
class Participant:
    """An organisation with its telescopes, and the hours of the seats it holds, by the state of their bookings."""

    participation: Participation
    telescopes: list[Telescope]
    seats: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    hours: float = 0.0

    @property
    def seats_in_words(self) -> str:
        return ", ".join(f"{count} {state}" for state, count in self.seats.items())


def participants_of(campaign: Campaign, known: Sequence[Participation], actor: Actor) -> list[Participant]:
    """Who has joined first, then who was asked. Two queries."""
    by_organisation: dict[int, list[Telescope]] = defaultdict(list)
    telescopes = Telescope.objects.filter(organisation__in=[each.organisation_id for each in known])
    for telescope in telescopes.exclude(state=Telescope.State.RETIRED).select_related("observatory").order_by("name"):
        by_organisation[telescope.organisation_id].append(telescope)
    found = {each.organisation_id: Participant(each, by_organisation[each.organisation_id]) for each in known}
    claims = Claim.objects.visible_to(actor).filter(slot__campaign=campaign)
    held = Booking.objects.filter(claim__in=claims).exclude(state=Booking.State.RELEASED)
    for booking in held.order_by("observe_from"):
        if part := found.get(booking.organisation_id):
            part.seats[booking.state] += 1
            part.hours += (booking.observe_until - booking.observe_from).total_seconds() / 3600.0
    joined = Participation.State.JOINED
    return sorted(found.values(), key=lambda part: part.participation.state != joined)


# --- how far it has come ---------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Requirement:
    """What each observation has to meet, and what those that are made and agreed come to."""

    name: str
    asked: str
    done: str
    confirmed: str


def _requirements(campaign: Campaign, progress: Progress) -> list[Requirement]:
    """Those that the campaign makes. Figures of several observations are told as the least and the greatest."""
    known: tuple[tuple[str, Any, str, str, Callable[[Observation], float | None]], ...] = (
        (_("Sites"), campaign.min_sites, _("{} or more"), "{:.0f}", lambda each: each.quorum.sites),
        (_("Projected baseline"), campaign.min_baseline_km, _("{} or more"), "{:,.0f} km",
         lambda each: each.quorum.baseline_km),
        (_("Longitude spread"), campaign.min_longitude_spread_deg, _("{} or more"), "{:.0f} deg",
         lambda each: each.quorum.longitude_spread_deg),
        (_("Covered"), campaign.min_covered_fraction, _("{} or more"), "{:.0%}",
         lambda each: each.quorum.covered_fraction),
        (_("Largest gap"), campaign.max_gap_minutes, _("{} or less"), "{:.0f} min",
         lambda each: each.quorum.largest_gap_minutes),
    )  # fmt: skip
    return [
        Requirement(
            name, limit.format(text.format(asked)), _range(map(figure, progress.done), text),
            _range(map(figure, progress.confirmed), text),
        )
        for name, asked, limit, text, figure in known
        if asked is not None
    ]  # fmt: skip


def _range(figures: Iterable[float | None], text: str) -> str:
    there = sorted(each for each in figures if each is not None)
    if not there:
        return "–"
    least, most = times.apart(text.format(there[0])), times.apart(text.format(there[-1]))
    return least if least == most else _("%(least)s to %(most)s") % {"least": least, "most": most}


# --- slots, and what may be done -------------------------------------------------------------------------------------
def _states(campaign: Any) -> list[tuple[str, int, str]]:
    """State, number and list of the slots in it, in the order in which a slot goes through them."""
    there = campaign.slot_counts
    listed = f"{list_address(Slot)}?campaign__id__exact={campaign.pk}&state__exact="
    return [(state.label, there[state], f"{listed}{state}") for state in Slot.State if state in there]


def _slot_row(request: HttpRequest, slot: Any) -> dict[str, Any]:
    """What may be done with it as its page offers it, from what `dress_slots` has looked up already."""
    names = steps_of_coordinator(slot) if acts_for(request, slot.campaign.lead_organisation_id) else set()
    if any(offer.claimable_by for offer in slot.offers):
        names.add("claim")
    waiting = [each for each in slot.known_claims if each.state in Claim.HOLDING and not each.accepts_shift]
    if slot.proposed_shift_s is not None and any(acts_for(request, each.organisation_id) for each in waiting):
        names.add("accept_shift")
    taken = [offer for offer in slot.offers if offer.state in ("held", "confirmed", "done")]
    return {"slot": slot, "taken": len(taken), "steps": _labelled(SlotAdmin, SlotAdmin.actions_detail, names, slot)}


def _steps(request: HttpRequest, campaign: Campaign) -> list[tuple[str, str]]:
    """Addresses and labels of what the administration of campaigns offers now, the message to all among them."""
    desk: Any = admin.site.get_model_admin(Campaign)
    listed: list[str] = []
    for each in desk.actions_detail:
        listed += each["items"] if isinstance(each, dict) else [each]
    return _labelled(type(desk), listed, set(desk.offered(request, campaign)) - {"overview"}, campaign)


def _labelled(desk: Any, listed: Iterable[str], names: set[str], obj: Any) -> list[tuple[str, str]]:
    return [(action_address(obj, name), getattr(desk, name).short_description) for name in listed if name in names]
