"""`dev.py bench claims`: 32 processes x 200 claims on 10 telescopes with overlapping periods.

Through `claim_seats`, and beside it the bare INSERT of a booking row: one transaction each, the same processes, the
same PostgreSQL, the same random seats, refusals by the constraint included. In a database of its own on this server,
which is made, migrated and dropped again.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from _common import finish, machine, show

TELESCOPES, SLOTS, APART = 10, 200, dt.timedelta(minutes=7)
LENGTH = dt.timedelta(minutes=30)


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench claims", description=__doc__)
    parser.add_argument("--processes", type=int, default=32)
    parser.add_argument("--claims", type=int, default=200, help="attempts of each process (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="the best of them counts (default: %(default)s)")
    options = parser.parse_args()
    if "DATABASE_URL" not in os.environ:
        sys.exit("DATABASE_URL is not set: run it as python3 dev.py bench claims")
    server = os.environ["DATABASE_URL"]
    name = f"bench_claims_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        os.environ |= {
            # Readers are woken as in service, but nobody listens: not those of a service that runs from this checkout.
            "REDIS_URL": f"{os.environ['REDIS_URL'].rpartition('/')[0]}/15",
            "DEBUG": "0",
            "DJANGO_SETTINGS_MODULE": "coordination.settings",
        }
        os.environ.setdefault("SECRET_KEY", "only for this benchmark")
        os.environ["DATABASE_URL"] = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        figures = measure(options.processes, options.claims, options.rounds)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    print(f"{options.processes} processes x {options.claims} on {TELESCOPES} telescopes; {machine()}\n")
    show(["", "figure"], [[key, value if isinstance(value, int) else f"{value:.3g}"] for key, value in figures.items()])
    finish("claims", figures)


def measure(processes: int, claims: int, rounds: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    organisation_id, seats = make_network()
    figures: dict[str, Any] = {}
    rates: dict[str, list[float]] = {"bare": [], "service": []}
    for _ in range(rounds):
        for name, attempt in (("bare", bare_insert), ("service", through_the_service)):
            empty()
            took, done = in_processes(processes, claims, seats, attempt(organisation_id))
            rates[name].append(processes * claims / took)
            figures[f"{name}_taken"], figures[f"{name}_refused"] = done.pop("taken"), done.pop("refused", 0)
            figures[f"{name}_errors"] = done.total()
            figures[f"{name}_overlaps"] = overlaps()
            if done:
                print(f"{name}: {done.most_common(3)}", file=sys.stderr)
    return figures | {
        "overlaps": figures.pop("bare_overlaps") + figures.pop("service_overlaps"),
        "errors": figures.pop("service_errors"),  # the bare INSERTs meet deadlocks, which nobody breaks for them
        "claims_per_s": max(rates["service"]),
        "bare_inserts_per_s": max(rates["bare"]),
        "ratio": max(rates["service"]) / max(rates["bare"]),
    }


def make_network() -> tuple[int, list[tuple[int, int, int, dt.datetime]]]:
    """Ten telescopes of one organisation far apart, and slots that overlap; their seats as (slot, seat, telescope,
    start).
    """
    from coordination.booking.models import Seat, Slot
    from coordination.campaigns.models import Campaign, Participation
    from coordination.common import clock
    from observatories.models import Observatory, Organisation, Telescope
    from targets.models import Target

    now = clock.now().replace(microsecond=0)
    organisation = Organisation.objects.create(name="Network", slug="network")
    telescopes = []
    for k in range(TELESCOPES):
        place = Observatory.objects.create(
            name=f"Place {k}", longitude_deg=36.0 * k - 180.0, latitude_deg=8.0 * k - 40.0, height_m=2000.0
        )
        telescopes.append(
            Telescope.objects.create(
                observatory=place,
                organisation=organisation,
                name="1 m",
                aperture_m=1.0,
                field_width_deg=0.5,
                field_height_deg=0.5,
                limiting_v_mag=21.0,
            )
        )
    target = Target.objects.create(designation="2026 AB1")
    campaign = Campaign.objects.create(
        title="Contested", slug="contested", state="open", aim="x", lead_organisation=organisation, starts_at=now,
        ends_at=now + dt.timedelta(days=10),
    )  # fmt: skip
    Participation.objects.create(campaign=campaign, organisation=organisation, state="joined")
    seats = []
    for k in range(SLOTS):
        start = now + dt.timedelta(days=2) + k * APART
        slot = Slot.objects.create(
            campaign=campaign, target=target, state="open", min_sites=2, starts_at=start, ends_at=start + LENGTH,
            room_starts_at=start, room_ends_at=start + LENGTH, claim_deadline=start - dt.timedelta(hours=12),
            replacement_deadline=start - dt.timedelta(hours=6),
        )  # fmt: skip
        made = Seat.objects.bulk_create(
            [Seat(slot=slot, telescope=each, observe_from=start, observe_until=start + LENGTH) for each in telescopes]
        )
        seats += [(slot.pk, seat.pk, seat.telescope_id, start) for seat in made]
    return organisation.pk, seats


def empty() -> None:
    from coordination.booking.models import Booking, Claim, ClaimedSeat, Slot
    from coordination.common.models import Event

    for model in (Booking, ClaimedSeat, Claim, Event, Booking.history.model, Claim.history.model, Slot.history.model):
        model.objects.all().delete()
    Slot.objects.update(state="open")


def through_the_service(organisation_id: int) -> Callable[[Any], str]:
    from coordination.booking.services import claim_seats
    from coordination.common.problems import ConflictError

    def attempt(seat: Any) -> str:
        try:
            claim_seats(seat[0], organisation_id, seat_ids=[seat[1]])
        except ConflictError as error:
            conflict = error.extra.get("conflict", {})
            return "refused" if {"telescope", "starts_at", "ends_at"} <= set(conflict) else f"unexplained: {error}"
        return "taken"

    return attempt


def bare_insert(organisation_id: int) -> Callable[[Any], str]:
    """One row of the booking table by the same driver, and nothing else."""
    from django.db import IntegrityError, connection, transaction

    before = dt.timedelta(seconds=180)
    statement = (
        "INSERT INTO booking_booking (telescope_id, organisation_id, state, observe_from, observe_until, starts_at, "
        "ends_at, purpose, disturbed, result, result_note, created_at) "
        "VALUES (%s, %s, 'held', %s, %s, %s, %s, '', false, '', '', %s)"
    )

    def attempt(seat: Any) -> str:
        _, _, telescope_id, start = seat
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    statement,
                    [telescope_id, organisation_id, start, start + LENGTH, start - before, start + LENGTH, start],
                )
        except IntegrityError:
            return "refused"
        return "taken"

    return attempt


def in_processes(
    processes: int, claims: int, seats: list[Any], attempt: Callable[[Any], str]
) -> tuple[float, Counter[str]]:
    """Seconds from the moment at which all are connected until the last one is through, and what they counted."""
    import multiprocessing

    from django.db import connection

    connection.close()  # every process has its own
    context = multiprocessing.get_context("fork")  # nothing else runs in this process
    ready, answers = context.Barrier(processes + 1), context.Queue()
    workers = [
        context.Process(target=_work, args=(seed, claims, seats, attempt, ready, answers)) for seed in range(processes)
    ]
    for worker in workers:
        worker.start()
    ready.wait()
    start, done = time.perf_counter(), Counter()
    for _ in workers:
        done += answers.get(timeout=900)
    took = time.perf_counter() - start
    for worker in workers:
        worker.join()
    return took, done


def _work(seed: int, claims: int, seats: list[Any], attempt: Callable[[Any], str], ready: Any, answers: Any) -> None:
    from django.db import connection

    rng, done = random.Random(seed), Counter()
    connection.ensure_connection()
    ready.wait()
    for _ in range(claims):
        try:
            done[attempt(rng.choice(seats))] += 1
        except Exception as error:
            done[f"{type(error).__name__}: {error}"] += 1
    answers.put(done)


def overlaps() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM booking_booking a JOIN booking_booking b ON a.telescope_id = b.telescope_id "
            "AND a.id < b.id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at "
            "WHERE a.state IN ('held', 'confirmed') AND b.state IN ('held', 'confirmed')"
        )
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
