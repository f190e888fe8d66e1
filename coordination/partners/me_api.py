"""Who the service takes the caller for: how a partner checks its token."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from coordination.common.actors import actor_of
from coordination.common.api import PlainView, refuse_unknown_parameters
from observatories.models import Organisation

from .models import PartnerToken


class MeSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=["system", "person"], help_text="a partner's system or a person")
    name = serializers.CharField(help_text="of the token, or of the person's account")
    organisations = serializers.ListField(child=serializers.CharField(), help_text="short names, in order")
    token = serializers.CharField(allow_null=True, help_text="prefix of the token; null: signed in by a session")
    scopes = serializers.ListField(child=serializers.CharField(), allow_null=True, help_text="that the token opens")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="of the token; null: it does not expire")


class MeView(PlainView):
    """The caller."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="me_retrieve", tags=["me"], responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """To check a token: whose it is, what it opens, and until when. 401 without one that is valid."""
        refuse_unknown_parameters(request, set())
        token: PartnerToken | None = request.auth if isinstance(request.auth, PartnerToken) else None
        own = Organisation.objects.filter(pk__in=actor_of(request.user).organisation_ids)
        return Response(
            {
                "kind": "person" if token is None else "system",
                "name": request.user.get_username() if token is None else token.name,
                "organisations": [token.organisation.slug] if token else sorted(own.values_list("slug", flat=True)),
                "token": token.prefix if token else None,
                "scopes": token.scopes if token else None,
                "expires_at": token.expires_at if token else None,
            }
        )
