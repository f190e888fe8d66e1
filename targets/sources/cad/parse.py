"""JPL's close approaches (`cad.api` 1.5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.reading import (
    FieldError,
    Fields,
    jpl_object,
    reading,
    shown,
    table,
)
from targets.designations import key_of
from targets.sources.records import EPOCH_JD_RANGE, ORBIT_RANGES
from targets.sources.rows import Rows, read_rows

PROVIDER = "cad"
VERSIONS = ("1.5",)
_SIGMA = re.compile(r"(?:(\d{1,6})_)?(\d{1,2}):(\d{2})", re.ASCII)
_DISTANCE_AU = (0.0, 1e3)


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


def parse_approaches(body: bytes, asked: str = "", versions: Sequence[str] = VERSIONS) -> Rows[CloseApproach]:
    """The passages of an answer, none where it counts none. Raises Nonsense, NotFound for an object unknown there."""
    reply = jpl_object(PROVIDER, body, versions)
    with reading(PROVIDER, body):
        count = reply.whole("count")
        total = reply.maybe_whole("total")
        rows = list(table(reply)) if count or "data" in reply.raw else []
        if len(rows) != count:
            raise FieldError(f"count is {count}, but there are {len(rows)} rows")
    found = read_rows(PROVIDER, body, rows, _approach, count if total is None else total)
    for row in found.rows if asked else ():
        if key_of(asked) not in {key_of(row.designation), *map(key_of, re.split(r"[()]", row.full_name))}:
            raise Nonsense(PROVIDER, f"asked for {shown(asked)}, it answers {row.designation}", Wrong.OBJECT, body)
    return found


def _approach(raw: Any) -> CloseApproach:
    row = Fields(raw, "the row")
    nearest, mean, farthest = (row.number(key, *_DISTANCE_AU) for key in ("dist_min", "dist", "dist_max"))
    if not nearest <= mean <= farthest:
        raise FieldError(f"dist {mean:g} lies outside dist_min {nearest:g} and dist_max {farthest:g}")
    return CloseApproach(
        designation=row.text("des", 40),
        solution_id=row.maybe_text("orbit_id", 40),
        body=row.maybe_text("body", 20) or "Earth",
        at_tdb_jd=row.number("jd", *EPOCH_JD_RANGE),
        distance_au=mean,
        distance_min_au=nearest,
        distance_max_au=farthest,
        v_rel_km_s=row.number("v_rel", 0.0, 1e4),
        v_inf_km_s=row.maybe_number("v_inf", 0.0, 1e4),
        time_sigma_min=_sigma_min(row.maybe_text("t_sigma_f", 20)),
        h_mag=row.maybe_number("h", *ORBIT_RANGES["h_mag"]),
        diameter_km=row.maybe_number("diameter", 0.0, 1e5),
        full_name=row.maybe_text("fullname"),
    )


def _sigma_min(text: str) -> float | None:
    """`< 00:01`, `13:02` and `2_09:08` (d_hh:mm) in minutes; of the first, the bound."""
    if not text:
        return None
    match = _SIGMA.fullmatch(text.lstrip("< "))
    if match is None:
        raise FieldError(f"t_sigma_f is {shown(text)}: expected d_hh:mm")
    return float(int(match[1] or 0) * 1440 + int(match[2]) * 60 + int(match[3]))
