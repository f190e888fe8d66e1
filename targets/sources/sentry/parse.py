"""JPL's impact monitoring (`sentry.api` 2.0): the risk list, one object's virtual impactors, what was removed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


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
