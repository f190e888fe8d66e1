"""The Python client: what it repeats and what it does not, and that it works with the service as it is."""

import datetime as dt
import json
import time

import httpx
import pytest
import stamina
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from neo_client import (
    BadSignature,
    Conflict,
    NeoClient,
    NeoError,
    NotAllowed,
    Refused,
    TooMany,
    Unavailable,
    verify_delivery,
)

from coordination.booking.models import Claim
from coordination.partners.services import create_token
from coordination.partners.services.delivering import signature
from coordination.wsgi import application

from ..coordination.booking.conftest import make_world

PROBLEM = "urn:neo-coordination:problem:"


@pytest.fixture(autouse=True)
def no_pauses():
    """Retries as they are, without the pauses between them."""
    with stamina.set_testing(True, attempts=6, cap=True):
        yield


@pytest.fixture
def service_itself(db):
    """The application, asked without a network between; its requests use the connection of the test and leave it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield httpx.WSGITransport(app=application)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


class Service:
    """Answers in the order given, an exception is raised; what came in is kept."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body, *headers = answer
        return httpx.Response(status, json=body, headers=headers[0] if headers else {})


def client_of(service: Service, **options) -> NeoClient:
    transport = httpx.MockTransport(service)
    return NeoClient("https://neo.example.org/", token="neo_abc_secret", transport=transport, **options)


def test_a_claim_whose_answer_was_lost_is_sent_again_under_the_same_key():
    service = Service(httpx.ReadTimeout("no answer"), (503, {}), (409, {}, {"Retry-After": "1"}), (201, {"id": 5}))
    with client_of(service) as neo:
        assert neo.claim(3, seats=[12])["id"] == 5
    keys = {request.headers["Idempotency-Key"] for request in service.requests}
    assert len(service.requests) == 4
    assert len(keys) == 1
    assert {request.content for request in service.requests} == {b'{"slot":3,"seats":[12]}'}


def test_two_claims_have_two_keys_and_a_given_key_is_used():
    service = Service((201, {}), (201, {}), (201, {}))
    with client_of(service) as neo:
        neo.claim(3, seats=[12])
        neo.claim(3, seats=[12])
        neo.claim(3, seats=[12], idempotency_key="night-2026-11-24")
    first, second, third = (request.headers["Idempotency-Key"] for request in service.requests)
    assert first != second
    assert third == "night-2026-11-24"


@pytest.mark.parametrize(
    ("status", "kind", "raised"),
    [
        (400, "invalid-input", Refused),
        (401, "not-signed-in", NotAllowed),
        (403, "forbidden", NotAllowed),
        (409, "conflict", Conflict),
        (422, "idempotency-key-reused", Refused),
    ],
)
def test_a_refusal_is_raised_at_once_with_what_the_service_says(status, kind, raised):
    conflict = {"telescope": 4, "starts_at": "2026-11-25T03:00:00Z", "ends_at": "2026-11-25T04:00:00Z"}
    service = Service((status, {"type": PROBLEM + kind, "detail": "No.", "errors": [], "conflict": conflict}))
    with client_of(service) as neo, pytest.raises(raised, match=r"No\.") as refused:
        neo.claim(3, seats=[12])
    assert (refused.value.status, refused.value.kind) == (status, kind)
    assert len(service.requests) == 1
    if raised is Conflict:
        assert refused.value.conflict == conflict


def test_what_never_gets_an_answer_ends_as_unavailable_after_all_tries():
    service = Service(*[httpx.ConnectError("refused")] * 9)
    with client_of(service, attempts=4) as neo, pytest.raises(Unavailable, match="refused"):
        list(neo.targets())
    assert len(service.requests) == 4


def test_a_pause_longer_than_a_minute_is_told_to_the_caller():
    service = Service((429, {"detail": "Too many requests."}, {"Retry-After": "3600"}))
    with client_of(service) as neo, pytest.raises(TooMany):
        list(neo.targets())
    assert len(service.requests) == 1


def test_it_waits_as_long_as_the_service_asks():
    waits = []
    service = Service((429, {}, {"Retry-After": "7"}), (200, {"next": None, "results": []}))
    with stamina.set_testing(False):
        stamina.instrumentation.set_on_retry_hooks([lambda details: waits.append(details.wait_for)])
        try:
            with client_of(service) as neo, pytest.MonkeyPatch.context() as patch:
                patch.setattr(time, "sleep", lambda _seconds: None)
                assert list(neo.targets()) == []
        finally:
            stamina.instrumentation.set_on_retry_hooks(None)
    assert waits == [7.0]


def test_rows_come_page_after_page_as_they_are_taken():
    following = "https://neo.example.org/api/v1/windows/?cursor=x"
    service = Service((200, {"next": following, "results": [{"id": 1}]}), (200, {"next": None, "results": [{"id": 2}]}))
    with client_of(service) as neo:
        after = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
        rows = neo.windows(target="99942", after=after, fits_field=True, before=None)
        assert next(rows) == {"id": 1}
        assert len(service.requests) == 1
        assert list(rows) == [{"id": 2}]
    assert dict(service.requests[0].url.params) == {
        "target": "99942", "after": "2026-11-25T00:00:00+00:00", "fits_field": "true",
    }  # fmt: skip
    assert str(service.requests[1].url) == following


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "http://neo.example.org/", "https://neo.example.org:8/"]
)
def test_the_token_goes_nowhere_else(elsewhere):
    service = Service((200, {"next": elsewhere, "results": [{"id": 1}]}))
    with client_of(service) as neo, pytest.raises(NeoError, match="token is not sent"):
        list(neo.windows())
    assert len(service.requests) == 1


def test_a_delete_whose_answer_was_lost_has_done_its_work():
    service = Service(httpx.ReadError("reset"), (404, {}))
    with client_of(service) as neo:
        neo.delete("closures/3/")
    with client_of(Service((404, {}))) as neo, pytest.raises(Refused):
        neo.delete("closures/3/")


def test_an_update_is_decided_again_when_somebody_else_was_faster():
    service = Service(
        (200, {"notes": "a"}, {"ETag": '"1"'}),
        (412, {}),
        (200, {"notes": "b"}, {"ETag": '"2"'}),
        (200, {"notes": "b!"}),
    )
    with client_of(service) as neo:
        assert neo.update("slots/3/", lambda slot: {"notes": slot["notes"] + "!"}) == {"notes": "b!"}
    written = [request for request in service.requests if request.method == "PATCH"]
    assert [(request.headers["If-Match"], json.loads(request.content)) for request in written] == [
        ('"1"', {"notes": "a!"}),
        ('"2"', {"notes": "b!"}),
    ]


def test_the_feed_gives_every_event_and_the_cursor_to_go_on_from():
    pages = [
        (200, {"cursor": "7", "more": True, "results": [{"id": 1}, {"id": 2}]}),
        (200, {"cursor": "9", "more": False, "results": [{"id": 3}]}),
    ]
    with client_of(Service(*pages)) as neo:
        feed = neo.events("4", kind=["slot", "claim"])
        taken = [(event["id"], feed.cursor) for event in feed]
    assert taken == [(1, "4"), (2, "4"), (3, "7")]
    assert feed.cursor == "9"


def test_a_genuine_delivery_is_taken_and_anything_else_is_not():
    body, secret, now = b'{"id": 7, "kind": "slot.confirmed"}', "whsec", 1_795_000_000
    headers = {"neo-timestamp": str(now), "NEO-Signature": f"v1={signature(secret, str(now), body)}"}
    assert verify_delivery(secret, headers, body, now=now + 10)["kind"] == "slot.confirmed"
    not_genuine = [
        (secret, headers, body + b" ", now),
        ("other", headers, body, now),
        (secret, headers, body, now + 301),
        (secret, headers, body, now - 301),
        (secret, headers | {"neo-timestamp": str(now + 1)}, body, now),
        (secret, headers | {"NEO-Signature": "v1=\u00e9"}, body, now),
        (secret, headers | {"neo-timestamp": "soon"}, body, now),
        (secret, {}, body, now),
    ]
    for given in not_genuine:
        with pytest.raises(BadSignature):
            verify_delivery(*given[:3], now=given[3])


def test_with_the_service_itself_a_seat_is_found_claimed_and_given_back(service_itself):
    world = make_world()
    _, token = create_token(world.organisations["canary"].pk, name="robot", scopes=["read", "claim"])
    with NeoClient("http://localhost", token=token, transport=service_itself) as neo:
        [slot] = neo.slots(claimable=True)
        seat = next(seat["id"] for seat in slot["seats"] if seat["claimable"])
        claim = neo.claim(slot["id"], seats=[seat], note="clear skies")
        assert (claim["state"], claim["organisation"]["slug"]) == ("held", "canary")
        with pytest.raises(Conflict) as taken:
            neo.claim(slot["id"], seats=[seat])
        assert taken.value.conflict["kind"] == "booking"
        assert neo.withdraw(claim["id"], reason="clouds")["state"] == "withdrawn"
        assert [row["state"] for row in neo.claims()] == ["withdrawn"]
    assert Claim.objects.get().note == "clear skies"


def test_without_a_token_it_reads_what_is_public(service_itself):
    make_world()
    with NeoClient("http://localhost", transport=service_itself) as neo:
        assert len(list(neo.telescopes(limit=2))) == 4
        with pytest.raises(NotAllowed):
            list(neo.claims())
