"""NEOfixer's ranking of targets for a site (`/targets/`, about 0.3). Units that others only infer are marked [C] there
and kept as published."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NeofixerTarget:
    """One target, as worth observing from the site."""

    packed: str
    designation: str
    number: str
    is_on_neocp: bool
    score: float
    priority: str  # critical, high, med-high, med, med-low, low
    importance: float | None
    urgency: float | None
    cost_min: float | None
    h_mag: float | None
    moid_au: float | None
    q_au: float | None
    u_parameter: float | None
    uncertainty_deg: float | None
    last_observed_days_ago: float | None
    ra_deg: float | None
    dec_deg: float | None
    v_mag: float | None
    rate_arcsec_min: float | None
    elongation_deg: float | None
    evaluated_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class NeofixerList:
    """The targets of one site, best first."""

    site: str
    generated_at: dt.datetime
    targets: tuple[NeofixerTarget, ...]
