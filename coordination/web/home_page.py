"""What the first page shows: the world now, campaigns under way, the next slots to claim, what is best tonight."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from coordination.booking.claimable import seats_with_state
from coordination.booking.models import Slot
from coordination.campaigns.models import Campaign, Participation
from coordination.common.actors import Actor
from coordination.visibility.models import VisibilityWindow
from coordination.visibility.quality import LISTED, at_best, with_quality
from observatories.models import Observatory, Telescope

from . import times
from .figures import Figure, Table
from .plots.axes import NARROW, Key, legend
from .plots.svg import Drawing, circle, text
from .plots.worldmap import Marker, WorldMap
from .world_now import WorldNow

_SLOTS, _CAMPAIGNS = 6, 5


@dataclass(frozen=True)
class Lit:
    """An observatory with telescopes in use, and what it can do at the moment."""

    observatory: Observatory
    telescope_count: int
    sun_altitude_deg: float
    is_dark: bool  # for at least one of its telescopes
    target_count: int  # that its telescopes can observe

    @property
    def class_(self) -> str:
        return "lit" if self.target_count else "dark-site" if self.is_dark else "day-site"

    @property
    def told(self) -> str:
        if self.target_count:
            return _("can observe")
        return _("dark, nothing to observe") if self.is_dark else _("daylight or twilight")


def observatories_now(world: WorldNow, actor: Actor) -> list[Lit]:
    """Observatories with active telescopes, from west to east. Two queries."""
    telescopes = Telescope.objects.filter(state=Telescope.State.ACTIVE, observatory__kind=Observatory.Kind.FIXED)
    by_place: dict[int, list[Telescope]] = {}
    for telescope in telescopes.select_related("observatory"):
        by_place.setdefault(telescope.observatory_id, []).append(telescope)
    counts = _targets_now(world.at, actor)
    places = {pk: found[0].observatory.place for pk, found in by_place.items()}
    altitudes = world.sun_altitudes_deg([place for place in places.values() if place is not None])
    lit = [
        Lit(
            observatory=by_place[pk][0].observatory,
            telescope_count=len(by_place[pk]),
            sun_altitude_deg=float(altitude),
            is_dark=any(altitude < telescope.sun_altitude_max_deg for telescope in by_place[pk]),
            target_count=counts.get(pk, 0),
        )
        for pk, altitude in zip((pk for pk, place in places.items() if place is not None), altitudes, strict=True)
    ]
    return sorted(lit, key=lambda each: (each.observatory.longitude_deg or 0.0, each.observatory.pk))


def _targets_now(now: dt.datetime, actor: Actor) -> dict[int, int]:
    """By observatory, how many targets with reliable orbits have a window now."""
    day = dt.timedelta(days=1)
    open_now = (
        with_quality(VisibilityWindow.objects.visible_to(actor))
        .filter(starts_at__lte=now, ends_at__gt=now, night_ends_on__range=((now - day).date(), (now + 2 * day).date()))
        .filter(at_best(LISTED))
    )
    rows = open_now.order_by().values_list("telescope__observatory_id").annotate(Count("target_id", distinct=True))
    return dict(rows)


def campaigns_under_way(now: dt.datetime, actor: Actor) -> QuerySet[Campaign]:
    """Open campaigns, those that end first before others, with counts of what they hold."""
    joined = Q(participations__state=Participation.State.JOINED)
    open_slot = Q(slots__state__in=Slot.CLAIMABLE, slots__claim_deadline__gt=now)
    counted = Campaign.objects.visible_to(actor).filter(state=Campaign.State.OPEN, ends_at__gt=now)
    return (
        counted.select_related("lead_organisation")
        .annotate(
            partner_count=Count("participations", filter=joined, distinct=True),
            target_count=Count("campaign_targets", distinct=True),
            open_slot_count=Count("slots", filter=open_slot, distinct=True),
        )
        .order_by("ends_at", "pk")[:_CAMPAIGNS]
    )


def next_slots(now: dt.datetime, actor: Actor) -> list[Slot]:
    """The next slots that can be claimed, each with how many seats are in which state. Two queries."""
    claimable = Slot.objects.visible_to(actor).filter(
        state__in=Slot.CLAIMABLE, claim_deadline__gt=now, campaign__state=Campaign.State.OPEN
    )
    slots = list(
        claimable.select_related("campaign", "target")
        .prefetch_related(seats_with_state())
        .order_by("starts_at", "pk")[:_SLOTS]
    )
    for slot in slots:
        states = [seat.state for seat in slot.seats.all()]  # type: ignore[attr-defined]  # annotated by with_state
        slot.seat_counts = {state: states.count(state) for state in dict.fromkeys(states)}  # type: ignore[attr-defined]
        slot.taken_count = sum(state in ("held", "confirmed") for state in states)  # type: ignore[attr-defined]
    return slots


def world_figure(world: WorldNow, lit: list[Lit]) -> Figure:
    """The map, and its observatories as a table."""

    def draw(name: str, width: int) -> Drawing:
        return _draw_world(name, width, world, lit)

    rows = [
        (
            each.observatory.mpc_code or "–",
            each.observatory.name,
            times.longitude(each.observatory.longitude_deg or 0.0),
            times.latitude(each.observatory.latitude_deg or 0.0),
            f"{each.sun_altitude_deg:.0f}",
            times.local(world.at, each.observatory.time_zone),
            each.told,
            str(each.target_count),
        )
        for each in lit
    ]
    columns = (
        _("Code"), _("Observatory"), _("Longitude"), _("Latitude"), _("Sun's altitude (deg)"), _("Local time"),
        _("Now"), _("Targets in reach"),
    )  # fmt: skip
    caption = _("Observatories at %(time)s") % {"time": times.minute(world.at)}
    table = Table(columns, rows, caption, frozenset({2, 3, 4, 7}))
    return Figure("map", draw, table, reverse("web:home-figure", args=["map", "svg"]).removesuffix(".svg"))


def _draw_world(name: str, width: int, world: WorldNow, lit: list[Lit]) -> Drawing:
    board = WorldMap(name, width - 8.0, 4.0, 6.0)
    small = width < NARROW
    markers = [
        Marker(
            each.observatory.longitude_deg or 0.0,
            each.observatory.latitude_deg or 0.0,
            each.class_,
            f"{each.observatory}: {each.told}",
            radius=2.6 if small else 4.6,
        )
        for each in sorted(lit, key=lambda each: each.target_count)
    ]
    bodies = ""
    for (lon, lat), class_, label, radius in (
        (world.sun, "sun", _("Sun"), 9.0),
        (world.moon, "moon", _("Moon"), 7.0),
    ):
        x, y = board.at(lon, lat)
        r = radius * (0.62 if small else 1.0)
        bodies += circle(x, y, r, class_, label) + text(x, y - r - 4, label, "place", "middle")
    keys = [
        Key("lit", _("can observe now"), "dot"),
        Key("dark-site", _("dark, nothing to observe"), "dot"),
        Key("day-site", _("daylight or twilight"), "dot"),
        Key("dusk-key", _("night and twilights (Sun below 0, −6, −12, −18 deg)")),
    ]
    entries, high = legend(keys, 6.0, board.height + 18, width - 6.0)
    counts = sum(bool(each.target_count) for each in lit)
    description = _("%(lit)d of %(all)d observatories can observe. The Sun is in the zenith at %(sun)s.") % {
        "lit": counts, "all": len(lit), "sun": _place(world.sun),
    }  # fmt: skip
    title = _("The world at %(time)s") % {"time": times.minute(world.at)}
    body = board.base(world.sun) + bodies + board.markers(markers) + entries
    return Drawing(name, width, round(board.height + 18 + high + 4), title, description, body)


def _place(at: tuple[float, float]) -> str:
    return f"{times.latitude(at[1])}, {times.longitude(at[0])}"
