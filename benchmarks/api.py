"""`dev.py bench api`: what a partner's request costs over a million stored windows, beside the same query in raw SQL.

A page of 100 windows, a claim and the check of a token, each as a whole request through all middleware (with a token
and its throttle, in this process, no network), and beside it the statements that such a request sends to PostgreSQL,
sent again by psycopg alone on a connection of its own, with their rows fetched. In a database of its own on this
server, which is made, filled with the whole catalogue at 50 sites, and dropped again.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from _common import finish, machine, show
from _workers import Workers

ROUNDS = 100
Call = tuple[str, str, Any]  # method, path, body


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench api", description=__doc__)
    parser.add_argument("--nights", type=int, default=32, help="of stored windows (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="requests of each kind (default: %(default)s)")
    parser.add_argument("--database", help="one that an earlier run left with --keep")
    parser.add_argument("--keep", action="store_true", help="do not drop the database")
    options = parser.parse_args()
    if "DATABASE_URL" not in os.environ:
        sys.exit("DATABASE_URL is not set: run it as python3 dev.py bench api")
    server = os.environ["DATABASE_URL"]
    name = options.database or f"bench_api_{os.getpid()}"
    if not options.database:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
    os.environ |= {
        "REDIS_URL": f"{os.environ['REDIS_URL'].rpartition('/')[0]}/15",  # not that of a service from this checkout
        "DEBUG": "0",
        "DJANGO_SETTINGS_MODULE": "coordination.settings",
        "DATABASE_URL": urlunsplit(urlsplit(server)._replace(path=f"/{name}")),
        "PLANNING_HORIZON_NIGHTS": str(options.nights - 1),
        "API_RATE_SIGNED_IN": "100000000/60",
    }
    os.environ.setdefault("SECRET_KEY", "only for this benchmark")
    try:
        figures = measure(options.rounds, filled=bool(options.database))
    finally:
        if not options.keep:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    if options.keep:
        print(f"kept: --database {name}")
    print(f"{figures['windows']:,} windows; {options.rounds} requests of each kind; {machine()}\n")
    header = ["", "p50 ms", "p95 ms", "SQL p50 ms", "ratio", "statements"]
    shown = ["p50_ms", "p95_ms", "sql_p50_ms", "ratio", "statements"]
    show(header, [[kind, *(round(found[each], 2) for each in shown)] for kind, found in figures["requests"].items()])
    finish("api", figures)


def measure(rounds: int, filled: bool) -> dict[str, Any]:
    import django

    django.setup()
    logging.getLogger("django.db.backends.base").setLevel(logging.CRITICAL)  # no broker is there to be woken
    if not filled:
        fill()
    from coordination.visibility.models import VisibilityWindow

    token, requests = prepare(rounds)
    found = {kind: _measured(calls, token) for kind, calls in requests.items()}
    return {"windows": VisibilityWindow.objects.count(), "requests": found}


def fill() -> None:
    """The catalogue, 50 sites, their windows, and open slots with seats."""
    import catalogue
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    catalogue.import_catalogue(1)
    catalogue.add_telescopes()
    workers = Workers(2)
    workers.wait_until_ready()
    workers.run(catalogue.plan())
    workers.stop()
    catalogue.counts()  # none failed
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def prepare(rounds: int) -> tuple[str, dict[str, list[Call]]]:
    """A token, and the requests of each kind as (method, path, body)."""
    import datetime as dt

    from django.db.models import Count

    from coordination.booking.models import Seat, Slot
    from coordination.campaigns.models import Campaign, Participation
    from coordination.common import clock
    from coordination.partners.services import create_token
    from coordination.visibility.models import VisibilityWindow
    from observatories.models import Organisation, Telescope
    from targets.models import Target

    organisation = Organisation.objects.get(slug="benchmark")
    _, token = create_token(organisation.pk, name="benchmark", scopes=["read", "claim"])
    now = clock.now().replace(microsecond=0)
    busiest = VisibilityWindow.objects.values("target__designation").annotate(n=Count("id")).order_by("-n")
    names = [row["target__designation"] for row in busiest[:rounds]]
    telescopes = list(Telescope.objects.order_by("pk"))
    night = [f"{now.date() + dt.timedelta(days=1 + k):%Y-%m-%d}T12:00:00Z" for k in (0, 1)]

    def pages(query: Callable[[int], str]) -> list[Call]:
        return [("get", f"/api/v1/windows/?{query(k)}&limit=100", None) for k in range(rounds)]

    # A campaign with slots an hour apart, far from each other's setup times; each round claims another one.
    campaign, _ = Campaign.objects.get_or_create(
        slug="measured",
        defaults={
            "title": "Measured", "state": "open", "aim": "x", "lead_organisation": organisation, "starts_at": now,
            "ends_at": now + dt.timedelta(days=900),
        },
    )  # fmt: skip
    Participation.objects.get_or_create(campaign=campaign, organisation=organisation, defaults={"state": "joined"})
    target = Target.objects.get(designation=names[0]) if names else Target.objects.first()
    claims = []
    taken = Slot.objects.filter(campaign=campaign).count()
    for k in range(taken, taken + rounds):
        start = now + dt.timedelta(days=2, hours=k)
        end = start + dt.timedelta(minutes=20)
        slot = Slot.objects.create(
            campaign=campaign, target=target, state="open", min_sites=2, starts_at=start, ends_at=end,
            room_starts_at=start, room_ends_at=end,
            claim_deadline=start - dt.timedelta(hours=12), replacement_deadline=start - dt.timedelta(hours=6),
        )  # fmt: skip
        seats = Seat.objects.bulk_create(
            Seat(slot=slot, telescope=each, observe_from=slot.starts_at, observe_until=slot.ends_at)
            for each in telescopes[:4]
        )
        claims.append(("post", "/api/v1/claims/", {"slot": slot.pk, "seats": [seats[0].pk]}))
    return token, {
        "windows of a target": pages(lambda k: f"target={names[k % len(names)]}"),
        "windows of a telescope's night": pages(
            lambda k: f"telescope={telescopes[k % len(telescopes)].pk}&after={night[0]}&before={night[1]}"
        ),
        "windows, filtered": pages(lambda k: f"v_max={18 + 2 * k / rounds:.2f}&min_duration_s=7200&orbit_trust=fair"),
        "windows, filtered, longest first": pages(
            lambda k: f"v_max={18 + 2 * k / rounds:.2f}&min_duration_s=7200&order_by=-duration_s"
        ),
        "claim": claims,
        "token check": [("get", "/api/v1/me/", None)] * rounds,
    }


def _measured(calls: Sequence[Call], token: str) -> dict[str, float]:
    """Times of requests, and of the statements that they sent, sent again."""
    from django.db import connection

    sequences = _sequences()
    times, sent = [], []
    for number, (method, path, body) in enumerate(calls):
        statements: list[tuple[str, Any]] = []

        def keep(execute: Any, sql: str, params: Any, many: bool, context: Any, kept: Any = statements) -> Any:
            kept.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(keep):
            start = time.perf_counter()
            _request(method, path, body, token)
            times.append((time.perf_counter() - start) * 1e3)
        sent.append(statements)
        if number == 0 and method == "get":
            times.clear(), sent.clear()  # the first one loads and plans
    if calls[0][0] == "post":
        forget_claims(sequences)
    replayed = _sent_again(sent)
    return {
        "p50_ms": statistics.median(times),
        "p95_ms": statistics.quantiles(times, n=20)[-1],
        "sql_p50_ms": statistics.median(replayed),
        "ratio": statistics.median(times) / statistics.median(replayed),
        "statements": statistics.median(len(each) for each in sent),
    }


def _request(method: str, path: str, body: Any, token: str) -> None:
    from django.test import Client

    further = {} if body is None else {"data": body, "content_type": "application/json"}
    headers = {"host": "localhost", "authorization": f"Bearer {token}"}
    answer = getattr(Client(), method)(path, **further, secure=True, headers=headers)
    if answer.status_code not in (200, 201):
        raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.content[:500]!r}")


def _sent_again(requests: Sequence[Sequence[tuple[str, Any]]]) -> list[float]:
    """Milliseconds of each request's statements in one transaction, rows fetched, by psycopg alone."""
    times = []
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        for statements in requests:
            start = time.perf_counter()
            for sql, params in statements:
                cursor = connection.execute(sql, params)
                if cursor.description:
                    cursor.fetchall()
            connection.commit()
            times.append((time.perf_counter() - start) * 1e3)
    return times


def _sequences() -> dict[str, int | None]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT sequencename, last_value FROM pg_sequences")
        return dict(cursor.fetchall())


def forget_claims(sequences: dict[str, int | None]) -> None:
    """As before the claims, keys included: their statements name them and can be sent once more."""
    from django.db import connection

    from coordination.booking.models import Booking, Claim, ClaimedSeat, Slot
    from coordination.common.models import Event

    for model in (Booking, ClaimedSeat, Claim, Event, Booking.history.model, Claim.history.model, Slot.history.model):
        model.objects.all().delete()
    Slot.objects.update(state="open")
    with connection.cursor() as cursor:
        for name, value in sequences.items():
            cursor.execute("SELECT setval(%s, %s, %s)", [name, value or 1, value is not None])


if __name__ == "__main__":
    main()
