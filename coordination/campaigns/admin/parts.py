"""What hangs on a campaign, as its page shows it, and how the list is narrowed."""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from coordination.common.admin import ReadOnlyInline
from coordination.common.desk import actor_for, link
from targets.models import Ephemeris, visible_target_q

from ..models import CampaignTarget, Participation


class CampaignTargetInline(ReadOnlyInline):
    model = CampaignTarget
    verbose_name_plural = "targets"
    fields = readonly_fields = ("name", "orbit_class", "h_mag", "orbit_quality", "positions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        held = super().get_queryset(request).filter(visible_target_q(actor_for(request), "target__"))
        return held.select_related("target__current_orbit", "target__ephemeris_comparison").prefetch_related(
            Prefetch("target__ephemeris", Ephemeris.objects.defer("blocks", "state"))
        )

    @display(description="target")
    def name(self, held: CampaignTarget) -> str:
        return link(held.target)

    @display(description="class")
    def orbit_class(self, held: CampaignTarget) -> str:
        return held.target.orbit_class or "-"

    @display(description="H")
    def h_mag(self, held: CampaignTarget) -> object:
        orbit = held.target.current_orbit
        return "no orbit yet" if orbit is None else orbit.h_mag

    @display(description="U")
    def orbit_quality(self, held: CampaignTarget) -> str:
        orbit = held.target.current_orbit
        return "-" if orbit is None else orbit.u_parameter or "-"

    @display(description="positions")
    def positions(self, held: CampaignTarget) -> str:
        ephemeris = getattr(held.target, "ephemeris", None)
        if ephemeris is None:
            return "none yet"
        compared = getattr(held.target, "ephemeris_comparison", None)
        said = f"{ephemeris.get_source_display()} {ephemeris.solution}".strip()
        if compared is None or compared.is_within is not False:
            return said
        return f"{said}; ours differ from Horizons by {compared.difference_arcsec:.2f} arcsec"


class ParticipationInline(ReadOnlyInline):
    """Who takes part; who was asked and what limits there are, only among those who were asked."""

    model = Participation
    verbose_name_plural = "organisations"
    fields = readonly_fields = ("organisation", "answer", "hour_limit_h")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("organisation")
        actor = actor_for(request)
        if actor.sees_everything:
            return rows
        asked = Participation.objects.filter(organisation_id__in=actor.organisation_ids).values("campaign_id")
        return rows.filter(Q(state=Participation.State.JOINED) | Q(campaign_id__in=asked))

    @display(description="answer")
    def answer(self, participation: Participation) -> str:
        return participation.get_state_display()


class TakesPart(admin.SimpleListFilter):
    title = "our part"
    parameter_name = "part"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("lead", "we lead"), ("joined", "we take part"), ("invited", "we are invited")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        mine = actor_for(request).organisation_ids
        if self.value() == "lead":
            return queryset.filter(lead_organisation_id__in=mine)
        if self.value() in ("joined", "invited"):
            asked = Participation.objects.filter(organisation_id__in=mine, state=self.value())
            return queryset.filter(pk__in=asked.values("campaign_id"))
        return queryset
