"""Elements as CSV: designation,name,epoch_jd,a,e,i,node,peri,M,H,G,A1,A2,A3.

Epoch as Julian Date in TDB; heliocentric, ecliptic of J2000, degrees, au, au/d^2. An empty H is unknown, an empty G is
0.15, an empty A1, A2 or A3 is none. The columns are found by their names, in any order; further columns are ignored.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from targets.orbits.elements import ElementsError

from .records import Elements, RejectedRow, UnreadableError, finite

COLUMNS = ("designation", "name", "epoch_jd", "a", "e", "i", "node", "peri", "M", "H", "G", "A1", "A2", "A3")
_REQUIRED = ("epoch_jd", "a", "e", "i", "node", "peri", "M")
_OPTIONAL = ("H", "G", "A1", "A2", "A3")


@dataclass(frozen=True, slots=True)
class ElementsRow:
    row: int  # line of the file
    designation: str  # as given
    name: str
    elements: Elements


def parse(content: bytes | str) -> Iterator[ElementsRow | RejectedRow]:
    """The rows of a file, in order; one that cannot be taken comes as a `RejectedRow`.

    Raises `UnreadableError` at once, before any row, for text that is not UTF-8, a column that is missing (named) or
    given twice, and a file without rows.
    """
    reader = csv.reader(io.StringIO(_text(content), newline=""), strict=True)
    header = _header(reader)
    first = _next_cells(reader)
    if first is None:
        raise UnreadableError("The CSV of elements has no rows below its header.")
    return _rows(reader, header, first)


def _text(content: bytes | str) -> str:
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"The CSV of elements is not UTF-8 text (byte {error.start}).") from error


def _header(reader: Iterator[list[str]]) -> dict[str, int]:
    names = [name.strip() for name in _next_cells(reader) or []]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        what = f"column {missing[0]} is" if len(missing) == 1 else f"columns {', '.join(missing)} are"
        found = ", ".join(names)[:200] or "nothing"
        raise UnreadableError(f"The CSV of elements is incomplete: {what} missing. Its first line has {found}.")
    twice = [name for name in COLUMNS if names.count(name) > 1]
    if twice:
        raise UnreadableError(f"The CSV of elements has the column {twice[0]} twice.")
    return {name: names.index(name) for name in names}


def _next_cells(reader: Iterator[list[str]]) -> list[str] | None:
    """The cells of the next line that is not empty; None at the end."""
    try:
        return next((cells for cells in reader if any(cell.strip() for cell in cells)), None)
    except csv.Error as error:
        raise UnreadableError(f"The CSV of elements cannot be read: {error}.") from error


def _rows(reader: Iterator[list[str]], header: dict[str, int], first: list[str]) -> Iterator[ElementsRow | RejectedRow]:
    cells: list[str] | None = first
    while cells is not None:
        line = reader.line_num  # type: ignore[attr-defined]
        designation = cells[header["designation"]].strip() if header["designation"] < len(cells) else ""
        try:
            yield _row(line, cells, header)
        except ElementsError as error:
            yield RejectedRow(line, designation, str(error))
        cells = _next_cells(reader)


def _row(line: int, cells: list[str], header: dict[str, int]) -> ElementsRow:
    if len(cells) != len(header):
        raise ElementsError("the number of cells", len(cells), f"{len(header)}, as in the header")
    values = {name: cells[column].strip() for name, column in header.items()}
    if not values["designation"]:
        raise ElementsError("designation", "empty", "a number, a designation or a name")
    required = [finite(name, values[name]) for name in _REQUIRED]
    optional = [finite(name, values[name]) if values[name] else None for name in _OPTIONAL]
    elements = Elements(*required, *optional)
    elements.check()
    return ElementsRow(line, values["designation"], values["name"], elements)
