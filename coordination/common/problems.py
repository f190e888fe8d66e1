"""Refusals that explain themselves: RFC 9457 problem details for every error of the API.

A problem has a stable `type` (see `problem_types`), a title, the HTTP status, a `detail` for people and, where fields
are at fault, `errors`: a list of `field`, `detail` and, where it helps, what would be accepted.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import Error as DatabaseError
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from django.urls import NoReverseMatch, reverse
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from .problem_types import TYPES

CONTENT_TYPE = "application/problem+json"


class DomainError(Exception):
    """A refusal by a service, which each face translates: to a problem, to exit code 2, to an error of a form."""

    problem = "invalid-input"
    status: int = status.HTTP_400_BAD_REQUEST
    headers: Mapping[str, str] = {}

    def __init__(self, detail: str, *, field: str = "", value: Any = None, expected: str = "", **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.value = value
        self.expected = expected
        self.extra = extra

    def as_problem(self) -> dict[str, Any]:
        body = problem(self.problem, self.status, self.detail, **self.extra)
        if self.field:
            error = {"field": self.field, "detail": self.detail, "value": _shown(self.value), "expected": self.expected}
            body["errors"] = [{key: value for key, value in error.items() if value not in ("", None)}]
        return body


class InvalidBodyError(DomainError):
    """Several fields of a body at fault: each with `field`, `detail`, and perhaps `value` and `expected`."""

    def __init__(self, errors: Sequence[dict[str, Any]]) -> None:
        super().__init__("; ".join(f"{each['field']}: {each['detail']}".removeprefix(": ") for each in errors))
        self.errors = [error | {"value": _shown(error["value"])} if "value" in error else error for error in errors]

    def as_problem(self) -> dict[str, Any]:
        return problem(self.problem, self.status, self.detail, errors=self.errors)


_LONGEST_SHOWN = 200


def _shown(value: Any) -> Any:
    """A value as JSON can carry it, and not longer than somebody would read."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    text = str(value)
    if len(text) > _LONGEST_SHOWN:
        return text[:_LONGEST_SHOWN] + "…"
    return value if isinstance(value, str) else text


class ConflictError(DomainError):
    problem = "conflict"
    status = status.HTTP_409_CONFLICT


class ForbiddenError(DomainError):
    """What the caller may see, but not do."""

    problem = "forbidden"
    status = status.HTTP_403_FORBIDDEN


class UnknownError(DomainError):
    """What is not there, or what the caller may not know of: both look the same."""

    problem = "not-found"
    status = status.HTTP_404_NOT_FOUND


class UnavailableError(DomainError):
    """What the request needs does not answer just now."""

    problem = "unavailable"
    status = status.HTTP_503_SERVICE_UNAVAILABLE
    headers = {"Retry-After": "5"}


_UNIQUE_VIOLATION = "23505"
_NOT_THERE = ("08", "53", "57P")  # no connection, out of resources (such as connections), shut down or starting


def _of_database(error: DatabaseError) -> DomainError | None:
    """What a caller is told where the database refused: one of two who wrote the same at once, or all while it is down.
    None for what is a mistake of the service.
    """
    state = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, IntegrityError) and state == _UNIQUE_VIOLATION:
        return ConflictError("Somebody else has just made the same: look at what is there.")
    lost = state is None or state.startswith(_NOT_THERE)
    if isinstance(error, InterfaceError) or (isinstance(error, OperationalError) and lost):
        return UnavailableError("The database does not answer just now: try again.")
    return None


def problem(name: str, status_code: int, detail: str, **extra: Any) -> dict[str, Any]:
    kind = TYPES[name]
    return {"type": kind.uri, "title": kind.title, "status": status_code, "detail": detail, **extra}


def help_link(body: dict[str, Any]) -> str:
    """The `Link` header of a refusal: to the page that explains its type."""
    try:
        address = reverse("api-problem", args=[body["type"].rpartition(":")[2]])
    except NoReverseMatch:  # served without the API's addresses, as in a test of one view
        return ""
    return f'<{address}>; rel="help"; type="text/html"'


_BY_EXCEPTION: list[tuple[type[exceptions.APIException], str]] = [
    (exceptions.ValidationError, "invalid-input"),
    (exceptions.ParseError, "unreadable"),
    (exceptions.NotAuthenticated, "not-signed-in"),
    (exceptions.AuthenticationFailed, "not-signed-in"),
    (exceptions.PermissionDenied, "forbidden"),
    (exceptions.NotFound, "not-found"),
    (exceptions.MethodNotAllowed, "method-not-allowed"),
    (exceptions.NotAcceptable, "not-acceptable"),
    (exceptions.UnsupportedMediaType, "unsupported-media-type"),
    (exceptions.Throttled, "throttled"),
]


def explained(error: Exception) -> tuple[dict[str, Any], int, dict[str, str]] | None:
    """Body, status and headers of the refusal that an exception is; None for what nobody foresaw."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, DjangoValidationError):
        error = exceptions.ValidationError(
            detail=error.message_dict if hasattr(error, "error_dict") else error.messages
        )
    elif isinstance(error, DatabaseError):
        error = _of_database(error) or error
    if isinstance(error, DomainError):
        return error.as_problem(), error.status, dict(error.headers)
    if isinstance(error, exceptions.APIException):
        return _of_api_exception(error), error.status_code, _headers(error)
    return None


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's hook. What is no expected refusal goes on as a server error, its traceback in the log."""
    from rest_framework.views import set_rollback  # loads the ways to sign in, which need models, which may refuse

    refusal = explained(error)
    if refusal is None:
        return None
    body, code, headers = refusal
    if code in (status.HTTP_406_NOT_ACCEPTABLE, status.HTTP_415_UNSUPPORTED_MEDIA_TYPE):
        body |= _offered(code, context["view"])
    set_rollback()
    response = Response(body, status=code, headers=headers | {"Link": help_link(body)})
    request = context["request"]
    as_page = getattr(getattr(request, "accepted_renderer", None), "format", "") == "api"  # of the browsable API
    if not as_page or code == status.HTTP_503_SERVICE_UNAVAILABLE:  # a page says who is signed in: from the database
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), CONTENT_TYPE
        response.content_type = CONTENT_TYPE
    return response


def _offered(code: int, view: Any) -> dict[str, Any]:
    """The formats that are read here, or answered with."""
    reads = code == status.HTTP_415_UNSUPPORTED_MEDIA_TYPE
    accepted = [each.media_type for each in (view.parser_classes if reads else view.renderer_classes)]
    names = ", ".join(accepted)
    if reads:
        detail = f"A body has to be {names}, and to be announced so."
    else:
        formats = ", ".join(f"{each.media_type} (format={each.format})" for each in view.renderer_classes)
        detail = f"There is {formats}."
    return {"detail": detail, "accepted": accepted}


def _of_api_exception(error: exceptions.APIException) -> dict[str, Any]:
    name = next((name for kind, name in _BY_EXCEPTION if isinstance(error, kind)), "invalid-input")
    if isinstance(error, exceptions.ValidationError):
        errors = list(flatten(error.detail))
        detail = "; ".join(f"{e['field']}: {e['detail']}" if e["field"] else e["detail"] for e in errors)
        return problem(name, error.status_code, detail, errors=errors)
    return problem(name, error.status_code, str(error.detail))


def flatten(detail: Any, path: str = "") -> Any:
    """The findings of REST framework as `field` and `detail`, the fields inside others with a dot."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            step = "" if key == "non_field_errors" else str(key)
            yield from flatten(value, ".".join(part for part in (path, step) if part))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            yield from flatten(value, f"{path}.{index}" if isinstance(value, dict) else path)
    else:
        yield {"field": path, "detail": str(detail)}


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    return headers
