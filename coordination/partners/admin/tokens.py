"""Tokens: made, replaced and revoked by the managers of their organisation. A secret is on the page that answers to
its making, and nowhere after that.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from coordination.common import clock
from coordination.common.actors import actor_of
from coordination.common.problems import DomainError
from coordination.common.scopes import Scope
from observatories.models import Membership, Organisation, User
from observatories.people import organisations_with_role

from .. import services
from ..models import PartnerToken

Made = tuple[PartnerToken, str]


class TokenForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = PartnerToken
        fields = ("organisation", "name", "scopes", "expires_at")


@admin.register(PartnerToken)
class PartnerTokenAdmin(ModelAdmin):
    form = TokenForm
    list_display = ("name", "prefix", "organisation", "allowed", "state", "last_used_at", "expires_at", "replaced_by")
    list_filter = ("organisation", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("organisation", "replaced_by")
    search_fields = ("name", "prefix")
    readonly_fields = (
        "prefix",
        "allowed",
        "state",
        "last_used_at",
        "revoked_at",
        "replaced_by",
        "created_by",
        "created_at",
    )
    actions = ("rotate", "revoke")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[PartnerToken]:
        tokens: QuerySet[PartnerToken] = PartnerToken.objects.visible_to(actor_of(request.user))
        return tokens if is_administrator(request) else tokens.filter(organisation__in=managed(request))

    def get_fields(self, request: HttpRequest, obj: PartnerToken | None = None) -> Any:
        return TokenForm.Meta.fields if obj is None else ("organisation", "name", "expires_at", *self.readonly_fields)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "organisation" and not is_administrator(request):
            kwargs["queryset"] = Organisation.objects.filter(pk__in=managed(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description=_("scopes"))
    def allowed(self, token: PartnerToken) -> str:
        return ", ".join(token.scopes)

    @admin.display(description=_("state"))
    def state(self, token: PartnerToken) -> str:
        if token.revoked_at is not None:
            return "revoked"
        return "expired" if token.refusal(clock.now()) else "valid"

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return super().changelist_view(request)

    def save_model(self, request: HttpRequest, obj: PartnerToken, form: Any, change: bool) -> None:
        given = dict(form.cleaned_data)
        token, text = services.create_token(given.pop("organisation").pk, actor=person(request), **given)
        obj.pk, obj._state.adding = token.pk, False
        obj.prefix = token.prefix
        request.made_token = (token, text)  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: PartnerToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        made: Made = request.made_token  # type: ignore[attr-defined]
        return self._shown(request, [made])

    @admin.action(description=_("Replace: a new token, the old one valid for 24 hours more"), permissions=["manage"])
    def rotate(self, request: HttpRequest, tokens: QuerySet[PartnerToken]) -> HttpResponse | None:
        made = []
        for token in tokens:
            try:
                made.append(services.rotate_token(token.pk, actor=person(request)))
            except DomainError as error:
                self.message_user(request, f"{token}: {error.detail}", messages.ERROR)
        return self._shown(request, made) if made else None

    @admin.action(description=_("Revoke at once"), permissions=["manage"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[PartnerToken]) -> None:
        for token in tokens:
            try:
                services.revoke_token(token.pk, actor=person(request))
                self.message_user(request, f"{token} opens nothing any more.", messages.SUCCESS)
            except DomainError as error:
                self.message_user(request, f"{token}: {error.detail}", messages.ERROR)

    def _shown(self, request: HttpRequest, made: list[Made]) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "title": "Copy it now", "made": made, "opts": self.opts}
        return TemplateResponse(request, "admin/partners/made_tokens.html", context)  # the admin's pages are not stored

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: PartnerToken | None = None) -> bool:
        mine = managed(request)
        return is_administrator(request) or (bool(mine) if obj is None else obj.organisation_id in mine)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: PartnerToken | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PartnerToken | None = None) -> bool:
        return False  # revoked ones stay, so that what they did keeps its name


def person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def is_administrator(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def managed(request: HttpRequest) -> set[int]:
    """Organisations that one manages: asked once for a page, whose side bar asks for every kind of row."""
    if not hasattr(request, "managed_organisations"):
        none_needed = is_administrator(request)
        mine = set() if none_needed else organisations_with_role(request.user, Membership.Role.MANAGER)
        request.managed_organisations = mine  # type: ignore[attr-defined]
    organisations: set[int] = request.managed_organisations  # type: ignore[attr-defined]
    return organisations
