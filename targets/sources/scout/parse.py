"""JPL's Scout (`scout.api` 1.3): orbits and hazard of objects on the confirmation page. Not for the public.

`arc` is taken for hours. Clients disagree, but both recorded replies can only be that: 475.22 of an object that was
on the page for weeks, 0.35 with four observations of one night.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.reading import (
    FieldError,
    Fields,
    jpl_object,
    number,
    reading,
    shown,
    table,
)
from targets.sources.records import ORBIT_RANGES
from targets.sources.rows import Rows, read_rows

PROVIDER = "scout"
VERSIONS = ("1.3",)
_SCORE, _MOID_AU, _SPEED_KM_S = (0, 100), (0.0, 1e4), (0.0, 1e4)


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


def parse_list(body: bytes, versions: Sequence[str] = VERSIONS) -> Rows[ScoutObject]:
    """All objects that Scout follows. Raises Nonsense."""
    reply = jpl_object(PROVIDER, body, versions)
    with reading(PROVIDER, body):
        count = reply.maybe_whole("count")
        rows = reply.list("data") if count != 0 or "data" in reply.raw else []
        if count is not None and count != len(rows):
            raise FieldError(f"count is {count}, but there are {len(rows)} rows")
    return read_rows(PROVIDER, body, rows, lambda raw: _object(Fields(raw, "the row")), count)


def parse_detail(body: bytes, asked: str = "", versions: Sequence[str] = VERSIONS) -> ScoutDetail:
    """One object, with orbits where they were asked for. Raises Nonsense, and NotFound once it has left."""
    reply = jpl_object(PROVIDER, body, versions)
    with reading(PROVIDER, body):
        found = _object(reply)
        sampled = reply.child("orbits") if reply.raw.get("orbits") is not None else None
        orbits = tuple(_orbit(Fields(row, "an orbit")) for row in table(sampled)) if sampled else ()
    if asked and found.designation != asked:
        raise Nonsense(PROVIDER, f"asked for {shown(asked)}, it answers {found.designation}", Wrong.OBJECT, body)
    return ScoutDetail(found, orbits)


def _object(row: Fields) -> ScoutObject:
    return ScoutObject(
        designation=row.text("objectName", 40),
        run_at=row.instant("lastRun"),
        observation_count=row.whole("nObs"),
        arc_hours=row.maybe_number("arc", 0.0, 1e5),
        rms=row.maybe_number("rmsN", 0.0, 1e6),
        h_mag=row.maybe_number("H", *ORBIT_RANGES["h_mag"]),
        rating=row.maybe_whole("rating", 0, 4),
        moid_au=row.maybe_number("moid", *_MOID_AU),
        approach_distance_ld=row.maybe_number("caDist", 0.0, 1e7),
        v_inf_km_s=row.maybe_number("vInf", *_SPEED_KM_S),
        neo_score=row.maybe_whole("neoScore", *_SCORE),
        neo_1km_score=row.maybe_whole("neo1kmScore", *_SCORE),
        pha_score=row.maybe_whole("phaScore", *_SCORE),
        interior_score=row.maybe_whole("ieoScore", *_SCORE),
        geocentric_score=row.maybe_whole("geocentricScore", *_SCORE),
        tisserand_score=row.maybe_whole("tisserandScore", *_SCORE),
        ephemeris_at=row.maybe_instant("tEphem"),
        ra_deg=_right_ascension_deg(row.maybe_text("ra", 20)),
        dec_deg=row.maybe_number("dec", -90.0, 90.0),
        elongation_deg=row.maybe_number("elong", 0.0, 180.0),
        rate_arcsec_min=row.maybe_number("rate", 0.0, 1e6),
        v_mag=row.maybe_number("Vmag", -30.0, 60.0),
        sigma_now_arcmin=row.maybe_number("unc", 0.0, 1e6),
        sigma_next_day_arcmin=row.maybe_number("uncP1", 0.0, 1e6),
    )


def _right_ascension_deg(text: str) -> float | None:
    """Hours and minutes ("08:54") in degrees."""
    if not text:
        return None
    hours, colon, minutes = text.partition(":")
    if not colon:
        raise FieldError(f"ra is {shown(text)}: expected hours and minutes such as 08:54")
    return 15.0 * (number("hours of ra", hours, 0.0, 23.0) + number("minutes of ra", minutes, 0.0, 60.0) / 60.0)


def _orbit(row: Fields) -> ScoutOrbit:
    def of(key: str, name: str) -> float:
        return row.number(key, *ORBIT_RANGES[name])

    return ScoutOrbit(
        epoch_tdb_jd=of("epoch", "epoch_tdb_jd"),
        e=of("ec", "e"),
        q_au=of("qr", "q_au"),
        tp_tdb_jd=of("tp", "tp_tdb_jd"),
        i_deg=of("inc", "i_deg"),
        node_deg=of("om", "node_deg"),
        peri_deg=of("w", "peri_deg"),
        h_mag=row.maybe_number("H", *ORBIT_RANGES["h_mag"]),
        approach_distance_au=row.maybe_number("dca", 0.0, 1e4),
        approach_tdb_jd=row.maybe_number("tca", *ORBIT_RANGES["tp_tdb_jd"]),
        moid_au=row.maybe_number("moid", *_MOID_AU),
        v_inf_km_s=row.maybe_number("vinf", *_SPEED_KM_S),
        is_impactor=row.maybe_whole("impFlag", 0, 1) == 1,
    )
