"""Windows in the API for constraints that are not stored: found within the request, or by a computation."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from coordination.common import clock
from coordination.common.actors import Actor, actor_of
from coordination.common.api import FaceViewSet, RoundedField
from coordination.common.body import (
    BodySerializer,
    IdField,
    InstantField,
    NumberField,
    TextField,
    TrueFalseField,
    ids_field,
    read_body,
)
from coordination.common.problems import ConflictError, DomainError, UnknownError
from coordination.common.scopes import Scope
from coordination.common.table_views import TableListViewSet
from coordination.common.tables import REAL, TEXT, UNICODE, WHOLE, TableColumn
from observatories.models import Observatory, Telescope
from observatories.sites.geodesy import HIGHEST_HEIGHT_M, LOWEST_HEIGHT_M
from targets.models import Target
from targets.orbits.trust import Trust
from targets.services import UnknownDesignationError, resolve_all
from targets.services.ephemerides import Span

from . import computations, quality
from .api import WindowFiguresSerializer, WindowTargetSerializer
from .computations import Asked
from .engine.limits import LimitsError
from .models import ComputedWindow, WindowComputation
from .on_demand import PlaceAsked
from .window_table import TARGET_COLUMNS, WHEN_COLUMNS

MOST_TARGETS, MOST_PLACES = 1000, 100
USUAL, LONGEST = dt.timedelta(days=7), dt.timedelta(days=366)
USUAL_V_MAG = 21.0  # of a site of which no telescope is known

# What the search calls a limit that contradicts another, as the body has it.
_LIMIT_NAMES = {
    "max_alt_deg": "altitude_max_deg",
    "hour_angle_h": "hour_angle_max_h",
    "min_alt_deg": "altitude_min_deg",
}


def _limit(least: float, most: float, help_text: str, **more: Any) -> NumberField:
    return NumberField(min_value=least, max_value=most, required=False, help_text=help_text, **more)


class LimitsBody(BodySerializer):
    sun_altitude_max_deg = _limit(-90.0, 90.0, "observe while the Sun is below this altitude")
    altitude_min_deg = _limit(-90.0, 90.0, "lowest altitude of a target")
    altitude_max_deg = _limit(-90.0, 90.0, "highest altitude of a target")
    hour_angle_min_h = _limit(-12.0, 12.0, "first hour angle, east negative; null: no limit", allow_null=True)
    hour_angle_max_h = _limit(-12.0, 12.0, "last hour angle; null: no limit", allow_null=True)
    moon_separation_min_deg = _limit(0.0, 180.0, "least distance of a target from the Moon; 0: no limit")
    moon_separation_new_deg = _limit(0.0, 180.0, "the same at new Moon; null: the same always", allow_null=True)
    galactic_latitude_min_deg = _limit(0.0, 90.0, "least distance from the galactic plane; null: none", allow_null=True)
    limiting_v_mag = _limit(-30.0, 100.0, "faintest V; null: no limit", allow_null=True)
    rate_max_arcsec_min = _limit(0.0, 1e9, "fastest motion on the sky; null: no limit", allow_null=True)
    window_min_s = _limit(0.0, 86400.0, "shorter windows are left out")


class SiteBody(BodySerializer):
    mpc_code = TextField(
        max_length=4, required=False, help_text="MPC observatory code; this or an identifier or a place"
    )
    observatory = IdField(required=False, help_text="identifier of an observatory")
    name = TextField(max_length=200, required=False, help_text="what to call a place")
    longitude_deg = NumberField(
        min_value=-360.0, max_value=360.0, required=False, help_text="east longitude of a place"
    )
    latitude_deg = NumberField(min_value=-90.0, max_value=90.0, required=False, help_text="geodetic latitude (WGS84)")
    height_m = NumberField(
        min_value=LOWEST_HEIGHT_M,
        max_value=HIGHEST_HEIGHT_M,
        required=False,
        help_text="above the ellipsoid; default 0",
    )


class WindowComputationBody(BodySerializer):
    targets = serializers.ListField(
        child=TextField(max_length=64),
        min_length=1,
        max_length=MOST_TARGETS,
        help_text="any designations, such as 99942, Apophis or K04M04N",
    )
    telescopes = ids_field(MOST_PLACES, required=False, help_text="identifiers, with the limits that they have")
    sites = SiteBody(
        many=True, required=False, help_text=f"places with the usual limits of a telescope, V to {USUAL_V_MAG:g}"
    )
    after = InstantField(required=False, help_text="begin of the span; default now")
    before = InstantField(required=False, help_text=f"its end; default {USUAL.days} days later, at most {LONGEST.days}")
    limits = LimitsBody(required=False, help_text="limits in the place of those that the telescopes have, everywhere")
    with_closures = TrueFalseField(default=True, help_text="false: as if no telescope were ever closed")
    as_job = TrueFalseField(default=False, help_text="true: by a computation, however little work it is")


class PlaceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="of the telescope, observatory or place")
    mpc_code = serializers.CharField(help_text="or empty")
    telescope = serializers.IntegerField(allow_null=True, help_text="identifier; null: a site")
    longitude_deg = serializers.FloatField(help_text="east longitude")
    latitude_deg = serializers.FloatField(help_text="geodetic latitude (WGS84)")
    height_m = serializers.FloatField(help_text="above the ellipsoid")
    limits = serializers.DictField(help_text="in force there, by the names they have on a telescope")


class LeftOutSerializer(serializers.Serializer[Any]):
    target = serializers.CharField(help_text="primary designation")
    reason = serializers.CharField(help_text="why it has no windows, or none in some of the nights")


class ComputedWindowSerializer(WindowFiguresSerializer):
    target = WindowTargetSerializer(help_text="what is observed")
    place = serializers.CharField(source="place_name", help_text="from where: name of the telescope or site")
    mpc_code = serializers.CharField(help_text="or empty")
    telescope = serializers.IntegerField(source="telescope_id", allow_null=True, help_text="identifier; null: a site")
    night = serializers.DateField(help_text="local date of the night's evening")
    starts_at = serializers.DateTimeField(help_text="begin")
    ends_at = serializers.DateTimeField(help_text="end")
    peak_at = serializers.DateTimeField(help_text="when the target is highest inside the window")
    v_mag = RoundedField(3, allow_null=True, help_text="V at the peak; null: H is unknown")
    orbit_trust = serializers.ChoiceField(
        choices=[level.label for level in quality.LEVELS], source="get_trust_display", help_text="in that night"
    )
    uncertainty_major_arcsec = RoundedField(
        4, allow_null=True, help_text="semi-major axis of the 1-sigma ellipse in that night; null: not known"
    )


class FoundWindowsSerializer(serializers.Serializer[Any]):
    after = serializers.DateTimeField(help_text="begin of the span")
    before = serializers.DateTimeField(help_text="its end")
    places = PlaceSerializer(many=True, help_text="from where, with the limits in force")
    left_out = LeftOutSerializer(many=True, help_text="targets without windows for a reason of their own")
    windows = ComputedWindowSerializer(many=True, help_text="by start")


class ProgressSerializer(serializers.Serializer[Any]):
    done = serializers.IntegerField(source="parts_over", help_text="parts of the work that are over")
    total = serializers.IntegerField(source="parts_in_all", help_text="of so many")
    failed = serializers.IntegerField(source="parts_failed", help_text="of those over")


class WindowComputationSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="identifier")
    state = serializers.ChoiceField(choices=WindowComputation.State.choices, help_text="how far it is")
    progress = ProgressSerializer(source="*", help_text="how much of the work is over")
    after = serializers.DateTimeField(source="starts_at", help_text="begin of the span")
    before = serializers.DateTimeField(source="ends_at", help_text="its end")
    places = PlaceSerializer(many=True, help_text="from where, with the limits in force")
    left_out = LeftOutSerializer(source="told_left_out", many=True, help_text="targets without windows, and why")
    created_at = serializers.DateTimeField(help_text="when it was asked for")
    finished_at = serializers.DateTimeField(allow_null=True, help_text="when it was over")
    expires_at = serializers.DateTimeField(help_text="deleted with its windows after that")
    windows = serializers.SerializerMethodField(help_text="address of its windows, once it is done")

    def get_windows(self, computation: WindowComputation) -> str:
        address: str = reverse("window-computation-windows", args=[computation.pk], request=self.context.get("request"))
        return address


@extend_schema(tags=["window computations"])
class WindowComputationViewSet(FaceViewSet):
    """Windows for constraints that are not stored: other limits, a place given by coordinates, another span."""

    permission_classes = [IsAuthenticated]
    unconditional = ("cancel",)
    scopes = {"*": Scope.READ}  # nothing that others see is changed
    serializer_class = WindowComputationSerializer
    queryset = WindowComputation.objects.none()
    orderings = {"-id": ("-id",), "id": ("id",)}

    def get_queryset(self) -> QuerySet[WindowComputation]:
        over, failed = ~Q(parts__state="pending"), Q(parts__state="failed")
        return WindowComputation.objects.visible_to(actor_of(self.request.user)).annotate(
            parts_in_all=Count("parts"),
            parts_over=Count("parts", filter=over),
            parts_failed=Count("parts", filter=failed),
        )

    def dress(self, rows: Sequence[Any]) -> None:
        left_out = {entry["target"] for row in rows for entry in row.left_out}
        visible = Target.objects.visible_to(actor_of(self.request.user)).filter(pk__in=left_out)
        called = dict(visible.values_list("pk", "designation"))
        for row in rows:
            row.told_left_out = [
                {"target": called[entry["target"]], "reason": entry["reason"]}
                for entry in row.left_out
                if entry["target"] in called
            ]

    @extend_schema(
        request=WindowComputationBody,
        responses={200: FoundWindowsSerializer, 202: WindowComputationSerializer},
        parameters=[
            OpenApiParameter(
                "Location", OpenApiTypes.URI, "header", response=[202], description="address of the computation"
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Up to 1000 nights (targets x places x days) of up to 20 targets are searched at once: 200 and the windows.
        More, up to a million nights, becomes a computation: 202, its address in `Location`.
        """
        given = read_body(WindowComputationBody, request)
        asked = _asked(given, actor_of(request.user))
        if asked.is_little and not given["as_job"]:
            return Response(_found(asked))
        answer = self.answer(computations.ask(asked, actor=self._who()).pk, 202)
        answer["Location"] = reverse("window-computation-detail", args=[answer.data["id"]], request=request)
        return answer

    @extend_schema(request=None, responses=WindowComputationSerializer)
    @action(detail=True, methods=["post"], pagination_class=None)
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop it. What was found so far is deleted."""
        computation: WindowComputation = self.get_object()
        computations.cancel(computation.pk, actor=self._who())
        return self.answer(computation.pk)

    def _who(self) -> Any:
        return self.request.user


_TRUST = {level.value: level.label for level in Trust}
_COLUMNS = (
    *TARGET_COLUMNS,
    TableColumn("place", UNICODE, "name of the telescope or site", lambda w: w.place_name),
    TableColumn("mpc_code", TEXT, "of the observatory, or empty", lambda w: w.mpc_code),
    TableColumn("telescope", WHOLE, "identifier; empty: a site", lambda w: w.telescope_id),
    *WHEN_COLUMNS,
    TableColumn("orbit_trust", TEXT, "how far the orbit can be trusted in that night", lambda w: _TRUST[w.trust]),
    TableColumn(
        "uncertainty_major_arcsec", REAL, "of the 1-sigma ellipse, semi-major", lambda w: w.uncertainty_major_arcsec,
        unit="arcsec", ucd="stat.error;pos", decimals=4,
    ),
)  # fmt: skip


@extend_schema_view(
    list=extend_schema(
        parameters=[OpenApiParameter("id", OpenApiTypes.INT64, "path", description="identifier of the computation")],
        responses={
            200: ComputedWindowSerializer(many=True),
            409: OpenApiResponse(description="It is not done: `state` says how far it is."),
        },
    )
)
@extend_schema(tags=["window computations"])
class ComputedWindowViewSet(TableListViewSet):
    """The windows that a computation found. JSON comes in pages; CSV and VOTable hold all of them."""

    permission_classes = [IsAuthenticated]
    serializer_class = ComputedWindowSerializer
    queryset = ComputedWindow.objects.none()
    columns, table_name = _COLUMNS, "windows"
    orderings = {
        "starts_at": ("starts_at", "id"),
        "-duration_s": ("-duration_s", "id"),
        "-peak_altitude_deg": ("-peak_altitude_deg", "id"),
    }

    def check_permissions(self, request: Request) -> None:
        if self.action is not None:  # else refused for its method, whoever asks
            super().check_permissions(request)

    def get_queryset(self) -> QuerySet[ComputedWindow]:
        actor, pk = actor_of(self.request.user), self.kwargs["id"]
        computation = WindowComputation.objects.visible_to(actor).filter(pk=pk).first() if pk < 2**63 else None
        if computation is None:
            raise UnknownError(f"There is no computation {pk}.", field="id", value=str(pk))
        if computation.state != WindowComputation.State.DONE:
            raise ConflictError(f"The computation is {computation.state}: it has no windows.", state=computation.state)
        return computation.windows.all().visible_to(actor).select_related("target")


def _found(asked: Asked) -> dict[str, Any]:
    found = computations.find_at_once(asked)
    called = {target.pk: target.designation for target in asked.targets}
    told = {
        "after": asked.span.starts_at,
        "before": asked.span.ends_at,
        "places": [place.as_json() for place in asked.places],
        "left_out": [{"target": called[pk], "reason": reason} for pk, reason in found.left_out.items()],
        "windows": found.windows,
    }
    return FoundWindowsSerializer(told).data


def _asked(given: dict[str, Any], actor: Actor) -> Asked:
    span = _span(given)
    try:
        targets = resolve_all(given["targets"], actor)
    except UnknownDesignationError as error:  # a part of the request is wrong, not its address
        raise DomainError(error.detail, field="targets", value=error.value, **error.extra) from error
    telescopes = [*_telescopes(given.get("telescopes", [])), *_at_sites(given.get("sites", []))]
    if not 1 <= len(telescopes) <= MOST_PLACES:
        raise DomainError(
            f"{len(telescopes)} telescopes and sites: expected 1 to {MOST_PLACES}.",
            field="telescopes", value=len(telescopes), expected=f"1 to {MOST_PLACES} telescopes and sites",
        )  # fmt: skip
    limits = dict(given.get("limits", {}))
    try:
        places = [PlaceAsked.of(telescope, limits) for telescope in telescopes]
    except LimitsError as error:
        field = f"limits.{_LIMIT_NAMES.get(error.field, error.field)}"
        raise DomainError(str(error), field=field, value=error.value, expected=error.expected) from error
    return Asked(targets, places, span, given["with_closures"])


def _span(given: dict[str, Any]) -> Span:
    after = given.get("after") or clock.now()
    before = given.get("before") or after + USUAL
    if not dt.timedelta() < before - after <= LONGEST:
        raise DomainError(
            "The span is empty or too long.", field="before", value=before.isoformat(),
            expected=f"up to {LONGEST.days} days after `after`",
        )  # fmt: skip
    computations.require_computable(Span(after, before))
    return Span(after, before)


def _telescopes(ids: Sequence[int]) -> list[Telescope]:
    known = Telescope.objects.select_related("observatory").in_bulk(ids)
    for pk in ids:
        if pk not in known:
            raise DomainError(f"There is no telescope {pk}.", field="telescopes", value=pk)
        if known[pk].state != Telescope.State.ACTIVE:
            raise DomainError(
                f"{known[pk]} is {known[pk].state}.", field="telescopes", value=pk, expected="an active one"
            )
        if known[pk].observatory.place is None:
            raise DomainError(f"{known[pk]} has no fixed place.", field="telescopes", value=pk)
    return [known[pk] for pk in ids]


def _at_sites(sites: Sequence[dict[str, Any]]) -> list[Telescope]:
    """A telescope with the usual limits at each."""
    codes = {site["mpc_code"].upper() for site in sites if "mpc_code" in site}
    ids = {site["observatory"] for site in sites if "observatory" in site}
    found = list(Observatory.objects.filter(Q(mpc_code__in=codes) | Q(pk__in=ids))) if codes or ids else []
    known: dict[Any, Observatory] = {one.pk: one for one in found} | {one.mpc_code: one for one in found}
    return [
        Telescope(observatory=observatory, name=observatory.name, limiting_v_mag=USUAL_V_MAG)
        for observatory in (_observatory(number, site, known) for number, site in enumerate(sites))
    ]


def _observatory(number: int, site: dict[str, Any], known: dict[Any, Observatory]) -> Observatory:
    field = f"sites.{number}"
    ways = [name for name in ("mpc_code", "observatory", "longitude_deg") if name in site]
    if len(ways) != 1:
        raise DomainError("A site is given by exactly one of mpc_code, observatory and longitude_deg.", field=field)
    if ways == ["longitude_deg"]:
        if "latitude_deg" not in site:
            raise DomainError("A place needs its latitude too.", field=f"{field}.latitude_deg")
        longitude = (site["longitude_deg"] + 180.0) % 360.0 - 180.0
        return Observatory(
            name=site.get("name", f"{site['latitude_deg']:g}, {site['longitude_deg']:g}"),
            longitude_deg=longitude,
            latitude_deg=site["latitude_deg"],
            height_m=site.get("height_m", 0.0),
        )
    if more := sorted({"latitude_deg", "height_m", "name"} & site.keys()):
        raise DomainError(f"{more[0]} belongs to a place given by coordinates.", field=f"{field}.{more[0]}")
    value = site[ways[0]]
    observatory = known.get(value.upper() if isinstance(value, str) else value)
    if observatory is None:
        raise DomainError(f"There is no observatory {value}.", field=f"{field}.{ways[0]}", value=value)
    if observatory.place is None:
        raise DomainError(f"{observatory} has no fixed place.", field=f"{field}.{ways[0]}", value=value)
    return observatory
