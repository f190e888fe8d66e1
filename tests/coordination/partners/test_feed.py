"""The feed of changes: nothing missed, nothing shown of what is hidden, a cursor that keeps."""

import datetime as dt

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from coordination.booking.models import Booking
from coordination.booking.services import book_telescope
from coordination.campaigns.models import Campaign
from coordination.common import clock, concerning, events, following
from coordination.common.actors import Actor
from coordination.common.models import Event
from coordination.partners import feed
from coordination.partners.services import create_token
from observatories.models import Telescope
from observatories.services import add_closure
from targets.models import Target
from tests.coordination.booking.conftest import make_world

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def world(db, monkeypatch):
    monkeypatch.setattr(following, "_wake_readers", lambda: None)
    return make_world()


@pytest.fixture
def reader(world):
    """Read the whole feed with a token of an organisation."""

    def read(slug: str, cursor: str | None = None, **parameters) -> tuple[list[dict], str]:
        _, text = create_token(world.organisations[slug].pk, name="robot", scopes=["read"])
        following.number_events()
        client, found, more = APIClient(), [], True
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        while more:
            given = parameters | ({} if cursor is None else {"cursor": cursor})
            answer = client.get("/api/v1/events/", given).json()
            found, cursor, more = found + answer["results"], answer["cursor"], answer["more"]
        return found, cursor

    return read


def kinds(found) -> list[str]:
    return [event["kind"] for event in found]


def test_a_client_that_was_away_gets_all_that_happened_in_order_and_only_once(world, reader):
    world.claim("chile")
    before, cursor = reader("hawaii", limit=1, kind="claim")
    assert kinds(before) == ["claim.held"]
    world.claim("canary")
    world.claim("hawaii")
    after, cursor = reader("hawaii", cursor, kind="claim,slot")
    assert kinds(after) == [
        "claim.held",
        "claim.confirmed",
        "claim.confirmed",
        "slot.confirmed",
        "claim.held",
        "claim.confirmed",
    ]
    assert not {event["id"] for event in before} & {event["id"] for event in after}
    assert [event["id"] for event in after] == sorted(event["id"] for event in after)
    assert reader("hawaii", cursor, kind="claim,slot")[0] == []


def test_it_says_what_machines_need_and_no_words_for_people(world, reader):
    claim = world.claim("chile")
    [event], _ = reader("hawaii", kind="claim.held")
    assert event["subject"] == f"claim:{claim.pk}"
    assert event["payload"]["campaign"] == world.campaign.pk
    assert event["payload"]["organisation"] == world.organisations["chile"].pk
    assert "notice" not in event["payload"]


def test_bookings_closures_and_tokens_are_told_to_their_own_organisation_only(world, reader):
    begin = clock.now() + 48 * HOUR
    telescope = world.telescopes["chile"]
    book_telescope(
        telescope.pk, observe_from=begin, observe_until=begin + HOUR, purpose="flats", actor=world.people["chile"]
    )
    add_closure(telescope_id=telescope.pk, starts_at=begin + 9 * HOUR, ends_at=begin + 10 * HOUR, reason="coating")
    assert {"booking.created", "closure.added", "token.created"} <= set(kinds(reader("chile")[0]))
    others, _ = reader("hawaii")
    assert not {"booking.created", "closure.added"} & set(kinds(others))
    assert {event["payload"]["organisation"] for event in others if event["kind"] == "token.created"} == {
        world.organisations["hawaii"].pk
    }


def test_what_concerns_a_hidden_target_or_campaign_is_not_told(world, reader):
    Campaign.objects.update(visibility=Campaign.Visibility.PARTICIPANTS)
    Target.objects.update(visibility=Target.Visibility.CAMPAIGN)
    world.claim("chile")
    world.campaign.participations.filter(organisation=world.organisations["hawaii"]).delete()
    with transaction.atomic():
        events.record("telescope.updated", world.telescopes["chile"], {"target": world.target.pk})
    assert "claim.held" in kinds(reader("canary")[0])
    assert set(kinds(reader("hawaii")[0])) == {"token.created"}


def test_who_operates_a_telescope_hears_that_it_is_booked_but_not_for_which_hidden_target(world, reader):
    Campaign.objects.update(visibility=Campaign.Visibility.PARTICIPANTS)
    Target.objects.update(visibility=Target.Visibility.CAMPAIGN)
    world.claim("chile")
    booking = Booking.objects.get()
    outside = world.organisations["hawaii"]
    world.campaign.participations.filter(organisation=outside).delete()
    Telescope.objects.filter(pk=booking.telescope_id).update(organisation=outside)
    with transaction.atomic():
        told = {"telescope": booking.telescope_id, "target": world.target.pk, "state": "held"}
        events.record("booking.moved", booking, told)
    of_kind = {slug: reader(slug, kind="booking.moved")[0] for slug in ("chile", "hawaii")}
    assert [event["payload"]["target"] for event in of_kind["chile"]] == [world.target.pk]
    assert [event["payload"]["target"] for event in of_kind["hawaii"]] == [None]


def test_kinds_of_which_no_room_says_anything_are_shown_to_nobody(world, reader):
    with transaction.atomic():
        events.record("computation.planned", "computation:1")
        events.record("catalogue.imported", "run:1")
    assert set(kinds(reader("chile")[0])) == {"token.created"}


def test_every_kind_of_event_that_partners_may_hear_of_has_a_rule():
    assert set(concerning.families()) == {
        "booking", "campaign", "claim", "closure", "grant", "invitation", "observatory", "orbit", "slot", "target",
        "telescope", "token", "webhook",
    }  # fmt: skip


def test_a_long_stretch_of_what_is_hidden_is_passed_by_page_after_page(world, monkeypatch):
    monkeypatch.setattr(feed, "BATCH", 3)
    monkeypatch.setattr(feed, "MOST_READ", 6)
    Event.objects.bulk_create([Event(kind="demo.loaded", subject="demo") for _ in range(10)])
    with transaction.atomic():
        seen = events.record("observatory.added", "observatory:1")
    following.number_events()
    first = feed.page_of(Actor(), 0, 50)
    assert (first.events, first.at_end) == ([], False)
    second = feed.page_of(Actor(), first.cursor, 50)
    assert (second.events, second.at_end) == ([seen], True)


def test_a_page_costs_the_same_however_many_events_it_has(world, django_assert_max_num_queries):
    for slug in ("chile", "canary", "hawaii"):
        world.claim(slug)
    following.number_events()
    with django_assert_max_num_queries(5):
        page = feed.page_of(Actor(organisation_ids=frozenset([world.organisations["hawaii"].pk])), 0, 100)
    assert len(page.events) > 6


def test_now_begins_at_the_end(world, reader):
    world.claim("chile")
    found, cursor = reader("hawaii", "now")
    claim = world.claim("canary")
    held = [event["subject"] for event in reader("hawaii", cursor)[0] if event["kind"] == "claim.held"]
    assert (found, held) == ([], [f"claim:{claim.pk}"])


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"cursor": "yesterday"}, "cursor"),
        ({"cursor": "-1"}, "cursor"),
        ({"cursor": "9" * 30}, "cursor"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"kind": "SLOT;"}, "kind"),
        ({"page": "2"}, "page"),
    ],
)
def test_a_parameter_that_cannot_be_accepted_is_refused_by_name(signed_in_client, parameters, field):
    answer = signed_in_client.get("/api/v1/events/", parameters)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_nobody_in_particular_gets_no_feed(client):
    assert client.get("/api/v1/events/").status_code == 401
