"""How people want to be told."""

import datetime as dt
from typing import Any

from django.db import transaction

from coordination.common import clock, preconditions
from coordination.common.problems import DomainError
from observatories.models import User

from ..models import MAIL_OPEN, Notice, NotificationPreference


def preference_of(user: User) -> NotificationPreference:
    """What a person chose, or the defaults (not stored)."""
    stored = NotificationPreference.objects.filter(user=user).first()
    return stored or NotificationPreference(user=user)


def due_at(preference: NotificationPreference, now: dt.datetime) -> dt.datetime | None:
    """When a notice that is written now is to be mailed; None for never."""
    if preference.email == NotificationPreference.Email.OFF:
        return None
    if preference.email == NotificationPreference.Email.AT_ONCE:
        return now
    today = now.replace(hour=preference.daily_hour_utc, minute=0, second=0, microsecond=0)
    return today if today >= now else today + dt.timedelta(days=1)


@transaction.atomic
def set_preference(user: User, **changes: Any) -> NotificationPreference:
    """Change `email` or `daily_hour_utc`. Mail that is still to be sent follows the new choice."""
    preconditions.require(User.objects.select_for_update().get(pk=user.pk))
    preference = preference_of(user)
    for name, value in changes.items():
        _check(name, value)
        setattr(preference, name, value)
    preference.save()
    due = due_at(preference, clock.now())
    open_mail = Notice.objects.filter(user=user, mail__in=MAIL_OPEN)
    if due is None:
        open_mail.update(mail=Notice.Mail.NONE, mail_due_at=None)
    else:
        open_mail.update(mail_due_at=due)
    return preference


def _check(name: str, value: Any) -> None:
    if name == "email" and value not in NotificationPreference.Email.values:
        accepted = ", ".join(NotificationPreference.Email.values)
        raise DomainError(f"{value!r} is no choice for e-mail.", field=name, value=value, expected=accepted)
    if name == "daily_hour_utc" and (type(value) is not int or not 0 <= value <= 23):
        raise DomainError("The hour is 0 to 23.", field=name, value=value, expected="0 to 23")
    if name not in ("email", "daily_hour_utc"):
        raise DomainError(f"{name} is no preference.", field=name, expected="email, daily_hour_utc")
