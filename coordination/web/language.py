"""Pages for people speak the reader's language; the API, feeds and the administration speak English, always."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST

_ENGLISH = ("/api/", "/feeds/", "/vo/", "/static/", "/health/", "/admin/")
_SIGN_IN_OF_ADMIN = "/admin/login/"  # the page is the one of everybody


def speaks_english(path: str) -> bool:
    return path.startswith(_ENGLISH) and not path.startswith(_SIGN_IN_OF_ADMIN)


def in_the_readers_language(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: the language of the cookie, else the first of Accept-Language that there is, else English. Other
    than Django's own it leaves the thread as it was, and leaves alone what programs read.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if speaks_english(request.path):
            return _answered(request, settings.LANGUAGE_CODE)
        response = _answered(request, translation.get_language_from_request(request))
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response

    def _answered(request: HttpRequest, language: str) -> HttpResponseBase:
        with translation.override(language):
            request.LANGUAGE_CODE = language
            return get_response(request)

    return middleware


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the language for a year, and back to where one was."""
    address = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        address = reverse("home")
    response = redirect(address)
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES) and check_for_language(language):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=365 * 86400, samesite="Lax", secure=request.is_secure()
        )
    return response
