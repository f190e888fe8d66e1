"""Orbits of tracked targets."""

from collections.abc import Sequence

from coordination.common import breaker
from coordination.common.jobs import Run
from coordination.common.providers.errors import Ambiguous, Offline, SourceError
from targets.models import Target
from targets.services import refreshing
from targets.services.joining import join_named
from targets.services.refreshing import Check
from targets.sources.records import TargetRecord

from . import asking

MANY = 20  # from so many on, one question for the list of solutions is cheaper than one for each
AT_ONCE = 50  # answers that are stored together: a run that is killed asks for so many again


def refresh(run: Run) -> None:
    """Ask for each orbit that is due, and store the answers part by part; so what was done stays done. Where many are
    due, those are left out whose solution the list of all objects says to be the stored one.
    """
    due = list(refreshing.due_targets())
    if len(refreshing.with_solution(due)) >= MANY:
        due = _without_unchanged(run, due)
    for start in range(0, len(due), AT_ONCE):
        part = due[start : start + AT_ONCE]
        # An answer may have merged one with another.
        there = set(Target.objects.filter(pk__in=[target.pk for target in part]).values_list("pk", flat=True))
        try:
            refresh_part(run, [target for target in part if target.pk in there])
        except (Offline, breaker.Paused):
            run.count("left", len(due) - start - AT_ONCE if len(due) > start + AT_ONCE else 0)
            raise


def _without_unchanged(run: Run, due: Sequence[Target]) -> list[Target]:
    """Without the list each is asked for, as if there were none."""
    try:
        listed = asking.solutions().rows
    except SourceError as error:
        run.message = f"Each orbit was asked for by itself: {error}"
        return list(due)
    unchanged = refreshing.confirm_unchanged(due, listed)
    run.count("unchanged", len(unchanged))
    return [target for target in due if target.pk not in unchanged]


def refresh_part(run: Run, targets: Sequence[Target]) -> None:
    """Raises Offline and Paused, after which asking for another object is of no use; what was answered is stored."""
    answers: dict[int, TargetRecord] = {}
    checks: dict[int, Check] = {}
    known = refreshing.latest_solved_at([target.pk for target in targets], "sbdb")
    try:
        for number, target in enumerate(targets):
            try:
                answers[target.pk] = asking.sbdb_record(target.designation, known.get(target.pk))
            except (Offline, breaker.Paused):
                run.count("left", len(targets) - number)
                raise
            except SourceError as error:
                candidates = error.candidates if isinstance(error, Ambiguous) else ()
                run.find(target.designation, error, candidates)
                checks[target.pk] = Check(error, candidates)
    finally:
        refreshing.note_checks(checks)
        _take(run, targets, answers)


def _take(run: Run, targets: Sequence[Target], answers: dict[int, TargetRecord]) -> None:
    run.fetched += len(answers)
    if became := join_named({each.designation: answers[each.pk] for each in targets if each.pk in answers}):
        run.count("merged", len(became))
    answers = {became.get(target_id, target_id): record for target_id, record in answers.items()}
    for target_id, outcome in refreshing.take_orbits(answers).items() if answers else ():
        if not isinstance(outcome, Exception):
            run.changed += outcome.has_new_orbit
            continue
        record = answers[target_id]
        run.find(record.designation, outcome, refreshing.named_by(outcome))
        if isinstance(outcome, refreshing.OtherObjectError):
            breaker.quarantine("sbdb", record.designation, str(outcome), repr(record).encode()[:2000])
