"""Notices from events, and what people do with them.

An event that concerns people says so in its payload:

    "notice": {"organisations": [ids], "title": "Slot confirmed: {target}", "text": "…{target}…", "path": "/admin/…"}
    "notice" may hold "roles", such as ["manager"], where not everybody is told;
    "target": id of the target that {target} stands for (optional)
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from coordination.common import clock
from coordination.common.models import Event
from coordination.common.problems import DomainError
from observatories.models import Membership, User
from targets.models import Target

from ..models import MAIL_OPEN, Notice, NotificationPreference
from ..wording import in_one_line
from .preferences import due_at


def repoint_notices(kept_id: int, merged_id: int) -> None:
    """Let notices of one target be of another, with which it is merged in the caller's transaction."""
    Notice.objects.filter(target_id=merged_id).update(target_id=kept_id)


def notices_concerned(target_id: int) -> dict[str, int]:
    """How many notices are of a target."""
    return {"notices": Notice.objects.filter(target_id=target_id).count()}


def notice_people(events: Sequence[Event]) -> None:
    """Write a notice for every active person who belongs to an organisation concerned when the event is read; a
    person who belongs to several gets one. Raises for a payload that breaks the contract.
    """
    for event in events:
        if "notice" in event.payload:
            _notice(event, **event.payload["notice"])


def _notice(
    event: Event,
    *,
    organisations: list[int],
    title: str,
    text: str = "",
    path: str = "",
    roles: Sequence[str] = Membership.Role.values,
) -> None:
    if path and (not path.startswith("/") or path.startswith("//")):
        raise ValueError(f"the path of a notice begins with one slash, not {path!r}")
    target_id = event.payload.get("target")
    target = None if target_id is None else Target.objects.filter(pk=target_id).first()
    belongs = Q(memberships__organisation__in=organisations, memberships__role__in=roles)
    people = list(User.objects.filter(belongs, is_active=True).distinct())
    preferences = NotificationPreference.objects.in_bulk([person.pk for person in people])
    notices = [
        Notice(
            user=person,
            event=event,
            title=in_one_line(title)[:200],
            text=text,
            target=target,
            path=in_one_line(path),
            **_first_state(person, event, preferences.get(person.pk)),
        )
        for person in people
    ]
    # A person may hold the notice already, where an event that had failed is handled again.
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    _send_on_commit(notice.user_id for notice in notices if notice.mail == Notice.Mail.PENDING)


def _first_state(person: User, event: Event, preference: NotificationPreference | None) -> dict[str, Any]:
    """Who did it finds it among the notices, as read, and gets no mail."""
    now = clock.now()
    if event.actor_id == person.pk:
        return {"read_at": now}
    due = due_at(preference or NotificationPreference(), now)
    if due is None or not person.email or not settings.EMAIL_URL:
        return {}
    return {"mail": Notice.Mail.PENDING, "mail_due_at": due}


def _send_on_commit(user_ids: Iterable[int]) -> None:
    from ..tasks import send_mail

    for user_id in sorted(set(user_ids)):
        transaction.on_commit(partial(send_mail.delay, user_id), robust=True)  # the sweeper is behind it


def mark_read(notice_id: int, *, user: User) -> None:
    """Mark a person's own notice as read. Raises DomainError where they have none of that number."""
    own = Notice.objects.filter(pk=notice_id, user=user)
    if not own.filter(read_at=None).update(read_at=clock.now()) and not own.exists():
        raise DomainError(f"You have no notice {notice_id}.", field="notice", value=notice_id)


def mark_all_read(*, user: User) -> int:
    """Mark all notices of a person as read; how many were not yet."""
    return Notice.objects.filter(user=user, read_at=None).update(read_at=clock.now())


def remove_old_notices(now: dt.datetime) -> int:
    """Delete what was read long ago, unless a mail about it is still to be sent."""
    before = now - dt.timedelta(days=settings.NOTICE_RETENTION_DAYS)
    count, _ = Notice.objects.filter(Q(read_at__lt=before) & ~Q(mail__in=MAIL_OPEN)).delete()
    return count
