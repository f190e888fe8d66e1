"""Webhooks: registered, changed and paused by managers of their organisation, or its system with the scope manage."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from coordination.common import clock, concerning, events, outgoing, preconditions
from coordination.common.checking import apply_changes, check
from coordination.common.problems import ConflictError, DomainError, UnknownError
from observatories.models import Organisation
from observatories.people import Principal

from ..models import Webhook, WebhookDelivery, new_salt
from .tokens import require_manager

MOST_WEBHOOKS = 10
MOST_KINDS = 50
EDITABLE = ("url", "kinds")


@transaction.atomic
def create_webhook(
    organisation_id: int, *, url: str, kinds: Iterable[str] = (), actor: Principal | None = None
) -> Webhook:
    """Tell an address of the events that the organisation may see, from now on."""
    organisation = Organisation.objects.select_for_update().filter(pk=organisation_id).first()
    if organisation is None:
        raise UnknownError("There is no such organisation.", field="organisation", value=organisation_id)
    require_manager(actor, organisation)
    if Webhook.objects.filter(organisation=organisation).count() >= MOST_WEBHOOKS:
        raise ConflictError(f"An organisation has {MOST_WEBHOOKS} webhooks at most.", field="organisation")
    webhook = Webhook(organisation=organisation, url=url, kinds=list(kinds))
    _check(webhook)
    webhook.save()
    _record("webhook.created", webhook, actor)
    return webhook


@transaction.atomic
def update_webhook(webhook_id: int, *, actor: Principal | None = None, **changes: Any) -> Webhook:
    """Change `url` or `kinds`."""
    webhook = _locked(webhook_id, actor)
    changed = apply_changes(webhook, changes, EDITABLE)
    if changed:
        _check(webhook)
        webhook.save(update_fields=changed)
        _record("webhook.updated", webhook, actor, changed=changed)
    return webhook


@transaction.atomic
def pause_webhook(webhook_id: int, *, actor: Principal | None = None) -> Webhook:
    """Send nothing more; what happens meanwhile waits, and is given up after a day like everything."""
    webhook = _locked(webhook_id, actor)
    if webhook.state == Webhook.State.PAUSED:
        raise ConflictError("The webhook is paused already.", field="webhook", value=webhook.pk)
    webhook.state, webhook.pause_reason = Webhook.State.PAUSED, "by its organisation"
    webhook.save(update_fields=["state", "pause_reason"])
    _record("webhook.paused", webhook, actor)
    return webhook


@transaction.atomic
def resume_webhook(webhook_id: int, *, actor: Principal | None = None) -> Webhook:
    """Send again, at once what still waits."""
    from .delivering import queue_on_commit

    webhook = _locked(webhook_id, actor)
    if webhook.state == Webhook.State.ACTIVE:
        raise ConflictError("The webhook is active already.", field="webhook", value=webhook.pk)
    webhook.state, webhook.pause_reason = Webhook.State.ACTIVE, ""
    webhook.failures_in_row, webhook.failing_since = 0, None
    webhook.save(update_fields=["state", "pause_reason", "failures_in_row", "failing_since"])
    webhook.deliveries.filter(state=WebhookDelivery.State.PENDING).update(due_at=clock.now())
    _record("webhook.resumed", webhook, actor)
    queue_on_commit([webhook.pk])
    return webhook


@transaction.atomic
def renew_secret(webhook_id: int, *, actor: Principal | None = None) -> Webhook:
    """Sign with a new secret from now on."""
    webhook = _locked(webhook_id, actor)
    webhook.secret_salt = new_salt()
    webhook.save(update_fields=["secret_salt"])
    _record("webhook.secret_renewed", webhook, actor)
    return webhook


@transaction.atomic
def delete_webhook(webhook_id: int, *, actor: Principal | None = None) -> None:
    """With its deliveries."""
    webhook = _locked(webhook_id, actor)
    _record("webhook.deleted", webhook, actor)
    webhook.delete()


@transaction.atomic
def ping_webhook(webhook_id: int, *, actor: Principal | None = None) -> WebhookDelivery:
    """Send a test message, also to a paused webhook, once."""
    from .delivering import queue_on_commit

    webhook = _locked(webhook_id, actor)
    ping = WebhookDelivery.objects.create(webhook=webhook, event=None, subject=f"webhook:{webhook.pk}")
    queue_on_commit([webhook.pk])
    return ping


def _check(webhook: Webhook) -> None:
    unknown = [kind for kind in webhook.kinds if kind.partition(".")[0] not in concerning.families()]
    if unknown or len(webhook.kinds) > MOST_KINDS:
        raise DomainError(
            f"{unknown[0]!r} is no kind of event." if unknown else f"Up to {MOST_KINDS} kinds.",
            field="kinds",
            value=webhook.kinds,
            expected=f"kinds such as slot.confirmed, or their families: {', '.join(concerning.families())}",
        )
    check(webhook, exclude=("organisation",))
    outgoing.check_url(webhook.url)


def _locked(webhook_id: int, actor: Principal | None) -> Webhook:
    rows = Webhook.objects.select_for_update(of=("self",)).select_related("organisation")
    webhook = rows.filter(pk=webhook_id).first()
    if webhook is None:
        raise UnknownError(f"There is no webhook {webhook_id}.", field="webhook", value=webhook_id)
    preconditions.require(webhook)
    require_manager(actor, webhook.organisation)
    return webhook


def _record(kind: str, webhook: Webhook, actor: Principal | None, **further: Any) -> None:
    events.record(kind, webhook, {"organisation": webhook.organisation_id, **further}, actor=actor)
