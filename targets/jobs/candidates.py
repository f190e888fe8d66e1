"""Unconfirmed objects: on the confirmation page, in Scout, and what becomes of those that have left."""

from collections.abc import Callable, Sequence
from typing import Any

from coordination.common import breaker
from coordination.common.jobs import Run
from coordination.common.problems import DomainError
from coordination.common.providers.errors import SourceError
from targets.models import Candidate
from targets.services import candidates
from targets.sources.rows import Rows

from . import asking, lists

AT_ONCE = 100  # designations that the identifier service takes in one request


def refresh_neocp(run: Run) -> None:
    _refresh(run, "neocp", "on_neocp", asking.neocp(), candidates.take_neocp)
    _resolve(run)


def refresh_scout(run: Run) -> None:
    _refresh(run, "scout", "on_scout", asking.scout(), candidates.take_scout)
    _resolve(run)


def _refresh(run: Run, source: str, list_name: candidates.List, listed: Rows[Any], take: Callable[[Any], bool]) -> None:
    on_list = Candidate.objects.filter(**{list_name: True})
    lists.accept(run, source, listed, on_list.count(), may_be_empty=source == "scout")
    for row in listed.rows:
        try:
            run.changed += take(row)
        except candidates.OlderRunError as error:
            breaker.quarantine(source, row.designation, str(error), repr(row).encode())
            run.find(row.designation, error)
        except DomainError as error:
            run.find(row.designation, error)
    if listed.is_complete:
        run.count("left", candidates.leave_list(list_name, [row.designation for row in listed.rows]))


def _resolve(run: Run) -> None:
    """Ask what became of those that are on neither list any more. That nobody answers costs nothing but time."""
    waiting = candidates.unresolved()
    for start in range(0, len(waiting), AT_ONCE):
        part = waiting[start : start + AT_ONCE]
        try:
            _resolve_part(run, part)
        except SourceError as error:
            run.find(f"{len(waiting) - start} objects that left", error)
            return


def _resolve_part(run: Run, part: Sequence[Candidate]) -> None:
    by_text = asking.identifications([candidate.temporary_designation for candidate in part])
    for candidate in part:
        found = by_text.get(candidate.temporary_designation)
        designation = candidate.temporary_designation
        try:
            if found is not None and found.found > 1:
                run.find(designation, "may be one of several objects", found.candidates)
            elif found is not None and found.found == 1 and found.designation not in ("", designation):
                candidates.designate(candidate.pk, found)
                run.count("designated")
                run.changed += 1
            elif candidates.give_up(candidate.pk):
                run.count("gone")
                run.changed += 1
        except DomainError as error:
            run.find(designation, error)
