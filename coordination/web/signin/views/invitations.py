"""What an invited colleague sees."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from coordination.common.desk import show_refusal
from coordination.common.problems import DomainError, UnknownError
from observatories import services
from observatories.models import User

from ...views.base import framed
from ..entering import enter, landing_of
from ..forms import NewAccountForm


@never_cache
@sensitive_post_parameters("password", "again")
def invitation(request: HttpRequest, key: str) -> HttpResponse:
    try:
        found = services.invitation_of(key)
    except UnknownError as error:
        return framed(request, "web/signin/no_invitation.html", {"detail": error.detail}, status=404)
    if request.user.is_authenticated:
        return _join(request, key, found)
    form = NewAccountForm(request.POST or None, initial={"email": found.email})
    if request.method == "POST" and form.is_valid():
        given = {name: value for name, value in form.cleaned_data.items() if name != "again"}
        try:
            user = services.join_with_new_account(key, **given)
        except DomainError as error:
            show_refusal(form, error, {})
        else:
            return enter(request, user)
    return framed(request, "web/signin/invitation.html", {"invitation": found, "form": form})


def _join(request: HttpRequest, key: str, found: object) -> HttpResponse:
    """Whoever is signed in joins with that account."""
    assert isinstance(request.user, User)
    if request.method == "POST":
        try:
            services.join_as(key, request.user)
        except DomainError as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, gettext("You belong to the organisation now."))
        return HttpResponseRedirect(landing_of(request.user))
    return framed(request, "web/signin/invitation.html", {"invitation": found})
