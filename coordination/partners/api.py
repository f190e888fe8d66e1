"""Notices and preferences of the person who asks."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common.actors import actor_of
from coordination.common.api import ListViewSet, PlainView, refuse_unknown_parameters
from coordination.common.body import BodySerializer
from coordination.common.filters import TrueFalseFilter
from coordination.common.preconditions import Precondition
from coordination.common.safe_requests import RowResponse, etag_of_data
from coordination.common.scopes import PEOPLE_ONLY
from observatories.models import User

from . import services, wording
from .models import Notice, NotificationPreference


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    kind = serializers.CharField(source="event.kind", help_text="kind of the event, such as slot.confirmed")
    title = serializers.SerializerMethodField(help_text="what happened, in a line")
    text = serializers.SerializerMethodField(help_text="more about it, or empty")
    target = serializers.SerializerMethodField(help_text="designation; null without a target or if you may not know it")

    class Meta:
        model = Notice
        fields = ("id", "kind", "title", "text", "target", "path", "created_at", "read_at")
        extra_kwargs = {
            "id": {"help_text": "identifier"},
            "path": {"help_text": "where to look, below this service's address; or empty"},
            "created_at": {"help_text": "when it was written"},
            "read_at": {"help_text": "when it was marked as read; null: unread"},
        }

    def get_title(self, notice: Notice) -> str:
        return wording.for_reader(notice, notice.title)

    def get_text(self, notice: Notice) -> str:
        return wording.for_reader(notice, notice.text)

    def get_target(self, notice: Notice) -> str | None:
        may_know = getattr(notice, "target_is_visible", False)
        return notice.target.designation if notice.target is not None and may_know else None


class NoticeFilter(django_filters.FilterSet):
    unread = TrueFalseFilter(field_name="read_at", lookup_expr="isnull", help_text="Only unread ones, or only read.")

    class Meta:
        model = Notice
        fields: list[str] = []


class ReadAllSerializer(serializers.Serializer[Any]):
    read = serializers.IntegerField(help_text="notices that were unread until now")


class NoticeViewSet(ListViewSet):
    """What you are told: newest first."""

    permission_classes = (IsAuthenticated,)
    scopes = {"*": PEOPLE_ONLY}
    serializer_class = NoticeSerializer
    filterset_class = NoticeFilter
    queryset = Notice.objects.none()
    lookup_value_converter = "int"
    orderings = {"-id": ("-id",)}

    def get_queryset(self) -> QuerySet[Notice]:
        person = _person(self.request)
        return Notice.objects.filter(user=person).for_reading_by(actor_of(person)).select_related("event", "target")

    @extend_schema(request=None, responses=NoticeSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def read(self, request: Request, pk: int) -> Response:
        """Mark a notice as read."""
        notice = self.get_queryset().filter(pk=pk).first()
        if notice is None:
            raise Http404
        services.mark_read(notice.pk, user=_person(request))
        return Response(self.get_serializer(self.get_queryset().get(pk=pk)).data)

    @extend_schema(request=None, responses=ReadAllSerializer)
    @action(detail=False, methods=["post"], url_path="read-all", filterset_class=None, pagination_class=None)
    def read_all(self, request: Request) -> Response:
        """Mark all notices as read."""
        return Response({"read": services.mark_all_read(user=_person(request))})


class PreferenceSerializer(BodySerializer, serializers.ModelSerializer[NotificationPreference]):
    daily_hour_utc = serializers.IntegerField(
        min_value=0, max_value=23, required=False, help_text="hour of the daily e-mail, UTC"
    )

    class Meta:
        model = NotificationPreference
        fields = ("email", "daily_hour_utc")
        extra_kwargs = {"email": {"help_text": "when notices come by e-mail"}}


class PreferenceView(PlainView):
    """How you are told."""

    permission_classes = (IsAuthenticated,)
    scopes = {"*": PEOPLE_ONLY}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_unknown_parameters(request, set())

    def answers_if_match(self) -> bool:
        return True

    def expected(self, etags: set[str]) -> Precondition:
        person = _person(self.request)
        return Precondition(User, person.pk, etags, lambda: etag_of_data(_told(person)))

    @extend_schema(operation_id="me_preferences_retrieve", responses=PreferenceSerializer)
    def get(self, request: Request) -> Response:
        return Response(_told(_person(request)))

    @extend_schema(
        operation_id="me_preferences_partial_update", request=PreferenceSerializer, responses=PreferenceSerializer
    )
    def patch(self, request: Request) -> Response:
        """E-mail that is still to be sent follows the new choice."""
        given = PreferenceSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        services.set_preference(_person(request), **given.validated_data)
        return RowResponse(_told(_person(request)))


def _told(person: Any) -> Any:
    return PreferenceSerializer(services.preference_of(person)).data


def _person(request: Request) -> Any:
    return request.user  # IsAuthenticated lets nobody else in
