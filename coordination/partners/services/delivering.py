"""Telling webhooks: deliveries are rows, made by the reader of events and sent by tasks, one webhook at a time.

The request goes out while its webhook is leased, not locked: no transaction waits for a stranger's server. When a
worker dies its lease ends, and the message goes out once more with the same NEO-Event-Id.
"""

import datetime as dt
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from coordination.common import clock, concerning, events, outgoing
from coordination.common.actors import Actor
from coordination.common.models import Event

from ..feed import as_told
from ..models import Webhook, WebhookDelivery

LEASE = dt.timedelta(seconds=60)
GIVEN_UP_AFTER = dt.timedelta(hours=24)
PAUSES = [dt.timedelta(seconds=seconds) for seconds in (10, 30, 120, 600, 1800, 3600, 7200, 14400)]  # then every 4 h
PAUSED_AFTER_FAILURES = 20  # in a row, over at least:
PAUSED_AFTER = dt.timedelta(hours=6)
ROUND_S = 10.0  # a task that has sent for so long lets others have the worker
LONGEST_LOG = 20

Pending = WebhookDelivery.State.PENDING


def prepare_deliveries(batch: Sequence[Event]) -> None:
    """Reader of events: a delivery for each webhook whose organisation may see the event."""
    webhooks = list(Webhook.objects.filter(created_at__lte=max(event.created_at for event in batch)))
    if not webhooks:
        return
    seen: dict[int, list[Event]] = {}
    rows: list[WebhookDelivery] = []
    for webhook in webhooks:
        organisation_id = webhook.organisation_id
        if organisation_id not in seen:
            actor = Actor(organisation_ids=frozenset([organisation_id]))
            seen[organisation_id] = concerning.visible_events(batch, actor)
        rows += [
            WebhookDelivery(webhook=webhook, event=event, subject=event.subject)
            for event in seen[organisation_id]
            if webhook.created_at <= event.created_at and _wants(webhook, event.kind)
        ]
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)  # an event that had failed is handled again
    queue_on_commit({row.webhook_id for row in rows})


def _wants(webhook: Webhook, kind: str) -> bool:
    return not webhook.kinds or kind in webhook.kinds or kind.partition(".")[0] in webhook.kinds


def queue_on_commit(webhook_ids: Iterable[int]) -> None:
    from ..tasks import deliver

    for webhook_id in sorted(set(webhook_ids)):
        transaction.on_commit(partial(deliver.delay, webhook_id), robust=True)  # the sweeper is behind it


def queue_due() -> list[int]:
    """Queue the webhooks for which something is due: the sweeper behind what is queued at once."""
    from ..tasks import deliver

    due = _sendable().filter(due_at__lte=clock.now())
    webhook_ids = sorted(set(due.values_list("webhook_id", flat=True)))
    for webhook_id in webhook_ids:
        deliver.apply_async((webhook_id,), expires=30)
    return webhook_ids


def deliver_to(webhook_id: int) -> int:
    """Send what is due to a webhook, in order, until one fails or others should have their turn; how many went out."""
    from ..tasks import deliver

    began, sent = time.monotonic(), 0
    while (delivery := _lease(webhook_id)) is not None:
        sent += 1
        if not _send(delivery):
            break  # its receiver is unwell: the rest waits for the sweeper, other receivers do not wait at all
        if time.monotonic() - began > ROUND_S:
            deliver.delay(webhook_id)
            break
    return sent


def _sendable() -> Any:
    """Deliveries whose turn it is: the first of their subject, of a webhook that is active; pings go to any."""
    earlier = WebhookDelivery.objects.filter(
        webhook=OuterRef("webhook"), subject=OuterRef("subject"), state=Pending, pk__lt=OuterRef("pk")
    )
    active = Q(webhook__state=Webhook.State.ACTIVE) | Q(event=None)
    return WebhookDelivery.objects.filter(~Exists(earlier), active, state=Pending)


@transaction.atomic
def _lease(webhook_id: int) -> WebhookDelivery | None:
    """The next due delivery; until it is done with, or the lease ends, nobody else sends to its webhook."""
    webhook = Webhook.objects.select_for_update(skip_locked=True).filter(pk=webhook_id).first()
    now = clock.now()
    if webhook is None or (webhook.busy_until is not None and webhook.busy_until > now):
        return None
    rows = _sendable().filter(webhook=webhook, due_at__lte=now).select_related("event", "webhook__organisation")
    delivery: WebhookDelivery | None = rows.order_by("pk").first()
    if delivery is not None:
        Webhook.objects.filter(pk=webhook.pk).update(busy_until=now + LEASE)
    return delivery


def _send(delivery: WebhookDelivery) -> bool:
    """One attempt, outside of any transaction; whether it was taken."""
    event, webhook = delivery.event, delivery.webhook
    actor = Actor(organisation_ids=frozenset([webhook.organisation_id]))
    visible = [] if event is None else concerning.visible_events([event], actor)
    if event is not None and not visible:
        _finish(delivery, "not sent", 0, "It is hidden from the organisation by now.", taken=False, final=True)
        return True
    told = as_told(visible[0]) if visible else {"kind": "ping", "subject": delivery.subject, "payload": {}}
    body = json.dumps(told, separators=(",", ":")).encode()
    began, status, error = time.monotonic(), "no answer", ""
    try:
        answer = outgoing.post(webhook.url, body, headers_of(delivery, body))
        status = str(answer.status)
        if not 200 <= answer.status < 300:
            error = "A redirect is not followed." if 300 <= answer.status < 400 else "Not a 2xx."
    except outgoing.OutgoingError as failure:
        error = str(failure)
    taken = not error
    ping = event is None
    _finish(delivery, status, round(1000 * (time.monotonic() - began)), error, taken=taken, final=taken or ping)
    return taken


def headers_of(delivery: WebhookDelivery, body: bytes) -> dict[str, str]:
    timestamp = str(int(clock.now().timestamp()))
    return {
        "Content-Type": "application/json",
        "User-Agent": "NEO-Coordination",
        "NEO-Event-Id": str(delivery.event_id) if delivery.event_id else f"ping-{delivery.pk}",
        "NEO-Timestamp": timestamp,
        "NEO-Signature": f"v1={signature(delivery.webhook.secret, timestamp, body)}",
    }


def signature(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


@transaction.atomic
def _finish(delivery: WebhookDelivery, status: str, ms: int, error: str, *, taken: bool, final: bool) -> None:
    """Write down an attempt, and what follows: the next one, giving up, or a pause of the webhook."""
    # The webhook first, as everywhere.
    webhook = Webhook.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=delivery.webhook_id)
    now = clock.now()
    entry = {"at": _utc(now), "status": status, "ms": ms, "error": error[:300]}
    attempts = delivery.attempts + 1
    too_old = now + _pause(attempts) > delivery.created_at + GIVEN_UP_AFTER
    changes: dict[str, Any] = {"attempts": attempts, "log": [*delivery.log, entry][-LONGEST_LOG:]}
    if taken:
        changes |= {"state": WebhookDelivery.State.DELIVERED, "due_at": None, "delivered_at": now}
    elif final or too_old:
        changes |= {"state": WebhookDelivery.State.GIVEN_UP, "due_at": None}
    else:
        changes |= {"due_at": now + _pause(attempts)}
    WebhookDelivery.objects.filter(pk=delivery.pk, state=Pending).update(**changes)
    Webhook.objects.filter(pk=webhook.pk).update(busy_until=None)
    if delivery.event_id is not None and status != "not sent":
        _count(webhook, taken, error or status, now)


def _count(webhook: Webhook, taken: bool, error: str, now: dt.datetime) -> None:
    if taken:
        Webhook.objects.filter(pk=webhook.pk).update(failures_in_row=0, failing_since=None)
        return
    since = webhook.failing_since or now
    failures = webhook.failures_in_row + 1
    pause = failures >= PAUSED_AFTER_FAILURES and now - since >= PAUSED_AFTER and webhook.state == Webhook.State.ACTIVE
    Webhook.objects.filter(pk=webhook.pk).update(failures_in_row=F("failures_in_row") + 1, failing_since=since)
    if pause:
        _pause_webhook(webhook, f"{failures} attempts in a row failed since {since:%Y-%m-%d %H:%M}Z: {error}"[:300])


def _pause_webhook(webhook: Webhook, reason: str) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(state=Webhook.State.PAUSED, pause_reason=reason)
    notice = events.notice(
        [webhook.organisation_id],
        title=f"Webhook paused: {webhook.url}",
        text=f"{reason}. Nothing more is sent to it until somebody resumes it.",
        path=f"/admin/partners/webhook/{webhook.pk}/change/",
        roles=["manager"],
    )
    events.record("webhook.paused", webhook, {"organisation": webhook.organisation_id, **notice})


def remove_old_deliveries(now: dt.datetime) -> int:
    """Give up what is too old (of paused webhooks), and delete what was done with 30 days ago."""
    late = WebhookDelivery.objects.filter(state=Pending, created_at__lt=now - GIVEN_UP_AFTER - LEASE)
    late.update(state=WebhookDelivery.State.GIVEN_UP, due_at=None)
    done = WebhookDelivery.objects.exclude(state=Pending).filter(created_at__lt=now - dt.timedelta(days=30))
    count, _ = done.delete()
    return count


def _pause(attempts: int) -> dt.timedelta:
    return PAUSES[min(attempts, len(PAUSES)) - 1]


def _utc(instant: dt.datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
