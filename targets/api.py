"""Targets in the API: under any designation, with the current orbit and what is stored of their positions."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers

from coordination.common import clock
from coordination.common.actors import actor_of
from coordination.common.api import ReadOnlyViewSet
from coordination.common.filters import TrueFalseFilter

from .models import (
    CloseApproach,
    Designation,
    Ephemeris,
    EphemerisComparison,
    Orbit,
    OrbitCheck,
    RiskAssessment,
    Target,
)
from .services import resolve
from .services.lookup import find


class DesignationSerializer(serializers.ModelSerializer[Designation]):
    class Meta:
        model = Designation
        fields = ("text", "kind")
        extra_kwargs = {"text": {"help_text": "as it is written"}, "kind": {"help_text": "what sort of designation"}}


class OrbitSerializer(serializers.ModelSerializer[Orbit]):
    class Meta:
        model = Orbit
        fields = (
            "id",
            "source",
            "reference",
            "epoch_tdb_jd",
            "a_au",
            "e",
            "i_deg",
            "node_deg",
            "peri_deg",
            "mean_anomaly_deg",
            "q_au",
            "tp_tdb_jd",
            "a1_au_d2",
            "a2_au_d2",
            "a3_au_d2",
            "h_mag",
            "h_sigma_mag",
            "g_slope",
            "g1",
            "g2",
            "g12",
            "m1_mag",
            "k1",
            "u_parameter",
            "arc_days",
            "arc_text",
            "last_observed_on",
            "observation_count",
            "opposition_count",
            "rms_arcsec",
        )
        extra_kwargs = {
            "id": {"help_text": "identifier of this version"},
            "source": {"help_text": "who published the solution"},
            "epoch_tdb_jd": {"help_text": "epoch of the osculating elements, Julian date TDB"},
            "a_au": {"help_text": "semi-major axis; negative for a hyperbola; null near a parabola: see q and tp"},
            "e": {"help_text": "eccentricity"},
            "i_deg": {"help_text": "inclination to the ecliptic of J2000"},
            "node_deg": {"help_text": "longitude of the ascending node"},
            "peri_deg": {"help_text": "argument of perihelion"},
            "mean_anomaly_deg": {"help_text": "mean anomaly at the epoch"},
            "q_au": {"help_text": "perihelion distance, where a and the mean anomaly are null"},
            "tp_tdb_jd": {"help_text": "time of perihelion there, Julian date TDB"},
            "a1_au_d2": {"help_text": "radial non-gravitational acceleration at 1 au; null: none"},
            "a2_au_d2": {"help_text": "transverse non-gravitational acceleration at 1 au; null: none"},
            "a3_au_d2": {"help_text": "normal non-gravitational acceleration at 1 au; null: none"},
            "h_mag": {"help_text": "absolute magnitude; null: unknown"},
            "h_sigma_mag": {"help_text": "its 1-sigma error; null: unknown"},
            "g_slope": {"help_text": "slope parameter G; G1 and G2, or G12, count before it"},
            "g1": {"help_text": "slope parameter G1; null: not of that system"},
            "g2": {"help_text": "slope parameter G2"},
            "g12": {"help_text": "slope parameter G12; null: not of that system"},
            "m1_mag": {"help_text": "total absolute magnitude of a comet, which counts before H; null: none"},
            "k1": {"help_text": "its slope with log10 r"},
            "arc_days": {"help_text": "length of the observed arc; from years where only years are published"},
            "last_observed_on": {"help_text": "date of the last observation that was used"},
            "observation_count": {"help_text": "observations used"},
            "opposition_count": {"help_text": "oppositions observed"},
            "rms_arcsec": {"help_text": "root mean square of the residuals"},
        }


class EphemerisSerializer(serializers.ModelSerializer[Ephemeris]):
    orbit = serializers.PrimaryKeyRelatedField[Orbit](read_only=True, help_text="version it was computed from")
    has_positions = serializers.BooleanField(
        help_text="false where the target stays fainter than any telescope reaches"
    )

    class Meta:
        model = Ephemeris
        fields = (
            "source",
            "solution",
            "orbit",
            "starts_at",
            "ends_at",
            "earth_orientation",
            "accuracy_arcsec",
            "brightest_v_mag",
            "impact_at",
            "has_positions",
            "computed_at",
        )
        extra_kwargs = {
            "source": {"help_text": "computed here, or taken from JPL Horizons"},
            "solution": {"help_text": "of JPL, where it is taken from Horizons; else empty"},
            "starts_at": {"help_text": "begin of its span"},
            "ends_at": {"help_text": "end of its span"},
            "impact_at": {"help_text": "when the target hits the Earth, where positions end; null: it does not"},
            "computed_at": {"help_text": "when it was computed"},
        }


class EphemerisComparisonSerializer(serializers.ModelSerializer[EphemerisComparison]):
    class Meta:
        model = EphemerisComparison
        fields = (
            "compared_at", "asked_at", "solution", "starts_at", "ends_at", "difference_arcsec", "difference_at",
            "start_difference_arcsec", "tolerance_arcsec", "is_within",
        )  # fmt: skip
        extra_kwargs = {
            "compared_at": {"help_text": "when it was compared; null: never"},
            "asked_at": {"help_text": "last attempt; later than `compared_at` where that failed"},
            "solution": {"help_text": "orbit solution that Horizons computes from"},
            "starts_at": {"help_text": "begin of the days that were compared"},
            "ends_at": {"help_text": "end of them"},
            "difference_arcsec": {"help_text": "from the Earth's centre, the largest part of what is allowed"},
            "difference_at": {"help_text": "when that is"},
            "start_difference_arcsec": {"help_text": "at `starts_at`"},
            "tolerance_arcsec": {"help_text": "what is allowed at `difference_at`"},
            "is_within": {"help_text": "whether it is within that all the time; null: our orbit is unusable"},
        }


class RiskSerializer(serializers.ModelSerializer[RiskAssessment]):
    class Meta:
        model = RiskAssessment
        fields = (
            "impact_probability", "palermo_cumulative", "palermo_maximum", "torino_maximum", "impact_count",
            "first_year", "last_year", "h_mag", "diameter_km", "v_inf_km_s", "last_observed_on", "assessed_at",
        )  # fmt: skip
        extra_kwargs = {
            "impact_probability": {"help_text": "cumulative, of all possible impacts"},
            "palermo_cumulative": {"help_text": "Palermo scale, cumulative"},
            "palermo_maximum": {"help_text": "Palermo scale of the worst possible impact"},
            "torino_maximum": {"help_text": "Torino scale, 0 to 10; null: not rated"},
            "impact_count": {"help_text": "possible impacts found"},
            "first_year": {"help_text": "of the possible impacts"},
            "last_year": {"help_text": "of the possible impacts"},
            "h_mag": {"help_text": "absolute magnitude used"},
            "diameter_km": {"help_text": "estimated diameter"},
            "v_inf_km_s": {"help_text": "speed relative to the Earth, without its pull"},
            "last_observed_on": {"help_text": "last observation that was used"},
            "assessed_at": {"help_text": "when JPL Sentry was first seen to say so"},
        }


class CloseApproachSerializer(serializers.ModelSerializer[CloseApproach]):
    class Meta:
        model = CloseApproach
        fields = (
            "at", "distance_au", "distance_min_au", "distance_max_au", "v_rel_km_s", "v_inf_km_s",
            "time_sigma_minutes", "h_mag", "solution", "updated_at",
        )  # fmt: skip
        extra_kwargs = {
            "at": {"help_text": "when it is closest to the Earth"},
            "distance_au": {"help_text": "nominal distance from the Earth's centre"},
            "distance_min_au": {"help_text": "3-sigma"},
            "distance_max_au": {"help_text": "3-sigma"},
            "v_rel_km_s": {"help_text": "speed relative to the Earth then"},
            "v_inf_km_s": {"help_text": "speed relative to the Earth, without its pull"},
            "time_sigma_minutes": {"help_text": "3-sigma of the time"},
            "solution": {"help_text": "orbit solution of JPL that it was computed from"},
            "updated_at": {"help_text": "when what JPL lists last changed"},
        }


class OrbitCheckSerializer(serializers.ModelSerializer[OrbitCheck]):
    class Meta:
        model = OrbitCheck
        fields = ("answered_at", "asked_at")
        extra_kwargs = {
            "answered_at": {"help_text": "the current orbit is what its provider said then; null: never answered"},
            "asked_at": {"help_text": "last attempt; later than `answered_at` where that failed"},
        }


class TargetSerializer(serializers.ModelSerializer[Target]):
    current_orbit = OrbitSerializer(allow_null=True, help_text="the solution in use")

    class Meta:
        model = Target
        fields = (
            "designation", "name", "kind", "orbit_class", "is_neo", "is_pha", "visibility",
            "rotation_period_h", "current_orbit",
        )  # fmt: skip
        extra_kwargs = {
            "name": {"help_text": "name, or empty"},
            "kind": {"help_text": "asteroid or comet"},
            "is_neo": {"help_text": "near-Earth object"},
            "is_pha": {"help_text": "potentially hazardous asteroid"},
            "visibility": {"help_text": "who may know of it"},
            "ephemeris_source": {
                "help_text": "where its positions are to come from; where they do come from, see `ephemeris`"
            },
            "rotation_period_h": {"help_text": "rotation period in hours, of its light curve; null: not known"},
        }


class TargetDetailSerializer(TargetSerializer):
    designations = DesignationSerializer(many=True, help_text="everything it is called")
    ephemeris = EphemerisSerializer(allow_null=True, help_text="what is stored of its positions; null before the first")
    risk = RiskSerializer(allow_null=True, help_text="as JPL Sentry assesses it now; null: not on its list")
    close_approaches = CloseApproachSerializer(many=True, source="coming", help_text="those to come, as JPL lists them")
    orbit_data_as_of = serializers.DateTimeField(
        allow_null=True, help_text="when the current orbit was last confirmed or taken over; null: there is none"
    )
    orbit_check = OrbitCheckSerializer(
        allow_null=True, help_text="when its provider was last asked; null: not asked, as only tracked targets are"
    )

    ephemeris_comparison = EphemerisComparisonSerializer(
        allow_null=True, help_text="our positions beside those of JPL Horizons; null: not compared, as only tracked are"
    )

    class Meta(TargetSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *TargetSerializer.Meta.fields, "designations", "ephemeris_source", "ephemeris", "ephemeris_comparison",
            "orbit_data_as_of", "orbit_check", "risk", "close_approaches",
        )  # fmt: skip


class TargetFilter(django_filters.FilterSet):
    designation = django_filters.CharFilter(method="called", help_text="Any designation: 99942, Apophis, K04M04N.")
    name = django_filters.CharFilter(lookup_expr="icontains", help_text="Text that the name contains.")
    orbit_class = django_filters.CharFilter(lookup_expr="iexact", help_text="Atira, Aten, Apollo, Amor …")
    is_pha = TrueFalseFilter(help_text="Potentially hazardous.")
    h_min = django_filters.NumberFilter(
        field_name="current_orbit__h_mag", lookup_expr="gte", help_text="Absolute magnitude from here."
    )
    h_max = django_filters.NumberFilter(
        field_name="current_orbit__h_mag", lookup_expr="lte", help_text="Absolute magnitude up to here."
    )
    u_max = django_filters.NumberFilter(
        method="certain", min_value=0, max_value=9, help_text="MPC uncertainty parameter at most, 0 to 9."
    )
    last_observed_after = django_filters.DateFilter(
        field_name="current_orbit__last_observed_on", lookup_expr="gte", help_text="Observed on this date or later."
    )

    class Meta:
        model = Target
        fields: list[str] = []

    def called(self, queryset: QuerySet[Target], name: str, value: str) -> QuerySet[Target]:
        found = find(value, actor_of(self.request.user))
        return queryset.none() if found is None else queryset.filter(pk=found)

    def certain(self, queryset: QuerySet[Target], name: str, value: Any) -> QuerySet[Target]:
        return queryset.filter(current_orbit__u_parameter__in=[str(u) for u in range(int(value) + 1)])


@extend_schema_view(
    retrieve=extend_schema(
        parameters=[
            OpenApiParameter(
                "designation",
                OpenApiTypes.STR,
                OpenApiParameter.PATH,
                description="Any designation: number, name, provisional or packed. Blanks and slashes may be left out.",
            )
        ]
    )
)
@extend_schema(tags=["targets"])
class TargetViewSet(ReadOnlyViewSet):
    """Asteroids and comets that the caller may know of."""

    queryset = Target.objects.none()
    serializer_class = TargetSerializer
    filterset_class = TargetFilter
    lookup_field = "designation"
    lookup_value_regex = "[^/]+"
    orderings = {
        "id": ("id",),
        "designation": ("designation",),
        "h_mag": ("current_orbit__h_mag", "id"),
        "-last_observed_on": ("-current_orbit__last_observed_on", "id"),
    }

    def get_queryset(self) -> QuerySet[Target]:
        return Target.objects.visible_to(actor_of(self.request.user)).select_related("current_orbit")

    def get_serializer_class(self) -> type[TargetSerializer]:
        return TargetDetailSerializer if self.action == "retrieve" else TargetSerializer

    def get_object(self) -> Target:
        target = resolve(self.kwargs["designation"], actor_of(self.request.user))
        known = (
            Target.objects.select_related("current_orbit", "orbit_check", "ephemeris_comparison")
            .prefetch_related("designations")
            .get(pk=target.pk)
        )
        self._attach_ephemeris(known)
        self._attach_watched(known)
        return known

    def _attach_ephemeris(self, target: Target) -> None:
        """The ephemeris without its blocks, which are kilobytes that nobody asked for."""
        light = Ephemeris.objects.with_has_positions().defer("blocks", "state")
        target.ephemeris = light.filter(target=target).first()

    def _attach_watched(self, target: Any) -> None:
        """Risk, passages to come, and how old the orbit is."""
        target.risk = target.risk_assessments.filter(ended_at=None).first()
        target.coming = list(target.close_approaches.filter(at__gte=clock.now())[:50])
        check = getattr(target, "orbit_check", None)
        target.orbit_check = check
        target.ephemeris_comparison = getattr(target, "ephemeris_comparison", None)
        orbit = target.current_orbit
        dates = [orbit.created_at] if orbit else []
        if orbit and check and check.answered_at:
            dates.append(check.answered_at)
        target.orbit_data_as_of = max(dates, default=None)
