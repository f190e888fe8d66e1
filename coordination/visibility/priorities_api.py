"""The ranked targets of a night, in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common.actors import actor_of
from coordination.common.api import PlainView, RoundedField, refuse_unknown_parameters

from . import quality
from .api import WindowTargetSerializer
from .explain_api import LARGEST_ID
from .priorities import RankedTarget, ranked_targets
from .priority.scoring import MEASURES, PARTS


class PrioritiesQuerySerializer(serializers.Serializer[Any]):
    night = serializers.DateField(
        required=False, input_formats=["%Y-%m-%d"],
        help_text="Local date of the night's evening, among the nights of stored windows; default: the one under way "
        "or coming.",
    )  # fmt: skip
    telescope = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID,
        help_text="Identifier of a telescope: only its windows, limits and last chances. Default: all telescopes, each "
        "target with the one for which it scores best.",
    )  # fmt: skip
    orbit_trust = serializers.ChoiceField(
        required=False, choices=[level.label for level in quality.LEVELS], default=quality.LISTED.label,
        help_text="The least that an orbit is to be trusted in the night.",
    )  # fmt: skip
    limit = serializers.IntegerField(
        required=False, default=50, min_value=1, max_value=100, help_text="So many of the highest scores."
    )


class MeasureSerializer(serializers.Serializer[Any]):
    part = serializers.ChoiceField(choices=list(PARTS), help_text="to which it belongs")
    name = serializers.ChoiceField(choices=list(MEASURES), help_text="what is measured, see docs/priority.md")
    value = serializers.FloatField(
        allow_null=True, help_text="0 to 1; null: not known, and then it neither raises nor lowers its part"
    )
    figure = serializers.FloatField(allow_null=True, help_text="what it was made from; null: none, or never")
    unit = serializers.CharField(help_text="of the figure; empty: a plain number")


class RankedTargetSerializer(serializers.Serializer[Any]):
    rank = serializers.IntegerField(help_text="1 is the highest score")
    target = WindowTargetSerializer(help_text="what is to be observed")
    telescope = serializers.IntegerField(help_text="identifier of the telescope for which the score holds")
    telescope_name = serializers.CharField()
    telescope_count = serializers.IntegerField(help_text="telescopes with windows in that night, among those asked for")
    hours = RoundedField(3, help_text="of its windows in that night")
    v_mag = RoundedField(3, help_text="brightest V there at its windows' peaks")
    orbit_trust = serializers.ChoiceField(
        choices=[level.label for level in quality.LEVELS], allow_null=True, help_text="in that night; null: not known"
    )
    score = RoundedField(4, help_text="0 to 1: weighted mean of importance, need, urgency and 1 - cost")
    importance = RoundedField(4, help_text="0 to 1: size, MOID, impact, confirmation")
    need = RoundedField(4, help_text="0 to 1: uncertainty, arc, U, time since the last observation")
    urgency = RoundedField(4, help_text="0 to 1: last chance, fading, leaving the field, closing windows")
    cost = RoundedField(4, help_text="0 to 1, 1 is costly: exposure, rate, length of the window, altitude")
    not_known = serializers.ListField(
        child=serializers.CharField(), help_text="parts of which nothing is known: they are 0.5"
    )
    measures = MeasureSerializer(many=True, help_text="what the parts were made from")


class PrioritiesSerializer(serializers.Serializer[Any]):
    night = serializers.DateField(help_text="local date of its evening")
    telescope = serializers.IntegerField(allow_null=True, help_text="null: all telescopes")
    orbit_trust = serializers.CharField(help_text="the least that is listed")
    count = serializers.IntegerField(help_text="targets that were ranked")
    weights = serializers.DictField(
        child=serializers.FloatField(), help_text="that hold now: of the parts, and of the measures inside their part"
    )
    results = RankedTargetSerializer(many=True, help_text="the highest scores first")


class PrioritiesView(PlainView):
    """Which targets deserve a night most: a score for each that has windows, from importance, need, urgency and cost,
    with the figures behind it.
    """

    @extend_schema(tags=["windows"], parameters=[PrioritiesQuerySerializer], responses=PrioritiesSerializer)
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request, set(PrioritiesQuerySerializer().fields))
        query = PrioritiesQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        ranking = ranked_targets(
            asked.get("night"),
            telescope_id=asked.get("telescope"),
            limit=asked["limit"],
            actor=actor_of(request.user),
            worst=quality.level_named(asked["orbit_trust"]),
        )
        told = {
            "night": ranking.night,
            "telescope": None if ranking.telescope is None else ranking.telescope.pk,
            "orbit_trust": ranking.orbits.label,
            "count": ranking.count,
            "weights": vars(ranking.weights),
            "results": [_told(row) for row in ranking.results],
        }
        return Response(PrioritiesSerializer(told).data)


def _told(row: RankedTarget) -> dict[str, Any]:
    measures = [
        {"part": part, "name": name, **vars(measure)}
        for part, told in row.parts.items()
        for name, measure in told.measures.items()
    ]
    return {
        "rank": row.rank,
        "target": {"designation": row.designation, "name": row.name},
        "telescope": row.telescope_id,
        "telescope_name": row.telescope,
        "telescope_count": row.telescope_count,
        "hours": row.hours,
        "v_mag": row.v_mag,
        "orbit_trust": row.orbit_trust,
        "score": row.score,
        **{part: told.value for part, told in row.parts.items()},
        "not_known": [part for part, told in row.parts.items() if not told.is_known],
        "measures": measures,
    }
