"""Letting people in, in the administration: invitations, and names that are locked after wrong passwords."""

import datetime as dt
from typing import Any

from axes.models import AccessAttempt, AccessAttemptExpiration, AccessFailureLog, AccessLog
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget

from coordination.common.admin import ReadOnlyAdmin
from coordination.common.desk import ConfirmForm, DeskAdmin, posted
from observatories import services
from observatories.admin import signed_in
from observatories.models import Invitation, Membership, Organisation
from observatories.people import may_manage, organisations_with_role

from .signin.inviting import link_of, send_invitation

for _model in (AccessLog, AccessFailureLog, AccessAttempt, AccessAttemptExpiration, TOTPDevice, StaticDevice):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)  # theirs shows secrets of people, and rows that nobody edits


@admin.register(AccessAttempt)
class LockAdmin(ReadOnlyAdmin):
    """Wrong passwords of the last minutes. Deleting rows unlocks."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time", "counts_until", "is_locked")
    search_fields = ("username", "ip_address")
    fields = ("username", "ip_address", "user_agent", "failures_since_start", "attempt_time", "counts_until")
    readonly_fields = ("counts_until",)
    actions = ("unlock",)

    @display(description=gettext_lazy("counts until"))
    def counts_until(self, attempt: AccessAttempt) -> dt.datetime:
        until: dt.datetime = attempt.attempt_time + settings.AXES_COOLOFF_TIME
        return until

    @display(description=gettext_lazy("locked"), label={"locked": "danger"})
    def is_locked(self, attempt: AccessAttempt) -> str | None:
        counts = self.counts_until(attempt) > timezone.now()
        return "locked" if counts and attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT else None

    @admin.action(description=gettext_lazy("Unlock"), permissions=["unlock"])
    def unlock(self, request: HttpRequest, attempts: QuerySet[Any]) -> None:
        for username in sorted({attempt.username or "" for attempt in attempts}):
            services.unlock(username, actor=signed_in(request))
        self.message_user(request, _("They can sign in again."), messages.SUCCESS)

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self.has_unlock_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_unlock_permission(request)


class InviteForm(forms.Form):
    organisation = forms.ModelChoiceField(Organisation.objects.none(), widget=UnfoldAdminSelectWidget())
    role = forms.ChoiceField(choices=Membership.Role, widget=UnfoldAdminSelectWidget())
    email = forms.EmailField(label=gettext_lazy("e-mail address"), required=False, widget=UnfoldAdminEmailInputWidget())

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["organisation"]
        field.queryset = _managed(request)
        if len(field.queryset) == 1:
            field.initial = field.queryset[0]
        self.fields["email"].help_text = (
            _("the link goes there; it is shown here too")
            if settings.EMAIL_URL
            else _("to remember who it is: this service sends no e-mail, you pass the link on")
        )


def _managed(request: HttpRequest) -> QuerySet[Organisation]:
    if getattr(request.user, "is_superuser", False):
        return Organisation.objects.all()
    return Organisation.objects.filter(pk__in=organisations_with_role(request.user, Membership.Role.MANAGER))


@admin.register(Invitation)
class InvitationAdmin(DeskAdmin):
    list_display = ("organisation", "role", "email", "invited_by", "created_at", "expires_at", "shown_state")
    list_select_related = ("organisation", "invited_by")
    list_filter = ("role",)
    fields = ("link", "organisation", "role", "email", "invited_by", "created_at", "expires_at", "shown_state",
              "accepted_by")  # fmt: skip
    readonly_fields = ("link", "shown_state")
    actions_detail = ("withdraw",)

    @display(description=gettext_lazy("link, to pass on"))
    def link(self, invitation: Any) -> str:
        return getattr(invitation, "shown_link", "") or "-"

    @display(
        description=gettext_lazy("state"),
        label={"open": "warning", "accepted": "success", "withdrawn": "danger", "expired": "danger"},
    )
    def shown_state(self, invitation: Invitation) -> str:
        return invitation.state

    def get_object(self, request: HttpRequest, object_id: Any, from_field: Any = None) -> Any:
        """With the link for who may pass it on."""
        invitation: Any = super().get_object(request, object_id, from_field)
        if invitation is not None and "withdraw" in self.offered(request, invitation):
            invitation.shown_link = link_of(invitation, request)
        return invitation

    def offered(self, request: HttpRequest, obj: Invitation) -> set[str]:
        mine = obj.state == "open" and may_manage(request.user, obj.organisation_id)
        return {"withdraw"} if mine else set()

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """For the menu of every page: who may invite is asked on this model's own pages only."""
        return {"add": False, "change": False, "delete": False, "view": True}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser or organisations_with_role(request.user, Membership.Role.MANAGER))

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.require_adding(request)

        def invite(given: dict[str, Any]) -> Model:
            organisation = given.pop("organisation")
            invitation = services.invite(organisation.pk, actor=signed_in(request), **given)
            if invitation.email and settings.EMAIL_URL and not send_invitation(invitation, request):
                self.message_user(request, _("The mail could not be sent: pass the link on."), messages.WARNING)
            return invitation

        return self.ask(
            request, InviteForm(posted(request), request=request), title=_("Invite a colleague"), submit=_("Invite"),
            intro=_("By a link that works once, for %d days. The colleague chooses a name and a password.")
            % settings.INVITATION_DAYS, do=invite, done=_("The invitation is open. Its link is below."),
        )  # fmt: skip

    @action(description=gettext_lazy("Withdraw"), icon="undo", variant=ActionVariant.DANGER)
    def withdraw(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        invitation = self.row(request, object_id, "withdraw")
        return self.ask(
            request, ConfirmForm(posted(request)), obj=invitation, title=_("Withdraw the invitation"),
            submit=_("Withdraw"), danger=True, done=_("The link does not work any more."),
            do=lambda given: services.withdraw_invitation(invitation.pk, actor=signed_in(request)),
        )  # fmt: skip
