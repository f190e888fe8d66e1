"""Targets of ours that a provider's answer says to be one object."""

from collections.abc import Collection, Mapping

from django.db import transaction

from coordination.common.problems import DomainError
from targets.designations import key_of
from targets.models import Designation, Target
from targets.sources.records import TargetRecord

from .merging import in_order_of_staying, merge_targets

_REASON = "one object, by its provider's designations"


def join_named(answers: Mapping[str, TargetRecord]) -> dict[int, int]:
    """Merge targets that one answer names by number and provisional designations; the kept target of each that went.
    `answers`: by the designation that was asked for; one about another object is left to who takes it over.

    Where a doubt is left nothing is merged, and taking the answer over says which targets it names: names may be
    shared, two permanent numbers are two objects, and what participants of a campaign alone may know of is opened, or
    hidden, by people only.
    """
    keys_of = {
        asked: {key_of(text) for text in (record.number, *record.provisional) if text}
        for asked, record in answers.items()
    }
    owner_of = dict(Designation.objects.filter(key__in=set().union(*keys_of.values())).values_list("key", "target_id"))
    became: dict[int, int] = {}
    for asked, keys in keys_of.items():
        owners = {owner_of[key] for key in keys if key in owner_of}
        if key_of(asked) in keys and len(owners) > 1:
            became |= _join(keys, answers[asked].number)
    return {merged: _last(became, kept) for merged, kept in became.items()}


def _last(became: dict[int, int], target_id: int) -> int:
    while target_id in became:
        target_id = became[target_id]
    return target_id


def _join(keys: Collection[str], number: str) -> dict[int, int]:
    owners = in_order_of_staying(Target.objects.filter(designations__key__in=keys).distinct())
    if len(owners) < 2 or not _is_plain(owners, number):
        return {}
    kept, *others = [owner.pk for owner in owners]
    try:
        with transaction.atomic():
            for other in others:
                merge_targets(kept, other, reason=_REASON)
    except DomainError:
        return {}
    return dict.fromkeys(others, kept)


def _is_plain(owners: list[Target], number: str) -> bool:
    """Whether nobody has to decide: no other permanent number, and nobody learns of, or loses sight of, what was for
    some only; but for unconfirmed objects that turn out to be public ones.
    """
    numbers = Designation.objects.filter(target__in=owners, kind=Designation.Kind.NUMBER).values_list("key", flat=True)
    visibilities = {owner.visibility for owner in owners}
    confined = Target.Visibility.CAMPAIGN in visibilities
    is_open = len(visibilities) == 1 or owners[0].visibility == Target.Visibility.PUBLIC
    return set(numbers) <= {number} and is_open and not confined
