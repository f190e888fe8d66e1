"""Closures that recur, entered as what they are: one closure for each time, all of them or none."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import transaction

from coordination.common.problems import DomainError

from ..models import Closure, Telescope
from ..people import Principal
from .closures import add_closure
from .telescopes import lock_telescope

MOST = 200
Interval = tuple[dt.datetime, dt.datetime]


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


@transaction.atomic
def add_closures(
    *, telescope_id: int, recurrence: Recurrence, reason: str, actor: Principal | None = None
) -> list[Closure]:
    """Close a telescope again and again, in one transaction. Raises what `add_closure` raises."""
    telescope = lock_telescope(telescope_id)
    return [
        add_closure(telescope_id=telescope_id, starts_at=start, ends_at=end, reason=reason, actor=actor)
        for start, end in periods_of(telescope, recurrence)
    ]
