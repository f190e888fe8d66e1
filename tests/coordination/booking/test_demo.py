"""The demonstration campaign: on a real target, with a slot to claim, and gone without a trace."""

import datetime as dt

import pytest
import time_machine
from django.core.management import CommandError, call_command

from coordination.booking.models import Booking, Slot
from coordination.booking.services import claim_seats, load_demo_campaign
from coordination.campaigns.models import Campaign
from coordination.visibility import planning
from coordination.visibility.models import Chunk
from observatories.models import Membership, Organisation, Telescope, User
from tests.network import catalogue

__all__ = ["catalogue"]
NOW = dt.datetime(2027, 1, 30, 12, tzinfo=dt.UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def demo(today, catalogue, settings, monkeypatch):
    """The network, and the windows of six asteroids on the coming nights."""
    settings.PLANNING_HORIZON_NIGHTS = 4
    monkeypatch.setattr("coordination.visibility.tasks.compute_chunk.delay", lambda pk: None)
    call_command("load_demo")
    planning.plan()
    for chunk_id in Chunk.objects.values_list("pk", flat=True):
        planning.run_chunk(chunk_id)


def test_a_newcomer_claims_a_seat_of_a_real_target(demo, today, capsys):
    call_command("load_demo", campaign_only=True)
    campaign, slot = Campaign.objects.get(), Slot.objects.get()
    assert (campaign.is_demo, campaign.state, slot.state, slot.is_demo) == (True, "open", "open", True)
    assert f"slot {slot.pk}" in capsys.readouterr().err
    assert slot.claim_deadline - NOW >= dt.timedelta(hours=21)
    organisations = {seat.telescope.organisation_id for seat in slot.seats.all()}
    assert len(organisations) >= 3
    call_command("add_person", "anna", organisation=Organisation.objects.get(pk=min(organisations)).slug)
    anna = User.objects.get(username="anna")
    seat = slot.seats.filter(telescope__organisation=anna.organisations.get()).first()
    assert claim_seats(slot.pk, anna.organisations.get().pk, seat_ids=[seat.pk], actor=anna).state == "held"

    call_command("load_demo", campaign_only=True)
    assert Campaign.objects.count() == 1  # its slot can still be claimed
    today.move_to(slot.claim_deadline)
    Slot.objects.update(state="expired")
    load_demo_campaign()
    assert Slot.objects.filter(state="open").count() in (0, 1)  # as far as there are windows


def test_what_it_observes_follows_from_the_date(demo):
    first = load_demo_campaign()
    kept = list(Slot.objects.values_list("starts_at", "target"))
    Slot.objects.update(state="expired")
    again = load_demo_campaign()
    assert first is not None
    assert again is not None
    assert again.pk != first.pk
    assert list(Slot.objects.filter(campaign=again).values_list("starts_at", "target")) == kept


def test_it_is_removed_with_all_that_was_claimed_in_it(demo):
    load_demo_campaign()
    seat = Slot.objects.get().seats.first()
    claim_seats(seat.slot_id, seat.telescope.organisation_id, seat_ids=[seat.pk])
    assert Booking.objects.count() == 1
    call_command("remove_demo")
    rows = [model.objects.count() for model in (Campaign, Slot, Booking, Telescope, Organisation)]
    assert rows == [0, 0, 0, 0, 0]


def test_seats_of_others_keep_it(demo):
    load_demo_campaign()
    seat = Slot.objects.get().seats.first()
    claim = claim_seats(seat.slot_id, seat.telescope.organisation_id, seat_ids=[seat.pk])
    claim.organisation = Organisation.objects.create(name="Visitors", slug="visitors")
    claim.save()
    with pytest.raises(CommandError, match="Visitors holds seats"):
        call_command("remove_demo")
    assert Slot.objects.exists()


def test_without_demonstration_telescopes_or_windows_there_is_none(catalogue, capsys):
    call_command("load_demo", campaign_only=True)
    assert "no windows of its telescopes yet" in capsys.readouterr().err
    call_command("load_demo")
    assert not Campaign.objects.exists()


def test_a_person_is_added_once_and_keeps_the_password(capsys, client):
    Organisation.objects.create(name="Visitors", slug="visitors")
    call_command("add_person", "ben", organisation="visitors", role="member")
    password = capsys.readouterr().err.split("password ")[1].split()[0]
    assert client.login(username="ben", password=password)
    call_command("add_person", "ben", organisation="visitors")
    assert "password" not in capsys.readouterr().err
    assert Membership.objects.get().role == "scheduler"
    assert client.login(username="ben", password=password)
    assert client.get("/admin/").status_code == 200
    with pytest.raises(CommandError, match="no organisation 'nowhere'"):
        call_command("add_person", "ben", organisation="nowhere")
