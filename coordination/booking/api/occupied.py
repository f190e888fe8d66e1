"""When a telescope is occupied, in the API."""

import datetime as dt
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common import clock
from coordination.common.actors import actor_of
from coordination.common.api import PlainView, refuse_unknown_parameters
from coordination.common.body import InstantField
from coordination.common.problems import DomainError, UnknownError
from observatories.models import Telescope

from ..occupancy import occupied_intervals, require_may_see

DEFAULT, LONGEST = dt.timedelta(days=14), dt.timedelta(days=92)


class QueryInstantField(InstantField):
    def to_internal_value(self, value: Any) -> dt.datetime:
        # A "+" of an offset that was not percent-encoded arrives as a blank.
        return super().to_internal_value(value.replace(" ", "+", 1) if isinstance(value, str) else value)


class OccupiedQuerySerializer(serializers.Serializer[Any]):
    after = QueryInstantField(required=False, help_text="From here; default now.")
    before = QueryInstantField(required=False, help_text="To here; default 14 days later, 92 at most.")


class PlainIntervalSerializer(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class OccupiedSerializer(serializers.Serializer[Any]):
    telescope = serializers.IntegerField(help_text="identifier")
    after = serializers.DateTimeField(help_text="begin of the span")
    before = serializers.DateTimeField(help_text="its end")
    occupied = PlainIntervalSerializer(many=True, help_text="bookings and closures alike, joined where they touch")


class OccupiedView(PlainView):
    """When a telescope is occupied: told to its operator, to those it is granted to, and within running campaigns."""

    permission_classes = [IsAuthenticated]

    def check_permissions(self, request: Request) -> None:
        if request.method in ("GET", "HEAD", "OPTIONS"):  # else refused for its method, whoever asks
            super().check_permissions(request)

    @extend_schema(tags=["bookings"], parameters=[OccupiedQuerySerializer], responses=OccupiedSerializer)
    def get(self, request: Request, pk: int) -> Response:
        telescope, after, before, _ = asked_of_telescope(request, pk, OccupiedQuerySerializer)
        intervals = occupied_intervals(telescope, after, before)
        told = [{"starts_at": start, "ends_at": end} for start, end in intervals]
        answer = {"telescope": pk, "after": after, "before": before, "occupied": told}
        return Response(OccupiedSerializer(answer).data)


def asked_of_telescope(
    request: Request, pk: int, kind: type[serializers.Serializer[Any]]
) -> tuple[Telescope, dt.datetime, dt.datetime, dict[str, Any]]:
    """A telescope of which the caller may see when it is occupied, the span and whatever else is asked."""
    refuse_unknown_parameters(request, set(kind().fields))
    query = kind(data=request.query_params)
    query.is_valid(raise_exception=True)
    after = query.validated_data.get("after") or clock.now()
    before = query.validated_data.get("before") or after + DEFAULT
    if not dt.timedelta() < before - after <= LONGEST:
        raise DomainError(
            "The span is empty or too long.", field="before", value=before, expected="up to 92 days after `after`"
        )
    telescope = Telescope.objects.select_related("observatory").filter(pk=pk).first()
    if telescope is None:
        raise UnknownError(f"There is no telescope {pk}.", field="telescope", value=pk)
    require_may_see(telescope, actor_of(request.user))
    return telescope, after, before, query.validated_data
