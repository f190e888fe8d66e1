"""Closing a telescope: who may, who sees why, and who hears of it."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from coordination.common.actors import ANONYMOUS, SYSTEM, actor_of
from coordination.common.models import Event
from coordination.common.problems import DomainError
from observatories import services
from observatories.models import Closure, Organisation
from observatories.people import may_schedule

pytestmark = pytest.mark.django_db

DUSK = dt.datetime(2026, 11, 22, 22, 0, tzinfo=dt.UTC)
DAWN = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)


@pytest.fixture
def closure(telescope) -> Closure:
    return services.add_closure(telescope_id=telescope.pk, starts_at=DUSK, ends_at=DAWN, reason="mirror washing")


def test_the_event_tells_when_but_not_why(telescope, person):
    scheduler = person("sara", "scheduler")
    closure = services.add_closure(
        telescope_id=telescope.pk, starts_at=DUSK, ends_at=DAWN, reason="mirror washing", actor=scheduler
    )
    event = Event.objects.get(kind="closure.added")
    assert (event.subject, event.actor) == (f"telescope:{telescope.pk}", scheduler)
    assert event.payload == {
        "closure": closure.pk,
        "starts_at": "2026-11-22T22:00:00Z",
        "ends_at": "2026-11-23T09:30:00Z",
    }


def test_an_offset_is_honoured_and_a_naive_time_refused(telescope):
    santiago = dt.timezone(dt.timedelta(hours=-3))
    closure = services.add_closure(
        telescope_id=telescope.pk, starts_at=DUSK.astimezone(santiago), ends_at=DAWN, reason="wind"
    )
    assert Closure.objects.get(pk=closure.pk).starts_at == DUSK
    with pytest.raises(DomainError, match="starts_at has no time zone"):
        services.add_closure(telescope_id=telescope.pk, starts_at=DUSK.replace(tzinfo=None), ends_at=DAWN, reason="x")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ends_at": DUSK}, "A closure ends after it starts"),
        ({"reason": ""}, "reason: This field cannot be blank"),
        ({"telescope_id": 0}, "There is no telescope 0"),
    ],
)
def test_refused_closures_leave_nothing_behind(telescope, change, message):
    given = {"telescope_id": telescope.pk, "starts_at": DUSK, "ends_at": DAWN, "reason": "snow"}
    with pytest.raises(DomainError, match=message):
        services.add_closure(**{**given, **change})
    assert not Closure.objects.exists()
    assert not Event.objects.filter(kind="closure.added").exists()


def test_the_database_refuses_a_closure_that_ends_before_it_starts(closure):
    with pytest.raises(IntegrityError, match="closure_ends_after_start"), transaction.atomic():
        Closure.objects.filter(pk=closure.pk).update(ends_at=DUSK)


def test_opening_again_is_an_event_too_and_happens_once(closure):
    services.remove_closure(closure.pk)
    assert not Closure.objects.exists()
    assert Event.objects.get(kind="closure.removed").payload["starts_at"] == "2026-11-22T22:00:00Z"
    with pytest.raises(DomainError, match=f"There is no closure {closure.pk}"):
        services.remove_closure(closure.pk)


def test_closures_are_seen_by_the_operating_organisation_only(closure, person):
    elsewhere = Organisation.objects.create(name="Elsewhere", slug="elsewhere")
    member, stranger, nobody = person("mia", "member"), person("ernst", "manager", at=elsewhere), person("nemo")
    assert list(Closure.objects.visible_to(actor_of(member))) == [closure]
    assert list(Closure.objects.visible_to(SYSTEM)) == [closure]
    for actor in (actor_of(stranger), actor_of(nobody), ANONYMOUS):
        assert not Closure.objects.visible_to(actor).exists()


def test_schedulers_and_managers_of_the_organisation_may_close(organisation, person):
    elsewhere = Organisation.objects.create(name="Elsewhere", slug="elsewhere")
    assert may_schedule(person("sara", "scheduler"), organisation.pk)
    assert may_schedule(person("max", "manager"), organisation.pk)
    assert not may_schedule(person("mia", "member"), organisation.pk)
    assert not may_schedule(person("ernst", "manager", at=elsewhere), organisation.pk)
    gone = person("gone", "manager")
    gone.is_active = False
    assert not may_schedule(gone, organisation.pk)
