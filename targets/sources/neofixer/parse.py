"""NEOfixer's ranking of targets for a site (`/targets/`, about 0.3). Units that others only infer are marked [C] there
and kept as published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coordination.common.providers.reading import FieldError, Fields, json_object, reading, refuse_jpl_errors, shown
from targets.sources.records import ORBIT_RANGES

PROVIDER = "neofixer"
PRIORITIES = ("critical", "high", "med-high", "med", "med-low", "low")


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


def parse_targets(body: bytes, site: str) -> NeofixerList:
    """The ranking for a site. Raises Nonsense; errors arrive with status 200, as JSON-RPC has them."""
    reply = json_object(PROVIDER, body)
    with reading(PROVIDER, body):
        error = reply.raw.get("error")
        if error is not None:
            said = Fields(error, "error").maybe_text("message") if isinstance(error, Mapping) else shown(error)
            refuse_jpl_errors(PROVIDER, Fields({"error": said}), body)
        result = reply.child("result")
        generated_at = result.child("generated").instant("time")
        objects = result.raw.get("objects")
        ids = result.list("ids")
        if not isinstance(objects, Mapping):
            raise FieldError(f"objects is {shown(objects)}: expected an object by packed designation")
        count = result.maybe_whole("num")
        if count is not None and count != len(ids):
            raise FieldError(f"num is {count}, but there are {len(ids)} ids")
        targets = tuple(_target(packed, objects) for packed in ids)
    return NeofixerList(site, generated_at, targets)


def _target(packed: Any, objects: Mapping[str, Any]) -> NeofixerTarget:
    if not isinstance(packed, str) or packed not in objects:
        raise FieldError(f"ids has {shown(packed)}, which is not among the objects")
    row = Fields(objects[packed], "an entry of objects")
    if row.maybe_text("packed", 40) not in ("", packed):
        raise FieldError(f"objects has {shown(row.raw['packed'])} under {shown(packed)}")
    priority = row.text("priority", 20)
    if priority not in PRIORITIES:
        raise FieldError(f"priority is {shown(priority)}: expected one of {', '.join(PRIORITIES)}")
    return NeofixerTarget(
        packed=Fields({"packed": packed}).text("packed", 40),
        designation=row.maybe_text("provisional", 40),
        number=row.maybe_text("number", 40),
        is_on_neocp=row.flag("neocp"),
        score=row.number("score", -1e6, 1e6),
        priority=priority,
        importance=row.maybe_number("importance", -1e9, 1e9),
        urgency=row.maybe_number("urgency", -1e9, 1e9),
        cost_min=row.maybe_number("cost", 0.0, 1e9),
        h_mag=row.maybe_number("h", *ORBIT_RANGES["h_mag"]),
        moid_au=row.maybe_number("moid", 0.0, 1e4),
        q_au=row.maybe_number("q", *ORBIT_RANGES["q_au"]),
        u_parameter=row.maybe_number("u", -100.0, 100.0),
        uncertainty_deg=row.maybe_number("uncert", 0.0, 1e6),
        last_observed_days_ago=row.maybe_number("obs last", -10.0, 1e6),
        ra_deg=row.maybe_number("ra deg", 0.0, 360.0),
        dec_deg=row.maybe_number("dec deg", -90.0, 90.0),
        v_mag=row.maybe_number("vmag", -30.0, 100.0),
        rate_arcsec_min=row.maybe_number("rate", 0.0, 1e6),
        elongation_deg=row.maybe_number("elong", 0.0, 180.0),
        evaluated_at=row.maybe_instant("time"),
    )
