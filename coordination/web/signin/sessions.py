"""Middleware: sessions that lack the second step are nobody's, and a lost one does not lose what was typed."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.functional import SimpleLazyObject

from .typed import Typed

Answer = Callable[[HttpRequest], HttpResponse]
SECOND_STEP = "second_step"  # in the session: the second factor, by when it began, with which it was signed in


def require_second_step(get_response: Answer) -> Answer:
    """A person with a second factor is signed in by sessions that passed it; those from before it are nobody's."""

    def middleware(request: HttpRequest) -> HttpResponse:
        known = request.user
        request.user = SimpleLazyObject(lambda: _verified(request, known))  # type: ignore[assignment]
        return get_response(request)

    return middleware


def _verified(request: HttpRequest, user: Any) -> Any:
    since = getattr(user, "second_factor_at", None)
    if since is not None and request.session.get(SECOND_STEP) != since.isoformat():
        return AnonymousUser()
    return user


def keep_what_was_typed(get_response: Answer) -> Answer:
    """Where a form is sent after the session was lost, the sign-in page comes in its place and takes along what was
    typed, in the browser; nothing is stored here. That the form was this site's own, the check of its token has said.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method != "POST" or request.user.is_authenticated or not _asks_to_sign_in(response):
            return response
        from .entering import sign_in_page  # views need models, which are loaded after the middleware is named

        return sign_in_page(request, typed=Typed.of(request))

    return middleware


def _asks_to_sign_in(response: HttpResponse) -> bool:
    if response.status_code != 302:
        return False
    address, _, query = response["Location"].partition("?")
    return "next=" in query and address in (resolve_url(settings.LOGIN_URL), resolve_url("admin:login"))
