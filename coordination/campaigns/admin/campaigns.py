"""Campaigns in the administration: what for, on which targets, who takes part. What touches slots is added by the
booking room.
"""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Model, Prefetch, QuerySet
from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget

from coordination.common.desk import ConfirmForm, DeskAdmin, actor_for, list_address, posted
from observatories.admin import signed_in
from observatories.models import Organisation
from targets.models import Target

from .. import services
from ..models import Campaign, Participation
from ..requirements import REQUIREMENTS, TEMPLATES
from ..services.access import OVER
from .acting import acts_for, acts_for_any, scheduled_by
from .forms import AnswerForm, HeldTargetForm, InviteForm, KindForm, MessageForm, SourceForm, TargetForm
from .parts import CampaignTargetInline, ParticipationInline, TakesPart

STATE_COLOURS = {
    "draft": "info", "open": "success", "closed": "warning", "completed": "primary", "cancelled": "danger",
}  # fmt: skip
WHAT_FOR = ("title", "slug", "visibility", "aim", "starts_at", "ends_at")
DEADLINES = (
    "claim_lead_hours", "replacement_lead_hours", "time_tolerance_minutes", "field_tolerance_arcsec", "hour_limit_h",
)  # fmt: skip
FORM_FIELDS = (*WHAT_FOR, *REQUIREMENTS, *DEADLINES)


@admin.register(Campaign)
class CampaignAdmin(DeskAdmin):
    list_display = (
        "title",
        "kind",
        "shown_state",
        "lead_organisation",
        "target_names",
        "starts_at",
        "ends_at",
        "overview_link",
        "is_demo",
    )
    list_filter = ("state", "kind", TakesPart, "is_demo")
    list_select_related = ("lead_organisation",)
    search_fields = ("title", "slug")
    search_help_text = "title or short name"
    when_empty = (
        "There is no campaign here. A scheduler begins one with Add campaign; where another organisation invites "
        "yours, it appears here."
    )
    inlines: Any = (CampaignTargetInline, ParticipationInline)
    readonly_fields = ("next_step", "shown_state")
    fieldsets = (
        (None, {"fields": ("next_step", ("shown_state", "kind"), ("lead_organisation", "visibility"), "aim",
                           ("starts_at", "ends_at"), ("slug", "is_demo"))}),
        (
            "What one observation needs",
            {"fields": (("mode", "observation_minutes", "observation_count"),
                        ("min_sites", "min_baseline_km", "min_longitude_spread_deg"),
                        ("min_covered_fraction", "max_gap_minutes", "handover_minutes"),
                        ("filters", "exposure_s", "cadence_s"),
                        ("astrometric_error_arcsec", "timing_error_s"))},
        ),
        (
            "Deadlines and limits",
            {"fields": (("claim_lead_hours", "replacement_lead_hours"),
                        ("time_tolerance_minutes", "field_tolerance_arcsec", "hour_limit_h"))},
        ),
    )  # fmt: skip
    actions_detail: Any = (
        "open_campaign", "answer_invitation", "overview", "invite", "add_target",
        {"title": "Edit", "icon": "edit",
         "items": ["edit", "remove_target", "choose_positions", "message", "close_campaign"]},
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = Target.objects.visible_to(actor_for(request)).only("designation", "name")
        return super().get_queryset(request).prefetch_related(Prefetch("targets", visible, to_attr="shown_targets"))

    @display(description="state", ordering="state", label=STATE_COLOURS)
    def shown_state(self, campaign: Campaign) -> str:
        return campaign.state

    @display(description="targets")
    def target_names(self, campaign: Any) -> str:
        names = [str(target) for target in campaign.shown_targets]
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") or "none yet"

    @display(description="overview")
    def overview_link(self, campaign: Campaign) -> str:
        shown = '<a class="text-primary-600 dark:text-primary-500" href="{}" aria-label="Progress of {}">progress</a>'
        return format_html(shown, _overview_address(campaign.pk), campaign)

    @display(description="next")
    def next_step(self, campaign: Any) -> str:
        """For whoever coordinates it."""
        if campaign.state == Campaign.State.DRAFT and not campaign.shown_targets:
            return "A draft: add a target, invite organisations, then open it."
        return {
            Campaign.State.DRAFT: "A draft: invite organisations, then open it. Only those invited know of it.",
            Campaign.State.OPEN: "Open: slots can be proposed, published and claimed.",
            Campaign.State.CLOSED: "Closed: no new slots and claims; what is agreed goes on. Then complete it.",
            Campaign.State.COMPLETED: "Completed.",
            Campaign.State.CANCELLED: "Cancelled: all its slots are cancelled and their telescopes free.",
        }[Campaign.State(campaign.state)]

    # --- what may be done --------------------------------------------------------------------------------------------
    def offered(self, request: HttpRequest, obj: Campaign) -> set[str]:
        names = {"overview"}
        if obj.state not in OVER and self.answerable(request, obj).exists():
            names.add("answer_invitation")
        if not acts_for(request, obj.lead_organisation_id) or obj.state in OVER:
            return names
        names |= {"edit", "invite", "add_target", "message"}
        if obj.campaign_targets.exists():
            names.add("remove_target")
            if obj.state in (Campaign.State.DRAFT, Campaign.State.CLOSED):
                names.add("open_campaign")
        if obj.state == Campaign.State.OPEN:
            names |= {"close_campaign", "choose_positions"}
        return names

    def answerable(self, request: HttpRequest, campaign: Campaign) -> QuerySet[Organisation]:
        """Organisations for which the person may answer: invited ones, and joined ones that may leave."""
        asked = campaign.participations.exclude(state=Participation.State.DECLINED)
        asked = asked.exclude(organisation_id=campaign.lead_organisation_id)
        return scheduled_by(request).filter(pk__in=asked.values("organisation_id"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return acts_for_any(request)

    # --- actions -----------------------------------------------------------------------------------------------------
    @action(description="Progress", icon="monitoring")
    def overview(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return HttpResponseRedirect(_overview_address(object_id))

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.require_adding(request)
        kind = request.GET.get("kind")
        if kind not in TEMPLATES:
            form = KindForm(posted(request))
            if form.is_valid():
                chosen = form.cleaned_data["kind"]
                return HttpResponseRedirect(f"{reverse('admin:campaigns_campaign_add')}?kind={chosen}")
            return self.ask(
                request, form, title="Add campaign", submit="Go on", do=lambda given: None, done="",
                intro="What kind of campaign is it?",
            )  # fmt: skip
        organisations = scheduled_by(request)
        filled = self.campaign_form(request, lead=organisations)(
            posted(request), instance=Campaign(kind=kind, **TEMPLATES[kind]),
            initial={"lead_organisation": organisations.first()},
        )  # fmt: skip

        def create(given: dict[str, Any]) -> Model:
            lead = given.pop("lead_organisation")
            return services.create_campaign(kind=kind, lead_organisation_id=lead.pk, actor=signed_in(request), **given)

        return self.ask(
            request, filled, title=f"Add campaign: {Campaign.Kind(kind).label}", submit="Create draft", do=create,
            done="The draft is there. Add targets and invite organisations; only those invited see it before it opens.",
        )  # fmt: skip

    def campaign_form(self, request: HttpRequest, lead: QuerySet[Organisation] | None = None) -> Any:
        fields = (*FORM_FIELDS[:2], "lead_organisation", *FORM_FIELDS[2:]) if lead is not None else FORM_FIELDS
        form: Any = modelform_factory(
            Campaign, fields=fields, formfield_callback=partial(self.formfield_for_dbfield, request=request)
        )
        if lead is not None:
            field = form.base_fields["lead_organisation"]
            field.queryset, field.widget, field.empty_label = lead, UnfoldAdminSelectWidget(), None
            field.widget.choices = field.choices
        return form

    @action(description="Edit", icon="edit")
    def edit(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "edit")
        form = self.campaign_form(request)(posted(request), instance=self.row(request, object_id))
        return self.ask(
            request, form, obj=campaign, title="Edit the campaign", submit="Save", done="The campaign is changed.",
            intro="Slots that are there keep what they were made with.",
            do=lambda given: services.update_campaign(
                campaign.pk, actor=signed_in(request), **{name: given[name] for name in form.changed_data}
            ),
        )  # fmt: skip

    @action(description="Add target", icon="add")
    def add_target(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "add_target")
        return self.ask(
            request, TargetForm(posted(request), request=request), obj=campaign, title="Add target",
            intro="Participants may know of it from then on.", done="The target is added.",
            do=lambda given: services.add_target(campaign.pk, given["target"].pk, actor=signed_in(request)),
        )  # fmt: skip

    @action(description="Remove target", icon="remove")
    def remove_target(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "remove_target")
        return self.ask(
            request, HeldTargetForm(posted(request), campaign=campaign, request=request), obj=campaign,
            title="Remove target", intro="Slots that were made for it stay.", done="The target is removed.",
            danger=True,
            do=lambda given: services.remove_target(campaign.pk, given["target"].pk, actor=signed_in(request)),
        )  # fmt: skip

    @action(description="Positions of a target", icon="my_location")
    def choose_positions(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "choose_positions")
        return self.ask(
            request, SourceForm(posted(request), campaign=campaign, request=request), obj=campaign,
            title="Where positions come from", submit="Choose", done="Windows and slots follow within minutes.",
            intro="Our orbit, or JPL Horizons where that differs or our orbit is unusable. Slots are re-checked, as "
            "after a new orbit.",
            do=lambda given: services.choose_ephemeris_source(
                campaign.pk, given["target"].pk, given["source"], actor=signed_in(request)
            ),
        )  # fmt: skip

    @action(description="Invite", icon="group_add")
    def invite(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "invite")
        return self.ask(
            request, InviteForm(posted(request), campaign=campaign), obj=campaign, title="Invite an organisation",
            submit="Invite", done="The organisation is invited.",
            do=lambda given: services.invite(
                campaign.pk, given["organisation"].pk, hour_limit_h=given["hour_limit_h"], actor=signed_in(request)
            ),
        )  # fmt: skip

    @action(description="Message to participants", icon="mail")
    def message(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "message")
        return self.ask(
            request, MessageForm(posted(request)), obj=campaign, title="Message to participants", submit="Send",
            intro="Everybody of the organisations that take part gets a notice, and e-mail who wants it.",
            done="The message is sent.",
            do=lambda given: services.send_message(campaign.pk, text=given["text"], actor=signed_in(request)),
        )  # fmt: skip

    @action(description="Answer invitation", icon="reply", variant=ActionVariant.PRIMARY)
    def answer_invitation(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "answer_invitation")
        form = AnswerForm(posted(request), organisations=self.answerable(request, campaign))
        return self.ask(
            request, form, obj=campaign, title="Take part?", submit="Answer", then=list_address(Campaign),
            intro="Whoever takes part sees all its claims, and may claim seats. Leaving keeps what is claimed.",
            done=lambda answer: f"{answer.organisation}: {answer.get_state_display()}.",
            do=lambda given: services.answer_invitation(
                campaign.pk, given["organisation"].pk, join=given["answer"] == "join",
                hour_limit_h=given["hour_limit_h"], actor=signed_in(request),
            ),
        )  # fmt: skip

    @action(description="Open", icon="play_arrow", variant=ActionVariant.PRIMARY)
    def open_campaign(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "open_campaign")
        return self.ask(
            request, ConfirmForm(posted(request)), obj=campaign, title="Open the campaign", submit="Open",
            intro="From then on slots can be published and claimed. Participants are told.",
            done="The campaign is open.",
            do=lambda given: services.open_campaign(campaign.pk, actor=signed_in(request)),
        )  # fmt: skip

    @action(description="Close", icon="pause")
    def close_campaign(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "close_campaign")
        return self.ask(
            request, ConfirmForm(posted(request)), obj=campaign, title="Close the campaign", submit="Close",
            intro="No new slots and claims; what is agreed goes on. It can be opened again.",
            done="The campaign is closed.",
            do=lambda given: services.close_campaign(campaign.pk, actor=signed_in(request)),
        )  # fmt: skip


def _overview_address(campaign_id: object) -> str:
    """A page of a room above, by the name of its address."""
    return reverse("desk:campaign", args=[campaign_id])
