"""The feed of changes: for a client that comes back, whatever it missed."""

import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common.actors import actor_of
from coordination.common.api import PlainView, refuse_unknown_parameters
from coordination.common.following import number_events

from .feed import as_told, last_position, page_of

_PARAMETERS = {"cursor", "kind", "limit"}
_KIND = re.compile(r"[a-z_]{1,32}(\.[a-z_]{1,32})?")
_LARGEST = 2**63 - 1


class EventSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="identifier; a webhook sends it as NEO-Event-Id")
    kind = serializers.CharField(help_text="what happened, such as slot.confirmed")
    subject = serializers.CharField(help_text="to what, such as slot:12")
    at = serializers.DateTimeField(help_text="when")
    payload = serializers.DictField(help_text="identifiers (campaign, target, organisation, telescope …) and states")


class EventPageSerializer(serializers.Serializer[Any]):
    cursor = serializers.CharField(help_text="where to go on; keep it, it does not expire")
    more = serializers.BooleanField(help_text="true: ask again at once, even where this page is empty")
    results = EventSerializer(many=True)


@extend_schema(tags=["events"])
class EventsView(PlainView):
    """What happened, in order."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="events_list",
        parameters=[
            OpenApiParameter(
                "cursor",
                {"type": "string", "pattern": "^([0-9]{1,18}|now)$"},
                description="From the page before; `now`: only what comes; without it, from the beginning.",
            ),
            OpenApiParameter(
                "kind",
                {"type": "string", "pattern": r"^[a-z_]{1,32}(\.[a-z_]{1,32})?(,[a-z_]{1,32}(\.[a-z_]{1,32})?){0,19}$"},
                description="Only these kinds, or families of kinds, with commas between: `slot,claim.confirmed`.",
            ),
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
                description="Events in a page.",
            ),
        ],
        responses=EventPageSerializer,
    )
    def get(self, request: Request) -> Response:
        """Changes to what the caller may see, the oldest first: every event once, none of what is hidden."""
        refuse_unknown_parameters(request, _PARAMETERS)
        after, kinds, limit = _read(request)
        number_events()  # so that a client finds what it has just done itself, whether a worker was here or not
        page = page_of(actor_of(request.user), last_position() if after is None else after, limit, kinds)
        return Response(
            {"cursor": str(page.cursor), "more": not page.at_end, "results": [as_told(event) for event in page.events]}
        )


def _read(request: Request) -> tuple[int | None, list[str], int]:
    """Position (None: the end), kinds and limit. Raises ValidationError."""
    given = request.query_params
    cursor, limit = given.get("cursor", "0"), given.get("limit", "50")
    kinds = given["kind"].split(",") if "kind" in given else []
    errors: dict[str, list[str]] = {}
    if cursor != "now" and not (_is_number(cursor) and int(cursor) <= _LARGEST):
        errors["cursor"] = [f"{cursor!r} is no cursor: take it from the page before, or say now."]
    if not (_is_number(limit) and 1 <= int(limit) <= 100):
        errors["limit"] = [f"{limit!r} is not a whole number from 1 to 100."]
    strange = next((kind for kind in kinds if not _KIND.fullmatch(kind)), None)
    if strange is not None or len(kinds) > 20:
        errors["kind"] = ["Up to 20 kinds, such as slot or claim.confirmed, with commas between."]
    if errors:
        raise ValidationError(errors)
    return None if cursor == "now" else int(cursor), kinds, int(limit)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
