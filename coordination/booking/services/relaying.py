"""Where a relay of the length that a campaign asks for covers the most."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from coordination.campaigns.models import Campaign
from coordination.visibility.joint_results import RelayChain
from coordination.visibility.joint_windows import FoundWindow, relay_of, windows_on_demand
from observatories.models import Telescope
from observatories.sites.grouping import site_numbers
from observatories.sites.spread import longitude_spread_deg
from targets.models import Target
from targets.services.ephemerides import Span

from .placing import Placement, SeatPlan

_TRIED = 12  # candidates for which the chain is worked out, best coverage first


def best_relays(
    campaign: Campaign,
    target: Target,
    telescopes: Sequence[Telescope],
    span: Span,
    count: int,
    further: Sequence[Telescope] = (),
) -> list[Placement]:
    """At most `count` relays in order of time that do not overlap, the best covered first chosen.

    `further`: telescopes that are asked what could fill the gaps.
    """
    length = dt.timedelta(minutes=campaign.observation_minutes)
    windows = windows_on_demand(target, telescopes, span)
    chosen: list[Placement] = []
    for start in _starts(windows, span, length)[:_TRIED]:
        apart = all(start + length <= other.starts_at or start >= other.ends_at for other in chosen)
        if len(chosen) == count or not apart:
            continue
        chain = relay_of(
            target, telescopes, Span(start, start + length), handover_minutes=campaign.handover_minutes,
            rotation_period_h=target.rotation_period_h, further_telescopes=further,
        )  # fmt: skip
        if _meets(campaign, chain, telescopes):
            chosen.append(_placement(start, start + length, chain, windows, telescopes))
    return sorted(chosen, key=lambda placement: placement.starts_at)


def _starts(windows: Sequence[FoundWindow], span: Span, length: dt.timedelta) -> list[dt.datetime]:
    """Beginnings, those first from which the most time is covered: the coverage only peaks where a window begins at
    the start or ends at the end.
    """
    candidates = {window.starts_at for window in windows} | {window.ends_at - length for window in windows}
    first, last = span.starts_at, span.ends_at - length
    starts = sorted({min(max(_whole_minute(start), first), last) for start in candidates if first <= last})
    if not starts:
        return []
    begin, end = _united(windows)
    covered = [_covered_s(start, start + length, begin, end) for start in starts]
    return [starts[k] for k in np.argsort(-np.array(covered), kind="stable")]


def _united(windows: Sequence[FoundWindow]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    spans: list[list[float]] = []
    for window in sorted(windows, key=lambda each: each.starts_at):
        start, end = window.starts_at.timestamp(), window.ends_at.timestamp()
        if spans and start <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([start, end])
    bounds = np.array(spans).reshape(-1, 2)
    return bounds[:, 0], bounds[:, 1]


def _covered_s(start: dt.datetime, end: dt.datetime, begins: NDArray[np.float64], ends: NDArray[np.float64]) -> float:
    overlap = np.minimum(ends, end.timestamp()) - np.maximum(begins, start.timestamp())
    return float(np.maximum(overlap, 0.0).sum())


def _meets(campaign: Campaign, chain: RelayChain, telescopes: Sequence[Telescope]) -> bool:
    places = {telescope.pk: telescope.observatory.place for telescope in telescopes}
    used = [place for leg in chain.legs if (place := places[leg.telescope_id]) is not None]
    if not used or len(set(site_numbers(used).tolist())) < campaign.min_sites:
        return False
    if campaign.min_longitude_spread_deg and longitude_spread_deg(used) < campaign.min_longitude_spread_deg:
        return False
    if chain.covered_fraction < (campaign.min_covered_fraction or 0.0):
        return False
    largest = max((gap.minutes for gap in chain.gaps), default=0.0)
    return campaign.max_gap_minutes is None or largest <= campaign.max_gap_minutes


def _placement(
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    chain: RelayChain,
    windows: Sequence[FoundWindow],
    telescopes: Sequence[Telescope],
) -> Placement:
    seats = tuple(
        SeatPlan(
            leg.telescope_id,
            _second_up(leg.starts_at),
            leg.ends_at.replace(microsecond=0),
            round(leg.peak_altitude_deg, 1),
            None if leg.v_mag is None else round(leg.v_mag, 2),
        )
        for leg in chain.legs
        if leg.ends_at.replace(microsecond=0) > _second_up(leg.starts_at)
    )
    names = {telescope.pk: str(telescope.observatory) for telescope in telescopes}
    largest = max((gap.minutes for gap in chain.gaps), default=0.0)
    told: dict[str, Any] = {
        "coverage_h": round(chain.coverage_h, 3),
        "covered_fraction": round(chain.covered_fraction, 4),
        "rotation_fraction": None if chain.rotation_fraction is None else round(chain.rotation_fraction, 4),
        "largest_gap_minutes": round(largest, 1),
        "gaps": [
            {
                "starts_at": gap.starts_at.isoformat().replace("+00:00", "Z"),
                "ends_at": gap.ends_at.isoformat().replace("+00:00", "Z"),
                "could_fill": [filler.who.name for filler in gap.fillers[:5]],
            }
            for gap in chain.gaps
        ],
    }
    path = " -> ".join(names[leg.telescope_id] for leg in chain.legs)
    reason = f"{chain.coverage_h:.1f} h covered ({chain.covered_fraction:.0%}), largest gap {largest:.0f} min: {path}."
    return Placement(starts_at, ends_at, starts_at, ends_at, seats, reason, told)


def _whole_minute(instant: dt.datetime) -> dt.datetime:
    return (instant + dt.timedelta(seconds=59, microseconds=999_999)).replace(second=0, microsecond=0)


def _second_up(instant: dt.datetime) -> dt.datetime:
    return (instant + dt.timedelta(microseconds=999_999)).replace(microsecond=0)
