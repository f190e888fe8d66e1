"""Slots in the API: found, proposed by hand, published, edited and moved."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common.actors import actor_of
from coordination.common.api import FaceViewSet
from coordination.common.body import (
    BodySerializer,
    ChoiceField,
    InstantField,
    NumberField,
    TextField,
    WholeNumberField,
    ids_field,
    read_body,
)
from coordination.common.filters import InstantFilter, TrueFalseFilter
from coordination.common.problems import UnknownError
from coordination.common.scopes import Scope

from .. import services
from ..claimable import only_claimable
from ..models import Slot
from . import parts
from .filters import RoomFilter
from .slot_rows import SlotSerializer, dress_slots

MOST_TELESCOPES = 200


class SlotFieldsBody(BodySerializer):
    """What a coordinator may say of a slot; what is left out comes from the campaign."""

    kind = ChoiceField(Slot.Kind.choices, required=False, help_text="listed or open")
    min_sites = WholeNumberField(required=False, min_value=1, max_value=50)
    min_baseline_km = NumberField(required=False, allow_null=True, min_value=0, max_value=12757)
    min_longitude_spread_deg = NumberField(required=False, allow_null=True, min_value=0, max_value=360)
    min_covered_fraction = NumberField(required=False, allow_null=True, min_value=0, max_value=1)
    max_gap_minutes = WholeNumberField(required=False, allow_null=True, min_value=0, max_value=100_000)
    capacity = WholeNumberField(required=False, allow_null=True, min_value=1, max_value=1000)
    claim_deadline = InstantField(required=False)
    replacement_deadline = InstantField(required=False)
    notes = TextField(required=False, allow_blank=True, max_length=5000)
    reason = TextField(required=False, allow_blank=True, max_length=5000)


class SlotBody(SlotFieldsBody):
    campaign = TextField(max_length=64, help_text="short name")
    target = TextField(max_length=100, help_text="any designation of a target of the campaign")
    starts_at = InstantField(help_text="begin of the observation")
    ends_at = InstantField(help_text="its end")
    telescopes = ids_field(
        MOST_TELESCOPES, required=False, min_length=1, help_text="default: all of the participants that see the target"
    )


class ShiftBody(BodySerializer):
    shift_s = NumberField(
        required=False, min_value=-86400, max_value=86400, help_text="later is positive; default: what was found"
    )


class SlotFilter(RoomFilter):
    paths = {
        "campaign": "campaign",
        "target": "target",
        "telescope": "seats__telescope",
        "organisation": "seats__telescope__organisation",
    }
    campaign = django_filters.CharFilter(method="of_campaign", help_text="Short name of a campaign.")
    target = django_filters.CharFilter(method="of_target", help_text="Any designation.")
    state = django_filters.ChoiceFilter(choices=Slot.State.choices, help_text="State of the slot.")
    telescope = django_filters.NumberFilter(method="of_telescope", help_text="With a seat of this telescope.")
    organisation = django_filters.CharFilter(method="of_organisation", help_text="With a seat of this operator.")
    after = InstantFilter(field_name="ends_at", lookup_expr="gt", help_text="Slots that end after this instant.")
    before = InstantFilter(field_name="starts_at", lookup_expr="lt", help_text="Slots that start before this instant.")
    claimable = TrueFalseFilter(
        method="that_can_be_claimed",
        help_text="true: only slots of which the caller's organisations can claim at least one seat now.",
    )

    class Meta:
        model = Slot
        fields: list[str] = []

    def that_can_be_claimed(self, queryset: QuerySet[Slot], name: str, value: bool) -> QuerySet[Slot]:
        if not self.request.user.is_authenticated:
            raise NotAuthenticated("Sign in to see what you can claim.")
        return only_claimable(queryset, self.request.user) if value else queryset


@extend_schema(tags=["slots"])
class SlotViewSet(FaceViewSet):
    """Joint observations to take part in. Drafts are seen by participants only."""

    queryset = Slot.objects.none()
    serializer_class = SlotSerializer
    filterset_class = SlotFilter
    scopes = {"list": Scope.READ, "retrieve": Scope.READ, "*": Scope.MANAGE}
    orderings = {"starts_at": ("starts_at", "id"), "claim_deadline": ("claim_deadline", "id"), "-id": ("-id",)}

    def get_queryset(self) -> QuerySet[Slot]:
        return Slot.objects.visible_to(actor_of(self.request.user)).select_related("campaign", "target")

    def dress(self, rows: Sequence[Any]) -> None:
        dress_slots(rows, self.request.user)

    @extend_schema(request=SlotBody, responses={201: SlotSerializer})
    def create(self, request: Request) -> Response:
        """A draft at a time of the coordinator's choice, with seats for the telescopes that see the target then."""
        body = read_body(SlotBody, request)
        campaign = parts.campaign_called(body.pop("campaign"), request.user)
        target = parts.target_called(body.pop("target"), request.user)
        slot = services.add_slot(
            campaign.pk, target.pk, telescope_ids=body.pop("telescopes", None), actor=parts.principal(request), **body
        )
        return self.answer(slot.pk, 201)

    @extend_schema(request=SlotFieldsBody, responses=SlotSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change deadlines, quorum, capacity or notes; after the first claim they may only get easier."""
        body = read_body(SlotFieldsBody, request, partial=True)
        return self._did(services.update_slot(int(pk), actor=parts.principal(request), **body))

    @extend_schema(request=parts.NoBody, responses=SlotSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Open a draft to claims; all participants are told."""
        read_body(parts.NoBody, request)
        return self._did(services.publish_slot(int(pk), actor=parts.principal(request)))

    @extend_schema(request=parts.RequiredReasonBody, responses=SlotSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Give it up: all telescopes are free again, and their holders told."""
        body = read_body(parts.RequiredReasonBody, request)
        return self._did(services.cancel_slot(int(pk), actor=parts.principal(request), **body))

    @extend_schema(request=parts.NoBody, responses=SlotSerializer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """Close a slot that is over without waiting for the remaining reports."""
        read_body(parts.NoBody, request)
        return self._did(services.complete_slot(int(pk), actor=parts.principal(request)))

    @extend_schema(request=ShiftBody, responses=SlotSerializer)
    @action(detail=True, methods=["post"], url_path="propose-shift")
    def propose_shift(self, request: Request, pk: str) -> Response:
        """Ask the holders to accept a shift; without a holder it is made at once."""
        body = read_body(ShiftBody, request)
        return self._did(services.propose_shift(int(pk), actor=parts.principal(request), **body))

    @extend_schema(request=parts.NoBody, responses=SlotSerializer)
    @action(detail=True, methods=["post"], url_path="dismiss-review")
    def dismiss_review(self, request: Request, pk: str) -> Response:
        """Leave it as it is after a new orbit."""
        read_body(parts.NoBody, request)
        return self._did(services.dismiss_review(int(pk), actor=parts.principal(request)))

    @extend_schema(parameters=[OpenApiParameter("seat", OpenApiTypes.INT64, "path")], responses={204: None})
    @action(detail=True, methods=["delete"], url_path="seats/(?P<seat>[0-9]{1,18})")
    def seats(self, request: Request, pk: str, seat: str) -> Response:
        """Take a candidate telescope off a draft."""
        slot = self.get_object()
        if not slot.seats.filter(pk=int(seat)).exists():
            raise UnknownError(f"Slot {slot.pk} has no seat {seat}.", field="seat", value=int(seat))
        services.remove_seat(int(seat), actor=parts.principal(request))
        return Response(status=204)

    def _did(self, slot: Slot) -> Response:
        return self.answer(slot.pk)
