"""The journal as a caller may see it: in order, from a cursor on, without what is hidden from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from coordination.common import concerning
from coordination.common.actors import Actor
from coordination.common.models import Event

BATCH = 200
MOST_READ = 2000  # events looked at for one page: a page may be short, and the cursor still goes on


@dataclass(frozen=True, slots=True)
class Page:
    events: list[Event]
    cursor: int
    at_end: bool


def last_position() -> int:
    last = Event.objects.filter(position__isnull=False).order_by("-position").values_list("position", flat=True).first()
    return last or 0


def page_of(actor: Actor, after: int, limit: int, kinds: Sequence[str] = ()) -> Page:
    """Up to `limit` events after a position. `kinds` are kinds, or families of kinds such as "slot"."""
    found: list[Event] = []
    cursor, read = after, 0
    wanted = _wanted(kinds)
    while read < MOST_READ:
        batch = list(Event.objects.filter(position__gt=cursor).order_by("position")[:BATCH])
        shown = {event.pk: event for event in concerning.visible_events([e for e in batch if wanted(e.kind)], actor)}
        for event in batch:
            read += 1
            cursor = event.position or cursor
            if event.pk in shown:
                found.append(shown[event.pk])
                if len(found) == limit:
                    return Page(found, cursor, at_end=False)
        if len(batch) < BATCH:
            return Page(found, cursor, at_end=True)
    return Page(found, cursor, at_end=False)


def _wanted(kinds: Sequence[str]) -> Callable[[str], bool]:
    chosen = set(kinds)
    return lambda kind: not chosen or kind in chosen or kind.partition(".")[0] in chosen


def as_told(event: Event) -> dict[str, Any]:
    """What the feed and webhooks say of an event: identifiers and states, without the words for people, without who did
    it, and without which other organisations were told.
    """
    hidden = ("notice", "organisations")
    return {
        "id": event.pk,
        "kind": event.kind,
        "subject": event.subject,
        "at": event.created_at.isoformat().replace("+00:00", "Z"),
        "payload": {key: value for key, value in event.payload.items() if key not in hidden},
    }
