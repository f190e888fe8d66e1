"""Observatories and telescopes in the API: public, read-only."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from coordination.common.api import ReadOnlyViewSet
from coordination.common.filters import TrueFalseFilter, refused

from .models import Observatory, Organisation, Telescope


class OrganisationSerializer(serializers.ModelSerializer[Organisation]):
    class Meta:
        model = Organisation
        fields = ("slug", "name", "website")
        extra_kwargs = {
            "name": {"help_text": "full name"},
            "website": {"help_text": "address of its pages, or empty"},
        }


class ShortObservatorySerializer(serializers.ModelSerializer[Observatory]):
    class Meta:
        model = Observatory
        fields = ("id", "mpc_code", "name", "longitude_deg", "latitude_deg", "height_m", "time_zone")
        extra_kwargs = {
            "id": {"help_text": "identifier here"},
            "mpc_code": {"help_text": "code of the Minor Planet Center, if it has one"},
            "name": {"help_text": "name"},
            "longitude_deg": {"help_text": "east longitude, -180 to 180; null without a fixed place"},
            "latitude_deg": {"help_text": "geodetic latitude (WGS84); null without a fixed place"},
            "height_m": {"help_text": "height above the ellipsoid; null without a fixed place"},
        }


class ObservatorySerializer(ShortObservatorySerializer):
    class Meta(ShortObservatorySerializer.Meta):
        fields = (*ShortObservatorySerializer.Meta.fields, "kind", "coordinate_source")  # type: ignore[assignment]
        extra_kwargs = {
            **ShortObservatorySerializer.Meta.extra_kwargs,
            "kind": {"help_text": "whether it has a place: spacecraft, roving observers and the geocentre have none"},
            "coordinate_source": {"help_text": "where the coordinates come from"},
        }


class TelescopeSerializer(serializers.ModelSerializer[Telescope]):
    observatory = ShortObservatorySerializer(help_text="where it stands")
    organisation = OrganisationSerializer(help_text="who operates it")
    horizon_mask = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        allow_null=True,
        help_text="pairs of azimuth (north through east) and altitude of the horizon in degrees, linear in between",
    )

    class Meta:
        model = Telescope
        fields = (
            "id",
            "name",
            "state",
            "observatory",
            "organisation",
            "aperture_m",
            "field_width_deg",
            "field_height_deg",
            "figures_note",
            "sun_altitude_max_deg",
            "altitude_min_deg",
            "altitude_max_deg",
            "hour_angle_min_h",
            "hour_angle_max_h",
            "horizon_mask",
            "moon_separation_min_deg",
            "moon_separation_new_deg",
            "galactic_latitude_min_deg",
            "limiting_v_mag",
            "rate_max_arcsec_min",
            "window_min_s",
            "setup_s",
            "slew_s",
            "is_demo",
        )
        extra_kwargs = {
            "id": {"help_text": "identifier here"},
            "name": {"help_text": "name at its observatory"},
            "state": {"help_text": "windows are computed for active telescopes"},
            "aperture_m": {"help_text": "diameter of the aperture"},
            "field_width_deg": {"help_text": "width of the field of view"},
            "field_height_deg": {"help_text": "height of the field of view"},
            "sun_altitude_max_deg": {"help_text": "observes while the Sun is below this altitude"},
            "altitude_min_deg": {"help_text": "lowest altitude of a target"},
            "altitude_max_deg": {"help_text": "highest altitude of a target"},
            "hour_angle_min_h": {"help_text": "first hour angle, negative east of the meridian; null: no limit"},
            "hour_angle_max_h": {"help_text": "last hour angle; null: no limit"},
            "moon_separation_min_deg": {"help_text": "least distance of a target from the Moon"},
            "moon_separation_new_deg": {
                "help_text": "the same at new Moon, growing with the illuminated fraction; null: the same always"
            },
            "galactic_latitude_min_deg": {"help_text": "least distance from the galactic plane; null: no limit"},
            "limiting_v_mag": {"help_text": "faintest V magnitude"},
            "rate_max_arcsec_min": {"help_text": "fastest motion on the sky; null: no limit"},
            "window_min_s": {"help_text": "shorter windows are not kept"},
            "setup_s": {"help_text": "time it takes to begin an observation"},
            "slew_s": {"help_text": "time it takes to turn to another target"},
        }


class BoxField(forms.Field):
    """west,south,east,north in degrees."""

    def to_python(self, value: Any) -> tuple[float, float, float, float] | None:
        if value in self.empty_values:
            return None
        try:
            west, south, east, north = (float(part) for part in str(value).split(","))
        except ValueError:
            raise refused("is not four numbers: west,south,east,north.", value) from None
        if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
            raise refused("is no box: longitudes are -180 to 180, latitudes -90 to 90, south not above north.", value)
        return west, south, east, north


class BoxFilter(django_filters.CharFilter):
    field_class = BoxField


class ObservatoryFilter(django_filters.FilterSet):
    mpc_code = django_filters.CharFilter(lookup_expr="iexact", help_text="MPC code, such as 309.")
    kind = django_filters.ChoiceFilter(choices=Observatory.Kind.choices, help_text="With a fixed place or without.")
    name = django_filters.CharFilter(lookup_expr="icontains", help_text="Text that the name contains.")
    has_telescopes = TrueFalseFilter(
        method="with_telescopes", help_text="true: with telescopes entered here; false: without."
    )
    bbox = BoxFilter(
        method="within",
        help_text="west,south,east,north in degrees; a box across longitude 180 has a west greater than its east.",
    )

    class Meta:
        model = Observatory
        fields: list[str] = []

    def with_telescopes(self, queryset: QuerySet[Observatory], name: str, value: bool) -> QuerySet[Observatory]:
        there = Exists(Telescope.objects.filter(observatory=OuterRef("pk")))
        return queryset.filter(there if value else ~there)

    def within(
        self, queryset: QuerySet[Observatory], name: str, value: tuple[float, float, float, float]
    ) -> QuerySet[Observatory]:
        west, south, east, north = value
        inside = queryset.filter(latitude_deg__range=(south, north))
        if west <= east:
            return inside.filter(longitude_deg__range=(west, east))
        return inside.filter(Q(longitude_deg__gte=west) | Q(longitude_deg__lte=east))


class TelescopeFilter(django_filters.FilterSet):
    observatory = django_filters.CharFilter(
        field_name="observatory__mpc_code", lookup_expr="iexact", help_text="MPC code of the observatory."
    )
    organisation = django_filters.CharFilter(
        field_name="organisation__slug", help_text="Short name of the operating organisation."
    )
    state = django_filters.ChoiceFilter(choices=Telescope.State.choices, help_text="State of the telescope.")
    name = django_filters.CharFilter(lookup_expr="icontains", help_text="Text that the name contains.")
    aperture_min_m = django_filters.NumberFilter(
        field_name="aperture_m", lookup_expr="gte", help_text="At least this aperture."
    )
    aperture_max_m = django_filters.NumberFilter(
        field_name="aperture_m", lookup_expr="lte", help_text="At most this aperture."
    )

    class Meta:
        model = Telescope
        fields: list[str] = []


@extend_schema(tags=["observatories"])
class ObservatoryViewSet(ReadOnlyViewSet):
    """Places, most of them with a code of the Minor Planet Center."""

    queryset = Observatory.objects.all()
    serializer_class = ObservatorySerializer
    filterset_class = ObservatoryFilter
    orderings = {"name": ("name", "id"), "mpc_code": ("mpc_code", "id"), "longitude_deg": ("longitude_deg", "id")}


@extend_schema(tags=["observatories"])
class TelescopeViewSet(ReadOnlyViewSet):
    """Telescopes with their limits. A limit that is null does not apply."""

    queryset = Telescope.objects.select_related("observatory", "organisation")
    serializer_class = TelescopeSerializer
    filterset_class = TelescopeFilter
    orderings = {
        "name": ("name", "id"),
        "-aperture_m": ("-aperture_m", "id"),
        "-limiting_v_mag": ("-limiting_v_mag", "id"),
    }
