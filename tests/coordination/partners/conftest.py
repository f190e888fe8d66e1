"""People in organisations, events that concern them, and a real SMTP server."""

import email
import email.policy
import socket
from email.message import EmailMessage
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from django.db import transaction

from coordination.common import events, following
from coordination.partners import tasks
from coordination.partners.services import send_mail_of
from observatories.models import Membership, Organisation, User
from targets.models import Target


class SmtpServer:
    """Keeps what it is sent, as it was sent."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.raw: list[bytes] = []
        self.refusal = ""

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.refusal:
            return self.refusal
        self.raw.append(envelope.original_content)
        return "250 taken"

    def start(self) -> None:
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def stop(self) -> None:
        self.controller.stop()

    @property
    def mails(self) -> list[EmailMessage]:
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.raw]


@pytest.fixture
def smtp(settings):
    server = SmtpServer()
    settings.EMAIL_URL = "smtp://in-use"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.PUBLIC_URL = "https://neo.example.org"
    settings.DEFAULT_FROM_EMAIL = "NEO Coordination <neo@example.org>"
    server.start()
    yield server
    server.stop()


@pytest.fixture
def people(db):
    """ada and ben at alpha, cat at beta; ada is at both."""
    alpha, beta = (Organisation.objects.create(name=name.title(), slug=name) for name in ("alpha", "beta"))
    users = {}
    for name, organisations in (("ada", (alpha, beta)), ("ben", (alpha,)), ("cat", (beta,))):
        users[name] = User.objects.create_user(name, f"{name}@example.org", "not-a-real-password")
        for organisation in organisations:
            Membership.objects.create(user=users[name], organisation=organisation)
    return SimpleNamespace(alpha=alpha, beta=beta, **users)


@pytest.fixture
def queued(monkeypatch):
    """People whose mail was queued, in place of a broker."""
    ids: list[int] = []
    monkeypatch.setattr("coordination.common.following._wake_readers", lambda: None)
    monkeypatch.setattr(tasks.send_mail, "delay", ids.append)
    return ids


@pytest.fixture
def tell(queued):
    """Write an event that concerns organisations, and let its reader and the senders run."""

    def tell(
        *organisations, title="Slot confirmed: {target}", text="{target} is on.", target=None, actor=None, path=""
    ):
        notice = {"organisations": [o.pk for o in organisations], "title": title, "text": text, "path": path}
        payload = {"notice": notice} | ({} if target is None else {"target": target.pk})
        with transaction.atomic():
            events.record("slot.confirmed", "slot:1", payload, actor=actor)
        following.follow("notices")
        while queued:
            send_mail_of(queued.pop(0))

    return tell


@pytest.fixture
def target(db):
    return Target.objects.create(designation="2024 YR4", name="")
