"""Targets, orbits and ephemerides in the administration."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html_join
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.paginator import InfinitePaginator

from coordination.common.actors import actor_of
from coordination.common.admin import ExportingAdmin, HistoryAdmin, PublicAdmin, ReadOnlyAdmin, ReadOnlyInline

from .models import (
    Candidate,
    CloseApproach,
    Designation,
    Ephemeris,
    EphemerisComparison,
    HorizonsTable,
    Orbit,
    OrbitCheck,
    RiskAssessment,
    Target,
    visible_target_q,
)
from .services import choose_ephemeris_source, update_target
from .services.lookup import find, find_all, similar_designations

ORBIT_COLUMNS = (
    "source",
    "reference",
    "epoch_tdb_jd",
    "a_au",
    "e",
    "i_deg",
    "h_mag",
    "u_parameter",
    "arc_text",
    "last_observed_on",
)


class DesignationInline(ReadOnlyInline):
    model = Designation
    fields = ("text", "kind")


class OrbitInline(ReadOnlyInline):
    model = Orbit
    fk_name = "target"
    fields = (*ORBIT_COLUMNS, "created_at")
    readonly_fields = ("created_at",)
    show_change_link = True
    verbose_name_plural = "orbit versions, newest first"


class RiskInline(ReadOnlyInline):
    model = RiskAssessment
    fields = (
        "impact_probability", "palermo_cumulative", "palermo_maximum", "torino_maximum", "assessed_at", "ended_at",
        "is_removal",
    )  # fmt: skip
    verbose_name_plural = "risk, newest first"


class ComparisonInline(ReadOnlyInline):
    model = EphemerisComparison
    fields = (
        "is_within", "awaits_orbit", "difference_arcsec", "tolerance_arcsec", "difference_at", "solution",
        "compared_at", "problem",
    )  # fmt: skip
    verbose_name_plural = "positions beside those of Horizons"


class CloseApproachInline(ReadOnlyInline):
    model = CloseApproach
    fields = ("at", "distance_au", "distance_min_au", "distance_max_au", "v_rel_km_s", "updated_at")
    verbose_name_plural = "close approaches"


class ByDesignation:
    """Search by any designation, also packed; or by how one begins."""

    search_fields = ("designation",)
    search_help_text = "any designation, such as 99942, Apophis, 2004 MN4 or K04M04N, or how it begins"
    target_path = "pk"

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        if not search_term.strip():
            return queryset, False
        target_id = find(search_term)
        found = similar_designations(search_term).values("target_id") if target_id is None else [target_id]
        return queryset.filter(**{f"{self.target_path}__in": found}), False


@admin.register(Target)
class TargetAdmin(ByDesignation, HistoryAdmin, ExportingAdmin, PublicAdmin):
    list_display = ("designation", "name", "orbit_class", "is_pha", "h_mag", "u_parameter", "last_observed_on")
    list_filter = (
        "orbit_class",
        "is_pha",
        "current_orbit__u_parameter",
        "is_marked",
        "ephemeris_source",
        "visibility",
        "kind",
    )
    list_select_related = ("current_orbit",)
    show_full_result_count = False
    ordering = ("id",)
    list_per_page = 50
    fields = (
        ("designation", "name", "kind"),
        ("orbit_class", "is_neo", "is_pha"),
        ("visibility", "is_marked"),
        ("ephemeris_source", "rotation_period_h"),
    )
    readonly_fields = ("designation", "name", "kind", "orbit_class", "is_neo", "is_pha")
    inlines = (DesignationInline, OrbitInline, ComparisonInline, RiskInline, CloseApproachInline)
    actions_detail = ("orbit_versions", "names", "merge")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).visible_to(actor_of(request.user))

    # Pages of rooms above, by the names of their addresses.
    @action(description="Orbit versions", icon="compare_arrows")
    def orbit_versions(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("desk:target-orbits", args=[object_id]))

    @action(description="Names", icon="label")
    def names(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("desk:target-names", args=[object_id]))

    @action(description="Merge", icon="merge", variant=ActionVariant.DANGER)
    def merge(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("desk:target-merge", args=[object_id]))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What targets are called, and which are one, administrators say."""
        decides = actor_of(request.user).sees_everything
        found = super().get_actions_detail(request, object_id)
        return found if decides else [each for each in found if each.action_name.endswith("_orbit_versions")]

    def save_model(self, request: HttpRequest, obj: Target, form: Any, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        source = changes.pop("ephemeris_source", None)
        if changes:
            update_target(obj.pk, actor=request.user, **changes)
        if source is not None:
            choose_ephemeris_source(obj.pk, source, actor=request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # targets come with their orbits: import_targets

    @admin.display(description="H", ordering="current_orbit__h_mag")
    def h_mag(self, target: Target) -> float | None:
        return target.current_orbit.h_mag if target.current_orbit else None

    @admin.display(description="U", ordering="current_orbit__u_parameter")
    def u_parameter(self, target: Target) -> str:
        return target.current_orbit.u_parameter if target.current_orbit else ""

    @admin.display(description="last observed", ordering="current_orbit__last_observed_on")
    def last_observed_on(self, target: Target) -> object:
        return target.current_orbit.last_observed_on if target.current_orbit else None


class OfVisibleTargets(ByDesignation, ExportingAdmin, ReadOnlyAdmin):
    """Rows of targets that the person may know of. They are written once, or by scheduled jobs alone: what staff did is
    in the history of the target.
    """

    target_path = "target"
    list_select_related: Sequence[str] = ("target",)
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(visible_target_q(actor_of(request.user), "target__"))

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:targets_target_history", args=[row.target_id]))


@admin.register(Orbit)
class OrbitAdmin(OfVisibleTargets, PublicAdmin):
    list_display = ("target", *ORBIT_COLUMNS)
    list_filter = ("source", "u_parameter")
    ordering = ("id",)


@admin.register(Ephemeris)
class EphemerisAdmin(OfVisibleTargets, PublicAdmin):
    list_display = (
        "target", "source", "solution", "starts_at", "ends_at", "brightest_v_mag", "has_positions", "computed_at",
    )  # fmt: skip
    list_filter = ("source",)
    exclude = ("state", "blocks")
    ordering = ("id",)
    paginator = InfinitePaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows: Any = super().get_queryset(request)
        ephemerides: QuerySet = rows.with_has_positions().defer("state", "blocks")
        return ephemerides

    @admin.display(description="positions stored", boolean=True)
    def has_positions(self, ephemeris: Ephemeris) -> bool:
        return bool(getattr(ephemeris, "has_positions", False))  # annotated by get_queryset


@admin.register(RiskAssessment)
class RiskAssessmentAdmin(OfVisibleTargets, PublicAdmin):
    list_display = (
        "target", "impact_probability", "palermo_cumulative", "torino_maximum", "first_year", "last_year",
        "assessed_at", "ended_at", "is_removal",
    )  # fmt: skip
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "torino_maximum")


@admin.register(CloseApproach)
class CloseApproachAdmin(OfVisibleTargets, PublicAdmin):
    list_display = ("target", "at", "distance_au", "distance_min_au", "v_rel_km_s", "h_mag", "solution", "updated_at")
    date_hierarchy = "at"


@admin.register(Candidate)
class CandidateAdmin(OfVisibleTargets, PublicAdmin):
    list_display = (
        "temporary_designation", "target", "on_neocp", "on_scout", "neocp_score", "observation_count", "arc_days",
        "h_mag", "impact_rating", "uncertainty_arcmin", "updated_at", "fate",
    )  # fmt: skip
    list_filter = ("on_neocp", "on_scout", "fate", "impact_rating")


@admin.register(OrbitCheck)
class OrbitCheckAdmin(OfVisibleTargets):
    """Problems may name other targets: they are for whom administrators give the permission."""

    list_display = ("target", "answered_at", "asked_at", "problem")
    list_filter = (("problem", admin.EmptyFieldListFilter),)
    fields = ("target", "asked_at", "answered_at", "problem", "candidates", "perhaps_one")
    readonly_fields = ("perhaps_one",)

    @admin.display(description="perhaps one object")
    def perhaps_one(self, check: OrbitCheck) -> str:
        """Links to merge it with what the problem names, for what is a target here."""
        named = [str(each) for each in check.candidates]
        others = [text for text, pk in zip(named, find_all(named), strict=True) if pk not in (None, check.target_id)]
        address = reverse("desk:target-merge", args=[check.target_id])
        linked = [(address, urlencode({"other": text}), text) for text in others]
        return format_html_join(", ", '<a href="{}?{}">merge with {}</a>', linked) or "-"


@admin.register(EphemerisComparison)
class EphemerisComparisonAdmin(OfVisibleTargets, PublicAdmin):
    list_display = (
        "target", "is_within", "difference_arcsec", "tolerance_arcsec", "difference_at", "solution", "orbit",
        "compared_at", "problem",
    )  # fmt: skip
    list_filter = ("is_within", "awaits_orbit", ("problem", admin.EmptyFieldListFilter))
    list_select_related = ("target", "orbit")


@admin.register(HorizonsTable)
class HorizonsTableAdmin(OfVisibleTargets, PublicAdmin):
    list_display = ("target", "solution", "is_used", "starts_at", "ends_at", "step", "error_arcsec", "fetched_at")
    exclude = ("rows",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        used = HorizonsTable.objects.in_use().filter(pk=OuterRef("pk"))
        return super().get_queryset(request).defer("rows").annotate(is_used=Exists(used))

    @admin.display(description="in the place of our orbit", boolean=True)
    def is_used(self, table: HorizonsTable) -> bool:
        return bool(getattr(table, "is_used", False))  # annotated by get_queryset
