#!/usr/bin/env python3
"""NEO Coordination on a development machine, with nothing but Python 3.11 (or newer) installed.

  python3 dev.py run [--port 8000]     the whole application, until Ctrl-C
  python3 dev.py test [ARGUMENT ...]   the test suite (arguments go to pytest)
  python3 dev.py manage COMMAND ...    a management command, beside a running `run` or alone
  python3 dev.py bench [NAME ...]      a benchmark of benchmarks/, or their names
  python3 dev.py screenshots           pictures of the pages for docs/, beside a running `run`
  python3 dev.py env                   only prepare .venv, with the tools of developers
  python3 dev.py lock [--upgrade]      rewrite requirements/*.txt from pyproject.toml

PostgreSQL and Valkey are started as needed, from Python packages, unless DATABASE_URL and REDIS_URL are set.
All local state is in .venv and .neo of the checkout.
"""

import os
import sys

if os.name != "posix":
    sys.exit("dev.py: Linux or macOS is needed (on Windows: the Windows Subsystem for Linux)")
if sys.version_info < (3, 11):  # noqa: UP036 - an older Python has to be able to say so
    sys.exit(f"dev.py: Python 3.11 or newer is needed, this is {sys.version.split()[0]} (try python3.11 dev.py)")

import argparse
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from devtools.common import ROOT, Failure, say

USAGE_ERROR = 2


def run(arguments: Sequence[str]) -> int:
    from devtools.application import run as run_application

    parser = argparse.ArgumentParser(prog="dev.py run", description="Serve until Ctrl-C.")
    parser.add_argument("--port", type=_port, default=8000, help="0 takes any free one (default: %(default)s)")
    return run_application(parser.parse_args(arguments).port)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def manage(arguments: Sequence[str]) -> NoReturn:
    from devtools import environment, settings
    from devtools.servers import Servers

    python = environment.ensure("embedded")
    servers = Servers() if settings.needs_servers(arguments) else None
    _replace_by([str(python), str(ROOT / "manage.py"), *arguments], servers)


def test(arguments: Sequence[str]) -> NoReturn:
    from devtools import environment
    from devtools.servers import Servers

    python = environment.ensure("development")
    # Paths are meant from where the person stands; everything else is from the top of the checkout.
    words = [_absolute(word) for word in arguments]
    os.chdir(ROOT)
    workers = [] if _chooses_workers(words) else ["-n", "auto"]
    _replace_by([str(python), "-m", "pytest", *workers, *words], Servers(throwaway=True))


def _absolute(word: str) -> str:
    path, mark, rest = word.partition("::")
    return str(Path(path).absolute()) + mark + rest if path and Path(path).exists() else word


def _chooses_workers(words: Sequence[str]) -> bool:
    """Whether the arguments say how many processes, or exclude several of them."""
    alone = {"--pdb", "--trace", "no:xdist", "-pno:xdist"}
    return any(word in alone or word.startswith(("-n", "--numprocesses")) for word in words)


def bench(arguments: Sequence[str]) -> int:
    from devtools import environment
    from devtools.servers import Servers

    available = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py"))
    if not arguments:
        print("\n".join(available))
        return 0
    if arguments[0] not in available:
        raise Failure(f"no benchmark {arguments[0]!r}; there are: {', '.join(available) or 'none'}", USAGE_ERROR)
    python = environment.ensure("development")
    _replace_by([str(python), str(ROOT / "benchmarks" / f"{arguments[0]}.py"), *arguments[1:]], Servers())


def _replace_by(command: Sequence[str], servers: "Servers | None") -> NoReturn:  # type: ignore[name-defined] # noqa: F821
    """Become the command: its input, output, signals and exit code are then the person's without a middleman.

    It goes on holding the locks of the servers, which stop when it ends.
    """
    from devtools import settings

    addresses, place = settings.NO_SERVERS, None
    if servers is not None:
        servers.acquire()
        servers.share_with_exec()
        addresses, place = servers.environment(), servers.directory
    sys.stdout.flush()
    os.execve(command[0], list(command), settings.environment(addresses, place))


def screenshots(arguments: Sequence[str]) -> NoReturn:
    from devtools import environment
    from devtools.servers import Servers

    _no_arguments("screenshots", arguments)
    python = environment.ensure("development")
    _replace_by([str(python), str(ROOT / "devtools" / "screenshots.py")], Servers())


def env(arguments: Sequence[str]) -> int:
    from devtools import environment

    _no_arguments("env", arguments)
    environment.ensure("development")
    return 0


def lock(arguments: Sequence[str]) -> int:
    from devtools import environment

    parser = argparse.ArgumentParser(prog="dev.py lock", description="Rewrite requirements/*.txt.")
    parser.add_argument("--upgrade", action="store_true", help="take newer versions where pyproject.toml allows")
    environment.lock(parser.parse_args(arguments).upgrade)
    return 0


def keeper(arguments: Sequence[str]) -> int:
    """Not for people: the process that keeps one embedded server (see devtools/keeper.py)."""
    from devtools.keeper import main as keep

    return keep(Path(arguments[1]), arguments[0], "--throwaway" in arguments)


def _no_arguments(command: str, arguments: Sequence[str]) -> None:
    if arguments:
        raise Failure(f"{command} takes no arguments, got: {' '.join(arguments)}", USAGE_ERROR)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "run": run, "test": test, "manage": manage, "bench": bench,
    "screenshots": screenshots, "env": env, "lock": lock, "keeper": keeper,
}  # fmt: skip


def main(words: Sequence[str]) -> int:
    if not words or words[0] in {"-h", "--help", "help"}:
        print(__doc__, file=sys.stdout if words else sys.stderr)
        return 0 if words else USAGE_ERROR
    command = COMMANDS.get(words[0])
    if command is None:
        known = ", ".join(name for name in COMMANDS if name != "keeper")
        raise Failure(f"unknown command {words[0]!r}; there are: {known}", USAGE_ERROR)
    return command(words[1:])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        say(str(failure))
        sys.exit(failure.code)
    except OSError as error:
        say(f"{error} (are .venv and .neo yours to write?)")
        sys.exit(1)
    except (KeyboardInterrupt, subprocess.SubprocessError) as error:
        say(str(error) or "interrupted")
        sys.exit(130)
