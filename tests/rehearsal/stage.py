"""What a rehearsal plays on: a Valkey and a database of its own, a worker, and the line on which that asks."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis
from django.db import connection
from psycopg import sql

from devtools.engines import Valkey
from devtools.process import wait_until

PATIENCE_S = 90.0  # after which a rehearsal that stands still has failed


class Broker:
    """A Valkey that can be emptied, and ended and started again under the same address."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        self._engine = Valkey(home, throwaway=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = self._engine.url(self._port)
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._engine.command(self._port), stdout=subprocess.DEVNULL)
        assert wait_until(lambda: self._engine.is_ready(self._port), 10)
        self.client = redis.Redis.from_url(self.url)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def restart_empty(self) -> None:
        """It keeps nothing on disk."""
        self.stop()
        self.start()

    def pass_time(self, seconds: float) -> None:
        """Let what expires come so much nearer to its end, as the rehearsed clock moves on."""
        for key in self.client.scan_iter():
            left_ms = self.client.pttl(key)
            if left_ms > 0:
                self.client.pexpire(key, max(1, int(left_ms - 1000.0 * seconds)))


@contextmanager
def own_database(name: str) -> Iterator[str]:
    """A copy of the test database, in which this process works meanwhile; its address for others."""
    db = connection.settings_dict
    original, parameters = db["NAME"], connection.get_connection_params()
    names = ("host", "port", "user", "password")
    server = {key: parameters[key] for key in names if parameters.get(key)} | {"dbname": "postgres"}
    connection.close()
    with psycopg.connect(**server, autocommit=True) as maintenance:
        # Servers of earlier tests may have left connections; who has one still gets another with its next request.
        idle = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s"
        maintenance.execute(idle, [original])
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(original))
        maintenance.execute(copy)
    db["NAME"] = name
    try:
        yield f"postgres://{db['USER']}:{db['PASSWORD']}@{db['HOST']}:{db['PORT']}/{name}"
    finally:
        connection.close()
        db["NAME"] = original
        with psycopg.connect(**server, autocommit=True) as maintenance:
            maintenance.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


class Worker:
    """A real worker with one process, on the broker and the database of the rehearsal."""

    def __init__(self, log: Path, environment: dict[str, str]) -> None:
        self._log, self._environment = log, environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "celery", "-A", "tests.rehearsal.worker", "worker", "-c", "1"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO"],
                env=os.environ | self._environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """The whole of it."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def last_words(self) -> str:
        return self._log.read_text()[-4000:]


class Asked:
    """A task that a worker is about to do, and is told where to stand still."""

    def __init__(self, line: socket.socket) -> None:
        line.settimeout(PATIENCE_S)
        self._line, self._messages = line, line.makefile("r")
        begun = self.hear()
        assert begun is not None
        self.task: str = begun["task"]
        self.args: list[Any] = begun["args"]
        self.pid: int = begun["pid"]

    def hear(self) -> dict[str, Any] | None:
        """What it says next; None: it is gone."""
        try:
            said = self._messages.readline()
        except ConnectionError:
            return None
        return json.loads(said) if said else None

    def has_said_more(self) -> bool:
        """Or has gone. Nothing that was said is left unheard by `hear`."""
        return bool(select.select([self._line], [], [], 0)[0])

    def answer(self, where: str = "") -> None:
        self._line.sendall(f"{where}\n".encode())

    def kill(self) -> None:
        """The process of the pool that does it."""
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        self._messages.close()
        self._line.close()


class Line:
    """Where workers ask, one task at a time."""

    def __init__(self, place: Path) -> None:
        self.place = str(place)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.place)
        self._listener.listen(8)
        self._listener.settimeout(PATIENCE_S)

    def next_task(self) -> Asked:
        line, _ = self._listener.accept()
        return Asked(line)

    def close(self) -> None:
        self._listener.close()
