"""Joint efforts of several organisations: what for, on which targets, who takes part, and what an observation needs."""

import datetime as dt

from django.db import models
from django.db.models import F, Q

from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.history import HistoricalRecords
from coordination.common.states import transitions
from observatories.models import Organisation
from targets.models import Target


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def visible_to(self, actor: Actor) -> "CampaignQuerySet":
        """Public campaigns once they are open; others, and drafts, for those who lead them or were invited."""
        if actor.sees_everything:
            return self
        return self.filter(visible_campaign_q(actor))


def visible_campaign_q(actor: Actor, prefix: str = "") -> Q:
    """The condition, under a lookup prefix such as "campaign__", for the campaigns an actor may know of.

    Everything that belongs to a campaign (slots, claims, calendars) uses this one condition.
    """
    if actor.sees_everything:
        return Q()
    public = Q(**{f"{prefix}visibility": Campaign.Visibility.PUBLIC}) & ~Q(**{f"{prefix}state": Campaign.State.DRAFT})
    if not actor.organisation_ids:
        return public
    asked = Participation.objects.filter(organisation_id__in=actor.organisation_ids).exclude(
        state=Participation.State.DECLINED
    )
    return public | Q(**{f"{prefix}pk__in": asked.values("campaign_id")})


def targets_of_joined_campaigns(actor: Actor, prefix: str) -> Q:
    """Targets that an actor sees as a joined participant of a campaign that holds them."""
    if not actor.organisation_ids:
        return Q(pk__in=[])
    joined = Participation.objects.filter(organisation_id__in=actor.organisation_ids, state=Participation.State.JOINED)
    held = CampaignTarget.objects.filter(campaign__in=joined.values("campaign_id"))
    return Q(**{f"{prefix}pk__in": held.values("target_id")})


def targets_of_open_campaigns() -> Q:
    """Targets that some open campaign observes, now or later."""
    held = CampaignTarget.objects.filter(campaign__state=Campaign.State.OPEN, campaign__ends_at__gt=clock.now())
    return Q(pk__in=held.values("target_id"))


def targets_in_progress() -> Q:
    """Those of them whose campaign is in its period, or begins within a day."""
    soon = clock.now() + dt.timedelta(days=1)
    held = CampaignTarget.objects.filter(
        campaign__state=Campaign.State.OPEN, campaign__starts_at__lte=soon, campaign__ends_at__gt=clock.now()
    )
    return Q(pk__in=held.values("target_id"))


class Campaign(models.Model):
    """A joint effort on targets. Its lead organisation's schedulers and managers coordinate it."""

    class Kind(models.TextChoices):
        RANGING = "ranging", "close-approach ranging"
        LIGHT_CURVE = "light_curve", "rotation light curve"
        TIMING = "timing", "timing exercise"
        RAPID_RESPONSE = "rapid_response", "rapid response"
        OTHER = "other"

    class State(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        CLOSED = "closed", "closed: no new slots and claims"
        COMPLETED = "completed"
        CANCELLED = "cancelled"

    class Visibility(models.TextChoices):
        PUBLIC = "public"
        PARTICIPANTS = "participants", "participants only"

    class Mode(models.TextChoices):
        SIMULTANEOUS = "simultaneous", "simultaneous: several sites at once"
        RELAY = "relay", "relay: one site after the other"

    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=64, unique=True, help_text="short name for addresses and commands")
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.OTHER)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT, editable=False)
    visibility = models.CharField(max_length=12, choices=Visibility, default=Visibility.PUBLIC)
    aim = models.TextField(help_text="what the observations are for")
    lead_organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="led_campaigns")
    targets: "models.ManyToManyField[Target, CampaignTarget]" = models.ManyToManyField(
        Target, through="CampaignTarget", related_name="campaigns"
    )
    participants: "models.ManyToManyField[Organisation, Participation]" = models.ManyToManyField(
        Organisation, through="Participation", related_name="campaigns"
    )
    starts_at = models.DateTimeField(help_text="observations from here …")
    ends_at = models.DateTimeField(help_text="… to here")

    # What one joint observation needs.
    mode = models.CharField(max_length=12, choices=Mode, default=Mode.SIMULTANEOUS)
    observation_minutes = models.PositiveIntegerField("length of an observation (min)", default=30)
    observation_count = models.PositiveIntegerField("number of observations", default=1)
    min_sites = models.PositiveSmallIntegerField("sites at least", default=2)
    min_baseline_km = models.FloatField("projected baseline at least (km)", null=True, blank=True)
    min_longitude_spread_deg = models.FloatField("longitude spread at least (deg)", null=True, blank=True)
    min_covered_fraction = models.FloatField("covered fraction at least (relay)", null=True, blank=True)
    max_gap_minutes = models.PositiveIntegerField("largest gap (min, relay)", null=True, blank=True)
    handover_minutes = models.PositiveIntegerField("overlap of neighbours (min, relay)", default=10)
    filters = models.CharField(max_length=100, blank=True, help_text="such as r' or clear")
    exposure_s = models.FloatField("exposure (s)", null=True, blank=True)
    cadence_s = models.FloatField("cadence (s)", null=True, blank=True)
    astrometric_error_arcsec = models.FloatField("astrometric error of a site (arcsec)", default=0.2)
    timing_error_s = models.FloatField("timing error of a site (s)", default=0.1)

    # Deadlines and limits.
    claim_lead_hours = models.FloatField(
        "claim deadline (h before the start)", default=12.0, help_text="of a slot, unless it has its own"
    )
    replacement_lead_hours = models.FloatField("replacement deadline (h before the start)", default=6.0)
    time_tolerance_minutes = models.FloatField(
        "slots may shift by (min)", default=5.0, help_text="when a new orbit moves the windows, without asking again"
    )
    field_tolerance_arcsec = models.FloatField("sky shift worth telling (arcsec)", default=60.0)
    hour_limit_h = models.FloatField(
        "telescope hours at most (h)", null=True, blank=True, help_text="of all organisations together"
    )

    is_demo = models.BooleanField(default=False, editable=False, help_text="demonstration data")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    objects = CampaignQuerySet.as_manager()

    TRANSITIONS = transitions(
        {
            State.DRAFT: [State.OPEN, State.CANCELLED],
            State.OPEN: [State.CLOSED, State.CANCELLED],
            State.CLOSED: [State.OPEN, State.COMPLETED, State.CANCELLED],
        }
    )

    class Meta:
        ordering = ["-starts_at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="campaign_ends_after_start",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message="A campaign ends after it starts.",
            ),
            # Upper bounds too: PostgreSQL takes NaN for greater than every number.
            models.CheckConstraint(
                name="campaign_observation",
                condition=Q(observation_minutes__range=(1, 1440), observation_count__range=(1, 1000)),
                violation_error_message="An observation lasts 1 to 1440 min, and there are 1 to 1000 of them.",
            ),
            models.CheckConstraint(
                name="campaign_geometry",
                condition=Q(min_sites__range=(1, 50))
                & (Q(min_baseline_km=None) | Q(min_baseline_km__gt=0, min_baseline_km__lte=12757))
                & (Q(min_longitude_spread_deg=None) | Q(min_longitude_spread_deg__range=(0, 360))),
                violation_error_message=(
                    "Sites are 1 to 50, a baseline is above 0 and at most 12757 km, a longitude spread 0 to 360 deg."
                ),
            ),
            models.CheckConstraint(
                name="campaign_relay",
                condition=(Q(min_covered_fraction=None) | Q(min_covered_fraction__gt=0, min_covered_fraction__lte=1))
                & Q(handover_minutes__lte=720),
                violation_error_message="A covered fraction is above 0 and at most 1, a hand-over at most 720 min.",
            ),
            models.CheckConstraint(
                name="campaign_errors",
                condition=Q(astrometric_error_arcsec__range=(0, 3600), timing_error_s__range=(0, 3600))
                & (Q(exposure_s=None) | Q(exposure_s__gt=0, exposure_s__lte=86400))
                & (Q(cadence_s=None) | Q(cadence_s__gt=0, cadence_s__lte=86400)),
                violation_error_message="Errors are 0 to 3600, exposure and cadence above 0 and at most a day.",
            ),
            models.CheckConstraint(
                name="campaign_deadlines",
                condition=Q(
                    claim_lead_hours__range=(0, 8760),
                    replacement_lead_hours__range=(0, 8760),
                    time_tolerance_minutes__range=(0, 1440),
                    field_tolerance_arcsec__range=(0, 648000),
                )
                & (Q(hour_limit_h=None) | Q(hour_limit_h__gt=0, hour_limit_h__lte=1_000_000)),
                violation_error_message="Deadlines, tolerances and limits are not negative, and within a year.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class CampaignTarget(models.Model):
    """A target that a campaign observes."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="campaign_targets")
    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["campaign", "target"], name="campaign_target_once")]

    def __str__(self) -> str:
        return f"{self.target} in {self.campaign}"


class Participation(models.Model):
    """An organisation that was invited to a campaign, and what it said."""

    class State(models.TextChoices):
        INVITED = "invited"
        JOINED = "joined"
        DECLINED = "declined"

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="participations")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="participations")
    state = models.CharField(max_length=8, choices=State, default=State.INVITED, editable=False)
    hour_limit_h = models.FloatField(
        "telescope hours at most (h)", null=True, blank=True, help_text="that the organisation may claim here"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    TRANSITIONS = transitions(
        {
            State.INVITED: [State.JOINED, State.DECLINED],
            State.JOINED: [State.DECLINED],
            State.DECLINED: [State.INVITED],
        }
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "organisation"], name="participation_once"),
            models.CheckConstraint(
                name="participation_hours",
                condition=Q(hour_limit_h=None) | Q(hour_limit_h__gte=0, hour_limit_h__lte=1_000_000),
                violation_error_message="A limit of hours is not negative.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} in {self.campaign} ({self.state})"
