"""The Minor Planet Center's identifier service (`query-identifier`): which object a designation belongs to."""

from __future__ import annotations

from dataclasses import dataclass


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
