"""Grants in the administration: given and revoked by schedulers of the telescope's operator."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget

from coordination.campaigns.admin import acts_for, acts_for_any, scheduled_by
from coordination.campaigns.models import Campaign
from coordination.common.desk import ConfirmForm, DeskAdmin, actor_for, list_address, posted, utc_field
from observatories.admin import signed_in
from observatories.models import Organisation, Telescope

from .. import services
from ..models import TelescopeGrant


class GrantForm(forms.Form):
    telescope = forms.ModelChoiceField(queryset=Telescope.objects.none(), widget=UnfoldAdminSelectWidget())
    organisation = forms.ModelChoiceField(
        queryset=Organisation.objects.order_by("name"),
        widget=UnfoldAdminSelectWidget(),
        help_text=_("who may claim it"),
    )
    campaign = forms.ModelChoiceField(
        queryset=Campaign.objects.none(),
        required=False,
        empty_label="in any campaign",
        widget=UnfoldAdminSelectWidget(),
    )
    starts_at = utc_field(_("from"))
    ends_at = utc_field(_("to"))

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        telescope: Any = self.fields["telescope"]
        telescope.queryset = own_telescopes(request)
        campaign: Any = self.fields["campaign"]
        campaign.queryset = Campaign.objects.visible_to(actor_for(request))


def own_telescopes(request: HttpRequest) -> QuerySet[Telescope]:
    """Those that the person may book and lend."""
    return (
        Telescope.objects.filter(organisation__in=scheduled_by(request))
        .select_related("observatory")
        .order_by("observatory__name", "name")
    )


@admin.register(TelescopeGrant)
class GrantAdmin(DeskAdmin):
    list_display = ("telescope", "organisation", "campaign", "starts_at", "ends_at")
    list_select_related = ("telescope__observatory", "organisation", "campaign")
    list_filter = (("organisation", admin.RelatedOnlyFieldListFilter),)
    search_fields = ("telescope__name", "organisation__name")
    when_empty = _("There is no grant here. With Add a scheduler lets another organisation claim a telescope.")
    actions_detail = ("revoke",)
    refused_fields = {"observe_from": "starts_at", "observe_until": "ends_at"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those of one's own telescopes, and those that one was given."""
        grants = super(DeskAdmin, self).get_queryset(request).select_related(*self.list_select_related)
        actor = actor_for(request)
        if actor.sees_everything:
            return grants
        mine = actor.organisation_ids
        return grants.filter(Q(telescope__organisation_id__in=mine) | Q(organisation_id__in=mine))

    def offered(self, request: HttpRequest, obj: TelescopeGrant) -> set[str]:
        return {"revoke"} if acts_for(request, obj.telescope.organisation_id) else set()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return acts_for_any(request)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.require_adding(request)

        def give(given: dict[str, Any]) -> Model:
            telescope, organisation, campaign = (given.pop(name) for name in ("telescope", "organisation", "campaign"))
            return services.grant_telescope(
                telescope.pk, organisation.pk, campaign_id=campaign.pk if campaign else None, actor=signed_in(request),
                **given,
            )  # fmt: skip

        return self.ask(
            request,
            GrantForm(posted(request), request=request),
            title=gettext("Lend a telescope"),
            submit=gettext("Grant"),
            do=give,
            intro=gettext("The organisation may then claim it for observations inside the period."),
            done=gettext("The grant is given."),
        )

    @action(description=_("Revoke"), icon="undo", variant=ActionVariant.DANGER)
    def revoke(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        grant = self.row(request, object_id, "revoke")
        return self.ask(
            request,
            ConfirmForm(posted(request)),
            obj=grant,
            title=gettext("Revoke the grant"),
            submit=gettext("Revoke"),
            danger=True,
            intro=gettext("No further claims by it; what is claimed stays."),
            done=gettext("The grant is revoked."),
            then=list_address(TelescopeGrant),
            do=lambda given: services.revoke_grant(grant.pk, actor=signed_in(request)),
        )
