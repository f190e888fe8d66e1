"""What the page of a target shows: its windows of the coming nights, its path, brightness and how well it is known."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from coordination.campaigns.models import Campaign
from coordination.common.actors import Actor
from coordination.visibility.engine.edges import Edge
from coordination.visibility.models import VisibilityWindow
from observatories.models import Telescope
from observatories.sites.grouping import site_numbers
from targets.models import Ephemeris, Target
from targets.orbits.trust import Trust

from . import target_figures, times
from .figures import Figure
from .labels import edge_in_words
from .sky import blocks_of

NIGHTS = 7
MOST_CHOSEN, SHOWN_UNASKED = 6, 4
_DAY = dt.timedelta(days=1)


@dataclass
class TargetPage:
    """`windows`: of the coming nights, by time; `chosen`: telescopes of the altitude plot; `offered`: those that could
    be chosen.
    """

    target: Target
    ephemeris: Ephemeris | None
    windows: list[VisibilityWindow]
    chosen: list[Telescope]
    offered: list[Telescope]
    figures: dict[str, Figure]
    known: dict[str, Any]


def windows_of(target: Target, now: dt.datetime, actor: Actor) -> list[VisibilityWindow]:
    """Windows that are not over, of the coming nights, with telescope, observatory and operator. One query."""
    until = now + NIGHTS * _DAY
    found = VisibilityWindow.objects.visible_to(actor).filter(
        target=target, starts_at__lt=until, ends_at__gt=now,
        night_ends_on__range=((now - _DAY).date(), (until + 2 * _DAY).date()),
    )  # fmt: skip
    related = found.select_related("telescope__observatory", "telescope__organisation")
    return list(related.order_by("starts_at", "telescope_id"))


def campaigns_of(target: Target, actor: Actor) -> QuerySet[Campaign]:
    """Open campaigns that hold it."""
    return Campaign.objects.visible_to(actor).filter(
        campaign_targets__target=target, state__in=(Campaign.State.OPEN, Campaign.State.CLOSED)
    )


def choose(windows: Sequence[VisibilityWindow], asked: Sequence[str], now: dt.datetime) -> list[Telescope]:
    """The telescopes asked for by identifier; else those that see it longest in the next 24 hours, one a site.
    At most one query.
    """
    wanted = list(dict.fromkeys(int(each) for each in asked if each.isdecimal() and len(each) < 12))[:MOST_CHOSEN]
    if wanted:
        found = Telescope.objects.select_related("observatory", "organisation").in_bulk(wanted)
        return [found[pk] for pk in wanted if pk in found and found[pk].observatory.place is not None]
    seconds: dict[int, float] = {}
    telescopes: dict[int, Telescope] = {}
    for window in windows:
        seen = (min(window.ends_at, now + _DAY) - max(window.starts_at, now)).total_seconds()
        if seen > 0:
            telescopes[window.telescope_id] = window.telescope
            seconds[window.telescope_id] = seconds.get(window.telescope_id, 0.0) + seen
    ordered = [telescopes[pk] for pk in sorted(seconds, key=lambda each: (-seconds[each], each))]
    ordered = [telescope for telescope in ordered if telescope.observatory.place is not None]
    sites = site_numbers([place for each in ordered if (place := each.observatory.place) is not None]).tolist()
    first = {site: k for k, site in reversed(list(enumerate(sites)))}
    return _from_west([ordered[k] for k in sorted(first.values())[:SHOWN_UNASKED]])


def target_page(target: Target, actor: Actor, asked: Sequence[str], now: dt.datetime) -> TargetPage:
    """Of a target with current orbit and ephemeris at hand. At most three queries."""
    ephemeris = getattr(target, "ephemeris", None)
    windows = windows_of(target, now, actor)
    chosen = choose(windows, asked, now)
    seen = {window.telescope_id: window.telescope for window in windows}
    offered = _from_west({**seen, **{each.pk: each for each in chosen}}.values())
    blocks = blocks_of(ephemeris)
    address = reverse("web:target-figure", args=[target.designation, "x", "svg"]).removesuffix("x.svg")
    figures: list[Figure] = []
    if ephemeris is not None and blocks is not None:
        subject = target_figures.Subject(target, ephemeris, blocks, windows, now, address)
        figures = subject.figures(chosen, asked)
    return TargetPage(
        target, ephemeris, windows, chosen, offered, {each.name: each for each in figures}, _known(ephemeris, now)
    )


def _from_west(telescopes: Any) -> list[Telescope]:
    return sorted(telescopes, key=lambda each: (each.observatory.longitude_deg or 0.0, each.name, each.pk))


def _known(ephemeris: Ephemeris | None, now: dt.datetime) -> dict[str, Any]:
    """How well its place is known tonight."""
    if ephemeris is None:
        return {}
    day = (now.date() - ephemeris.starts_at.astimezone(dt.UTC).date()).days
    levels, major = ephemeris.trust_levels or [], ephemeris.sigma_major_arcsec or []
    return {
        "trust": Trust(levels[day]).label if 0 <= day < len(levels) else None,
        "sigma_arcsec": major[day] if 0 <= day < len(major) else None,
        "is_estimate": ephemeris.sigma_is_estimate,
    }


def window_rows(windows: Sequence[VisibilityWindow], limit: int) -> list[dict[str, Any]]:
    """Windows as the page lists them."""
    return [
        {
            "telescope": window.telescope,
            "window": window,
            "zone": window.telescope.observatory.time_zone,
            "minutes": round(window.duration_s / 60.0),
            "opened_by": edge_in_words(Edge(window.opened_by)),
            "closed_by": edge_in_words(Edge(window.closed_by)),
            "span": times.cell(window.starts_at, window.ends_at),
        }
        for window in windows[:limit]
    ]
