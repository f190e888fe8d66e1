"""Where a slot of the length that a campaign asks for lies best: inside the joint windows of its participants, on
telescopes that are free. Nothing is written here.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coordination.campaigns.models import Campaign
from coordination.common.timescales import to_datetime, tt_mjd_to_utc, utc_to_tt_mjd
from coordination.visibility.engine.baselines import Errors
from coordination.visibility.engine.closures import Closures, without_closures
from coordination.visibility.engine.joint import joint_windows
from coordination.visibility.engine.placing import placements
from coordination.visibility.engine.segments import Segments
from coordination.visibility.engine.table import WindowTable
from coordination.visibility.engine.yields import Yields, yields_of
from coordination.visibility.joint_windows import search_of
from coordination.visibility.searching import Search
from observatories.models import Telescope
from observatories.sites.spread import longitude_spread_deg
from targets.models import Target
from targets.services.ephemerides import Span

from ..models import Booking

_STEP_KM = 500.0  # a baseline that is longer by less counts as equal
_STEP_DEG = 5.0  # and an altitude


@dataclass(frozen=True)
class SeatPlan:
    """One telescope's period in a placement."""

    telescope_id: int
    observe_from: dt.datetime
    observe_until: dt.datetime
    peak_altitude_deg: float | None = None
    v_mag: float | None = None
    rate_arcsec_min: float | None = None


@dataclass(frozen=True)
class Placement:
    """A slot as it could be: times, the joint window around it, seats, why here, and what it would yield."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    room_starts_at: dt.datetime
    room_ends_at: dt.datetime
    seats: tuple[SeatPlan, ...]
    reason: str
    expected_yield: dict[str, Any]


def best_placements(
    campaign: Campaign, target: Target, telescopes: Sequence[Telescope], span: Span, count: int
) -> list[Placement]:
    """At most `count` placements for simultaneous observations in a span, in order of time; they do not overlap.

    Most sites first, then the longer baseline, then the higher lowest altitude; a joint window that holds none yet
    goes before one that does. Raises DomainError where the target or a telescope cannot be computed.
    """
    usable = [telescope for telescope in telescopes if telescope.state == Telescope.State.ACTIVE]
    if not usable:
        return []
    search = search_of(target, usable, span)
    windows = without_closures(search.windows, _booked(usable, span), search.observing.least_days)
    length_days = campaign.observation_minutes / 1440.0
    (joint,) = joint_windows(windows, search.sites, [campaign.min_sites])
    found = placements(joint, windows, len(usable), length_days)
    errors = Errors(campaign.astrometric_error_arcsec, campaign.timing_error_s)
    yields = yields_of(found, joint, search.groups, search.observing, search.sites, errors)
    ranked = _ranked(campaign, found, yields, search)
    chosen = _apart(ranked, found, count)
    room = _utc(joint.start_tt_mjd), _utc(joint.end_tt_mjd)
    return [
        _placement(campaign, k, found, yields, search, usable, (room[0][found.joint[k]], room[1][found.joint[k]]))
        for k in sorted(chosen, key=lambda each: float(found.start_tt_mjd[each]))
    ]


def _booked(telescopes: Sequence[Telescope], span: Span) -> Closures:
    """What is occupied already, as the engine takes closures: windows lose it, with setup and slew before."""
    index = {telescope.pk: k for k, telescope in enumerate(telescopes)}
    rows = list(
        Booking.objects.active()
        .filter(telescope__in=index, starts_at__lt=span.ends_at, ends_at__gt=span.starts_at)
        .values_list("telescope_id", "starts_at", "ends_at")
    )
    setup = [dt.timedelta(seconds=telescope.setup_s + telescope.slew_s) for telescope in telescopes]
    return Closures(
        telescope=np.array([index[pk] for pk, _, _ in rows], dtype=np.int64),
        start_tt_mjd=np.array([utc_to_tt_mjd(starts_at) for _, starts_at, _ in rows], dtype=float),
        end_tt_mjd=np.array([utc_to_tt_mjd(ends_at + setup[index[pk]]) for pk, _, ends_at in rows], dtype=float),
        reasons=[""] * len(rows),
    )


def _ranked(campaign: Campaign, found: Segments, yields: Yields, search: Search) -> list[int]:
    """The candidates that meet the campaign's geometry, best first."""
    rows = []
    for k in range(found.n):
        members = found.members(k)
        sites = len({search.sites[telescope] for telescope in members})
        baseline_km = float(np.nan_to_num(yields.baseline_km[k]).min())
        altitude_deg = float(yields.min_alt_deg[k].min())
        if sites < campaign.min_sites or baseline_km < (campaign.min_baseline_km or 0.0):
            continue
        if campaign.min_longitude_spread_deg:
            places = [search.observing.telescopes[telescope].place for telescope in members]
            if longitude_spread_deg(places) < campaign.min_longitude_spread_deg:
                continue
        rank = (-sites, -round(baseline_km / _STEP_KM), -round(altitude_deg / _STEP_DEG), float(found.start_tt_mjd[k]))
        rows.append((rank, k))
    return [k for _, k in sorted(rows)]


def _apart(ranked: Sequence[int], found: Segments, count: int) -> list[int]:
    """The best `count` that do not overlap: one of each joint window first, then further ones."""
    chosen: list[int] = []

    def free(k: int) -> bool:
        return all(
            found.end_tt_mjd[k] <= found.start_tt_mjd[other] or found.start_tt_mjd[k] >= found.end_tt_mjd[other]
            for other in chosen
        )

    for again in (False, True):
        for k in ranked:
            held = any(found.joint[k] == found.joint[other] for other in chosen)
            if len(chosen) < count and (again or not held) and free(k):
                chosen.append(k)
    return chosen


def _placement(
    campaign: Campaign,
    k: int,
    found: Segments,
    yields: Yields,
    search: Search,
    telescopes: Sequence[Telescope],
    room: tuple[dt.datetime, dt.datetime],
) -> Placement:
    members = found.members(k)
    starts_at = to_datetime(tt_mjd_to_utc(found.start_tt_mjd[k : k + 1])[0])
    starts_at = _to_second(starts_at)
    ends_at = starts_at + dt.timedelta(minutes=campaign.observation_minutes)
    told = _yield_of(k, yields, len({search.sites[telescope] for telescope in members}))
    rows = _windows_over(search.windows, members, found.start_tt_mjd[k], found.end_tt_mjd[k])
    seats = tuple(
        SeatPlan(
            telescopes[telescope].pk,
            starts_at,
            ends_at,
            _number(search.quantities.max_alt_deg[row], 1),
            _number(search.quantities.v_mag[row], 2),
            _number(search.quantities.rate_arcsec_min[row], 2),
        )
        for telescope, row in zip(members, rows, strict=True)
    )
    names = ", ".join(str(telescopes[telescope].observatory) for telescope in members)
    return Placement(
        starts_at, ends_at, min(room[0], starts_at), max(room[1], ends_at), seats, f"{_words(told)} ({names}).", told
    )


def _windows_over(windows: WindowTable, members: Sequence[int], start: float, end: float) -> list[int]:
    """For each member the row of the window that holds the middle of an interval."""
    middle = 0.5 * (start + end)
    holds = (windows.start_tt_mjd <= middle) & (windows.end_tt_mjd >= middle)
    return [int(np.flatnonzero(holds & (windows.telescope == telescope))[0]) for telescope in members]


def _yield_of(k: int, yields: Yields, sites: int) -> dict[str, Any]:
    """What the slot would give, in the middle unless said otherwise; None for what is not known."""
    return {
        "sites": sites,
        "baseline_km": _number(yields.baseline_km[k, 1], 0),
        "parallax_arcsec": _number(yields.parallax_arcsec[k, 1], 2),
        "range_error_fraction": _number(yields.range_error_fraction[k, 1], 6),
        "range_error_km": _number(yields.range_error_km[k, 1], 0),
        "distance_au": _number(yields.distance_au[k, 1], 6),
        "lowest_altitude_deg": _number(yields.min_alt_deg[k].min(), 1),
        "faintest_v_mag": _number(yields.v_mag[k].max(), 2),
        "least_v_margin_mag": _number(yields.v_margin_mag[k].min(), 2),
    }


def _words(told: dict[str, Any]) -> str:
    sites = "one site" if told["sites"] == 1 else f"{told['sites']} sites at once"
    parts = [sites]
    if told["baseline_km"] is not None:
        parts.append(f"projected baseline {told['baseline_km']:,.0f} km")
        parts.append(f"parallax {told['parallax_arcsec']:g} arcsec")
        parts.append(f"range to {100.0 * told['range_error_fraction']:.2g} %")
    parts.append(f"altitude {told['lowest_altitude_deg']:.0f} deg or more")
    return ", ".join(parts)


def _number(value: float, decimals: int) -> float | None:
    return round(float(value), decimals) if np.isfinite(value) else None


def _to_second(instant: dt.datetime) -> dt.datetime:
    """Without the microseconds that conversions between time scales leave."""
    return (instant + dt.timedelta(milliseconds=500)).replace(microsecond=0)


def _utc(tt_mjd: Any) -> list[dt.datetime]:
    return [to_datetime(instant) for instant in tt_mjd_to_utc(tt_mjd)]
