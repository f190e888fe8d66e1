from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from .models import Event, RunRecord


class ReadOnlyAdmin(ModelAdmin):
    """For rows that only the service itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):
    """The same beside another row: its `fields` are to look at."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "subject", "actor")
    list_filter = ("kind",)
    search_fields = ("kind", "subject")
    list_select_related = ("actor",)


@admin.register(RunRecord)
class RunRecordAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "job", "state", "ended_at", "message")
    list_filter = ("state", "job")
    search_fields = ("job", "message")
