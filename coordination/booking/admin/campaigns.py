"""What slots add to a campaign's page: proposing, rapid response, and its end."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from coordination.campaigns.admin import CampaignAdmin, acts_for
from coordination.campaigns.models import Campaign
from coordination.campaigns.services.access import OVER
from coordination.common.admin import ReadOnlyInline
from coordination.common.desk import ConfirmForm, ReasonForm, actor_for, link, list_address, posted, utc_field
from observatories.admin import signed_in
from targets.models import Target, visible_target_q

from .. import services
from ..models import Slot
from ..services.telling import period_text
from .shared import SLOT_COLOURS

admin.site.unregister(Campaign)


class ProposeForm(forms.Form):
    target = forms.ModelChoiceField(
        queryset=Target.objects.none(),
        required=False,
        empty_label="each of the campaign",
        widget=UnfoldAdminSelectWidget(),
    )
    starts_at = utc_field("from", required=False, help_text="empty: as soon as the claim deadline allows")
    ends_at = utc_field("to", required=False, help_text="empty: to the end of the campaign")
    count = forms.IntegerField(
        label="slots for each target", required=False, min_value=1, max_value=50,
        widget=UnfoldAdminIntegerFieldWidget(), help_text="empty: as many as the campaign asks for",
    )  # fmt: skip
    kind = forms.ChoiceField(choices=Slot.Kind, widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, campaign: Campaign, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["target"]
        field.queryset = campaign.targets.filter(visible_target_q(actor_for(request))).distinct()


class PlaceForm(ProposeForm):
    """A slot at a time of one's own choice."""

    field_order = ("target", "starts_at", "ends_at", "kind")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["count"]
        for name in ("target", "starts_at", "ends_at"):
            self.fields[name].required, self.fields[name].help_text = True, ""
        target: Any = self.fields["target"]
        target.empty_label = None


class RapidForm(forms.Form):
    hours = forms.FloatField(
        label="in the next (h)", initial=24, min_value=0, max_value=72, widget=UnfoldAdminDecimalFieldWidget()
    )
    count = forms.IntegerField(
        label="slots for each target", required=False, min_value=1, max_value=50, widget=UnfoldAdminIntegerFieldWidget()
    )


class SlotInline(ReadOnlyInline):
    model = Slot
    fields = readonly_fields = ("slot", "target_name", "kind", "shown_state", "claim_until")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Slot.objects.visible_to(actor_for(request)).select_related("target")

    @display(description="period")
    def slot(self, slot: Slot) -> str:
        return link(slot, period_text(slot.starts_at, slot.ends_at))

    @display(description="target")
    def target_name(self, slot: Slot) -> str:
        return str(slot.target)

    @display(description="state", label=SLOT_COLOURS)
    def shown_state(self, slot: Slot) -> str:
        return slot.state.replace("_", " ")

    @display(description="claims until (UTC)")
    def claim_until(self, slot: Slot) -> str:
        return f"{slot.claim_deadline:%Y-%m-%d %H:%M}"


@admin.register(Campaign)
class CampaignWithSlotsAdmin(CampaignAdmin):
    inlines = (*CampaignAdmin.inlines, SlotInline)
    actions_detail = (
        "open_campaign", "answer_invitation", "overview", "propose", "invite", "add_target",
        {
            "title": "More", "icon": "more_vert",
            "items": [
                "edit", "remove_target", "choose_positions", "message", "place", "rapid", "close_campaign", "complete",
                "cancel",
            ],
        },
    )  # fmt: skip

    def offered(self, request: HttpRequest, obj: Campaign) -> set[str]:
        names = super().offered(request, obj)
        if not acts_for(request, obj.lead_organisation_id) or obj.state in OVER:
            return names
        if obj.state in (Campaign.State.DRAFT, Campaign.State.OPEN) and obj.campaign_targets.exists():
            names |= {"propose", "place"}
        if obj.state == Campaign.State.OPEN and obj.campaign_targets.exists():
            names.add("rapid")
        if obj.state == Campaign.State.CLOSED:
            names.add("complete")
        return names | {"cancel"}

    @action(description="Propose slots", icon="auto_awesome", variant=ActionVariant.PRIMARY)
    def propose(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "propose")
        form = ProposeForm(posted(request), campaign=campaign, request=request)

        def propose(given: dict[str, Any]) -> list[Slot]:
            target = given.pop("target")
            return services.propose_slots(
                campaign.pk, target_id=target.pk if target else None, actor=signed_in(request), **given
            )

        return self.ask(
            request, form, obj=campaign, title="Propose slots", submit="Propose", do=propose, done=_proposed,
            then=f"{list_address(Slot)}?campaign__id__exact={campaign.pk}",
            intro=f"Drafts of {campaign.observation_minutes} min are placed inside the best joint windows of the "
            "telescopes of all participants, clear of bookings and closures. Nobody is told before they are published.",
        )  # fmt: skip

    @action(description="Add slot by hand", icon="edit_calendar")
    def place(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "place")
        form = PlaceForm(posted(request), campaign=campaign, request=request)
        return self.ask(
            request, form, obj=campaign, title="Add slot by hand", submit="Create draft", done="The draft is there.",
            intro="With a seat for each telescope of a participant that sees the target all through it.",
            then=f"{list_address(Slot)}?campaign__id__exact={campaign.pk}",
            do=lambda given: services.add_slot(
                campaign.pk, given["target"].pk, starts_at=given["starts_at"], ends_at=given["ends_at"],
                kind=given["kind"], actor=signed_in(request),
            ),
        )  # fmt: skip

    @action(description="Rapid response", icon="bolt", variant=ActionVariant.WARNING)
    def rapid(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "rapid")
        return self.ask(
            request, RapidForm(posted(request), initial={"hours": 24}), obj=campaign, title="Rapid response",
            intro="Finds every participating telescope that can see the campaign's targets in the next hours, "
            "publishes open slots there and tells all participants, in one step.", submit="Publish and tell everybody",
            then=f"{list_address(Slot)}?campaign__id__exact={campaign.pk}",
            done=lambda slots: f"{len(slots)} open slots are published, and all participants told.",
            do=lambda given: services.rapid_response(campaign.pk, actor=signed_in(request), **given),
        )  # fmt: skip

    @action(description="Complete", icon="check_circle")
    def complete(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "complete")
        return self.ask(
            request, ConfirmForm(posted(request)), obj=campaign, title="Complete the campaign", submit="Complete",
            intro="It is put on record as done.", done="The campaign is completed.",
            do=lambda given: services.complete_campaign(campaign.pk, actor=signed_in(request)),
        )  # fmt: skip

    @action(description="Cancel campaign", icon="cancel", variant=ActionVariant.DANGER)
    def cancel(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        campaign = self.row(request, object_id, "cancel")
        return self.ask(
            request, ReasonForm(posted(request)), obj=campaign, title="Cancel the campaign", danger=True,
            intro="All its slots are cancelled, their telescopes are free, and everybody is told.",
            done="The campaign is cancelled.",
            do=lambda given: services.cancel_campaign(campaign.pk, reason=given["reason"], actor=signed_in(request)),
        )  # fmt: skip


def _proposed(slots: list[Slot]) -> str:
    if not slots:
        return (
            "No joint window meets the requirements in this time. Ask for fewer sites or a shorter baseline, invite "
            "further organisations, or search a longer time."
        )
    return f"{len(slots)} drafts are proposed: look at them, edit them, and publish what you like."
