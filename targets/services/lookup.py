"""Finding a target by whatever it is called."""

import difflib
from collections.abc import Iterable, Sequence

from django.db.models import QuerySet

from coordination.common.actors import SYSTEM, Actor
from coordination.common.problems import DomainError
from targets.designations import key_of, lookup_keys, parts_of
from targets.models import Designation, Target, visible_target_q

_NEAREST, _CANDIDATES = 5, 3000


class UnknownDesignationError(DomainError, ValueError):
    """No target that the asker may see has this designation; the message names the nearest."""

    problem = "not-found"
    status = 404


def resolve(text: str, actor: Actor = SYSTEM) -> Target:
    """The target of any designation: number, name, provisional, packed or in full. Raises UnknownDesignationError.

    A target that the actor may not see is as unknown as one that does not exist.
    """
    target_id = find(text, actor)
    if target_id is None:
        raise _unknown(text, actor)
    return Target.objects.get(pk=target_id)


def find(text: str, actor: Actor = SYSTEM) -> int | None:
    """The identifier of the target with any designation, also packed or in full; None where there is none to see."""
    return find_all([text], actor)[0]


def resolve_all(texts: Sequence[str], actor: Actor = SYSTEM) -> list[Target]:
    """`resolve` of many, each target once, in the order given: two queries. Raises UnknownDesignationError."""
    ids = find_all(texts, actor)
    if None in ids:
        raise _unknown(texts[ids.index(None)], actor)
    targets = Target.objects.in_bulk([pk for pk in ids if pk is not None])
    return [targets[pk] for pk in dict.fromkeys(ids) if pk is not None]


def find_all(texts: Sequence[str], actor: Actor = SYSTEM) -> list[int | None]:
    """`find` of many, in one query."""
    asked = [(lookup_keys(text), parts_of(text)) for text in texts]
    wanted = {key for keys, parts in asked for key in (*keys, *parts)}
    found = dict(_visible(actor).filter(key__in=wanted).values_list("key", "target_id"))
    return [_called(keys, parts, found) for keys, parts in asked]


def _called(keys: Iterable[str], parts: Iterable[str], found: dict[str, int]) -> int | None:
    for key in keys:
        if key in found:
            return found[key]
    called = {found.get(part) for part in parts}  # the parts of a full name are of one object
    return called.pop() if len(called) == 1 else None


def similar_designations(text: str) -> QuerySet[Designation]:
    """Designations that begin like the text."""
    return Designation.objects.filter(key__startswith=key_of(text) or "?")


def _visible(actor: Actor) -> QuerySet[Designation]:
    return Designation.objects.filter(visible_target_q(actor, "target__"))


def _unknown(text: str, actor: Actor) -> UnknownDesignationError:
    nearest = _nearest(key_of(text), actor)
    hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
    shown = text if len(text) <= 60 else text[:60] + "…"
    return UnknownDesignationError(
        f"No target is called {shown!r}.{hint}", field="designation", value=shown, nearest=nearest
    )


def _nearest(key: str, actor: Actor) -> list[str]:
    """Designations like the key among those that begin alike; the longer the common beginning, the fewer to compare."""
    # Six first: more designations begin with 2024 than are compared, and the last would be left out.
    for length in dict.fromkeys(min(len(key), most) for most in (6, 4, 2, 1)):
        if length:
            alike = _visible(actor).filter(key__startswith=key[:length]).order_by("key")
            texts = dict(alike.values_list("key", "text")[:_CANDIDATES])
            close = difflib.get_close_matches(key, list(texts), n=_NEAREST, cutoff=0.6)
            if close:
                return [texts[match] for match in close]
    return []
