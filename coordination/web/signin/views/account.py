"""One's own account: who one is, the password, the second factor."""

import io
from base64 import b32encode
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from coordination.common.desk import show_refusal
from coordination.common.problems import DomainError
from observatories import services
from observatories.models import User

from ...views.base import framed
from ..entering import mark_second_step
from ..forms import ConfirmCodeForm, OwnPasswordForm


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    user = _person(request)
    memberships = user.memberships.select_related("organisation").order_by("organisation__name")
    left = services.recovery_codes_left(user) if user.second_factor_at else 0
    return framed(request, "web/signin/account.html", {"memberships": memberships, "codes_left": left})


@never_cache
@login_required
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    try:
        services.begin_second_factor(_person(request).pk)
    except DomainError as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(reverse("account"))
    return HttpResponseRedirect(reverse("second-factor"))


@never_cache
@login_required
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """The secret as a QR code and in letters, until a code from the telephone confirms it."""
    user = _person(request)
    device = services.unconfirmed_device(user)
    if device is None:
        return HttpResponseRedirect(reverse("account"))
    form = ConfirmCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = services.confirm_second_factor(user.pk, form.cleaned_data["code"])
        except DomainError as error:
            show_refusal(form, error, {})
        else:
            user.refresh_from_db()
            mark_second_step(request, user)
            return framed(request, "web/signin/recovery_codes.html", {"codes": codes, "is_new": True})
    secret = b32encode(device.bin_key).decode().rstrip("=")
    grouped = " ".join(secret[k : k + 4] for k in range(0, len(secret), 4))
    return framed(request, "web/signin/enrol.html", {"form": form, "qr": _qr(device.config_url), "secret": grouped})


@never_cache
@login_required
@sensitive_post_parameters("password")
def switch_off(request: HttpRequest) -> HttpResponse:
    def do(user: User) -> HttpResponse:
        services.remove_second_factor(user.pk, actor=user)
        messages.success(request, gettext("The second factor is switched off. Your password alone signs you in."))
        return HttpResponseRedirect(reverse("account"))

    title = gettext("Switch off the second factor")
    return _after_password(request, do, title=title, button=gettext("Switch off"))


@never_cache
@login_required
@sensitive_post_parameters("password")
def renew_codes(request: HttpRequest) -> HttpResponse:
    def do(user: User) -> HttpResponse:
        codes = services.renew_recovery_codes(user.pk)
        return framed(request, "web/signin/recovery_codes.html", {"codes": codes})

    title = gettext("New recovery codes")
    return _after_password(request, do, title=title, button=gettext("Make new codes"))


def _after_password(request: HttpRequest, do: Any, *, title: str, button: str) -> HttpResponse:
    form = OwnPasswordForm(request.POST or None, request=request)
    if request.method == "POST" and form.is_valid():
        try:
            answer: HttpResponse = do(_person(request))
            return answer
        except DomainError as error:
            show_refusal(form, error, {})
    return framed(request, "web/signin/ask_password.html", {"form": form, "title": title, "button": button})


def _qr(text: str) -> str:
    """As inline SVG, dark on light in every theme, as telephones want it."""
    drawn = io.BytesIO()
    options = {"border": 4, "xmldecl": False, "svgns": True, "omitsize": True, "dark": "#000", "light": "#fff"}
    segno.make(text, error="m").save(drawn, kind="svg", svgclass="qr", lineclass=None, **options)
    return mark_safe(drawn.getvalue().decode())  # drawn by segno; the text is in it as squares
