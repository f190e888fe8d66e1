"""Pages for people speak the reader's language; the API, feeds and the administration speak English, always."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST

from .remembering import remember

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
    known = [code for code, _ in settings.LANGUAGES if check_for_language(code)]
    return remember(request, "language", known, settings.LANGUAGE_COOKIE_NAME)
