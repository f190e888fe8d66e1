"""From the code list's JSON to dataclasses.

Each record is `{"Longitude": 289.59569, "cos": 0.909943, "sin": -0.414336, "Name": "Cerro Paranal"}`: east longitude in
degrees and the parallax constants in equatorial radii. Spacecraft and roving observers have a name only; for the
geocentre and what is counted as there the constants are zero.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from observatories.sites.geodesy import LOWEST_HEIGHT_M, Place, PlaceError

GEOCENTRIC = 1e-3  # constants below are no point of the surface: the Earth's centre
_CONSTANTS = ("Longitude", "cos", "sin")


class ObscodesError(ValueError):
    """A code list that cannot be read, or a code that is not in it; the message is for people."""


@dataclass(frozen=True)
class ObservatoryCode:
    """One code. `place` is None for spacecraft, roving observers and the geocentre."""

    code: str
    name: str
    place: Place | None


@dataclass(frozen=True)
class RejectedCode:
    code: str
    name: str
    reason: str


def parse_codes(records: Any) -> tuple[list[ObservatoryCode], list[RejectedCode]]:
    """All codes of a list, and those whose records cannot be true, with the reason.

    Raises ObscodesError if it is no list of codes at all.
    """
    if not isinstance(records, Mapping) or not records:
        raise ObscodesError("not a list of observatory codes: expected a JSON object of records by code")
    codes: list[ObservatoryCode] = []
    rejected: list[RejectedCode] = []
    for code, record in records.items():
        try:
            codes.append(_parse_record(code, record))
        except ValueError as error:
            name = record.get("Name", "") if isinstance(record, Mapping) else ""
            rejected.append(RejectedCode(str(code), str(name), str(error)))
    return codes, rejected


def _parse_record(code: Any, record: Any) -> ObservatoryCode:
    if not (isinstance(code, str) and code.isalnum() and code.isascii() and 3 <= len(code) <= 4):
        raise ValueError("the code is not three or four letters and digits")
    if not isinstance(record, Mapping):
        raise ValueError("the record is not an object with Longitude, cos, sin and Name")
    name = record.get("Name")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 200:
        raise ValueError("Name is missing or longer than 200 characters")
    return ObservatoryCode(code, name.strip(), _place_of(record))


def _place_of(record: Mapping[str, Any]) -> Place | None:
    given = [record.get(key) for key in _CONSTANTS]
    if all(value is None for value in given):
        return None
    for key, value in zip(_CONSTANTS, given, strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{key} is {value!r}: expected a number")
    longitude_deg, rho_cos_phi, rho_sin_phi = (float(value) for value in given if value is not None)
    if math.hypot(rho_cos_phi, rho_sin_phi) < GEOCENTRIC:
        return None
    if not -180.0 <= longitude_deg <= 360.0:
        raise ValueError(f"Longitude is {longitude_deg:g}: expected -180 to 360 degrees")
    try:
        return Place.from_parallax(longitude_deg, rho_cos_phi, rho_sin_phi)
    except PlaceError as error:
        raise ValueError(_explain(error, rho_cos_phi, rho_sin_phi)) from error


def _explain(error: PlaceError, rho_cos_phi: float, rho_sin_phi: float) -> str:
    constants = f"the parallax constants {rho_cos_phi:g}, {rho_sin_phi:g}"
    if error.field != "height_m":
        return f"{constants} are not those of a point near the ground"
    where = "below" if error.value < LOWEST_HEIGHT_M else "above"
    return f"{constants} lie {abs(error.value) / 1000:.1f} km {where} the ellipsoid"
