"""What the page of a campaign shows: its slots, who covers its target when, and the baselines of a slot."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from coordination.booking.api.slot_rows import dress_slots
from coordination.booking.models import Slot
from coordination.campaigns.models import Campaign, Participation
from coordination.common.actors import Actor
from coordination.common.intervals import Interval, merged
from coordination.visibility.models import VisibilityWindow
from observatories.models import Observatory, Organisation
from observatories.sites.grouping import site_numbers
from targets.models import Target

from .coverage import Gap, covered_by, gaps

DAYS, MOST_SLOTS = 3, 30
SHORTEST_GAP = dt.timedelta(minutes=10)
_DAY = dt.timedelta(days=1)


@dataclass
class Reach:
    """An observatory that can observe the target in the span: its windows, merged over telescopes."""

    observatory: Observatory
    organisations: list[Organisation]
    takes_part: bool
    windows: list[Interval]


@dataclass
class Coverage:
    """Of one target over a span: who sees it, from west to east, and what is not covered by `least` sites."""

    target: Target
    span: Interval
    least: int
    reaches: list[Reach]
    covered: list[Interval]
    gaps: list[Gap]

    @property
    def others(self) -> list[Reach]:
        return [reach for reach in self.reaches if not reach.takes_part]

    @property
    def covered_fraction(self) -> float:
        seconds = sum((end - start).total_seconds() for start, end in self.covered)
        return float(seconds / (self.span[1] - self.span[0]).total_seconds())


def slots_of(campaign: Campaign, actor: Actor, user: Any, now: dt.datetime) -> list[Slot]:
    """Slots that are alive or ended in the last days, with seats, offers, quorum and claims; a fixed number of
    queries.
    """
    alive = Q(state__in=(*Slot.LIVE, Slot.State.DRAFT)) | Q(ends_at__gt=now - 7 * _DAY)
    visible = Slot.objects.visible_to(actor).filter(alive, campaign=campaign)
    slots = list(visible.select_related("campaign", "target").order_by("starts_at", "pk")[:MOST_SLOTS])
    dress_slots(slots, user)
    return slots


def targets_of(campaign: Campaign, actor: Actor) -> QuerySet[Target]:
    return Target.objects.visible_to(actor).filter(pk__in=campaign.campaign_targets.values("target_id"))


def partners_of(campaign: Campaign) -> list[Participation]:
    joined = campaign.participations.filter(state=Participation.State.JOINED)
    return list(joined.select_related("organisation").order_by("organisation__name"))


def target_shown(asked: str, targets: Sequence[Target], slots: Sequence[Slot], now: dt.datetime) -> Target | None:
    """The one asked for by its designation, else that of the next slot, else the first."""
    by_name = {target.designation: target for target in targets}
    coming = [slot.target.designation for slot in slots if slot.state in Slot.LIVE and slot.ends_at > now]
    named = [by_name[name] for name in (asked, *coming) if name in by_name]
    return next(iter([*named, *targets]), None)


def first_day(asked: str, slots: Sequence[Slot], target: Target | None, now: dt.datetime) -> dt.datetime:
    """Where the strip begins: on the date asked for, else now, or half a day before the next slot if that is far."""
    try:
        return dt.datetime.combine(dt.date.fromisoformat(asked), dt.time(), dt.UTC)
    except ValueError:
        pass
    start = now.replace(minute=0, second=0, microsecond=0)
    coming = [
        s.starts_at
        for s in slots
        if s.state in Slot.LIVE and s.ends_at > now and (target is None or s.target_id == target.pk)
    ]
    if coming and min(coming) > start + (DAYS - 0.5) * _DAY:
        return (min(coming) - 0.5 * _DAY).replace(minute=0, second=0, microsecond=0)
    return start


def coverage_of(
    campaign: Campaign, target: Target, partners: Sequence[Participation], start: dt.datetime, actor: Actor
) -> Coverage:
    """One query. A relay needs one site at a time, simultaneous observations as many as the campaign says."""
    span = (start, start + DAYS * _DAY)
    found = VisibilityWindow.objects.visible_to(actor).filter(
        target=target, starts_at__lt=span[1], ends_at__gt=span[0],
        night_ends_on__range=((span[0] - _DAY).date(), (span[1] + 2 * _DAY).date()),
    )  # fmt: skip
    joined = {each.organisation_id for each in partners}
    reaches: dict[tuple[bool, int], Reach] = {}
    for window in found.select_related("telescope__observatory", "telescope__organisation").order_by("starts_at"):
        telescope = window.telescope
        takes_part = telescope.organisation_id in joined
        reach = reaches.setdefault(
            (takes_part, telescope.observatory_id), Reach(telescope.observatory, [], takes_part, [])
        )
        if telescope.organisation not in reach.organisations:
            reach.organisations.append(telescope.organisation)
        reach.windows.append((window.starts_at, window.ends_at))
    ordered = sorted(reaches.values(), key=lambda r: (r.observatory.longitude_deg or 0.0, not r.takes_part))
    for reach in ordered:
        reach.windows = merged(reach.windows)
    least = campaign.min_sites if campaign.mode == Campaign.Mode.SIMULTANEOUS else 1
    covered = covered_by(_by_site([reach for reach in ordered if reach.takes_part]), least, span)
    others = [reach.windows for reach in ordered if not reach.takes_part]
    return Coverage(target, span, least, ordered, covered, gaps(covered, span, others, SHORTEST_GAP))


def _by_site(reaches: Sequence[Reach]) -> list[list[Interval]]:
    """Windows of observatories that share a mountain, merged."""
    places = [reach.observatory.place for reach in reaches]
    numbers = site_numbers([place for place in places if place is not None]).tolist() if reaches else []
    sites: dict[int, list[Interval]] = {}
    for reach, number in zip((r for r in reaches if r.observatory.place is not None), numbers, strict=True):
        sites.setdefault(number, []).extend(reach.windows)
    return [merged(windows) for windows in sites.values()]
