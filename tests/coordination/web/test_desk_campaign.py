"""A campaign at the desk: participants, progress, coverage, slots and what may be done."""

import pytest
import time_machine
from django.urls import reverse

from coordination.booking.models import Booking, Slot
from coordination.booking.services import advance_slots, claim_seats, report_result
from coordination.campaigns.models import Campaign, Participation
from observatories.models import Membership
from tests.coordination.booking.conftest import HOUR, MINUTE, make_organisation, make_seats, make_slot

pytestmark = pytest.mark.django_db


def overview(world) -> str:
    return reverse("desk:campaign", args=[world.campaign.pk])


def figures(page) -> dict[str, int]:
    ((progress, _),) = page.context["progress"]
    return {
        "asked": progress.asked, "done": len(progress.done), "confirmed": len(progress.confirmed),
        "open": progress.open_count, "lost": progress.lost_count, "missing": progress.missing,
    }  # fmt: skip


def test_progress_counts_what_is_observed_and_agreed(world, signed_in):
    """Two observations are asked for: one is made, one is lost to clouds, so that one is missing."""
    Campaign.objects.filter(pk=world.campaign.pk).update(observation_count=2, min_longitude_spread_deg=20.0)
    Slot.objects.filter(pk=world.slot.pk).update(min_longitude_spread_deg=20.0)
    later = make_slot(world.campaign, world.target, world.slot.starts_at + 24 * HOUR, min_longitude_spread_deg=20.0)
    seats = {world.slot.pk: world.seats, later.pk: make_seats(later, world.telescopes)}
    lead = signed_in(world.lead)
    assert figures(lead.get(overview(world))) == {
        "asked": 2, "done": 0, "confirmed": 0, "open": 2, "lost": 0, "missing": 2,
    }  # fmt: skip
    for slot in (world.slot, later):
        for slug in ("chile", "canary"):
            claim_seats(slot.pk, world.organisations[slug].pk, seat_ids=[seats[slot.pk][slug].pk])
    page = lead.get(overview(world))
    assert figures(page)["confirmed"] == 2
    assert figures(page)["missing"] == 0
    ((_, requirements),) = page.context["progress"]
    assert [(each.name, each.asked, each.done, each.confirmed) for each in requirements] == [
        ("Sites", "2 or more", "–", "2"), ("Longitude spread", "20 deg or more", "–", "52 deg"),
    ]  # fmt: skip

    with time_machine.travel(later.ends_at + MINUTE, tick=False):
        advance_slots()
        bookings = {(b.claim.slot_id, b.organisation.slug): b for b in Booking.objects.select_related("organisation")}
        report_result(bookings[world.slot.pk, "chile"].pk, result="observed")
        assert figures(lead.get(overview(world)))["confirmed"] == 2  # the other one has not said yet
        report_result(bookings[world.slot.pk, "canary"].pk, result="partly")
        report_result(bookings[later.pk, "chile"].pk, result="observed")
        report_result(bookings[later.pk, "canary"].pk, result="failed_weather")
        page = lead.get(overview(world))
    assert figures(page) == {"asked": 2, "done": 1, "confirmed": 0, "open": 0, "lost": 1, "missing": 1}
    ((progress, requirements),) = page.context["progress"]
    assert (progress.asked_minutes, progress.done_minutes, progress.missing_minutes) == (60, 30, 30)
    assert [each.done for each in requirements] == ["2", "52 deg"]
    chile = page.context["participants"][0]
    assert (chile.seats_in_words, chile.hours) == ("2 done", 1.0)


def test_each_is_offered_what_the_pages_offer(world, signed_in):
    draft = make_slot(world.campaign, world.target, world.slot.starts_at + 24 * HOUR, state=Slot.State.DRAFT)
    make_seats(draft, world.telescopes)

    def labels(person) -> dict[int, list[str]]:
        page = signed_in(person).get(overview(world))
        return {row["slot"].pk: [label for _, label in row["steps"]] for row in page.context["slot_rows"]}

    assert labels(world.lead) == {
        world.slot.pk: ["Claim seats", "Propose shift", "Edit", "Cancel slot"],
        draft.pk: ["Publish", "Edit", "Remove seats", "Cancel slot"],
    }
    assert labels(world.people["hawaii"]) == {world.slot.pk: ["Claim seats"], draft.pk: []}
    Membership.objects.filter(user=world.people["hawaii"]).update(role=Membership.Role.MEMBER)
    assert labels(world.people["hawaii"]) == {world.slot.pk: [], draft.pk: []}
    page = signed_in(world.lead).get(overview(world))
    assert "Message to participants" in [label for _, label in page.context["steps"]]
    for address, _ in page.context["steps"] + [step for row in page.context["slot_rows"] for step in row["steps"]]:
        assert signed_in(world.lead).get(address).status_code == 200, address
    page = signed_in(world.lead).get(reverse("admin:campaigns_campaign_changelist"))
    assert overview(world) in page.text
    change = signed_in(world.lead).get(reverse("admin:campaigns_campaign_change", args=[world.campaign.pk]))
    action = reverse("admin:campaigns_campaign_overview", args=[world.campaign.pk])
    assert action in change.text
    assert signed_in(world.lead).get(action)["Location"] == overview(world)


def test_strangers_see_no_claims_and_no_answers(world, signed_in):
    shy, _ = make_organisation("shy")
    _, stranger = make_organisation("stranger")
    Participation.objects.create(campaign=world.campaign, organisation=shy, state="invited")
    world.claim("chile")
    page = signed_in(world.people["canary"]).get(overview(world))
    assert "Institute of Shy" in page.text
    assert {part.seats_in_words for part in page.context["participants"]} == {"", "1 held"}
    page = signed_in(stranger).get(overview(world))
    assert "Institute of Shy" not in page.text
    assert {part.seats_in_words for part in page.context["participants"]} == {""}
    assert page.context["steps"] == []
    world.campaign.visibility = Campaign.Visibility.PARTICIPANTS
    world.campaign.save()
    assert signed_in(stranger).get(overview(world)).status_code == 404


def test_the_strip_is_that_of_the_public_page(windows, signed_in, client, world):
    """The same figure, with its downloads at the public page's address."""
    world.campaign.campaign_targets.update(target=windows["Ivar"])
    query = "?from=2027-02-01"
    desk = signed_in(world.lead).get(overview(world) + query)
    public = signed_in(world.lead).get(reverse("web:campaign", args=[world.campaign.slug]) + query)
    assert desk.context["figure"].wide() == public.context["figures"]["coverage"].wide()
    assert desk.context["gap_rows"]
    assert [signed_in(world.lead).get(address).status_code for _, address in desk.context["figure"].downloads()] == [
        200, 200, 200,
    ]  # fmt: skip


def test_it_costs_the_same_with_more_slots(world, signed_in, queries_of):
    lead = signed_in(world.lead)
    world.claim("chile")
    before = queries_of(lead, overview(world))
    for k in range(1, 4):
        make_seats(make_slot(world.campaign, world.target, world.slot.starts_at + k * 24 * HOUR), world.telescopes)
    assert queries_of(lead, overview(world)) == before
