"""Grants in the API: by which the operator of a telescope lets another organisation claim it."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common.actors import actor_of
from coordination.common.api import FaceViewSet
from coordination.common.body import IdField, TextField, read_body
from coordination.common.scopes import Scope

from .. import services
from ..models import TelescopeGrant
from . import parts
from .filters import RoomFilter


class GrantSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", help_text="identifier")
    telescope = parts.WindowTelescopeSerializer(help_text="what may be claimed")
    organisation = parts.ShortOrganisationSerializer(help_text="by whom")
    campaign = serializers.CharField(
        source="campaign.slug", default=None, allow_null=True, help_text="short name; null: in any"
    )
    starts_at = serializers.DateTimeField(help_text="for observations from here")
    ends_at = serializers.DateTimeField(help_text="to here")


class GrantBody(parts.SpanBody):
    telescope = IdField(help_text="identifier of one's own")
    organisation = TextField(max_length=64, help_text="short name of who may claim it")
    campaign = TextField(required=False, max_length=64, help_text="short name; default: in any")


class GrantFilter(RoomFilter):
    paths = {"telescope": "telescope", "organisation": "organisation"}
    telescope = django_filters.NumberFilter(method="of_telescope", help_text="Identifier of a telescope.")
    organisation = django_filters.CharFilter(method="of_organisation", help_text="Short name of who may claim it.")

    class Meta:
        model = TelescopeGrant
        fields: list[str] = []


@extend_schema(tags=["grants"])
class GrantViewSet(FaceViewSet):
    """Grants that one's organisations gave or received."""

    queryset = TelescopeGrant.objects.none()
    serializer_class = GrantSerializer
    filterset_class = GrantFilter
    permission_classes = [IsAuthenticated]
    scopes = {"list": Scope.READ, "retrieve": Scope.READ, "*": Scope.MANAGE}
    orderings = {"-starts_at": ("-starts_at", "id"), "starts_at": ("starts_at", "id")}

    def get_queryset(self) -> QuerySet[TelescopeGrant]:
        visible = TelescopeGrant.objects.visible_to(actor_of(self.request.user))
        return visible.select_related("telescope__observatory", "telescope__organisation", "organisation", "campaign")

    @extend_schema(request=GrantBody, responses={201: GrantSerializer})
    def create(self, request: Request) -> Response:
        """Let an organisation claim a telescope for observations inside a period."""
        body = read_body(GrantBody, request)
        organisation = parts.organisation_called(body.pop("organisation"))
        if "campaign" in body:
            body["campaign_id"] = parts.campaign_called(body.pop("campaign"), request.user).pk
        grant = services.grant_telescope(body.pop("telescope"), organisation.pk, actor=parts.principal(request), **body)
        return self.answer(grant.pk, 201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """No further claims by it; what is claimed stays."""
        services.revoke_grant(self.get_object().pk, actor=parts.principal(request))
        return Response(status=204)
