"""The same contest through the API: 32 clients at once, each over a connection of its own."""

import os
import random
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
from django.db import connection

from coordination.booking.models import Claim
from coordination.partners.services import create_token

from .conftest import overlaps, require_whole_claims

CLIENTS, ATTEMPTS = 32, 6


@pytest.fixture
def server(network) -> Iterator[str]:
    """The address of gunicorn, as an installation runs it, on the tests' database."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    settings = {"DATABASE_URL": urlunsplit(database), "DJANGO_SETTINGS_MODULE": "tests.settings", "DEBUG": "1"}
    limits = {"API_RATE_SIGNED_IN": "100000/60", "LOG_LEVEL": "ERROR"}
    command = ["-m", "gunicorn", "coordination.wsgi", "--bind", f"fd://{listening.fileno()}", "--log-level", "error"]
    gunicorn = subprocess.Popen(
        [sys.executable, *command, "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--timeout", "120"],
        env=os.environ | settings | limits,
        pass_fds=[listening.fileno()],
    )
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    gunicorn.terminate()
    gunicorn.wait()
    listening.close()


def test_clients_that_claim_at_once_never_book_a_telescope_twice(network, server):
    _, token = create_token(network.organisation.pk, name="robots", scopes=["claim"])
    seats = [(slot, seat) for slot, made in list(network.seats.items())[:6] for seat in made.values()]
    answers: list[httpx.Response] = []
    ready = threading.Barrier(CLIENTS)

    def contest(seed: int) -> None:
        rng = random.Random(seed)
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=server, headers=headers, timeout=120.0) as client:
            ready.wait()
            for _ in range(ATTEMPTS):
                slot, seat = rng.choice(seats)
                body = {"slot": slot, "organisation": network.organisation.slug, "seats": [seat]}
                answers.append(client.post("/api/v1/claims/", json=body))

    clients = [threading.Thread(target=contest, args=(seed,)) for seed in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()

    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {201, 409}, statuses
    assert statuses.total() == CLIENTS * ATTEMPTS
    for refused in (answer.json() for answer in answers if answer.status_code == 409):
        assert {"telescope", "starts_at", "ends_at"} <= set(refused["conflict"]), refused
    assert overlaps() == 0
    assert Claim.objects.count() == statuses[201] > 10
    require_whole_claims()
