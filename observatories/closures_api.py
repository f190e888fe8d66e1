"""Closures in the API: of one's own telescopes."""

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common.actors import actor_of
from coordination.common.api import FaceViewSet
from coordination.common.body import BodySerializer, IdField, InstantField, TextField, read_body
from coordination.common.filters import InstantFilter
from coordination.common.scopes import Scope

from . import services
from .models import Closure
from .people import Principal


class ClosureSerializer(serializers.ModelSerializer[Closure]):
    telescope = serializers.IntegerField(source="telescope_id", help_text="identifier")

    class Meta:
        model = Closure
        fields = ("id", "telescope", "starts_at", "ends_at", "reason")
        extra_kwargs = {"id": {"help_text": "identifier"}, "reason": {"help_text": "for one's own organisation"}}


class ClosureBody(BodySerializer):
    telescope = IdField(help_text="identifier of one's own")
    starts_at = InstantField(help_text="from here")
    ends_at = InstantField(help_text="to here")
    reason = TextField(max_length=200, help_text="for one's own organisation")


class ClosureFilter(django_filters.FilterSet):
    telescope = django_filters.NumberFilter(
        field_name="telescope", min_value=1, max_value=2**63 - 1, decimal_places=0, help_text="Identifier."
    )
    after = InstantFilter(field_name="ends_at", lookup_expr="gt", help_text="Those that end after this instant.")
    before = InstantFilter(field_name="starts_at", lookup_expr="lt", help_text="Those that start before this instant.")

    class Meta:
        model = Closure
        fields: list[str] = []


@extend_schema(tags=["closures"])
class ClosureViewSet(FaceViewSet):
    """Periods in which one's own telescopes cannot be used."""

    queryset = Closure.objects.none()
    serializer_class = ClosureSerializer
    filterset_class = ClosureFilter
    permission_classes = [IsAuthenticated]
    scopes = {"list": Scope.READ, "retrieve": Scope.READ, "*": Scope.MANAGE}
    orderings = {"starts_at": ("starts_at", "id"), "-starts_at": ("-starts_at", "id")}

    def get_queryset(self) -> QuerySet[Closure]:
        return Closure.objects.visible_to(actor_of(self.request.user))

    @extend_schema(request=ClosureBody, responses={201: ClosureSerializer})
    def create(self, request: Request) -> Response:
        """Close a telescope. What is booked then is flagged, and its holders told."""
        body = read_body(ClosureBody, request)
        closure = services.add_closure(telescope_id=body.pop("telescope"), actor=self._principal(), **body)
        return self.answer(closure.pk, 201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Open the telescope again."""
        services.remove_closure(self.get_object().pk, actor=self._principal())
        return Response(status=204)

    def _principal(self) -> Principal:
        assert isinstance(self.request.user, Principal)
        return self.request.user
