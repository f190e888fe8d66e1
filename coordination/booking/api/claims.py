"""Claims in the API: seats taken, all or none, and given back."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common.actors import actor_of
from coordination.common.api import FaceViewSet
from coordination.common.body import BodySerializer, IdField, TextField, TrueFalseField, ids_field, read_body
from coordination.common.scopes import Scope

from .. import services
from ..claimable import sole_claimant
from ..models import Claim, ClaimedSeat, Seat, Slot
from ..services.claims import MOST_SEATS
from . import parts
from .filters import RoomFilter
from .rehearsals import RehearsalSerializer, told, without_ids


class ClaimedSeatSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="seat.pk", help_text="identifier")
    telescope = parts.WindowTelescopeSerializer(source="seat.telescope", help_text="what observes")
    observe_from = serializers.DateTimeField(source="seat.observe_from")
    observe_until = serializers.DateTimeField(source="seat.observe_until")


class ClaimSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", help_text="identifier")
    slot = serializers.IntegerField(source="slot_id", help_text="identifier")
    slot_state = serializers.ChoiceField(source="slot.state", choices=Slot.State.choices)
    campaign = serializers.CharField(source="slot.campaign.slug", help_text="short name")
    target = parts.KnownTargetField(source="slot.target", help_text="null for who may not know of it")
    organisation = parts.ShortOrganisationSerializer(help_text="who claims")
    state = serializers.ChoiceField(choices=Claim.State.choices)
    seats = ClaimedSeatSerializer(source="claimed_seats", many=True, help_text="that it takes or waits for")
    note = serializers.CharField()
    accepts_shift = serializers.BooleanField(help_text="agreed to the proposed shift of the slot")
    created_at = serializers.DateTimeField()


class WouldBeSeatSerializer(ClaimedSeatSerializer):
    id = serializers.IntegerField(allow_null=True, help_text="null: of an open slot, not made yet")


class WouldBeClaimSerializer(ClaimSerializer):
    id = serializers.IntegerField(allow_null=True, help_text="null: it was not made")
    seats = WouldBeSeatSerializer(many=True, help_text="that it would take or wait for")


class ClaimRehearsalSerializer(RehearsalSerializer):
    would = WouldBeClaimSerializer(allow_null=True, help_text="the claim; null where it would be refused")


class ClaimBody(BodySerializer):
    slot = IdField(help_text="identifier")
    organisation = TextField(
        required=False, max_length=64,
        help_text="short name; may be left out by who is a scheduler of exactly one participant",
    )  # fmt: skip
    seats = ids_field(MOST_SEATS, required=False, help_text="of a listed slot: seats, by their identifiers")
    telescopes = ids_field(MOST_SEATS, required=False, help_text="of an open slot: telescopes, by their identifiers")
    allow_waiting = TrueFalseField(required=False, help_text="wait for a free place where the slot is full")
    note = TextField(required=False, allow_blank=True, max_length=5000)


class ClaimFilter(RoomFilter):
    paths = {"slot": "slot", "campaign": "slot__campaign", "organisation": "organisation"}
    slot = django_filters.NumberFilter(method="of_slot", help_text="Identifier of a slot.")
    campaign = django_filters.CharFilter(method="of_campaign", help_text="Short name of a campaign.")
    organisation = django_filters.CharFilter(method="of_organisation", help_text="Short name of who claims.")
    state = django_filters.ChoiceFilter(choices=Claim.State.choices, help_text="State of the claim.")

    class Meta:
        model = Claim
        fields: list[str] = []


@extend_schema(tags=["claims"])
class ClaimViewSet(FaceViewSet):
    """One's own claims, and those of the campaigns that one takes part in."""

    queryset = Claim.objects.none()
    serializer_class = ClaimSerializer
    filterset_class = ClaimFilter
    permission_classes = [IsAuthenticated]
    scopes = {"list": Scope.READ, "retrieve": Scope.READ, "*": Scope.CLAIM}
    rehearsed = ("create",)
    orderings = {"-id": ("-id",), "id": ("id",)}

    def get_queryset(self) -> QuerySet[Claim]:
        visible = Claim.objects.visible_to(actor_of(self.request.user))
        return visible.select_related("slot__campaign", "slot__target", "organisation")

    def get_serializer_context(self) -> dict[str, Any]:
        return super().get_serializer_context() | {"known_targets": getattr(self, "_known_targets", set())}

    def dress(self, rows: Sequence[Any]) -> None:
        seats = ClaimedSeat.objects.select_related("seat__telescope__observatory", "seat__telescope__organisation")
        prefetch_related_objects(list(rows), Prefetch("claimed_seats", seats.order_by("seat__observe_from", "pk")))
        actor = actor_of(self.request.user)
        self._known_targets = parts.known_targets((claim.slot.target_id for claim in rows), actor)

    @extend_schema(request=ClaimBody, responses={201: ClaimSerializer, 200: ClaimRehearsalSerializer})
    def create(self, request: Request) -> Response:
        """Take seats of a slot, all or none: held at once, confirmed with the quorum, or waiting where it is full."""
        body = read_body(ClaimBody, request)
        slot_id, slug = body.pop("slot"), body.pop("organisation", None)
        seats, telescopes = body.pop("seats", ()), body.pop("telescopes", ())
        if slug is None:
            visible = Slot.objects.visible_to(actor_of(request.user))
            organisation_id = sole_claimant(slot_id, visible, request.user)
        else:
            organisation_id = parts.organisation_called(slug).pk
        body |= {"seat_ids": seats, "telescope_ids": telescopes, "actor": parts.principal(request)}
        if self.is_rehearsal():
            return told(services.rehearse_claim(slot_id, organisation_id, show=self._would_be, **body))
        return self.answer(services.claim_seats(slot_id, organisation_id, **body).pk, 201)

    def _would_be(self, claim: Claim) -> Any:
        """While it is there; seats of an open slot that nobody took before are made by a claim."""
        shown = self.shown(claim.pk)
        made = {seat.pk for seat in Seat.objects.filter(slot=claim.slot_id).exclude(claimed_seats__claim__lt=claim.pk)}
        opened = claim.slot.kind == Slot.Kind.OPEN
        seats = [without_ids(seat) if opened and seat["id"] in made else seat for seat in shown["seats"]]
        return without_ids(shown) | {"seats": seats}

    @extend_schema(request=parts.ReasonBody, responses=ClaimSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Give all its seats back; who waits is tried next."""
        body = read_body(parts.ReasonBody, request)
        claim = services.withdraw_claim(int(pk), actor=parts.principal(request), **body)
        return self.answer(claim.pk)

    @extend_schema(request=parts.NoBody, responses=ClaimSerializer)
    @action(detail=True, methods=["post"], url_path="accept-shift")
    def accept_shift(self, request: Request, pk: str) -> Response:
        """Agree to the shift that is proposed; with the last holder's word it is carried out."""
        read_body(parts.NoBody, request)
        claim = services.accept_shift(int(pk), actor=parts.principal(request))
        return self.answer(claim.pk)
