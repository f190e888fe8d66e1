"""Addresses of signing in; the administration's own is the same page."""

from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.generic import RedirectView

from .views import account, invitations, passwords, sign_in

urlpatterns = [
    path("sign-in/", sign_in.SignInView.as_view(), name="sign-in"),
    path("admin/login/", sign_in.SignInView.as_view(), name="admin-sign-in"),
    path("sign-in/code/", sign_in.CodeView.as_view(), name="sign-in-code"),
    path("sign-in/landing/", sign_in.landing, name="landing"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("lost-password/", passwords.LostPasswordView.as_view(), name="lost-password"),
    path("lost-password/sent/", passwords.LostPasswordSentView.as_view(), name="lost-password-sent"),
    path("lost-password/<uidb64>/<token>/", passwords.NewPasswordView.as_view(), name="new-password"),
    path("invitation/<str:key>/", invitations.invitation, name="invitation"),
    path("account/", account.account, name="account"),
    path("account/password/", passwords.ChangePasswordView.as_view(), name="change-password"),
    path("admin/password_change/", RedirectView.as_view(pattern_name="change-password"), name="admin-change-password"),
    path("account/second-factor/", account.enrol, name="second-factor"),
    path("account/second-factor/begin/", account.begin, name="second-factor-begin"),
    path("account/second-factor/off/", account.switch_off, name="second-factor-off"),
    path("account/second-factor/codes/", account.renew_codes, name="recovery-codes"),
]
