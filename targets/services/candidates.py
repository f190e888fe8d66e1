"""Objects that wait for confirmation: their facts from the confirmation page and from Scout, and what becomes of them.

They are for signed-in people only: the MPC asks that temporary designations are not spread.
"""

import datetime as dt
from collections.abc import Collection
from typing import Any, Literal

from django.db import transaction

from coordination.common import clock, events
from coordination.common.problems import ConflictError
from targets.designations import key_of, kind_of, target_kind_of
from targets.models import Candidate, Designation, Target
from targets.sources.identifier.parse import Identification
from targets.sources.neocp.parse import NeocpObject
from targets.sources.scout.parse import ScoutObject

from .merging import merge_targets

GIVEN_UP_AFTER = dt.timedelta(days=7)  # off both lists and nothing known of it
_QUIET = frozenset({"not_seen_days", "scout_run_at", "page_note"})  # go on by themselves; nobody is told

List = Literal["on_neocp", "on_scout"]


class OlderRunError(ValueError):
    """Facts of an earlier run than the stored ones: the list was put back."""


def take_neocp(listed: NeocpObject) -> bool:
    """Take over a line of the confirmation page; whether something is new. Its place and V are of the moment of the
    request and not kept. Raises ConflictError where another object has its name.
    """
    facts: dict[str, Any] = {
        "on_neocp": True,
        "neocp_score": listed.score,
        "observation_count": listed.observation_count,
        "arc_days": listed.arc_days,
        "h_mag": listed.h_mag,
        "not_seen_days": listed.not_seen_days,
        "page_note": listed.note[:64],
    }
    return _take(listed.designation, facts)


def take_scout(listed: ScoutObject) -> bool:
    """The same of an object of Scout. Raises OlderRunError too. What the page says of observations, arc and H stays."""
    facts: dict[str, Any] = {
        "on_scout": True,
        "scout_run_at": listed.run_at,
        "impact_rating": listed.rating,
        "neo_score": listed.neo_score,
        "pha_score": listed.pha_score,
        "geocentric_score": listed.geocentric_score,
        "uncertainty_arcmin": listed.sigma_now_arcmin,
        "uncertainty_next_day_arcmin": listed.sigma_next_day_arcmin,
        "closest_approach_ld": listed.approach_distance_ld,
        "moid_au": listed.moid_au,
        "v_inf_km_s": listed.v_inf_km_s,
        "rms_normalised": listed.rms,
    }
    arc_days = None if listed.arc_hours is None else listed.arc_hours / 24.0
    also = {"observation_count": listed.observation_count, "arc_days": arc_days, "h_mag": listed.h_mag}
    return _take(listed.designation, facts, also)


@transaction.atomic
def _take(designation: str, facts: dict[str, Any], where_not_on_page: dict[str, Any] | None = None) -> bool:
    candidate = Candidate.objects.select_for_update().filter(temporary_designation=designation).first()
    is_new = candidate is None
    if candidate is None:
        candidate = Candidate(target=_new_target(designation), temporary_designation=designation)
    if where_not_on_page and not candidate.on_neocp:
        facts = facts | where_not_on_page
    run_at, stored_at = facts.get("scout_run_at"), candidate.scout_run_at
    if run_at is not None and stored_at is not None and run_at < stored_at:
        raise OlderRunError(f"is of a run at {run_at:%Y-%m-%d %H:%M}Z, the stored one at {stored_at:%Y-%m-%d %H:%M}Z")
    if candidate.fate != Candidate.Fate.DESIGNATED:
        facts = facts | {"unlisted_at": None, "left_at": None, "fate": Candidate.Fate.LISTED}
    else:  # a list that lags behind the designation says nothing new
        return False
    changes = {name: value for name, value in facts.items() if getattr(candidate, name) != value}
    if not changes and not is_new:
        return False
    for name, value in changes.items():
        setattr(candidate, name, value)
    told = sorted(set(changes) - _QUIET)
    if told or is_new:
        candidate.updated_at = clock.now()
        kind = "target.candidate_added" if is_new else "target.candidate_updated"
        events.record(kind, candidate.target, {"target": candidate.target_id, "fields": told})
    candidate.save()
    return bool(told or is_new)


def _new_target(designation: str) -> Target:
    key = key_of(designation)
    owner = Designation.objects.filter(key=key).select_related("target").first()
    if owner is not None:
        if owner.kind == Designation.Kind.TEMPORARY and owner.text == designation:
            return owner.target
        raise ConflictError(
            f"{designation} is what {owner.target} is called here.", field="designation", value=designation
        )
    target = Target.objects.create(
        designation=designation, kind=target_kind_of(designation), visibility=Target.Visibility.SIGNED_IN
    )
    Designation.objects.create(target=target, text=designation, key=key, kind=Designation.Kind.TEMPORARY)
    return target


@transaction.atomic
def leave_list(list_name: List, still_listed: Collection[str]) -> int:
    """Note which candidates are no longer on a list, which has to be complete; how many left it."""
    on_it = Candidate.objects.select_for_update().filter(**{list_name: True})
    gone = list(on_it.exclude(temporary_designation__in=still_listed))
    for candidate in gone:
        setattr(candidate, list_name, False)
        if not candidate.on_neocp and not candidate.on_scout and candidate.left_at is None:
            candidate.unlisted_at = clock.now()
        candidate.save()
    return len(gone)


def unresolved() -> list[Candidate]:
    """Candidates that are off both lists and of which it is not known what became of them."""
    return list(
        Candidate.objects.filter(on_neocp=False, on_scout=False, left_at=None, unlisted_at__isnull=False)
        .select_related("target")
        .order_by("pk")
    )


@transaction.atomic
def designate(candidate_id: int, found: Identification) -> Target:
    """A candidate got its designation: it becomes, or joins, the target that has it. What was for signed-in people only
    is public then; what is for a campaign stays so.
    """
    candidate = Candidate.objects.select_for_update(of=("self",)).select_related("target").get(pk=candidate_id)
    texts = [text for text in (found.number, found.principal, found.designation, *found.others, found.name) if text]
    owners = set(Designation.objects.filter(key__in=map(key_of, texts)).values_list("target_id", flat=True))
    owners.discard(candidate.target_id)
    target = candidate.target
    for owner_id in sorted(owners):
        target = merge_targets(owner_id, target.pk)
    if not owners:
        _rename(target, found)
    known = set(Designation.objects.filter(key__in=map(key_of, texts)).values_list("key", flat=True))
    for text in dict.fromkeys(texts):
        if key_of(text) not in known:
            kind = Designation.Kind.NAME if text == found.name else kind_of(text)
            Designation.objects.create(target=target, text=text, key=key_of(text), kind=kind)
            known.add(key_of(text))
    Candidate.objects.filter(pk=candidate_id).update(
        on_neocp=False, on_scout=False, left_at=clock.now(), fate=Candidate.Fate.DESIGNATED, updated_at=clock.now()
    )
    events.record("target.designated", target, {"target": target.pk, "designation": target.designation})
    return target


def _rename(target: Target, found: Identification) -> None:
    target.designation = found.number or found.principal or found.designation
    target.name = target.name or found.name
    target.kind = target_kind_of(target.designation)
    if target.visibility == Target.Visibility.SIGNED_IN:
        target.visibility = Target.Visibility.PUBLIC
    target.save()


@transaction.atomic
def give_up(candidate_id: int) -> bool:
    """Nothing became of a candidate that has been off the lists for long; whether that is so by now."""
    candidate = Candidate.objects.select_for_update(of=("self",)).select_related("target").get(pk=candidate_id)
    if candidate.unlisted_at is None or clock.now() - candidate.unlisted_at < GIVEN_UP_AFTER:
        return False
    candidate.left_at, candidate.fate = clock.now(), Candidate.Fate.GONE
    candidate.save()
    events.record("target.candidate_left", candidate.target, {"target": candidate.target_id})
    return True
