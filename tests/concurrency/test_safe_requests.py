"""Requests at once that are repeated, or that were made on what another has just changed."""

from functools import partial

import psycopg
import pytest
from django.db import connection
from django.test import Client

from coordination.booking.models import Claim
from coordination.booking.services import claims
from coordination.campaigns.models import Campaign
from coordination.common.models import Event

from ..coordination.booking.conftest import HOUR
from .test_races import race


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def claim(world, client: Client, key: str):
    body = {"slot": world.slot.pk, "seats": [world.seats["canary"].pk]}
    headers = {"Idempotency-Key": key}
    return client.post("/api/v1/claims/", body, content_type="application/json", headers=headers)


def test_of_two_who_change_what_both_have_seen_one_is_told(world):
    client = signed_in(world.lead)
    address = f"/api/v1/slots/{world.slot.pk}/"
    seen = client.get(address)["ETag"]

    def edit(notes: str):
        given = {"content_type": "application/json", "headers": {"If-Match": seen}}
        return signed_in(world.lead).patch(address, {"notes": notes}, **given)

    first, second = race(lambda: edit("first"), lambda: edit("second"))
    assert (first.status_code, second.status_code) == (200, 412)
    assert world.reload().notes == "first"
    assert second["ETag"] == first["ETag"] == client.get(address)["ETag"]


def test_one_who_repeats_before_the_answer_is_there_is_asked_to_wait(world):
    clients = [signed_in(world.people["canary"]) for _ in range(2)]
    first, second = race(lambda: claim(world, clients[0], "k"), lambda: claim(world, clients[1], "k"))
    assert (first.status_code, second.status_code, second["Retry-After"]) == (201, 409, "1")
    assert claim(world, clients[1], "k").content == first.content
    assert Claim.objects.count() == 1


def test_a_request_that_a_deadlock_ended_is_carried_out_again_as_a_whole(world, monkeypatch):
    """What the services in it did before is undone with it, and its answer kept once."""
    book, tries = claims.book_seats, []

    def deadlocked_once(*arguments):
        tries.append(connection.in_atomic_block)
        if len(tries) == 1:
            with connection.cursor() as cursor:  # as PostgreSQL ends one of two that wait for each other
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$")
        return book(*arguments)

    monkeypatch.setattr(claims, "book_seats", deadlocked_once)
    client = signed_in(world.people["canary"])
    answer = claim(world, client, "k")
    assert (answer.status_code, tries) == (201, [True, True])
    assert claim(world, client, "k").content == answer.content
    assert (Claim.objects.count(), Event.objects.filter(kind="claim.held").count()) == (1, 1)


def test_of_two_who_create_what_can_be_there_once_one_is_told(world):
    start = world.slot.starts_at
    body = {"title": "Twice", "slug": "twice", "aim": "x", "kind": "other", "lead_organisation": "chile"}
    body |= {"starts_at": start.isoformat(), "ends_at": (start + HOUR).isoformat()}

    clients = [signed_in(world.lead) for _ in range(2)]

    def create(client: Client):
        client.raise_request_exception = False
        return client.post("/api/v1/campaigns/", body, content_type="application/json")

    first, second = race(*(partial(create, client) for client in clients))
    assert (first.status_code, second.status_code) == (201, 409), second.content
    assert second.json()["type"] == "urn:neo-coordination:problem:conflict"
    assert Campaign.objects.filter(slug="twice").count() == 1


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_connection_that_is_lost_is_a_problem_that_passes(world, accept):
    """As when the database restarts; the next request finds it again."""
    client = signed_in(world.lead)
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    answer = client.get("/api/v1/slots/", headers={"Accept": accept})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["type"] == "urn:neo-coordination:problem:unavailable"
    connection.close()
    assert client.get("/api/v1/slots/").status_code == 200
