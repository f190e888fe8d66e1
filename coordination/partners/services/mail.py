"""Sending notices by e-mail: work is the notices whose mail is due, and nothing is lost with a task."""

import datetime as dt
import hashlib
import logging
from collections.abc import Sequence
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.db.models import F

from coordination.common import clock
from observatories.models import User

from ..models import MAIL_OPEN, Notice, NotificationPreference
from ..wording import CONFIDENTIAL, ForMail, in_one_line
from .preferences import preference_of

logger = logging.getLogger(__name__)

# Pauses after the first, second … failed attempt; after the last of them, a day later, a mail is given up.
PAUSES = [dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 360, 460)]
DIGEST_LIMIT = 200  # notices in one daily mail; more come in a second one


def send_due_mail() -> list[int]:
    """People to whom mail is due and whose tasks were queued: the sweeper behind what is queued at once."""
    from ..tasks import send_mail

    due = Notice.objects.filter(mail__in=MAIL_OPEN, mail_due_at__lte=clock.now())
    user_ids = list(due.order_by("user_id").values_list("user_id", flat=True).distinct())
    for user_id in user_ids:
        send_mail.apply_async((user_id,), expires=60)
    return user_ids


def send_mail_of(user_id: int) -> int:
    """Send a person what is due, unless another worker is at it; the number of mails. A failure ends the round."""
    count = 0
    while _send_next(user_id):
        count += 1
    return count


@transaction.atomic
def _send_next(user_id: int) -> bool:
    """Send one mail and mark its notices, holding the person's lock; not the rows, which the person may mark as read
    meanwhile.

    A process that dies between the two sends the mail again, with the same Message-ID by which the receiver can tell
    it is a copy: twice rather than never.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('partners.mail'), hashint8(%s))", [user_id])
        if not cursor.fetchone()[0]:
            return False
    due = Notice.objects.filter(user_id=user_id, mail__in=MAIL_OPEN, mail_due_at__lte=clock.now())
    user = User.objects.get(pk=user_id)
    preference = preference_of(user)
    if not user.is_active or not user.email or preference.email == NotificationPreference.Email.OFF:
        due.update(mail=Notice.Mail.NONE, mail_due_at=None)
        return False
    at_a_time = 1 if preference.email == NotificationPreference.Email.AT_ONCE else DIGEST_LIMIT
    notices = list(due.select_related("target").order_by("pk")[:at_a_time])
    if not notices:
        return False
    rows = Notice.objects.filter(pk__in=[notice.pk for notice in notices])
    try:
        message_to(user, notices, preference).send()
    except Exception as error:  # whatever a mail server, a network or an address can do wrong
        logger.warning("mail to user %s failed: %s: %s", user_id, type(error).__name__, error)
        _note_failure(notices, f"{type(error).__name__}: {error}"[:2000])
        return False
    now = clock.now()
    rows.update(mail=Notice.Mail.SENT, mail_sent_at=now, mail_attempts=F("mail_attempts") + 1, mail_error="")
    return True


def _note_failure(notices: Sequence[Notice], error: str) -> None:
    for notice in notices:
        notice.mail_attempts += 1
        notice.mail_error = error
        if notice.mail_attempts > len(PAUSES):
            notice.mail, notice.mail_due_at = Notice.Mail.GIVEN_UP, None
        else:
            notice.mail, notice.mail_due_at = Notice.Mail.FAILED, clock.now() + PAUSES[notice.mail_attempts - 1]
    Notice.objects.bulk_update(notices, ["mail", "mail_due_at", "mail_attempts", "mail_error"])


def message_to(user: User, notices: Sequence[Notice], preference: NotificationPreference) -> EmailMessage:
    """One notice as a mail of its own, or a day's notices in one."""
    for_mail = ForMail()
    if preference.email == NotificationPreference.Email.DAILY:
        subject = f"{len(notices)} {'notice' if len(notices) == 1 else 'notices'}"
        body = "\n\n".join(
            f"{notice.created_at:%Y-%m-%d %H:%M}Z  {_paragraphs(notice, for_mail)}" for notice in notices
        )
    else:
        subject, body = for_mail(notices[0], notices[0].title), _paragraphs(notices[0], for_mail)
    return EmailMessage(
        subject=in_one_line(f"[NEO Coordination] {subject}"),
        body=f"{body}\n\n-- \nNEO Coordination {settings.PUBLIC_URL}\nYour preferences say how you are told.\n",
        to=[user.email],
        headers={"Message-ID": _message_id(user, notices), "Auto-Submitted": "auto-generated"},
    )


def _paragraphs(notice: Notice, for_mail: ForMail) -> str:
    parts = [for_mail(notice, notice.title), for_mail(notice, notice.text)]
    if any(CONFIDENTIAL in part for part in parts):
        parts.append("Sign in to see which target it is.")
    if notice.path and settings.PUBLIC_URL:
        parts.append(f"{settings.PUBLIC_URL}{notice.path}")
    return "\n".join(part for part in parts if part)


def _message_id(user: User, notices: Sequence[Notice]) -> str:
    """The same for the same notices to the same person, and for no others."""
    told = ",".join(str(notice.pk) for notice in notices)
    digest = hashlib.sha256(f"{settings.SECRET_KEY}:{user.pk}:{told}".encode()).hexdigest()[:40]
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"<notice-{digest}@{domain or 'localhost'}>"
