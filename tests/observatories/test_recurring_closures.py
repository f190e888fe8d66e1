"""Closures that recur are entered one by one, all or none."""

import datetime as dt

import pytest

from coordination.common.models import Event
from coordination.common.problems import DomainError
from observatories.models import Closure, Observatory
from observatories.services.recurring import Recurrence, add_closures

START = dt.datetime(2027, 3, 23, 16, 0, tzinfo=dt.UTC)  # a Tuesday; clocks in Europe change on 28 March
HOUR = dt.timedelta(hours=1)


def every_tuesday(**changed) -> Recurrence:
    given = {"starts_at": START, "ends_at": START + 4 * HOUR, "every_days": 7, "until": dt.date(2027, 4, 6), **changed}
    return Recurrence(**given)


def test_the_local_time_of_day_stays_where_the_clocks_change():
    starts = [start for start, _ in every_tuesday().periods("Europe/Madrid")]
    assert [f"{start:%m-%d %H}" for start in starts] == ["03-23 16", "03-30 15", "04-06 15"]
    assert [f"{start:%H}" for start, _ in every_tuesday().periods("")] == ["16"] * 3


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"every_days": 0}, "every_days"),
        ({"ends_at": START}, "ends_at"),
        ({"ends_at": START + 8 * 24 * HOUR}, "ends_at"),
        ({"until": dt.date(2027, 3, 22)}, "until"),
        ({"until": dt.date(2037, 3, 22)}, "until"),
    ],
)
def test_what_is_no_recurrence_is_refused_at_its_field(changed, field):
    with pytest.raises(DomainError) as refused:
        every_tuesday(**changed).periods("UTC")
    assert refused.value.field == field


@pytest.mark.django_db
def test_all_are_entered_with_an_event_each_or_none(telescope, person):
    Observatory.objects.filter(pk=telescope.observatory_id).update(time_zone="Europe/Madrid")
    add_closures(
        telescope_id=telescope.pk, recurrence=every_tuesday(), reason="mirror wash", actor=person("sara", "scheduler")
    )
    assert list(Closure.objects.values_list("reason", flat=True)) == ["mirror wash"] * 3
    assert Event.objects.filter(kind="closure.added").count() == 3
    with pytest.raises(DomainError):
        add_closures(telescope_id=telescope.pk, recurrence=every_tuesday(), reason="x", actor=person("mem", "member"))
    assert Closure.objects.count() == 3
