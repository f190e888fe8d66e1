from django.contrib import admin
from unfold.paginator import InfinitePaginator

from coordination.common.admin import ReadOnlyAdmin, ReadOnlyInline
from targets.admin import ByDesignation

from .models import Chunk, Computation, VisibilityWindow


class ChunkInline(ReadOnlyInline):
    model = Chunk
    fields = ("state", "attempts", "window_count", "finished_at", "error")


@admin.register(Computation)
class ComputationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "state", "starts_at", "ends_at", "finished_at")
    list_filter = ("state",)
    inlines = [ChunkInline]


@admin.register(VisibilityWindow)
class VisibilityWindowAdmin(ByDesignation, ReadOnlyAdmin):
    """A million rows: nothing here counts them."""

    list_display = (
        "target",
        "telescope",
        "night",
        "starts_at",
        "ends_at",
        "opened_by",
        "closed_by",
        "highest_deg",
        "v",
        "orbit_u",
    )
    list_filter = ("telescope", "night")
    list_select_related = ("target", "telescope", "orbit")
    target_path = "target"
    show_full_result_count = False
    paginator = InfinitePaginator
    ordering = ("starts_at", "id")
    list_per_page = 50

    @admin.display(description="highest (deg)")
    def highest_deg(self, window: VisibilityWindow) -> str:
        return f"{window.peak_altitude_deg:.1f}"

    @admin.display(description="V")
    def v(self, window: VisibilityWindow) -> str:
        return f"{window.v_mag:.2f}"

    @admin.display(description="U")
    def orbit_u(self, window: VisibilityWindow) -> str:
        return window.orbit.u_parameter
