"""JPL's close approaches (`cad.api` 1.5)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CloseApproach:
    """One passage. The distances `_min` and `_max` are 3-sigma, `time_sigma_min` is 3-sigma in minutes."""

    designation: str
    solution_id: str
    body: str
    at_tdb_jd: float
    distance_au: float
    distance_min_au: float
    distance_max_au: float
    v_rel_km_s: float
    v_inf_km_s: float | None
    time_sigma_min: float | None
    h_mag: float | None
    diameter_km: float | None
    full_name: str
