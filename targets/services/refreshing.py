"""Which orbits are due to be asked for, and what an answer changes."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet

from coordination.common import clock
from targets.designations import key_of
from targets.models import Candidate, Designation, Orbit, OrbitCheck, Target
from targets.sources.records import TargetRecord
from targets.sources.sbdb_query.parse import SolutionRow
from targets.tracking import tracked_targets, urgent_targets

from .importing import SeveralTargetsError, Taken, take_records

# A little less than the hour and the day, so that a job that starts a minute early does not pass its targets by.
URGENT_EVERY, TRACKED_EVERY = dt.timedelta(minutes=50), dt.timedelta(hours=22)
Solution = tuple[str, dt.datetime | None, float | None]
NEWLY_DESIGNATED = dt.timedelta(days=14)


class OtherObjectError(ValueError):
    """An answer about another object than was asked for."""


def due_targets() -> QuerySet[Target]:
    """Tracked targets whose orbit has to be asked for now: hourly inside a campaign's period and near the Earth, daily
    else; again after an hour where that failed, at once where Horizons has another solution; those that were asked
    longest ago first. Also those just designated that have no orbit yet.
    """
    now = clock.now()
    tracked = Q(pk__in=tracked_targets().values("pk")) | Q(pk__in=_newly_designated(now).values("target_id"))
    urgent = Q(pk__in=urgent_targets().values("pk"))
    never = Q(orbit_check=None)
    due = never | Q(orbit_check__asked_at__lte=now - TRACKED_EVERY)
    due |= Q(orbit_check__problem__gt="", orbit_check__asked_at__lte=now - URGENT_EVERY)
    due |= Q(ephemeris_comparison__awaits_orbit=True, ephemeris_comparison__compared_at__gt=F("orbit_check__asked_at"))
    due_soon = never | Q(orbit_check__asked_at__lte=now - URGENT_EVERY)
    # A temporary designation is none that a database of orbits knows.
    known = Q(pk__in=Designation.objects.exclude(kind=Designation.Kind.TEMPORARY).values("target_id"))
    return Target.objects.filter(known & (tracked & due | urgent & due_soon)).order_by("orbit_check__asked_at", "pk")


def _newly_designated(now: dt.datetime) -> QuerySet[Candidate]:
    return Candidate.objects.filter(
        fate=Candidate.Fate.DESIGNATED, left_at__gt=now - NEWLY_DESIGNATED, target__current_orbit=None
    )


def latest_solved_at(target_ids: Collection[int], source: str) -> dict[int, dt.datetime]:
    """Of what a source published of targets until now: an older solution is no news."""
    solved = Orbit.objects.filter(target_id__in=target_ids, source=source, solved_at__isnull=False)
    return dict(solved.order_by().values_list("target_id").annotate(latest=Max("solved_at")))


def with_solution(targets: Collection[Target]) -> set[int]:
    """Those of which a solution of SBDB is stored."""
    return set(_latest_solutions(targets))


@transaction.atomic
def confirm_unchanged(targets: Collection[Target], listed: Iterable[SolutionRow]) -> set[int]:
    """Note of targets that their stored solution, and H, are those that SBDB lists; their identifiers. Where anything
    differs, or their last answer was a problem, they have to be asked for.
    """
    by_key = {key_of(row.designation): row for row in listed}
    latest = _latest_solutions(targets)
    known = Designation.objects.filter(target_id__in=latest, key__in=by_key).values_list("target_id", "key")
    rows = {target_id: by_key[key] for target_id, key in known}
    troubled = set(
        OrbitCheck.objects.filter(target_id__in=rows).exclude(problem="").values_list("target_id", flat=True)
    )
    unchanged = {pk for pk, row in rows.items() if pk not in troubled and _is_same(latest[pk], row)}
    note_checks(dict.fromkeys(unchanged, Check()))
    return unchanged


def _latest_solutions(targets: Collection[Target]) -> dict[int, Solution]:
    """(reference, when it was solved, H) of the solution of SBDB that was solved last, by target."""
    ours = Orbit.objects.filter(target__in=targets, source=Orbit.Source.SBDB, solved_at__isnull=False)
    rows = ours.order_by("target_id", "-solved_at", "-pk").distinct("target_id")
    return {
        pk: (reference, solved_at, h_mag)
        for pk, reference, solved_at, h_mag in rows.values_list("target_id", "reference", "solved_at", "h_mag")
    }


def _is_same(stored: Solution, row: SolutionRow) -> bool:
    reference, solved_at, h_mag = stored
    return reference.split(" ")[0] == f"JPL#{row.solution_id}" and solved_at == row.solved_at and h_mag == row.h_mag


@transaction.atomic
def take_orbits(answers: Mapping[int, TargetRecord]) -> dict[int, Taken | Exception]:
    """Take over what a provider says of targets that were asked for, by target; nothing where it is what is stored.

    For each what changed; or OtherObjectError where it is about another object, ConflictError where its designations
    belong to several targets.
    """
    named = set(Designation.objects.filter(target_id__in=answers).values_list("target_id", "key"))
    ours = {
        target_id: record
        for target_id, record in answers.items()
        if any((target_id, key_of(text)) in named for text in (record.number, *record.provisional, record.name) if text)
    }
    outcomes: dict[int, Taken | Exception] = {
        target_id: OtherObjectError(f"The answer is about {record.designation}, which is not what was asked for.")
        for target_id, record in answers.items()
        if target_id not in ours
    }
    outcomes |= zip(ours, take_records(list(ours.values())), strict=True)
    refused = {target_id: error for target_id, error in outcomes.items() if isinstance(error, Exception)}
    note_checks({pk: Check(refused.get(pk, ""), named_by(refused.get(pk))) for pk in answers})
    return outcomes


def named_by(refusal: Exception | None) -> list[str]:
    """The targets of ours that an answer names, where these are several."""
    targets = refusal.targets if isinstance(refusal, SeveralTargetsError) else ()
    return sorted(target.designation for target in targets)


@dataclass(frozen=True)
class Check:
    """What came of asking for an orbit: a problem, perhaps with objects that the designation may mean; else nothing."""

    problem: object = ""
    candidates: Collection[str] = ()


def note_checks(checks: Mapping[int, Check]) -> None:
    """Note that the orbits of targets were asked for, and what came of it; nothing of targets that have gone."""
    now = clock.now()
    there = set(Target.objects.filter(pk__in=checks).values_list("pk", flat=True))
    rows = [
        OrbitCheck(
            target_id=target_id,
            asked_at=now,
            answered_at=None if check.problem else now,
            problem=str(check.problem)[:2000],
            candidates=list(check.candidates)[:50],
        )
        for target_id, check in sorted(checks.items())
        if target_id in there
    ]
    for has_problem in (False, True):
        # What was answered before stays the age of an orbit that could not be had now.
        fields = ["asked_at", "problem", "candidates"] + ([] if has_problem else ["answered_at"])
        OrbitCheck.objects.bulk_create(
            [row for row in rows if bool(row.problem) == has_problem],
            update_conflicts=True,
            unique_fields=["target"],
            update_fields=fields,
        )
