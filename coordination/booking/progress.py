"""How far a campaign has come: for each target what is observed, what is agreed, and what is missing."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from coordination.campaigns.models import Campaign
from coordination.common.actors import Actor
from targets.models import Target

from .models import Booking, Slot
from .quorum import Quorum, quorum_of

COUNTED = (*Booking.ACTIVE, Booking.State.DONE)


@dataclass(frozen=True)
class Observation:
    """A joint observation, made or agreed, with what its telescopes come to."""

    slot: Slot
    quorum: Quorum


@dataclass(frozen=True)
class Progress:
    """Of one target. `open_count`: slots that may still be agreed, drafts included; `lost_count`: slots that came to
    nothing, expired, cancelled, or over without enough that was observed.
    """

    target: Target
    asked: int
    observation_length: dt.timedelta
    done: tuple[Observation, ...]
    confirmed: tuple[Observation, ...]
    open_count: int
    lost_count: int

    @property
    def missing(self) -> int:
        """Observations that are neither made nor agreed."""
        return max(self.asked - len(self.done) - len(self.confirmed), 0)

    @property
    def asked_minutes(self) -> int:
        return self.asked * _minutes(self.observation_length)

    @property
    def done_minutes(self) -> int:
        return sum(_minutes(each.slot.length) for each in self.done)

    @property
    def confirmed_minutes(self) -> int:
        return sum(_minutes(each.slot.length) for each in self.confirmed)

    @property
    def missing_minutes(self) -> int:
        return self.missing * _minutes(self.observation_length)


def progress_of(campaign: Campaign, actor: Actor) -> list[Progress]:
    """By target, those of the campaign and those of its slots, as far as the actor may know of them. Three queries."""
    targets = {each.pk: each for each in Target.objects.visible_to(actor).filter(campaigns=campaign).order_by("pk")}
    by_target: dict[int, list[Slot]] = defaultdict(list)
    slots = Slot.objects.visible_to(actor).filter(campaign=campaign).select_related("target").order_by("starts_at")
    for slot in slots:
        by_target[slot.target_id].append(slot)
        targets.setdefault(slot.target_id, slot.target)
    held: dict[int, list[Booking]] = defaultdict(list)
    bookings = Booking.objects.filter(claim__slot__campaign=campaign, state__in=COUNTED)
    for booking in bookings.select_related("telescope__observatory", "claim"):
        assert booking.claim is not None
        held[booking.claim.slot_id].append(booking)
    return [_progress(campaign, target, by_target[pk], held) for pk, target in targets.items()]


def _progress(campaign: Campaign, target: Target, slots: Sequence[Slot], held: dict[int, list[Booking]]) -> Progress:
    done: list[Observation] = []
    confirmed: list[Observation] = []
    open_count = lost_count = 0
    for slot in slots:
        bookings = held[slot.pk]
        if slot.state in (Slot.State.DRAFT, Slot.State.OPEN):
            open_count += 1
        elif slot.state in (Slot.State.EXPIRED, Slot.State.CANCELLED):
            lost_count += 1
        elif (observed := _observed(slot, bookings)) is not None:
            done.append(observed)
        elif slot.state == Slot.State.COMPLETED:
            lost_count += 1
        else:
            confirmed.append(Observation(slot, quorum_of(slot, bookings)))
    length = dt.timedelta(minutes=campaign.observation_minutes)
    return Progress(
        target, campaign.observation_count, length, tuple(done), tuple(confirmed), open_count, lost_count
    )  # fmt: skip


def _observed(slot: Slot, bookings: Sequence[Booking]) -> Observation | None:
    """What was reported as observed, where it is enough: a slot of which clouds left too little is none."""
    made = [booking for booking in bookings if booking.state == Booking.State.DONE]
    quorum = quorum_of(slot, made) if made else None
    return Observation(slot, quorum) if quorum is not None and quorum.holds else None


def _minutes(length: dt.timedelta) -> int:
    return round(length.total_seconds() / 60.0)
