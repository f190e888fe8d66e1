"""When a telescope is occupied or free, for those who may claim it: plain intervals, without by whom and for what."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.db.models import Q

from coordination.campaigns.models import Campaign, Participation
from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.intervals import Interval, merged
from coordination.common.problems import ForbiddenError
from coordination.visibility.darkness import DarkHours, dark_hours
from observatories.models import Closure, Telescope
from targets.services.ephemerides import Span

from .models import Booking, TelescopeGrant

_RUNNING = (Campaign.State.DRAFT, Campaign.State.OPEN, Campaign.State.CLOSED)


def require_may_see(telescope: Telescope, actor: Actor) -> None:
    """Raises ForbiddenError unless the telescope is of an organisation of the actor, is granted to one, or belongs to a
    participant of a campaign that one takes part in.
    """
    mine = actor.organisation_ids
    if actor.sees_everything or telescope.organisation_id in mine:
        return
    grants = TelescopeGrant.objects.filter(telescope=telescope, organisation__in=mine, ends_at__gt=clock.now())
    if mine and (grants.exists() or _together(telescope.organisation_id, mine)):
        return
    raise ForbiddenError(
        f"When {telescope} is occupied is told to those who may claim it.", field="telescope", value=telescope.pk
    )


def _together(organisation_id: int, mine: frozenset[int]) -> bool:
    joined = Participation.objects.filter(state=Participation.State.JOINED, campaign__state__in=_RUNNING)
    ours = joined.filter(organisation__in=mine).values("campaign")
    return joined.filter(organisation=organisation_id, campaign__in=ours).exists()


def occupied_intervals(telescope: Telescope, after: dt.datetime, before: dt.datetime) -> list[Interval]:
    """Bookings and closures that have a part in [after, before), joined where they touch, in order of time."""
    overlapping = Q(telescope=telescope, starts_at__lt=before, ends_at__gt=after)
    bookings = Booking.objects.active().filter(overlapping).values_list("starts_at", "ends_at")
    closures = Closure.objects.filter(overlapping).values_list("starts_at", "ends_at")
    return merged([*bookings, *closures])


def free_intervals(
    telescope: Telescope, after: dt.datetime, before: dt.datetime, least: dt.timedelta = dt.timedelta()
) -> list[DarkHours]:
    """Dark hours in [after, before) in which an active telescope is neither booked nor closed, at least so long, in
    order of time. Two queries. Raises DomainError for a telescope without a fixed place and for a span without known
    darkness.
    """
    if telescope.state != Telescope.State.ACTIVE:
        return []
    occupied = occupied_intervals(telescope, after, before)
    free = [part for dark in dark_hours(telescope, Span(after, before)) for part in _without(dark, occupied)]
    return [part for part in free if part.ends_at - part.starts_at >= least]


def _without(dark: DarkHours, occupied: Sequence[Interval]) -> Iterator[DarkHours]:
    start = dark.starts_at
    for begin, end in occupied:
        if end <= start or begin >= dark.ends_at:
            continue
        if begin > start:
            yield replace(dark, starts_at=start, ends_at=begin)
        start = end
    if start < dark.ends_at:
        yield replace(dark, starts_at=start)
