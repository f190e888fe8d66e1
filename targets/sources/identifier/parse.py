"""The Minor Planet Center's identifier service (`query-identifier`): which object a designation belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coordination.common.providers.reading import FieldError, Fields, json_object, reading, refuse_jpl_errors, shown

PROVIDER = "identifier"


@dataclass(frozen=True, slots=True)
class Identification:
    """What is known of one text that was asked for: nothing (`found` 0), one object (1), or several to choose from."""

    asked: str
    found: int
    designation: str  # as the IAU writes it: number or principal provisional designation
    number: str
    principal: str
    others: tuple[str, ...]  # secondary provisional designations
    name: str
    object_type: str
    candidates: tuple[str, ...]  # where several were found


def parse_identifications(body: bytes, asked: Sequence[str]) -> dict[str, Identification]:
    """What every one of the texts means, by the text. Raises Nonsense where one is not answered."""
    reply = json_object(PROVIDER, body)
    if not any(text in reply.raw for text in asked):
        refuse_jpl_errors(PROVIDER, reply, body)
    with reading(PROVIDER, body):
        return {text: _identification(text, reply.raw.get(text)) for text in asked}


def _identification(asked: str, raw: Any) -> Identification:
    entry = Fields(raw, f"the entry of {shown(asked)}")
    found = entry.whole("found", 0, 10**6)
    kind = entry.raw.get("object_type")
    if isinstance(kind, list) and kind:  # ["Minor Planet", 0]
        kind = kind[0]
    identification = Identification(
        asked=asked,
        found=found,
        designation=entry.maybe_text("iau_designation", 40),
        number=entry.maybe_text("permid", 40),
        principal=entry.maybe_text("unpacked_primary_provisional_designation", 40),
        others=tuple(_texts(entry.maybe_list("unpacked_secondary_provisional_designations"))),
        name=entry.maybe_text("name", 64),
        object_type=kind[:40] if isinstance(kind, str) and kind.isprintable() else "",
        candidates=tuple(_candidates(entry.maybe_list("disambiguation_list"))),
    )
    if found == 1 and not (identification.number or identification.principal or identification.designation):
        raise FieldError(f"the entry of {shown(asked)} says found, but names no object")
    return identification


def _texts(listed: Sequence[Any]) -> list[str]:
    return [Fields({"designation": each}).text("designation", 40) for each in listed]


def _candidates(listed: Sequence[Any]) -> list[str]:
    """Each is a text, or an entry of the same form as the answer."""
    keys = ("iau_designation", "permid", "unpacked_primary_provisional_designation", "name")
    names: list[str] = []
    for each in listed:
        fields = Fields(each if isinstance(each, Mapping) else {"name": each}, "an entry of disambiguation_list")
        names += [next(filter(None, (fields.maybe_text(key, 64) for key in keys)), "")]
    return [name for name in names if name]
