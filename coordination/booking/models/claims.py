"""Claims: an organisation taking seats of a slot, all or nothing."""

from django.conf import settings
from django.db import models

from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.history import HistoricalRecords
from coordination.common.states import transitions
from observatories.models import Organisation

from .slots import Seat, Slot


class ClaimQuerySet(models.QuerySet["Claim"]):
    def visible_to(self, actor: Actor) -> "ClaimQuerySet":
        """One's own; and all claims of campaigns that one takes part in."""
        if actor.sees_everything:
            return self
        joined = models.Q(
            slot__campaign__participations__organisation_id__in=actor.organisation_ids,
            slot__campaign__participations__state="joined",
        )
        mine = models.Q(organisation_id__in=actor.organisation_ids)
        return self.filter(pk__in=Claim.objects.filter(mine | joined).values("pk"))


class Claim(models.Model):
    class State(models.TextChoices):
        WAITING = "waiting", "waiting: for a free place, holding no telescope"
        HELD = "held", "held: until the quorum is there"
        CONFIRMED = "confirmed"
        WITHDRAWN = "withdrawn"
        RELEASED = "released", "released: the slot expired or was cancelled"
        DONE = "done"

    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="claims")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="claims")
    seats: "models.ManyToManyField[Seat, ClaimedSeat]" = models.ManyToManyField(
        Seat, through="ClaimedSeat", related_name="claims"
    )
    state = models.CharField(max_length=10, choices=State, editable=False)
    note = models.TextField(blank=True)
    accepts_shift = models.BooleanField(
        default=False, editable=False, help_text="agreed to the proposed shift of the slot"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    objects = ClaimQuerySet.as_manager()

    TRANSITIONS = transitions(
        {
            State.WAITING: [State.HELD, State.CONFIRMED, State.WITHDRAWN, State.RELEASED],
            State.HELD: [State.CONFIRMED, State.WITHDRAWN, State.RELEASED],
            State.CONFIRMED: [State.WITHDRAWN, State.RELEASED, State.DONE],
        }
    )
    HOLDING = (State.HELD, State.CONFIRMED)
    ACTIVE = (State.WAITING, State.HELD, State.CONFIRMED)

    class Meta:
        ordering = ["created_at", "pk"]
        indexes = [models.Index(fields=["slot", "state"], name="claim_by_slot")]

    def __str__(self) -> str:
        return f"{self.organisation}: claim {self.pk} ({self.state})"


class ClaimedSeat(models.Model):
    """A seat that a claim takes, or waits for."""

    claim = models.ForeignKey(Claim, on_delete=models.CASCADE, related_name="claimed_seats")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="claimed_seats")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["claim", "seat"], name="claimed_seat_once")]

    def __str__(self) -> str:
        return f"seat {self.seat_id} of claim {self.claim_id}"
