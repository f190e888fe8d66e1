"""Bookings: periods in which telescopes are occupied, by a claim or by their own staff. The one table behind the rule
that nobody is booked twice.
"""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from coordination.campaigns.models import Campaign
from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.history import HistoricalRecords
from coordination.common.states import transitions
from observatories.models import Organisation, Telescope
from targets.models import Target

from .claims import Claim
from .slots import Seat


class _Period(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class BookingQuerySet(models.QuerySet["Booking"]):
    def visible_to(self, actor: Actor) -> "BookingQuerySet":
        """With their content: those of one's own telescopes, and those that one holds."""
        if actor.sees_everything:
            return self
        mine = actor.organisation_ids
        return self.filter(Q(organisation_id__in=mine) | Q(telescope__organisation_id__in=mine))

    def active(self) -> "BookingQuerySet":
        """Those that occupy their telescope."""
        return self.filter(state__in=Booking.ACTIVE)


class Booking(models.Model):
    """A telescope occupied over [starts_at, ends_at): the observation with setup and slew before it, as they were when
    it was booked.
    """

    class State(models.TextChoices):
        HELD = "held"
        CONFIRMED = "confirmed"
        DONE = "done"
        FAILED = "failed"
        RELEASED = "released"

    class Result(models.TextChoices):
        OBSERVED = "observed"
        PARTLY = "partly", "partly observed"
        WEATHER = "failed_weather", "failed: weather"
        TECHNICAL = "failed_technical", "failed: technical"
        OTHER = "failed_other", "failed: other"
        NOT_ATTEMPTED = "not_attempted", "not attempted"

    telescope = models.ForeignKey(Telescope, on_delete=models.PROTECT, related_name="bookings")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="bookings", help_text="who holds it"
    )
    claim = models.ForeignKey(Claim, null=True, blank=True, on_delete=models.PROTECT, related_name="bookings")
    seat = models.ForeignKey(Seat, null=True, blank=True, on_delete=models.PROTECT, related_name="bookings")
    target = models.ForeignKey(Target, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=200, blank=True, help_text="of local use")
    state = models.CharField(max_length=10, choices=State, editable=False)
    observe_from = models.DateTimeField()
    observe_until = models.DateTimeField()
    starts_at = models.DateTimeField(editable=False, help_text="occupied from here: setup and slew included")
    ends_at = models.DateTimeField(editable=False)
    disturbed = models.BooleanField(default=False, editable=False, help_text="a closure falls over it")

    result = models.CharField(max_length=16, choices=Result, blank=True)
    result_note = models.TextField(blank=True)
    result_at = models.DateTimeField(null=True, blank=True, editable=False)

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    objects = BookingQuerySet.as_manager()

    TRANSITIONS = transitions(
        {
            State.HELD: [State.CONFIRMED, State.RELEASED],
            State.CONFIRMED: [State.DONE, State.FAILED, State.RELEASED],
            State.DONE: [State.FAILED],  # a result that is corrected
            State.FAILED: [State.DONE],
        }
    )
    ACTIVE = (State.HELD, State.CONFIRMED)

    class Meta:
        ordering = ["starts_at", "pk"]
        indexes = [
            models.Index(fields=["organisation", "starts_at"], name="booking_by_organisation"),
            models.Index(fields=["telescope", "starts_at"], name="booking_by_telescope"),
        ]
        constraints = [
            # The last line: whatever the services overlook, PostgreSQL refuses.
            ExclusionConstraint(
                name="booking_no_overlap",
                expressions=[
                    ("telescope", RangeOperators.EQUAL),
                    (_Period("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=["held", "confirmed"]),
                # Looked at when a statement ends: the bookings of a slot that shifts move through each other.
                deferrable=models.Deferrable.IMMEDIATE,
            ),
            models.CheckConstraint(
                name="booking_periods",
                condition=Q(
                    observe_until__gt=F("observe_from"),
                    starts_at__lte=F("observe_from"),
                    ends_at__gte=F("observe_until"),
                ),
                violation_error_message="An observation ends after it starts, and lies inside the occupied period.",
            ),
            models.CheckConstraint(
                name="booking_seat_belongs_to_claim",
                condition=Q(claim=None, seat=None) | Q(claim__isnull=False, seat__isnull=False),
            ),
            models.CheckConstraint(
                name="booking_result_of_what_is_over",
                condition=Q(state__in=["done", "failed"]) | Q(result=""),
            ),
        ]

    def __str__(self) -> str:
        return f"booking {self.pk}, {self.observe_from:%Y-%m-%d %H:%M} to {self.observe_until:%H:%M}Z ({self.state})"


class TelescopeGrantQuerySet(models.QuerySet["TelescopeGrant"]):
    def visible_to(self, actor: Actor) -> "TelescopeGrantQuerySet":
        """Those that one's organisations gave or received."""
        if actor.sees_everything:
            return self
        mine = actor.organisation_ids
        return self.filter(Q(organisation_id__in=mine) | Q(telescope__organisation_id__in=mine))


class TelescopeGrant(models.Model):
    """By which the operator of a telescope lets another organisation claim it."""

    telescope = models.ForeignKey(Telescope, on_delete=models.CASCADE, related_name="grants")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="telescope_grants", help_text="who may claim it"
    )
    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.CASCADE, related_name="grants", help_text="empty: in any"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    objects = TelescopeGrantQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at", "pk"]
        indexes = [models.Index(fields=["telescope", "organisation"], name="grant_by_telescope")]
        constraints = [
            models.CheckConstraint(
                name="grant_ends_after_start",
                condition=Q(ends_at__gt=F("starts_at")),
                violation_error_message="A grant ends after it starts.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.telescope} to {self.organisation}"
