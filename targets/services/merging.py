"""Two targets that turn out to be one object become one."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q

from coordination.common import clock, events, merging
from coordination.common.actors import actor_of
from coordination.common.problems import DomainError, ForbiddenError, UnknownError
from targets.designations import kind_of
from targets.models import Candidate, CloseApproach, Designation, Orbit, OrbitCheck, RiskAssessment, Target

from .ranking import Rank


def require_administrator(actor: Any) -> None:
    """What targets are called concerns everybody, also of objects that few may know of: administrators decide it.
    Raises ForbiddenError. None is the service itself.
    """
    if actor is not None and not actor_of(actor).sees_everything:
        raise ForbiddenError("Administrators say which objects are one, and what they are called.")


@transaction.atomic
def merge_targets(kept_id: int, merged_id: int, *, actor: Any = None, reason: str = "") -> Target:
    """Move everything of one target to another, in every room, and delete it: designations, orbits, risk, approaches,
    and what campaigns, slots, bookings and notices hold of it. The better of the two current orbits is the current
    one. Slots placed with another are re-checked after that, as after any new orbit. Raises DomainError for a target
    and itself, or two that have different permanent numbers; UnknownError where one of them is not there any more.
    """
    require_administrator(actor)
    if kept_id == merged_id:
        raise DomainError("A target is not merged with itself.", field="merged", value=merged_id)
    # No lock on the keys: who books one of the two meanwhile is waited for below, not the other way round.
    locked = Target.objects.select_for_update(no_key=True).filter(pk__in=(kept_id, merged_id)).order_by("pk")
    targets = {target.pk: target for target in locked}
    if len(targets) < 2:
        raise UnknownError("One of the two is not there any more.", field="merged")
    kept, merged = targets[kept_id], targets[merged_id]
    require_mergeable(kept, merged)
    Designation.objects.filter(target=merged).update(target=kept)
    orbit_changed = _move_orbits(kept, merged)
    _move_watched(kept, merged)
    kept.is_marked = kept.is_marked or merged.is_marked
    kept.rotation_period_h = kept.rotation_period_h or merged.rotation_period_h
    kept.name = kept.name or merged.name
    if kept.ephemeris_source == Target.EphemerisSource.AUTOMATIC:
        kept.ephemeris_source = merged.ephemeris_source
    kept._change_reason = f"merged with {merged}: {reason}".removesuffix(": ")[:100]  # type: ignore[attr-defined]
    kept.save()
    merging.repoint_all(kept.pk, merged.pk)
    events.repoint_target(kept.pk, merged.pk)
    merged.delete()
    events.record("target.merged", kept, {"target": kept.pk, "merged": merged_id}, actor=actor)
    if orbit_changed:
        events.record("orbit.updated", kept, {"target": kept.pk, "orbit": kept.current_orbit_id}, actor=actor)
    return kept


def in_order_of_staying(targets: Iterable[Target]) -> list[Target]:
    """Targets that are one object, the one first into which the others are best merged: numbers stay, then provisional
    designations; of those alike the one that was here first.
    """
    kinds = [Designation.Kind.NUMBER, Designation.Kind.PROVISIONAL]

    def place(target: Target) -> tuple[int, int]:
        kind = kind_of(target.designation)
        return kinds.index(Designation.Kind(kind)) if kind in kinds else len(kinds), target.pk

    return sorted(targets, key=place)


def require_mergeable(kept: Target, merged: Target) -> None:
    """Raises DomainError for two that have different permanent numbers."""
    numbers = set(
        Designation.objects.filter(target__in=(kept, merged), kind=Designation.Kind.NUMBER).values_list(
            "key", flat=True
        )
    )
    if len(numbers) > 1:
        named = " and ".join(sorted(numbers))
        raise DomainError(f"Two permanent numbers, {named}, are two objects.", field="merged", value=merged.pk)


def other_takes_over(kept: Target, merged: Target) -> bool:
    """Whether the current orbit of the merged target is the better one."""
    before, other = kept.current_orbit, merged.current_orbit
    return other is not None and (before is None or Rank.of(before).yields_to(Rank.of(other)))


def _move_orbits(kept: Target, merged: Target) -> bool:
    """Whether the current orbit of the kept target is another one now."""
    other = merged.current_orbit
    takes_over = other_takes_over(kept, merged)
    Target.objects.filter(pk=merged.pk).update(current_orbit=None)
    merged.current_orbit = None
    mine = Orbit.objects.filter(target=kept).values("fingerprint")
    Orbit.objects.filter(target=merged).exclude(fingerprint__in=mine).update(target=kept)
    if other is None or not takes_over:
        return False
    stored = Orbit.objects.get(target=kept, fingerprint=other.fingerprint)
    changed = stored.pk != kept.current_orbit_id
    kept.current_orbit = stored
    return changed


def _move_watched(kept: Target, merged: Target) -> None:
    Candidate.objects.filter(target=merged).update(target=kept)
    OrbitCheck.objects.filter(target=merged).delete()
    if RiskAssessment.objects.filter(target=kept, ended_at=None).exists():
        RiskAssessment.objects.filter(target=merged, ended_at=None).update(ended_at=clock.now())
    RiskAssessment.objects.filter(target=merged).update(target=kept)
    known = CloseApproach.objects.filter(target=kept).values("at")
    CloseApproach.objects.filter(Q(target=merged) & ~Q(at__in=known)).update(target=kept)
