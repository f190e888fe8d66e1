"""A request that is repeated under one Idempotency-Key does what it asks once, and is answered the same."""

import contextlib
import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from coordination.booking import services
from coordination.booking.models import Claim, Slot
from coordination.common import clock, idempotency
from coordination.common.models import Event, KeptAnswer
from coordination.common.safe_requests import SafeRequests
from coordination.partners.models import Webhook
from coordination.partners.services import create_token, rotate_token

from .conftest import HOUR


@pytest.fixture
def robot(world):
    """A call of the API with a token of an organisation that may do everything for it."""
    token, text = create_token(world.organisations["canary"].pk, name="robot", scopes=["claim", "manage", "read"])
    caller = Caller(text)
    caller.token = token
    return caller


class Caller:
    def __init__(self, text):
        self.text = text

    def post(self, path, body=None, key=None, **headers):
        headers |= {"Authorization": f"Bearer {self.text}"} | ({} if key is None else {"Idempotency-Key": key})
        return Client().post(f"/api/v1/{path}", body or {}, content_type="application/json", headers=headers)


def claim_body(world):
    return {"slot": world.slot.pk, "seats": [world.seats["canary"].pk]}


def test_the_same_answer_comes_again_and_nothing_is_done_again(world, robot):
    first = robot.post("claims/", claim_body(world), key="night-1")
    events = Event.objects.count()
    again = robot.post("claims/", claim_body(world), key="night-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (again["ETag"], again["Content-Type"]) == (first["ETag"], first["Content-Type"])
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert (Claim.objects.count(), Event.objects.count()) == (1, events)


def test_a_key_of_another_body_or_address_is_refused(world, robot):
    robot.post("claims/", claim_body(world), key="k")
    claim = Claim.objects.get()
    for path, body in (
        ("claims/", claim_body(world) | {"note": "x"}),
        (f"claims/{claim.pk}/withdraw/", claim_body(world)),
    ):
        answer = robot.post(path, body, key="k")
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:neo-coordination:problem:idempotency-key-reused"


@pytest.mark.parametrize("key", ["", " ", "two words", "ü", "k" * 256, "tab\tin"])
def test_what_is_no_key_is_refused_by_name(world, robot, key):
    answer = robot.post("claims/", claim_body(world), key=key)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert not Claim.objects.exists()


def test_what_was_refused_may_be_tried_again_under_its_key(world, robot):
    other = world.claim("chile")
    seats = {"slot": world.slot.pk, "seats": [world.seats["canary"].pk]}
    Slot.objects.filter(pk=world.slot.pk).update(min_sites=1, capacity=1)
    assert robot.post("claims/", seats, key="k").status_code == 409
    services.withdraw_claim(other.pk)
    assert robot.post("claims/", seats, key="k").status_code == 201
    assert robot.post("claims/", seats, key="k")["Idempotency-Replayed"] == "true"


def test_what_a_refusal_brought_about_stands(world, robot):
    """A claim that comes too late ends the slot, and is refused."""
    Slot.objects.filter(pk=world.slot.pk).update(claim_deadline=clock.now() - HOUR)
    assert robot.post("claims/", claim_body(world), key="k").status_code == 409
    assert world.reload().state == "expired"
    assert not KeptAnswer.objects.exists()


def test_keys_belong_to_whoever_used_them(world, robot):
    assert robot.post("claims/", claim_body(world), key="k").status_code == 201
    _, text = create_token(world.organisations["hawaii"].pk, name="robot", scopes=["claim"])
    theirs = {"slot": world.slot.pk, "seats": [world.seats["hawaii"].pk]}
    answer = Caller(text).post("claims/", theirs, key="k")
    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer


def test_a_token_that_replaced_another_goes_on_with_its_keys(world, robot):
    first = robot.post("claims/", claim_body(world), key="k")
    token, _ = rotate_token(robot.token.pk)
    _, text = rotate_token(token.pk)
    again = Caller(text).post("claims/", claim_body(world), key="k")
    assert (again.status_code, again.content) == (201, first.content)
    assert Claim.objects.count() == 1


def test_a_request_that_is_still_running_is_not_begun_again(world, robot):
    attempt = idempotency.Attempt(f"token:{robot.token.pk}", "k", "POST", "/", b"")
    with contextlib.closing(connection.copy()) as other, other.cursor() as cursor:  # somebody else is at it
        cursor.execute("BEGIN")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [attempt.lock_number])
        answer = robot.post("claims/", claim_body(world), key="k")
        assert (answer.status_code, answer["Retry-After"]) == (409, "1")
        assert answer.json()["type"] == "urn:neo-coordination:problem:request-in-progress"
        cursor.execute("ROLLBACK")
    assert robot.post("claims/", claim_body(world), key="k").status_code == 201


def test_nothing_is_kept_of_what_failed(world, robot, monkeypatch):
    def fail(*_args, **_kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("coordination.booking.services.claims.book_seats", fail)
    with pytest.raises(ZeroDivisionError):
        robot.post("claims/", claim_body(world), key="k")
    assert not Claim.objects.exists()
    assert not KeptAnswer.objects.exists()


def test_a_secret_that_is_shown_once_is_replayed_but_not_stored_in_the_clear(world, robot):
    body = {"url": "https://8.8.8.8/neo"}
    first = robot.post("webhooks/", body, key="secret-1")
    again = robot.post("webhooks/", body, key="secret-1")
    assert (first.status_code, again.content) == (201, first.content)
    assert first["Cache-Control"] == again["Cache-Control"] == "no-store"
    assert Webhook.objects.count() == 1
    kept = KeptAnswer.objects.get()
    secret = first.json()["secret"].encode()
    assert secret not in bytes(kept.body)
    assert b"secret-1" not in bytes(kept.body) + repr(vars(kept)).encode()


def test_an_answer_that_can_no_longer_be_read_is_not_made_up(world, robot, settings):
    robot.post("webhooks/", {"url": "https://8.8.8.8/neo"}, key="k")
    settings.SECRET_KEY = "another one"
    assert robot.post("webhooks/", {"url": "https://8.8.8.8/neo"}, key="k").status_code == 409
    assert Webhook.objects.count() == 1


def test_answers_are_kept_for_a_day(world, robot):
    robot.post("claims/", claim_body(world), key="k")
    assert idempotency.remove_old_answers(clock.now()) == 0
    KeptAnswer.objects.update(created_at=clock.now() - dt.timedelta(hours=25))
    assert idempotency.remove_old_answers(clock.now()) == 1


def test_every_view_of_the_api_takes_part():
    def views(patterns):
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from views(pattern.url_patterns)
            elif isinstance(pattern, URLPattern):
                yield pattern.callback

    (api,) = [each for each in get_resolver().url_patterns if str(each.pattern) == "api/v1/"]
    classes = {getattr(view, "cls", getattr(view, "view_class", None)) for view in views([api])}
    ours = {each for each in classes if each is not None and not each.__module__.startswith("drf_spectacular")}
    ours = {each for each in ours if not each.__module__.startswith("rest_framework")}
    ours = {each for each in ours if each.__module__ != "coordination.api_pages"}  # the document and its pages
    assert len(ours) > 10
    assert [each for each in ours if not issubclass(each, SafeRequests)] == []
