"""Paths, messages and file locks that every part of dev.py shares."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent


class Failure(Exception):  # noqa: N818 - not always an error of ours
    """Something a person has to act on: one line that says what, and the way out."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def say(message: str) -> None:
    """Tell the person at the terminal; standard output belongs to the commands that dev.py runs."""
    print(f"dev.py: {message}", file=sys.stderr, flush=True)


def state_dir() -> Path:
    """The directory that holds all local state of this checkout (made if it is missing)."""
    path = Path(os.environ.get("NEO_STATE_DIR") or ROOT / ".neo").absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def open_log(name: str, directory: Path | None = None, keep_bytes: int = 10_000_000) -> IO[bytes]:
    """Open .neo/log/NAME.log for appending; a large one first becomes NAME.log.1."""
    path = (directory or state_dir() / "log") / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > keep_bytes:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of a log, for a message about what went wrong."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 200 * lines))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only (it may hold a password)."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


class FileLock:
    """An advisory lock that the kernel drops when its holder ends, however it ends (flock)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def exclusive(self, wait: bool = True) -> bool:
        return self._lock(fcntl.LOCK_EX, wait)

    def shared(self, wait: bool = True) -> bool:
        return self._lock(fcntl.LOCK_SH, wait)

    def _lock(self, kind: int, wait: bool) -> bool:
        try:
            fcntl.flock(self.fd, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go. A process that inherited the descriptor keeps the lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> FileLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock exclusively (or shares it)."""
    if not path.exists():
        return False
    with FileLock(path) as lock:
        return not lock.exclusive(wait=False)
