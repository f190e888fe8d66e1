"""Designations of a target that staff add or take away; the others come with its orbits."""

from typing import Any

from django.db import IntegrityError, transaction

from coordination.common import events
from coordination.common.problems import ConflictError, DomainError, UnknownError
from targets.designations import key_of, kind_of, taken_apart
from targets.models import Designation, Target
from targets.sources.records import LONGEST_TEXT

from .merging import require_administrator


class OtherTargetError(ConflictError):
    """The designation is that of another target: perhaps both are one object."""

    def __init__(self, text: str, other: Target) -> None:
        super().__init__(f"{text} is what {other} is called here.", field="designation", value=text)
        self.other = other


@transaction.atomic
def add_designation(target_id: int, text: str, *, actor: Any = None) -> Designation:
    """Let a target be found under one more designation, also given packed. Raises OtherTargetError where another target
    has it, DomainError for what is no single designation, and for a second permanent number.
    """
    require_administrator(actor)
    target = _locked(target_id)
    usual = _single(text)
    owner = Designation.objects.filter(key=key_of(usual)).select_related("target").first()
    if owner is not None and owner.target_id != target_id:
        raise OtherTargetError(usual, owner.target)
    if owner is not None:
        raise ConflictError(f"{target} is called so already.", field="designation", value=usual)
    kind = kind_of(usual)
    numbers = target.designations.filter(kind=Designation.Kind.NUMBER)
    if kind == Designation.Kind.NUMBER and (number := numbers.first()):
        detail = f"{target} has the number {number}: two permanent numbers are two objects."
        raise ConflictError(detail, field="designation", value=usual)
    try:
        with transaction.atomic():
            added = Designation.objects.create(target=target, text=usual, key=key_of(usual), kind=kind)
    except IntegrityError as error:  # somebody was faster
        raise ConflictError(f"{usual} has just become a designation.", field="designation", value=usual) from error
    _tell(target, f"designation added: {usual}", actor)
    return added


@transaction.atomic
def remove_designation(target_id: int, designation_id: int, *, actor: Any = None) -> None:
    """Let a target no longer be found under one of its designations. Raises DomainError for the one under which it is
    listed; UnknownError for one that it does not have.
    """
    require_administrator(actor)
    target = _locked(target_id)
    designation = target.designations.filter(pk=designation_id).first()
    if designation is None:
        raise UnknownError("It has no such designation.", field="designation", value=designation_id)
    if designation.key == key_of(target.designation):
        detail = f"{designation} is the designation under which it is listed: it stays."
        raise ConflictError(detail, field="designation", value=designation.text)
    if key_of(target.name) == designation.key:
        target.name = ""
    designation.delete()
    _tell(target, f"designation removed: {designation}", actor)


def _locked(target_id: int) -> Target:
    target = Target.objects.select_for_update(no_key=True).filter(pk=target_id).first()
    if target is None:
        raise UnknownError("There is no such target.")
    return target


def _single(text: str) -> str:
    """One designation in its usual spelling."""
    stripped = " ".join(text.split())
    parts = taken_apart(stripped)
    given = [part for part in (parts.number, parts.provisional, parts.name) if part]
    if len(given) != 1 or not key_of(given[0]):
        expected = "one designation, such as 2004 MN4, K04M04N or Apophis"
        raise DomainError(f"{stripped[:60]!r} is no single designation.", field="designation", expected=expected)
    if len(given[0]) > LONGEST_TEXT or not given[0].isprintable():
        expected = f"at most {LONGEST_TEXT} printable characters"
        raise DomainError("No designation is written so.", field="designation", expected=expected)
    return given[0]


def _tell(target: Target, reason: str, actor: Any) -> None:
    target._change_reason = reason[:100]  # type: ignore[attr-defined]
    target.save()
    events.record("target.updated", target, {"fields": ["designations"]}, actor=actor)
