"""How a slot looks in the API: times, quorum, seats with what can be claimed, and for participants the claims."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from coordination.campaigns.models import Campaign
from coordination.common.actors import actor_of

from ..claimable import offers, seats_with_state
from ..models import Booking, Claim, Slot
from ..quorum import quorum_of
from ..seats import SeatState
from .parts import ShortOrganisationSerializer, WindowTargetSerializer, WindowTelescopeSerializer


class RoomSerializer(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField(source="room_starts_at", help_text="begin of the joint window around it")
    ends_at = serializers.DateTimeField(source="room_ends_at", help_text="its end")


class AskedSerializer(serializers.Serializer[Any]):
    sites = serializers.IntegerField(source="min_sites", help_text="at least")
    baseline_km = serializers.FloatField(source="min_baseline_km", allow_null=True, help_text="projected, at least")
    longitude_spread_deg = serializers.FloatField(
        source="min_longitude_spread_deg", allow_null=True, help_text="at least"
    )
    covered_fraction = serializers.FloatField(
        source="min_covered_fraction", allow_null=True, help_text="of a relay, at least"
    )
    largest_gap_minutes = serializers.IntegerField(
        source="max_gap_minutes", allow_null=True, help_text="of a relay, at most"
    )


class ThereSerializer(serializers.Serializer[Any]):
    sites = serializers.IntegerField(help_text="with a telescope that is held")
    baseline_km = serializers.FloatField(allow_null=True, help_text="longest one; null where none is asked for")
    longitude_spread_deg = serializers.FloatField(allow_null=True, help_text="null where none is asked for")
    covered_fraction = serializers.FloatField(allow_null=True, help_text="of a relay")
    largest_gap_minutes = serializers.FloatField(allow_null=True, help_text="of a relay")
    holds = serializers.BooleanField(help_text="whether it is enough")
    lacking = serializers.ListField(child=serializers.CharField(), help_text="what is not enough, in words")


class QuorumSerializer(serializers.Serializer[Any]):
    asked = AskedSerializer(source="*", help_text="what has to be claimed for it to be confirmed")
    there = ThereSerializer(source="quorum", help_text="what is claimed")


class IntervalSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="booking or closure")
    telescope = serializers.IntegerField(required=False, help_text="identifier")
    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False)
    booking = serializers.IntegerField(required=False, help_text="for those whose it is")
    holder = serializers.CharField(required=False, help_text="for those whose it is")
    reason = serializers.CharField(required=False, help_text="of a closure, for its own organisation")


class WhyNotSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(
        source="extra.code",
        help_text="not-signed-in, not-scheduler, not-joined, slot-not-open, deadline-passed, campaign-not-open, "
        "not-yours, telescope-not-active, no-window, window-unknown, closed, booked, hour-limit, full",
    )
    detail = serializers.CharField(help_text="the same for people")
    conflict = serializers.SerializerMethodField(help_text="what occupies the telescope")

    @extend_schema_field(IntervalSerializer(allow_null=True))
    def get_conflict(self, refusal: Any) -> Any:
        return refusal.extra.get("conflict")  # as a conflict problem shows it


class SeatSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(
        source="seat.pk", allow_null=True,
        help_text="to claim it by; null: of an open slot, to be claimed by its telescope",
    )  # fmt: skip
    telescope = WindowTelescopeSerializer(source="seat.telescope", help_text="what observes")
    observe_from = serializers.DateTimeField(source="seat.observe_from", help_text="begin of the observation")
    observe_until = serializers.DateTimeField(source="seat.observe_until", help_text="its end")
    occupied_from = serializers.DateTimeField(source="seat.occupied_from", help_text="where setup and slew begin")
    state = serializers.ChoiceField(choices=SeatState.choices, help_text="follows from claims, bookings and closures")
    peak_altitude_deg = serializers.FloatField(source="seat.peak_altitude_deg", allow_null=True)
    v_mag = serializers.FloatField(source="seat.v_mag", allow_null=True)
    rate_arcsec_min = serializers.FloatField(source="seat.rate_arcsec_min", allow_null=True, help_text="sky motion")
    claimable = serializers.SerializerMethodField(help_text="whether the caller can claim it now")
    claimable_by = serializers.ListField(
        child=serializers.CharField(), help_text="short names of the organisations for which the caller can"
    )
    why_not = WhyNotSerializer(allow_null=True, help_text="the reason that says most; null where it can be claimed")

    def get_claimable(self, offer: Any) -> bool:
        return bool(offer.claimable_by)


class SlotClaimSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", help_text="identifier")
    organisation = ShortOrganisationSerializer(help_text="who claims")
    state = serializers.ChoiceField(choices=Claim.State.choices)
    seats = serializers.ListField(child=serializers.IntegerField(), source="seat_ids", help_text="identifiers")
    accepts_shift = serializers.BooleanField(help_text="agreed to the proposed shift")


class SlotSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", help_text="identifier")
    campaign = serializers.CharField(source="campaign.slug", help_text="short name")
    target = WindowTargetSerializer(help_text="what is observed")
    kind = serializers.ChoiceField(choices=Slot.Kind.choices)
    mode = serializers.ChoiceField(choices=Campaign.Mode.choices)
    state = serializers.ChoiceField(choices=Slot.State.choices)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    room = RoomSerializer(source="*", help_text="within which it may be moved")
    quorum = QuorumSerializer(source="*")
    capacity = serializers.IntegerField(allow_null=True, help_text="seats at most; null: no limit")
    claim_deadline = serializers.DateTimeField(help_text="claims are accepted until then")
    replacement_deadline = serializers.DateTimeField(help_text="replacements are sought until then")
    needs_replacement = serializers.BooleanField(help_text="confirmed, but below its quorum")
    needs_review = serializers.BooleanField(help_text="a new orbit moved its windows")
    review_reason = serializers.CharField()
    proposed_shift_s = serializers.FloatField(allow_null=True, help_text="which its holders are asked to accept")
    reason = serializers.CharField(help_text="why it lies here")
    expected_yield = serializers.DictField(help_text="baseline, parallax, precision …, as figures with units in names")
    notes = serializers.CharField()
    seats = SeatSerializer(source="offers", many=True, help_text="the caller's further telescopes in open slots too")
    claims = SlotClaimSerializer(source="known_claims", many=True, help_text="for participants; else one's own")
    is_demo = serializers.BooleanField(help_text="demonstration data")


def dress_slots(slots: Sequence[Any], user: Any) -> None:
    """Give slots, with campaign and target, what their representation shows beside them."""
    claims = Claim.objects.visible_to(actor_of(user)).select_related("organisation").prefetch_related("claimed_seats")
    prefetch_related_objects(list(slots), seats_with_state(), Prefetch("claims", claims.order_by("created_at", "pk")))
    found = offers(slots, user)
    held: dict[int, list[Booking]] = defaultdict(list)
    active = Booking.objects.active().filter(claim__slot__in=[slot.pk for slot in slots])
    for booking in active.select_related("telescope__observatory", "claim"):
        assert booking.claim is not None
        held[booking.claim.slot_id].append(booking)
    for slot in slots:
        slot.offers, slot.quorum = found[slot.pk], quorum_of(slot, held[slot.pk])
        slot.known_claims = list(slot.claims.all())
        for claim in slot.known_claims:
            claim.seat_ids = [each.seat_id for each in claim.claimed_seats.all()]
