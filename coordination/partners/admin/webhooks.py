"""Webhooks and what became of their deliveries, for the managers of their organisation."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from coordination.common.admin import ReadOnlyAdmin
from coordination.common.problems import DomainError
from observatories.models import Organisation

from .. import services
from ..models import Webhook, WebhookDelivery
from .tokens import is_administrator, managed, person


class WebhookForm(forms.ModelForm):
    class Meta:
        model = Webhook
        fields = ("organisation", "url", "kinds")


class OfManagers(ModelAdmin):
    """Rows of organisations that one manages."""

    def _of(self, obj: Any) -> int:
        raise NotImplementedError

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        mine = managed(request)
        return is_administrator(request) or (bool(mine) if obj is None else self._of(obj) in mine)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


@admin.register(Webhook)
class WebhookAdmin(OfManagers):
    form = WebhookForm
    list_display = ("url", "organisation", "told", "state", "failures_in_row", "pause_reason")
    list_filter = ("state", "organisation")
    list_select_related = ("organisation",)
    search_fields = ("url",)
    actions = ("ping", "pause", "resume")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Webhook]:
        rows = Webhook.objects.select_related("organisation")
        return rows if is_administrator(request) else rows.filter(organisation__in=managed(request))

    def get_fields(self, request: HttpRequest, obj: Webhook | None = None) -> Any:
        given = WebhookForm.Meta.fields
        return given if obj is None else (*given, "secret", "state", "pause_reason", "failures_in_row", "failing_since")

    def get_readonly_fields(self, request: HttpRequest, obj: Webhook | None = None) -> Any:
        if obj is None:
            return ()
        return ("organisation", "secret", "state", "pause_reason", "failures_in_row", "failing_since")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "organisation" and not is_administrator(request):
            kwargs["queryset"] = Organisation.objects.filter(pk__in=managed(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description=_("events"))
    def told(self, webhook: Webhook) -> str:
        return ", ".join(webhook.kinds) or "all"

    @admin.display(description=_("secret"))
    def secret(self, webhook: Webhook) -> str:
        return webhook.secret

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        given = dict(form.cleaned_data)
        if change:
            services.update_webhook(obj.pk, actor=person(request), **{name: given[name] for name in form.changed_data})
        else:
            made = services.create_webhook(given.pop("organisation").pk, actor=person(request), **given)
            obj.pk, obj._state.adding = made.pk, False

    def delete_model(self, request: HttpRequest, obj: Webhook) -> None:
        services.delete_webhook(obj.pk, actor=person(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            self.delete_model(request, webhook)

    @admin.action(description=_("Send a test message"), permissions=["manage"])
    def ping(self, request: HttpRequest, webhooks: QuerySet[Webhook]) -> None:
        self._each(request, webhooks, services.ping_webhook)

    @admin.action(description=_("Pause"), permissions=["manage"])
    def pause(self, request: HttpRequest, webhooks: QuerySet[Webhook]) -> None:
        self._each(request, webhooks, services.pause_webhook)

    @admin.action(description=_("Resume"), permissions=["manage"])
    def resume(self, request: HttpRequest, webhooks: QuerySet[Webhook]) -> None:
        self._each(request, webhooks, services.resume_webhook)

    def _each(self, request: HttpRequest, webhooks: QuerySet[Webhook], service: Any) -> None:
        for webhook in webhooks:
            try:
                service(webhook.pk, actor=person(request))
            except DomainError as error:
                self.message_user(request, f"{webhook}: {error.detail}", messages.ERROR)

    def _of(self, obj: Webhook) -> int:
        return obj.organisation_id

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Webhook | None = None) -> bool:
        return self.has_view_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Webhook | None = None) -> bool:
        return self.has_view_permission(request, obj)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(OfManagers, ReadOnlyAdmin):
    list_display = ("created_at", "webhook", "what", "subject", "state", "attempts", "due_at", "last")
    list_filter = ("state", "webhook")
    list_select_related = ("webhook__organisation", "event")
    fields = ("webhook", "what", "subject", "state", "attempts", "created_at", "due_at", "delivered_at", "attempted")
    readonly_fields = fields
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookDelivery]:
        rows = WebhookDelivery.objects.select_related("webhook__organisation", "event")
        return rows if is_administrator(request) else rows.filter(webhook__organisation__in=managed(request))

    @admin.display(description=_("event"))
    def what(self, delivery: WebhookDelivery) -> str:
        return "ping" if delivery.event is None else delivery.event.kind

    @admin.display(description=_("last attempt"))
    def last(self, delivery: WebhookDelivery) -> str:
        return _line(delivery.log[-1]) if delivery.log else ""

    @admin.display(description=_("latest attempts"))
    def attempted(self, delivery: WebhookDelivery) -> str:
        return format_html_join("", "<div>{}</div>", ((_line(attempt),) for attempt in delivery.log))

    def _of(self, obj: WebhookDelivery) -> int:
        return obj.webhook.organisation_id


def _line(attempt: dict[str, Any]) -> str:
    return f"{attempt['at']}: {attempt['status']}, {attempt['ms']} ms {attempt['error']}".strip()
