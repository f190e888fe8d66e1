"""The Minor Planet Center's orbits in "extended" JSON (mpcorb_extended, nea_extended).

Epochs are TT there; the 2 ms to TDB are a metre of the orbit and left out.
"""

import datetime as dt
import math
import re
from typing import Any

from targets.designations import key_of
from targets.sources.records import (
    LARGEST_COUNT,
    LONGEST_CLASS,
    LONGEST_DESIGNATION,
    LONGEST_TEXT,
    OrbitRecord,
    RecordError,
    TargetRecord,
    require_text,
)

LONGEST_ARC_DAYS = 999_999

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
    principal = _text(raw, "Principal_desig", LONGEST_DESIGNATION)
    provisional = tuple(text for text in (principal, *_others(raw)) if text)
    label = number or (provisional[0] if provisional else name)
    if not key_of(label):
        raise RecordError("record", "has neither Number nor Principal_desig nor Name")
    elements = {field: _float(raw, key, label) for key, field in _ELEMENTS.items()}
    last_observed_on = _date(raw, "Last_obs", label)
    arc_text, arc_days = _arc(raw, label, last_observed_on)
    orbit = OrbitRecord(
        source="mpc",
        **elements,
        h_mag=_float(raw, "H", label, required=False),
        g_slope=_slope(raw, label),
        reference=_text(raw, "Ref"),
        u_parameter=_text(raw, "U", 1),
        arc_days=arc_days,
        arc_text=arc_text,
        last_observed_on=last_observed_on,
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
        orbit_class=_text(raw, "Orbit_type", LONGEST_CLASS),
        is_neo=bool(raw.get("NEO_flag")),
        is_pha=bool(raw.get("PHA_flag")),
    )


def _text(raw: dict[str, Any], key: str, longest: int = LONGEST_TEXT) -> str:
    value = raw.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RecordError(_label(raw), f"{key} is {str(value)[:60]!r}: expected a text")
    return require_text(_label(raw), key, str(value).strip(), longest)


def _label(raw: dict[str, Any]) -> str:
    """What to call a record before its designations are checked."""
    return str(raw.get("Number") or raw.get("Principal_desig") or raw.get("Name") or "record")


def _number(raw: dict[str, Any]) -> str:
    text = _text(raw, "Number").strip("()")
    if text and not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise RecordError(text, f"Number is {text!r}: expected digits, as in (433)")
    return text


def _others(raw: dict[str, Any]) -> list[str]:
    others = raw.get("Other_desigs") or []
    if not isinstance(others, list):
        raise RecordError(_label(raw), "Other_desigs is no list")
    for other in others:
        if not isinstance(other, str):
            raise RecordError(_label(raw), f"Other_desigs holds {str(other)[:60]!r}: expected texts")
    return [require_text(_label(raw), "Other_desigs", other.strip()) for other in others]


def _float(raw: dict[str, Any], key: str, label: str, required: bool = True) -> Any:
    value = raw.get(key)
    if value is None and not required:
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        shown = "missing" if value is None else "too large" if isinstance(value, int) else repr(value)[:60]
        raise RecordError(label, f"{key} is {shown}: expected a number") from None
    if not math.isfinite(number):
        raise RecordError(label, f"{key} is {number}: expected a finite number")
    return number


def _slope(raw: dict[str, Any], label: str) -> float:
    g = _float(raw, "G", label, required=False)
    return 0.15 if g is None else float(g)


def _count(raw: dict[str, Any], key: str, label: str) -> int | None:
    value = _float(raw, key, label, required=False)
    if value is not None and not (0 <= value <= LARGEST_COUNT and value == int(value)):
        raise RecordError(label, f"{key} is {value}: expected a whole number from 0 to {LARGEST_COUNT}")
    return None if value is None else int(value)


def _date(raw: dict[str, Any], key: str, label: str) -> dt.date | None:
    text = _text(raw, key)
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise RecordError(label, f"{key} is {text!r}: expected a date such as 2026-02-10") from None


def _arc(raw: dict[str, Any], label: str, last_observed_on: dt.date | None) -> tuple[str, float | None]:
    """The arc as published and in days (see OrbitRecord)."""
    if raw.get("Arc_length") is not None:
        days = _float(raw, "Arc_length", label)
        if not 0 <= days <= LONGEST_ARC_DAYS:
            raise RecordError(label, f"Arc_length is {days:g}: expected 0 to {LONGEST_ARC_DAYS} days")
        return f"{days:g} days", days
    text = _text(raw, "Arc_years")
    if not text:
        return "", None
    match = re.fullmatch(r"([0-9]{4})-([0-9]{4})", text)
    if match is None or match[1] > match[2]:
        raise RecordError(label, f"Arc_years is {text!r}: expected two years such as 1893-2026")
    first, last = int(match[1]), int(match[2])
    if first < last:
        return text, (last - first) * 365.25
    passed = last_observed_on.timetuple().tm_yday if last_observed_on and last_observed_on.year == last else 365
    return text, passed / 2
