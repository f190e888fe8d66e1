"""Calendars: created here, their address shown once, and revoked."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext_lazy as _

from coordination.campaigns.admin import acts_for_any, scheduled_by
from coordination.campaigns.models import Campaign
from coordination.common.desk import actor_for
from coordination.common.problems import DomainError
from observatories.admin import ServiceAdmin, signed_in
from observatories.models import Observatory, Telescope

from . import services
from .models import CalendarFeed


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ServiceAdmin):
    list_display = ("subject_name", "kind", "organisation", "shown", "created_by", "last_used_at", "revoked_at")
    list_filter = ("kind", ("revoked_at", admin.EmptyFieldListFilter), "organisation")
    list_select_related = ("organisation", "telescope", "observatory", "campaign", "created_by")
    fields = ("organisation", "kind", "telescope", "observatory", "campaign")
    readonly_fields = ("shown", "created_by", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: CalendarFeed | None = None) -> Any:
        return self.fields if obj is None else (*self.fields, *self.readonly_fields)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CalendarFeed]:
        feeds: QuerySet[CalendarFeed] = CalendarFeed.objects.visible_to(actor_for(request))
        return feeds.select_related(*self.list_select_related)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        mine = scheduled_by(request)
        choices: dict[str, QuerySet[Any]] = {
            "organisation": mine,
            "telescope": Telescope.objects.filter(organisation__in=mine),
            "observatory": Observatory.objects.filter(telescopes__organisation__in=mine).distinct(),
            "campaign": Campaign.objects.filter(
                Q(participations__organisation__in=mine, participations__state="joined")
            ).distinct(),
        }
        if db_field.name in choices:
            kwargs["queryset"] = choices[db_field.name]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Model, form: forms.ModelForm, change: bool) -> None:
        given = form.cleaned_data
        feed, path = services.create_calendar(
            given["organisation"].pk,
            given["kind"],
            **{f"{name}_id": getattr(given[name], "pk", None) for name in ("telescope", "observatory", "campaign")},
            actor=signed_in(request),
        )
        for field in CalendarFeed._meta.concrete_fields:
            setattr(obj, field.attname, getattr(feed, field.attname))
        obj._state.adding = False
        obj.address = (settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")) + path  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The address, in the answer itself: a message would lie in a cookie until it is shown."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Calendar created",
            "opts": self.opts,
            "feed": obj,
            "address": obj.address,
            "subscribe": "webcal://" + obj.address.partition("://")[2],
        }
        response = TemplateResponse(request, "feeds/calendar_created.html", context)
        patch_cache_control(response, no_store=True, private=True)
        response["Referrer-Policy"] = "no-referrer"
        return response

    @admin.display(description=_("of"))
    def subject_name(self, feed: CalendarFeed) -> str:
        return str(feed.subject)

    @admin.display(description=_("secret"))
    def shown(self, feed: CalendarFeed) -> str:
        return f"{feed.prefix}…"

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, feeds: QuerySet[CalendarFeed]) -> None:
        for pk in feeds.values_list("pk", flat=True):
            try:
                feed = services.revoke_calendar(pk, actor=signed_in(request))
            except DomainError as error:
                self.message_user(request, error.detail, messages.ERROR)
            else:
                self.message_user(request, f"{feed} is revoked.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: CalendarFeed | None = None) -> bool:
        actor = actor_for(request)
        if obj is not None and not actor.sees_everything:
            return obj.organisation_id in actor.organisation_ids
        return actor.sees_everything or bool(actor.organisation_ids)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return acts_for_any(request)

    def has_change_permission(self, request: HttpRequest, obj: CalendarFeed | None = None) -> bool:
        return False  # revoked, and another one made: an address never comes to mean something else

    def has_delete_permission(self, request: HttpRequest, obj: CalendarFeed | None = None) -> bool:
        return False
