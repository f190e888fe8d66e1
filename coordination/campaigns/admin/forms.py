"""What is asked of a coordinator, and of who is invited."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from coordination.common.desk import actor_for
from observatories.models import Organisation
from targets.models import Target, visible_target_q

from ..models import Campaign, CampaignTarget, Participation


class KindForm(forms.Form):
    kind = forms.ChoiceField(
        choices=Campaign.Kind, widget=UnfoldAdminSelectWidget(),
        help_text="its usual requirements are filled in, and may be changed on the next page",
    )  # fmt: skip


class TargetForm(forms.Form):
    """Add a target: found under any designation, among those that the person may know of."""

    target = forms.ModelChoiceField(queryset=Target.objects.none(), help_text="any designation, or how it begins")

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["target"]
        field.queryset = Target.objects.visible_to(actor_for(request))
        field.widget = AutocompleteSelect(CampaignTarget._meta.get_field("target"), admin.site)
        field.widget.choices = field.choices


class HeldTargetForm(forms.Form):
    target = forms.ModelChoiceField(queryset=Target.objects.none(), widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, campaign: Campaign, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held: Any = self.fields["target"]
        held.queryset = campaign.targets.filter(visible_target_q(actor_for(request))).distinct()


class SourceForm(HeldTargetForm):
    source = forms.ChoiceField(
        choices=Target.EphemerisSource, widget=UnfoldAdminSelectWidget(), label="Positions from",
        help_text="for everybody; Horizons is asked within an hour, and where its table does not reach ours are used",
    )  # fmt: skip


class MessageForm(forms.Form):
    text = forms.CharField(max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}))


class HoursForm(forms.Form):
    hour_limit_h = forms.FloatField(
        label="Telescope hours at most (h)", required=False, min_value=0, widget=UnfoldAdminDecimalFieldWidget(),
        help_text="of this organisation in this campaign; empty: no limit",
    )  # fmt: skip


class InviteForm(HoursForm):
    organisation = forms.ModelChoiceField(
        queryset=Organisation.objects.none(), widget=UnfoldAdminSelectWidget(),
        help_text="its people are told; its schedulers answer",
    )  # fmt: skip
    field_order = ("organisation", "hour_limit_h")

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = campaign.participations.exclude(state=Participation.State.DECLINED).values("organisation_id")
        field: Any = self.fields["organisation"]
        field.queryset = Organisation.objects.exclude(pk__in=asked).order_by("name")


class AnswerForm(HoursForm):
    organisation = forms.ModelChoiceField(queryset=Organisation.objects.none(), widget=UnfoldAdminSelectWidget())
    answer = forms.ChoiceField(
        choices=[("join", "we take part"), ("decline", "we do not take part")], widget=UnfoldAdminSelectWidget()
    )
    field_order = ("organisation", "answer", "hour_limit_h")

    def __init__(self, *args: Any, organisations: QuerySet[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["organisation"]
        field.queryset = organisations
        field.empty_label = None
