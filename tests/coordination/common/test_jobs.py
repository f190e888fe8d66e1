"""Scheduled jobs and providers in trouble: one run at a time, a record of each, a breaker that recovers by itself."""

import datetime as dt
from importlib import import_module

import psycopg
import pytest
import time_machine
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from coordination.common import breaker, jobs, runs, sources
from coordination.common.clock import now
from coordination.common.models import QuarantinedReply, RunRecord, SourceState
from coordination.common.providers import fetching
from coordination.common.providers.errors import Ambiguous, Nonsense, NotFound, Offline, Unavailable, Wrong
from coordination.common.providers.transport import Answer

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


@pytest.fixture
def clock():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def job(monkeypatch):
    """Register a job for this test only; gives a function that does."""
    monkeypatch.setattr(jobs, "_jobs", {})

    def register(run) -> str:
        jobs.register("example", "an example", run)
        return "example"

    return register


@pytest.fixture(autouse=True)
def one_attempt(settings):
    settings.PROVIDERS_OFFLINE, settings.PROVIDER_ATTEMPTS = [], 1


def ask(error: Exception | None = None, meanwhile=lambda: None, source: str = "example") -> None:
    """What every client does, with an answer that is an error, or none."""

    def answer() -> Answer:
        meanwhile()
        if error is not None:
            raise error
        return Answer(source, "", b"")

    with breaker.about("433"):
        fetching.fetch(source, answer, bytes)


def refused() -> bool:
    try:
        ask()
    except breaker.Paused:
        return True
    return False


def fail(times: int = 1, error: Exception | None = None) -> None:
    for _ in range(times):
        with pytest.raises((Unavailable, Nonsense)):
            ask(error or Unavailable("example", "HTTP 500"))


def test_a_run_leaves_a_record_of_what_it_did(job):
    def run(done: jobs.Run) -> None:
        done.fetched, done.changed = 3, 1
        done.find("1950 DA", "several objects match", ["29075", "1950 DA1"])

    record = jobs.run_job(job(run))
    assert record.state == RunRecord.State.SUCCEEDED
    assert record.ended_at >= record.started_at
    assert record.counts == {"fetched": 3, "changed": 1, "failed": 1}
    assert record.findings == [
        {"object": "1950 DA", "why": "several objects match", "candidates": ["29075", "1950 DA1"]}
    ]


@pytest.mark.parametrize(
    ("error", "state"),
    [(Offline("sbdb", "switched off"), "offline"), (Unavailable("sbdb", "HTTP 503"), "failed")],
)
def test_a_provider_that_gives_nothing_is_said_in_the_record_and_raised_by_nobody(job, error, state):
    def run(done: jobs.Run) -> None:
        raise error

    record = jobs.run_job(job(run))
    assert (record.state, record.message) == (state, str(error))


def test_what_nobody_foresaw_is_raised_and_recorded(job):
    def run(done: jobs.Run) -> None:
        raise ZeroDivisionError("oh")

    with pytest.raises(ZeroDivisionError):
        jobs.run_job(job(run))
    assert RunRecord.objects.get().message == "ZeroDivisionError: oh"
    assert jobs.run_job(job(lambda done: None)).state == "succeeded"  # the lock is free again


def test_runs_that_find_nothing_to_do_leave_one_record_with_the_time_of_the_last(job, clock):
    found = iter([0, 0, 2, 0, 0, 0])

    def run(done: jobs.Run) -> None:
        done.changed = next(found)

    name = job(run)
    for _ in range(6):
        clock.shift(dt.timedelta(seconds=30))
        jobs.run_job(name)
    told = [
        ((record.started_at - START).total_seconds(), record.counts["changed"], record.state)
        for record in RunRecord.objects.order_by("started_at")
    ]
    assert told == [(90, 2, "succeeded"), (180, 0, "succeeded")]


def test_a_run_that_fails_takes_over_no_record_that_tells_something(job, clock):
    def fail(done: jobs.Run) -> None:
        raise Unavailable("sbdb", "HTTP 503")

    job(lambda done: None)
    jobs.run_job("example")
    for run in (fail, fail, lambda done: None, fail):
        job(run)
        clock.shift(dt.timedelta(seconds=30))
        jobs.run_job("example")
    assert [record.state for record in RunRecord.objects.order_by("started_at")] == ["failed"] * 3


def test_a_run_that_was_killed_is_closed_by_the_next(job):
    killed = RunRecord.objects.create(job="example")
    jobs.run_job(job(lambda done: None))
    killed.refresh_from_db()
    assert (killed.state, killed.message) == ("failed", runs.KILLED)


@pytest.fixture
def queued(job):
    """An entry of the schedule that beat sent so many minutes ago."""

    def send(minutes_ago: float) -> None:
        job(lambda done: None)
        every = IntervalSchedule.objects.create(every=7, period="days")
        sent_at = now() - dt.timedelta(minutes=minutes_ago)
        PeriodicTask.objects.create(
            name="job example", task="jobs.run", args='["example"]', interval=every, last_run_at=sent_at,
            total_run_count=1,
        )  # fmt: skip

    return send


def test_a_job_that_was_killed_is_queued_again(job):
    job(lambda done: None)
    assert jobs.lost() == []
    RunRecord.objects.create(job="example")
    assert jobs.lost() == ["example"]
    jobs.run_job("example")
    assert jobs.lost() == []


def test_a_job_that_beat_sent_and_nobody_began_is_queued_again(queued):
    queued(minutes_ago=15)
    RunRecord.objects.create(job="example", state="succeeded", started_at=now() - dt.timedelta(days=7))
    assert jobs.lost() == ["example"]
    jobs.run_job("example")
    assert jobs.lost() == []


def test_a_job_that_may_still_wait_is_not_queued_twice(queued):
    queued(minutes_ago=5)
    assert jobs.lost() == []


def test_a_job_is_not_run_twice_at_once(job):
    name = job(lambda done: None)
    parameters = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{key: parameters[key] for key in names if parameters.get(key)}) as other:
        other.execute("SELECT pg_advisory_lock(hashtext('job.example'))")
        assert jobs.run_job(name) is None
        with pytest.raises(CommandError, match="another process"):
            call_command("job", name, "--once")
        other.execute("SELECT pg_advisory_unlock_all()")
        assert jobs.run_job(name) is not None
    assert RunRecord.objects.count() == 1


def test_jobs_are_listed_with_their_last_runs(job, capsys):
    call_command("job", job(lambda done: None), "--once")
    call_command("job")
    assert "succeeded" in capsys.readouterr().out


def test_three_failures_in_a_row_open_the_breaker(clock):
    fail(2)
    ask()
    fail(2)
    assert not refused()
    fail(3)
    assert refused()
    assert SourceState.objects.get().breaker == SourceState.Breaker.OPEN


def test_a_trial_closes_the_breaker_when_it_is_answered(clock):
    fail(3)
    clock.shift(breaker.FIRST_PAUSE)
    assert SourceState.objects.get().breaker == SourceState.Breaker.TRIAL
    ask()
    state = SourceState.objects.get()
    assert (state.breaker, state.failures, state.last_success_at) == ("closed", 0, START + breaker.FIRST_PAUSE)


def test_a_trial_that_fails_doubles_the_pause_up_to_an_hour(clock):
    fail(3)
    pauses = []
    for _ in range(8):
        pause = SourceState.objects.get().open_until - dt.datetime.now(dt.UTC)
        pauses.append(pause / breaker.FIRST_PAUSE)
        clock.shift(pause)
        fail()
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_only_one_caller_makes_the_trial(clock):
    fail(3)
    clock.shift(breaker.FIRST_PAUSE)
    found = []
    ask(meanwhile=lambda: found.append(refused()))  # another process, meanwhile
    assert found == [True]
    assert not refused()


def test_a_trial_whose_process_was_killed_is_repeated_by_another(clock):
    fail(3)
    clock.shift(breaker.FIRST_PAUSE)
    breaker.admit("example")  # and then never heard of again
    assert refused()
    clock.shift(breaker.TRIAL_LEASE)
    assert not refused()


def test_a_provider_that_names_a_time_is_left_alone_until_then(clock):
    fail(error=Unavailable("example", "HTTP 429", retry_after_s=90.0))
    assert refused()
    clock.shift(dt.timedelta(seconds=90))
    assert not refused()


@pytest.mark.parametrize("answer", [NotFound("example", "no such object"), Ambiguous("example", "two", ("1", "2"))])
def test_an_answer_that_there_is_no_such_object_is_an_answer(clock, answer):
    for _ in range(5):
        with pytest.raises(type(answer)):
            ask(answer)
    assert SourceState.objects.get().failures == 0


def test_being_switched_off_is_no_failure(clock):
    for _ in range(5):
        with pytest.raises(Offline):
            ask(Offline("example", "switched off"))
    assert not SourceState.objects.exists()


def test_nonsense_is_kept_once_and_counted(clock):
    nonsense = Nonsense("example", "no complete JSON", Wrong.UNREADABLE, b"<html>\x00\xff")
    fail(2, nonsense)
    kept = QuarantinedReply.objects.get()
    assert (kept.source, kept.subject, kept.reason, kept.times) == ("example", "433", "no complete JSON", 2)
    assert kept.excerpt == "<html>\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"


def test_a_source_is_stale_when_its_last_answer_is_too_old(clock, monkeypatch):
    monkeypatch.setattr(sources, "_sources", {})
    sources.register("example", "an example", dt.timedelta(hours=2))
    (before,) = sources.statuses()
    ask()
    (fresh,) = sources.statuses()
    clock.shift(dt.timedelta(hours=3))
    (stale,) = sources.statuses()
    assert [each.is_stale for each in (before, fresh, stale)] == [True, False, True]
    assert stale.as_public()["age_s"] == 3 * 3600


def test_everybody_can_read_how_current_the_sources_are_but_not_the_texts_of_errors(client):
    with pytest.raises(Unavailable):
        ask(Unavailable("neocp", "no answer for P21xyz1"), source="neocp")
    for accept in ("application/json", "text/html", "text/plain"):
        page = client.get("/health/", headers={"accept": accept})
        assert "neocp" in page.text
        assert "P21xyz1" not in page.text
    said = client.get("/health/?format=json").json()["sources"]["neocp"]
    assert (said["is_stale"], said["last_error"], said["breaker"]) == (True, "Unavailable", "closed")


def test_the_administration_lists_sources_and_what_is_in_quarantine(admin_client):
    sources.ensure_rows()
    breaker.quarantine("sbdb", "433", "about another object", b"{}")
    page = admin_client.get("/admin/common/sourcestate/").text
    assert "JPL Small-Body Database" in page
    assert "never" in page
    assert "about another object" in admin_client.get("/admin/common/quarantinedreply/").text


def test_the_default_schedule_runs_every_job_and_no_other(settings):
    entries = settings.CELERY_BEAT_SCHEDULE.values()
    assert {entry["task"] for entry in entries} == {"jobs.run"}
    assert sorted(entry["args"][0] for entry in entries) == [job.name for job in jobs.registered()]


def test_a_schedule_from_before_all_was_a_job_stays_as_it_was_edited(settings):
    every = IntervalSchedule.objects.create(every=7, period="minutes")
    for name, task in (("plan windows", "visibility.plan"), ("drop old windows", "visibility.drop_old_windows")):
        PeriodicTask.objects.create(name=name, task=task, interval=every, enabled=False)
    import_module("coordination.common.migrations.0007_all_that_is_scheduled_is_a_job").rename(apps, None)
    entry = PeriodicTask.objects.get()
    assert (entry.name, entry.task, entry.args) == ("job plan_windows", "jobs.run", '["plan_windows"]')
    assert (entry.interval, entry.enabled) == (every, False)
    assert entry.name in settings.CELERY_BEAT_SCHEDULE
