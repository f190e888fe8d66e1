"""Orbits from a CSV file: designation,name,epoch_jd,a,e,i,node,peri,M,H,G,A1,A2,A3.

Heliocentric, ecliptic and equinox of J2000; epoch as Julian date TDB; au, degrees, A1..A3 in au/d^2. H, G,
A1, A2 and A3 may be empty: unknown, 0.15, none. Columns may stand in any order, further ones are ignored.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from targets.orbits.elements import DEFAULT_G, ElementsError, OrbitBatch
from targets.orbits.planets import MJD_ZERO_JD

NEEDED = ("designation", "epoch_jd", "a", "e", "i", "node", "peri", "M")
OPTIONAL = {"H": math.nan, "G": DEFAULT_G, "A1": 0.0, "A2": 0.0, "A3": 0.0}
_JD_FROM, _JD_TO = 2_300_000.0, 2_600_000.0  # years 1584 to 2406: catches an MJD in the place of a JD


class ElementsFileError(ValueError):
    """A file that holds no elements; the message names the file and what is missing."""


class ElementsRowError(ElementsFileError):
    """A row that is none: too many cells or too few, or nothing that names its object."""

    def __init__(self, line: int, designation: str, reason: str) -> None:
        self.line, self.designation, self.reason = line, designation, reason
        super().__init__(f"line {line}: {reason}")


def read_elements_csv(path: Path | str) -> OrbitBatch:
    """The orbits of a file, named by their designations, in its order.

    Raises `ElementsFileError` for a file that cannot be read, lacks a column (named), has no rows or one that is none,
    and `ElementsError` for the first value that cannot be right, naming object and field.
    """
    rows = []
    for row in read_rows(path):
        if isinstance(row, ElementsRowError):
            raise ElementsFileError(f"{path}, {row}") from row
        rows.append(row)
    values = [numbers_in(row) for row in rows]
    column = {field: [value[field] for value in values] for field in (*NEEDED[1:], *OPTIONAL)}
    return OrbitBatch.from_keplerian(
        [row["designation"] for row in rows],
        np.array(column["epoch_jd"]) - MJD_ZERO_JD,
        a_au=column["a"],
        e=column["e"],
        i_deg=column["i"],
        node_deg=column["node"],
        peri_deg=column["peri"],
        m_deg=column["M"],
        h_mag=column["H"],
        g=column["G"],
        nongrav=np.column_stack([column["A1"], column["A2"], column["A3"]]),
    )


def read_rows(path: Path | str) -> list[dict[str, str] | ElementsRowError]:
    """The rows of a file as text, by column; in the place of one that is none, why.

    Raises `ElementsFileError` for a file that cannot be read, lacks a column or has no rows.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(_rows(csv.reader(file, strict=True), path))
    except OSError as error:
        raise ElementsFileError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ElementsFileError(f"{path} is not a CSV text file: {error}") from error
    if not rows:
        raise ElementsFileError(f"{path} has a header but no orbits")
    return rows


def numbers_in(row: dict[str, str]) -> dict[str, float]:
    """The numbers of a row; an empty H is NaN. Raises `ElementsError` for the first value that cannot be right."""
    return {field: _number(row, field) for field in (*NEEDED[1:], *OPTIONAL)}


def _rows(reader: Iterator[list[str]], path: Path) -> Iterator[dict[str, str] | ElementsRowError]:
    header = [field.strip() for field in next(reader, [])]
    if missing := [field for field in NEEDED if field not in header]:
        raise ElementsFileError(
            f"{path} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}: "
            f"expected {','.join((NEEDED[0], 'name', *NEEDED[1:], *OPTIONAL))}"
        )
    for line, values in enumerate(reader, start=2):
        if not any(value.strip() for value in values):
            continue
        row = {field: value.strip() for field, value in zip(header, values, strict=False)}
        designation = row.get("designation", "")
        if len(values) != len(header):
            yield ElementsRowError(line, designation, f"has {len(values)} fields: expected {len(header)}")
        elif not designation:
            yield ElementsRowError(line, designation, "designation is empty")
        else:
            yield row


def _number(row: dict[str, str], field: str) -> float:
    text, name = row.get(field, ""), row["designation"]
    if field in OPTIONAL and not text:
        return OPTIONAL[field]
    expected = "a number, or nothing" if field in OPTIONAL else "a number"
    try:
        value = float(text)
    except ValueError:
        raise ElementsError(field, repr(text) if text else "empty", expected, name) from None
    if not math.isfinite(value):
        raise ElementsError(field, value, expected, name)
    if field == "epoch_jd" and not _JD_FROM < value < _JD_TO:
        raise ElementsError(field, value, "a Julian date (TDB) such as 2461000.5", name)
    return value
