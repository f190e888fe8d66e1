"""What the commands of this room are given: targets, sites and times, read from arguments and files.

Every refusal is a ValueError with a message for people; `refusals` turns it into a message on standard error
and exit code 2. With `--elements` nothing here touches the database.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.core.management.base import CommandError
from django.db import OperationalError, ProgrammingError
from numpy.typing import NDArray

if TYPE_CHECKING:
    from coordination.visibility.trusting import Knowledge
    from observatories.sites.geodesy import Place
    from targets.orbits.elements import OrbitBatch
    from targets.orbits.planets import Planets

GEOCENTRE = "500"
MOST_TIMES = 1_000_000
_UNITS_S = {"d": 86400, "h": 3600, "m": 60, "s": 1}


class InputError(ValueError):
    """An argument or a file that cannot be used; the message says what would be right."""


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Input that cannot be used ends the command with its message on standard error and exit code 2.

    A database that does not answer, or is empty, is no fault of the input: exit code 1.
    """
    try:
        yield
    except ValueError as error:
        raise CommandError(str(error), returncode=2) from error
    except OperationalError as error:
        reason = str(error).splitlines()[0]
        raise CommandError(f"the database does not answer ({reason}); --elements FILE needs none") from error
    except ProgrammingError as error:
        reason = str(error).splitlines()[0]
        raise CommandError(f"the database has no tables of this version ({reason}): run migrate first") from error


def add_target_arguments(parser: ArgumentParser) -> None:
    """--target and --elements."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--target", action="append", metavar="DESIGNATION", help="of the catalogue: number, name, any designation"
    )
    which.add_argument(
        "--elements",
        type=Path,
        metavar="FILE",
        help="CSV with designation,name,epoch_jd,a,e,i,node,peri,M,H,G,A1,A2,A3 (or q and tp_jd for a and M, or "
        "x,y,z,vx,vy,vz for the elements); needs no database",
    )


def add_format_argument(parser: ArgumentParser) -> None:
    """--format."""
    parser.add_argument("--format", choices=("csv", "json"), default="csv", help="of the rows on standard output")


def read_targets(options: dict[str, Any]) -> OrbitBatch:
    """The orbits asked for, named as they were given. Raises ValueError for what is no orbit or not known."""
    if options["elements"] is not None:
        from targets.orbits.elements_csv import read_elements_csv

        return read_elements_csv(options["elements"])
    from targets.services import current_orbits

    return current_orbits(options["target"])


def read_knowledge(options: dict[str, Any], count: int) -> Knowledge:
    """What is said of the accuracy of the orbits asked for; a file of elements says nothing."""
    from coordination.visibility.trusting import Knowledge

    if options["elements"] is not None:
        return Knowledge.none(count)
    from targets.services.orbit_quality import knowledge_of

    return Knowledge(*knowledge_of(options["target"]))


def read_planets() -> Planets:
    """The planetary kernel of the settings, or the one that the project carries."""
    from targets.services.ephemerides import planets

    return planets()


@dataclass(frozen=True)
class Site:
    """An observatory code and its place, which is None for the geocentre (500)."""

    code: str
    place: Place | None


def read_site(code: str, geocentre: bool = False) -> Site:
    """A site by its MPC code. Raises ValueError for unknown codes (naming near ones) and for those without a place."""
    from observatories.sources.obscodes import find_code

    found = find_code(code)
    if found.place is None and not (geocentre and found.code == GEOCENTRE):
        hint = " (500, the geocentre, is accepted)" if geocentre else ""
        raise InputError(f"observatory code {found.code} ({found.name}) has no fixed place on the Earth{hint}")
    return Site(found.code, found.place)


def read_instant(text: str) -> np.datetime64:
    """An ISO 8601 instant; UTC unless it gives an offset. Raises InputError."""
    try:
        instant = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{text.strip()!r} is no ISO 8601 instant such as 2026-11-22T21:30:00Z") from None
    if instant.tzinfo is not None:
        instant = instant.astimezone(dt.UTC).replace(tzinfo=None)
    return np.datetime64(instant, "us")


def read_date(option: str, text: str) -> dt.date:
    """A date, YYYY-MM-DD. Raises InputError naming the option."""
    try:
        date = dt.date.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{option} {text!r} is no date such as 2026-11-22") from None
    if not 1000 <= date.year <= 9000:  # a span around it must not leave the calendar
        raise InputError(f"{option} {text!r}: expected a date of the years 1000 to 9000")
    return date


def read_span(start: str, stop: str) -> tuple[np.datetime64, np.datetime64]:
    """Two instants in order. Raises InputError."""
    first, last = read_instant(start), read_instant(stop)
    if last < first:
        raise InputError(f"--stop {stop} is before --start {start}")
    return first, last


def read_step(text: str) -> np.timedelta64:
    """A step such as 1d, 6h, 30m or 10s. Raises InputError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([dhms])", text.strip())
    step_us = round(float(match[1]) * _UNITS_S[match[2]] * 1e6) if match else 0
    if step_us <= 0:
        raise InputError(f"--step {text!r}: expected a length of time above 0 such as 1d, 6h, 30m or 10s")
    return np.timedelta64(step_us, "us")


def read_times_file(path: Path) -> NDArray[np.datetime64]:
    """Instants from a file, one ISO UTC instant a line. Raises InputError naming the line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file: {error}") from error
    times = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                times.append(read_instant(line))
            except InputError as error:
                raise InputError(f"{path}, line {number}: {error}") from None
    if not times:
        raise InputError(f"{path} holds no times: expected one ISO UTC instant a line")
    return np.array(times, dtype="datetime64[us]")


def read_times(options: dict[str, Any]) -> NDArray[np.datetime64]:
    """The instants of --times, or of --start, --stop (included where a step ends there) and --step."""
    given = {name: options[name] for name in ("start", "stop", "step")}
    if options["times"] is not None:
        if extra := [f"--{name}" for name, value in given.items() if value is not None]:
            raise InputError(f"--times and {', '.join(extra)} exclude each other")
        return read_times_file(options["times"])
    if missing := [f"--{name}" for name, value in given.items() if value is None]:
        raise InputError(f"{', '.join(missing)} missing: expected --start, --stop and --step, or --times FILE")
    first, last = read_span(given["start"], given["stop"])
    step = read_step(given["step"])
    if (last - first) // step >= MOST_TIMES:
        raise InputError(f"more than {MOST_TIMES} times between --start and --stop: expected a longer --step")
    return np.arange(first, last + np.timedelta64(1, "us"), step)


def require_rows(n_targets: int, n_sites: int, n_times: int) -> None:
    """Refuse what would not fit into memory: rows are written only when all are known to be right."""
    if (rows := n_targets * n_sites * n_times) > MOST_TIMES:
        raise InputError(f"{rows} rows are more than {MOST_TIMES}: ask for fewer targets, sites or times at once")


def read_sites(codes: Sequence[str], geocentre: bool = False) -> list[Site]:
    """Sites by their codes, each once."""
    return [read_site(code, geocentre) for code in dict.fromkeys(codes)]
