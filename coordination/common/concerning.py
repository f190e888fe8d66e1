"""Whom an event may be shown: what stands between the journal, which knows everything, and a caller, who may not.

A room says for its kinds of events which of them an actor may see, in `AppConfig.ready`:

    concerning.register("slot", concerning.subjects(Slot.objects.visible_to))

The name is what stands before the dot of an event's kind. Kinds of which no room says anything are shown to nobody.
On top of that, an event with a target is shown only to those who may know of the target (`register_target`); or, where
a room says so, without it.
"""

import copy
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet

from .actors import Actor
from .models import Event

Events = Sequence[Event]
Shown = Callable[[Actor, Events], set[int]]  # the ids of those events that the actor may see

_rules: dict[str, Shown] = {}
_without_target: set[str] = set()
_targets: list[Callable[[Actor], QuerySet[Any]]] = []


def register(family: str, rule: Shown, *, without_target: bool = False) -> None:
    """`without_target`: who may not know of an event's target hears of it all the same, with null in its place."""
    _rules[family] = rule
    if without_target:
        _without_target.add(family)


def register_target(visible: Callable[[Actor], QuerySet[Any]]) -> None:
    _targets[:] = [visible]


def families() -> list[str]:
    return sorted(_rules)


def visible_events(events: Events, actor: Actor) -> list[Event]:
    """Those that the actor may see now, in the same order, as it may see them; a few queries whatever their number."""
    by_family: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_family[_family(event)].append(event)
    shown: set[int] = set()
    for family, members in by_family.items():
        if family in _rules:
            shown |= _rules[family](actor, members)
    secret = _of_secret_targets([event for event in events if event.pk in shown], actor)
    told = [event for event in events if event.pk in shown]
    return [_veiled(e) if e.pk in secret else e for e in told if e.pk not in secret or _family(e) in _without_target]


def _family(event: Event) -> str:
    return event.kind.partition(".")[0]


def _veiled(event: Event) -> Event:
    """A copy without the target: the row itself may be on its way to others."""
    veiled = copy.copy(event)
    veiled.payload = {**event.payload, "target": None}
    return veiled


def _of_secret_targets(events: Events, actor: Actor) -> set[int]:
    targets = {event.payload["target"] for event in events if event.payload.get("target") is not None}
    if not targets:
        return set()
    known = {pk for visible in _targets for pk in _pks(visible(actor), targets)}
    return {event.pk for event in events if event.payload.get("target") in targets - known}


def subject_id(event: Event) -> int:
    return int(event.subject.rpartition(":")[2])


def subjects(visible: Callable[[Actor], QuerySet[Any]]) -> Shown:
    """Rule: events of rows that the actor may see."""

    def rule(actor: Actor, events: Events) -> set[int]:
        known = _pks(visible(actor), {subject_id(event) for event in events})
        return {event.pk for event in events if subject_id(event) in known}

    return rule


def own(*keys: str, operators: Callable[[set[int]], dict[int, int]] | None = None) -> Shown:
    """Rule: events that name one of the actor's organisations under one of the payload's keys, or that concern a
    telescope which one of them operates. `operators` gives the operator of each of some telescopes.
    """

    def rule(actor: Actor, events: Events) -> set[int]:
        if actor.sees_everything:
            return {event.pk for event in events}
        mine = actor.organisation_ids
        telescopes = {event.pk: _telescope(event) for event in events} if operators else {}
        operated = operators({pk for pk in telescopes.values() if pk}) if operators else {}
        return {
            event.pk
            for event in events
            if any(event.payload.get(key) in mine for key in keys)
            or operated.get(telescopes.get(event.pk) or 0) in mine
        }

    return rule


def everybody(actor: Actor, events: Events) -> set[int]:
    """Rule: what is public anyway."""
    return {event.pk for event in events}


def _telescope(event: Event) -> int | None:
    if event.subject.startswith("telescope:"):
        return subject_id(event)
    telescope = event.payload.get("telescope")
    return telescope if isinstance(telescope, int) else None


def _pks(rows: QuerySet[Any], pks: set[int]) -> set[int]:
    return set(rows.filter(pk__in=pks).values_list("pk", flat=True))
