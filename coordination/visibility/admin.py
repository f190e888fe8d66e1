from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline

from coordination.common.admin import ReadOnlyAdmin

from .models import Chunk, Computation, VisibilityWindow


class ChunkInline(TabularInline):
    model = Chunk
    fields = readonly_fields = ("state", "attempts", "window_count", "finished_at", "error")
    extra = 0
    can_delete = False


@admin.register(Computation)
class ComputationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "state", "starts_at", "ends_at", "finished_at")
    list_filter = ("state",)
    inlines = [ChunkInline]


@admin.register(VisibilityWindow)
class VisibilityWindowAdmin(ReadOnlyAdmin):
    """A million rows: no exact count, no search but by designation."""

    list_display = (
        "target",
        "telescope",
        "night",
        "starts_at",
        "ends_at",
        "opened_by",
        "closed_by",
        "peak_altitude_deg",
        "v_mag",
        "orbit_u",
    )
    list_filter = ("telescope", "night")
    list_select_related = ("target", "telescope")
    search_fields = ("target__designation",)
    search_help_text = "any designation, such as 99942, Apophis or K04M04N"
    show_full_result_count = False
    ordering = ("starts_at", "id")
    list_per_page = 50

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[VisibilityWindow], search_term: str
    ) -> tuple[QuerySet[VisibilityWindow], bool]:
        from targets.designations import lookup_keys

        if not search_term.strip():
            return queryset, False
        return queryset.filter(target__designations__key__in=lookup_keys(search_term)).distinct(), False
