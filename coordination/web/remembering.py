"""Choices of a reader that a cookie keeps: the colours, the language."""

from collections.abc import Collection

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

_YEAR_S = 365 * 86400


def remember(request: HttpRequest, field: str, choices: Collection[str], cookie: str) -> HttpResponse:
    """Keep what a form's field says, if it is one of the choices, for a year; and back to where one was."""
    address = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        address = reverse("home")
    response = redirect(address)
    if (chosen := request.POST.get(field, "")) in choices:
        response.set_cookie(cookie, chosen, max_age=_YEAR_S, samesite="Lax", secure=request.is_secure())
    return response
