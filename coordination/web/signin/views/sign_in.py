"""Password, then code."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from observatories.models import User
from observatories.services import verify_second_factor

from ...views.base import framed
from ..entering import enter, landing_of, pending_user, remember, safe_next, sign_in_page
from ..forms import CodeForm, SignInForm
from ..typed import Typed

secret_page = [never_cache, csrf_protect, sensitive_post_parameters()]


@method_decorator(secret_page, name="dispatch")
class SignInView(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return sign_in_page(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        typed = Typed.read(request.POST.get("typed", ""))
        form = SignInForm(request, data=request.POST)
        if not form.is_valid():
            return sign_in_page(request, form, typed)
        user = form.get_user()
        assert isinstance(user, User)
        if user.second_factor_at is None:
            return enter(request, user, typed)
        remember(request, user)
        return code_page(request, CodeForm(), typed)


@method_decorator(secret_page, name="dispatch")
class CodeView(View):
    """The second step; without a first one, back to it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return code_page(request, CodeForm()) if pending_user(request) else self._begin_again(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        user, typed = pending_user(request), Typed.read(request.POST.get("typed", ""))
        if user is None:
            return sign_in_page(request, typed=typed) if typed else self._begin_again(request)
        form = CodeForm(request.POST)
        if form.is_valid():
            verdict = verify_second_factor(user.pk, form.cleaned_data["code"])
            if verdict.accepted:
                return enter(request, user, typed)
            if verdict.wait_until is not None:
                until = date_format(verdict.wait_until, "H:i:s")
                form.add_error("code", gettext("Too many wrong codes. The next is looked at from %s UTC.") % until)
            else:
                form.add_error("code", gettext("This code is not right, or was used before."))
        return code_page(request, form, typed)

    def _begin_again(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("sign-in"))


def code_page(request: HttpRequest, form: CodeForm, typed: Typed | None = None) -> HttpResponse:
    context = {"sign_in_url": "", "form": form, "typed": typed, "next": typed.address if typed else safe_next(request)}
    return framed(request, "web/signin/code.html", context)


def landing(request: HttpRequest) -> HttpResponse:
    """Where one's role has its work."""
    signed_in = request.user.is_authenticated
    return HttpResponseRedirect(landing_of(request.user) if signed_in else reverse("sign-in"))
