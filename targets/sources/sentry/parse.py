"""JPL's impact monitoring (`sentry.api` 2.0): the risk list, one object's virtual impactors, what was removed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.reading import (
    FieldError,
    Fields,
    jpl_object,
    json_object,
    reading,
    refuse_jpl_errors,
    require_signature,
    shown,
)
from targets.designations import key_of
from targets.sources.records import ORBIT_RANGES
from targets.sources.rows import Rows, read_rows

PROVIDER = "sentry"
VERSIONS = ("2.0",)
_PROBABILITY, _PALERMO, _SPEED_KM_S = (0.0, 1.0), (-100.0, 100.0), (0.0, 1e4)
_YEARS = re.compile(r"(\d{4})-(\d{4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class RiskRow:
    """One object of the risk list: cumulative over all its virtual impactors, where nothing else is said."""

    designation: str
    full_name: str
    impact_probability: float
    impact_count: int
    palermo_cumulative: float
    palermo_maximum: float
    torino_maximum: int | None  # absent where the first possible impact is more than a century away
    first_year: int | None
    last_year: int | None
    h_mag: float | None
    diameter_km: float | None
    v_inf_km_s: float | None
    last_observed_on: dt.date | None


@dataclass(frozen=True, slots=True)
class VirtualImpactor:
    """One possible impact, UTC."""

    at: dt.datetime
    impact_probability: float
    palermo: float
    torino: int | None
    energy_mt: float | None
    sigma: float | None  # how far from the nominal orbit, in sigmas of the method
    distance_earth_radii: float | None = None  # LOV only
    width_earth_radii: float | None = None
    stretch: float | None = None


@dataclass(frozen=True, slots=True)
class RiskObject:
    """One object in full."""

    summary: RiskRow
    method: str  # IOBS, LOV or MC
    computed_at: dt.datetime | None
    first_observed_on: dt.date | None
    observation_count: int | None
    arc_days: float | None
    v_imp_km_s: float | None
    mass_kg: float | None
    energy_mt: float | None
    virtual_impactors: tuple[VirtualImpactor, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """An object that is no longer on the list, and since when."""

    designation: str
    removed_at: dt.datetime


def parse_risk_list(body: bytes, versions: Sequence[str] = VERSIONS) -> Rows[RiskRow]:
    """All objects with possible impacts. Raises Nonsense."""
    reply = jpl_object(PROVIDER, body, versions)
    with reading(PROVIDER, body):
        rows, count = reply.list("data"), reply.maybe_whole("count")
        _require_count(rows, count)
    return read_rows(PROVIDER, body, rows, lambda raw: _risk(Fields(raw, "the row")), count)


def parse_risk(body: bytes, asked: str = "", versions: Sequence[str] = VERSIONS) -> RiskObject | Removed:
    """One object with its virtual impactors, or that it was removed. Raises Nonsense, NotFound."""
    reply = json_object(PROVIDER, body)
    if reply.raw.get("removed") is not None and "summary" not in reply.raw:
        require_signature(PROVIDER, reply, versions, body)
        with reading(PROVIDER, body):
            return Removed(asked, reply.instant("removed"))
    refuse_jpl_errors(PROVIDER, reply, body)
    require_signature(PROVIDER, reply, versions, body)
    with reading(PROVIDER, body):
        summary = reply.child("summary")
        found = RiskObject(
            summary=_risk(summary),
            method=summary.maybe_text("method", 8),
            computed_at=summary.maybe_instant("cdate"),
            first_observed_on=summary.maybe_date("first_obs"),
            observation_count=summary.maybe_whole("nobs"),
            arc_days=_arc_days(summary.maybe_text("darc", 40)),
            v_imp_km_s=summary.maybe_number("v_imp", *_SPEED_KM_S),
            mass_kg=summary.maybe_number("mass", 0.0, 1e30),
            energy_mt=summary.maybe_number("energy", 0.0, 1e20),
            virtual_impactors=tuple(_impactor(Fields(each, "an entry of data")) for each in reply.list("data")),
        )
    names = {key_of(found.summary.designation), *map(key_of, re.findall(r"[^()]+", found.summary.full_name))}
    if asked and key_of(asked) not in names:
        raise Nonsense(PROVIDER, f"asked for {shown(asked)}, it answers {found.summary.full_name}", Wrong.OBJECT, body)
    return found


def parse_removed(body: bytes, versions: Sequence[str] = VERSIONS) -> Rows[Removed]:
    """All objects that were removed from the list. Raises Nonsense."""
    reply = jpl_object(PROVIDER, body, versions)
    with reading(PROVIDER, body):
        rows, count = reply.list("data"), reply.maybe_whole("count")
        _require_count(rows, count)
    return read_rows(PROVIDER, body, rows, _removed, count)


def _require_count(rows: Sequence[Any], count: int | None) -> None:
    """An answer that counts more than it holds was cut off: what is missing has not left the list."""
    if count is not None and count != len(rows):
        raise FieldError(f"count is {count}, but there are {len(rows)} rows")


def _removed(raw: Any) -> Removed:
    row = Fields(raw, "the row")
    return Removed(row.text("des", 40), row.instant("removed"))


def _risk(row: Fields) -> RiskRow:
    years = _YEARS.fullmatch(row.maybe_text("range", 20))
    return RiskRow(
        designation=row.text("des", 40),
        full_name=row.maybe_text("fullname"),
        impact_probability=row.number("ip", *_PROBABILITY),
        impact_count=row.whole("n_imp"),
        palermo_cumulative=row.number("ps_cum", *_PALERMO),
        palermo_maximum=row.number("ps_max", *_PALERMO),
        torino_maximum=row.maybe_whole("ts_max", 0, 10),
        first_year=int(years[1]) if years else None,
        last_year=int(years[2]) if years else None,
        h_mag=row.maybe_number("h", *ORBIT_RANGES["h_mag"]),
        diameter_km=row.maybe_number("diameter", 0.0, 1e5),
        v_inf_km_s=row.maybe_number("v_inf", *_SPEED_KM_S),
        last_observed_on=row.maybe_date("last_obs"),
    )


def _impactor(entry: Fields) -> VirtualImpactor:
    sigmas = [key for key in ("sigma_vi", "sigma_lov", "sigma_imp", "sigma_mc") if entry.raw.get(key) is not None]
    return VirtualImpactor(
        at=entry.instant("date"),
        impact_probability=entry.number("ip", *_PROBABILITY),
        palermo=entry.number("ps", *_PALERMO),
        torino=entry.maybe_whole("ts", 0, 10),
        energy_mt=entry.maybe_number("energy", 0.0, 1e20),
        sigma=entry.maybe_number(sigmas[0], -1e6, 1e6) if sigmas else None,
        distance_earth_radii=entry.maybe_number("dist", 0.0, 1e9),
        width_earth_radii=entry.maybe_number("width", 0.0, 1e15),
        stretch=entry.maybe_number("stretch", -1e15, 1e15),
    )


def _arc_days(text: str) -> float | None:
    """From "7693.4 days" or the number alone."""
    return Fields({"darc": text.removesuffix("days")}).maybe_number("darc", 0.0, 1e6)
