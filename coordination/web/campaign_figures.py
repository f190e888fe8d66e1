"""The plots of a campaign: the coverage strip, and the baselines of a slot on the map."""

import datetime as dt
from collections.abc import Sequence
from itertools import combinations

from django.utils.translation import gettext as _

from coordination.booking.models import Slot
from observatories.models import Observatory
from observatories.sites.geodesy import distances_km

from . import times
from .campaign_page import Coverage, Reach
from .figures import Figure, Table
from .labels import said
from .plots.axes import NARROW, Key, legend
from .plots.bars import Bar, Overlay, Row, Words, draw_bars
from .plots.svg import Drawing
from .plots.worldmap import Marker, WorldMap
from .world_now import WorldNow

_STATES = ("open", "held", "confirmed", "blocked")


def coverage_figure(coverage: Coverage, slots: Sequence[Slot], now: dt.datetime, address: str, query: str) -> Figure:
    """One row an observatory, from west to east, with windows and seats; gaps in red in a row of their own."""
    mine = [slot for slot in slots if slot.target_id == coverage.target.pk and slot.state != Slot.State.CANCELLED]
    rows = [_row(reach, mine) for reach in _with_seats(coverage, mine)]
    summary = [Bar(*interval, "covered", times.span(*interval)) for interval in coverage.covered]
    summary += [Bar(gap.start, gap.end, "gap", times.span(gap.start, gap.end)) for gap in coverage.gaps]
    least = coverage.least
    told = _("%(n)d sites or more") % {"n": least} if least > 1 else _("covered")
    rows.append(Row(told, told if len(told) < 14 else _("%(n)d sites") % {"n": least}, summary))
    overlays = [
        Overlay(slot.starts_at, slot.ends_at, "slot", _("slot %(n)d") % {"n": slot.pk}) for slot in mine
        if slot.ends_at > coverage.span[0] and slot.starts_at < coverage.span[1]
    ]  # fmt: skip
    keys = [
        Key("window", _("window of a participant")), Key("window others", _("of others")),
        Key("seat open", _("seat open")), Key("seat held", _("held")), Key("seat confirmed", _("confirmed")),
        Key("seat blocked", _("blocked")), Key("gap", _("gap")),
    ]  # fmt: skip
    words = Words(
        title=_("Who can observe %(target)s") % {"target": coverage.target},
        description=_(
            "%(percent)d %% of the time is covered, with %(gaps)d gaps; %(sites)d observatories, west to east."
        )
        % {
            "percent": round(100 * coverage.covered_fraction),
            "gaps": len(coverage.gaps),
            "sites": len(coverage.reaches),
        },
        now=_("now"),
    )

    def draw(name: str, width: int) -> Drawing:
        start, end = coverage.span
        span = (start, end if width >= NARROW else start + dt.timedelta(days=1.5))
        return draw_bars(name, width, span, rows, now, words, keys=keys, overlays=overlays)

    return Figure("coverage", draw, _coverage_table(coverage, words.title), f"{address}coverage", query)


def _with_seats(coverage: Coverage, slots: Sequence[Slot]) -> list[Reach]:
    """The observatories with windows, and those with a seat but none, each once."""
    there = {reach.observatory.pk for reach in coverage.reaches}
    rows = list(coverage.reaches)
    for slot in slots:
        for offer in slot.offers:  # type: ignore[attr-defined]  # dressed by dress_slots
            observatory = offer.seat.telescope.observatory
            if observatory.pk not in there:
                there.add(observatory.pk)
                rows.append(Reach(observatory, [offer.seat.telescope.organisation], True, []))
    return sorted(rows, key=lambda r: (r.observatory.longitude_deg or 0.0, not r.takes_part))


def _row(reach: Reach, slots: Sequence[Slot]) -> Row:
    observatory = reach.observatory
    class_ = "window" if reach.takes_part else "window others"
    bars = [Bar(start, end, class_, times.span(start, end)) for start, end in reach.windows]
    if reach.takes_part:
        bars += [bar for slot in slots for bar in _seats(observatory, slot)]
    code = observatory.mpc_code or ""
    place = times.longitude(observatory.longitude_deg or 0.0)
    return Row(f"{place}  {code} {observatory.name}", f"{place} {code or observatory.name[:6]}", bars)


def _seats(observatory: Observatory, slot: Slot) -> list[Bar]:
    """The seats there, the furthest come last, so that it lies on top."""
    found = [
        (_STATES.index(offer.state) if offer.state in _STATES else 1, offer)
        for offer in slot.offers  # type: ignore[attr-defined]
        if offer.seat.telescope.observatory_id == observatory.pk
    ]
    return [
        Bar(
            offer.seat.observe_from,
            offer.seat.observe_until,
            f"seat {offer.state}",
            f"{offer.seat.telescope}: {said(offer.state)}",
        )
        for rank, offer in sorted(found, key=lambda each: each[0] % 3)
    ]


def _coverage_table(coverage: Coverage, caption: str) -> Table:
    rows = [
        (
            f"{reach.observatory.mpc_code or ''} {reach.observatory.name}".strip(),
            times.longitude(reach.observatory.longitude_deg or 0.0),
            ", ".join(each.name for each in reach.organisations),
            _("participant") if reach.takes_part else _("could fill gaps"),
            times.minute(start),
            times.minute(end),
            times.local(start, reach.observatory.time_zone),
        )
        for reach in coverage.reaches
        for start, end in reach.windows
    ]
    columns = (
        _("Observatory"),
        _("Longitude"),
        _("Operated by"),
        _("Role"),
        _("From"),
        _("To"),
        _("Begins at local time"),
    )
    return Table(columns, rows, caption, frozenset({1}))


def map_figure(slot: Slot, world: WorldNow, address: str, query: str) -> Figure | None:
    """Sites of a slot with the lines between them: full between those that are taken, dashed where they could be. None
    with fewer than two sites.
    """
    best: dict[int, tuple[Observatory, str]] = {}
    for offer in slot.offers:  # type: ignore[attr-defined]
        observatory = offer.seat.telescope.observatory
        taken = "confirmed" if offer.state in ("confirmed", "done") else offer.state
        known = best.get(observatory.pk)
        if observatory.place is not None and (known is None or taken in ("held", "confirmed")):
            best[observatory.pk] = (observatory, taken)
    sites = sorted(best.values(), key=lambda each: each[0].longitude_deg or 0.0)
    if len(sites) < 2:
        return None
    places = [observatory.place for observatory, _state in sites]
    lengths = distances_km([place for place in places if place is not None])
    pairs = [(i, j) for i, j in combinations(range(len(sites)), 2) if lengths[i, j] > 50.0]
    title = _("Baselines of slot %(n)d") % {"n": slot.pk}
    longest = max((lengths[i, j] for i, j in pairs), default=0.0)
    description = _("%(n)d observatories, the longest baseline %(km)s km.") % {
        "n": len(sites),
        "km": times.number(longest),
    }

    def draw(name: str, width: int) -> Drawing:
        board = WorldMap(name, width - 8.0, 4.0, 6.0)
        arcs = ""
        for i, j in sorted(pairs, key=lambda pair: _both_taken(sites, *pair)):
            one, other = ((o.longitude_deg or 0.0, o.latitude_deg or 0.0) for o in (sites[i][0], sites[j][0]))
            arcs += board.arc(one, other, "baseline" if _both_taken(sites, i, j) else "baseline possible")
        markers = [
            Marker(o.longitude_deg or 0.0, o.latitude_deg or 0.0, f"seat {state}", f"{o}: {said(state)}",
                   label=o.mpc_code or o.name[:12], radius=3.4 if width < NARROW else 5.0)
            for o, state in sites
        ]  # fmt: skip
        keys = [Key("seat open", _("seat open"), "dot"), Key("seat held", _("held"), "dot"),
                Key("seat confirmed", _("confirmed"), "dot"), Key("seat blocked", _("blocked"), "dot"),
                Key("baseline", _("baseline, taken"), "line"), Key("baseline possible", _("possible"), "line"),
                ]  # fmt: skip
        entries, high = legend(keys, 6.0, board.height + 18, width - 6.0)
        body = board.base(world.sun) + arcs + board.markers(markers) + entries
        return Drawing(name, width, round(board.height + 22 + high), title, description, body)

    rows = [
        (
            _short(sites[i][0]),
            said(sites[i][1]),
            _short(sites[j][0]),
            said(sites[j][1]),
            times.number(float(lengths[i, j])),
        )
        for i, j in sorted(pairs, key=lambda pair: -lengths[pair])
    ]
    columns = (_("From"), _("Seat"), _("To"), _("Seat"), _("Straight line (km)"))
    return Figure("map", draw, Table(columns, rows, title, frozenset({4})), f"{address}map", query)


def _both_taken(sites: Sequence[tuple[Observatory, str]], i: int, j: int) -> bool:
    return all(sites[k][1] in ("held", "confirmed") for k in (i, j))


def _short(observatory: Observatory) -> str:
    return f"{observatory.mpc_code or ''} {observatory.name}".strip()
