"""Slots, claims and bookings by hand, in the administration."""

import datetime as dt

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from coordination.booking.models import Booking, Claim, ClaimedSeat, Seat, Slot, TelescopeGrant
from coordination.booking.services import book_telescope, claim_seats, publish_slot
from coordination.campaigns.models import Campaign, CampaignTarget, Participation
from coordination.common import clock, jobs
from coordination.common.models import Event
from observatories.models import Membership, Observatory, Organisation, Telescope, User
from observatories.services import add_closure
from targets.models import Target
from tests.network import catalogue, network

from .conftest import HOUR, MINUTE, events_of, make_organisation, make_seats, make_slot

__all__ = ["catalogue", "network"]
NOW = dt.datetime(2027, 1, 30, 12, tzinfo=dt.UTC)


def address(model: str, name: str, *args: object) -> str:
    return reverse(f"admin:{'campaigns' if model == 'campaign' else 'booking'}_{model}_{name}", args=args)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def said(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def utc(name: str, instant: dt.datetime) -> dict[str, str]:
    return {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M:%S}"}


def buttons(response) -> set[str]:
    """What may be done with a row, by the last part of its address; a campaign's progress may be looked at by all."""
    offered = response.context.get("actions_detail", [])
    items = [item for each in offered for item in each.get("items", [each])]
    return {item["path"].rstrip("/").rsplit("/", 1)[-1] for item in items} - {"overview"}


def page(client: Client, model: str, pk: int):
    return client.get(address(model, "change", pk))


def errors(response) -> dict[str, list[str]]:
    assert response.status_code == 200, response.content[:500]
    return {field: [str(each) for each in found] for field, found in response.context["form"].errors.items()}


@pytest.fixture
def today():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def desks(today, network) -> dict[str, Client]:
    """A browser of a scheduler at each of five observatories, by their codes; four see the same sky at once."""
    for code, longitude_deg, latitude_deg in (("J04", -104.0, 30.7), ("327", -116.9, 33.4), ("Q63", -155.6, 20.7)):
        moved = Observatory.objects.filter(mpc_code=code)
        moved.update(longitude_deg=longitude_deg, latitude_deg=latitude_deg)
    clients = {}
    for telescope in network:
        slug = telescope.name[-3:].lower()
        telescope.organisation, person = make_organisation(slug)
        telescope.save()
        clients[slug] = signed_in(person)
    return clients


def test_a_whole_campaign_by_hand(today, catalogue, desks):
    lead = desks["w84"]
    # A draft, with what close-approach ranging usually needs.
    asked = lead.post(address("campaign", "add"), {"kind": "ranging"})
    filled = lead.get(asked.url).context["form"].initial
    given = {name: value for name, value in filled.items() if value is not None}
    assert (given["observation_minutes"], given["min_baseline_km"]) == (20, 3000.0)
    given |= {
        "title": "Ganymed", "slug": "ganymed", "aim": "Its distance.",
        "lead_organisation": Organisation.objects.get(slug="w84").pk,
        **utc("starts_at", NOW), **utc("ends_at", NOW + dt.timedelta(days=6)),
    }  # fmt: skip
    answer = lead.post(asked.url, given, follow=True)
    assert "The draft is there" in said(answer)
    campaign = Campaign.objects.get()
    assert (campaign.state, campaign.kind, campaign.observation_count) == ("draft", "ranging", 3)
    here = campaign.pk
    assert buttons(page(lead, "campaign", here)) == {"edit", "invite", "add_target", "message", "cancel"}

    lead.post(address("campaign", "add_target", here), {"target": catalogue["Ganymed"].pk})
    for slug in ("j04", "q63", "327", "g96"):
        invited = Organisation.objects.get(slug=slug).pk
        lead.post(address("campaign", "invite", here), {"organisation": invited, "hour_limit_h": ""})
        assert "Answer invitation" in page(desks[slug], "campaign", here).content.decode()
        answer = {"organisation": invited, "answer": "join", "hour_limit_h": "5"}
        desks[slug].post(address("campaign", "answer_invitation", here), answer)
    assert Participation.objects.filter(state="joined").count() == 5
    assert "is open" in said(lead.post(address("campaign", "open_campaign", here), follow=True))

    proposed = lead.post(address("campaign", "propose", here), {"kind": "listed", "count": "2"}, follow=True)
    assert "2 drafts are proposed" in said(proposed)
    slot = max(Slot.objects.all(), key=lambda each: each.seats.count())
    seats = {seat.telescope.organisation.slug: seat for seat in slot.seats.select_related("telescope__organisation")}
    assert len(seats) >= 4
    shown = page(lead, "slot", slot.pk).content.decode()
    assert "projected baseline" in shown
    assert "lacking" not in shown
    quorum = {**quorum_form(slot), "min_sites": 3, "min_baseline_km": ""}
    assert "changed" in said(lead.post(address("slot", "edit", slot.pk), quorum, follow=True))
    assert "open to claims" in said(lead.post(address("slot", "publish", slot.pk), follow=True))

    first, second, third, fourth = list(seats)[:4]
    for slug in (first, second, third):
        listed = desks[slug].get(address("slot", "changelist"), {"claimable": "mine"}).content.decode()
        assert f"/slot/{slot.pk}/" in listed
        told = desks[slug].post(
            address("slot", "claim", slot.pk), {"seats": [f"seat-{seats[slug].pk}"], "note": "clear"}, follow=True
        )
    assert "Confirmed: the telescopes are booked." in said(told)
    assert "holds: 3 sites" in page(lead, "slot", slot.pk).content.decode()

    withdrawn = Claim.objects.get(organisation__slug=first)
    assert "withdraw" in buttons(page(desks[first], "claim", withdrawn.pk))
    assert "withdraw" not in buttons(page(desks[second], "claim", withdrawn.pk))
    desks[first].post(address("claim", "withdraw", withdrawn.pk), {"reason": "clouds"})
    assert "a replacement is wanted until" in page(lead, "slot", slot.pk).content.decode()
    desks[fourth].post(address("slot", "claim", slot.pk), {"seats": [f"seat-{seats[fourth].pk}"]})
    slot.refresh_from_db()
    assert (slot.state, slot.needs_replacement) == ("confirmed", False)

    today.move_to(slot.starts_at + MINUTE)
    jobs.run_job("advance_slots")
    today.move_to(slot.ends_at + MINUTE)
    for booking in Booking.objects.active():
        desk = desks[booking.organisation.slug]
        assert buttons(page(desk, "booking", booking.pk)) == {"report"}
        desk.post(address("booking", "report", booking.pk), {"result": "observed", "note": "12 exposures"})
    slot.refresh_from_db()
    assert slot.state == "completed"
    for other in Slot.objects.filter(state="draft"):
        lead.post(address("slot", "cancel", other.pk), {"reason": "not needed"})
    lead.post(address("campaign", "close_campaign", here))
    assert "completed" in said(lead.post(address("campaign", "complete", here), follow=True))
    history = lead.get(address("campaign", "history", here)).content.decode()
    assert "w84" in history
    assert [event.actor.username for event in events_of("campaign.completed")] == ["w84"]


def quorum_form(slot: Slot) -> dict[str, object]:
    names = ("kind", "min_sites", "min_baseline_km", "capacity", "notes", "reason")
    values = {name: getattr(slot, name) for name in names}
    given: dict[str, object] = {name: "" if value is None else value for name, value in values.items()}
    return given | utc("claim_deadline", slot.claim_deadline) | utc("replacement_deadline", slot.replacement_deadline)


@pytest.fixture
def browsers(world) -> dict[str, Client]:
    return {slug: signed_in(person) for slug, person in world.people.items()}


def outsider(role: str = "scheduler") -> User:
    organisation = Organisation.objects.create(name="Elsewhere", slug="elsewhere")
    person = User.objects.create_user("ernst", password="pass-for-tests", is_staff=True)
    Membership.objects.create(user=person, organisation=organisation, role=role)
    return person


def test_what_is_in_the_way_of_a_claim_is_said_at_the_seats(world, browsers):
    starts_at = world.slot.starts_at
    book_telescope(world.telescopes["chile"].pk, observe_from=starts_at - HOUR, observe_until=starts_at + MINUTE)
    seat = f"seat-{world.seats['chile'].pk}"
    told = browsers["chile"].get(address("slot", "claim", world.slot.pk))
    assert f"to {starts_at + MINUTE:%Y-%m-%dT%H:%M}" in told.content.decode()
    assert "canary has not granted" not in told.content.decode()
    refused = errors(browsers["chile"].post(address("slot", "claim", world.slot.pk), {"seats": [seat]}))
    assert f"to {starts_at + MINUTE:%Y-%m-%dT%H:%M}" in refused["seats"][0]
    assert not Claim.objects.exists()
    refused = errors(browsers["chile"].post(address("slot", "claim", world.slot.pk), {"note": "nothing"}))
    assert refused == {"seats": ["Choose one seat or more."]}


def test_a_claim_that_is_lost_in_a_race_names_the_other_interval(world, browsers, monkeypatch):
    """Both have looked, and found the telescope free; the database lets one through."""
    starts_at = world.slot.starts_at
    book_telescope(world.telescopes["chile"].pk, observe_from=starts_at, observe_until=starts_at + HOUR)
    monkeypatch.setattr("coordination.booking.services.claims.require_free", lambda *args, **kwargs: None)
    seat = f"seat-{world.seats['chile'].pk}"
    refused = errors(browsers["chile"].post(address("slot", "claim", world.slot.pk), {"seats": [seat]}))
    assert f"to {starts_at + HOUR:%Y-%m-%dT%H:%M}" in refused["seats"][0]


def booking_form(telescope: Telescope, starts_at: dt.datetime, ends_at: dt.datetime) -> dict[str, object]:
    return {"telescope": telescope.pk, **utc("observe_from", starts_at), **utc("observe_until", ends_at)}


def test_local_use_is_booked_moved_confirmed_and_released(world, browsers):
    desk, telescope = browsers["chile"], world.telescopes["chile"]
    starts_at = world.slot.starts_at + 3 * HOUR
    given = booking_form(telescope, starts_at, starts_at + HOUR) | {"purpose": "flat fields", "hold": "on"}
    assert "is booked" in said(desk.post(address("booking", "add"), given, follow=True))
    booking = Booking.objects.get()
    assert (booking.state, booking.purpose, booking.observe_from) == ("held", "flat fields", starts_at)
    assert buttons(page(desk, "booking", booking.pk)) == {"confirm", "move", "release"}
    desk.post(address("booking", "confirm", booking.pk))
    desk.post(address("booking", "move", booking.pk), booking_form(telescope, starts_at + HOUR, starts_at + 2 * HOUR))
    booking.refresh_from_db()
    assert (booking.state, booking.observe_from) == ("confirmed", starts_at + HOUR)
    desk.post(address("booking", "release", booking.pk), {"reason": "rain"})
    booking.refresh_from_db()
    assert booking.state == "released"
    assert desk.get(address("booking", "history", booking.pk)).status_code == 200


@pytest.mark.parametrize("race", [False, True])
def test_a_booking_over_another_one_comes_back_with_its_interval(world, browsers, monkeypatch, race):
    claim_starts_at = world.slot.starts_at
    world.claim("chile")
    if race:
        monkeypatch.setattr("coordination.booking.services.bookings.require_free", lambda *args, **kwargs: None)
    given = booking_form(world.telescopes["chile"], claim_starts_at + MINUTE, claim_starts_at + HOUR)
    refused = errors(browsers["chile"].post(address("booking", "add"), given))
    assert f"to {world.slot.ends_at:%Y-%m-%dT%H:%M}" in refused["telescope"][0]
    assert Booking.objects.count() == 1


def test_a_booking_that_ends_before_it_starts_and_one_of_another_telescope_come_back(world, browsers):
    start = world.slot.starts_at
    given = booking_form(world.telescopes["chile"], start, start - HOUR)
    refused = errors(browsers["chile"].post(address("booking", "add"), given))
    assert "not after observe_from" in refused["observe_until"][0]
    given = booking_form(world.telescopes["canary"], start, start + HOUR)
    assert "telescope" in errors(browsers["chile"].post(address("booking", "add"), given))
    assert not Booking.objects.exists()


def test_after_the_first_claim_only_what_gets_easier_is_editable(world, browsers):
    world.claim("chile")
    lead, here = browsers["chile"], address("slot", "edit", world.slot.pk)
    asked = lead.get(here)
    assert "fixed" in asked.content.decode()
    assert set(asked.context["form"].fields).isdisjoint({"kind", "replacement_deadline", "reason"})
    refused = errors(lead.post(here, quorum_form(world.slot) | {"min_sites": 4}))
    assert "may only become easier to meet" in refused["min_sites"][0]
    lead.post(here, quorum_form(world.slot) | {"min_sites": 1})
    assert world.reload().state == "confirmed"


def test_a_full_slot_lets_a_claim_wait_and_the_first_in_line_move_up(world, browsers):
    Slot.objects.filter(pk=world.slot.pk).update(capacity=2)
    first = world.claim("chile")
    world.claim("canary")
    here, given = address("slot", "claim", world.slot.pk), {"seats": [f"seat-{world.seats['hawaii'].pk}"]}
    assert "The slot is full: 2 of 2" in errors(browsers["hawaii"].post(here, given))["seats"][0]
    told = browsers["hawaii"].post(here, given | {"allow_waiting": "on"}, follow=True)
    assert "waits for a free place" in said(told)
    browsers["chile"].post(address("claim", "withdraw", first.pk), {"reason": ""})
    assert Claim.objects.get(organisation__slug="hawaii").state == "confirmed"


def test_a_person_of_two_organisations_chooses_for_which_to_claim(world, browsers):
    Membership.objects.create(
        user=world.people["chile"], organisation=world.organisations["hawaii"], role=Membership.Role.SCHEDULER
    )
    here = address("slot", "claim", world.slot.pk)
    other = world.organisations["hawaii"]
    asked = browsers["chile"].get(here)
    assert "Claim seats for Institute of Chile" in asked.content.decode()
    assert f"?organisation={other.pk}" in asked.content.decode()
    browsers["chile"].post(f"{here}?organisation={other.pk}", {"seats": [f"seat-{world.seats['hawaii'].pk}"]})
    assert Claim.objects.get().organisation == other


def test_a_shift_is_proposed_and_accepted_by_its_holders(world, browsers):
    claim, other = world.claim("chile"), world.claim("canary")
    before = world.reload().starts_at
    browsers["chile"].post(address("slot", "propose_shift", world.slot.pk), {"minutes": "7"})
    assert "dismiss_review" in buttons(page(browsers["chile"], "slot", world.slot.pk))
    browsers["chile"].post(address("slot", "accept_shift", world.slot.pk))
    assert "accept_shift" not in buttons(page(browsers["chile"], "claim", claim.pk))
    browsers["canary"].post(address("claim", "accept_shift", other.pk))
    assert world.reload().starts_at == before + 7 * MINUTE


def test_a_telescope_is_lent_and_claimed_by_who_it_was_lent_to(world, browsers):
    given = {
        "telescope": world.telescopes["hawaii"].pk, "organisation": world.organisations["canary"].pk,
        **utc("starts_at", clock.now()), **utc("ends_at", clock.now() + 100 * HOUR),
    }  # fmt: skip
    browsers["hawaii"].post(address("telescopegrant", "add"), given)
    grant = TelescopeGrant.objects.get()
    seat = {"seats": [f"seat-{world.seats['hawaii'].pk}"]}
    browsers["canary"].post(address("slot", "claim", world.slot.pk), seat)
    assert Claim.objects.get().organisation.slug == "canary"
    assert browsers["australia"].get(address("telescopegrant", "revoke", grant.pk)).status_code == 404
    browsers["hawaii"].post(address("telescopegrant", "revoke", grant.pk))
    assert not TelescopeGrant.objects.exists()


def test_seats_are_taken_off_a_draft(world, browsers):
    Slot.objects.filter(pk=world.slot.pk).update(state="draft")
    here = address("slot", "remove_seats", world.slot.pk)
    browsers["chile"].post(here, {"seats": [world.seats["hawaii"].pk]})
    assert world.slot.seats.count() == 3


# --- walls ----------------------------------------------------------------------------------------------------------
def test_strangers_see_published_slots_with_their_seats_and_nothing_of_the_claims(world, browsers):
    claim = world.claim("chile", note="at full moon")
    stranger = signed_in(outsider())
    shown = page(stranger, "slot", world.slot.pk)
    assert "1 m at hawaii" in shown.content.decode()
    assert "at full moon" not in shown.content.decode()
    assert buttons(shown) == set()
    assert "at full moon" in page(browsers["canary"], "slot", world.slot.pk).content.decode()
    booking = Booking.objects.get()
    for model, pk in (("claim", claim.pk), ("booking", booking.pk)):
        assert stranger.get(address(model, "change", pk)).status_code == 302  # as if it did not exist
        assert stranger.get(address(model, "history", pk)).status_code == 404
        assert str(world.slot.target) not in stranger.get(address(model, "changelist")).content.decode()
    assert stranger.get(address("claim", "withdraw", claim.pk)).status_code == 404
    assert stranger.post(address("claim", "withdraw", claim.pk)).status_code == 404
    assert stranger.post(address("slot", "claim", world.slot.pk), {}).status_code == 403
    assert (
        "Only schedulers"
        in errors(stranger.post(address("slot", "cancel", world.slot.pk), {"reason": "x"}))["__all__"][0]
    )
    assert world.reload().state == "open"


def test_a_private_campaign_does_not_exist_for_strangers(world):
    Campaign.objects.update(visibility="participants")
    stranger = signed_in(outsider())
    for model, pk in (("campaign", world.campaign.pk), ("slot", world.slot.pk)):
        assert str(world.campaign) not in stranger.get(address(model, "changelist")).content.decode()
        assert stranger.get(address(model, "change", pk)).status_code == 302
        assert stranger.get(address(model, "history", pk)).status_code == 404
    assert stranger.get(address("slot", "claim", world.slot.pk)).status_code == 404


def test_members_read_and_act_on_nothing(world, browsers):
    claim = world.claim("chile")
    Membership.objects.filter(organisation__slug="chile").update(role=Membership.Role.MEMBER)
    desk = browsers["chile"]
    for model, pk in (("campaign", world.campaign.pk), ("slot", world.slot.pk), ("claim", claim.pk)):
        shown = page(desk, model, pk)
        assert shown.status_code == 200
        assert buttons(shown) == set()
    assert desk.get(address("slot", "publish", world.slot.pk)).status_code == 403
    assert desk.get(address("booking", "add")).status_code == 403
    assert desk.get(address("campaign", "add")).status_code == 403
    refused = errors(desk.post(address("claim", "withdraw", claim.pk), {"reason": ""}))
    assert "Only schedulers and managers" in refused["__all__"][0]
    assert Claim.objects.get().state == "held"


def test_who_lends_a_telescope_is_not_told_of_a_target_that_is_not_public(world):
    """The operator sees that the telescope is booked, and by whom."""
    Target.objects.update(visibility="campaign")
    stranger = outsider()
    lent = world.telescopes["hawaii"]
    Telescope.objects.filter(pk=lent.pk).update(organisation=stranger.organisations.get())
    TelescopeGrant.objects.create(
        telescope=lent, organisation=world.organisations["canary"], starts_at=clock.now(),
        ends_at=clock.now() + 100 * HOUR,
    )  # fmt: skip
    claim_seats(world.slot.pk, world.organisations["canary"].pk, seat_ids=[world.seats["hawaii"].pk])
    for response in (
        signed_in(stranger).get(address("booking", "changelist")),
        page(signed_in(stranger), "booking", Booking.objects.get().pk),
    ):
        assert "a target that is not public" in response.content.decode()
        assert "2026 AB1" not in response.content.decode()


def test_nothing_is_deleted_or_edited_but_by_services(world, browsers, admin_client):
    claim = world.claim("chile")
    rows = (("campaign", world.campaign.pk), ("slot", world.slot.pk), ("claim", claim.pk))
    for model, pk in (*rows, ("booking", Booking.objects.get().pk)):
        assert admin_client.get(address(model, "delete", pk)).status_code == 403
        assert admin_client.post(address(model, "change", pk), {"state": "done"}).status_code == 403
    before = Event.objects.count()
    for name in ("publish", "cancel", "claim", "edit"):
        admin_client.get(address("slot", name, world.slot.pk))  # looking changes nothing
    assert Event.objects.count() == before


# --- lists ----------------------------------------------------------------------------------------------------------
def test_lists_cost_the_same_however_long_they_are(world, browsers, django_assert_max_num_queries):
    rows = []
    for day in range(55):
        slot = make_slot(world.campaign, world.target, world.slot.starts_at + dt.timedelta(days=day + 1))
        seat = make_seats(slot, {"chile": world.telescopes["chile"]})["chile"]
        claim = Claim.objects.create(slot=slot, organisation=world.organisations["chile"], state="held")
        ClaimedSeat.objects.create(claim=claim, seat=seat)
        rows.append(
            Booking(
                telescope=seat.telescope, organisation=claim.organisation, claim=claim, seat=seat, target=world.target,
                state="held" if day % 2 else "released", observe_from=seat.observe_from,
                observe_until=seat.observe_until, starts_at=seat.observe_from, ends_at=seat.observe_until,
            )
        )  # fmt: skip
        copy = Campaign.objects.get(pk=world.campaign.pk)
        copy.pk, copy.slug = None, f"copy-{day}"
        copy.save()
        CampaignTarget.objects.create(campaign=copy, target=world.target)
    Booking.objects.bulk_create(rows)
    for model, further, length in (
        ("slot", {}, 50), ("slot", {"claimable": "mine"}, 29), ("claim", {}, 50), ("booking", {}, 50),
        ("campaign", {}, 50),
    ):  # fmt: skip
        with django_assert_max_num_queries(29 if further else 18):  # what can be claimed is judged by all the rules
            response = browsers["chile"].get(address(model, "changelist"), further)
        assert len(response.context["cl"].result_list) == length


def test_a_slot_of_many_seats_costs_the_same(world, browsers, django_assert_max_num_queries):
    for k in range(40):
        telescope = Telescope.objects.get(pk=world.telescopes["chile"].pk)
        telescope.pk, telescope.name = None, f"twin {k}"
        telescope.save()
        seat = Seat.objects.create(
            slot=world.slot, telescope=telescope, observe_from=world.slot.starts_at, observe_until=world.slot.ends_at
        )
        claim = Claim.objects.create(slot=world.slot, organisation=world.organisations["chile"], state="held")
        ClaimedSeat.objects.create(claim=claim, seat=seat)
    with django_assert_max_num_queries(26):
        shown = page(browsers["canary"], "slot", world.slot.pk)
    assert "twin 39" in shown.content.decode()
    with django_assert_max_num_queries(28):
        browsers["canary"].get(address("slot", "claim", world.slot.pk))


def test_filters_searches_and_empty_lists(world, browsers, admin_client):
    desk = browsers["australia"]
    for model, hint in (
        ("claim", "Seats are claimed on the page of a slot"), ("booking", "local use is entered"),
        ("telescopegrant", "lets another organisation claim"),
    ):  # fmt: skip
        assert hint in desk.get(address(model, "changelist")).content.decode()
    listed = f"/slot/{world.slot.pk}/"
    shown = desk.get(address("slot", "changelist"), {"q": "2026 AB1", "state__exact": "open"}).content.decode()
    assert listed in shown
    assert listed in desk.get(address("slot", "changelist"), {"claimable": "mine"}).content.decode()
    add_closure(
        telescope_id=world.telescopes["australia"].pk, starts_at=world.slot.starts_at, ends_at=world.slot.ends_at,
        reason="coating",
    )  # fmt: skip
    assert listed not in desk.get(address("slot", "changelist"), {"claimable": "mine"}).content.decode()
    world.claim("chile")
    for by, count in (("claim", 1), ("staff", 0)):
        response = browsers["chile"].get(address("booking", "changelist"), {"by": by})
        assert response.context["cl"].result_count == count
    for model in ("slot", "claim", "booking", "campaign"):
        for part in ({}, {"q": "nothing like it"}):
            assert admin_client.get(address(model, "changelist"), part).status_code == 200


def test_times_are_said_to_be_utc_and_shown_as_the_clocks_at_the_place(world, browsers):
    world.telescopes["chile"].observatory.time_zone = "America/Santiago"
    world.telescopes["chile"].observatory.save()
    shown = page(browsers["chile"], "slot", world.slot.pk).content.decode()
    assert f"{world.slot.starts_at:%Y-%m-%d %H:%M} to {world.slot.ends_at:%H:%M} UTC" in shown
    assert "in America/Santiago" in shown
    assert "Observe from (UTC)" in browsers["chile"].get(address("booking", "add")).content.decode()


def test_a_published_slot_is_no_longer_a_draft_for_who_was_slower(world, browsers):
    Slot.objects.filter(pk=world.slot.pk).update(state="draft")
    publish_slot(world.slot.pk)
    refused = errors(browsers["chile"].post(address("slot", "publish", world.slot.pk)))
    assert "cannot become open" in refused["__all__"][0]
