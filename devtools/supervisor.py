"""Several child processes under one roof: started, restarted, and stopped together.

The supervisor sleeps in ``select`` until a signal wakes it (a child that ended, somebody who asks it to stop) or
until the next thing is due, and it does everything in one thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from devtools.common import Failure, open_log, say, tail, write_private
from devtools.process import die_with_parent, end_leftover, signal_group, started_at, wait_until


class Stopped(Exception):  # noqa: N818 - not an error
    """SIGINT or SIGTERM arrived."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@dataclass(frozen=True)
class Policy:
    """How long to be patient."""

    deaths: int = 3  # this many ...
    window_s: float = 60.0  # ... within this time, and all stop
    pause_s: float = 0.5  # before a restart
    grace_s: float = 5.0  # between SIGTERM and SIGKILL
    tick_s: float = 2.0  # between two looks at what no signal tells about


@dataclass
class Child:
    """A process that is meant to stay."""

    name: str
    command: Sequence[str]
    pass_fds: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)
    due: float | None = None


class Supervisor:
    """Use as a context manager: leaving it stops every child."""

    def __init__(self, state: Path, environment: Mapping[str, str], cwd: Path, policy: Policy | None = None) -> None:
        self.logs = state / "log"
        self.record = state / "run.json"
        self.environment, self.cwd = dict(environment), cwd
        self.policy = policy or Policy()
        self.children: list[Child] = []
        self.every_tick: list[Callable[[], None]] = []
        self._steps: list[subprocess.Popen[bytes]] = []
        self._stop: int | None = None
        self._before: dict[int, object] = {}
        self._wakeup, self._waker = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(self._waker, False)

    def __enter__(self) -> Supervisor:
        self._end_leftovers()
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        # Set explicitly: a shell starts its background jobs with SIGINT ignored.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._asked_to_stop)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        os.close(self._wakeup)
        os.close(self._waker)

    def _asked_to_stop(self, number: int, _frame: FrameType | None) -> None:
        self._stop = number

    # Starting

    def start(self, name: str, command: Sequence[str], pass_fds: Sequence[int] = ()) -> Child:
        """Start a child that is kept alive from now on; its output goes to its log."""
        child = Child(name, command, pass_fds)
        self.children.append(child)
        self._launch(child)
        return child

    def _launch(self, child: Child) -> None:
        with open_log(child.name, self.logs) as log:
            child.process = self._spawn(child.command, pass_fds=child.pass_fds, stdout=log, stderr=log)
        child.due = None
        self._write_record()

    def _spawn(self, command: Sequence[str], **options: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # type: ignore[call-overload]
            list(command), stdin=subprocess.DEVNULL, env=self.environment, cwd=self.cwd,
            # A group of its own: Ctrl-C reaches the supervisor alone, and a child ends with all it started.
            start_new_session=True, preexec_fn=die_with_parent(signal.SIGTERM), **options,
        )  # fmt: skip

    def step(self, name: str, command: Sequence[str]) -> None:
        """Run a command to its end while the children are looked after; its output is the person's to see."""
        process = self._spawn(command)
        self._steps.append(process)
        self._write_record()
        while process.poll() is None:
            self._turn()
        self._steps.remove(process)
        if process.returncode != 0:
            raise Failure(f"{name} failed (exit code {process.returncode}); what it said is above")

    def wait(self, condition: Callable[[], bool], timeout_s: float, step_s: float = 0.1) -> bool:
        """Look after the children until the condition holds; False when the time is over."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._turn(step_s)
        return True

    def serve(self) -> None:
        """Look after the children until somebody asks to stop (which raises Stopped)."""
        while True:
            self._turn()

    def restart_all(self, environment: Mapping[str, str]) -> None:
        """Give every child a new environment."""
        self.environment = dict(environment)
        self._stop_processes([child.process for child in self.children if child.process])
        for child in self.children:
            self._launch(child)

    # Looking after

    def _turn(self, at_most_s: float | None = None) -> None:
        due = [child.due - time.monotonic() for child in self.children if child.due is not None]
        timeout = max(0.0, min([at_most_s or self.policy.tick_s, self.policy.tick_s, *due]))
        select.select([self._wakeup], [], [], timeout)
        with contextlib.suppress(BlockingIOError):
            os.read(self._wakeup, 4096)
        if self._stop is not None:
            raise Stopped(self._stop)
        for child in self.children:
            self._look_after(child)
        for look in self.every_tick:
            look()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.due is not None and child.due <= now:
            self._launch(child)
        process = child.process
        if child.due is not None or process is None or process.poll() is None:
            return
        signal_group(process.pid, signal.SIGKILL)  # what it started must not work beside its successor
        child.deaths = [t for t in child.deaths if t > now - self.policy.window_s] + [now]
        log = self.logs / f"{child.name}.log"
        if len(child.deaths) >= self.policy.deaths:
            raise Failure(
                f"{child.name} ended {len(child.deaths)} times within {self.policy.window_s:.0f} s, "
                f"so everything stops. The end of {log}:\n{tail(log)}"
            )
        say(f"{child.name} ended (exit code {process.returncode}), starting it again; its log is {log}")
        child.due = now + self.policy.pause_s

    # Stopping

    def stop(self) -> None:
        """End all children with everything they started: SIGTERM, and SIGKILL after the grace period."""
        self._stop_processes([*self._steps, *(child.process for child in self.children if child.process)])
        self.children.clear()
        self._steps.clear()
        self.record.unlink(missing_ok=True)

    def _stop_processes(self, processes: list[subprocess.Popen[bytes]]) -> None:
        for process in processes:
            process.terminate()  # it alone: how its own children end is for it to say
        wait_until(lambda: all(process.poll() is not None for process in processes), self.policy.grace_s)
        for process in processes:
            signal_group(process.pid, signal.SIGKILL)
            process.wait()

    # What a killed supervisor leaves behind

    def _write_record(self) -> None:
        running = [*self._steps, *(child.process for child in self.children if child.process)]
        pids = [[process.pid, started_at(process.pid)] for process in running if process.poll() is None]
        write_private(self.record, json.dumps(pids))

    def _end_leftovers(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for pid, started in json.loads(self.record.read_text()):
                end_leftover(int(pid), started, signal.SIGTERM)
        self.record.unlink(missing_ok=True)
