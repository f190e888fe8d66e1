"""Joint windows, relays and last chances of one target as people and software take them: times in UTC, figures by
name. From a `Search` that holds that one target; telescopes are told by identifiers.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import to_datetime, tt_mjd_to_utc
from coordination.visibility.engine.baselines import Errors
from coordination.visibility.engine.edges import edge_labels
from coordination.visibility.engine.joint import JointTable, joint_windows
from coordination.visibility.engine.last_chance import last_chances
from coordination.visibility.engine.relay import fillings, relay
from coordination.visibility.engine.segments import Segments, segments_of
from coordination.visibility.engine.yields import SAMPLES, Uncertainty, Yields, yields_of
from coordination.visibility.searching import Search
from observatories.sites.spread import longitude_spreads_deg

FloatArray = NDArray[np.float64]

_SHORTEST_DAYS = 1e-3 / 86400.0  # UTC is told in microseconds: shorter ones could lose their length
MINUTES_PER_DAY = 1440.0
_SLACK_DAYS = 1.0 / MINUTES_PER_DAY  # no leg of a relay is worth less


@dataclass(frozen=True)
class Sample:
    """What a segment yields at one instant; None for what is not known or needs two sites (see `Yields`)."""

    at: dt.datetime
    distance_au: float
    baseline_km: float | None
    baseline_telescopes: tuple[int, int] | None
    parallax_arcsec: float | None
    range_error_fraction: float | None
    range_error_km: float | None
    min_altitude_deg: float
    v_mag: float | None
    v_margin_mag: float | None
    fits_fields: bool | None


@dataclass(frozen=True)
class Segment:
    """A part of a joint window in which the same telescopes can observe; sites are called by their first telescope."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    telescope_ids: tuple[int, ...]
    sites: tuple[int, ...]
    longitude_spread_deg: float
    samples: tuple[Sample, Sample, Sample]


@dataclass(frozen=True)
class JointWindow:
    """A maximal interval in which telescopes of at least so many sites as asked can observe."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    segments: tuple[Segment, ...]

    @property
    def minutes(self) -> float:
        return (self.ends_at - self.starts_at).total_seconds() / 60.0

    @property
    def most_sites(self) -> int:
        return max(len(segment.sites) for segment in self.segments)


@dataclass(frozen=True)
class Leg:
    """One telescope's part of a relay. peak_altitude_deg and v_mag are of its whole window. handed_on: the next leg
    begins before this one ends, by the whole hand-over.
    """

    telescope_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    peak_altitude_deg: float
    v_mag: float | None
    handed_on: bool


@dataclass(frozen=True)
class Outside:
    """A telescope that takes no part, or (telescope_id None) an observatory with the usual limits, or a bare place."""

    name: str
    telescope_id: int | None = None
    observatory_id: int | None = None


@dataclass(frozen=True)
class Filler:
    """Who could observe in a gap: for how long, and how much of the gap that is."""

    who: Outside
    minutes: float
    fraction: float

    @property
    def telescope_id(self) -> int | None:
        return self.who.telescope_id


@dataclass(frozen=True)
class Gap:
    """A time that no leg covers; those first who could fill the most of it."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    fillers: tuple[Filler, ...]

    @property
    def minutes(self) -> float:
        return (self.ends_at - self.starts_at).total_seconds() / 60.0


@dataclass(frozen=True)
class RelayChain:
    """The relay over a span. rotation_fraction: of the phases, once folded; None where no period is given."""

    legs: tuple[Leg, ...]
    gaps: tuple[Gap, ...]
    coverage_h: float
    covered_fraction: float
    rotation_fraction: float | None


@dataclass(frozen=True)
class Final:
    """The last window of a telescope in a span: its night (local date of the evening), times and edges; None and empty
    where there is none.

    lost: whether a night without a window follows inside the span; reasons and detail: what rules that night out (of
    a telescope without any window: the first night).
    """

    telescope_id: int
    night: dt.date | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    opened_by: str
    closed_by: str
    lost: bool
    lost_on: dt.date | None
    reasons: tuple[str, ...]
    detail: str


def constant_uncertainty(sigma_arcsec: float | None) -> Uncertainty | None:
    """One 1-sigma semi-major axis for all times."""
    return None if sigma_arcsec is None else lambda target, tt_mjd: np.full(tt_mjd.shape, sigma_arcsec)


def joint_windows_in(
    search: Search,
    ids: Sequence[int],
    *,
    min_sites: int,
    least_minutes: float = 0.0,
    errors: Errors | None = None,
    field_arcsec: Sequence[float] | None = None,
    uncertainty: Uncertainty | None = None,
) -> list[JointWindow]:
    """Joint windows in order of time, those shorter than least_minutes left out."""
    (table,) = joint_windows(search.windows, search.sites, [min_sites])
    least_days = max(least_minutes / MINUTES_PER_DAY - 1e-9, _SHORTEST_DAYS)
    table = table.take(table.end_tt_mjd - table.start_tt_mjd >= least_days)
    segments = segments_of(table, search.windows, len(ids))
    yields = yields_of(
        segments,
        table,
        search.groups,
        search.observing,
        search.sites,
        errors,
        field_arcsec=field_arcsec,
        uncertainty=uncertainty or search.sigma_arcsec,
    )
    return _windows(table, segments, _segments(segments, yields, search, ids))


def _windows(table: JointTable, segments: Segments, told: Sequence[Segment]) -> list[JointWindow]:
    bounds = np.searchsorted(segments.joint, np.arange(table.n + 1))
    starts, ends = _utc(table.start_tt_mjd), _utc(table.end_tt_mjd)
    return [JointWindow(starts[k], ends[k], tuple(told[bounds[k] : bounds[k + 1]])) for k in range(table.n)]


def _segments(segments: Segments, yields: Yields, search: Search, ids: Sequence[int]) -> list[Segment]:
    starts, ends = _utc(segments.start_tt_mjd), _utc(segments.end_tt_mjd)
    members = [segments.members(k) for k in range(segments.n)]
    sites = [sorted({search.sites[telescope] for telescope in each}) for each in members]
    longitudes = [search.observing.telescopes[site].place.lon_deg for each in sites for site in each]
    spread = longitude_spreads_deg(longitudes, np.cumsum([0, *map(len, sites)]))
    samples = _samples(yields, ids)
    return [
        Segment(
            starts_at=starts[k],
            ends_at=ends[k],
            telescope_ids=tuple(ids[telescope] for telescope in members[k]),
            sites=tuple(ids[site] for site in sites[k]),
            longitude_spread_deg=float(spread[k]),
            samples=(samples[SAMPLES * k], samples[SAMPLES * k + 1], samples[SAMPLES * k + 2]),
        )
        for k in range(segments.n)
    ]


def _samples(yields: Yields, ids: Sequence[int]) -> list[Sample]:
    at = _utc(yields.tt_mjd.ravel())
    one, other, fits = (values.ravel().tolist() for values in (yields.one, yields.other, yields.fits))
    return [
        Sample(
            at=at[k],
            distance_au=float(yields.distance_au.flat[k]),
            baseline_km=_known(yields.baseline_km.flat[k]),
            baseline_telescopes=None if one[k] < 0 else (ids[one[k]], ids[other[k]]),
            parallax_arcsec=_known(yields.parallax_arcsec.flat[k]),
            range_error_fraction=_known(yields.range_error_fraction.flat[k]),
            range_error_km=_known(yields.range_error_km.flat[k]),
            min_altitude_deg=float(yields.min_alt_deg.flat[k]),
            v_mag=_known(yields.v_mag.flat[k]),
            v_margin_mag=_known(yields.v_margin_mag.flat[k]),
            fits_fields=None if fits[k] < 0 else bool(fits[k]),
        )
        for k in range(len(at))
    ]


def relay_in(
    search: Search,
    ids: Sequence[int],
    *,
    handover_minutes: float,
    least_minutes: float = 0.0,
    rotation_period_h: float | None = None,
    further: Search | None = None,
    outside: Sequence[Outside] = (),
) -> RelayChain:
    """The relay over the whole span of the search; windows shorter than least_minutes are no legs. further: the same
    target and span at those `outside`, who could fill gaps.
    """
    table, quantities, observing = search.windows, search.quantities, search.observing
    used = np.flatnonzero(table.end_tt_mjd - table.start_tt_mjd >= least_minutes / MINUTES_PER_DAY - 1e-9)
    span = observing.start_tt_mjd, observing.end_tt_mjd
    chain = relay(
        table.telescope[used],
        table.start_tt_mjd[used],
        table.end_tt_mjd[used],
        quantities.max_alt_deg[used],
        span,
        handover_minutes / MINUTES_PER_DAY,
        _SLACK_DAYS,
    )
    windows = used[chain.window]
    starts, ends = _utc(chain.start_tt_mjd), _utc(chain.end_tt_mjd)
    legs = [
        Leg(
            telescope_id=ids[table.telescope[window]],
            starts_at=starts[k],
            ends_at=ends[k],
            peak_altitude_deg=float(quantities.max_alt_deg[window]),
            v_mag=_known(quantities.v_mag[window]),
            handed_on=bool(chain.handed_on[k]),
        )
        for k, window in enumerate(windows.tolist())
    ]
    gaps = _gaps(chain.gap_start_tt_mjd, chain.gap_end_tt_mjd, further, outside)
    period = rotation_period_h
    return RelayChain(
        legs=tuple(legs),
        gaps=tuple(gaps),
        coverage_h=24.0 * chain.covered_days,
        covered_fraction=chain.covered_days / (span[1] - span[0]),
        rotation_fraction=None if period is None else chain.rotation_fraction(period / 24.0),
    )


def _gaps(
    start: FloatArray,
    end: FloatArray,
    further: Search | None,
    outside: Sequence[Outside],
) -> list[Gap]:
    days = np.zeros((start.size, 0))
    if further is not None:
        others = further.windows
        days = fillings(start, end, others.telescope, others.start_tt_mjd, others.end_tt_mjd, len(outside))
    starts, ends = _utc(start), _utc(end)
    return [Gap(starts[k], ends[k], _fillers(days[k], float(end[k] - start[k]), outside)) for k in range(start.size)]


def _fillers(days: FloatArray, gap_days: float, outside: Sequence[Outside]) -> tuple[Filler, ...]:
    order = np.argsort(-days, kind="stable").tolist()
    some = [(outside[k], float(days[k])) for k in order if days[k] >= _SHORTEST_DAYS]
    return tuple(Filler(one, MINUTES_PER_DAY * covered, covered / gap_days) for one, covered in some)


def last_chances_in(search: Search, ids: Sequence[int]) -> list[Final]:
    """One for each telescope, in their order; reasons of closures are told as the closures of the search have them."""
    windows = search.found(cut_at_nights=True)
    starts, ends = _utc(windows.start_tt_mjd), _utc(windows.end_tt_mjd)
    opened, closed = edge_labels(windows.opened_by).tolist(), edge_labels(windows.closed_by).tolist()
    finals = []
    for chance in last_chances(windows, search.groups, search.observing, search.closures):
        k, lost = chance.window, chance.lost
        finals.append(
            Final(
                telescope_id=ids[chance.telescope],
                night=None if chance.night is None else chance.night.astype(dt.date),
                starts_at=None if k is None else starts[k],
                ends_at=None if k is None else ends[k],
                opened_by="" if k is None else opened[k],
                closed_by="" if k is None else closed[k],
                lost=lost is not None,
                lost_on=None if lost is None else lost.night.astype(dt.date),
                reasons=() if lost is None else lost.reasons,
                detail="" if lost is None else lost.text,
            )
        )
    return finals


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _utc(tt_mjd: Sequence[float] | FloatArray) -> list[dt.datetime]:
    return [to_datetime(instant) for instant in tt_mjd_to_utc(tt_mjd)]
