"""Changing a password, and a lost one by e-mail where the installation sends any."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse_lazy
from django.utils.translation import gettext, gettext_lazy

from coordination.common.client_address import client_network
from coordination.partners.throttling import count

from ...views.base import Framed

RESETS_FROM_ADDRESS = "10/3600"  # requests/seconds


class ChangePasswordView(Framed, views.PasswordChangeView):
    template_name = "web/signin/change_password.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, gettext("The password is changed; other sessions of yours have ended."))
        return super().form_valid(form)


class _ByMail:
    """Not there in an installation that sends no e-mail."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.EMAIL_URL:
            raise Http404
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return answer


class LostPasswordView(_ByMail, Framed, views.PasswordResetView):
    """Says the same whether the address is known or not."""

    template_name = "web/signin/lost_password.html"
    email_template_name = "web/signin/lost_password_mail.txt"
    subject_template_name = "web/signin/lost_password_subject.txt"
    success_url = reverse_lazy("lost-password-sent")

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        standing = count(f"lost-password:{client_network(self.request)}", RESETS_FROM_ADDRESS)
        if standing is not None and standing.count > standing.limit:
            form.add_error(None, gettext_lazy("Too many requests from this address; try again in an hour."))
            return self.render_to_response(self.get_context_data(form=form), status=429)
        self.extra_email_context = {"base": settings.PUBLIC_URL or self.request.build_absolute_uri("/").rstrip("/")}
        return super().form_valid(form)


class LostPasswordSentView(_ByMail, Framed, views.PasswordResetDoneView):
    template_name = "web/signin/lost_password_sent.html"


class NewPasswordView(_ByMail, Framed, views.PasswordResetConfirmView):
    """Sets it and signs nobody in: the second factor is still asked for."""

    template_name = "web/signin/new_password.html"
    success_url = reverse_lazy("sign-in")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, gettext("The new password is set. Sign in with it."))
        return super().form_valid(form)
