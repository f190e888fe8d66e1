"""The observatory codes as the Minor Planet Center's service answers them (`/api/obscodes`): newer than the package."""

from typing import Any

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.reading import FieldError, Fields, json_object, reading

from .parse import ObscodesError, ObservatoryCode, RejectedCode, parse_codes

PROVIDER = "obscodes"
_KEYS = {"Longitude": "longitude", "cos": "rhocosphi", "sin": "rhosinphi"}


def parse_answer(body: bytes) -> tuple[list[ObservatoryCode], list[RejectedCode]]:
    """All codes of an answer, and those whose records cannot be used. Raises Nonsense where most of them cannot."""
    reply = json_object(PROVIDER, body)
    raw = {str(reply.raw["obscode"]): reply.raw} if "obscode" in reply.raw else dict(reply.raw)
    rejected: list[RejectedCode] = []
    records: dict[str, Any] = {}
    for code, record in raw.items():
        try:
            records[code] = _record(code, record)
        except FieldError as error:
            rejected.append(RejectedCode(code[:10], "", str(error)))
    with reading(PROVIDER, body):
        try:
            codes, unusable = parse_codes(records)
        except ObscodesError as error:
            raise FieldError(str(error)) from error
    rejected += unusable
    if len(rejected) > len(codes):
        raise Nonsense(PROVIDER, f"{rejected[0].code}: {rejected[0].reason}", Wrong.FIELD, body)
    return codes, rejected


def _record(code: str, record: Any) -> dict[str, Any]:
    """In the form of the package: numbers as numbers."""
    fields = Fields(record, "the record")
    if fields.maybe_text("obscode", 4) not in ("", code):
        raise FieldError(f"the record is that of {fields.maybe_text('obscode', 4)}")
    name = fields.maybe_text("name_utf8") or fields.maybe_text("name")
    return {"Name": name} | {key: fields.maybe_number(theirs, -1e3, 1e3) for key, theirs in _KEYS.items()}
