"""`Authorization: Bearer neo_…`: how a partner's system signs in, with each request.

No cookie takes part, so there is nothing that another site could make a browser send: CSRF does not apply.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from coordination.common.actors import PartnerSystem
from coordination.common.scopes import PEOPLE_ONLY, require_scope, scope_of

from . import services
from .models import PartnerToken
from .throttling import count_address


class TokenAuthentication(BaseAuthentication):
    """Gives the request a `PartnerSystem` as user, once its token has the scope that the view's action needs. It is
    checked here, and not in a permission class, so that no view can forget it.
    """

    def authenticate(self, request: Request) -> tuple[PartnerSystem, PartnerToken] | None:
        kind, _, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if kind.lower() != "bearer":
            return None
        token, refusal = services.recognise(text.strip())
        if token is None:
            standing = count_address(request)  # who guesses is limited like everybody without a token
            if standing is not None and standing.count > standing.limit:
                raise Throttled(wait=standing.reset_s)
            raise AuthenticationFailed(refusal)
        require_scope(token.system, (request.parser_context or {})["view"], request.method or "GET")
        return token.system, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="NEO Coordination"'


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token of an organisation: neo_<prefix>_<secret>."}

    def get_security_requirement(self, auto_schema: Any) -> Any:
        scope = scope_of(auto_schema.view, auto_schema.method)
        return None if scope is PEOPLE_ONLY else {self.name: [scope.value]}
