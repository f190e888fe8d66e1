from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.paginator import InfinitePaginator

from coordination.common.admin import PublicAdmin, ReadOnlyAdmin, ReadOnlyInline
from targets.admin import ByDesignation
from targets.orbits.trust import in_words

from . import quality
from .models import Chunk, Computation, PriorityWeights, VisibilityWindow
from .priority.scoring import PARTS
from .priority_weights import set_priority_weights


class ChunkInline(ReadOnlyInline):
    model = Chunk
    fields = ("state", "attempts", "window_count", "finished_at", "error")


@admin.register(Computation)
class ComputationAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "state", "starts_at", "ends_at", "finished_at")
    list_filter = ("state",)
    inlines = [ChunkInline]


class TrustFilter(admin.SimpleListFilter):
    title = _("trust in the orbit")
    parameter_name = "orbit_trust"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(level.label, level.label) for level in quality.LEVELS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        levels = {level.label: level.value for level in quality.LEVELS}
        return queryset.filter(trust=levels[self.value() or ""]) if self.value() in levels else queryset


class FitsFieldFilter(admin.SimpleListFilter):
    title = _("3-sigma fits the field")
    parameter_name = "fits_field"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", gettext("fits")), ("no", gettext("does not fit"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(fits_field=self.value() == "yes") if self.value() in ("yes", "no") else queryset


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
        "orbit_trust",
        "one_sigma",
        "fits",
    )
    list_filter = ("telescope", "night", TrustFilter, FitsFieldFilter)
    list_select_related = ("target", "telescope", "orbit", "ephemeris")
    target_path = "target"
    show_full_result_count = False
    paginator = InfinitePaginator
    ordering = ("starts_at", "id")
    list_per_page = 50

    @admin.display(description=_("highest (deg)"))
    def highest_deg(self, window: VisibilityWindow) -> str:
        return f"{window.peak_altitude_deg:.1f}"

    @admin.display(description="V")
    def v(self, window: VisibilityWindow) -> str:
        return f"{window.v_mag:.2f}"

    @admin.display(description="U")
    def orbit_u(self, window: VisibilityWindow) -> str:
        return window.orbit.u_parameter

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        heavy = ("orbit__covariance", "ephemeris__state", "ephemeris__blocks")
        return quality.with_quality(super().get_queryset(request)).defer(*heavy)

    @admin.display(description=_("orbit is"))
    def orbit_trust(self, window: VisibilityWindow) -> str:
        return quality.quality_of(window).orbit_trust or "not known"

    @admin.display(description=_("1-sigma"))
    def one_sigma(self, window: VisibilityWindow) -> str:
        known = quality.quality_of(window).uncertainty
        return "" if known is None else f"{'~' if known.is_estimate else ''}{in_words(known.major_arcsec)}"

    @admin.display(description=_("3-sigma fits the field"), boolean=True)
    def fits(self, window: VisibilityWindow) -> bool | None:
        return quality.quality_of(window).fits_field


@admin.register(PriorityWeights)
class PriorityWeightsAdmin(SimpleHistoryAdmin, PublicAdmin):
    """The one row of weights: changed by who has the permission, with its history."""

    list_display = ("__str__", *PARTS)
    fieldsets = (
        (
            _("Parts of the score"),
            {"fields": (tuple(PARTS),), "description": _("Only ratios count. See docs/priority.md.")},
        ),
        *((part.capitalize(), {"fields": (names,)}) for part, names in PARTS.items()),
    )

    def save_model(self, request: HttpRequest, obj: PriorityWeights, form: Any, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        obj.pk = set_priority_weights(actor=request.user, **changes).pk

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """For the menu, which asks on every page: without looking whether the row is there."""
        may = {"change": self.has_change_permission(request), "view": self.has_view_permission(request)}
        return {"add": False, "delete": False, **may}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not PriorityWeights.objects.exists()

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
