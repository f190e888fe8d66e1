"""Using the embedded servers: the first user starts them, the last one out stops them.

Each server has a directory (``.neo/postgres``, ``.neo/valkey``) with three locks:

``keeper.lock``  held by its keeper for life: says whether ``state.json`` is to be believed
``users.lock``   shared by its users; inherited by a command that takes over the process (exec)
``door.lock``    held for the moment of coming in or going out, so that these do not cross

All three are dropped by the kernel when a process ends, so a SIGKILL leaves nothing to clean up by hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from devtools.common import ROOT, Failure, FileLock, is_locked, open_log, state_dir
from devtools.engines import VARIABLES
from devtools.environment import PYTHON, embedded_supported
from devtools.process import wait_until

STOP_TIMEOUT_S = 9


class Server:
    """One server as its users see it."""

    def __init__(self, kind: str, home: Path, throwaway: bool = False) -> None:
        self.kind, self.home, self.throwaway = kind, home, throwaway
        self.users: FileLock | None = None

    def acquire(self) -> None:
        """Count as a user, and start the server if nobody has done so."""
        with FileLock(self.home / "door.lock") as door:
            door.exclusive()
            if self.users is None:
                users = FileLock(self.home / "users.lock")
                users.shared()  # waits for a keeper that is on its way out
                self.users = users
            if not self.is_alive():
                self._start_keeper()

    def _start_keeper(self) -> None:
        command = [str(PYTHON), str(ROOT / "dev.py"), "keeper", self.kind, str(self.home)]
        if self.throwaway:
            command.append("--throwaway")
        with open_log("keeper", self.home) as log:
            keeper = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True, text=True
            )
        assert keeper.stdout is not None
        with keeper.stdout:
            report = keeper.stdout.read()  # it closes this end when it is ready, or ends
        if report.strip() != "ready":
            keeper.wait()
            raise Failure(report.strip() or f"the keeper of {self.kind} ended at once, see {self.home}/keeper.log")

    def is_alive(self) -> bool:
        return is_locked(self.home / "keeper.lock")

    def url(self) -> str:
        return str(json.loads((self.home / "state.json").read_text())["url"])

    def share_with_exec(self) -> None:
        """Let a command that replaces this process go on counting as its user."""
        if self.users is not None:
            os.set_inheritable(self.users.fd, True)

    def release(self) -> None:
        """Stop being a user; the last one waits until the server has stopped."""
        if self.users is None:
            return
        with FileLock(self.home / "door.lock") as door:
            door.exclusive()
            self.users.close()
            self.users = None
            if not self.home.exists() or self._is_used_by_others():
                return
            with contextlib.suppress(OSError, ValueError, KeyError):
                pid = int(json.loads((self.home / "state.json").read_text())["keeper"])
                if self.is_alive():
                    os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not self.is_alive(), STOP_TIMEOUT_S)

    def _is_used_by_others(self) -> bool:
        # The keeper holds this lock exclusively once it is on its way out; users only ever share it.
        with FileLock(self.home / "users.lock") as lock:
            if lock.exclusive(wait=False):
                return False
            return lock.shared(wait=False)


class Servers:
    """The servers that a command needs: those whose address the environment does not give."""

    def __init__(self, throwaway: bool = False) -> None:
        kinds = [kind for kind, variable in VARIABLES.items() if not os.environ.get(variable)]
        if kinds and not embedded_supported():
            missing = " and ".join(VARIABLES[kind] for kind in kinds)
            raise Failure(f"there is no embedded server for this platform: set {missing} to servers of your own")
        self.owner: FileLock | None = None
        self.directory = state_dir()
        if throwaway:
            self.directory, self.owner = _throwaway_directory()
        self.list = [Server(kind, self.directory / kind, throwaway) for kind in kinds]

    def acquire(self) -> None:
        for server in self.list:
            server.acquire()

    def environment(self) -> dict[str, str]:
        return {VARIABLES[server.kind]: server.url() for server in self.list}

    def are_alive(self) -> bool:
        return all(server.is_alive() for server in self.list)

    def share_with_exec(self) -> None:
        if self.owner is not None:
            os.set_inheritable(self.owner.fd, True)
        for server in self.list:
            server.share_with_exec()

    def release(self) -> None:
        for server in self.list:
            server.release()


def _throwaway_directory() -> tuple[Path, FileLock]:
    """A directory of its own for one test run, so that runs side by side never meet, and the lock that owns it."""
    parent = state_dir() / "test"
    with FileLock(state_dir() / "test.lock") as lock:
        lock.exclusive()
        for old in parent.glob("*"):  # left behind by runs that were killed
            if not any(is_locked(path) for path in (*old.glob("*.lock"), *old.glob("*/*.lock"))):
                shutil.rmtree(old, ignore_errors=True)
        directory = parent / secrets.token_hex(4)
        owner = FileLock(directory / "owner.lock")
        owner.exclusive()
    return directory, owner
