"""What the processes of these tests do, each with a connection of its own.

They are forked from a server process that has imported this module, so that Django and the numerics are loaded once.
"""

import multiprocessing
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.apps import apps

if not apps.ready:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

from django.db import connection

from coordination.booking.services import claim_seats, claims, withdraw_claim
from coordination.common.problems import ConflictError
from observatories.models import Telescope

ROOT = Path(__file__).resolve().parents[2]
Seats = dict[int, dict[int, int]]  # slot -> telescope -> seat


def context() -> Any:
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([__name__])
    os.environ["PYTHONPATH"] = str(ROOT)  # where the server process finds this module
    return found


def database() -> dict[str, Any]:
    """Where the tests' database is, for `use_database` in another process."""
    return {key: connection.settings_dict[key] for key in ("NAME", "HOST", "PORT", "USER", "PASSWORD", "OPTIONS")}


def use_database(address: dict[str, Any]) -> None:
    connection.close()
    connection.settings_dict |= address


@contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(count, mp_context=context(), initializer=use_database, initargs=(database(),)) as pool:
        yield pool


def in_processes(work: Callable[..., Counter], count: int, *arguments: Any) -> Counter:
    """Run work(seed, *arguments) in so many processes at once; what they counted, added up."""
    with processes(count) as pool:
        running = [pool.submit(work, seed, *arguments) for seed in range(count)]
        return sum((each.result() for each in running), Counter())


def claim_at_random(seed: int, organisation_id: int, seats: Seats, attempts: int, without: Sequence[str]) -> Counter:
    """Claim one seat after the other, whoever has it; `without`: the checks and locks that are left out."""
    rng, done = random.Random(seed), Counter()
    with _without(without):
        for _ in range(attempts):
            slot_id = rng.choice(sorted(seats))
            seat_id = rng.choice(sorted(seats[slot_id].values()))
            done[_outcome(lambda: claim_seats(slot_id, organisation_id, seat_ids=[seat_id]))] += 1  # noqa: B023
    connection.close()
    return done


def claim_jointly(seed: int, organisation_id: int, seats: Seats, attempts: int) -> Counter:
    """Claim two to five seats at once in no order, and give back every other claim."""
    rng, done, mine = random.Random(seed), Counter(), []
    for _ in range(attempts):
        slot_id = rng.choice(sorted(seats))
        wanted = rng.sample(sorted(seats[slot_id].values()), rng.randint(2, 5))
        done[_outcome(lambda: mine.append(claim_seats(slot_id, organisation_id, seat_ids=wanted).pk))] += 1  # noqa: B023
        if mine and rng.random() < 0.5:
            done["gave back " + _outcome(lambda: withdraw_claim(mine.pop(rng.randrange(len(mine)))))] += 1
    connection.close()
    return done


def _outcome(service: Callable[[], Any]) -> str:
    """held, refused (a conflict that names the other interval), or what went wrong."""
    try:
        service()
    except ConflictError as error:
        conflict = error.extra.get("conflict", {})
        return "refused" if {"telescope", "starts_at", "ends_at"} <= set(conflict) else f"unexplained: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "held"


@contextmanager
def _without(names: Sequence[str]) -> Iterator[None]:
    kept = claims.require_free, claims.lock_telescopes
    if "check" in names:
        claims.require_free = lambda *_args, **_kwargs: None
    if "lock" in names:
        rows = Telescope.objects.select_related("observatory", "organisation")
        claims.lock_telescopes = lambda ids: rows.in_bulk(list(ids))
    try:
        yield
    finally:
        claims.require_free, claims.lock_telescopes = kept


def stop_before_statement(number: int, address: dict[str, Any], told: Any, slot_id: int, claim: dict[str, Any]) -> None:
    """Begin to claim, and stand still before the n-th statement until the process is killed; or say "done"."""
    use_database(address)
    seen = 0

    def stand_still(execute: Any, *arguments: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == number:
            told.send(connection.connection.info.backend_pid)
            told.recv()  # nothing is ever sent
        return execute(*arguments)

    with connection.execute_wrapper(stand_still):
        claim_seats(slot_id, **claim)
    told.send("done")
    connection.close()
