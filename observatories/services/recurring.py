"""Closures that recur: one closure for each time, entered all or none, and what they have in common, by which the rest
of them is changed or removed later.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from coordination.common import clock
from coordination.common.actors import person_of
from coordination.common.checking import check
from coordination.common.intervals import Interval
from coordination.common.problems import DomainError, UnknownError

from ..models import Closure, RecurringClosure, Telescope
from ..people import Principal, require_scheduler
from .closures import add_closure, remove_closure
from .telescopes import lock_telescope

MOST = 200


@dataclass(frozen=True)
class Recurrence:
    """The first time [starts_at, ends_at), then every so many days until a local date, that day included.

    Each has the local time of day of the first: a closure at 14:00 stays at 14:00 where the clocks change.
    """

    starts_at: dt.datetime
    ends_at: dt.datetime
    every_days: int
    until: dt.date

    def periods(self, zone_name: str) -> list[Interval]:
        """In order of time. Raises DomainError for what is no recurrence."""
        if self.every_days < 1:
            raise DomainError("It recurs after a day or more.", field="every_days", value=self.every_days)
        if self.ends_at <= self.starts_at:
            raise DomainError("A closure ends after it starts.", field="ends_at", expected="after its start")
        if self.ends_at - self.starts_at > dt.timedelta(days=self.every_days):
            raise DomainError("It ends after the next one begins.", field="ends_at", expected="before the next one")
        zone = ZoneInfo(zone_name or "UTC")
        first, last = (instant.astimezone(zone).replace(tzinfo=None) for instant in (self.starts_at, self.ends_at))
        if self.until < first.date():
            raise DomainError("It ends before the first time.", field="until", expected=f"{first.date()} or later")
        count = (self.until - first.date()).days // self.every_days + 1
        if count > MOST:
            raise DomainError(f"That is {count} closures.", field="until", expected=f"at most {MOST}")
        steps = [dt.timedelta(days=self.every_days * k) for k in range(count)]
        return [(_utc(first + step, zone), _utc(last + step, zone)) for step in steps]


def _utc(local: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return local.replace(tzinfo=zone).astimezone(dt.UTC)


def periods_of(telescope: Telescope, recurrence: Recurrence) -> list[Interval]:
    """What `add_closures` would enter."""
    return recurrence.periods(telescope.observatory.time_zone)


@dataclass(frozen=True)
class Change:
    """What became of the rest of a recurrence: closures that stayed as they were, and numbers of the others."""

    kept: int
    removed: int
    added: int


@transaction.atomic
def add_closures(
    *, telescope_id: int, recurrence: Recurrence, reason: str, actor: Principal | None = None
) -> list[Closure]:
    """Close a telescope again and again, in one transaction. Raises what `add_closure` raises."""
    telescope = lock_telescope(telescope_id)
    require_scheduler(actor, telescope.organisation)
    periods = periods_of(telescope, recurrence)
    recurring = RecurringClosure(
        telescope=telescope, every_days=recurrence.every_days, until=recurrence.until, reason=reason,
        created_by=person_of(actor),
    )  # fmt: skip
    check(recurring)
    recurring.save()
    return _close(recurring, periods, actor)


def rest_of(recurring: RecurringClosure, since: dt.date) -> QuerySet[Closure]:
    """Its closures from a local date on, without those that have begun: these are history."""
    return recurring.closures.filter(starts_at__gte=_begins(recurring.telescope, since)).order_by("starts_at")


@transaction.atomic
def change_rest(
    recurring_id: int, *, since: dt.date, recurrence: Recurrence, reason: str, actor: Principal | None = None
) -> Change:
    """Give the closures from a local date on other times, another reason or another end. What was and what has begun
    stays. Each that goes and each that comes has its event, as if it were removed and entered by hand; one that would
    come back the same is left alone.
    """
    recurring = _lock(recurring_id, actor)
    begins = _begins(recurring.telescope, since)
    if recurrence.starts_at < begins:
        raise DomainError(
            "The first one would begin before what is changed.", field="starts_at",
            value=recurrence.starts_at.isoformat(), expected=f"{begins:%Y-%m-%d %H:%M} UTC or later",
        )  # fmt: skip
    wanted = periods_of(recurring.telescope, recurrence)
    rest = list(rest_of(recurring, since))
    kept = [each for each in rest if each.reason == reason and (each.starts_at, each.ends_at) in wanted]
    going = [each for each in rest if each not in kept]
    for closure in going:
        remove_closure(closure.pk, actor=actor)
    recurring.every_days, recurring.until, recurring.reason = recurrence.every_days, recurrence.until, reason
    check(recurring)
    recurring.save()
    there = {(each.starts_at, each.ends_at) for each in kept}
    added = _close(recurring, [period for period in wanted if period not in there], actor)
    return Change(len(kept), len(going), len(added))


@transaction.atomic
def remove_rest(recurring_id: int, *, since: dt.date, actor: Principal | None = None) -> int:
    """Open the telescope again from a local date on; the number of closures that went. What then holds none is gone."""
    recurring = _lock(recurring_id, actor)
    going = list(rest_of(recurring, since))
    for closure in going:
        remove_closure(closure.pk, actor=actor)
    last = recurring.closures.order_by("-starts_at").first()
    if last is None:
        recurring.delete()
    elif going:
        recurring.until = date_at(recurring.telescope, last.starts_at)
        recurring.save()
    return len(going)


def _close(recurring: RecurringClosure, periods: list[Interval], actor: Principal | None) -> list[Closure]:
    return [
        add_closure(
            telescope_id=recurring.telescope_id, starts_at=start, ends_at=end, reason=recurring.reason,
            recurring=recurring, actor=actor,
        )
        for start, end in periods
    ]  # fmt: skip


def _begins(telescope: Telescope, since: dt.date) -> dt.datetime:
    """Midnight at the telescope, or now if that is over."""
    return max(_utc(dt.datetime.combine(since, dt.time()), _zone(telescope)), clock.now())


def date_at(telescope: Telescope, instant: dt.datetime) -> dt.date:
    """By the clocks there."""
    return instant.astimezone(_zone(telescope)).date()


def _zone(telescope: Telescope) -> ZoneInfo:
    return ZoneInfo(telescope.observatory.time_zone or "UTC")


def _lock(recurring_id: int, actor: Principal | None) -> RecurringClosure:
    """Under the lock of its telescope, as all that changes closures."""
    telescope_id = RecurringClosure.objects.filter(pk=recurring_id).values_list("telescope_id", flat=True).first()
    if telescope_id is None:
        raise UnknownError(f"There is no recurring closure {recurring_id}.", field="recurring", value=recurring_id)
    telescope = lock_telescope(telescope_id)
    require_scheduler(actor, telescope.organisation)
    recurring = RecurringClosure.objects.get(pk=recurring_id)
    recurring.telescope = telescope
    return recurring
