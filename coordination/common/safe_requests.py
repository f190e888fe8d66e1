"""What every view of the API does with the headers that make requests safe to repeat and changes safe to make:
`Idempotency-Key`, `If-Match`, `If-None-Match`.

A write that bears one of the first two runs in one transaction, from before it is judged until its answer is made.
"""

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.request import RawPostDataException
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from . import idempotency, preconditions
from .preconditions import Precondition
from .problems import DomainError
from .transactions import in_one_transaction

Handler = Callable[..., HttpResponse]
_OF_NOT_MODIFIED = ("ETag", "Last-Modified", "Cache-Control", "Vary")


class RowResponse(Response):
    """An answer to a write that shows the row as GET would: with its entity tag."""


class SafeRequests:
    """For API views, before REST framework's own class."""

    request: Any

    def answers_if_match(self) -> bool:
        """Whether the action under way may be made to depend on what the caller has seen."""
        return False

    def expected(self, etags: set[str]) -> Precondition:
        """What has to hold for the action under way; only where `answers_if_match`."""
        raise NotImplementedError

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        name = (request.method or "").lower()
        handler: Handler | None = getattr(self, name, None)
        if request.method not in SAFE_METHODS and handler is not None:
            setattr(self, name, functools.partial(self._safely, handler))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        patch_vary_headers(response, ("Authorization", "Cookie"))
        if request.method in ("GET", "HEAD") and response.status_code == 200:
            return _conditional(request, response)
        if isinstance(response, RowResponse) and response.accepted_renderer.format != "api":
            _tag(response)
        return response

    def _safely(self, handler: Handler, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = functools.partial(self._rendered, handler, request, *args, **kwargs)
        attempt, precondition = _attempt(request), self._precondition(request)
        if attempt is None and precondition is None:
            return handler(request, *args, **kwargs)
        return in_one_transaction(lambda: _once(attempt, precondition, answer))

    def _precondition(self, request: Request) -> Precondition | None:
        text = request.headers.get(preconditions.HEADER)
        if text is None:
            return None
        if not self.answers_if_match():
            told = "There is no one object here that could have been seen."
            raise DomainError(told, field=preconditions.HEADER, value=text)
        return self.expected(set(parse_etags(text)))

    def _rendered(self, handler: Handler, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The answer to the last byte. What the handler refuses has undone itself; what fails goes on."""
        view: Any = self
        try:
            response = handler(request, *args, **kwargs)
        except Exception as error:
            response = view.handle_exception(error)
        response = view.finalize_response(request, response, *args, **kwargs)
        return response.render() if isinstance(response, Response) else response


def _attempt(request: Request) -> idempotency.Attempt | None:
    text = request.headers.get(idempotency.HEADER)
    if request.method != "POST" or text is None:
        return None
    key = idempotency.read_key(text)
    if not request.user.is_authenticated or request.query_params.get("dry_run") == "true":
        return None  # nobody to keep it for, or nothing that could be done twice
    http: HttpRequest = request._request
    try:
        body = http.body
    except RawPostDataException:  # a form, of which the files are gone
        raise UnsupportedMediaType(request.content_type) from None
    return idempotency.Attempt(idempotency.caller_of(request.user), key, "POST", http.get_full_path(), body)


def _once(
    attempt: idempotency.Attempt | None, precondition: Precondition | None, answer: Callable[[], HttpResponse]
) -> HttpResponse:
    """Inside the transaction of the request."""
    kept = attempt.replay() if attempt else None
    if kept is not None:
        return kept
    with preconditions.expecting(precondition):
        response = answer()
    if response.status_code < 300:
        if precondition and not precondition.was_checked:
            raise RuntimeError("a service changed something without asking what was expected of it")
        if attempt:
            attempt.keep(response)
    return response


def etag_of_data(data: Any) -> str:
    """As an answer in JSON that shows this bears it."""
    return preconditions.etag_of(JSONRenderer().render(data), JSONRenderer.media_type)


def _tag(response: Response) -> None:
    response.render()
    response["ETag"] = preconditions.etag_of(response.content, response.accepted_renderer.media_type)


def _conditional(request: Request, response: Any) -> Any:
    """With an entity tag and leave to keep it, or 304 to who has it. Not for pages of the browsable API, which show
    who is signed in, and not for what is streamed.
    """
    renderer = getattr(response, "accepted_renderer", None)
    if not isinstance(response, Response) or renderer is None or renderer.format == "api":
        return response
    response.setdefault("Cache-Control", "private, no-cache" if request.user.is_authenticated else "public, no-cache")
    _tag(response)
    wanted = {etag.removeprefix("W/") for etag in parse_etags(request.headers.get("If-None-Match", ""))}
    if not wanted & {"*", response["ETag"]}:
        return response
    unchanged = HttpResponseNotModified()
    for name in _OF_NOT_MODIFIED:
        if response.has_header(name):
            unchanged[name] = response[name]
    return unchanged
