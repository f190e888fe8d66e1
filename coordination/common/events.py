"""Writing events: always inside the transaction of the change they tell of. Reading them: `following`."""

from collections.abc import Iterable
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL

from . import following
from .actors import person_of, system_of
from .models import Event


def subject_of(instance: models.Model) -> str:
    return f"{instance._meta.model_name}:{instance.pk}"


def record(
    kind: str, subject: models.Model | str, payload: dict[str, Any] | None = None, *, actor: Any = None
) -> Event:
    """Write one event row. `actor` is the person or the partner's system that did it, None for scheduled work."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"event {kind} must be written in the transaction of the change it tells of")
    text = subject if isinstance(subject, str) else subject_of(subject)
    following.wake_readers_on_commit()
    return Event.objects.create(
        kind=kind, subject=text, payload=payload or {}, actor=person_of(actor), system=system_of(actor)
    )


def record_all(happened: Iterable[tuple[str, models.Model, dict[str, Any]]], *, actor: Any = None) -> None:
    """Write several events, each of kind, subject and payload, in one statement."""
    if not connection.in_atomic_block:
        raise RuntimeError("events must be written in the transaction of the changes they tell of")
    person, system = person_of(actor), system_of(actor)
    rows = [
        Event(kind=kind, subject=subject_of(subject), payload=payload, actor=person, system=system)
        for kind, subject, payload in happened
    ]
    if rows:
        following.wake_readers_on_commit()
        Event.objects.bulk_create(rows)


def notice(
    organisation_ids: Iterable[int], *, title: str, text: str, path: str, roles: Iterable[str] = ()
) -> dict[str, Any]:
    """The part of a payload that tells people: everybody of these organisations, or those with
    one of the `roles`, gets it as a notice.

    `{target}` in title and text stands for the event's target (payload key `target`), which is named only to those who
    may know of it.
    """
    told = {"organisations": sorted(set(organisation_ids)), "title": title, "text": text, "path": path}
    return {"notice": told | ({"roles": sorted(set(roles))} if roles else {})}


def repoint_target(kept_id: int, merged_id: int) -> None:
    """Let what was told of one target be told of another, with which it was merged: whoever may know of that one."""
    told = Event.objects.filter(payload__target=merged_id)
    told.update(payload=RawSQL("payload || jsonb_build_object('target', %s::bigint)", [kept_id]))
