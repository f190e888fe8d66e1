"""When a telescope is free, in the API."""

import datetime as dt
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from observatories.models import Telescope

from ..occupancy import free_intervals
from .occupied import OccupiedQuerySerializer, OccupiedView, PlainIntervalSerializer, asked_of_telescope

_DAY_MINUTES = 1440


class FreeQuerySerializer(OccupiedQuerySerializer):
    minutes = serializers.IntegerField(
        required=False, min_value=0, max_value=_DAY_MINUTES, help_text="Only intervals of at least so many; default 0."
    )


class FreeIntervalSerializer(PlainIntervalSerializer):
    night = serializers.DateField(help_text="local date of the night's evening")
    minutes = serializers.FloatField(help_text="its length; setup and slew before an observation count in it")


class FreeSerializer(serializers.Serializer[Any]):
    telescope = serializers.IntegerField(help_text="identifier")
    state = serializers.ChoiceField(
        choices=Telescope.State.choices, help_text="of the telescope: only an active one has free time"
    )
    after = serializers.DateTimeField(help_text="begin of the span")
    before = serializers.DateTimeField(help_text="its end")
    free = FreeIntervalSerializer(many=True, help_text="dark hours without booking and closure, in order of time")


class FreeView(OccupiedView):
    """When a telescope is free: the Sun is below its limit, and it is neither booked nor closed. Told to those who are
    told when it is occupied.
    """

    @extend_schema(tags=["bookings"], parameters=[FreeQuerySerializer], responses=FreeSerializer)
    def get(self, request: Request, pk: int) -> Response:
        telescope, after, before, asked = asked_of_telescope(request, pk, FreeQuerySerializer)
        least = dt.timedelta(minutes=asked.get("minutes", 0))
        free = [
            {
                "starts_at": each.starts_at,
                "ends_at": each.ends_at,
                "night": each.night,
                "minutes": round((each.ends_at - each.starts_at).total_seconds() / 60.0, 2),
            }
            for each in free_intervals(telescope, after, before, least)
        ]
        answer = {"telescope": pk, "state": telescope.state, "after": after, "before": before, "free": free}
        return Response(FreeSerializer(answer).data)
