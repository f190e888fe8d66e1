"""Pages in the place of Django's bare ones: what one may not do, and a form whose token is not this browser's."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views import csrf, defaults

from ..signin.typed import Typed
from .base import framed, is_for_machines

_FROM_ELSEWHERE = ("Origin", "Referer")  # how Django begins to say that a form was not one of this site


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_for_machines(request):
        return defaults.permission_denied(request, exception)
    return framed(request, "web/forbidden.html", {"title": _("Not for you")}, status=403)


def form_not_taken(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For a form that was opened before one signed in anew, or without cookies. What was typed is shown to be copied,
    and not sent on: only the token could have said that the form was this site's own.
    """
    if is_for_machines(request):
        return csrf.csrf_failure(request, reason)
    typed = None if reason.startswith(_FROM_ELSEWHERE) else Typed.of(request)
    return framed(request, "web/form_not_taken.html", {"title": _("Not taken"), "typed": typed}, status=403)
