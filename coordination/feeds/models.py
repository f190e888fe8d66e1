"""Secret addresses under which calendar programs fetch what concerns an organisation."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from coordination.campaigns.models import Campaign, Participation
from coordination.common import clock
from coordination.common.actors import Actor
from observatories.models import Observatory, Organisation, Telescope


class CalendarFeedQuerySet(models.QuerySet["CalendarFeed"]):
    def visible_to(self, actor: Actor) -> "CalendarFeedQuerySet":
        """Those of one's own organisations; their secrets nobody can see."""
        if actor.sees_everything:
            return self
        return self.filter(organisation_id__in=actor.organisation_ids)

    def answering(self) -> "CalendarFeedQuerySet":
        """Those not revoked, whose organisation still operates the telescope or takes part in the campaign."""
        operated = Telescope.objects.filter(
            organisation=models.OuterRef("organisation"), observatory=models.OuterRef("observatory")
        )
        joined = Participation.objects.filter(
            organisation=models.OuterRef("organisation"),
            campaign=models.OuterRef("campaign"),
            state=Participation.State.JOINED,
        )
        return self.filter(revoked_at=None).filter(
            Q(kind=CalendarFeed.Kind.ORGANISATION)
            | Q(kind=CalendarFeed.Kind.TELESCOPE, telescope__organisation=models.F("organisation"))
            | Q(models.Exists(operated), kind=CalendarFeed.Kind.OBSERVATORY)
            | Q(models.Exists(joined), kind=CalendarFeed.Kind.CAMPAIGN)
        )


class CalendarFeed(models.Model):
    """A calendar of one organisation, under a secret address. Who knows the address sees what the organisation may
    see; of the secret only its SHA-256 is kept.
    """

    class Kind(models.TextChoices):
        TELESCOPE = "telescope"
        OBSERVATORY = "observatory", "observatory: own telescopes there"
        ORGANISATION = "organisation", "organisation: own telescopes, and bookings elsewhere"
        CAMPAIGN = "campaign"

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="calendar_feeds")
    kind = models.CharField(max_length=12, choices=Kind)
    telescope = models.ForeignKey(Telescope, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    observatory = models.ForeignKey(Observatory, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    campaign = models.ForeignKey(Campaign, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    prefix = models.CharField(max_length=8, editable=False, help_text="how the secret begins, to tell feeds apart")
    secret_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    # What was last sent, for clients that ask for it only if it has changed.
    content_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    content_changed_at = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords(
        excluded_fields=["secret_sha256", "last_used_at", "content_sha256", "content_changed_at"]
    )

    objects = CalendarFeedQuerySet.as_manager()

    class Meta:
        verbose_name = "calendar"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="calendar_of_one_thing",
                condition=Q(kind="organisation", telescope=None, observatory=None, campaign=None)
                | Q(kind="telescope", telescope__isnull=False, observatory=None, campaign=None)
                | Q(kind="observatory", telescope=None, observatory__isnull=False, campaign=None)
                | Q(kind="campaign", telescope=None, observatory=None, campaign__isnull=False),
                violation_error_message="A calendar is of one telescope, observatory or campaign, or of none: of the "
                "organisation.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.prefix}…)"

    @property
    def subject(self) -> Telescope | Observatory | Campaign | Organisation:
        """What it is the calendar of."""
        return self.telescope or self.observatory or self.campaign or self.organisation
