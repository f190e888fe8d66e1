"""``dev.py run``: the whole application on this machine, from an empty folder to a page that answers."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

from devtools.common import ROOT, Failure, FileLock, say, state_dir
from devtools.environment import PYTHON, ensure
from devtools.servers import Servers
from devtools.settings import environment
from devtools.supervisor import Stopped, Supervisor

HOST = "127.0.0.1"
HEALTH_TIMEOUT_S = 120
MODULE = [str(PYTHON), "-m"]
CELERY = [*MODULE, "celery", "-A", "coordination.celery"]


def run(port: int) -> int:
    """Serve until SIGINT or SIGTERM."""
    # From here to the supervisor's own handlers, being asked to stop is an ordinary exception.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        with _only_one(), _listen(port) as listener:
            ensure("embedded")
            with _running(Servers()) as servers:
                return _serve(servers, listener)
    except Stopped as stopped:
        say(f"stopped ({stopped})")
        return 128 + stopped.number


def _interrupt(number: int, _frame: object) -> None:
    raise Stopped(number)


@contextlib.contextmanager
def _running(servers: Servers) -> Iterator[Servers]:
    try:
        servers.acquire()
        yield servers
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):  # nothing may cut the clearing up short
            signal.signal(number, signal.SIG_IGN)
        servers.release()


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    place = state_dir()
    with FileLock(place / "run.lock") as lock:
        if not lock.exclusive(wait=False):
            known = _read(place / "run.url")
            raise Failure(f"already running from this checkout{known and f' at {known}'}; stop that one first")
        yield


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _listen(port: int) -> socket.socket:
    """The socket that the web server will use: it is ours from the start, and stays while that is restarted."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise Failure(
            f"cannot use port {port} ({error.strerror}): choose another one with --port (0 takes any free one)"
        ) from None
    listener.listen(128)
    return listener


def _serve(servers: Servers, listener: socket.socket) -> int:
    place = state_dir()
    port = listener.getsockname()[1]
    url = f"http://{HOST}:{port}/"
    (place / "run.url").write_text(url)
    try:
        with Supervisor(place, environment(servers.environment()), ROOT) as supervisor:
            supervisor.every_tick.append(lambda: _bring_servers_back(servers, supervisor))
            commands = _several("migrate --noinput --verbosity 0", f"bootstrap --address {url}")
            supervisor.step("preparing the database", commands)
            _start_children(supervisor, listener)
            supervisor.step(
                "computing the windows", _several("compute_windows --wait", "load_demo --campaign-only", "tonight")
            )
            # Not before: the cores are busy enough with the start, and nothing recurring is due yet.
            supervisor.start("beat", [*CELERY, "beat", "--loglevel", "INFO", "--pidfile", ""])
            if not supervisor.wait(lambda: _is_healthy(port), HEALTH_TIMEOUT_S):
                raise Failure(f"{url}health/ did not answer 200 in {HEALTH_TIMEOUT_S} s; the logs are in {place}/log")
            print(f"ready: {url}", flush=True)
            with contextlib.suppress(Stopped):  # the ordinary end
                supervisor.serve()
            say("stopping")
    finally:
        (place / "run.url").unlink(missing_ok=True)
    return 0


def _several(*commands: str) -> list[str]:
    """Management commands in one process, without the system checks: these load the whole project, and belong to
    the tests.
    """
    words = [word for command in commands for word in (*command.split(), "--skip-checks", ",")]
    return [str(PYTHON), str(ROOT / "devtools" / "several.py"), *words]


def _start_children(supervisor: Supervisor, listener: socket.socket) -> None:
    supervisor.start(
        "web",
        [*MODULE, "gunicorn", "coordination.wsgi:application", "--bind", f"fd://{listener.fileno()}",
         "--worker-class", "gthread", "--workers", "1", "--threads", "8", "--no-control-socket",
         "--graceful-timeout", "3", "--access-logfile", "-"],
        pass_fds=[listener.fileno()],
    )  # fmt: skip
    cores = str(os.cpu_count() or 1)
    supervisor.start("worker", [*CELERY, "worker", "--loglevel", "INFO", "--pool", "prefork", "--concurrency", cores])


def _bring_servers_back(servers: Servers, supervisor: Supervisor) -> None:
    """A keeper restarts its server by itself; this is for the case that the keeper was killed."""
    if servers.are_alive():
        return
    before = servers.environment()
    say("an embedded server is gone, starting it again")
    servers.acquire()
    if servers.environment() != before:  # its port was taken meanwhile
        supervisor.restart_all(environment(servers.environment()))


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", "/health/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
