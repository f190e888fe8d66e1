"""Webhooks: addresses to which a partner is told of events, and what became of each delivery."""

import base64
import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac

from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.models import Event
from observatories.models import Organisation


def new_salt() -> str:
    return secrets.token_hex(16)


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, actor: Actor) -> "WebhookQuerySet":
        """Those of one's own organisations."""
        return self if actor.sees_everything else self.filter(organisation_id__in=actor.organisation_ids)


class Webhook(models.Model):
    class State(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField("address", max_length=500)
    kinds = ArrayField(
        models.CharField(max_length=64), default=list, blank=True, help_text="kinds or families of events; empty: all"
    )
    state = models.CharField(max_length=6, choices=State, default=State.ACTIVE, editable=False)
    secret_salt = models.CharField(max_length=32, default=new_salt, editable=False)
    failures_in_row = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    pause_reason = models.CharField(max_length=300, blank=True, editable=False)
    busy_until = models.DateTimeField(null=True, blank=True, editable=False, help_text="somebody is sending to it")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(name="webhook_state", condition=Q(state__in=["active", "paused"]))]

    def __str__(self) -> str:
        return f"{self.organisation}: {self.url}"

    @property
    def secret(self) -> str:
        """With which deliveries are signed. It has to be known in the clear when something is sent, so a hash will not
        do. It is computed from a stored salt and the service's key and stored nowhere: who gets hold of the database
        alone cannot sign.
        """
        digest = salted_hmac("partners.webhook", f"{self.pk}:{self.secret_salt}", algorithm="sha256").digest()
        return f"whsec_{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


class WebhookDelivery(models.Model):
    """One event on its way to one webhook. The event of a subject waits until the one before it is done with."""

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        GIVEN_UP = "given_up", "given up"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(Event, null=True, on_delete=models.CASCADE, related_name="+", help_text="empty: a ping")
    subject = models.CharField(max_length=64)
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    log = models.JSONField(default=list, help_text="of each attempt: at, status, ms, error")
    due_at = models.DateTimeField(null=True, blank=True, default=clock.now)
    created_at = models.DateTimeField(default=clock.now)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event"], name="delivery_once"),
            models.CheckConstraint(
                name="delivery_due_while_pending",
                condition=Q(state="pending", due_at__isnull=False) | (~Q(state="pending") & Q(due_at=None)),
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="delivery_due"),
            models.Index(fields=["webhook", "subject", "id"], condition=Q(state="pending"), name="delivery_order"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk} of {self.subject} ({self.state})"
