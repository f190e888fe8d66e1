"""Every job, with its provider doing all that providers do: nothing falls over, nothing wrong is stored, what was
there stays, the record and the freshness tell, and it goes on by itself as soon as the provider does.
"""

import datetime as dt

import pytest
from django.db import models
from django.test import override_settings

from coordination.common import sources
from coordination.common.models import QuarantinedReply, SourceState
from observatories.models import Observatory
from targets.models import Candidate, CloseApproach, Designation, HorizonsTable, Orbit, RiskAssessment, Target
from targets.services import choose_ephemeris_source

from .conftest import target

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
JOBS = {
    "refresh_catalogue": "mpc",
    "refresh_orbits": "sbdb",
    "refresh_risk": "sentry",
    "refresh_close_approaches": "cad",
    "refresh_neocp": "neocp",
    "refresh_scout": "scout",
    "refresh_observatories": "obscodes",
    "compare_ephemerides": "horizons",
}
# Unreachable, refusing, slow or broken off: no answer. Then: an answer, but none that can be true.
NO_ANSWER = ("500", "503", "429", "403", "hang", "drip", "reset")
SLOW = ("hang", "drip")
NONSENSE = ("404", "truncated", "html", "empty", "signature", "nulls", "list", "huge", "bomb", "redirect")
UNSIGNED = ("mpc", "neocp", "obscodes")  # without a version of their own
STORED: tuple[type[models.Model], ...] = (
    Target, Designation, Orbit, RiskAssessment, CloseApproach, Candidate, Observatory, HorizonsTable,
)  # fmt: skip


def stored() -> list[list[tuple]]:
    return [list(model.objects.order_by("pk").values_list()) for model in STORED]


def cases(kinds: tuple[str, ...]) -> list:
    return [
        pytest.param(job, provider, kind, id=f"{provider}-{kind}")
        for job, provider in JOBS.items()
        for kind in kinds
        if not (kind == "signature" and provider in UNSIGNED) and not (kind == "list" and provider in ("mpc", "neocp"))
    ]


def prepare(run, job: str) -> None:
    """A tracked target; with an orbit, and the positions of Horizons chosen, where these are asked for."""
    tracked = target("990001")
    if job == "compare_ephemerides":
        run("refresh_orbits")
        choose_ephemeris_source(tracked.pk, "horizons")


def check(run, providers, clock, job: str, provider: str, kind: str) -> None:
    prepare(run, job)
    assert run(job).state == "succeeded"
    before, answered_at = stored(), SourceState.objects.get(pk=provider).last_success_at
    clock.shift(DAY)
    providers.misbehave(provider, kind, **({"retry_after_s": 0} if kind in ("429", "503") else {}))
    with override_settings(PROVIDER_TIMEOUT_S=0.4 if kind in SLOW else 20.0):
        bad = run(job)
    assert stored() == before
    assert bad.state == "failed" or bad.counts["failed"]
    assert bad.message or bad.findings
    state = SourceState.objects.get(pk=provider)
    assert (state.last_success_at, state.failures) == (answered_at, 1)
    assert state.last_error
    clock.shift(60 * DAY)
    stale = {each.source.name for each in sources.statuses() if each.is_stale}
    assert provider in stale
    providers.behave()
    assert run(job).state == "succeeded"
    state.refresh_from_db()
    assert (state.failures, state.breaker) == (0, "closed")


@pytest.mark.parametrize(("job", "provider", "kind"), cases(NO_ANSWER))
def test_without_an_answer_nothing_changes_and_the_next_run_goes_on(run, providers, clock, job, provider, kind):
    check(run, providers, clock, job, provider, kind)
    assert not QuarantinedReply.objects.exists()


@pytest.mark.parametrize(("job", "provider", "kind"), cases(NONSENSE))
def test_nonsense_is_quarantined_and_the_next_run_goes_on(run, providers, clock, job, provider, kind):
    check(run, providers, clock, job, provider, kind)
    assert QuarantinedReply.objects.filter(source=provider).exists()


@pytest.mark.parametrize(("job", "provider"), [each for each in JOBS.items() if each[1] != "horizons"])
def test_numbers_as_texts_are_numbers(run, providers, clock, job, provider):
    target("990001")
    run(job)
    before = stored()
    clock.shift(DAY)
    providers.misbehave(provider, "strings")
    record = run(job)
    assert (record.state, record.counts["changed"]) == ("succeeded", 0)
    assert stored() == before


def test_a_table_of_another_object_is_not_taken(run, providers, clock):
    check(run, providers, clock, "compare_ephemerides", "horizons", "wrong_object")
    assert "asked for '990001'" in QuarantinedReply.objects.get().reason


def test_an_orbit_of_another_object_is_not_taken(run, providers, clock):
    check(run, providers, clock, "refresh_orbits", "sbdb", "wrong_object")
    assert "asked for '990001'" in QuarantinedReply.objects.get().reason
