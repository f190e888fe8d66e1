"""Refusals that explain themselves: RFC 9457 problem details for every error of the API.

A problem has a stable `type` (a URN, `urn:neo-coordination:problem:<name>`), a title, the HTTP status, a `detail` for
people and, where fields are at fault, `errors`: a list of `field`, `detail` and, where it helps, what would be
accepted.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:neo-coordination:problem:"

TITLES = {
    "invalid-input": "The request has fields that cannot be accepted",
    "unreadable": "The request could not be read",
    "not-signed-in": "Sign in first",
    "forbidden": "You may not do this",
    "not-found": "There is nothing here that you can see",
    "method-not-allowed": "This address does not answer that method",
    "not-acceptable": "None of the formats asked for is offered",
    "unsupported-media-type": "This format is not read here",
    "throttled": "Too many requests",
    "conflict": "The request conflicts with what is there",
    "request-in-progress": "The same request is still running",
    "idempotency-key-reused": "The key belongs to another request",
    "precondition-failed": "It is no longer what you have seen",
    "internal-error": "Something failed on our side",
}


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


def problem(name: str, status_code: int, detail: str, **extra: Any) -> dict[str, Any]:
    return {"type": TYPE_PREFIX + name, "title": TITLES[name], "status": status_code, "detail": detail, **extra}


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


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's hook. What is no expected refusal goes on as a server error, its traceback in the log."""
    from rest_framework.views import set_rollback  # loads the ways to sign in, which need models, which may refuse

    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, DjangoValidationError):
        error = exceptions.ValidationError(
            detail=error.message_dict if hasattr(error, "error_dict") else error.messages
        )
    if isinstance(error, DomainError):
        body, code, headers = error.as_problem(), error.status, dict(error.headers)
    elif isinstance(error, exceptions.APIException):
        body, code, headers = _of_api_exception(error), error.status_code, _headers(error)
    else:
        return None
    set_rollback()
    response = Response(body, status=code, headers=headers)
    renderer = getattr(context["request"], "accepted_renderer", None)
    if renderer is None or renderer.format == "json":
        response.content_type = CONTENT_TYPE
    return response


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


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """For addresses that no view answers. Under /api/ a problem, elsewhere Django's own page."""
    if not request.path.startswith("/api/"):
        from django.views.defaults import page_not_found

        return page_not_found(request, exception)
    body = problem("not-found", 404, f"No resource of this API has the address {request.path}")
    return JsonResponse(body, status=404, content_type=CONTENT_TYPE)


def server_error(request: HttpRequest) -> HttpResponse:
    """For what nobody foresaw; the traceback is in the log."""
    if not request.path.startswith("/api/"):
        from django.views.defaults import server_error as page

        return page(request)
    body = problem(
        "internal-error", 500, "The request failed on our side and changed nothing. Trying again later may help."
    )
    return JsonResponse(body, status=500, content_type=CONTENT_TYPE)
