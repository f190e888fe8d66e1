"""JPL's Small-Body Database, many objects at once: a row each, without covariances (`sbdb_query.api` 1.0)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SbdbRow:
    """One object of a query, with the fields of `client.FIELDS`."""

    designation: str  # primary: the number, or the provisional designation
    full_name: str
    spkid: str
    kind: str
    name: str
    orbit_class: str
    is_neo: bool
    is_pha: bool
    solution_id: str
    solved_at: dt.datetime | None  # UTC
    epoch_tdb_jd: float
    e: float
    a_au: float | None
    q_au: float
    i_deg: float
    node_deg: float
    peri_deg: float
    mean_anomaly_deg: float | None
    tp_tdb_jd: float | None
    moid_au: float | None
    condition_code: str
    arc_days: float | None
    first_observed_on: dt.date | None
    last_observed_on: dt.date | None
    observation_count: int | None
    rms: float | None
    h_mag: float | None
    g_slope: float | None
    diameter_km: float | None
    albedo: float | None
    rotation_period_h: float | None
    a1_au_d2: float | None
    a2_au_d2: float | None
    a3_au_d2: float | None
