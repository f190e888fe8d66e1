"""Tokens: by which a partner's system says which organisation it acts for."""

import datetime as dt

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from coordination.common import clock
from coordination.common.actors import Actor, PartnerSystem
from coordination.common.scopes import Scope
from observatories.models import Organisation


class PartnerTokenQuerySet(models.QuerySet["PartnerToken"]):
    def visible_to(self, actor: Actor) -> "PartnerTokenQuerySet":
        """Those of one's own organisations."""
        return self if actor.sees_everything else self.filter(organisation_id__in=actor.organisation_ids)


class PartnerToken(models.Model):
    """One token of an organisation. Of its secret only the SHA-256 is stored: 256 random bits need no slow hash."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=64, help_text="which system uses it, such as night robot")
    prefix = models.CharField(max_length=12, unique=True, editable=False, help_text="by which it is recognised")
    secret_sha256 = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=8, choices=Scope), help_text="what it may do")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="empty: valid until it is revoked")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="to the minute")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    replaced_by = models.OneToOneField(
        "self", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="replaces"
    )
    lineage = models.BigIntegerField(
        null=True, blank=True, editable=False, help_text="the first token that this one replaces, however many between"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = PartnerTokenQuerySet.as_manager()

    class Meta:
        ordering = ["organisation_id", "-id"]
        constraints = [
            models.CheckConstraint(
                name="token_scopes",
                condition=Q(scopes__contained_by=["read", "claim", "manage", "report"], scopes__len__gte=1),
                violation_error_message="The scopes are read, claim, manage, report: at least one.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (neo_{self.prefix}_…)"

    @property
    def system(self) -> PartnerSystem:
        """Who acts with it; `organisation` has to be loaded."""
        name = f"{self.organisation.slug}: {self.name} (neo_{self.prefix})"
        lineage = self.lineage or self.pk
        return PartnerSystem(self.pk, self.organisation_id, name, frozenset(self.scopes), lineage)

    def refusal(self, now: dt.datetime) -> str:
        """Why it is not accepted at that time; empty if it is."""
        if self.revoked_at is not None:
            return "The token was revoked."
        if self.expires_at is not None and self.expires_at <= now:
            return f"The token expired at {self.expires_at:%Y-%m-%d %H:%M}Z."
        return ""
