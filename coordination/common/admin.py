from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, TabularInline

from . import clock, exporting, following, sources
from .models import Event, EventFailure, QuarantinedReply, RunRecord, SourceState


class ExportingAdmin(ModelAdmin):
    """What its list shows can be had as CSV too."""

    list_before_template = "desk/empty_list.html"
    when_empty: Any = ""  # what to do next where the list is empty

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if exporting.wanted(request):
            return exporting.as_csv(self, request)
        response: HttpResponse = super().changelist_view(request, *args, **kwargs)
        return response


class DiscreetAdmin(ModelAdmin):
    """For who may not look at a row it is not there: a refusal would tell that it is."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        obj: Any = super().get_object(request, object_id, from_field)
        return obj if obj is not None and self.has_view_or_change_permission(request, obj) else None


class HistoryAdmin(SimpleHistoryAdmin):
    """With the history of rows that the person may see: that of others, and of what is gone, is not there."""

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        self._require_there(request, object_id)
        response: HttpResponse = super().history_view(request, object_id, *args, **kwargs)
        return response

    def history_form_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        self._require_there(request, object_id)
        response: HttpResponse = super().history_form_view(request, object_id, *args, **kwargs)
        return response

    def _require_there(self, request: HttpRequest, object_id: str) -> None:
        if self.get_object(request, unquote(str(object_id))) is None:
            raise Http404(f"There is no such {self.opts.verbose_name}.")


class ReadOnlyAdmin(DiscreetAdmin):
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

    @admin.action(description=_("Handle again"), permissions=["handle"])
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
    list_display = ("started_at", "job", "state", "ended_at", "counts", "message")
    list_filter = ("state", "job")
    search_fields = ("job", "message")


@admin.register(SourceState)
class SourceStateAdmin(ReadOnlyAdmin):
    """Every provider: when it answered last, whether that is too long ago, and whether it is left alone."""

    list_display = (
        "source", "title", "last_success_at", "age", "is_fresh", "breaker", "open_until", "failures", "last_error_at",
        "last_error", "quarantined",
    )  # fmt: skip
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        replies = QuarantinedReply.objects.filter(source=OuterRef("pk")).order_by().values("source")
        count = replies.annotate(count=Count("pk")).values("count")
        return super().get_queryset(request).annotate(quarantined=Coalesce(Subquery(count), 0))

    @admin.display(description=_("what it is"))
    def title(self, state: SourceState) -> str:
        source = sources.source_named(state.source)
        return source.title if source else ""

    @admin.display(description=_("age of the last answer"))
    def age(self, state: SourceState) -> str:
        return "never" if state.last_success_at is None else timesince(state.last_success_at, clock.now())

    @admin.display(description=_("fresh"), boolean=True)
    def is_fresh(self, state: SourceState) -> bool | None:
        source = sources.source_named(state.source)
        if source is None or state.last_success_at is None:
            return None if source is None else False
        return clock.now() - state.last_success_at <= source.fresh_for

    @admin.display(description=_("breaker"))
    def breaker(self, state: SourceState) -> str:
        return SourceState.Breaker(state.breaker).label

    @admin.display(description=_("quarantined"), ordering="quarantined")
    def quarantined(self, state: SourceState) -> int:
        return int(getattr(state, "quarantined", 0))


@admin.register(QuarantinedReply)
class QuarantinedReplyAdmin(ReadOnlyAdmin):
    list_display = ("last_at", "source", "subject", "reason", "times")
    list_filter = ("source",)
    search_fields = ("subject", "reason")
