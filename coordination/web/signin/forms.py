"""Forms of the sign-in pages."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from observatories.models import User

from .lockout import locked_until


class SignInForm(AuthenticationForm):
    """Says of a locked name until when it is; that a name does not exist looks like a wrong password."""

    error_messages = {
        "invalid_login": _("The username and the password do not go together. Both are case-sensitive."),
        "inactive": _("This account is closed."),
    }

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        try:
            return super().clean()
        except forms.ValidationError:
            refuse_locked(self.request, username or "")
            raise


class OwnPasswordForm(forms.Form):
    """The password of who is signed in, asked again before something that matters; wrong ones lock as elsewhere."""

    password = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        username = self.request.user.get_username()
        if authenticate(self.request, username=username, password=password) is None:
            refuse_locked(self.request, username)
            raise forms.ValidationError(_("This is not your password."))
        return password


def refuse_locked(request: HttpRequest | None, username: str) -> None:
    until = locked_until(request, username) if request is not None else None
    if until is not None:
        told = _(
            "Too many wrong passwords. This name is locked here until %(until)s UTC; the right password works then."
        )
        raise forms.ValidationError(told, code="locked", params={"until": date_format(until, "Y-m-d H:i:s")})


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
    )


class ConfirmCodeForm(CodeForm):
    code = forms.CharField(
        label=_("Code that it shows now"),
        max_length=10,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class NewAccountForm(forms.Form):
    """What an invitee chooses; the service checks it."""

    username = UsernameField(label=_("Username"), max_length=150, widget=forms.TextInput(attrs={"autofocus": True}))
    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    email = forms.EmailField(label=_("E-mail address"), required=False, help_text=_("for notices and a lost password"))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=password_validators_help_text_html,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("Password again"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("password") != given.get("again"):
            self.add_error("again", _("The two passwords differ."))
        return given


class AboutForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("first_name", "last_name", "email")
