"""The rows of the commands `ephemeris` and `close_approaches`: columns from orbits, sites and times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from coordination.common.timescales import iso_utc, tt_to_tdb_mjd, utc_to_tt_mjd
from coordination.visibility.engine.places import Places, places
from coordination.visibility.inputs import Site
from coordination.visibility.rows import Column
from coordination.visibility.trusting import Knowledge, Tell, Trusting, labels, rows_where
from coordination.visibility.uncertainty_rows import uncertainty_columns
from coordination.visibility.window_rows import impacts_over, tell_impacts
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.station import Station
from targets.orbits.close_approaches import close_approaches
from targets.orbits.covariance import OrbitCovariance
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import MJD_ZERO_JD, Planets
from targets.orbits.propagation import propagate
from targets.orbits.trust import Trust

# Decimals of each quantity of `Places`, in the order of the columns: fine enough that rounding never limits a
# comparison.
DECIMALS = {
    "ra_deg": 9,
    "dec_deg": 9,
    "ra_apparent_deg": 9,
    "dec_apparent_deg": 9,
    "az_deg": 7,
    "alt_deg": 7,
    "airmass": 4,
    "delta_au": 13,
    "r_au": 12,
    "phase_deg": 5,
    "elong_deg": 5,
    "v_mag": 4,
    "rate_arcsec_min": 5,
    "pa_deg": 4,
    "sun_alt_deg": 5,
    "moon_sep_deg": 5,
}
_FULL_TURNS = ("ra_deg", "ra_apparent_deg", "az_deg", "pa_deg")  # 359.9999999999 is written as 0
_TARGETS_AT_ONCE = 1000


@dataclass(frozen=True)
class KnownTargets:
    """Orbits with what is said of their accuracy; covariances (n) only where ellipses are asked for."""

    orbits: OrbitBatch
    knowledge: Knowledge
    covariances: Sequence[OrbitCovariance | None] | None = None


def trusted_ephemeris_columns(
    targets: KnownTargets,
    sites: Sequence[Site],
    utc: NDArray[np.datetime64],
    planets: Planets,
    tell: Tell,
    *,
    with_flags: bool = False,
) -> list[Column]:
    """The columns of `ephemeris_columns`, ellipses if asked for, and `orbit_trust`; one row for each target, site and
    instant, in that order, without those at which an orbit is unusable or the target has hit the Earth: `tell` hears of
    them. with_flags: what the ellipses are, beside them.

    Raises InputError where nothing is left, and as `ephemeris_columns`.
    """
    orbits, tt = targets.orbits, utc_to_tt_mjd(utc)
    columns = ephemeris_columns(orbits, sites, utc, planets)
    trusting = Trusting.over(orbits, targets.knowledge, tt, planets)
    trusting.tell(tell)
    impacts = impacts_over(orbits, float(tt.min()), float(tt.max()), planets)
    tell_impacts(impacts, orbits.names, float(tt.min()), tell)
    target = np.repeat(np.arange(len(orbits)), len(sites) * utc.size)
    times = np.tile(tt, len(orbits) * len(sites))
    levels = trusting.levels(target, times)
    if targets.covariances is not None:
        columns += uncertainty_columns(targets.covariances, sites, utc, planets, with_flags=with_flags)
    columns = [*columns, Column.text("orbit_trust", labels(levels))]
    seen = ~(times > impacts[target])  # NaN: no impact
    return rows_where(columns, (levels != Trust.UNUSABLE) & seen)


def ephemeris_columns(
    targets: OrbitBatch, sites: Sequence[Site], utc: NDArray[np.datetime64], planets: Planets
) -> list[Column]:
    """One row for each target, site and instant, in that order.

    Raises `SpanError` for instants outside the planetary kernel, EarthOrientationError where the Earth's
    rotation is unknown.
    """
    tt = utc_to_tt_mjd(utc)
    tdb = tt_to_tdb_mjd(tt)
    stations = [None if s.place is None else Station(s.place, EarthOrientation.from_astropy()) for s in sites]
    parts: list[list[Places]] = []
    for first in range(0, len(targets), _TARGETS_AT_ONCE):
        batch = targets.take(np.arange(first, min(first + _TARGETS_AT_ONCE, len(targets))))
        trajectory = propagate(batch, float(tdb.min()), float(tdb.max()), planets)
        parts.append([places(trajectory, tt, station) for station in stations])
    codes = [site.code for site in sites]
    columns = [
        Column.text("name", np.repeat(np.array(targets.names, dtype=object), len(codes) * utc.size)),
        Column.text("site", np.tile(np.repeat(np.array(codes, dtype=object), utc.size), len(targets))),
        Column.text("utc", np.tile(iso_utc(utc), len(targets) * len(codes))),
    ]
    for field in fields(Places):
        # (targets, sites, times), flattened in the order of the rows
        values = np.concatenate([np.stack([getattr(p, field.name) for p in part], axis=1) for part in parts])
        decimals = DECIMALS[field.name]
        if field.name in _FULL_TURNS:
            values = np.round(values, decimals) % 360.0
        columns.append(Column.numbers(field.name, values, decimals))
    columns.append(Column.numbers("v_sigma_mag", np.repeat(targets.h_sigma_mag, len(codes) * utc.size), 3))
    return columns


def close_approach_columns(
    targets: OrbitBatch, start_utc: np.datetime64, stop_utc: np.datetime64, within_au: float, planets: Planets
) -> list[Column]:
    """One row for each close approach, by target, then time. Raises `SpanError` for dates outside the kernel."""
    start, stop = tt_to_tdb_mjd(utc_to_tt_mjd(np.array([start_utc, stop_utc])))
    names: list[str] = []
    tdb, distance, speed = (np.empty(0) for _ in range(3))
    for first in range(0, len(targets), _TARGETS_AT_ONCE):
        batch = targets.take(np.arange(first, min(first + _TARGETS_AT_ONCE, len(targets))))
        found = close_approaches(propagate(batch, float(start), float(stop), planets), planets, within_au)
        names += [batch.names[who] for who in found.who]
        tdb = np.append(tdb, found.tdb_mjd)
        distance = np.append(distance, found.distance_au)
        speed = np.append(speed, found.speed_km_s)
    return [
        Column.text("name", names),
        Column.text("tdb", _iso_tdb(tdb)),
        Column.numbers("tdb_jd", tdb + MJD_ZERO_JD, 8),
        Column.numbers("distance_au", distance, 12),
        Column.numbers("v_rel_km_s", speed, 6),
    ]


def _iso_tdb(tdb_mjd: NDArray[np.float64]) -> list[str]:
    """Calendar text to the millisecond, without Z: it is not UTC."""
    milliseconds = np.round(tdb_mjd * 86_400_000.0).astype("timedelta64[ms]")
    return [str(instant) for instant in np.datetime64("1858-11-17", "ms") + milliseconds]
