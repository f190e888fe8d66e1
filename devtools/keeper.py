"""The process that keeps one embedded server running for as long as anybody uses it.

It runs in the .venv's Python (``dev.py keeper``), in a session of its own, so that a Ctrl-C meant for a command
does not reach it. Users hold a shared lock on ``users.lock``; the keeper waits for the exclusive one, which it
gets when the last of them has ended, in whatever way, and then stops the server and ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from devtools.common import Failure, FileLock, open_log, tail, write_private
from devtools.engines import ENGINES, HOST
from devtools.process import end_leftover, started_at, wait_until

START_TIMEOUT_S = 60
DEATHS, WINDOW_S = 3, 60.0


def free_port(preferred: int | None = None) -> int:
    """The preferred port if it can be had, else any free one."""
    for port in (preferred, 0):
        if port is None:
            continue
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise Failure(f"no free port on {HOST}")


class Keeper:
    """Starts the server, tells its address, brings it up again when it dies, stops it at the end."""

    def __init__(self, home: Path, kind: str, throwaway: bool) -> None:
        self.home, self.throwaway = home, throwaway
        self.state_path = home / "state.json"
        self.log = open_log("server", home)
        self.engine = ENGINES[kind](home, throwaway)
        self.state = self._old_state()
        self.server: subprocess.Popen[bytes] | None = None

    def _old_state(self) -> dict[str, str | int]:
        try:
            state = json.loads(self.state_path.read_text())
        except (OSError, ValueError):
            return {}
        return state if isinstance(state, dict) else {}

    def prepare(self) -> None:
        if self.state:
            # Only an end by SIGKILL leaves a state behind; its server may still be there.
            end_leftover(int(self.state["pid"]), str(self.state["started"]), self.engine.stop_signal)
        self.engine.prepare(self.log)

    def start(self) -> None:
        """Start the server, on the port it had before if possible; another try only if a port was snatched."""
        preferred = self.state.get("port")
        for _ in range(5):
            port = free_port(int(preferred) if preferred else None)
            self.server = self._spawn(port)
            if self._wait_ready(port):
                return
            self.stop()
            if not preferred and self._port_is_free(port):
                break  # so it was not for the port
            preferred = None
        raise Failure(f"the server in {self.home} did not start:\n{tail(Path(self.log.name))}")

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        server = subprocess.Popen(
            self.engine.command(port),
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd="/",
            start_new_session=True, preexec_fn=self.engine.preexec(),
        )  # fmt: skip
        self.state = {
            "keeper": os.getpid(), "pid": server.pid, "started": started_at(server.pid) or "",
            "port": port, "url": self.engine.url(port),
        }  # fmt: skip
        write_private(self.state_path, json.dumps(self.state))
        return server

    def _wait_ready(self, port: int) -> bool:
        server = self.server
        assert server is not None
        wait_until(lambda: server.poll() is not None or self.engine.is_ready(port), START_TIMEOUT_S)
        return server.poll() is None and self.engine.is_ready(port)

    @staticmethod
    def _port_is_free(port: int) -> bool:
        with contextlib.suppress(Failure):
            return free_port(port) == port
        return False

    def serve(self, wakeup: int, stopping: list[int]) -> None:
        """Return when there is no user left; start the server again if it dies, but not for ever."""
        deaths: list[float] = []
        while not stopping:
            select.select([wakeup], [], [])
            os.read(wakeup, 4096)
            assert self.server is not None
            if stopping or self.server.poll() is None:
                continue
            deaths = [t for t in deaths if t > time.monotonic() - WINDOW_S] + [time.monotonic()]
            if len(deaths) >= DEATHS:
                raise Failure(f"the server in {self.home} keeps dying:\n{tail(Path(self.log.name))}")
            self.engine.prepare(self.log)
            self.start()

    def stop(self) -> None:
        server = self.server
        if server is None:
            return
        for number in (self.engine.stop_signal, signal.SIGQUIT, signal.SIGKILL):
            if server.poll() is not None:
                break
            server.send_signal(number)
            wait_until(lambda: server.poll() is not None, 3)

    def clean_up(self) -> None:
        self.stop()
        if self.throwaway:
            shutil.rmtree(self.home, ignore_errors=True)
            if not list(self.home.parent.glob("*/keeper.lock")):  # the last of the set
                shutil.rmtree(self.home.parent, ignore_errors=True)
        else:
            self.state_path.unlink(missing_ok=True)


def _report(line: str) -> None:
    """Tell whoever started the keeper, which reads standard output to its end; heard only the first time."""
    print(line, flush=True)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())


def main(home: Path, kind: str, throwaway: bool) -> int:
    """Keep one server; the first line on standard output says ``ready`` or what went wrong."""
    own = FileLock(home / "keeper.lock")
    if not own.exclusive(wait=False):
        _report(f"another keeper is at work in {home}")
        return 1
    wakeup, waker = os.pipe()
    os.set_blocking(waker, False)
    stopping: list[int] = []
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)

    def wait_for_last_user() -> None:
        users.exclusive()
        stopping.append(0)
        os.write(waker, b"\0")

    keeper = None
    try:
        keeper = Keeper(home, kind, throwaway)
        keeper.prepare()
        keeper.start()
        _report("ready")
        users = FileLock(home / "users.lock")
        threading.Thread(target=wait_for_last_user, daemon=True).start()
        keeper.serve(wakeup, stopping)
    except (Failure, OSError, subprocess.SubprocessError) as error:
        print(error, file=sys.stderr, flush=True)
        _report(str(error))
        return 1
    finally:
        if keeper:
            keeper.clean_up()
    return 0
