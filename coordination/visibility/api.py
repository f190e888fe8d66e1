"""Visibility windows in the API: which telescope can observe which target when, and why not longer."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common import clock
from coordination.common.actors import actor_of
from coordination.common.api import RoundedField
from coordination.common.filters import InstantFilter, TrueFalseFilter
from coordination.common.pagination import KeysetPagination
from coordination.common.problems import DomainError
from coordination.common.representing import QuickRepresentation
from coordination.common.table_views import TableListViewSet
from observatories.models import Observatory, Organisation, Telescope
from targets.services import UnknownDesignationError, resolve

from . import quality, window_table
from .models import VisibilityWindow
from .planning import stored_span


class WindowTargetSerializer(serializers.Serializer[Any]):
    designation = serializers.CharField(help_text="primary designation")
    name = serializers.CharField(help_text="name, or empty")


class WindowTelescopeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    observatory = serializers.CharField(source="observatory.name")
    mpc_code = serializers.CharField(source="observatory.mpc_code", allow_null=True, help_text="MPC observatory code")
    organisation = serializers.CharField(source="organisation.slug", help_text="operating organisation")


class WindowOrbitSerializer(serializers.Serializer[Any]):
    u_parameter = serializers.CharField(
        help_text="MPC uncertainty parameter, 0 (best) to 9, or E, D, F; empty: none given"
    )
    arc_days = serializers.FloatField(allow_null=True, help_text="length of the observed arc")
    last_observed_on = serializers.DateField(allow_null=True)


class UncertaintySerializer(serializers.Serializer[Any]):
    major_arcsec = RoundedField(4, help_text="semi-major axis of the 1-sigma ellipse on the sky in that night")
    minor_arcsec = RoundedField(4, help_text="semi-minor axis")
    position_angle_deg = RoundedField(2, help_text="of the major axis, north through east, 0 to 180")
    is_estimate = serializers.BooleanField(
        help_text="true: made from U and the arc; false: from the covariance of the fit"
    )
    nonlinear = serializers.CharField(help_text="why the ellipse is not the truth; empty where it is")


class WindowFiguresSerializer(serializers.Serializer[Any]):
    """What is told of a window wherever it comes from."""

    opened_by = serializers.CharField(source="get_opened_by_display", help_text="the constraint that opens it")
    closed_by = serializers.CharField(source="get_closed_by_display", help_text="the constraint that closes it")
    duration_s = RoundedField(3)
    peak_altitude_deg = RoundedField(4, help_text="highest altitude, without refraction")
    peak_airmass = RoundedField(4, help_text="airmass there")
    v_mag = RoundedField(3, help_text="V at the peak, as are rate, position angle and Moon")
    rate_arcsec_min = RoundedField(4, help_text="motion on the sky")
    position_angle_deg = RoundedField(3, help_text="direction of the motion, north through east")
    moon_separation_deg = RoundedField(3, help_text="distance of the Moon")
    start_ra_deg = RoundedField(6, help_text="topocentric astrometric ICRF, as are the further places")
    start_dec_deg = RoundedField(6)
    middle_ra_deg = RoundedField(6)
    middle_dec_deg = RoundedField(6)
    end_ra_deg = RoundedField(6)
    end_dec_deg = RoundedField(6)


class WindowSerializer(QuickRepresentation, WindowFiguresSerializer, serializers.ModelSerializer[VisibilityWindow]):
    target = WindowTargetSerializer(help_text="what is observed")
    telescope = WindowTelescopeSerializer(help_text="from where")
    orbit = WindowOrbitSerializer(help_text="quality of the orbit behind it")
    orbit_trust = serializers.ChoiceField(
        choices=[level.label for level in quality.LEVELS],
        allow_null=True,
        help_text="how far the orbit can be trusted in that night; windows are stored only where it is not unusable; "
        "null: not known",
    )
    solution = serializers.CharField(
        source="ephemeris.solution",
        help_text="of JPL, where positions are taken from its Horizons in the place of the orbit; else empty",
    )
    uncertainty = UncertaintySerializer(
        allow_null=True, help_text="of the place, seen from the Earth's centre; null where nothing is known of it"
    )
    fits_field = serializers.BooleanField(
        allow_null=True,
        help_text="whether the 3-sigma ellipse fits the telescope's field however that is turned; null: not known",
    )
    fits_field_until = serializers.DateField(
        allow_null=True, help_text="last night from this one on, within the stored span, in which it does; null: none"
    )
    v_sigma_mag = serializers.FloatField(
        source="orbit.h_sigma_mag", allow_null=True, help_text="1-sigma of V, from that of H; null: not known"
    )

    class Meta:
        model = VisibilityWindow
        fields = (
            "target",
            "telescope",
            "night",
            "starts_at",
            "ends_at",
            "duration_s",
            "opened_by",
            "closed_by",
            "peak_at",
            "peak_altitude_deg",
            "peak_airmass",
            "v_mag",
            "rate_arcsec_min",
            "position_angle_deg",
            "moon_separation_deg",
            "start_ra_deg",
            "start_dec_deg",
            "middle_ra_deg",
            "middle_dec_deg",
            "end_ra_deg",
            "end_dec_deg",
            "orbit",
            "solution",
            "orbit_trust",
            "uncertainty",
            "fits_field",
            "fits_field_until",
            "v_sigma_mag",
        )


def _require(condition: bool, field: str, value: object, refusal: str) -> None:
    if not condition:
        raise DomainError(f"{refusal} {value}.", field=field, value=str(value))


class WindowFilter(django_filters.FilterSet):
    target = django_filters.CharFilter(
        method="of_target", help_text="Any designation, such as 99942, Apophis or K04M04N."
    )
    telescope = django_filters.NumberFilter(method="of_telescope", help_text="Identifier of a telescope.")
    observatory = django_filters.CharFilter(method="of_observatory", help_text="MPC code.")
    organisation = django_filters.CharFilter(method="of_organisation", help_text="Short name of the operator.")
    after = InstantFilter(method="that_end_after", help_text="Windows that end after this instant; default now.")
    before = InstantFilter(method="that_start_before", help_text="Windows that start before this instant.")
    min_duration_s = django_filters.NumberFilter(
        field_name="duration_s", lookup_expr="gte", help_text="At least so long."
    )
    v_max = django_filters.NumberFilter(field_name="v_mag", lookup_expr="lte", help_text="Not fainter than this V.")
    orbit_trust = django_filters.ChoiceFilter(
        choices=[(level.label, f"{level.label} or better") for level in quality.LEVELS],
        method="trusted",
        help_text="The least that an orbit is to be trusted in the night: `good`, `fair` or `poor`, which is every "
        "window. Default: `poor` for a named target, else `fair`.",
    )
    fits_field = TrueFalseFilter(
        method="that_fits", help_text="true: only where the 3-sigma ellipse fits the field; false: where it does not."
    )

    class Meta:
        model = VisibilityWindow
        fields: list[str] = []

    def of_target(self, queryset: QuerySet[VisibilityWindow], name: str, value: str) -> QuerySet[VisibilityWindow]:
        try:
            target = resolve(value, actor_of(self.request.user))
        except UnknownDesignationError as error:  # the list is there; what it is asked for is not
            raise DomainError(error.detail, field=name, value=value, **error.extra) from error
        return queryset.filter(target=target)

    def of_telescope(self, queryset: QuerySet[Any], name: str, value: Decimal) -> QuerySet[Any]:
        # What is no whole number, or none that the database could hold, is no identifier.
        fits = value == value.to_integral_value() and 0 < value < 2**63
        _require(fits and Telescope.objects.filter(pk=int(value)).exists(), name, value, "There is no telescope")
        return queryset.filter(telescope_id=int(value))

    def of_observatory(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        observatory = Observatory.objects.filter(mpc_code__iexact=value).first()
        _require(observatory is not None, name, value, "There is no observatory with the code")
        place = None if observatory is None else observatory.place
        _require(place is not None, name, value, "No windows can be computed without a fixed place: observatory")
        return queryset.filter(telescope__observatory=observatory)

    def of_organisation(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        known = Organisation.objects.filter(slug=value).exists()
        _require(known, name, value, "There is no organisation with the short name")
        return queryset.filter(telescope__organisation__slug=value)

    def that_end_after(self, queryset: QuerySet[Any], name: str, value: dt.datetime) -> QuerySet[Any]:
        return queryset.filter(ends_at__gt=self._inside("after", value), night_ends_on__gte=value.date())

    def that_start_before(self, queryset: QuerySet[Any], name: str, value: dt.datetime) -> QuerySet[Any]:
        latest_night_end = value.date() + dt.timedelta(days=2)
        return queryset.filter(starts_at__lt=self._inside("before", value), night_ends_on__lte=latest_night_end)

    def trusted(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        level = quality.level_named(value)
        return queryset if level == quality.LEVELS[-1] else queryset.filter(quality.at_best(level))

    def that_fits(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        return queryset.filter(fits_field=value)

    def _inside(self, field: str, value: dt.datetime) -> dt.datetime:
        span = stored_span()
        if span is not None and not span.starts_at <= value <= span.ends_at:
            told = f"{span.starts_at:%Y-%m-%dT%H:%M:%SZ} to {span.ends_at:%Y-%m-%dT%H:%M:%SZ}"
            raise ValidationError(
                {field: [f"{value:%Y-%m-%dT%H:%M:%SZ} is outside the span of stored windows, {told}."]}
            )
        return value

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        cleaned = self.form.cleaned_data
        if not cleaned.get("orbit_trust"):
            cleaned["orbit_trust"] = quality.LEVELS[-1].label if cleaned.get("target") else quality.LISTED.label
        if not cleaned.get("after"):
            queryset = queryset.filter(ends_at__gt=clock.now(), night_ends_on__gte=clock.now().date())
        if cleaned.get("after") and cleaned.get("before") and cleaned["before"] <= cleaned["after"]:
            raise ValidationError({"before": ["`before` must be later than `after`."]})
        return super().filter_queryset(queryset)


def orbits_listed(request: Request) -> str:
    """Which orbits the windows asked for are limited to."""
    asked = request.query_params
    least = asked.get("orbit_trust") or (quality.LEVELS[-1] if "target" in asked else quality.LISTED).label
    means = {"good": "only orbits that are good on the night", "fair": f"only {quality.LISTED_MEANS}"}
    return means.get(least, "every orbit")


class WindowPagination(KeysetPagination):
    """Says with each page which orbits it holds: a list that leaves out windows unasked must not look complete."""

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        response.data["orbits"] = orbits_listed(self.request)
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page = super().get_paginated_response_schema(schema)
        page["properties"]["orbits"] = {"type": "string", "description": "Which orbits the list is limited to."}
        page["required"].append("orbits")
        return page


@extend_schema(tags=["windows"])
class WindowViewSet(TableListViewSet):
    """Intervals in which a telescope can observe a target, each edge named after the constraint that opens or closes
    it. JSON comes in pages; CSV and VOTable hold all windows asked for, up to 500000, without `limit` and `cursor`.
    """

    queryset = VisibilityWindow.objects.none()
    columns, table_name = window_table.COLUMNS, "windows"
    serializer_class = WindowSerializer
    filterset_class = WindowFilter
    pagination_class = WindowPagination
    orderings = {
        "starts_at": ("starts_at", "id"),
        "-duration_s": ("-duration_s", "id"),
        "v_mag": ("v_mag", "id"),
        "-peak_altitude_deg": ("-peak_altitude_deg", "id"),
    }

    def table_rows(self, queryset: QuerySet[Any]) -> Iterator[Any]:
        return window_table.rows(queryset)

    def table_infos(self) -> dict[str, str]:
        return {"ORBITS": orbits_listed(self.request)}

    def get_queryset(self) -> QuerySet[VisibilityWindow]:
        return quality.with_quality(VisibilityWindow.objects.visible_to(actor_of(self.request.user)))

    def paginate_queryset(self, queryset: Any) -> Any:
        rows = super().paginate_queryset(queryset)
        window_table.attach_shared(rows or [])  # joined, the same ephemeris would come with every window of a target
        return rows
