"""What the services of the Virtual Observatory share: who asks, how often, and refusals in their own format (DALI)."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpResponse, JsonResponse
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from coordination.common import votable
from coordination.common.problems import DomainError, explained
from coordination.common.scopes import Scope
from coordination.partners.authentication import TokenAuthentication

from . import dali


class ReadingSession(SessionAuthentication):
    """A person's session. A POST needs no CSRF token here: it only asks, with parameters too long for an address."""

    def enforce_csrf(self, request: Request) -> None:
        pass


class _WhateverIsAccepted(BaseContentNegotiation):
    """The format is a parameter, RESPONSEFORMAT; what clients of the field send in `Accept` says nothing."""

    def select_parser(self, request: Request, parsers: Any) -> None:
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class VoView(APIView):
    """Tokens with the scope `read`, sessions and the limits of requests as in the API."""

    schema = None  # described by VOSI capabilities, not by the OpenAPI document
    authentication_classes: Sequence[type[BaseAuthentication]] = (TokenAuthentication, ReadingSession)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = _WhateverIsAccepted
    scopes = {"*": Scope.READ}
    form = dali.VOTABLE  # of refusals, until the request has said what it wants

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, RequestDataTooBig):
            exc = _TooLargeError("The form is too large.")
        elif isinstance(exc, SuspiciousOperation):  # too many parameters, say
            exc = DomainError("The request is malformed.")
        refusal = explained(exc)
        if refusal is None:
            raise exc
        body, code, headers = refusal
        if code == 404 and isinstance(exc, DomainError):
            code = 400  # the address is there; what a parameter names is not
        if code == 401:
            headers["WWW-Authenticate"] = self.get_authenticate_header(self.request)
        response: HttpResponse
        if self.form == dali.JSON:
            response = JsonResponse({"query_status": "ERROR", "message": body["detail"]}, status=code)
        else:
            response = HttpResponse(votable.refusal(body["detail"]), status=code, content_type=dali.VOTABLE_TYPE)
        for name, value in headers.items():
            response[name] = value
        return response


class _TooLargeError(DomainError):
    problem = "too-large"
    status = 413
