"""Campaigns in the API: created, joined, run and ended."""

from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.campaigns import services as campaign_services
from coordination.campaigns.models import Campaign
from coordination.common.actors import actor_of
from coordination.common.api import FaceViewSet
from coordination.common.body import (
    BodySerializer,
    ChoiceField,
    InstantField,
    NumberField,
    TextField,
    TrueFalseField,
    WholeNumberField,
    read_body,
)
from coordination.common.problems import UnknownError
from coordination.common.scopes import Scope
from targets.services.lookup import find

from .. import services
from ..models import Slot
from . import parts
from .campaign_rows import (
    CampaignBody,
    CampaignFieldsBody,
    CampaignSerializer,
    ParticipationSerializer,
    dress_campaigns,
)
from .filters import RoomFilter
from .rehearsals import RehearsalSerializer, told, without_ids
from .slot_rows import SlotSerializer, dress_slots


class InvitationBody(BodySerializer):
    organisation = TextField(max_length=64, help_text="short name")
    hour_limit_h = NumberField(
        required=False, allow_null=True, min_value=0, max_value=1_000_000, help_text="telescope hours it may claim here"
    )


class AnswerBody(InvitationBody):
    join = TrueFalseField(help_text="true: takes part; false: does not")


class CampaignTargetBody(BodySerializer):
    designation = TextField(max_length=100, help_text="any designation")


class ProposalBody(BodySerializer):
    target = TextField(required=False, max_length=100, help_text="any designation; default: each target")
    starts_at = InstantField(required=False, help_text="search from here; default: the campaign's period from now on")
    ends_at = InstantField(required=False, help_text="to here")
    count = WholeNumberField(required=False, min_value=1, max_value=50, help_text="for each target")
    kind = ChoiceField(Slot.Kind.choices, required=False, help_text="listed or open")


class RapidBody(BodySerializer):
    hours = NumberField(required=False, min_value=0, max_value=72, help_text="from now on; default 24")
    count = WholeNumberField(required=False, min_value=1, max_value=50, help_text="for each target")


class MadeSlotsSerializer(serializers.Serializer[Any]):
    slots = SlotSerializer(many=True)


class WouldBeSlotSerializer(SlotSerializer):
    id = serializers.IntegerField(allow_null=True, help_text="null: it was not made")


class WouldBeSlotsSerializer(serializers.Serializer[Any]):
    slots = WouldBeSlotSerializer(many=True, help_text="none where there is no joint window")


class ProposalRehearsalSerializer(RehearsalSerializer):
    would = WouldBeSlotsSerializer(allow_null=True, help_text="the drafts; null where it would be refused")


class CampaignFilter(RoomFilter):
    paths = {"target": "targets"}
    state = django_filters.ChoiceFilter(choices=Campaign.State.choices, help_text="State of the campaign.")
    kind = django_filters.ChoiceFilter(choices=Campaign.Kind.choices, help_text="What it is for.")
    lead = django_filters.CharFilter(method="led_by", help_text="Short name of the lead organisation.")
    target = django_filters.CharFilter(method="of_target", help_text="Any designation.")

    class Meta:
        model = Campaign
        fields: list[str] = []

    def led_by(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return queryset.filter(lead_organisation=parts.organisation_called(value, name))


@extend_schema(tags=["campaigns"])
class CampaignViewSet(FaceViewSet):
    """Joint efforts of several organisations. Drafts, and those for participants only, are seen by who was invited."""

    queryset = Campaign.objects.none()
    serializer_class = CampaignSerializer
    filterset_class = CampaignFilter
    lookup_field = "slug"
    lookup_value_regex = "[-a-zA-Z0-9_]{1,64}"
    scopes = {"list": Scope.READ, "retrieve": Scope.READ, "*": Scope.MANAGE}
    unconditional = ("answer_invitation", "propose_slots", "rapid_response")
    rehearsed = ("propose_slots",)
    orderings = {"-starts_at": ("-starts_at", "id"), "starts_at": ("starts_at", "id"), "slug": ("slug",)}

    def get_queryset(self) -> QuerySet[Campaign]:
        return Campaign.objects.visible_to(actor_of(self.request.user)).select_related("lead_organisation")

    def dress(self, rows: Sequence[Any]) -> None:
        dress_campaigns(rows, actor_of(self.request.user))

    @extend_schema(request=CampaignBody, responses={201: CampaignSerializer})
    def create(self, request: Request) -> Response:
        """A draft with the requirements of its kind, unless the body says otherwise."""
        body = read_body(CampaignBody, request)
        lead = parts.organisation_called(body.pop("lead_organisation"), "lead_organisation")
        campaign = campaign_services.create_campaign(
            lead_organisation_id=lead.pk, actor=parts.principal(request), **body
        )
        return self.answer(campaign.pk, 201)

    @extend_schema(request=CampaignFieldsBody, responses=CampaignSerializer)
    def partial_update(self, request: Request, slug: str) -> Response:
        """Change what it is for and what it needs. Published slots keep what they were published with."""
        body = read_body(CampaignFieldsBody, request, partial=True)
        return self._did(campaign_services.update_campaign(self._pk(), actor=parts.principal(request), **body))

    @extend_schema(request=parts.NoBody, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def open(self, request: Request, slug: str) -> Response:
        """From now on slots can be published and claimed; also opens a closed campaign again."""
        read_body(parts.NoBody, request)
        return self._did(campaign_services.open_campaign(self._pk(), actor=parts.principal(request)))

    @extend_schema(request=parts.NoBody, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, slug: str) -> Response:
        """No new slots and claims; what is agreed goes on."""
        read_body(parts.NoBody, request)
        return self._did(campaign_services.close_campaign(self._pk(), actor=parts.principal(request)))

    @extend_schema(request=parts.NoBody, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, slug: str) -> Response:
        """Put a closed campaign on record as done, once no slot is open, confirmed or in progress."""
        read_body(parts.NoBody, request)
        return self._did(services.complete_campaign(self._pk(), actor=parts.principal(request)))

    @extend_schema(request=parts.RequiredReasonBody, responses=CampaignSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, slug: str) -> Response:
        """Give it up: its slots are cancelled, their telescopes free, and everybody is told."""
        body = read_body(parts.RequiredReasonBody, request)
        return self._did(services.cancel_campaign(self._pk(), actor=parts.principal(request), **body))

    @extend_schema(request=InvitationBody, responses={201: ParticipationSerializer})
    @action(detail=True, methods=["post"])
    def invitations(self, request: Request, slug: str) -> Response:
        """Ask an organisation to take part."""
        body = read_body(InvitationBody, request)
        organisation = parts.organisation_called(body.pop("organisation"))
        invited = campaign_services.invite(self._pk(), organisation.pk, actor=parts.principal(request), **body)
        return Response(ParticipationSerializer(invited).data, status=201)

    @extend_schema(request=AnswerBody, responses=ParticipationSerializer)
    @action(detail=True, methods=["post"], url_path="answer")
    def answer_invitation(self, request: Request, slug: str) -> Response:
        """Join the campaign for an organisation, or decline; who has joined may still leave."""
        body = read_body(AnswerBody, request)
        organisation = parts.organisation_called(body.pop("organisation"))
        said = campaign_services.answer_invitation(self._pk(), organisation.pk, actor=parts.principal(request), **body)
        return Response(ParticipationSerializer(said).data)

    @extend_schema(request=CampaignTargetBody, responses={201: parts.WindowTargetSerializer})
    @action(detail=True, methods=["post"])
    def targets(self, request: Request, slug: str) -> Response:
        """Observe a target in it. Participants may know of the target from then on."""
        body = read_body(CampaignTargetBody, request)
        pk = self._pk()
        target = parts.target_called(body["designation"], request.user, "designation")
        held = campaign_services.add_target(pk, target.pk, actor=parts.principal(request))
        return Response(parts.WindowTargetSerializer(held.target).data, status=201)

    @extend_schema(
        parameters=[OpenApiParameter("designation", OpenApiTypes.STR, "path", description="Any designation.")],
        responses={204: None},
    )
    @action(detail=True, methods=["delete"], url_path="targets/(?P<designation>[^/]+)")
    def target(self, request: Request, slug: str, designation: str) -> Response:
        """Observe it no longer. Slots that were made for it stay."""
        campaign: Campaign = self.get_object()
        target_id = find(designation, actor_of(request.user))
        if target_id is None or not campaign.campaign_targets.filter(target=target_id).exists():
            raise UnknownError("The campaign does not hold this target.", field="designation", value=designation)
        campaign_services.remove_target(campaign.pk, target_id, actor=parts.principal(request))
        return Response(status=204)

    @extend_schema(request=ProposalBody, responses={201: MadeSlotsSerializer, 200: ProposalRehearsalSerializer})
    @action(detail=True, methods=["post"], url_path="propose-slots")
    def propose_slots(self, request: Request, slug: str) -> Response:
        """Drafts inside the best joint windows of the participants, each with its reason; none where there are none."""
        body = read_body(ProposalBody, request)
        pk = self._pk()
        if "target" in body:
            body["target_id"] = parts.target_called(body.pop("target"), request.user).pk
        body["actor"] = parts.principal(request)
        if self.is_rehearsal():
            return told(services.rehearse_proposal(pk, show=self._would_be, **body))
        return self._made(services.propose_slots(pk, **body))

    @extend_schema(request=RapidBody, responses={201: MadeSlotsSerializer})
    @action(detail=True, methods=["post"], url_path="rapid-response")
    def rapid_response(self, request: Request, slug: str) -> Response:
        """Publish open slots where any participating telescope sees a target in the next hours, and tell everybody."""
        body = read_body(RapidBody, request)
        return self._made(services.rapid_response(self._pk(), actor=parts.principal(request), **body))

    def _pk(self) -> int:
        campaign: Campaign = self.get_object()
        return campaign.pk

    def _did(self, campaign: Campaign) -> Response:
        return self.answer(campaign.pk)

    def _made(self, made: Sequence[Slot]) -> Response:
        return Response({"slots": self._slots(made)}, status=201)

    def _would_be(self, made: Sequence[Slot]) -> Any:
        slots = [without_ids(slot) for slot in self._slots(made)]
        return {"slots": [slot | {"seats": [without_ids(seat) for seat in slot["seats"]]} for slot in slots]}

    def _slots(self, made: Sequence[Slot]) -> Any:
        rows = list(Slot.objects.filter(pk__in=[slot.pk for slot in made]).select_related("campaign", "target"))
        rows.sort(key=lambda slot: (slot.starts_at, slot.pk))
        dress_slots(rows, self.request.user)
        return SlotSerializer(rows, many=True).data
