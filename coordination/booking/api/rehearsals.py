"""Answers to `?dry_run=true`: what would come of a request, and every reason why not."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from ..services.rehearsing import Verdict
from .slot_rows import IntervalSerializer


class RefusalSerializer(serializers.Serializer[Any]):
    status = serializers.IntegerField(source="error.status", help_text="that the request would be answered with")
    code = serializers.CharField(
        source="error.extra.code", default=None, allow_null=True, help_text="as `why_not` of a seat has it"
    )
    detail = serializers.CharField(source="error.detail", help_text="the same for people")
    telescope = serializers.IntegerField(
        source="telescope_id", allow_null=True, help_text="identifier; null: of the whole request"
    )
    seat = serializers.IntegerField(source="seat_id", allow_null=True, help_text="identifier, where there is one")
    conflict = serializers.SerializerMethodField(help_text="what occupies the telescope")

    @extend_schema_field(IntervalSerializer(allow_null=True))
    def get_conflict(self, refusal: Any) -> Any:
        return refusal.error.extra.get("conflict")


class RehearsalSerializer(serializers.Serializer[Any]):
    """A subclass says what `would` is."""

    dry_run = serializers.BooleanField(help_text="true: nothing was changed")
    refusals = RefusalSerializer(many=True, help_text="every reason why not")


def told(verdict: Verdict) -> Response:
    refusals = RefusalSerializer(verdict.refusals, many=True).data
    return Response({"dry_run": True, "would": verdict.would, "refusals": refusals})


def without_ids(data: Any) -> Any:
    """What was never made has no identifier to come back to."""
    return {**data, "id": None}
