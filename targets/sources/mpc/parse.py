"""The Minor Planet Center's orbits in "extended" JSON (mpcorb_extended, nea_extended).

Epochs are TT there; the 2 ms to TDB are a metre of the orbit and left out.
"""

import datetime as dt
import math
import re
from typing import Any

from targets.sources.records import OrbitRecord, RecordError, TargetRecord

_ELEMENTS = {
    "Epoch": "epoch_tdb_jd",
    "a": "a_au",
    "e": "e",
    "i": "i_deg",
    "Node": "node_deg",
    "Peri": "peri_deg",
    "M": "mean_anomaly_deg",
}


def parse_record(raw: Any) -> TargetRecord:
    """One object. Raises RecordError naming the field that is missing or wrong; unknown fields are passed over."""
    if not isinstance(raw, dict):
        raise RecordError("record", f"{str(raw)[:60]!r} is no JSON object")
    number, name = _number(raw), _text(raw, "Name")
    provisional = tuple(text for text in (_text(raw, "Principal_desig"), *_others(raw)) if text)
    label = number or (provisional[0] if provisional else name)
    if not label:
        raise RecordError("record", "has neither Number nor Principal_desig nor Name")
    elements = {field: _float(raw, key, label) for key, field in _ELEMENTS.items()}
    arc_text, arc_days = _arc(raw, label)
    orbit = OrbitRecord(
        source="mpc",
        **elements,
        h_mag=_float(raw, "H", label, required=False),
        g_slope=_slope(raw, label),
        reference=_text(raw, "Ref"),
        u_parameter=_text(raw, "U")[:1],
        arc_days=arc_days,
        arc_text=arc_text,
        last_observed_on=_date(raw, "Last_obs", label),
        observation_count=_count(raw, "Num_obs", label),
        opposition_count=_count(raw, "Num_opps", label),
        rms_arcsec=_float(raw, "rms", label, required=False),
    )
    orbit.require_conic(label)
    return TargetRecord(
        number=number,
        provisional=provisional,
        name=name,
        orbit=orbit,
        orbit_class=_text(raw, "Orbit_type"),
        is_neo=bool(raw.get("NEO_flag")),
        is_pha=bool(raw.get("PHA_flag")),
    )


def _text(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    return str(value).strip() if value is not None else ""


def _number(raw: dict[str, Any]) -> str:
    text = _text(raw, "Number").strip("()")
    if text and not re.fullmatch(r"[1-9]\d*", text):
        raise RecordError(text, f"Number is {text!r}: expected digits, as in (433)")
    return text


def _others(raw: dict[str, Any]) -> list[str]:
    others = raw.get("Other_desigs") or []
    if not isinstance(others, list):
        raise RecordError(_text(raw, "Principal_desig"), "Other_desigs is no list")
    return [str(other).strip() for other in others]


def _float(raw: dict[str, Any], key: str, label: str, required: bool = True) -> Any:
    value = raw.get(key)
    if value is None and not required:
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise RecordError(label, f"{key} is {'missing' if value is None else repr(value)}: expected a number") from None
    if not math.isfinite(number):
        raise RecordError(label, f"{key} is {number}: expected a finite number")
    return number


def _slope(raw: dict[str, Any], label: str) -> float:
    g = _float(raw, "G", label, required=False)
    return 0.15 if g is None else float(g)


def _count(raw: dict[str, Any], key: str, label: str) -> int | None:
    value = _float(raw, key, label, required=False)
    if value is not None and (value < 0 or value != int(value)):
        raise RecordError(label, f"{key} is {value}: expected a whole number")
    return None if value is None else int(value)


def _date(raw: dict[str, Any], key: str, label: str) -> dt.date | None:
    text = _text(raw, key)
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise RecordError(label, f"{key} is {text!r}: expected a date such as 2026-02-10") from None


def _arc(raw: dict[str, Any], label: str) -> tuple[str, float | None]:
    if raw.get("Arc_length") is not None:
        days = _float(raw, "Arc_length", label)
        return f"{days:g} days", days
    text = _text(raw, "Arc_years")
    if not text:
        return "", None
    match = re.fullmatch(r"(\d{4})-(\d{4})", text)
    if match is None:
        raise RecordError(label, f"Arc_years is {text!r}: expected two years such as 1893-2026")
    return text, (int(match[2]) - int(match[1])) * 365.25
