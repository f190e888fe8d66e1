"""When a telescope is free: dark, not booked, not closed; told to those who may know when it is occupied."""

import datetime as dt

import pytest
import time_machine

from coordination.booking.services import book_telescope
from observatories.models import Telescope
from observatories.services import add_closure

from .api import Api, fields
from .conftest import HOUR, MINUTE, make_organisation, make_telescope

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def telescope():
    with time_machine.travel(NOW, tick=False):
        organisation, person = make_organisation("canary")
        yield make_telescope(organisation, "canary", -17.9, 28.8), Api(person)


def intervals(answer) -> list[tuple[dt.datetime, dt.datetime]]:
    return [tuple(dt.datetime.fromisoformat(each[n]) for n in ("starts_at", "ends_at")) for each in answer["free"]]


def test_nights_without_what_is_booked_and_closed(telescope, django_assert_num_queries):
    telescope, canary = telescope
    address, span = f"telescopes/{telescope.pk}/free/", {"before": (NOW + 48 * HOUR).isoformat()}
    first, second = intervals(canary.get(address, **span))
    for start, end in (first, second):
        assert dt.timedelta(hours=10) < end - start < dt.timedelta(hours=12)
    booking = book_telescope(
        telescope.pk, observe_from=first[0] + 2 * HOUR, observe_until=first[0] + 3 * HOUR, purpose="focus"
    )
    add_closure(telescope_id=telescope.pk, starts_at=second[0] - HOUR, ends_at=second[0] + HOUR, reason="works")
    add_closure(telescope_id=telescope.pk, starts_at=second[1] - HOUR, ends_at=second[1] + HOUR, reason="works")
    expected = [
        (first[0], booking.starts_at),
        (booking.ends_at, first[1]),
        (second[0] + HOUR, second[1] - HOUR),
    ]
    with django_assert_num_queries(6):
        answer = canary.get(address, **span)
    assert intervals(answer) == expected
    assert [each["night"] for each in answer["free"]] == ["2026-11-20", "2026-11-20", "2026-11-21"]
    least = (booking.starts_at - first[0]) // MINUTE + 1
    assert intervals(canary.get(address, **span, minutes=least)) == expected[1:]


def test_a_telescope_that_is_not_active_is_not_free(telescope):
    telescope, canary = telescope
    Telescope.objects.update(state="maintenance")
    answer = canary.get(f"telescopes/{telescope.pk}/free/")
    assert (answer["free"], answer["state"]) == ([], "maintenance")


def test_who_may_not_claim_it_is_told_nothing(telescope):
    telescope, _ = telescope
    Api(make_organisation("outside")[1]).get(f"telescopes/{telescope.pk}/free/", 403)
    Api().get(f"telescopes/{telescope.pk}/free/", 401)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"minutes": -1}, "minutes"),
        ({"minutes": "x"}, "minutes"),
        ({"after": "2026-11-20"}, "after"),
        ({"before": "2026-11-20T00:00:00Z"}, "before"),
        ({"before": "2036-11-20T00:00:00Z"}, "before"),
        ({"after": "2098-11-20T00:00:00Z"}, "before"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_answered_is_refused(telescope, query, field):
    telescope, canary = telescope
    assert fields(canary.get(f"telescopes/{telescope.pk}/free/", 400, **query)) == {field}
