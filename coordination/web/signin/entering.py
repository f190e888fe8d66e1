"""The way in: the page that asks, the step between password and code, and where one arrives."""

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from observatories.models import Membership, User

from ..views.base import framed
from .forms import SignInForm
from .sessions import SECOND_STEP
from .typed import Typed

PENDING = "sign_in_pending"
PENDING_S = 300  # how long the second step may take
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def safe_next(request: HttpRequest) -> str:
    """Where the person wanted to go, if that is on this host."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    here = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if here else ""


def landing_of(user: Any) -> str:
    """Where somebody goes who did not say: administrators to the administration, who books to the telescope
    tonight, others to the first page.
    """
    if user.is_superuser and user.is_staff:
        return reverse("admin:index")
    books = (Membership.Role.SCHEDULER, Membership.Role.MANAGER)
    if user.is_staff and user.memberships.filter(role__in=books).exists():
        return reverse("desk:tonight")
    return reverse("home")


def sign_in_page(request: HttpRequest, form: SignInForm | None = None, typed: Typed | None = None) -> HttpResponse:
    context = {
        "sign_in_url": "",  # this is it
        "form": form or SignInForm(request),
        "next": typed.address if typed else safe_next(request),
        "typed": typed,
        "lost_password_url": reverse("lost-password") if settings.EMAIL_URL else "",
        "landing": landing_of(request.user) if request.user.is_authenticated else "",
    }
    return framed(request, "web/signin/sign_in.html", context)


def remember(request: HttpRequest, user: User) -> None:
    """The password was right; the code is still asked for, and nobody is signed in."""
    request.session.cycle_key()
    request.session[PENDING] = {"user": user.pk, "hash": user.get_session_auth_hash(), "at": time.time()}


def pending_user(request: HttpRequest) -> User | None:
    told = request.session.get(PENDING)
    if not told or not 0 <= time.time() - told["at"] <= PENDING_S:
        return None
    user = User.objects.filter(pk=told["user"], is_active=True).first()
    return user if user is not None and user.get_session_auth_hash() == told["hash"] else None


def enter(request: HttpRequest, user: User, typed: Typed | None = None) -> HttpResponse:
    """Sign in, and go on: to what was typed when the session was lost, where the person wanted, or the landing."""
    request.session.pop(PENDING, None)
    wanted = safe_next(request)
    login(request, user, backend=_BACKEND)
    mark_second_step(request, user)
    if typed is not None:
        return framed(request, "web/signin/typed.html", {"typed": typed})
    return HttpResponseRedirect(wanted or landing_of(user))


def mark_second_step(request: HttpRequest, user: User) -> None:
    """This session passed the second factor as it is now."""
    if user.second_factor_at is not None:
        request.session[SECOND_STEP] = user.second_factor_at.isoformat()
