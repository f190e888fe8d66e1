"""JPL's Scout (`scout.api` 1.3): orbits and hazard of objects on the confirmation page. Not for the public.

`arc` is taken for hours. Clients disagree, but both recorded replies can only be that: 475.22 of an object that was
on the page for weeks, 0.35 with four observations of one night.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScoutObject:
    """One object of the list. Scores are 0 to 100; sigmas are 1-sigma on the sky."""

    designation: str  # temporary
    run_at: dt.datetime
    observation_count: int
    arc_hours: float | None
    rms: float | None
    h_mag: float | None
    rating: int | None  # 0 negligible to 4 elevated
    moid_au: float | None
    approach_distance_ld: float | None
    v_inf_km_s: float | None
    neo_score: int | None
    neo_1km_score: int | None
    pha_score: int | None
    interior_score: int | None
    geocentric_score: int | None
    tisserand_score: int | None
    ephemeris_at: dt.datetime | None  # of the following
    ra_deg: float | None
    dec_deg: float | None
    elongation_deg: float | None
    rate_arcsec_min: float | None
    v_mag: float | None
    sigma_now_arcmin: float | None
    sigma_next_day_arcmin: float | None


@dataclass(frozen=True, slots=True)
class ScoutOrbit:
    """One of the orbits that agree with the observations: a sample, no fit."""

    epoch_tdb_jd: float
    e: float
    q_au: float
    tp_tdb_jd: float
    i_deg: float
    node_deg: float
    peri_deg: float
    h_mag: float | None
    approach_distance_au: float | None
    approach_tdb_jd: float | None
    moid_au: float | None
    v_inf_km_s: float | None
    is_impactor: bool


@dataclass(frozen=True, slots=True)
class ScoutDetail:
    """One object with its sampled orbits (none unless they were asked for)."""

    object: ScoutObject
    orbits: tuple[ScoutOrbit, ...]
