"""The driver: sends what is due, and ends workers where the plan says so."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import time_machine
from celery import current_app
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from tests.providers.simulator import Held

from .outside import Outside
from .stage import Asked, Broker, Line, Worker
from .worker import SENTINEL

Key = tuple[str, ...]  # a task with the name of its job or reader


@dataclass
class Plan:
    """Who is killed where: for each task, points one after the other. `asking`: while somebody outside, who has heard
    it, holds back the answer; `writing`: after the first row of an event, a window or a delivery, in the transaction;
    `done`: after the last commit, before the broker knows. `lost`: the whole worker is killed while it works, and the
    broker emptied and restarted.
    """

    points: dict[Key, list[str]] = field(default_factory=dict)
    asks: dict[Key, str] = field(default_factory=dict)  # whom

    def next_point(self, key: Key) -> str:
        return self.points[key][0] if self.points.get(key) else ""

    def done(self, key: Key) -> None:
        self.points[key].pop(0)

    def left(self) -> dict[Key, list[str]]:
        return {key: points for key, points in self.points.items() if points}


class Clock:
    """Sets the clocks of all processes of a rehearsal."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def set(self, now: dt.datetime) -> None:
        offset = (now - dt.datetime.now(dt.UTC)).total_seconds()
        draft = self.file.with_suffix(".new")
        draft.write_text(repr(offset))
        draft.rename(self.file)


class Driver:
    def __init__(self, worker: Worker, broker: Broker, line: Line, clock: Clock, outside: Outside, plan: Plan) -> None:
        self.worker, self.broker, self.line, self.clock = worker, broker, line, clock
        self.outside, self.plan = outside, plan
        self.ran: Counter[Key] = Counter()
        self.kills: Counter[str] = Counter()
        self.now: dt.datetime | None = None
        self._held: Held | None = None

    def go_to(self, now: dt.datetime, *, losing: bool = False) -> None:
        """Set the clock, send what has become due, in its order, and wait until all that follows from it is done.
        `losing`: nothing of what was sent reaches a worker.
        """
        if losing:
            self.worker.kill()
        if self.now is not None:
            self.broker.pass_time((now - self.now).total_seconds())
        self.now = now
        self.clock.set(now)
        for entry in due_entries(now):
            self.send(entry.task, entry.args)
        if losing:
            self.lose_everything()
        self.until_quiet()

    def send(self, task: str, args: list[object], priority: int | None = None) -> None:
        """As beat does, but for the time at which it expires: workers hold that against the machine's clock."""
        further = {} if priority is None else {"priority": priority}
        with current_app.connection_for_write(self.broker.url) as connection:
            current_app.send_task(task, args=args, connection=connection, **further)

    def until_quiet(self) -> None:
        """Let workers do everything that is queued. What asks whether all is done waits behind all else; it is sent
        again as long as something was done since it was sent.
        """
        self.send(SENTINEL, [], priority=9)
        was_busy = False
        while True:
            asked = self.line.next_task()
            try:
                if asked.task != SENTINEL:
                    was_busy = True
                    was_lost = self._disturb(asked)
                    if was_lost:
                        self.send(SENTINEL, [], priority=9)
                    continue
                _to_its_end(asked)
                if not was_busy:
                    return
            finally:
                asked.close()
            was_busy = False
            self.send(SENTINEL, [], priority=9)

    def _disturb(self, asked: Asked) -> bool:
        """Let a task be done, or be killed where it is planned; whether the broker was emptied."""
        key = (asked.task, *(each for each in asked.args if isinstance(each, str)))
        self.ran[key] += 1
        point = self.plan.next_point(key)
        if not self._reaches(asked, key, point):
            return False
        self.plan.done(key)
        self.kills[point] += 1
        if point != "lost":
            asked.kill()
            self._let_go()
            self.broker.pass_time(120.0)  # until the lock of whoever was asking has ended
            return False
        self.lose_everything()
        return True

    def lose_everything(self) -> None:
        """The worker is killed, and the broker forgets what was queued."""
        self.worker.kill()
        self._let_go()
        self.broker.restart_empty()
        self.worker.start()

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.let_go.set()
            self._held = None

    def _reaches(self, asked: Asked, key: Key, point: str) -> bool:
        """Whether the task came to the point and stands still there; else it has ended."""
        if point in ("asking", "lost") and key in self.plan.asks:
            return self._asks(asked, self.plan.asks[key])
        asked.answer("writing" if point == "lost" else point)
        said = asked.hear()
        if said is not None and said["at"] == "stop":
            return True
        asked.answer()
        return False

    def _asks(self, asked: Asked, whom: str) -> bool:
        """Whether the task asked somebody, who now holds back the answer; else it has ended."""
        held = self.outside.hold(whom)
        asked.answer()
        while not held.arrived.wait(0.02):
            if asked.has_said_more():
                self.outside.hold_no_more(whom)
                if asked.hear() is not None:
                    asked.answer()
                return False
        self._held = held
        return True


def _to_its_end(asked: Asked) -> None:
    asked.answer()
    while asked.hear() is not None:
        asked.answer()


def due_entries(now: dt.datetime) -> list[ModelEntry]:
    """What beat would send now, what was due first before the others; noted as sent, as beat does."""
    with time_machine.travel(now, tick=False):
        entries = [ModelEntry(row, app=current_app) for row in PeriodicTask.objects.filter(enabled=True)]
        due = [entry for entry in entries if entry.is_due().is_due]
        due.sort(key=lambda entry: (_due_at(entry), entry.name))
        for entry in due:
            next(entry).save()
    return due


def _due_at(entry: ModelEntry) -> dt.datetime:
    last, left, _ = (
        entry.schedule.remaining_delta(entry.last_run_at)
        if hasattr(entry.schedule, "remaining_delta")
        else (entry.last_run_at, entry.schedule.run_every, None)
    )
    return last + left


def install_schedule(start: dt.datetime) -> None:
    """The rows that beat makes when it starts for the first time."""
    with time_machine.travel(start, tick=False):
        DatabaseScheduler(app=current_app).setup_schedule()
        PeriodicTask.objects.update(date_changed=start)
