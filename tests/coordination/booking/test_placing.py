"""Slots are placed inside real joint windows, and follow the orbit."""

import datetime as dt
import itertools

import pytest
import time_machine
from django.db.models import F

from coordination.booking.models import Booking, Seat, Slot
from coordination.booking.services import (
    accept_shift,
    add_slot,
    book_telescope,
    claim_seats,
    dismiss_review,
    propose_shift,
    propose_slots,
    publish_slot,
    rapid_response,
    recheck_slots,
    rehearse_claim,
)
from coordination.booking.services.open_seats import windows_over
from coordination.campaigns.models import Campaign
from coordination.campaigns.services import (
    add_target,
    answer_invitation,
    choose_ephemeris_source,
    create_campaign,
    invite,
    open_campaign,
)
from coordination.common.problems import ConflictError, DomainError
from coordination.visibility.joint_windows import joint_windows_of, windows_on_demand
from observatories.models import Organisation, Telescope, User
from targets.models import Orbit
from targets.services.ephemerides import Span
from tests.horizons import horizons_says
from tests.network import catalogue, network

from .conftest import HOUR, MINUTE, events_of, make_organisation, told

__all__ = ["catalogue", "network"]
NOW = dt.datetime(2027, 1, 30, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def lead(network) -> Organisation:
    """Every telescope gets an organisation of its own; the one in Chile leads."""
    for telescope in network:
        slug = telescope.name[-3:].lower()
        telescope.organisation, _ = make_organisation(slug)
        telescope.save()
    return Organisation.objects.get(slug="w84")


@pytest.fixture
def campaign(catalogue, lead) -> Campaign:
    """Ranging of Ganymed, open, joined by all."""
    campaign = create_campaign(
        title="Ganymed", slug="ganymed", aim="Practice.", kind="ranging", lead_organisation_id=lead.pk,
        starts_at=NOW, ends_at=NOW + dt.timedelta(days=6),
    )  # fmt: skip
    for organisation in Organisation.objects.exclude(slug__in=["w84", "network"]):
        invite(campaign.pk, organisation.pk)
        answer_invitation(campaign.pk, organisation.pk, join=True)
    add_target(campaign.pk, catalogue["Ganymed"].pk)
    return open_campaign(campaign.pk)


def covering(slot: Slot) -> list[Seat]:
    """Seats of a slot that lie wholly inside a window of their telescope, computed anew."""
    seats = list(slot.seats.select_related("telescope"))
    windows = windows_on_demand(
        slot.target, [seat.telescope for seat in seats], Span(slot.starts_at - 12 * HOUR, slot.ends_at + 12 * HOUR)
    )
    return [
        seat
        for seat in seats
        if any(
            w.telescope_id == seat.telescope_id and w.starts_at <= seat.observe_from and seat.observe_until <= w.ends_at
            for w in windows
        )
    ]


def test_drafts_lie_inside_joint_windows_and_say_why(campaign):
    slots = propose_slots(campaign.pk)
    assert len(slots) == 3  # what close-approach ranging asks for
    joint = joint_windows_of(
        slots[0].target, list(Telescope.objects.all()), Span(NOW, NOW + dt.timedelta(days=6)), min_sites=2
    )
    for slot in slots:
        assert (slot.state, slot.ends_at - slot.starts_at) == ("draft", 20 * MINUTE)
        assert covering(slot) == list(slot.seats.all())
        assert any(each.starts_at <= slot.starts_at and slot.ends_at <= each.ends_at for each in joint)
        assert slot.expected_yield["baseline_km"] >= 3000.0
        assert slot.expected_yield["sites"] >= 2
        assert "sites at once" in slot.reason
        assert slot.claim_deadline == slot.starts_at - 12 * HOUR > NOW
        assert slot.starts_at.second == 0
    assert all(one.ends_at <= other.starts_at for one, other in itertools.pairwise(slots))


def test_telescopes_that_are_booked_are_left_out(campaign):
    (slot,) = propose_slots(campaign.pk, count=1)
    for seat in slot.seats.all():
        book_telescope(seat.telescope_id, observe_from=NOW + HOUR, observe_until=campaign.ends_at + 24 * HOUR)
    taken = set(slot.seats.values_list("telescope_id", flat=True))
    for again in propose_slots(campaign.pk, count=1):
        assert not taken & set(again.seats.values_list("telescope_id", flat=True))


def test_a_relay_is_placed_where_it_covers_the_most(campaign):
    Campaign.objects.filter(pk=campaign.pk).update(
        mode="relay", observation_minutes=600, min_baseline_km=None, min_sites=2, handover_minutes=15,
        min_covered_fraction=0.5,
    )  # fmt: skip
    (slot,) = propose_slots(campaign.pk, count=1)
    assert slot.mode == "relay"
    assert slot.expected_yield["covered_fraction"] >= 0.5
    assert covering(slot) == list(slot.seats.all())
    assert slot.seats.count() >= 2


def test_the_coordinator_may_choose_the_time_but_not_the_sky(campaign):
    (best,) = propose_slots(campaign.pk, count=1)
    mine = add_slot(
        campaign.pk, best.target_id, starts_at=best.starts_at, ends_at=best.starts_at + 5 * MINUTE, capacity=3
    )
    assert set(mine.seats.values_list("telescope_id", flat=True)) >= set(
        best.seats.values_list("telescope_id", flat=True)
    )
    everybody = list(Telescope.objects.values_list("pk", flat=True))
    with pytest.raises(ConflictError, match="window"):
        add_slot(campaign.pk, best.target_id, starts_at=best.starts_at, ends_at=best.ends_at, telescope_ids=everybody)
    with pytest.raises(DomainError) as refusal:
        propose_slots(campaign.pk, starts_at=NOW, ends_at=NOW.replace(tzinfo=None))
    assert refusal.value.field == "ends_at"


def test_rapid_response_publishes_open_slots_and_tells_everybody(catalogue, lead):
    campaign = create_campaign(
        title="New object", slug="rapid", aim="Confirm it.", kind="rapid_response", lead_organisation_id=lead.pk,
        starts_at=NOW, ends_at=NOW + dt.timedelta(days=2),
    )  # fmt: skip
    add_target(campaign.pk, catalogue["Ganymed"].pk)
    other = Organisation.objects.get(slug="j04")
    invite(campaign.pk, other.pk)
    answer_invitation(campaign.pk, other.pk, join=True)
    with pytest.raises(ConflictError, match="open it first"):
        rapid_response(campaign.pk)
    open_campaign(campaign.pk)
    slots = rapid_response(campaign.pk)
    assert {slot.state for slot in slots} == {"open"}
    assert {slot.kind for slot in slots} == {"open"}
    assert all(NOW <= slot.starts_at < NOW + 24 * HOUR for slot in slots)
    assert told("slot.published") == {"w84", "j04"}
    seeing = windows_over(slots[0].target, list(Telescope.objects.all()), slots[0].starts_at, slots[0].ends_at)
    theirs = Telescope.objects.filter(organisation__slug__in=["w84", "j04"])
    for telescope in theirs:
        asked = {"telescope_ids": [telescope.pk], "show": lambda claim: claim.state}
        verdict = rehearse_claim(slots[0].pk, telescope.organisation_id, **asked)
        expected = ("confirmed", []) if telescope.pk in seeing else (None, ["no-window"])
        assert (verdict.would, [each.error.extra["code"] for each in verdict.refusals]) == expected
    assert not slots[0].seats.exists()
    for telescope in theirs:
        if telescope.pk in seeing:
            assert (
                claim_seats(slots[0].pk, telescope.organisation_id, telescope_ids=[telescope.pk]).state == "confirmed"
            )
        else:
            with pytest.raises(ConflictError, match="no window over the whole slot"):
                claim_seats(slots[0].pk, telescope.organisation_id, telescope_ids=[telescope.pk])
    assert slots[0].seats.exists()


def new_orbit(slot: Slot, days: float) -> None:
    """The target a little ahead or behind on its orbit."""
    old = slot.target.current_orbit
    motion_deg_d = 0.9856076686 / old.a_au**1.5
    orbit = Orbit.objects.get(pk=old.pk)
    orbit.pk, orbit.fingerprint = None, f"shifted by {days}"[:32]
    orbit.mean_anomaly_deg = (old.mean_anomaly_deg + motion_deg_d * days) % 360.0
    orbit.save()
    slot.target.current_orbit = orbit
    slot.target.save()


def at_the_edge(campaign: Campaign) -> Slot:
    """A published slot that begins where a target has just risen for one of two, claimed by both."""
    (target,) = campaign.targets.all()
    telescopes = list(Telescope.objects.filter(name__in=["1 m at W84", "1 m at J04"]))
    windows = windows_on_demand(target, telescopes, Span(NOW + 24 * HOUR, NOW + 72 * HOUR))
    overlaps = [
        window
        for window in windows
        for other in windows
        if other.starts_at < window.starts_at < other.ends_at - HOUR and window.opened_by == "altitude"
    ]
    start = overlaps[0].starts_at
    start = (start + dt.timedelta(seconds=1)).replace(microsecond=0)
    ids = [telescope.pk for telescope in telescopes]
    slot = add_slot(campaign.pk, target.pk, starts_at=start, ends_at=start + 20 * MINUTE, telescope_ids=ids)
    publish_slot(slot.pk)
    for seat in slot.seats.select_related("telescope"):
        claim_seats(slot.pk, seat.telescope.organisation_id, seat_ids=[seat.pk])
    slot.refresh_from_db()
    return slot


def later_rising(slot: Slot) -> None:
    """A new orbit with which the target rises a minute or so later."""
    for days in (3.0, -6.0):
        new_orbit(slot, days)
        recheck_slots()
        changed = Slot.objects.get(pk=slot.pk)
        if changed.needs_review or changed.starts_at != slot.starts_at:
            return


def test_a_new_orbit_that_keeps_the_windows_changes_nothing_but_tells_the_shift(campaign):
    (slot,) = propose_slots(campaign.pk, count=1)
    publish_slot(slot.pk)
    assert recheck_slots() == 0
    new_orbit(slot, 0.5)
    assert recheck_slots() == 1
    again = Slot.objects.get(pk=slot.pk)
    assert (again.starts_at, again.needs_review) == (slot.starts_at, False)
    event = events_of("slot.rechecked")[-1]
    assert event.payload["moved_arcsec"] > 60.0
    assert told("slot.rechecked") == {"w84"}
    assert recheck_slots() == 0


def test_within_the_tolerance_all_seats_shift_together_and_the_holders_are_told(campaign):
    slot = at_the_edge(campaign)
    later_rising(slot)
    again = Slot.objects.get(pk=slot.pk)
    assert dt.timedelta() < again.starts_at - slot.starts_at <= 5 * MINUTE
    assert (again.state, again.needs_review) == ("confirmed", False)
    assert len(covering(again)) == 2
    assert Booking.objects.active().filter(observe_from=again.starts_at, observe_until=again.ends_at).count() == 2
    assert told("slot.moved") == {"w84", "j04"}
    notice = events_of("slot.moved")[-1].payload["notice"]["text"]
    assert f"{slot.starts_at:%H:%M}" in notice
    assert f"{again.starts_at:%H:%M}" in notice


def test_slots_follow_horizons_where_the_coordinator_chooses_so_and_back(campaign):
    slot = at_the_edge(campaign)
    coordinator = User.objects.get(username="w84")
    choose_ephemeris_source(campaign.pk, slot.target_id, "horizons", actor=coordinator)
    assert recheck_slots() == 0
    for late_d in (-3.0, 6.0):
        horizons_says(slot.target, late_d=late_d, solution=f"JPL#{late_d}")
        assert recheck_slots() == 1
        there = Slot.objects.get(pk=slot.pk)
        assert there.solution == f"JPL#{late_d}"
        if there.starts_at != slot.starts_at:
            break
    assert dt.timedelta() < there.starts_at - slot.starts_at <= 5 * MINUTE
    assert len(covering(there)) == 2
    assert "JPL Horizons (JPL#" in events_of("slot.moved")[-1].payload["notice"]["text"]
    assert recheck_slots() == 0
    choose_ephemeris_source(campaign.pk, slot.target_id, "propagated", actor=coordinator)
    assert recheck_slots() == 1
    back = Slot.objects.get(pk=slot.pk)
    assert (back.solution, back.needs_review, len(covering(back))) == ("", False, 2)


def test_what_is_not_free_is_not_moved(campaign):
    slot = at_the_edge(campaign)
    held = slot.seats.first()
    book_telescope(held.telescope_id, observe_from=slot.ends_at + 4 * MINUTE, observe_until=slot.ends_at + HOUR)
    later_rising(slot)
    again = Slot.objects.get(pk=slot.pk)
    assert (again.starts_at, again.needs_review) == (slot.starts_at, True)


def test_beyond_the_tolerance_nothing_moves_until_all_accept(campaign):
    Campaign.objects.filter(pk=campaign.pk).update(time_tolerance_minutes=0.0)
    slot = at_the_edge(campaign)
    later_rising(slot)
    slot = Slot.objects.get(pk=slot.pk)
    assert slot.needs_review
    assert slot.proposed_shift_s
    before = list(Booking.objects.active().values_list("observe_from", flat=True))
    propose_shift(slot.pk)
    first, second = slot.claims.all()
    accept_shift(first.pk)
    assert list(Booking.objects.active().values_list("observe_from", flat=True)) == before
    accept_shift(second.pk)
    moved = Slot.objects.get(pk=slot.pk)
    assert (moved.starts_at - slot.starts_at).total_seconds() == slot.proposed_shift_s
    assert not moved.needs_review
    assert Booking.objects.active().exclude(observe_from=F("seat__observe_from")).count() == 0


def test_a_withdrawn_orbit_flags_and_never_cancels(campaign):
    (slot,) = propose_slots(campaign.pk, count=1)
    publish_slot(slot.pk)
    slot.target.current_orbit = None
    slot.target.save()
    assert recheck_slots() == 1
    slot.refresh_from_db()
    assert (slot.state, slot.needs_review) == ("open", True)
    assert "withdrawn" in slot.review_reason
    dismiss_review(slot.pk)
    slot.refresh_from_db()
    assert not slot.needs_review
