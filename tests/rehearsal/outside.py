"""What the service reaches outside: providers, a receiver of webhooks, a mail server; each real, on loopback, and able
to hold an answer back. And whether what arrived there is what was promised.
"""

import asyncio
import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from coordination.common.models import Event
from coordination.partners.models import Notice, WebhookDelivery
from tests.coordination.partners.conftest import SmtpServer
from tests.coordination.partners.receivers import Receiver, answers
from tests.providers.simulator import Held, Simulator

WEBHOOKS, MAIL = "webhooks", "mail"


class Outside:
    def __init__(self) -> None:
        self.providers: Simulator  # those of the rehearsal under way
        self._held: dict[str, Held] = {}
        self._lock = threading.Lock()
        self.receiver = Receiver(self._take)
        self.mail = _MailServer(self)
        self.mail.start()

    def close(self) -> None:
        self.receiver.close()
        self.mail.stop()

    def begin(self, providers: Simulator) -> None:
        self.providers = providers
        self.receiver.received.clear()
        self.mail.raw.clear()

    def hold(self, name: str) -> Held:
        """Hold back the next answer of a provider or of the others."""
        if name not in (WEBHOOKS, MAIL):
            return self.providers.hold(name)
        with self._lock:
            return self._held.setdefault(name, Held())

    def hold_no_more(self, name: str) -> None:
        """Nobody asked."""
        self.providers.hold_no_more(name)
        with self._lock:
            self._held.pop(name, None)

    def pause(self, name: str) -> None:
        with self._lock:
            held = self._held.pop(name, None)
        if held is not None:
            held.arrived.set()
            held.let_go.wait(60)

    def _take(self, handler: Any) -> None:
        self.pause(WEBHOOKS)
        with suppress(OSError):  # who asked was killed meanwhile
            answers(204)(handler)

    def messages(self) -> list[tuple[str, dict[str, Any]]]:
        """Identifier and content of what the webhook was sent, in its order."""
        return [(headers["NEO-Event-Id"], json.loads(body)) for headers, body in self.receiver.received]

    def mails(self) -> list[tuple[str, str]]:
        """Message-ID, and receiver, subject and text, of what the mail server took."""
        return [(mail["Message-ID"], f"{mail['To']}: {mail['Subject']}\n{_text(mail)}") for mail in self.mail.mails]


class _MailServer(SmtpServer):
    """Holds back that it took a mail."""

    def __init__(self, outside: Outside) -> None:
        super().__init__()
        self._outside = outside

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        reply: str = await super().handle_DATA(server, session, envelope)
        await asyncio.to_thread(self._outside.pause, MAIL)
        return reply


def _text(mail: Any) -> str:
    return str(mail.get_content())


def told(outside: Outside) -> dict[str, Counter[str]]:
    """What arrived outside, each message once."""
    mails = Counter(text.partition("\n")[0] for text in dict(outside.mails()).values())
    messages = Counter(content["kind"] for content in dict(outside.messages()).values())
    return {"Mail": mails, "Message": messages}


def broken_promises(outside: Outside) -> list[str]:
    """Each event reaches a webhook, in the order of its subject, under one identifier however often it is sent; each
    notice is mailed, under one Message-ID however often.
    """
    messages, mails = outside.messages(), outside.mails()
    deliveries = WebhookDelivery.objects.exclude(event=None)
    left = deliveries.exclude(state=WebhookDelivery.State.DELIVERED)
    unsent = Notice.objects.exclude(mail__in=(Notice.Mail.SENT, Notice.Mail.NONE))
    mailed = Notice.objects.filter(mail=Notice.Mail.SENT).count()
    broken = [f"not delivered: {delivery.event} {delivery.log}" for delivery in left]
    broken += [f"not mailed: {notice} {notice.mail_error}" for notice in unsent]
    promised = {str(pk) for pk in deliveries.values_list("event_id", flat=True)}
    broken += [f"promised or sent only: {pk}" for pk in promised ^ {pk for pk, _ in messages}]
    broken += [] if len(dict(mails)) == mailed else [f"{mailed} notices, {len(dict(mails))} mails"]
    contents = [(pk, json.dumps(content, sort_keys=True)) for pk, content in messages]
    broken += _different_copies(contents) + _different_copies(mails)
    return broken + _out_of_order(dict(messages).items())


def _different_copies(sent: list[tuple[str, str]]) -> list[str]:
    texts = defaultdict(set)
    for identifier, text in sent:
        texts[identifier].add(text)
    return [f"sent as different ones: {texts[each]}" for each in texts if len(texts[each]) > 1]


def _out_of_order(first_copies: Iterable[tuple[str, dict[str, Any]]]) -> list[str]:
    """The order is that of the journal: an event of a long transaction has a place after what was committed before."""
    place_of = dict(Event.objects.exclude(position=None).values_list("pk", "position"))
    positions = defaultdict(list)
    for _, content in first_copies:
        positions[content["subject"]].append(place_of[content["id"]])
    return [f"{subject}: {found}" for subject, found in positions.items() if found != sorted(set(found))]
