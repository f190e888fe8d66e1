"""Why a telescope cannot observe a target in a night, in the API."""

import datetime as dt
import math
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common.actors import actor_of
from coordination.common.api import PlainView, refuse_unknown_parameters
from coordination.common.timescales import to_datetime, tt_mjd_to_utc
from observatories.models import Observatory, Telescope
from targets.orbits.trust import Trust
from targets.services import resolve

from .api import WindowTargetSerializer, WindowTelescopeSerializer
from .engine.explain import Check
from .explain_rows import Night
from .explaining import explain_night

LARGEST_ID = 2**63 - 1
REASONS = (
    "sun, altitude, altitude_max, hour_angle, horizon, moon, magnitude, rate, galactic, impact, closure (as the edges "
    "of windows are named), orbit (unusable in that night), duration (shorter than the shortest useful window), state "
    "(in maintenance or retired)"
)


class ExplainQuerySerializer(serializers.Serializer[Any]):
    target = serializers.CharField(help_text="Any designation, such as 99942, Apophis or K04M04N.")
    telescope = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, help_text="Identifier of a telescope.")
    night = serializers.DateField(
        input_formats=["%Y-%m-%d"], help_text="Local date of the night's evening, among the nights of stored windows."
    )


class CheckSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="the constraint")
    holds = serializers.BooleanField(help_text="at any time of the night's darkness")
    value = serializers.FloatField(
        allow_null=True, help_text="the best it reaches; of the Moon while the target is otherwise observable, if ever"
    )
    margin = serializers.FloatField(
        allow_null=True, help_text="by how much that is inside the limit; negative where it misses it"
    )
    unit = serializers.CharField(help_text="of both: deg, mag, h, arcsec/min or min")
    at = serializers.DateTimeField(allow_null=True, help_text="when the best is reached")


class ExplanationSerializer(serializers.Serializer[Any]):
    target = WindowTargetSerializer(help_text="what is observed")
    telescope = WindowTelescopeSerializer(help_text="from where")
    night = serializers.DateField(help_text="local date of its evening")
    observable = serializers.BooleanField(help_text="whether there is a window")
    minutes = serializers.FloatField(help_text="total length of the night's windows")
    reason = serializers.CharField(
        help_text=f"what ruled it out: {REASONS}; joined by + where each holds at times, but never all at once; empty "
        "where there is a window"
    )
    reasons = serializers.ListField(
        child=serializers.CharField(), help_text="all that rule it out, the one that explains best first"
    )
    detail = serializers.CharField(help_text="the same for people, with its figures")
    orbit_trust = serializers.ChoiceField(
        choices=[level.label for level in Trust], help_text="how far the orbit can be trusted in that night"
    )
    solution = serializers.CharField(
        help_text="of JPL, where positions are taken from its Horizons in the place of the current orbit; else empty"
    )
    checks = CheckSerializer(many=True, help_text="every constraint of the telescope; empty where all are met")


class ExplainView(PlainView):
    """Why a telescope has no window of a target in a night: what ruled it out, with its figure."""

    @extend_schema(tags=["windows"], parameters=[ExplainQuerySerializer], responses=ExplanationSerializer)
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, set(ExplainQuerySerializer().fields))
        query = ExplainQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        actor = actor_of(request.user)
        target = resolve(asked["target"], actor)
        telescope = (
            Telescope.objects.select_related("observatory", "organisation").filter(pk=asked["telescope"]).first()
        )
        if telescope is None:
            raise NotFound(f"There is no telescope {asked['telescope']}.")
        if telescope.observatory.kind != Observatory.Kind.FIXED or telescope.observatory.place is None:
            raise serializers.ValidationError({"telescope": ["It has no fixed place: no windows can be computed."]})
        night = explain_night(target, telescope, asked["night"], actor)
        told = {"target": target, "telescope": telescope, "night": asked["night"], **_explanation(night)}
        return Response(ExplanationSerializer(told).data)


def _explanation(night: Night) -> dict[str, Any]:
    absence = night.absence
    return {
        "observable": night.observable,
        "minutes": round(night.minutes, 2),
        "reason": "" if absence is None else absence.reason,
        "reasons": [] if absence is None else list(absence.reasons),
        "detail": "" if absence is None else absence.text,
        "orbit_trust": night.orbit_trust,
        "solution": night.solution,
        "checks": [] if absence is None else [_check(check) for check in absence.checks],
    }


def _check(check: Check) -> dict[str, Any]:
    at: dt.datetime | None = None
    if math.isfinite(check.tt_mjd):
        at = to_datetime(tt_mjd_to_utc([check.tt_mjd])[0]).replace(microsecond=0)
    return {
        "code": check.code,
        "holds": check.holds,
        "value": _number(check.value),
        "margin": _number(check.margin),
        "unit": check.unit,
        "at": at,
    }


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
