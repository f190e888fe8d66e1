"""Webhooks and their deliveries in the API: of one's own organisations, by its managers and systems that may manage."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common.actors import actor_of
from coordination.common.api import FaceViewSet
from coordination.common.body import BodySerializer, TextField, read_body
from coordination.common.problems import DomainError
from coordination.common.scopes import Scope
from observatories.models import Membership, Organisation
from observatories.people import organisations_with_role

from . import services
from .models import Webhook, WebhookDelivery


class WebhookSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="identifier")
    organisation = serializers.CharField(source="organisation.slug", help_text="short name of whose it is")
    url = serializers.CharField(help_text="where deliveries go")
    kinds = serializers.ListField(child=serializers.CharField(), help_text="kinds or families of events; empty: all")
    state = serializers.ChoiceField(choices=Webhook.State.choices, help_text="active, or paused")
    pause_reason = serializers.CharField(help_text="why it is paused, or empty")
    failures_in_row = serializers.IntegerField(help_text="attempts that failed since the last that did not")
    created_at = serializers.DateTimeField(help_text="when it was registered: what happened before is not sent")


class WebhookWithSecretSerializer(WebhookSerializer):
    secret = serializers.CharField(help_text="with which deliveries are signed")


class AttemptSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(help_text="when it was over")
    status = serializers.CharField(help_text="HTTP status, or no answer")
    ms = serializers.IntegerField(help_text="how long it took")
    error = serializers.CharField(help_text="what went wrong, or empty")


class DeliverySerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="identifier")
    event = serializers.IntegerField(source="event_id", allow_null=True, help_text="identifier; null: a ping")
    subject = serializers.CharField(help_text="of what; deliveries of one subject go out in order")
    state = serializers.ChoiceField(choices=WebhookDelivery.State.choices, help_text="pending, delivered or given up")
    attempts = serializers.IntegerField(help_text="so far")
    log = serializers.SerializerMethodField(help_text="of the latest attempts")
    due_at = serializers.DateTimeField(allow_null=True, help_text="of the next attempt")
    created_at = serializers.DateTimeField(help_text="when it was written")
    delivered_at = serializers.DateTimeField(allow_null=True, help_text="when it was taken")

    @extend_schema_field(AttemptSerializer(many=True))
    def get_log(self, delivery: WebhookDelivery) -> Any:
        return delivery.log


class WebhookFieldsBody(BodySerializer):
    url = TextField(max_length=500, required=False, help_text="https:// and a public host")
    kinds = serializers.ListField(
        child=TextField(max_length=64),
        required=False,
        max_length=50,
        help_text="kinds or families of events, such as slot.confirmed or claim; default: all",
    )


class WebhookBody(WebhookFieldsBody):
    url = TextField(max_length=500, help_text="https:// and a public host")
    organisation = TextField(max_length=64, required=False, help_text="short name; needed by who manages several")


@extend_schema(tags=["webhooks"])
class WebhookViewSet(FaceViewSet):
    """Addresses that are told of events."""

    permission_classes = [IsAuthenticated]
    serializer_class = WebhookSerializer
    queryset = Webhook.objects.none()
    orderings = {"-id": ("-id",), "id": ("id",)}
    listing_actions = ("list", "deliveries")
    scopes = {"*": Scope.MANAGE}

    def get_queryset(self) -> QuerySet[Webhook]:
        mine = Webhook.objects.visible_to(actor_of(self.request.user)).select_related("organisation")
        if getattr(self.request.user, "is_superuser", False):
            return mine
        return mine.filter(organisation__in=organisations_with_role(self.request.user, Membership.Role.MANAGER))

    @extend_schema(request=WebhookBody, responses={201: WebhookWithSecretSerializer})
    def create(self, request: Request) -> Response:
        """Register an address. The answer holds the secret."""
        given = read_body(WebhookBody, request)
        organisation_id = self._organisation(given.pop("organisation", None))
        webhook = services.create_webhook(organisation_id, actor=self._who(), **given)
        return self._with_secret(webhook, 201)

    @extend_schema(request=WebhookFieldsBody, responses=WebhookSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change where it goes or what it is told."""
        body = read_body(WebhookFieldsBody, request, partial=True)
        return self._told(services.update_webhook(self._pk(), actor=self._who(), **body))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove it with its deliveries."""
        services.delete_webhook(self._pk(), actor=self._who())
        return Response(status=204)

    @extend_schema(request=None, responses=WebhookSerializer)
    @action(detail=True, methods=["post"], pagination_class=None)
    def pause(self, request: Request, pk: str) -> Response:
        """Send nothing until it is resumed."""
        return self._told(services.pause_webhook(self._pk(), actor=self._who()))

    @extend_schema(request=None, responses=WebhookSerializer)
    @action(detail=True, methods=["post"], pagination_class=None)
    def resume(self, request: Request, pk: str) -> Response:
        """Send again, what still waits first."""
        return self._told(services.resume_webhook(self._pk(), actor=self._who()))

    @extend_schema(request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"], pagination_class=None)
    def ping(self, request: Request, pk: str) -> Response:
        """Send a test message; how it went is found among the deliveries."""
        delivery = services.ping_webhook(self._pk(), actor=self._who())
        return Response(DeliverySerializer(delivery).data, status=202)

    @extend_schema(request=None, responses=WebhookWithSecretSerializer)
    @action(detail=True, methods=["post"], url_path="renew-secret", pagination_class=None)
    def renew_secret(self, request: Request, pk: str) -> Response:
        """Sign with a new secret from now on; the answer holds it."""
        return self._with_secret(services.renew_secret(self._pk(), actor=self._who()))

    @extend_schema(
        parameters=[OpenApiParameter("id", OpenApiTypes.INT64, "path", description="identifier of the webhook")],
        responses=DeliverySerializer(many=True),
    )
    @action(detail=True, methods=["get"])
    def deliveries(self, request: Request, pk: str) -> Response:
        """What was sent or is to be sent, the latest first, for 30 days."""
        rows = WebhookDelivery.objects.filter(webhook=self._pk())
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)

    def _organisation(self, slug: str | None) -> int:
        managed = organisations_with_role(self.request.user, Membership.Role.MANAGER)
        if slug is not None:
            organisation_id = Organisation.objects.filter(slug=slug).values_list("pk", flat=True).first()
            if organisation_id is None:
                raise DomainError("There is no organisation with this short name.", field="organisation", value=slug)
            return organisation_id
        if len(managed) != 1:
            raise DomainError("Say for which organisation.", field="organisation", expected="a short name")
        return next(iter(managed))

    def _pk(self) -> int:
        webhook: Webhook = self.get_object()
        return webhook.pk

    def _who(self) -> Any:
        return self.request.user

    def _told(self, webhook: Webhook) -> Response:
        return self.answer(webhook.pk)

    def _with_secret(self, webhook: Webhook, status: int = 200) -> Response:
        headers = {"ETag": self.etag_of(webhook.pk), "Cache-Control": "no-store"}
        return Response(WebhookWithSecretSerializer(webhook).data, status=status, headers=headers)
