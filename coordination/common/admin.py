from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from . import following
from .models import Event, EventFailure, RunRecord


class ReadOnlyAdmin(ModelAdmin):
    """For rows that only the service itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class PublicAdmin(ModelAdmin):
    """What everybody may read, every member of staff may look at here."""

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True


class ReadOnlyInline(TabularInline):
    """The same beside another row: its `fields` are to look at."""

    extra = 0
    can_delete = False
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return True  # to whom the row is shown that they stand beside

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "subject", "actor", "system")
    list_filter = ("kind",)
    search_fields = ("kind", "subject")
    list_select_related = ("actor",)


@admin.register(EventFailure)
class EventFailureAdmin(ReadOnlyAdmin):
    list_display = ("failed_at", "reader", "event", "attempts", "retry_at", "error")
    list_filter = ("reader",)
    list_select_related = ("event",)
    actions = ("handle_again",)

    @admin.action(description="Handle again", permissions=["handle"])
    def handle_again(self, request: HttpRequest, failures: QuerySet[Any]) -> None:
        for failure in failures:
            try:
                following.handle_again(failure.pk)
            except Exception as error:
                self.message_user(request, f"{failure}: {type(error).__name__}: {error}", messages.ERROR)

    def has_handle_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False))


@admin.register(RunRecord)
class RunRecordAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "job", "state", "ended_at", "message")
    list_filter = ("state", "job")
    search_fields = ("job", "message")
