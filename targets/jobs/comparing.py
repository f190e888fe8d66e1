"""Positions of tracked targets against those of JPL Horizons."""

from coordination.common import breaker, clock
from coordination.common.jobs import Run
from coordination.common.providers.errors import Ambiguous, Nonsense, Offline, SourceError, Wrong
from targets.models import Target
from targets.orbits.tabulated import StateTable
from targets.services import comparing
from targets.services.comparing import Fetched
from targets.services.ephemerides import Span, planets

from . import asking

STEPS = ("6h", "1h", "10m")  # the next where the path between the rows is not known well enough
INTERPOLATION_ARCSEC = 0.05  # with which every second row has to predict those between


def compare(run: Run) -> None:
    """One question for each target that is due, and a second where its table is needed; each answer is stored when it
    is there.
    """
    due = list(comparing.due_targets())
    span = comparing.compared_span(clock.now())
    for number, target in enumerate(due):
        try:
            _compare_one(run, target, span)
        except (Offline, breaker.Paused):
            run.count("left", len(due) - number)
            raise
        except SourceError as error:
            run.find(target.designation, error, error.candidates if isinstance(error, Ambiguous) else ())
            comparing.note_problem(target.pk, error)


def _compare_one(run: Run, target: Target, span: Span) -> None:
    if not Target.objects.filter(pk=target.pk, current_orbit__isnull=False).exists():
        return  # merged, or its orbit withdrawn, since the run began
    asked = comparing.asked_span(span)
    step, table = _table(target.designation, asked)
    run.fetched += 1
    comparison = comparing.compare(target, table, span)
    fetched = None
    if comparing.needs_table(target, comparison):
        sigma_arcsec = asking.horizons_sigmas(target.designation, asked)
        fetched = Fetched(table, asked, step, sigma_arcsec)
        run.count("tables")
    run.changed += comparing.take_comparison(target.pk, comparison, fetched)
    if comparison.is_within is False:
        run.count("differing")
        run.find(target.designation, comparison.in_words())


def _table(designation: str, asked: Span) -> tuple[str, StateTable]:
    """The path of an object, in the coarsest steps in which it is known everywhere."""
    reason = ""
    for step in STEPS:
        table = asking.horizons_table(designation, asked, step)
        error_arcsec = table.error_arcsec(planets())
        if error_arcsec <= INTERPOLATION_ARCSEC:
            return step, table
        reason = f"between rows {step} apart its path is uncertain by {error_arcsec:.2g} arcsec: no smooth motion"
    breaker.quarantine("horizons", designation, reason)
    raise Nonsense("horizons", reason, Wrong.FIELD)
