"""An observatory network that many processes claim at once, in a database whose transactions are real."""

import itertools
from dataclasses import dataclass

import pytest
from django.db import connection, transaction
from django.db.models import Count, F, Q
from django.test import TransactionTestCase

from coordination.booking.models import Booking, Claim, Slot
from coordination.campaigns.models import Campaign, Participation
from coordination.common import clock
from coordination.common.models import Event
from observatories.models import Organisation, Telescope
from targets.models import Target

from ..coordination.booking.conftest import (
    HOUR,
    MINUTE,
    World,
    make_organisation,
    make_slot,
    make_telescope,
    make_world,
)
from .workers import Seats

TELESCOPES, SLOTS = 10, 40


@dataclass
class Network:
    organisation: Organisation
    telescopes: list[Telescope]
    seats: Seats


@pytest.fixture
def emptied_by_delete(monkeypatch):
    """Rows are deleted after a test: TRUNCATE of all tables takes seconds."""

    def delete_rows(_case: TransactionTestCase) -> None:
        kept = {"django_migrations", "django_content_type", "auth_permission"}
        with transaction.atomic(), connection.cursor() as cursor:  # foreign keys are looked at when it commits
            for table in set(connection.introspection.table_names()) - kept:
                cursor.execute(f'DELETE FROM "{table}"')

    monkeypatch.setattr(TransactionTestCase, "_fixture_teardown", delete_rows)


@pytest.fixture
def committed_db(emptied_by_delete, transactional_db) -> None:
    """The tests' database with transactions that end."""


@pytest.fixture
def world(committed_db) -> World:
    return make_world()


@pytest.fixture
def network(committed_db) -> Network:
    """Ten telescopes of one organisation, and slots of half an hour that begin every seven minutes."""
    organisation, _ = make_organisation("network")
    telescopes = [
        make_telescope(organisation, f"place {k}", -150.0 + 30.0 * k, 5.0 * k - 20.0) for k in range(TELESCOPES)
    ]
    target, now = Target.objects.create(designation="2026 AB1"), clock.now().replace(microsecond=0)
    campaign = Campaign.objects.create(
        title="Contested", slug="contested", state="open", aim="x", lead_organisation=organisation, starts_at=now,
        ends_at=now + 240 * HOUR,
    )  # fmt: skip
    Participation.objects.create(campaign=campaign, organisation=organisation, state="joined")
    seats: Seats = {}
    for k in range(SLOTS):
        slot = make_slot(campaign, target, now + 48 * HOUR + 7 * k * MINUTE, min_sites=4)
        made = slot.seats.model.objects.bulk_create(
            [
                slot.seats.model(
                    slot=slot, telescope=telescope, observe_from=slot.starts_at, observe_until=slot.ends_at
                )
                for telescope in telescopes
            ]
        )
        seats[slot.pk] = {seat.telescope_id: seat.pk for seat in made}
    return Network(organisation, telescopes, seats)


def overlaps() -> int:
    """Pairs of active bookings that occupy one telescope at once, counted without the constraint's help."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM booking_booking a JOIN booking_booking b ON a.telescope_id = b.telescope_id "
            "AND a.id < b.id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at "
            "WHERE a.state IN ('held', 'confirmed') AND b.state IN ('held', 'confirmed')"
        )
        return int(cursor.fetchone()[0])


def require_whole_claims() -> None:
    """Every claim that holds has exactly its seats booked, in its own state; no other claim has an active booking; and
    each state that a claim or slot went through has one event and one history row.
    """
    assert overlaps() == 0
    active = Q(bookings__state__in=Booking.ACTIVE)
    claims = Claim.objects.annotate(
        wanted=Count("claimed_seats", distinct=True), held=Count("bookings", filter=active, distinct=True)
    )
    begun = Q(slot__state__in=[Slot.State.IN_PROGRESS, Slot.State.COMPLETED, Slot.State.CONFIRMED])
    assert not claims.filter(state__in=Claim.HOLDING).exclude(held=F("wanted")).exclude(begun & _reported()).exists()
    assert not claims.exclude(state__in=Claim.HOLDING).filter(held__gt=0).exists()
    assert not claims.filter(wanted=0).exists()
    assert not Booking.objects.active().filter(claim__isnull=False).exclude(state=F("claim__state")).exists()
    for model in (Claim, Slot):
        for row in model.objects.all():
            states = list(row.history.order_by("history_id").values_list("state", flat=True))
            changes = [state for k, state in enumerate(states) if k == 0 or states[k - 1] != state]
            assert not states or changes[-1] == row.state
            for before, after in itertools.pairwise(changes):
                assert after in model.TRANSITIONS[before], (row, changes)
            if model is Claim:
                told = Event.objects.filter(subject=f"claim:{row.pk}", kind__in=[f"claim.{state}" for state in changes])
                assert list(told.order_by("pk").values_list("kind", flat=True)) == [
                    f"claim.{state}" for state in changes
                ]


def _reported() -> Q:
    return Q(bookings__state__in=[Booking.State.DONE, Booking.State.FAILED])
