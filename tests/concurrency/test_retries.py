"""Clients that repeat every request, while the server is killed and started again: each claim is made once."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
from django.db import connection

from coordination.booking.models import Claim
from coordination.common.models import Event
from coordination.partners.services import create_token

from .conftest import require_whole_claims

CLIENTS, CLAIMS, REPEATS = 5, 6, 3
KILLS = ("workers", "workers", "everything", "workers", "workers")


class Server:
    """gunicorn, as an installation runs it, on the tests' database; the socket is the test's, so that clients who come
    while nobody serves wait for the next.
    """

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
        self.env = os.environ | {
            "DATABASE_URL": urlunsplit(database), "DJANGO_SETTINGS_MODULE": "tests.settings", "DEBUG": "1",
            "API_RATE_SIGNED_IN": "", "LOG_LEVEL": "CRITICAL",
        }  # fmt: skip
        self.start()

    def start(self) -> None:
        command = ["-m", "gunicorn", "coordination.wsgi", "--bind", f"fd://{self.listening.fileno()}", "--preload"]
        workers = ["--worker-class", "gthread", "--workers", "2", "--threads", "4", "--timeout", "120"]
        self.process = subprocess.Popen(
            [sys.executable, *command, *workers, "--log-level", "critical"],
            env=self.env,
            pass_fds=[self.listening.fileno()],
            start_new_session=True,
        )

    def kill_workers(self) -> None:
        """Those that serve; the process above them starts others."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in children.read_text().split():
            os.kill(int(pid), signal.SIGKILL)

    def kill(self) -> None:
        """All its processes at once, in the middle of whatever they do."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(network) -> Iterator[Server]:
    running = Server()
    yield running
    running.kill()
    running.listening.close()


def test_whoever_repeats_every_request_ends_with_exactly_the_claims_it_wanted(network, server):
    _, token = create_token(network.organisation.pk, name="robots", scopes=["claim", "read"])
    wanted = _disjoint_claims(network)
    assert len(wanted) == CLIENTS * CLAIMS
    seen: Counter[str] = Counter()
    answered: dict[str, set[bytes]] = {}
    unexpected: list[str] = []
    under_way = threading.Event()

    def client(seed: int) -> None:
        rng = random.Random(seed)
        headers = {"Authorization": f"Bearer {token}"}
        for number, (slot, seat) in enumerate(wanted[seed::CLIENTS]):
            key = f"{seed}-{number}"
            body = {"slot": slot, "organisation": network.organisation.slug, "seats": [seat], "note": key}
            answers = answered[key] = set()
            successes = 0
            while successes < REPEATS:
                impatient = rng.random() < 0.3  # gives up before the answer is there, and asks again
                with httpx.Client(base_url=server.url, timeout=0.02 if impatient else 20.0) as http:
                    try:
                        answer = http.post("/api/v1/claims/", json=body, headers=headers | {"Idempotency-Key": key})
                    except httpx.TransportError as error:
                        seen[type(error).__name__] += 1
                        continue
                seen[str(answer.status_code)] += 1
                if answer.status_code == 201:
                    successes += 1
                    answers.add(answer.content)
                    seen["replayed"] += "Idempotency-Replayed" in answer.headers
                    under_way.set()
                elif not answer.json()["type"].endswith(":request-in-progress"):
                    unexpected.append(answer.text)
                    return
                else:  # as the service asks, only less long
                    time.sleep(min(float(answer.headers["Retry-After"]), 0.05))

    clients = [threading.Thread(target=client, args=(seed,)) for seed in range(CLIENTS)]
    for each in clients:
        each.start()
    for what in KILLS:
        under_way.clear()
        assert under_way.wait(60), seen  # somebody was served since the last start
        if what == "workers":
            server.kill_workers()
        else:
            server.kill()
            server.start()
    for each in clients:
        each.join(120)

    assert not unexpected, unexpected
    assert not any(each.is_alive() for each in clients)
    claims = sorted(Claim.objects.values_list("note", "slot_id", "claimed_seats__seat_id"))
    notes = [f"{seed}-{number}" for seed in range(CLIENTS) for number in range(CLAIMS)]
    asked = [(f"{s}-{n}", *each) for s in range(CLIENTS) for n, each in enumerate(wanted[s::CLIENTS])]
    assert sorted(note for note, *_ in claims) == sorted(notes), seen
    assert claims == sorted(asked)
    assert {len(each) for each in answered.values()} == {1}  # the same bytes, however often
    assert Event.objects.filter(kind="claim.held").count() == len(claims)
    assert seen["replayed"] >= CLIENTS * CLAIMS * (REPEATS - 1)
    require_whole_claims()


def _disjoint_claims(network) -> list[tuple[int, int]]:
    """Slot and seat of claims that are not in one another's way: every sixth slot begins after the one before ended."""
    slots = list(network.seats.items())[::6]
    pairs = [(slot, seat) for slot, made in slots for seat in made.values()]
    return random.Random(7).sample(pairs, CLIENTS * CLAIMS)
