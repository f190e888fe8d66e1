"""Slots: published joint observation opportunities, and the seats in them."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from coordination.campaigns.models import Campaign, visible_campaign_q
from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.history import HistoricalRecords
from coordination.common.states import transitions
from observatories.models import Telescope
from targets.models import Orbit, Target, visible_target_q


class SlotQuerySet(models.QuerySet["Slot"]):
    def visible_to(self, actor: Actor) -> "SlotQuerySet":
        """Slots of campaigns and targets that the actor may know of; drafts only for those who take part."""
        if actor.sees_everything:
            return self
        visible = self.filter(visible_campaign_q(actor, "campaign__"), visible_target_q(actor, "target__"))
        joined = Q(campaign__participations__organisation_id__in=actor.organisation_ids) & Q(
            campaign__participations__state="joined"
        )
        mine = Slot.objects.filter(joined).values("pk")
        return visible.filter(~Q(state=Slot.State.DRAFT) | Q(pk__in=mine))


class Slot(models.Model):
    """A joint observation of one target: a period with seats, claimed until a deadline.

    It lies inside the joint window `room_starts_at` to `room_ends_at`, within which it may be moved.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        OPEN = "open"
        CONFIRMED = "confirmed"
        IN_PROGRESS = "in_progress", "in progress"
        COMPLETED = "completed"
        EXPIRED = "expired"
        CANCELLED = "cancelled"

    class Kind(models.TextChoices):
        LISTED = "listed", "listed: one seat for each candidate telescope"
        OPEN = "open", "open: any participating telescope with a window"

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="slots")
    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.LISTED)
    mode = models.CharField(max_length=12, choices=Campaign.Mode, default=Campaign.Mode.SIMULTANEOUS)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT, editable=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    room_starts_at = models.DateTimeField(help_text="the joint window around it")
    room_ends_at = models.DateTimeField()

    # Quorum: what has to be claimed for it to be confirmed.
    min_sites = models.PositiveSmallIntegerField("sites at least", default=2)
    min_baseline_km = models.FloatField("projected baseline at least (km)", null=True, blank=True)
    min_longitude_spread_deg = models.FloatField("longitude spread at least (deg)", null=True, blank=True)
    min_covered_fraction = models.FloatField("covered fraction at least (relay)", null=True, blank=True)
    max_gap_minutes = models.PositiveIntegerField("largest gap (min, relay)", null=True, blank=True)
    capacity = models.PositiveSmallIntegerField("seats at most", null=True, blank=True, help_text="empty: no limit")

    claim_deadline = models.DateTimeField()
    replacement_deadline = models.DateTimeField()
    needs_replacement = models.BooleanField(default=False, editable=False, help_text="confirmed, but below its quorum")
    needs_review = models.BooleanField(default=False, editable=False, help_text="a new orbit moved its windows")
    review_reason = models.TextField(blank=True, editable=False)
    proposed_shift_s = models.FloatField(
        null=True, blank=True, editable=False, help_text="by which its seats would fit again, if the holders accept"
    )

    reason = models.TextField(blank=True, help_text="why here")
    expected_yield = models.JSONField(default=dict, blank=True, help_text="baseline, parallax, precision …")
    notes = models.TextField(blank=True)

    # What it was placed with: the re-check after a new orbit compares with this.
    orbit = models.ForeignKey(Orbit, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+")
    solution = models.CharField(
        max_length=60, blank=True, editable=False, help_text="of JPL, where positions were taken from Horizons"
    )
    middle_ra_deg = models.FloatField(null=True, blank=True, editable=False, help_text="geocentric astrometric ICRF")
    middle_dec_deg = models.FloatField(null=True, blank=True, editable=False)

    is_demo = models.BooleanField(default=False, editable=False, help_text="demonstration data")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    objects = SlotQuerySet.as_manager()

    TRANSITIONS = transitions(
        {
            State.DRAFT: [State.OPEN, State.CANCELLED],
            State.OPEN: [State.CONFIRMED, State.EXPIRED, State.CANCELLED],
            State.CONFIRMED: [State.IN_PROGRESS, State.CANCELLED],
            State.IN_PROGRESS: [State.COMPLETED, State.CANCELLED],
        }
    )
    CLAIMABLE = (State.OPEN, State.CONFIRMED)
    LIVE = (State.OPEN, State.CONFIRMED, State.IN_PROGRESS)

    class Meta:
        ordering = ["starts_at", "pk"]
        indexes = [
            models.Index(fields=["state", "claim_deadline"], name="slot_by_deadline"),
            models.Index(fields=["target", "starts_at"], name="slot_by_target"),
        ]
        constraints = [
            models.CheckConstraint(
                name="slot_inside_its_room",
                condition=Q(ends_at__gt=F("starts_at"), room_starts_at__lte=F("starts_at"))
                & Q(room_ends_at__gte=F("ends_at")),
                violation_error_message="A slot ends after it starts, and lies inside its joint window.",
            ),
            models.CheckConstraint(
                name="slot_deadlines",
                condition=Q(claim_deadline__lte=F("replacement_deadline"), replacement_deadline__lte=F("starts_at")),
                violation_error_message=(
                    "The claim deadline is not after the replacement deadline, and that not after the start."
                ),
            ),
            models.CheckConstraint(
                name="slot_quorum",
                condition=Q(min_sites__range=(1, 50))
                & (Q(capacity=None) | Q(capacity__gte=F("min_sites")))
                & (Q(min_baseline_km=None) | Q(min_baseline_km__gte=0, min_baseline_km__lte=12757))
                & (Q(min_longitude_spread_deg=None) | Q(min_longitude_spread_deg__range=(0, 360)))
                & (Q(min_covered_fraction=None) | Q(min_covered_fraction__range=(0, 1))),
                violation_error_message=(
                    "Sites are 1 to 50 and not more than the capacity, a baseline at most 12757 km, a longitude "
                    "spread at most 360 deg, a covered fraction at most 1."
                ),
            ),
            models.CheckConstraint(
                name="slot_replacement_only_of_confirmed",
                condition=Q(needs_replacement=False) | Q(state__in=["confirmed", "in_progress", "cancelled"]),
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.pk}, {self.starts_at:%Y-%m-%d %H:%M} to {self.ends_at:%H:%M}Z"

    @property
    def length(self) -> dt.timedelta:
        return self.ends_at - self.starts_at


class Seat(models.Model):
    """One telescope and its period in a slot, claimed whole. What state it is in follows from claims and bookings
    (`coordination.booking.seats`).
    """

    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="seats")
    telescope = models.ForeignKey(Telescope, on_delete=models.PROTECT, related_name="+")
    observe_from = models.DateTimeField()
    observe_until = models.DateTimeField()
    peak_altitude_deg = models.FloatField(null=True, blank=True)
    v_mag = models.FloatField("V", null=True, blank=True)
    rate_arcsec_min = models.FloatField("sky motion (arcsec/min)", null=True, blank=True)

    class Meta:
        ordering = ["observe_from", "telescope_id"]
        constraints = [
            models.UniqueConstraint(fields=["slot", "telescope", "observe_from"], name="seat_once"),
            models.CheckConstraint(name="seat_ends_after_start", condition=Q(observe_until__gt=F("observe_from"))),
        ]

    def __str__(self) -> str:
        return f"{self.telescope}, {self.observe_from:%Y-%m-%d %H:%M} to {self.observe_until:%H:%M}Z"
