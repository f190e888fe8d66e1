"""Bookings in the API: the time of one's own telescopes, and what one holds of others'."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common.actors import actor_of
from coordination.common.api import FaceViewSet
from coordination.common.body import (
    BodySerializer,
    ChoiceField,
    IdField,
    InstantField,
    TextField,
    TrueFalseField,
    read_body,
)
from coordination.common.filters import InstantFilter
from coordination.common.scopes import Scope

from .. import services
from ..models import Booking
from . import parts
from .filters import RoomFilter
from .rehearsals import RehearsalSerializer, told, without_ids


class BookingSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", help_text="identifier")
    telescope = parts.WindowTelescopeSerializer(help_text="what is occupied")
    organisation = parts.ShortOrganisationSerializer(help_text="who holds it")
    claim = serializers.IntegerField(source="claim_id", allow_null=True, help_text="null: local use")
    slot = serializers.IntegerField(source="claim.slot_id", default=None, allow_null=True, help_text="of the claim")
    target = parts.KnownTargetField(help_text="null: none, or one that the caller may not know of")
    purpose = serializers.CharField(help_text="of local use")
    state = serializers.ChoiceField(choices=Booking.State.choices)
    observe_from = serializers.DateTimeField(help_text="begin of the observation")
    observe_until = serializers.DateTimeField(help_text="its end")
    starts_at = serializers.DateTimeField(help_text="occupied from here: setup and slew included")
    ends_at = serializers.DateTimeField()
    disturbed = serializers.BooleanField(help_text="a closure falls over it")
    result = serializers.ChoiceField(choices=[("", "none yet"), *Booking.Result.choices], help_text="what came of it")
    result_note = serializers.CharField()
    result_at = serializers.DateTimeField(allow_null=True)


class WouldBeBookingSerializer(BookingSerializer):
    id = serializers.IntegerField(allow_null=True, help_text="null: it was not made")


class BookingRehearsalSerializer(RehearsalSerializer):
    would = WouldBeBookingSerializer(allow_null=True, help_text="the booking; null where it would be refused")


class MoveBody(BodySerializer):
    observe_from = InstantField(help_text="begin of the observation")
    observe_until = InstantField(help_text="its end")
    telescope = IdField(required=False, help_text="another one of the same organisation")


class BookingBody(BodySerializer):
    telescope = IdField(help_text="identifier of one's own")
    observe_from = InstantField(help_text="begin of the observation; setup and slew come before it")
    observe_until = InstantField(help_text="its end")
    purpose = TextField(required=False, allow_blank=True, max_length=200)
    target = TextField(required=False, max_length=100, help_text="any designation")
    hold = TrueFalseField(required=False, help_text="not yet confirmed")


class ResultBody(BodySerializer):
    result = ChoiceField(Booking.Result.choices, help_text="what came of it")
    note = TextField(required=False, allow_blank=True, max_length=5000)


class BookingFilter(RoomFilter):
    paths = {"telescope": "telescope", "organisation": "organisation"}
    telescope = django_filters.NumberFilter(method="of_telescope", help_text="Identifier of a telescope.")
    organisation = django_filters.CharFilter(method="of_organisation", help_text="Short name of who holds it.")
    state = django_filters.ChoiceFilter(choices=Booking.State.choices, help_text="State of the booking.")
    after = InstantFilter(field_name="ends_at", lookup_expr="gt", help_text="Those that end after this instant.")
    before = InstantFilter(field_name="starts_at", lookup_expr="lt", help_text="Those that start before this instant.")

    class Meta:
        model = Booking
        fields: list[str] = []


@extend_schema(tags=["bookings"])
class BookingViewSet(FaceViewSet):
    """Periods in which telescopes are occupied: of one's own telescopes, and what one holds of others'."""

    queryset = Booking.objects.none()
    serializer_class = BookingSerializer
    filterset_class = BookingFilter
    permission_classes = [IsAuthenticated]
    scopes = {"list": Scope.READ, "retrieve": Scope.READ, "result": Scope.REPORT, "*": Scope.CLAIM}
    rehearsed = ("create",)
    orderings = {"starts_at": ("starts_at", "id"), "-starts_at": ("-starts_at", "id")}

    def get_queryset(self) -> QuerySet[Booking]:
        visible = Booking.objects.visible_to(actor_of(self.request.user))
        telescope = ("telescope__observatory", "telescope__organisation")
        return visible.select_related(*telescope, "organisation", "claim", "target")

    def get_serializer_context(self) -> dict[str, Any]:
        return super().get_serializer_context() | {"known_targets": getattr(self, "_known_targets", set())}

    def dress(self, rows: Sequence[Any]) -> None:
        actor = actor_of(self.request.user)
        self._known_targets = parts.known_targets((booking.target_id for booking in rows), actor)

    @extend_schema(request=BookingBody, responses={201: BookingSerializer, 200: BookingRehearsalSerializer})
    def create(self, request: Request) -> Response:
        """Occupy a telescope of one's own."""
        body = read_body(BookingBody, request)
        if "target" in body:
            body["target_id"] = parts.target_called(body.pop("target"), request.user).pk
        telescope = body.pop("telescope")
        if self.is_rehearsal():
            verdict = services.rehearse_booking(
                telescope, show=lambda made: without_ids(self.shown(made.pk)), actor=parts.principal(request), **body
            )
            return told(verdict)
        booking = services.book_telescope(telescope, actor=parts.principal(request), **body)
        return self.answer(booking.pk, 201)

    @extend_schema(request=parts.NoBody, responses=BookingSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """A held local booking becomes confirmed."""
        read_body(parts.NoBody, request)
        return self._did(services.confirm_booking(int(pk), actor=parts.principal(request)))

    @extend_schema(request=parts.ReasonBody, responses=BookingSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Free the telescope from a local booking. What belongs to a claim is freed by withdrawing the claim."""
        body = read_body(parts.ReasonBody, request)
        return self._did(services.release_booking(int(pk), actor=parts.principal(request), **body))

    @extend_schema(request=MoveBody, responses=BookingSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Give a local booking another time, or another telescope of the same organisation."""
        body = read_body(MoveBody, request)
        if "telescope" in body:
            body["telescope_id"] = body.pop("telescope")
        return self._did(services.move_booking(int(pk), actor=parts.principal(request), **body))

    @extend_schema(request=ResultBody, responses=BookingSerializer)
    @action(detail=True, methods=["post"])
    def result(self, request: Request, pk: str) -> Response:
        """Say what came of it; may be corrected later."""
        body = read_body(ResultBody, request)
        return self._did(services.report_result(int(pk), actor=parts.principal(request), **body))

    def _did(self, booking: Booking) -> Response:
        return self.answer(booking.pk)
