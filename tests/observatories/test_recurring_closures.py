"""Closures that recur are entered one by one, all or none."""

import datetime as dt

import pytest
import time_machine

from coordination.common.models import Event
from coordination.common.problems import DomainError, ForbiddenError
from observatories.models import Closure, Observatory, RecurringClosure
from observatories.services.recurring import Change, Recurrence, add_closures, change_rest, remove_rest

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


@pytest.fixture
def washing(telescope) -> RecurringClosure:
    """Three Tuesdays in Madrid, an hour after the second one has begun."""
    Observatory.objects.filter(pk=telescope.observatory_id).update(time_zone="Europe/Madrid")
    add_closures(telescope_id=telescope.pk, recurrence=every_tuesday(), reason="mirror wash")
    Event.objects.all().delete()
    with time_machine.travel(START + 7 * 24 * HOUR, tick=False):
        yield RecurringClosure.objects.get()


def listed() -> list[str]:
    return [f"{each.starts_at:%m-%d %H} {each.reason}" for each in Closure.objects.order_by("starts_at")]


def kinds() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


@pytest.mark.django_db
def test_the_rest_gets_other_times_and_what_was_and_has_begun_stays(washing):
    first = START + 9 * 24 * HOUR
    later = every_tuesday(starts_at=first, ends_at=first + HOUR, until=dt.date(2027, 4, 8))
    change = change_rest(washing.pk, since=dt.date(2027, 3, 23), recurrence=later, reason="coating")
    assert change == Change(kept=0, removed=1, added=2)
    assert listed() == ["03-23 16 mirror wash", "03-30 15 mirror wash", "04-01 16 coating", "04-08 16 coating"]
    assert kinds() == ["closure.removed", "closure.added", "closure.added"]
    washing.refresh_from_db()
    assert (washing.until, washing.reason) == (dt.date(2027, 4, 8), "coating")
    assert washing.closures.count() == 4


@pytest.mark.django_db
def test_what_would_come_back_the_same_is_left_alone(washing):
    tuesday = START + 14 * 24 * HOUR - HOUR
    longer = every_tuesday(starts_at=tuesday, ends_at=tuesday + 4 * HOUR, until=dt.date(2027, 4, 13))
    change = change_rest(washing.pk, since=dt.date(2027, 4, 1), recurrence=longer, reason="mirror wash")
    assert change == Change(kept=1, removed=0, added=1)
    assert kinds() == ["closure.added"]
    assert len(listed()) == 4


@pytest.mark.django_db
def test_a_change_of_the_past_or_by_others_is_refused(washing, person):
    with pytest.raises(DomainError) as refused:
        change_rest(washing.pk, since=dt.date(2027, 3, 23), recurrence=every_tuesday(), reason="mirror wash")
    assert refused.value.field == "starts_at"
    with pytest.raises(ForbiddenError):
        remove_rest(washing.pk, since=dt.date(2027, 4, 1), actor=person("mem", "member"))
    with pytest.raises(DomainError):
        remove_rest(washing.pk + 1, since=dt.date(2027, 4, 1))
    assert len(listed()) == 3
    assert kinds() == []


@pytest.mark.django_db
def test_the_rest_is_removed_and_what_holds_nothing_is_gone(washing):
    assert remove_rest(washing.pk, since=dt.date(2027, 3, 1)) == 1
    assert listed() == ["03-23 16 mirror wash", "03-30 15 mirror wash"]
    assert kinds() == ["closure.removed"]
    washing.refresh_from_db()
    assert washing.until == dt.date(2027, 3, 30)
    with time_machine.travel(START - 24 * HOUR, tick=False):
        assert remove_rest(washing.pk, since=dt.date(2027, 3, 23)) == 2
    assert not RecurringClosure.objects.exists()
