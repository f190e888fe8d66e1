"""Refusals of the API that no view makes: by Django, by its middleware, by its pages of errors while developing."""

import json
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.urls import is_valid_path

from .problems import CONTENT_TYPE, help_link, problem

_PREFIX = "/api/"
_BY_STATUS = {
    400: "unreadable",
    401: "not-signed-in",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    500: "internal-error",
    503: "unavailable",
}
_BIGGEST_NUMBER_DIGITS = 18


class SlashMiddleware(CommonMiddleware):
    """Django's own, but a write to an address without its slash is not redirected: most clients would repeat it as a
    GET, and take the list that they get for success.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        if request.path.startswith(_PREFIX) and request.method not in ("GET", "HEAD"):
            return False
        return bool(super().should_redirect_with_slash(request))


def problems(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware, the first: what is refused under /api/ is a problem, whoever refuses it. Bodies beyond the limit are
    refused before anything reads them.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(_PREFIX):
            return get_response(request)
        refusal = _of_body(request)
        if refusal is not None:
            return refusal
        response = get_response(request)
        if response.status_code >= 400 and not hasattr(response, "accepted_renderer"):  # REST framework's are
            _explain(request, response)
        return response

    return middleware


def _of_body(request: HttpRequest) -> HttpResponse | None:
    length, limit = request.META.get("CONTENT_LENGTH") or "", settings.API_BODY_LIMIT_BYTES
    if not length and "HTTP_TRANSFER_ENCODING" in request.META:  # Django would take it for empty
        return _refusal("length-required", 411, "Send the body in one piece, with Content-Length.")
    if not length:
        return None
    if not (length.isascii() and length.isdigit()):
        return _refusal("unreadable", 400, "Content-Length is no number.")
    if len(length) > _BIGGEST_NUMBER_DIGITS or int(length) > limit:
        return _refusal("too-large", 413, f"The body has more than the {limit} bytes that are read.", limit_bytes=limit)
    return None


def _refusal(name: str, status: int, detail: str, **extra: object) -> HttpResponse:
    body = problem(name, status, detail, **extra)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE, headers={"Link": help_link(body)})


def _explain(request: HttpRequest, response: HttpResponseBase) -> None:
    """Put a problem in the place of a page, and keep the headers. A server error's traceback is in the log."""
    if not isinstance(response, HttpResponse) or response.get("Content-Type", "").startswith(CONTENT_TYPE):
        return
    status = response.status_code
    name = _BY_STATUS.get(status) or _BY_STATUS[500 if status >= 500 else 400]
    body = problem(name, status, _detail(request, status))
    response.content = json.dumps(body).encode()
    response["Content-Type"] = CONTENT_TYPE
    response["Content-Length"] = str(len(response.content))
    response["Link"] = help_link(body)


def _detail(request: HttpRequest, status: int) -> str:
    if status == 400:
        try:
            request.get_host()
        except DisallowedHost:
            return "The Host header names no host of this service."
        return "The request is malformed."
    if status == 404:
        path = request.path[:200]
        if not path.endswith("/") and is_valid_path(f"{request.path_info}/"):
            return f"No resource of this API has the address {path}; there is {path}/."
        return f"No resource of this API has the address {path}."
    if status >= 500:
        return "The request failed on our side and changed nothing. Trying again later may help."
    return f"{HTTPStatus(status).phrase}: this address does not take it."
