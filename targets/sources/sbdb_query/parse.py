"""JPL's Small-Body Database, many objects at once: a row each, without covariances (`sbdb_query.api` 1.0)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from coordination.common.providers.reading import (
    Fields,
    jpl_object,
    reading,
    table,
)
from targets.sources.records import ORBIT_RANGES
from targets.sources.rows import Rows, read_rows
from targets.sources.sbdb.parse import solved_at

R = TypeVar("R")
PROVIDER = "sbdb_query"
VERSIONS = ("1.0",)
# What a query asks for; the answer is read by these names, in whatever order it has them.
FIELDS = (
    "spkid", "full_name", "pdes", "name", "kind", "class", "neo", "pha", "orbit_id", "soln_date", "epoch", "e", "a",
    "q", "i", "om", "w", "ma", "tp", "moid", "condition_code", "data_arc", "first_obs", "last_obs", "n_obs_used", "rms",
    "H", "G", "diameter", "albedo", "rot_per", "A1", "A2", "A3",
)  # fmt: skip

SOLUTION_FIELDS = ("pdes", "orbit_id", "soln_date", "H")


@dataclass(frozen=True, slots=True)
class SolutionRow:
    """Which solution of an object is the current one, and its H."""

    designation: str
    solution_id: str
    solved_at: dt.datetime | None  # UTC
    h_mag: float | None


@dataclass(frozen=True, slots=True)
class SbdbRow:
    """One object of a query, with the fields of `FIELDS`."""

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


def parse_rows(body: bytes, versions: Sequence[str] = VERSIONS) -> Rows[SbdbRow]:
    """The rows of a query for `FIELDS`. Raises Nonsense."""
    return _parse(body, versions, _row)


def parse_solutions(body: bytes, versions: Sequence[str] = VERSIONS) -> Rows[SolutionRow]:
    """The rows of a query for `SOLUTION_FIELDS`. Raises Nonsense."""
    return _parse(body, versions, _solution)


def _parse(body: bytes, versions: Sequence[str], read: Callable[[Any], R]) -> Rows[R]:
    reply = jpl_object(PROVIDER, body, versions)
    with reading(PROVIDER, body):
        total = reply.maybe_whole("count")
        rows = list(table(reply)) if total != 0 or "data" in reply.raw else []
    return read_rows(PROVIDER, body, rows, read, total)


def _solution(raw: Any) -> SolutionRow:
    row = Fields(raw, "the row")
    return SolutionRow(
        designation=row.text("pdes", 40),
        solution_id=row.text("orbit_id", 40),
        solved_at=solved_at(row.maybe_text("soln_date")),
        h_mag=row.maybe_number("H", *ORBIT_RANGES["h_mag"]),
    )


def _row(raw: Any) -> SbdbRow:
    row = Fields(raw, "the row")

    def orbit(key: str, name: str) -> float:
        return row.number(key, *ORBIT_RANGES[name])

    def maybe(key: str, name: str) -> float | None:
        return row.maybe_number(key, *ORBIT_RANGES[name])

    return SbdbRow(
        designation=row.text("pdes", 40),
        full_name=row.maybe_text("full_name"),
        spkid=row.maybe_text("spkid", 20),
        kind=row.maybe_text("kind", 4),
        name=row.maybe_text("name", 64),
        orbit_class=row.maybe_text("class", 32),
        is_neo=row.flag("neo"),
        is_pha=row.flag("pha"),
        solution_id=row.maybe_text("orbit_id", 40),
        solved_at=solved_at(row.maybe_text("soln_date")),
        epoch_tdb_jd=orbit("epoch", "epoch_tdb_jd"),
        e=orbit("e", "e"),
        a_au=maybe("a", "a_au"),
        q_au=orbit("q", "q_au"),
        i_deg=orbit("i", "i_deg"),
        node_deg=orbit("om", "node_deg"),
        peri_deg=orbit("w", "peri_deg"),
        mean_anomaly_deg=maybe("ma", "mean_anomaly_deg"),
        tp_tdb_jd=maybe("tp", "tp_tdb_jd"),
        moid_au=row.maybe_number("moid", 0.0, 1e4),
        condition_code=row.maybe_text("condition_code", 1),
        arc_days=maybe("data_arc", "arc_days"),
        first_observed_on=row.maybe_date("first_obs"),
        last_observed_on=row.maybe_date("last_obs"),
        observation_count=row.maybe_whole("n_obs_used"),
        rms=maybe("rms", "rms_arcsec"),
        h_mag=maybe("H", "h_mag"),
        g_slope=maybe("G", "g_slope"),
        diameter_km=row.maybe_number("diameter", 0.0, 1e5),
        albedo=row.maybe_number("albedo", 0.0, 2.0),
        rotation_period_h=row.maybe_number("rot_per", 0.0, 1e5),
        a1_au_d2=maybe("A1", "a1_au_d2"),
        a2_au_d2=maybe("A2", "a2_au_d2"),
        a3_au_d2=maybe("A3", "a3_au_d2"),
    )
