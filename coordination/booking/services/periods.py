"""Periods of telescopes: what an observation occupies, and what is in its way."""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import IntegrityError
from django.utils.timezone import is_naive

from coordination.common.problems import ConflictError, DomainError
from observatories.models import Closure, Telescope

from ..models import Booking

NO_OVERLAP = "booking_no_overlap"  # the constraint's name


@dataclass(frozen=True)
class Period:
    """An observation of a telescope, and what it occupies with setup and slew before it. Half-open, aware UTC."""

    telescope: Telescope
    observe_from: dt.datetime
    observe_until: dt.datetime
    starts_at: dt.datetime
    ends_at: dt.datetime

    @property
    def hours(self) -> float:
        """Of observation."""
        return (self.observe_until - self.observe_from).total_seconds() / 3600.0


def occupied(telescope: Telescope, observe_from: dt.datetime, observe_until: dt.datetime) -> Period:
    """An observation with the telescope's present setup and slew time before it."""
    before = dt.timedelta(seconds=telescope.setup_s + telescope.slew_s)
    return Period(telescope, observe_from, observe_until, observe_from - before, observe_until)


def sharing_setup(periods: Iterable[Period]) -> list[Period]:
    """Periods of one claim on one target by telescope and time: back to back they need one setup only."""
    ordered = sorted(periods, key=lambda period: (period.telescope.pk, period.observe_from))
    shared: list[Period] = []
    for period in ordered:
        last = shared[-1] if shared else None
        if last and last.telescope.pk == period.telescope.pk and period.starts_at < last.ends_at <= period.observe_from:
            period = replace(period, starts_at=last.ends_at)
        shared.append(period)
    return shared


def require_interval(
    start: dt.datetime, end: dt.datetime, fields: tuple[str, str] = ("observe_from", "observe_until")
) -> None:
    """Raises DomainError for naive times and for an end that is not after the start, under the names they have."""
    for field, value in zip(fields, (start, end), strict=True):
        if is_naive(value):
            raise DomainError(f"{field} has no time zone.", field=field, value=value.isoformat(), expected="aware UTC")
    if end <= start:
        raise DomainError(
            f"{fields[1]} is not after {fields[0]}.", field=fields[1], value=utc_text(end),
            expected=f"after {utc_text(start)}",
        )  # fmt: skip


def require_free(
    periods: Sequence[Period], organisation_ids: Collection[int] | None, *, besides: Iterable[int] = ()
) -> None:
    """Raises ConflictError with the interval for a telescope that is out of use, closed or otherwise booked.

    To be called under the lock of the telescopes. Of whom and for what a telescope is booked or closed is told to
    `organisation_ids` only where it is theirs; None may know everything. `besides`: bookings that do not count.
    """
    for period in periods:
        if (refusal := inactive(period.telescope)) is not None:
            raise refusal
    obstacle = first_obstacle(periods, besides=besides)
    if obstacle is not None:
        raise conflict_with(*obstacle, organisation_ids)


def inactive(telescope: Telescope) -> ConflictError | None:
    """The refusal of a telescope that is out of use."""
    if telescope.state == Telescope.State.ACTIVE:
        return None
    return ConflictError(
        f"{telescope} is {telescope.state}.", field="telescope", value=telescope.pk, code="telescope-not-active"
    )


def first_obstacle(
    periods: Sequence[Period], *, besides: Iterable[int] = (), with_closures: bool = True
) -> tuple[Period, Booking | Closure] | None:
    """The first period that a closure or an active booking overlaps, and that. Two queries."""
    return first_among(periods, obstacles_of(periods, besides=besides, with_closures=with_closures))


def obstacles_of(
    periods: Sequence[Period], *, besides: Iterable[int] = (), with_closures: bool = True
) -> list[Booking | Closure]:
    """Closures and active bookings of the telescopes of periods, from the first of these to the last. Two queries."""
    if not periods:
        return []
    span = {
        "telescope_id__in": {period.telescope.pk for period in periods},
        "starts_at__lt": max(period.ends_at for period in periods),
        "ends_at__gt": min(period.starts_at for period in periods),
    }
    closures = Closure.objects.filter(**span).order_by("starts_at", "pk") if with_closures else []
    bookings = Booking.objects.active().filter(**span).exclude(pk__in=list(besides))
    return [*closures, *bookings.select_related("organisation")]


def first_among(
    periods: Iterable[Period], obstacles: Iterable[Booking | Closure]
) -> tuple[Period, Booking | Closure] | None:
    """The first period that one of the obstacles overlaps, and that."""
    for period in periods:
        for obstacle in obstacles:
            same = obstacle.telescope_id == period.telescope.pk
            if same and obstacle.starts_at < period.ends_at and obstacle.ends_at > period.starts_at:
                return period, obstacle
    return None


def conflict_with(
    period: Period, obstacle: Booking | Closure, organisation_ids: Collection[int] | None
) -> ConflictError:
    """The refusal that names the other interval, and what it is to those whose it is."""
    telescope = period.telescope
    owners = {telescope.organisation_id}
    if isinstance(obstacle, Booking):
        owners.add(obstacle.organisation_id)
    told = organisation_ids is None or bool(owners & set(organisation_ids))
    times = (telescope.pk, str(telescope), obstacle.starts_at, obstacle.ends_at)
    if isinstance(obstacle, Closure):
        return _in_the_way("closed", "closure", *times, {"reason": obstacle.reason} if told else {})
    return booked(*times, {"booking": obstacle.pk, "holder": obstacle.organisation.slug} if told else {})


def booked(
    telescope_id: int, name: str, starts_at: dt.datetime, ends_at: dt.datetime, further: dict[str, Any]
) -> ConflictError:
    """The refusal for a telescope that is booked; `further` is for those who may see the booking."""
    return _in_the_way("booked", "booking", telescope_id, name, starts_at, ends_at, further)


def _in_the_way(
    code: str,
    kind: str,
    telescope_id: int,
    name: str,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    further: dict[str, Any],
) -> ConflictError:
    times = {"starts_at": utc_text(starts_at), "ends_at": utc_text(ends_at)}
    return ConflictError(
        f"{name} is {code} from {times['starts_at']} to {times['ends_at']}.",
        field="telescope",
        value=telescope_id,
        code=code,
        conflict={"kind": kind, "telescope": telescope_id, **times, **further},
    )


_KEY = re.compile(r'=\((\d+), \["?([^",]+)"?,"?([^",)]+)"?\)\)')


def violated_overlap(error: IntegrityError) -> ConflictError | None:
    """The refusal for a booking that the database refused since another one is there; None for other violations.

    The other interval is in PostgreSQL's own message, so nothing has to be asked after the transaction broke.
    """
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is None or diagnosis.constraint_name != NO_OVERLAP:
        return None
    other = other_interval(diagnosis.message_detail or "")
    if other is None:
        return ConflictError(
            "The telescope is otherwise booked.", field="telescope", code="booked", conflict={"kind": "booking"}
        )
    telescope_id, starts_at, ends_at = other[0], utc_text(other[1]), utc_text(other[2])
    conflict = {"kind": "booking", "telescope": telescope_id, "starts_at": starts_at, "ends_at": ends_at}
    return ConflictError(
        f"The telescope is booked from {starts_at} to {ends_at}.",
        field="telescope",
        value=telescope_id,
        code="booked",
        conflict=conflict,
    )


def other_interval(detail: str) -> tuple[int, dt.datetime, dt.datetime] | None:
    """Telescope, start and end of the booking that was there, from PostgreSQL's detail of a violation: the last key it
    names, in whatever language. None where it says nothing.
    """
    keys = _KEY.findall(detail)
    if not keys:
        return None
    telescope_id, starts_at, ends_at = keys[-1]
    return int(telescope_id), dt.datetime.fromisoformat(starts_at), dt.datetime.fromisoformat(ends_at)


def utc_text(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
