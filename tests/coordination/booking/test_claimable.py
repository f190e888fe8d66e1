"""What is shown as claimable can be claimed, and what is not is refused for the reason that was shown."""

import itertools
import random

import pytest
from django.db import transaction

from coordination.booking.claimable import offers, only_claimable, seats_with_state
from coordination.booking.models import Booking, Claim, Slot, TelescopeGrant
from coordination.booking.services import book_telescope, claim_seats, withdraw_claim
from coordination.campaigns.models import Campaign, Participation
from coordination.common.actors import actor_of
from coordination.common.problems import DomainError
from observatories.models import Membership, Telescope
from observatories.services import add_closure

from .conftest import HOUR, MINUTE, make_seats, make_slot

SLUGS = ("chile", "canary", "australia", "hawaii")


def offered(slots, user):
    """As the list of slots asks: visible ones with campaign, target and seats."""
    visible = Slot.objects.visible_to(actor_of(user)).filter(pk__in=[slot.pk for slot in slots])
    rows = list(visible.select_related("campaign", "target").prefetch_related(seats_with_state()))
    return offers(rows, user)


def outcome_of(slot_id, organisation, seat, user) -> str:
    """What a claim of one seat would come to, and nothing changed."""
    told = ""
    try:
        with transaction.atomic():
            claim_seats(slot_id, organisation.pk, seat_ids=[seat.pk], actor=user)
            transaction.set_rollback(True)
    except DomainError as refusal:
        told = refusal.extra["code"]
    return told


def happen(world, slots, dice: random.Random) -> None:
    """One thing that may befall a campaign."""
    slug, slot = dice.choice(SLUGS), dice.choice(slots)
    telescope, organisation = world.telescopes[slug], world.organisations[slug]
    seats = {seat.telescope_id: seat for seat in slot.seats.all()}
    kind = dice.randrange(12)
    try:
        if kind <= 3:
            claim_seats(slot.pk, organisation.pk, seat_ids=[seats[telescope.pk].pk], allow_waiting=dice.random() < 0.5)
        elif kind == 4:
            start = slot.starts_at + dice.choice([-2, 0, 1]) * 20 * MINUTE
            book_telescope(telescope.pk, observe_from=start, observe_until=start + 20 * MINUTE)
        elif kind == 5:
            add_closure(telescope_id=telescope.pk, starts_at=slot.starts_at, ends_at=slot.ends_at, reason="mirror")
        elif kind == 6:
            TelescopeGrant.objects.create(
                telescope=telescope, organisation=world.organisations[dice.choice(SLUGS)],
                campaign=dice.choice([None, world.campaign]), starts_at=slot.starts_at - HOUR * dice.choice([0, 1]),
                ends_at=slot.ends_at - dice.choice([0, 1]) * MINUTE,
            )  # fmt: skip
        elif kind == 7:
            Slot.objects.filter(pk=slot.pk).update(capacity=dice.choice([2, 3, None]))
        elif kind == 8:
            Participation.objects.filter(organisation=organisation).update(
                hour_limit_h=dice.choice([0.0, 0.5, 1.0, None]), state=dice.choice(["joined", "joined", "invited"])
            )
        elif kind == 9:
            Telescope.objects.filter(pk=telescope.pk).update(state=dice.choice(["active", "active", "maintenance"]))
        elif kind == 10 and (claim := Claim.objects.filter(state__in=Claim.HOLDING).first()):
            withdraw_claim(claim.pk)
        else:
            Campaign.objects.filter(pk=world.campaign.pk).update(hour_limit_h=dice.choice([None, 1.0, 3.0]))
    except DomainError:
        pass


@pytest.mark.parametrize("seed", range(4))
def test_in_whatever_situation_the_judgement_agrees_with_a_claim(world, seed):
    dice = random.Random(seed)
    slots = [world.slot]
    for k in range(2):
        slots.append(make_slot(world.campaign, world.target, world.slot.starts_at + (k + 1) * 25 * MINUTE, min_sites=2))
        make_seats(slots[-1], world.telescopes)
    Slot.objects.filter(pk=slots[1].pk).update(needs_replacement=True, state="confirmed")
    # Somebody who may claim for two organisations.
    Membership.objects.create(
        user=world.people["chile"], organisation=world.organisations["canary"], role=Membership.Role.MANAGER
    )
    seen = set()
    for _ in range(10):
        happen(world, slots, dice)
        for slug, able in (("chile", ("chile", "canary")), ("hawaii", ("hawaii",))):
            user = world.people[slug]
            found = offered(slots, user)
            for offer in itertools.chain.from_iterable(found.values()):
                outcomes = {
                    each: outcome_of(offer.seat.slot_id, world.organisations[each], offer.seat, user) for each in able
                }
                assert set(offer.claimable_by) == {each for each, code in outcomes.items() if not code}
                if offer.why_not is not None:
                    seen.add(offer.why_not.extra["code"])
                    assert offer.why_not.extra["code"] in outcomes.values()
            listed = set(only_claimable(Slot.objects.visible_to(actor_of(user)), user).values_list("pk", flat=True))
            assert listed == {pk for pk, each in found.items() if any(offer.claimable_by for offer in each)}
    assert {"not-yours"} <= seen


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": "expired"}, "slot-not-open"),
        ({"state": "completed"}, "slot-not-open"),
        ({"claim_deadline": "past"}, "deadline-passed"),
        ({"campaign": "closed"}, "campaign-not-open"),
    ],
)
def test_a_slot_that_is_over_says_so_as_the_claim_does(world, change, code):
    if "campaign" in change:
        Campaign.objects.filter(pk=world.campaign.pk).update(state="closed")
    else:
        past = world.slot.claim_deadline - 48 * HOUR
        Slot.objects.filter(pk=world.slot.pk).update(
            **{name: past if value == "past" else value for name, value in change.items()}
        )
    user = world.people["chile"]
    found = offered([world.slot], user)[world.slot.pk]
    assert {offer.why_not.extra["code"] for offer in found} == {code}
    assert outcome_of(world.slot.pk, world.organisations["chile"], world.seats["chile"], user) == code
    assert not only_claimable(Slot.objects.all(), user)


def test_who_may_not_claim_for_anybody_is_told_so(world, signed_in_client):
    from django.contrib.auth.models import AnonymousUser

    Membership.objects.filter(user=world.people["chile"]).update(role="member")
    for user, code in ((world.people["chile"], "not-scheduler"), (AnonymousUser(), "not-signed-in")):
        found = offered([world.slot], user)[world.slot.pk]
        assert {(offer.claimable_by, offer.why_not.extra["code"]) for offer in found} == {((), code)}


def test_the_interval_is_told_and_who_and_why_only_to_whose_it_is(world):
    add_closure(
        telescope_id=world.telescopes["chile"].pk, starts_at=world.slot.starts_at, ends_at=world.slot.ends_at,
        reason="mirror coating",
    )  # fmt: skip
    TelescopeGrant.objects.create(
        telescope=world.telescopes["chile"], organisation=world.organisations["canary"],
        starts_at=world.slot.starts_at, ends_at=world.slot.ends_at,
    )  # fmt: skip
    for slug, knows in (("chile", True), ("canary", False)):
        (offer,) = [
            each
            for each in offered([world.slot], world.people[slug])[world.slot.pk]
            if each.seat.telescope_id == world.telescopes["chile"].pk
        ]
        conflict = offer.why_not.extra["conflict"]
        assert conflict["kind"] == "closure"
        assert conflict["ends_at"] == world.slot.ends_at.isoformat().replace("+00:00", "Z")
        assert ("reason" in conflict) == knows


def test_the_number_of_queries_does_not_grow_with_the_slots(world, django_assert_num_queries):
    slots = [world.slot]
    for k in range(4):
        slots.append(make_slot(world.campaign, world.target, world.slot.starts_at + (k + 1) * HOUR))
        make_seats(slots[-1], world.telescopes)
    rows = list(Slot.objects.select_related("campaign", "target").prefetch_related(seats_with_state()))
    world.claim("hawaii")
    assert Booking.objects.exists()
    for few in (rows[:1], rows):
        with django_assert_num_queries(8):
            offers(few, world.people["chile"])
