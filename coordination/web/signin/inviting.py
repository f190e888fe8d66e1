"""The link of an invitation, and its mail."""

import logging
import smtplib

from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse

from coordination.partners.wording import in_one_line
from observatories.models import Invitation
from observatories.services import signed_key

logger = logging.getLogger(__name__)


def link_of(invitation: Invitation, request: HttpRequest) -> str:
    base = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
    return base + reverse("invitation", args=[signed_key(invitation)])


def send_invitation(invitation: Invitation, request: HttpRequest) -> bool:
    """Whether the mail server took it; the manager, who sees the link too, is there to react if it did not."""
    text = render_to_string(
        "web/signin/invitation_mail.txt", {"invitation": invitation, "link": link_of(invitation, request)}
    )
    subject = in_one_line(f"[NEO Coordination] {invitation.organisation}")
    try:
        EmailMessage(subject=subject, body=text.strip() + "\n", to=[invitation.email]).send()
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("the mail of invitation %s failed: %s: %s", invitation.pk, type(error).__name__, error)
        return False
    return True
