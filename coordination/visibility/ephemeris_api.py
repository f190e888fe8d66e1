"""Ephemerides in the API: a target from any site at any times."""

import datetime as dt
from typing import Any

import numpy as np
from drf_spectacular.utils import extend_schema
from numpy.typing import NDArray
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common.actors import actor_of
from coordination.common.api import PlainView, refuse_unknown_parameters
from coordination.common.problems import DomainError
from coordination.common.sparse import FIELDS, fields_parameter, names_in
from coordination.common.tables import REAL, TABLES, TRUTH, TableColumn, asks_for_table, table_response
from observatories.models import Observatory, Telescope
from observatories.sites.geodesy import HIGHEST_HEIGHT_M, LOWEST_HEIGHT_M, Place
from targets.services import resolve

from . import ephemeris_table
from .api import WindowTargetSerializer
from .ephemerides import MOST_ROWS, ephemeris_of
from .explain_api import LARGEST_ID
from .inputs import InputError, Site, read_site, read_step
from .joint_serializers import InstantParameter, ListParameter, NumberParameter

_WAYS = ("site", "telescope", "observatory", "longitude_deg")
_INSTANT = r"[0-9TZ:.+\- ]{10,40}"


class EphemerisQuerySerializer(serializers.Serializer[Any]):
    site = serializers.RegexField(
        r"^[0-9A-Za-z]{3,4}$", required=False, help_text="MPC observatory code, such as W84; 500 is the geocentre."
    )
    telescope = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, required=False, help_text="Identifier of a telescope, in place of `site`."
    )
    observatory = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, required=False, help_text="Identifier of an observatory, in place of `site`."
    )
    longitude_deg = NumberParameter(
        min_value=-360.0, max_value=360.0, required=False, help_text="East longitude, in place of `site`."
    )
    latitude_deg = NumberParameter(
        min_value=-90.0, max_value=90.0, required=False, help_text="Geodetic latitude (WGS84), with the longitude."
    )
    height_m = NumberParameter(
        min_value=LOWEST_HEIGHT_M,
        max_value=HIGHEST_HEIGHT_M,
        required=False,
        help_text="Height above the ellipsoid, with the longitude; default 0.",
    )
    start = InstantParameter(required=False, help_text="First instant.")
    stop = InstantParameter(required=False, help_text="Last instant, included where a step ends there.")
    step = serializers.RegexField(
        r"^[0-9]{1,6}(\.[0-9]{1,6})?[dhms]$", required=False, help_text="Such as 1d, 6h, 30m, 10s."
    )
    times = ListParameter(
        rf"^{_INSTANT}(,{_INSTANT})*$",
        str,
        required=False,
        help_text="Instants, separated by commas, in place of `start`, `stop` and `step`.",
    )
    uncertainty = serializers.BooleanField(
        default=False, help_text="true: with the 1-sigma ellipse on the sky, integrated and from the site itself."
    )

    def validate_times(self, texts: list[str]) -> NDArray[np.datetime64]:
        instants = sorted(InstantParameter().to_internal_value(text) for text in texts)
        return np.array([_naive(instant) for instant in instants], dtype="datetime64[us]")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in _WAYS if name in attrs]
        if len(given) != 1:
            raise serializers.ValidationError({"site": [f"Give exactly one of {', '.join(_WAYS)}."]})
        for name in ("latitude_deg", "height_m"):
            if name in attrs and "longitude_deg" not in attrs:
                raise serializers.ValidationError({name: ["It belongs to `longitude_deg`, which is missing."]})
        if "longitude_deg" in attrs and "latitude_deg" not in attrs:
            raise serializers.ValidationError({"latitude_deg": ["Missing beside `longitude_deg`."]})
        spanned = [name for name in ("start", "stop", "step") if name in attrs]
        if "times" in attrs and spanned:
            raise serializers.ValidationError({"times": [f"In place of {', '.join(spanned)}, not beside it."]})
        if "times" not in attrs and len(spanned) < 3:
            raise serializers.ValidationError({"start": ["Give `start`, `stop` and `step`, or `times`."]})
        return attrs


class EphemerisSiteSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="as it was asked for: MPC code, or name of the telescope or observatory")
    longitude_deg = serializers.FloatField(allow_null=True, help_text="east longitude; null: the geocentre")
    latitude_deg = serializers.FloatField(allow_null=True, help_text="geodetic latitude (WGS84)")
    height_m = serializers.FloatField(allow_null=True, help_text="height above the ellipsoid")


def _documented(column: TableColumn) -> serializers.Field[Any, Any, Any, Any]:
    # Not required: `fields` and `uncertainty` choose.
    about: dict[str, Any] = {"help_text": column.description, "required": False}
    if column.kind == REAL:
        return serializers.FloatField(allow_null=True, **about)
    if column.kind == TRUTH:
        return serializers.BooleanField(**about)
    return serializers.DateTimeField(**about) if column.name == "utc" else serializers.CharField(**about)


EphemerisRowSerializer = type(
    "EphemerisRowSerializer",
    (serializers.Serializer,),
    {column.name: _documented(column) for column in ephemeris_table.WITH_ELLIPSES},
)


class EphemerisAnswerSerializer(serializers.Serializer[Any]):
    target = WindowTargetSerializer(help_text="what is seen")
    site = EphemerisSiteSerializer(help_text="from where")
    left_out = serializers.ListField(
        child=serializers.CharField(),
        help_text="which times are missing, and why: the orbit is unusable, or it has hit",
    )
    rows = EphemerisRowSerializer(many=True, help_text="by time")


class EphemerisView(PlainView):
    """Where a target is on the sky of a site, how bright, how fast and how far; the figures of the command
    `ephemeris`, from the current orbit. At most 10000 rows.
    """

    renderer_classes = TABLES

    @extend_schema(
        tags=["targets"],
        parameters=[
            EphemerisQuerySerializer,
            fields_parameter(column.name for column in ephemeris_table.WITH_ELLIPSES),
        ],
        responses=EphemerisAnswerSerializer,
    )
    def get(self, request: Request, designation: str) -> Any:
        refuse_unknown_parameters(request, {*EphemerisQuerySerializer().fields, FIELDS})
        query = EphemerisQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        columns = ephemeris_table.WITH_ELLIPSES if asked["uncertainty"] else ephemeris_table.PLAIN
        fields = names_in(request, [column.name for column in columns])
        target, site, times = resolve(designation, actor_of(request.user)), _site(asked), _times(asked)
        found = ephemeris_of(target, site, times, uncertainty=asked["uncertainty"])
        if asks_for_table(request):
            infos = {"TARGET": str(target), "SITE": site.code} | {
                f"LEFT_OUT_{number}": text for number, text in enumerate(found.left_out, 1)
            }
            return table_response(request, columns, found.rows, name="ephemeris", infos=infos, fields=fields)
        rows = found.rows if fields is None else [{n: v for n, v in row.items() if n in fields} for row in found.rows]
        head = EphemerisAnswerSerializer(
            {"target": target, "site": _told(site), "left_out": found.left_out, "rows": []}
        )
        return Response({**head.data, "rows": rows})


def _naive(instant: dt.datetime) -> dt.datetime:
    return instant.astimezone(dt.UTC).replace(tzinfo=None)


def _times(asked: dict[str, Any]) -> NDArray[np.datetime64]:
    if "times" in asked:
        times: NDArray[np.datetime64] = asked["times"]
        _require_few(times.size, "times")
        return times
    first, last = (np.datetime64(_naive(asked[name]), "us") for name in ("start", "stop"))
    if last < first:
        raise DomainError("`stop` is before `start`.", field="stop", value=str(asked["stop"]), expected="after `start`")
    try:
        step = read_step(asked["step"])
    except InputError as error:
        raise DomainError(str(error).removeprefix("--"), field="step", value=asked["step"]) from error
    _require_few(int((last - first) // step) + 1, "step")
    return np.arange(first, last + np.timedelta64(1, "us"), step)


def _require_few(rows: int, field: str) -> None:
    if rows > MOST_ROWS:
        expected = f"at most {MOST_ROWS} rows"
        raise DomainError(f"{rows} rows at once: expected {expected}.", field=field, value=rows, expected=expected)


def _site(asked: dict[str, Any]) -> Site:
    if "longitude_deg" in asked:
        longitude, latitude = asked["longitude_deg"], asked["latitude_deg"]
        return Site("given coordinates", Place(longitude, latitude, asked.get("height_m", 0.0)))
    if "site" in asked:
        try:
            return read_site(asked["site"].upper(), geocentre=True)
        except ValueError as error:
            raise DomainError(str(error), field="site", value=asked["site"]) from error
    field = "telescope" if "telescope" in asked else "observatory"
    if field == "telescope":
        telescope = Telescope.objects.select_related("observatory").filter(pk=asked[field]).first()
        name, observatory = str(telescope), None if telescope is None else telescope.observatory
    else:
        observatory = Observatory.objects.filter(pk=asked[field]).first()
        name = str(observatory)
    if observatory is None:
        raise DomainError(f"There is no {field} {asked[field]}.", field=field, value=asked[field])
    if observatory.place is None:
        raise DomainError(f"{name} has no fixed place on the Earth.", field=field, value=asked[field])
    return Site(name, observatory.place)


def _told(site: Site) -> dict[str, Any]:
    place = site.place
    return {
        "name": site.code,
        "longitude_deg": place and place.lon_deg,
        "latitude_deg": place and place.lat_deg,
        "height_m": place and place.height_m,
    }
