"""A real Celery worker, killed half-way."""

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg
import pytest
from celery import current_app
from django.db import connection

from coordination.visibility import planning
from coordination.visibility.models import Chunk, Computation, VisibilityWindow
from coordination.visibility.tasks import compute_chunk

pytestmark = pytest.mark.django_db(transaction=True)


class Worker:
    """A worker process on a queue and a database of its own."""

    def __init__(self, log: Path) -> None:
        self.queue = f"test-{uuid.uuid4()}"
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        db = connection.settings_dict
        url = f"postgres://{db['USER']}:{db['PASSWORD']}@{db['HOST']}:{db['PORT']}/{db['NAME']}"
        if str(db["HOST"] or db["OPTIONS"].get("host", "")).startswith("/") or not db["HOST"]:
            url = f"postgres:///{db['NAME']}?host={db['OPTIONS'].get('host', '')}&user={db['OPTIONS'].get('user', '')}"
        environment = os.environ | {"DATABASE_URL": url}
        command = [sys.executable, "-m", "celery", "-A", "coordination.celery", "worker", "-c", "1", "-Q", self.queue]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "-n", self.queue, "--without-gossip", "--without-mingle"],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.fixture
def worker(tmp_path):
    worker = Worker(tmp_path / "worker.log")
    yield worker
    worker.kill()
    with current_app.connection_for_write() as broker:
        broker.default_channel.queue_purge(worker.queue)


def wait_for_chunks(listening: psycopg.Connection, worker: Worker, enough) -> None:
    """Wait, told by the database, until enough is done."""
    while any(True for _ in listening.notifies(timeout=90.0, stop_after=1)):
        if enough():
            return
    raise AssertionError(f"the worker did not finish in time:\n{worker.log.read_text()[-3000:]}")


def windows() -> list[tuple]:
    names = ("target", "telescope", "night", "opened_by", "closed_by", "starts_at", "ends_at", "v_mag", "peak_at")
    return sorted(VisibilityWindow.objects.values_list(*names))


def test_a_worker_killed_half_way_loses_nothing(catalogue, network, settings, worker, monkeypatch):
    settings.PLANNING_HORIZON_NIGHTS = 3
    settings.PLANNING_CHUNK_TARGETS = 1
    monkeypatch.setattr(compute_chunk, "delay", lambda pk: compute_chunk.apply_async((pk,), queue=worker.queue))
    connection.ensure_connection()
    listening: psycopg.Connection = connection.connection
    listening.execute(f"LISTEN {planning.CHANNEL}")
    computation = planning.plan()

    worker.start()
    wait_for_chunks(listening, worker, lambda: Chunk.objects.filter(state="done").count() >= 2)
    worker.kill()
    assert Computation.objects.get().state == "running", "killed half-way"

    # The broker may give the killed worker's task out again only after an hour: the sweeper does not wait for it.
    monkeypatch.setattr(planning, "REQUEUE_AFTER", type(planning.REQUEUE_AFTER)(0))
    assert planning.sweep() > 0
    worker.start()
    wait_for_chunks(listening, worker, lambda: Computation.objects.get().state != "running")
    computation.refresh_from_db()
    assert computation.state == "done"
    interrupted = windows()

    VisibilityWindow.objects.all().delete()
    Chunk.objects.update(state="pending", attempts=0)
    for chunk_id in Chunk.objects.values_list("pk", flat=True):
        planning.run_chunk(chunk_id)
    assert interrupted == windows() != []
