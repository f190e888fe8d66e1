"""Webhooks: signed, in order, tried again, paused when nobody takes them, and never sent into private networks."""

import datetime as dt
import json
import re
import socket
from pathlib import Path

import pytest
import time_machine
from django.db import transaction
from django.urls import reverse
from rest_framework.test import APIClient

from coordination.common import clock, events, following, outgoing
from coordination.common.problems import DomainError, ForbiddenError
from coordination.partners import services, tasks
from coordination.partners.models import Notice, Webhook, WebhookDelivery
from coordination.partners.services import create_token, create_webhook, deliver_to
from coordination.partners.services.delivering import GIVEN_UP_AFTER, PAUSED_AFTER_FAILURES, queue_due
from observatories.models import Membership, Organisation
from targets.models import Target

from .receivers import Receiver, answers, drips, floods, hangs, resets

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _loopback(settings):
    settings.WEBHOOK_ALLOW_LOOPBACK = True


@pytest.fixture(autouse=True)
def queued(monkeypatch):
    """Webhooks that were queued, in place of a broker."""
    ids: list[int] = []
    monkeypatch.setattr(following, "_wake_readers", lambda: None)
    monkeypatch.setattr(tasks.deliver, "delay", ids.append)
    monkeypatch.setattr(tasks.deliver, "apply_async", lambda arguments, **_: ids.append(*arguments))
    return ids


@pytest.fixture
def receiver():
    """Start receivers, each with a way to answer."""
    started = []

    def start(behave=None) -> Receiver:
        started.append(Receiver(behave))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def hook(people):
    def hook(url: str, *, organisation: Organisation | None = None, kinds=()) -> Webhook:
        return create_webhook((organisation or people.alpha).pk, url=url, kinds=kinds)

    return hook


@pytest.fixture
def happen(people):
    """An event that alpha may see, or another organisation."""

    def happen(subject: str = "grant:1", kind: str = "grant.given", organisation=None, **payload):
        with transaction.atomic():
            told = {"organisation": (organisation or people.alpha).pk, **payload}
            event = events.record(kind, subject, told)
        following.follow("webhooks")
        return event

    return happen


def clear(webhook: Webhook) -> None:
    """Without what its own registration told."""
    following.follow("webhooks")
    webhook.deliveries.all().delete()


def bodies(receiver: Receiver) -> list[dict]:
    return [json.loads(body) for _, body in receiver.received]


def test_an_event_arrives_signed_as_the_documentation_verifies_it(hook, happen, receiver):
    source = Path(__file__).parents[3].joinpath("docs/partners.md").read_text()
    [example] = [code for code in re.findall(r"```py\n(.*?)```", source, re.DOTALL) if "def is_genuine" in code]
    documented: dict = {}
    exec(example, documented)

    taker = receiver()
    webhook = hook(taker.url, kinds=["grant"])
    event = happen(state="given")
    assert deliver_to(webhook.pk) == 1
    [(headers, body)] = taker.received
    assert headers["NEO-Event-Id"] == str(event.pk)
    told = json.loads(body)
    assert (told["id"], told["kind"], told["subject"]) == (event.pk, "grant.given", "grant:1")
    assert told["payload"]["state"] == "given"
    assert documented["is_genuine"](webhook.secret, headers, body)
    assert not documented["is_genuine"](webhook.secret, headers, body + b" ")
    assert not documented["is_genuine"]("whsec_other", headers, body)
    assert not documented["is_genuine"](webhook.secret, headers, body, now=int(headers["NEO-Timestamp"]) + 301)
    delivery = webhook.deliveries.get()
    assert (delivery.state, delivery.log[0]["status"], delivery.due_at) == ("delivered", "204", None)


def test_the_secret_is_in_no_column_and_renewing_it_changes_it(hook, receiver):
    webhook = hook(receiver().url)
    assert webhook.secret not in str(Webhook.objects.values().get())
    assert webhook.secret == Webhook.objects.get().secret
    assert services.renew_secret(webhook.pk).secret != webhook.secret


def test_an_organisation_is_told_what_it_may_see_and_asked_for_and_only_from_then_on(people, hook, happen, receiver):
    happen()
    ours, theirs = receiver(), receiver()
    mine, other = hook(ours.url, kinds=["grant.given"]), hook(theirs.url, organisation=people.beta, kinds=["grant"])
    happen("grant:2")
    happen("grant:3", kind="grant.revoked")
    happen("grant:4", organisation=people.beta)
    for webhook in (mine, other):
        deliver_to(webhook.pk)
    assert [told["subject"] for told in bodies(ours)] == ["grant:2"]
    assert [told["subject"] for told in bodies(theirs)] == ["grant:4"]


def test_what_was_hidden_since_it_happened_is_not_sent(hook, happen, receiver):
    target = Target.objects.create(designation="P21abcd")
    taker = receiver()
    webhook = hook(taker.url, kinds=["grant"])
    happen(target=target.pk)
    Target.objects.update(visibility=Target.Visibility.CAMPAIGN)
    deliver_to(webhook.pk)
    assert taker.received == []
    assert webhook.deliveries.get().state == WebhookDelivery.State.GIVEN_UP


def test_the_events_of_a_subject_wait_for_each_other_and_those_of_others_do_not(hook, happen, receiver):
    def behave(handler):
        handler.server.receiver.refuse = getattr(handler.server.receiver, "refuse", True)
        told = json.loads(handler.server.receiver.received[-1][1])
        answers(500 if told["subject"] == "grant:1" and handler.server.receiver.refuse else 200)(handler)

    with time_machine.travel(clock.now(), tick=False) as moment:
        taker = receiver(behave)
        webhook = hook(taker.url, kinds=["grant"])
        for number, kind in ((1, "grant.given"), (1, "grant.revoked"), (2, "grant.given")):
            happen(f"grant:{number}", kind=kind)
        deliver_to(webhook.pk)
        assert [told["subject"] for told in bodies(taker)] == ["grant:1"]
        deliver_to(webhook.pk)
        assert [told["subject"] for told in bodies(taker)] == ["grant:1", "grant:2"]
        assert deliver_to(webhook.pk) == 0
        taker.refuse = False
        moment.shift(dt.timedelta(seconds=10))
        assert queue_due() == [webhook.pk]
        deliver_to(webhook.pk)
        assert [told["kind"] for told in bodies(taker) if told["subject"] == "grant:1"] == [
            "grant.given", "grant.given", "grant.revoked",
        ]  # fmt: skip
        assert set(webhook.deliveries.values_list("state", flat=True)) == {"delivered"}


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (answers(500), "Not a 2xx."),
        (resets, "Error"),
        (floods, "longer than"),
        (hangs, "Timeout"),
        (drips, "Timeout"),
    ],
)
def test_a_receiver_that_is_unwell_costs_a_bounded_time_and_nothing_is_lost(
    hook, happen, receiver, monkeypatch, behave, error
):
    monkeypatch.setattr(outgoing, "TOTAL_S", 0.5)
    unwell, well = receiver(behave), receiver()
    first, second = hook(unwell.url, kinds=["grant"]), hook(well.url, kinds=["grant"])
    happen("grant:1")
    happen("grant:2")
    assert deliver_to(first.pk) == 1  # and no more in this round: the worker is free for others
    assert deliver_to(second.pk) == 2
    waiting = first.deliveries.order_by("pk").first()
    assert (waiting.state, waiting.attempts) == ("pending", 1)
    assert waiting.due_at > clock.now()
    assert error in waiting.log[0]["error"]
    assert waiting.log[0]["ms"] < 5000


def test_a_redirect_is_not_followed(hook, happen, receiver):
    inside = receiver()
    outside = receiver(answers(307, {"Location": inside.url}))
    webhook = hook(outside.url, kinds=["grant"])
    happen()
    deliver_to(webhook.pk)
    assert (len(outside.received), inside.received) == (1, [])
    assert webhook.deliveries.get().log[0]["error"] == "A redirect is not followed."


def test_while_somebody_sends_to_a_webhook_nobody_else_does_and_a_worker_that_died_is_replaced(hook, happen, receiver):
    with time_machine.travel(clock.now(), tick=False) as moment:
        taker = receiver()
        webhook = hook(taker.url, kinds=["grant"])
        happen()
        from coordination.partners.services.delivering import _lease

        assert _lease(webhook.pk) is not None  # and dies
        assert deliver_to(webhook.pk) == 0
        moment.shift(dt.timedelta(seconds=61))
        assert deliver_to(webhook.pk) == 1


def test_what_nobody_takes_is_given_up_after_a_day_and_the_next_of_its_subject_goes_on(hook, happen, receiver):
    with time_machine.travel(clock.now(), tick=False) as moment:
        taker = receiver(answers(503))
        webhook = hook(taker.url, kinds=["grant"])
        begin = clock.now()
        happen()
        while (pending := webhook.deliveries.filter(state="pending").first()) is not None:
            moment.move_to(max(pending.due_at, clock.now()))
            deliver_to(webhook.pk)
        delivery = webhook.deliveries.get()
        assert delivery.state == WebhookDelivery.State.GIVEN_UP
        assert GIVEN_UP_AFTER - 4 * HOUR <= clock.now() - begin <= GIVEN_UP_AFTER
        assert 8 <= delivery.attempts <= 15


def test_a_webhook_that_keeps_failing_is_paused_and_its_managers_are_told(people, hook, happen, receiver):
    people.ben.memberships.update(role=Membership.Role.MANAGER)
    with time_machine.travel(clock.now(), tick=False) as moment:
        taker = receiver(answers(500))
        webhook = hook(taker.url, kinds=["grant"])
        for number in range(PAUSED_AFTER_FAILURES):
            happen(f"grant:{number}")
        while Webhook.objects.get().state == Webhook.State.ACTIVE:
            assert webhook.deliveries.filter(state="pending").exists()
            deliver_to(webhook.pk)
            if not queue_due():
                moment.shift(HOUR)
        following.follow("notices")
        [notice] = Notice.objects.all()
        assert (notice.user, "Webhook paused" in notice.title) == (people.ben, True)
        before = len(taker.received)
        moment.shift(4 * HOUR)
        assert deliver_to(webhook.pk) == 0
        services.resume_webhook(webhook.pk)
        assert deliver_to(webhook.pk) == 1
        assert len(taker.received) == before + 1


def test_a_success_begins_the_count_anew(hook, happen, receiver):
    taker = receiver()
    webhook = hook(taker.url, kinds=["grant"])
    Webhook.objects.update(failures_in_row=19, failing_since=clock.now() - 9 * HOUR)
    happen()
    deliver_to(webhook.pk)
    webhook.refresh_from_db()
    assert (webhook.failures_in_row, webhook.failing_since) == (0, None)


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            "http://example.org/",
            "ftp://example.org/",
            "https://user:password@example.org/",
            "https://",
            "https://exa mple.org/",
            "https://example.org:99999/",
            "https://[::1/",
            "//example.org/",
        ],
    )
    def test_what_is_no_https_address_is_refused(self, settings, hook, url):
        settings.WEBHOOK_ALLOW_LOOPBACK = False
        with pytest.raises(DomainError) as refusal:
            hook(url)
        assert refusal.value.field == "url"

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
            "0.0.0.0", "224.0.0.1", "239.1.1.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1",
            "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
            "2002:a00:1::1", "2001:db8::1",
        ],
    )  # fmt: skip
    def test_addresses_that_are_not_public_are_refused_also_behind_a_name(self, settings, monkeypatch, hook, address):
        settings.WEBHOOK_ALLOW_LOOPBACK = False
        with pytest.raises(DomainError, match="no public address"):
            hook(f"https://{f'[{address}]' if ':' in address else address}/")
        resolve_to(monkeypatch, address)
        with pytest.raises(DomainError, match="no public address"):
            hook("https://neo.example.org/")

    @pytest.mark.parametrize("address", ["0x7f000001", "2130706433", "127.1", "0177.0.0.1"])
    def test_other_ways_to_write_a_loopback_address_are_refused(self, settings, hook, address):
        settings.WEBHOOK_ALLOW_LOOPBACK = False
        with pytest.raises(DomainError):
            hook(f"https://{address}/")

    @pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
    def test_public_addresses_are_accepted(self, settings, monkeypatch, hook, address):
        settings.WEBHOOK_ALLOW_LOOPBACK = False
        resolve_to(monkeypatch, address)
        assert hook("https://neo.example.org/").pk

    def test_a_name_with_one_private_address_among_public_ones_is_refused(self, settings, monkeypatch, hook):
        settings.WEBHOOK_ALLOW_LOOPBACK = False
        resolve_to(monkeypatch, "93.184.216.34", "10.0.0.1")
        with pytest.raises(DomainError):
            hook("https://neo.example.org/")

    def test_a_name_that_becomes_private_later_gets_nothing(self, settings, monkeypatch, hook, happen, receiver):
        settings.WEBHOOK_ALLOW_LOOPBACK = False
        inside = receiver()
        resolve_to(monkeypatch, "93.184.216.34")
        webhook = hook(f"https://neo.example.org:{inside.server.server_address[1]}/", kinds=["grant"])
        happen()
        resolve_to(monkeypatch, "127.0.0.1")
        deliver_to(webhook.pk)
        assert inside.received == []
        assert "no public address" in webhook.deliveries.get().log[0]["error"]

    def test_the_connection_goes_to_the_address_that_was_checked(self, monkeypatch, receiver):
        """The name is asked for once; what it stands for a moment later does not count."""
        asked = []

        def once(host, *arguments, **further):
            asked.append(host)
            assert len(asked) == 1, "asked again"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

        taker = receiver()
        port = taker.server.server_address[1]
        monkeypatch.setattr(outgoing.socket, "getaddrinfo", resolver({"127.0.0.1": "127.0.0.1"}, once))
        monkeypatch.setattr(outgoing, "_is_loopback", lambda host: True)
        assert outgoing.post(f"http://neo.example.org:{port}/x", b"{}", {}).status == 204
        [(headers, _)] = taker.received
        assert headers["Host"] == f"neo.example.org:{port}"
        assert asked == ["neo.example.org"]

    def test_what_does_not_speak_tls_gets_nothing_of_a_delivery(self, receiver):
        plain = receiver()
        with pytest.raises(outgoing.OutgoingError):
            outgoing.post(plain.url.replace("http://", "https://"), b"{}", {})
        assert plain.received == []


def resolve_to(monkeypatch, *addresses: str) -> None:
    def answer(host, port, *arguments, **further):
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", resolver({}, answer))


_real = socket.getaddrinfo


def resolver(literal, answer):
    """Names by `answer`; what is an address already as ever, which the database and the sockets need."""

    def getaddrinfo(host, *arguments, **further):
        named = isinstance(host, str) and host.endswith("example.org")
        return answer(host, *arguments, **further) if named else _real(host, *arguments, **further)

    return getaddrinfo


class TestApi:
    @pytest.fixture
    def client(self, people):
        _, text = create_token(people.alpha.pk, name="robot", scopes=["manage"])
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        return client

    def test_a_system_registers_tries_and_removes_a_webhook(self, client, receiver):
        taker = receiver()
        made = client.post("/api/v1/webhooks/", {"url": taker.url, "kinds": ["slot"]}, format="json")
        assert made.status_code == 201
        row = made.json()
        assert row["organisation"] == "alpha"
        path = f"/api/v1/webhooks/{row['id']}/"
        assert "secret" not in client.get(path).json()
        assert client.post(f"{path}ping/").status_code == 202
        deliver_to(row["id"])
        [(headers, body)] = taker.received
        assert json.loads(body)["kind"] == "ping"
        assert headers["NEO-Signature"].startswith("v1=")
        [delivery] = client.get(f"{path}deliveries/").json()["results"]
        assert (delivery["state"], delivery["event"], delivery["log"][0]["status"]) == ("delivered", None, "204")
        assert client.patch(path, {"kinds": []}, format="json").json()["kinds"] == []
        assert client.post(f"{path}pause/").json()["state"] == "paused"
        assert client.post(f"{path}pause/").status_code == 409
        assert client.post(f"{path}resume/").json()["state"] == "active"
        assert client.post(f"{path}renew-secret/").json()["secret"] != row["secret"]
        assert client.delete(path).status_code == 204
        assert client.get(path).status_code == 404

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "url"),
            ({"url": "https://10.0.0.1/"}, "url"),
            ({"url": "https://93.184.216.34/", "kinds": ["weather"]}, "kinds"),
            ({"url": "https://93.184.216.34/", "secret": "mine"}, "secret"),
            ({"url": "https://93.184.216.34/", "organisation": "nobody"}, "organisation"),
        ],
    )
    def test_what_makes_no_sense_is_refused_by_field(self, client, body, field):
        answer = client.post("/api/v1/webhooks/", body, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)

    def test_those_of_others_are_neither_seen_nor_changed(self, people, client, hook, receiver):
        other = hook(receiver().url, organisation=people.beta)
        path = f"/api/v1/webhooks/{other.pk}/"
        assert client.get("/api/v1/webhooks/").json()["results"] == []
        answers_ = [
            client.get(path), client.patch(path, {"kinds": []}, format="json"), client.delete(path),
            client.get(f"{path}deliveries/"),
            *(client.post(f"{path}{verb}/") for verb in ("ping", "pause", "resume", "renew-secret")),
        ]  # fmt: skip
        assert {answer.status_code for answer in answers_} == {404}
        given = {"url": "https://93.184.216.34/", "organisation": "beta"}
        assert client.post("/api/v1/webhooks/", given, format="json").status_code == 403

    def test_without_the_scope_there_are_none(self, people):
        _, text = create_token(people.alpha.pk, name="robot", scopes=["read", "claim", "report"])
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        answer = client.get("/api/v1/webhooks/")
        assert (answer.status_code, answer.json()["needed_scope"]) == (403, "manage")

    def test_members_who_do_not_manage_register_none(self, people, receiver):
        with pytest.raises(ForbiddenError):
            create_webhook(people.alpha.pk, url=receiver().url, actor=people.ben)


def test_pages_of_webhooks_and_deliveries_open_and_show_each_attempt(admin_client, hook, happen, receiver):
    webhook = hook(receiver(answers(418)).url, kinds=["grant"])
    happen()
    deliver_to(webhook.pk)
    delivery = webhook.deliveries.get()
    for name, args, shown in (
        ("webhook_changelist", [], webhook.url),
        ("webhook_change", [webhook.pk], webhook.secret),
        ("webhook_add", [], "Address"),
        ("webhookdelivery_changelist", [], "418"),
        ("webhookdelivery_change", [delivery.pk], "Not a 2xx."),
    ):
        page = admin_client.get(reverse(f"admin:partners_{name}", args=args))
        assert (page.status_code, shown in page.content.decode()) == (200, True), name


def test_a_manager_registers_in_the_administration_and_is_told_what_is_refused(people, client, receiver):
    people.ben.memberships.update(role=Membership.Role.MANAGER)
    people.ben.is_staff = True
    people.ben.save()
    client.force_login(people.ben)
    given = {"organisation": people.alpha.pk, "kinds": "slot,claim"}
    client.post(reverse("admin:partners_webhook_add"), {**given, "url": receiver().url})
    assert Webhook.objects.get().kinds == ["slot", "claim"]
    refused = client.post(reverse("admin:partners_webhook_add"), {**given, "url": "https://10.0.0.1/"}, follow=True)
    assert "no public address" in refused.content.decode()
    assert Webhook.objects.count() == 1
