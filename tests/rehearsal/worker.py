"""`celery -A tests.rehearsal.worker worker`: a worker that asks the driver before each task, and stands still where it
is told to, so that it can be killed at just that point.
"""

import json
import os
import socket
from typing import Any

from celery import shared_task
from celery.concurrency.asynpool import AsynPool
from celery.signals import task_postrun, task_prerun
from django.db import connection

from coordination.celery import app

# A killed process of the pool is missed at once, not after five seconds, and believed to be gone, not after ten more.
AsynPool.timers = property(lambda pool: {pool.maintain_pool: 0.05})
app.conf.worker_lost_wait = 0.05

WRITES = (
    'INSERT INTO "common_event" ',
    "DELETE FROM visibility_visibilitywindow ",
    'UPDATE "partners_webhookdelivery" ',
)
SENTINEL = "rehearsal.all_done"
_task: dict[str, Any] = {}


@shared_task(name=SENTINEL)
def all_done() -> None:
    """Runs when nothing else waits."""


class _Driver:
    """The line to the driver, one for each task."""

    def __init__(self) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(os.environ["REHEARSAL_DRIVER"])
        self._replies = self._line.makefile("r")

    def say(self, **what: Any) -> str:
        self._line.sendall((json.dumps(what) + "\n").encode())
        return self._replies.readline().strip()

    def close(self) -> None:
        self._replies.close()
        self._line.close()


@task_prerun.connect
def ask(task: Any, args: Any, **_: Any) -> None:
    _task["driver"] = _Driver()
    _task["stop"] = _task["driver"].say(at="begin", task=task.name, args=list(args), pid=os.getpid())
    if _task["stop"] == "writing":
        connection.execute_wrappers.append(_stand_still_after_an_event)


def _stand_still_after_an_event(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    outcome = execute(sql, params, many, context)
    if connection.in_atomic_block and sql.startswith(WRITES):
        _task["driver"].say(at="stop")  # for ever: the driver does not answer
    return outcome


@task_postrun.connect
def tell(**_: Any) -> None:
    driver = _task.pop("driver")
    if _stand_still_after_an_event in connection.execute_wrappers:
        connection.execute_wrappers.remove(_stand_still_after_an_event)
    if _task["stop"] == "done":
        driver.say(at="stop")  # everything is committed, the broker does not know yet
    driver.say(at="end")
    driver.close()
