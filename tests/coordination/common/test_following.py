"""Readers hear of every event once, in order, whatever happens at the same time; on real connections."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from kombu import Connection

from coordination.common import events, following, jobs
from coordination.common.models import Event, EventCursor, EventFailure, RunRecord
from coordination.common.tasks import follow_events, wake_readers

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_S = 60


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    """No reader but those of the test, and no broker."""
    handlers: dict[str, following.Handler] = {}
    monkeypatch.setattr(following, "_handlers", handlers)
    cache.delete(following.WAKING)
    yield handlers
    cache.delete(following.WAKING)


@pytest.fixture
def threads():
    """Threads, each call with a connection of its own that is closed afterwards."""
    pool = ThreadPoolExecutor(8)

    def start(function, *arguments):
        def run():
            try:
                return function(*arguments)
            finally:
                connection.close()

        return pool.submit(run)

    yield start
    pool.shutdown()


def happen(*kinds: str) -> None:
    with transaction.atomic():
        for kind in kinds:
            events.record(kind, "x:1")


def note(batch) -> None:
    """A handler that does something in the database."""
    RunRecord.objects.bulk_create(RunRecord(job=event.kind) for event in batch)


def noted() -> list[str]:
    return list(RunRecord.objects.exclude(job="read_events").order_by("pk").values_list("job", flat=True))


def test_events_are_handled_once_in_order_and_in_batches():
    batches = []
    happen("a", "b", "c")
    assert following.follow("reader", lambda batch: batches.append([event.kind for event in batch]), limit=2) == 3
    assert following.follow("reader", note) == 0
    happen("d")
    following.follow("reader", lambda batch: batches.append([event.kind for event in batch]))
    assert batches == [["a", "b"], ["c"], ["d"]]


def test_each_reader_has_a_cursor_of_its_own():
    happen("a")
    assert following.follow("one", note) == following.follow("another", note) == 1


def test_an_event_that_commits_late_is_neither_skipped_nor_waited_for(threads):
    written, go_on = threading.Event(), threading.Event()

    def commit_late():
        with transaction.atomic():
            events.record("late", "x:1")
            written.set()
            assert go_on.wait(PATIENCE_S)

    late = threads(commit_late)
    assert written.wait(PATIENCE_S)
    happen("early")  # written after it, committed before it
    assert following.follow("reader", note) == 1
    assert noted() == ["early"]
    go_on.set()
    late.result(PATIENCE_S)
    assert Event.objects.get(kind="late").pk < Event.objects.get(kind="early").pk
    assert following.follow("reader", note) == 1
    assert noted() == ["early", "late"]


def test_who_finds_somebody_reading_goes_away_and_the_reader_takes_what_came_meanwhile(threads):
    reading, go_on = threading.Event(), threading.Event()

    def handle_slowly(batch):
        reading.set()
        assert go_on.wait(PATIENCE_S)
        note(batch)

    happen("first")
    slow = threads(following.follow, "reader", handle_slowly)
    assert reading.wait(PATIENCE_S)
    happen("second")
    assert following.follow("reader", note) == 0
    go_on.set()
    assert slow.result(PATIENCE_S) == 2
    assert noted() == ["first", "second"]


def test_many_writers_and_readers_at_once_lose_and_double_nothing(threads):
    def write(writer):
        for number in range(40):
            happen(f"{writer}-{number:02d}")

    def read():
        while not all(writer.done() for writer in writers):
            following.follow("reader", note, 7)

    writers = [threads(write, name) for name in "abcd"]
    readers = [threads(read) for _ in range(3)]
    for future in writers + readers:
        future.result(PATIENCE_S)
    following.follow("reader", note)
    for writer in "abcd":
        assert [kind for kind in noted() if kind[0] == writer] == [f"{writer}-{n:02d}" for n in range(40)]


def test_what_a_handler_did_before_it_failed_is_rolled_back_and_others_wait_for_its_next_attempt():
    def handle(batch):
        note(batch)
        if any(event.kind == "bad" for event in batch):
            raise ValueError("cannot do that")

    happen("good", "bad", "next")
    following.follow("reader", handle)
    following.follow("reader", handle)  # too early: not an attempt
    assert noted() == ["good"]
    failure = EventFailure.objects.get()
    assert (failure.event.kind, failure.attempts) == ("bad", 1)
    assert failure.error == "ValueError: cannot do that"


def test_an_event_that_succeeds_later_keeps_its_place_in_the_order():
    failing = [True]

    def handle(batch):
        if failing and batch[0].kind == "first":
            raise ValueError
        note(batch)

    happen("first", "second")
    with time_machine.travel(dt.datetime(2026, 11, 24, tzinfo=dt.UTC), tick=False) as now:
        following.follow("reader", handle)
        failing.clear()
        now.shift(following.FIRST_PAUSE)
        following.follow("reader", handle)
    assert noted() == ["first", "second"]
    assert not EventFailure.objects.exists()


def test_an_event_that_never_succeeds_is_set_aside_and_can_be_handled_later(handlers):
    def handle(batch):
        if any(event.kind == "bad" for event in batch):
            raise ValueError
        note(batch)

    happen("bad", "good")
    with time_machine.travel(dt.datetime(2026, 11, 24, tzinfo=dt.UTC), tick=False) as now:
        for _ in range(following.MAX_ATTEMPTS):
            assert noted() == []
            following.follow("reader", handle)
            now.shift(dt.timedelta(minutes=30))
    assert noted() == ["good"]
    failure = EventFailure.objects.get()
    assert (failure.attempts, failure.retry_at) == (following.MAX_ATTEMPTS, None)

    handlers["reader"] = handle
    with pytest.raises(ValueError):  # noqa: PT011
        following.handle_again(failure.pk)
    assert EventFailure.objects.exists()
    handlers["reader"] = note
    following.handle_again(failure.pk)
    assert noted() == ["good", "bad"]
    assert not EventFailure.objects.exists()


def test_a_fault_of_the_database_is_not_blamed_on_the_event():
    def handle(batch):
        raise OperationalError("deadlock detected")

    happen("a")
    with pytest.raises(OperationalError):
        following.follow("reader", handle)
    assert not EventFailure.objects.exists()
    assert following.follow("reader", note) == 1


def test_deleted_events_do_not_bring_the_journal_back_behind_its_readers():
    happen("a", "b")
    following.follow("reader", note)
    Event.objects.all().delete()
    happen("c")
    assert following.follow("reader", note) == 1


def test_readers_are_woken_once_and_only_by_what_commits(handlers, monkeypatch):
    woken, queued = [], []
    monkeypatch.setattr(wake_readers, "delay", lambda: woken.append(1))
    monkeypatch.setattr(follow_events, "apply_async", lambda arguments, **_: queued.append(*arguments))
    handlers |= {"one": note, "another": note}

    @transaction.atomic
    def fail():
        events.record("undone", "x:1")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert woken == []
    happen("a", "b", "c")
    happen("d")
    assert woken == [1], "one task that waits is enough"
    wake_readers()
    assert queued == ["one", "another"]
    happen("e")
    assert woken == [1, 1]


def test_readers_are_woken_when_only_a_part_of_the_transaction_is_undone(monkeypatch):
    woken = []
    monkeypatch.setattr(wake_readers, "delay", lambda: woken.append(1))
    with transaction.atomic():
        part = transaction.savepoint()
        events.record("undone", "x:1")
        transaction.savepoint_rollback(part)
        events.record("kept", "x:1")
    assert woken == [1]


def test_a_broker_that_is_down_does_not_fail_the_writer_and_the_sweeper_makes_up_for_it(handlers, monkeypatch, caplog):
    handlers["reader"] = note
    nobody = Connection("redis://127.0.0.1:1/0")
    monkeypatch.setattr(wake_readers, "delay", lambda: wake_readers.apply_async(connection=nobody))
    happen("a")
    assert "Error calling _wake_readers in on_commit()" in caplog.text
    assert Event.objects.get().kind == "a"

    queued = []
    monkeypatch.setattr(follow_events, "apply_async", lambda arguments, **_: queued.append(arguments))
    assert jobs.run_job("read_events").counts["changed"] == 1
    for arguments in queued:
        follow_events(*arguments)
    assert noted() == ["a"]
    assert EventCursor.objects.get().reader == "reader"
    assert jobs.run_job("read_events").found_nothing
