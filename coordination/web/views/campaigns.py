"""Campaigns: the list, each one's page, and claiming seats there."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _

from coordination.booking.claimable import schedulable
from coordination.booking.models import Claim, Slot
from coordination.booking.services import claim_seats
from coordination.campaigns.models import Campaign, Participation
from coordination.common.problems import DomainError, UnknownError
from observatories.models import User

from ..campaign_figures import coverage_figure, map_figure
from ..campaign_page import DAYS, coverage_of, first_day, partners_of, slots_of, target_shown, targets_of
from ..campaign_words import seat_rows, yield_in_words
from ..figures import Figure, download
from ..world_now import world_at
from .base import PageView, not_found

_PER_PAGE = 30


class CampaignListView(PageView):
    """Those that one may know of, the latest first."""

    template_name = "web/campaigns.html"
    section = "campaigns"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("q", "").strip()[:100]
        page = Paginator(self._found(asked), _PER_PAGE).get_page(self.request.GET.get("page"))
        return super().get_context_data(**kwargs, title=_("Campaigns"), asked=asked, page=page)

    def _found(self, asked: str) -> QuerySet[Campaign]:
        campaigns = Campaign.objects.visible_to(self.actor).select_related("lead_organisation")
        if asked:
            campaigns = campaigns.filter(
                Q(title__icontains=asked) | Q(slug__icontains=asked) | Q(lead_organisation__name__icontains=asked)
            )
        joined = Q(participations__state=Participation.State.JOINED)
        open_slot = Q(slots__state__in=Slot.CLAIMABLE, slots__claim_deadline__gt=self.now)
        return campaigns.annotate(
            partner_count=Count("participations", filter=joined, distinct=True),
            open_slot_count=Count("slots", filter=open_slot, distinct=True),
        ).order_by("-starts_at", "pk")


class CampaignView(PageView):
    """With `figure` and `ending` one of its plots as a file; POST claims seats of one of its slots."""

    template_name = "web/campaign.html"
    section = "campaigns"
    refusal: DomainError | None = None
    refused_slot, chosen = "", frozenset[str]()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        campaign = self._campaign()
        if campaign is None:
            return not_found(request, active="campaigns")
        context = self.get_context_data(campaign=campaign)
        if figure := kwargs.get("figure"):
            found = [each for each in context["figures"].values() if each]
            return download(request, found, figure, kwargs["ending"], campaign.slug)
        status = self.refusal.status if self.refusal else 200
        return self.render_to_response(context, status=status)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Take the seats named for the organisation named; a refusal is shown in the slot's form."""
        if not isinstance(request.user, User):
            return redirect(self._sign_in())
        slot_id = request.POST.get("slot", "")
        try:
            claim = self._claim(slot_id, request.user)
        except DomainError as error:
            self.refusal, self.refused_slot = error, slot_id
            self.chosen = frozenset(request.POST.getlist("seat"))
            return self.get(request, *args, **kwargs)
        messages.success(request, _answer(claim), extra_tags="good")
        return redirect(f"{reverse('web:campaign', args=[kwargs['slug']])}#slot-{claim.slot_id}")

    def _claim(self, slot_id: str, user: User) -> Claim:
        if not slot_id.isdecimal():
            raise UnknownError(_("There is no such slot."), field="slot", value=slot_id)
        given = self.request.POST
        organisation = schedulable(user).filter(slug=given.get("organisation", "")).first()
        if organisation is None:
            raise DomainError(_("Say for which of your organisations."), field="organisation")
        chosen = [each.split("-", 1) for each in given.getlist("seat")]
        chosen = [each for each in chosen if len(each) == 2 and each[1].isdecimal()]
        telescopes = [int(pk) for kind, pk in chosen if kind == "telescope"]
        seats = [int(pk) for kind, pk in chosen if kind == "seat"]
        if not telescopes and not seats:
            raise DomainError(_("Choose one seat or more."), field="seats")
        return claim_seats(int(slot_id), organisation.pk, seat_ids=seats, telescope_ids=telescopes, actor=user)

    def _sign_in(self) -> str:
        address = reverse("web:campaign", args=[self.kwargs["slug"]])
        return f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': address})}"

    def _campaign(self) -> Campaign | None:
        visible = Campaign.objects.visible_to(self.actor).select_related("lead_organisation")
        return visible.filter(slug=self.kwargs["slug"]).first()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        campaign: Campaign = kwargs["campaign"]
        slots = slots_of(campaign, self.actor, self.request.user, self.now)
        targets, partners = list(targets_of(campaign, self.actor)), partners_of(campaign)
        target = target_shown(self.request.GET.get("target", ""), targets, slots, self.now)
        strip = None
        figures: dict[str, Figure | None] = {}
        address = reverse("web:campaign-figure", args=[campaign.slug, "x", "svg"]).removesuffix("x.svg")
        query = self.request.GET.urlencode()
        if target is not None:
            start = first_day(self.request.GET.get("from", ""), slots, target, self.now)
            strip = coverage_of(campaign, target, partners, start, self.actor)
            figures["coverage"] = coverage_figure(strip, slots, self.now, address, query)
        mapped = _slot_of_map(slots, self.request.GET.get("slot", ""))
        if mapped is not None:
            figures["map"] = map_figure(mapped, world_at(mapped.starts_at + mapped.length / 2), address, query)
        return super().get_context_data(
            **kwargs, title=campaign.title, targets=targets, target=target, partners=partners, coverage=strip,
            figures=figures, mapped=mapped, days=DAYS,
            gap_rows=[] if strip is None else [(gap, [strip.others[k] for k in gap.fillers]) for gap in strip.gaps],
            slot_rows=[
                {
                    "slot": slot, "seats": seat_rows(slot, self.chosen), "expected": yield_in_words(slot),
                    "claimants": self._claimants(slot),
                    "refusal": self.refusal if self.refused_slot == str(slot.pk) else None,
                }
                for slot in slots
            ],
            refusal_elsewhere=self.refusal if self.refused_slot not in {str(slot.pk) for slot in slots} else None,
        )  # fmt: skip

    def _claimants(self, slot: Slot) -> list[str]:
        """Short names of the organisations for which the person can claim a seat, or has just tried to."""
        able = {slug for offer in slot.offers for slug in offer.claimable_by}  # type: ignore[attr-defined]
        tried = (
            self.refused_slot == str(slot.pk)
            and schedulable(self.request.user).filter(slug=self.request.POST.get("organisation", "")).exists()
        )
        return sorted(able | {self.request.POST["organisation"]} if tried else able)


def _slot_of_map(slots: list[Slot], asked: str) -> Slot | None:
    """The simultaneous slot asked for, else the next one."""
    several = [slot for slot in slots if slot.mode == Campaign.Mode.SIMULTANEOUS]
    wanted = [slot for slot in several if str(slot.pk) == asked]
    alive = [slot for slot in several if slot.state in Slot.LIVE]
    return next(iter([*wanted, *alive, *several]), None)


def _answer(claim: Claim) -> str:
    return {
        Claim.State.WAITING: _("The slot is full: your claim waits for a free place, and holds no telescope."),
        Claim.State.HELD: _("Held: the telescopes are yours until the quorum is there, which confirms them."),
        Claim.State.CONFIRMED: _("Confirmed: the telescopes are booked."),
    }[Claim.State(claim.state)]
