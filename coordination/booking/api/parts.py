"""What the representations and bodies of this room share: short forms of rows, and how a body names them."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from coordination.campaigns.models import Campaign
from coordination.common.actors import Actor, actor_of
from coordination.common.body import BodySerializer, InstantField, TextField
from coordination.common.problems import DomainError, UnknownError
from coordination.visibility.api import WindowTargetSerializer, WindowTelescopeSerializer
from observatories.models import Organisation
from observatories.people import Principal
from targets.models import Target
from targets.services import UnknownDesignationError, resolve

__all__ = ["WindowTargetSerializer", "WindowTelescopeSerializer"]


class ShortOrganisationSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField(help_text="short name")
    name = serializers.CharField(help_text="full name")


class ReasonBody(BodySerializer):
    reason = TextField(required=False, default="", max_length=500, allow_blank=True, help_text="for those who are told")


class RequiredReasonBody(BodySerializer):
    reason = TextField(max_length=500, help_text="for those who are told")


class NoBody(BodySerializer):
    """Nothing has to be said."""


class SpanBody(BodySerializer):
    starts_at = InstantField(help_text="from here")
    ends_at = InstantField(help_text="to here, later")


@extend_schema_field(WindowTargetSerializer(allow_null=True))
class KnownTargetField(serializers.Field[Any, Any, Any, Any]):
    """The target, or null for who may not know of it. The view puts the identifiers of known ones into the context."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, target: Target) -> Any:
        known = self.context["known_targets"]
        return WindowTargetSerializer(target).data if target.pk in known else None


def known_targets(target_ids: Iterable[int | None], actor: Actor) -> set[int]:
    """Those of the targets that the actor may know of. One query."""
    ids = {pk for pk in target_ids if pk is not None}
    return set(Target.objects.visible_to(actor).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()


def target_called(designation: str, user: Any, field: str = "target") -> Target:
    """Raises DomainError, with the nearest designations, for one that the person may not know of either."""
    try:
        return resolve(designation, actor_of(user))
    except UnknownDesignationError as error:
        raise DomainError(error.detail, field=field, value=designation, **error.extra) from error


def organisation_called(slug: str, field: str = "organisation") -> Organisation:
    organisation = Organisation.objects.filter(slug=slug).first()
    if organisation is None:
        raise DomainError(
            "There is no organisation with this short name.", field=field, value=slug,
            expected="the short name of an organisation",
        )  # fmt: skip
    return organisation


def campaign_called(slug: str, user: Any) -> Campaign:
    """Raises UnknownError for one that the person may not know of either."""
    campaign = Campaign.objects.visible_to(actor_of(user)).filter(slug=slug).first()
    if campaign is None:
        raise UnknownError("There is no campaign with this short name.", field="campaign", value=slug)
    return campaign


def principal(request: Any) -> Principal:
    """Who is signed in, a person or a partner's system; views let nobody else come to a service."""
    assert isinstance(request.user, Principal)
    return request.user
