"""JPL's Small-Body Database: one object with its orbit, covariance and forces (`sbdb.api` 1.x)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Elements:
    """Heliocentric ecliptic J2000 elements at `epoch_tdb_jd`. a and M are absent where they are not published."""

    epoch_tdb_jd: float
    e: float
    q_au: float
    tp_tdb_jd: float
    i_deg: float
    node_deg: float
    peri_deg: float
    a_au: float | None = None
    mean_anomaly_deg: float | None = None


@dataclass(frozen=True, slots=True)
class Covariance:
    """As published: rows and columns in the order of `labels` (e, q, tp, node, peri, i, then what else was fitted).

    Its epoch may differ from that of the orbit; `elements` are those at the covariance's epoch.
    """

    elements: Elements
    labels: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]

    def as_published(self) -> dict[str, object]:
        """The form in which `Orbit.covariance` keeps it and `OrbitCovariance.from_sbdb` reads it."""
        at = self.elements
        values = {"e": at.e, "q": at.q_au, "tp": at.tp_tdb_jd, "om": at.node_deg, "w": at.peri_deg, "i": at.i_deg}
        return {
            "epoch": at.epoch_tdb_jd,
            "labels": list(self.labels),
            "data": [list(row) for row in self.matrix],
            "elements": [{"name": name, "value": value} for name, value in values.items()],
        }


@dataclass(frozen=True, slots=True)
class NonGravitational:
    """Accelerations A1, A2, A3 with g(r) = (r0/r)^2 unless `others` says otherwise (ALN, NK, NM, NN, R0, DT, AMRAT...)."""

    a1_au_d2: float | None = None
    a2_au_d2: float | None = None
    a3_au_d2: float | None = None
    others: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Physical:
    """What is known of the body; absent where it is not published."""

    h_mag: float | None = None
    h_sigma_mag: float | None = None
    g_slope: float | None = None
    m1_mag: float | None = None
    k1: float | None = None
    diameter_km: float | None = None
    diameter_sigma_km: float | None = None
    albedo: float | None = None
    rotation_period_h: float | None = None


@dataclass(frozen=True, slots=True)
class Solution:
    """Which fit it is and how good. `solved_at` is published in Pacific time; here it is UTC."""

    solution_id: str
    solved_at: dt.datetime | None
    first_observed_on: dt.date | None
    last_observed_on: dt.date | None
    arc_days: float | None
    observation_count: int | None
    delay_count: int | None
    doppler_count: int | None
    condition_code: str
    rms: float | None  # normalised residuals, no arcseconds
    moid_au: float | None
    producer: str
    planetary_ephemeris: str
    is_two_body: bool
    valid_from_tdb_jd: float | None = None
    valid_until_tdb_jd: float | None = None


@dataclass(frozen=True, slots=True)
class SbdbObject:
    """One object. `designations` are all that are published, the principal first."""

    designation: str
    full_name: str
    spkid: str
    kind: str  # an, au: (un)numbered asteroid; cn, cu: comet
    number: str
    name: str
    designations: tuple[str, ...]
    orbit_class: str
    is_neo: bool
    is_pha: bool
    elements: Elements
    solution: Solution
    covariance: Covariance | None
    nongrav: NonGravitational
    physical: Physical
