"""How a slot lives, as far as claims make it."""

import datetime as dt

import pytest
import time_machine

from coordination.booking.models import Booking, Claim, Seat, Slot, TelescopeGrant
from coordination.booking.services import book_telescope, claim_seats, grant_telescope, update_slot, withdraw_claim
from coordination.booking.services.first_look import already_taken
from coordination.campaigns.models import Campaign, Participation
from coordination.common import clock
from coordination.common.problems import ConflictError, DomainError, ForbiddenError, UnknownError
from observatories.models import Membership, Telescope
from observatories.services import add_closure
from targets.models import Target

from .conftest import HOUR, MINUTE, active_bookings, events_of, make_seats, make_slot, told


def test_a_claim_holds_its_telescope_with_setup_and_slew(world):
    claim = world.claim("chile", note="clear skies")
    booking = Booking.objects.get(claim=claim)
    assert (claim.state, booking.state, world.reload().state) == ("held", "held", "open")
    assert booking.observe_from - booking.starts_at == dt.timedelta(seconds=180)
    assert booking.ends_at == booking.observe_until == world.slot.ends_at
    assert claim.history.get().history_user == world.people["chile"]


def test_the_quorum_confirms_slot_claims_and_bookings_in_one_step(world):
    first, second = world.claim("chile"), world.claim("canary")
    first.refresh_from_db()
    assert (world.reload().state, first.state, second.state) == ("confirmed", "confirmed", "confirmed")
    assert {booking.state for booking in active_bookings(world)} == {"confirmed"}
    assert told("slot.confirmed") == {"chile", "canary"}
    assert len(events_of("claim.confirmed")) == 2


def test_a_confirmed_slot_accepts_further_claims_which_are_confirmed_at_once(world):
    for slug in ("chile", "canary", "australia"):
        claim = world.claim(slug)
    assert claim.state == "confirmed"
    assert len(events_of("slot.confirmed")) == 1


def test_two_telescopes_of_one_mountain_are_one_site(world):
    twin = Telescope.objects.create(
        observatory=world.telescopes["chile"].observatory, organisation=world.organisations["canary"], name="twin",
        aperture_m=1, field_width_deg=1, field_height_deg=1, limiting_v_mag=20,
    )  # fmt: skip
    seat = make_seats(world.slot, {"twin": twin})["twin"]
    world.claim("chile")
    claim_seats(world.slot.pk, world.organisations["canary"].pk, seat_ids=[seat.pk])
    assert world.reload().state == "open"


def test_baseline_and_longitude_spread_belong_to_the_quorum(world):
    Slot.objects.filter(pk=world.slot.pk).update(
        min_longitude_spread_deg=100.0, min_baseline_km=1000.0, middle_ra_deg=10.0, middle_dec_deg=5.0
    )
    world.claim("chile")
    world.claim("canary")  # 52 degrees apart
    assert world.reload().state == "open"
    world.claim("australia")
    assert world.reload().state == "confirmed"


def test_all_seats_or_none(world):
    book_telescope(
        world.telescopes["canary"].pk, observe_from=world.slot.starts_at + MINUTE, observe_until=world.slot.ends_at
    )
    TelescopeGrant.objects.create(
        telescope=world.telescopes["canary"], organisation=world.organisations["chile"],
        starts_at=clock.now(), ends_at=clock.now() + 100 * HOUR,
    )  # fmt: skip
    seats = [world.seats["chile"].pk, world.seats["canary"].pk]
    with pytest.raises(ConflictError) as refusal:
        claim_seats(world.slot.pk, world.organisations["chile"].pk, seat_ids=seats)
    assert refusal.value.extra["conflict"]["telescope"] == world.telescopes["canary"].pk
    assert not Claim.objects.exists()
    assert active_bookings(world) == []


def test_a_conflict_names_the_interval_and_the_rest_only_to_those_who_may_see_it(world):
    other = make_slot(world.campaign, world.target, world.slot.starts_at + 10 * MINUTE)
    seats = make_seats(other, world.telescopes)
    claimed = world.claim("chile")
    TelescopeGrant.objects.create(
        telescope=world.telescopes["chile"], organisation=world.organisations["canary"],
        starts_at=clock.now(), ends_at=clock.now() + 100 * HOUR,
    )  # fmt: skip
    for slug, keys in (("chile", {"booking", "holder"}), ("canary", set())):
        with pytest.raises(ConflictError) as refusal:
            claim_seats(other.pk, world.organisations[slug].pk, seat_ids=[seats["chile"].pk])
        conflict = refusal.value.extra["conflict"]
        assert conflict["ends_at"] == world.slot.ends_at.isoformat().replace("+00:00", "Z")
        assert set(conflict) - {"kind", "telescope", "starts_at", "ends_at"} == keys
    assert claimed.state == "held"


def test_setup_before_an_observation_is_occupied_too(world):
    booked = world.telescopes["chile"].pk
    book_telescope(booked, observe_from=world.slot.starts_at - HOUR, observe_until=world.slot.starts_at - MINUTE)
    with pytest.raises(ConflictError):
        world.claim("chile")


def test_a_closed_telescope_is_not_claimed_and_the_reason_not_told_to_strangers(world):
    add_closure(
        telescope_id=world.telescopes["chile"].pk, starts_at=world.slot.starts_at, ends_at=world.slot.ends_at,
        reason="mirror coating",
    )  # fmt: skip
    with pytest.raises(ConflictError) as refusal:
        world.claim("chile")
    assert (
        refusal.value.extra["conflict"] | {"kind": "closure", "reason": "mirror coating"}
        == (refusal.value.extra["conflict"])
    )
    grant_telescope(
        world.telescopes["chile"].pk, world.organisations["canary"].pk, starts_at=clock.now(),
        ends_at=clock.now() + 100 * HOUR, actor=world.people["chile"],
    )  # fmt: skip
    with pytest.raises(ConflictError) as refusal:
        claim_seats(world.slot.pk, world.organisations["canary"].pk, seat_ids=[world.seats["chile"].pk])
    assert "reason" not in refusal.value.extra["conflict"]


def test_a_telescope_in_maintenance_is_not_claimed(world):
    Telescope.objects.filter(pk=world.telescopes["chile"].pk).update(state="maintenance")
    with pytest.raises(ConflictError, match="maintenance"):
        world.claim("chile")


def test_a_foreign_telescope_needs_a_grant_for_the_time(world):
    seat = world.seats["australia"].pk
    organisation = world.organisations["canary"].pk
    with pytest.raises(ForbiddenError, match="Institute of Australia"):
        claim_seats(world.slot.pk, organisation, seat_ids=[seat])
    grant_telescope(
        world.telescopes["australia"].pk, organisation, starts_at=world.slot.starts_at, ends_at=world.slot.ends_at,
        campaign_id=world.campaign.pk, actor=world.people["australia"],
    )  # fmt: skip
    claim = claim_seats(world.slot.pk, organisation, seat_ids=[seat])
    assert Booking.objects.get(claim=claim).organisation == world.organisations["canary"]
    assert told("grant.given") == {"canary"}


def test_only_those_who_may_act_for_the_organisation_claim(world):
    Membership.objects.filter(user=world.people["chile"]).update(role="member")
    with pytest.raises(ForbiddenError):
        world.claim("chile")


def test_what_one_may_not_know_of_is_not_there(world):
    Target.objects.filter(pk=world.target.pk).update(visibility="campaign")
    Participation.objects.filter(organisation=world.organisations["hawaii"]).update(state="declined")
    with pytest.raises(UnknownError):
        world.claim("hawaii")
    assert world.claim("chile").state == "held"


def test_who_has_not_joined_sees_a_public_slot_but_does_not_claim(world):
    Participation.objects.filter(organisation=world.organisations["hawaii"]).update(state="invited")
    with pytest.raises(ForbiddenError, match="joined"):
        world.claim("hawaii")


@pytest.mark.parametrize(
    ("seats", "field"), [([], "seats"), ([999_999], "seats"), ("twice", "seats"), (list(range(1, 60)), "seats")]
)
def test_bad_requests_name_the_field(world, seats, field):
    if seats == "twice":
        seats = [world.seats["chile"].pk] * 2
    with pytest.raises(DomainError) as refusal:
        claim_seats(world.slot.pk, world.organisations["chile"].pk, seat_ids=seats)
    assert (refusal.value.status, refusal.value.field) == (400, field)


def test_beyond_the_capacity_a_claim_waits_or_is_refused(world):
    Slot.objects.filter(pk=world.slot.pk).update(capacity=2)
    world.claim("chile"), world.claim("canary")
    with pytest.raises(ConflictError, match="full"):
        world.claim("australia")
    waiting = world.claim("australia", allow_waiting=True)
    assert waiting.state == "waiting"
    assert len(active_bookings(world)) == 2


def test_a_free_place_goes_to_the_first_who_waits_and_can(world):
    Slot.objects.filter(pk=world.slot.pk).update(capacity=2)
    first = world.claim("chile")
    world.claim("canary")
    skipped = world.claim("australia", allow_waiting=True)
    next_one = world.claim("hawaii", allow_waiting=True)
    book_telescope(
        world.telescopes["australia"].pk, observe_from=world.slot.starts_at, observe_until=world.slot.ends_at
    )
    withdraw_claim(first.pk, actor=world.people["chile"])
    skipped.refresh_from_db(), next_one.refresh_from_db()
    assert (skipped.state, next_one.state, world.reload().state) == ("waiting", "confirmed", "confirmed")
    assert not world.slot.needs_replacement
    assert told("claim.skipped") == {"australia"}
    assert told("claim.held") == {"hawaii"}


def test_more_capacity_lets_those_in_who_wait(world):
    Slot.objects.filter(pk=world.slot.pk).update(capacity=2)
    world.claim("chile"), world.claim("canary")
    waiting = world.claim("australia", allow_waiting=True)
    update_slot(world.slot.pk, capacity=3, actor=world.lead)
    waiting.refresh_from_db()
    assert waiting.state == "confirmed"


def test_a_withdrawal_below_the_quorum_seeks_a_replacement_and_a_new_claim_is_one(world):
    world.claim("chile")
    claim = world.claim("canary")
    withdraw_claim(claim.pk, reason="technical", actor=world.people["canary"])
    assert (world.reload().state, world.slot.needs_replacement) == ("confirmed", True)
    assert told("slot.needs_replacement") == {"chile", "canary", "australia", "hawaii"}
    with time_machine.travel(world.slot.claim_deadline + HOUR, tick=False):  # longer than other claims
        replacement = world.claim("hawaii")
    assert (world.reload().needs_replacement, replacement.state) == (False, "confirmed")
    assert told("slot.replaced") == {"chile", "hawaii"}


def test_a_withdrawal_too_late_for_a_replacement_cancels_and_frees_everybody(world):
    first, second = world.claim("chile"), world.claim("canary")
    with time_machine.travel(world.slot.replacement_deadline + MINUTE, tick=False):
        withdraw_claim(second.pk, actor=world.people["canary"])
    first.refresh_from_db()
    assert (world.reload().state, first.state) == ("cancelled", "released")
    assert active_bookings(world) == []
    assert told("slot.cancelled") == {"chile"}


def test_a_withdrawn_claim_stays_withdrawn(world):
    claim = world.claim("chile")
    withdraw_claim(claim.pk, actor=world.people["chile"])
    with pytest.raises(ConflictError, match="withdrawn"):
        withdraw_claim(claim.pk, actor=world.people["chile"])
    assert world.claim("chile").state == "held"


def test_nobody_withdraws_the_claim_of_another(world):
    claim = world.claim("chile")
    with pytest.raises(ForbiddenError):
        withdraw_claim(claim.pk, actor=world.people["canary"])


def test_an_overdue_slot_that_meets_a_claim_expires_for_good(world):
    held = world.claim("chile")
    with (
        time_machine.travel(world.slot.claim_deadline, tick=False),
        pytest.raises(ConflictError, match="expired"),
    ):
        world.claim("canary")
    held.refresh_from_db()
    assert (world.reload().state, held.state) == ("expired", "released")
    assert active_bookings(world) == []
    assert told("slot.expired") == {"chile"}


def test_a_confirmed_slot_accepts_claims_until_its_deadline(world):
    world.claim("chile"), world.claim("canary")
    with time_machine.travel(world.slot.claim_deadline, tick=False), pytest.raises(ConflictError, match="until"):
        world.claim("australia")
    assert world.reload().state == "confirmed"


@pytest.mark.parametrize("state", ["draft", "expired", "cancelled", "completed", "in_progress"])
def test_only_open_and_confirmed_slots_are_claimed(world, state):
    Slot.objects.filter(pk=world.slot.pk).update(state=state)
    with pytest.raises(ConflictError):
        world.claim("chile")


def test_a_closed_campaign_accepts_no_claims(world):
    Campaign.objects.filter(pk=world.campaign.pk).update(state="closed")
    with pytest.raises(ConflictError, match="campaign is closed"):
        world.claim("chile")


@pytest.mark.parametrize("whose", ["organisation", "campaign"])
def test_hour_limits_are_kept(world, whose):
    world.claim("chile")  # half an hour
    other = make_slot(world.campaign, world.target, world.slot.starts_at + 3 * HOUR)
    seats = make_seats(other, world.telescopes)
    if whose == "organisation":
        Participation.objects.filter(organisation=world.organisations["chile"]).update(hour_limit_h=0.75)
    else:
        Campaign.objects.filter(pk=world.campaign.pk).update(hour_limit_h=0.75)
    with pytest.raises(ConflictError, match=f"{whose}'s limit is 0.75"):
        claim_seats(other.pk, world.organisations["chile"].pk, seat_ids=[seats["chile"].pk])


def test_back_to_back_seats_of_one_claim_share_setup(world):
    second = Seat.objects.create(
        slot=world.slot, telescope=world.telescopes["chile"], observe_from=world.slot.ends_at,
        observe_until=world.slot.ends_at + HOUR,
    )  # fmt: skip
    seats = [world.seats["chile"].pk, second.pk]
    claim = claim_seats(world.slot.pk, world.organisations["chile"].pk, seat_ids=seats)
    first, following = claim.bookings.order_by("starts_at")
    assert following.starts_at == first.ends_at


@pytest.mark.parametrize("hidden", ["target", "campaign", "deadline", "participation", "telescope"])
def test_the_look_before_the_locks_tells_nothing_that_they_would_not(world, hidden):
    book_telescope(world.telescopes["chile"].pk, observe_from=world.slot.starts_at, observe_until=world.slot.ends_at)
    seat, organisation = world.seats["chile"].pk, world.organisations["chile"].pk
    assert already_taken(world.slot.pk, organisation, [seat]).extra["conflict"]["telescope"]
    if hidden == "target":
        Target.objects.update(visibility="campaign")
    elif hidden == "campaign":
        Campaign.objects.update(state="closed")
    elif hidden == "deadline":
        Slot.objects.update(claim_deadline=clock.now())
    elif hidden == "participation":
        Participation.objects.filter(organisation=organisation).update(state="declined")
    else:
        Telescope.objects.update(organisation=world.organisations["hawaii"])
    assert already_taken(world.slot.pk, organisation, [seat]) is None


def test_a_late_claim_costs_one_query(world, django_assert_num_queries):
    world.claim("chile")
    with django_assert_num_queries(1), pytest.raises(ConflictError):
        claim_seats(world.slot.pk, world.organisations["chile"].pk, seat_ids=[world.seats["chile"].pk])
