"""Orbits from a CSV file: designation,name,epoch_jd,a,e,i,node,peri,M,H,G,A1,A2,A3.

Heliocentric, ecliptic and equinox of J2000; epoch as Julian date TDB; au, degrees, A1..A3 in au/d^2. H, G,
A1, A2 and A3 may be empty: unknown, 0.15, none. Columns may stand in any order, further ones are ignored, but for
those of brightness: H_sigma (1-sigma of H), G1 and G2 or G12 in place of G, a comet's M1 and K1 in place of H.

In place of a and M there may be q and tp_jd, perihelion distance and time (Julian date TDB), for any e, 1 and more
included; in place of all elements x,y,z,vx,vy,vz, a heliocentric state on ICRF axes in au and au/d. Where a file has
the columns of several forms, a row is read in the first whose cells it fills, in the order told here.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from targets.orbits.elements import DEFAULT_G, ElementsError, OrbitBatch, state_to_keplerian
from targets.orbits.kepler import Conics
from targets.orbits.planets import MJD_ZERO_JD

NEEDED = ("designation", "epoch_jd", "a", "e", "i", "node", "peri", "M")
FORMS = {
    "keplerian": ("a", "e", "i", "node", "peri", "M"),
    "cometary": ("q", "e", "i", "node", "peri", "tp_jd"),
    "state": ("x", "y", "z", "vx", "vy", "vz"),
}
_OWN = {"keplerian": {"a", "M"}, "cometary": {"q", "tp_jd"}, "state": {"x", "y", "z", "vx", "vy", "vz"}}
OPTIONAL = {"H": math.nan, "G": DEFAULT_G, "A1": 0.0, "A2": 0.0, "A3": 0.0}
PHOTOMETRY = {"H_sigma": "h_sigma_mag", "G1": "g1", "G2": "g2", "G12": "g12", "M1": "m1_mag", "K1": "k1"}
OPTIONAL |= dict.fromkeys(PHOTOMETRY, math.nan)
# Epochs in the years 1584 to 2406, perihelia in -1975 to 6239: catches an MJD in the place of a JD.
_JD_SPANS = {"epoch_jd": (2_300_000.0, 2_600_000.0), "tp_jd": (1_000_000.0, 4_000_000.0)}
_PARABOLIC = 1e-8  # |1 - e| within which q would lose too many digits on the way through a


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
    return OrbitBatch.concatenate([_batch(list(same), form) for form, same in groupby(rows, key=form_of)])


def _batch(rows: list[dict[str, str]], form: str) -> OrbitBatch:
    """Orbits of rows that all have the same form."""
    fields = ("epoch_jd", *FORMS[form], *OPTIONAL)
    values = [numbers_in(row, form) for row in rows]
    column = {field: np.array([value[field] for value in values]) for field in fields}
    names = [row["designation"] for row in rows]
    epoch = column["epoch_jd"] - MJD_ZERO_JD
    brightness = {name: column[field] for field, name in PHOTOMETRY.items()}
    nongrav = np.column_stack([column["A1"], column["A2"], column["A3"]])
    if form == "state":
        state = np.column_stack([column[field] for field in FORMS[form]])
        for name, position in zip(names, state[:, :3], strict=True):
            if not position.any():
                raise ElementsError("x, y, z", "0, 0, 0", "a position other than the Sun's", name)
        batch = OrbitBatch.from_state(names, epoch, state, column["H"], column["G"], nongrav)
        return batch.with_photometry(**brightness)
    i, node, peri, h, g = (column[field] for field in ("i", "node", "peri", "H", "G"))
    if form == "cometary":
        tp = column["tp_jd"] - MJD_ZERO_JD
        batch = OrbitBatch.from_cometary(names, epoch, column["q"], column["e"], i, node, peri, tp, h, g, nongrav)
    else:
        batch = OrbitBatch.from_keplerian(
            names, epoch, column["a"], column["e"], i, node, peri, column["M"], h, g, nongrav
        )
    return batch.with_photometry(**brightness)


def form_of(row: dict[str, str]) -> str:
    """The form of FORMS in which a row gives its orbit: of those whose columns the file has, the first whose own cells
    are filled, else the first.
    """
    there = [form for form, fields in FORMS.items() if row.keys() >= set(fields)]
    return next((form for form in there if all(row[field] for field in _OWN[form])), there[0])


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


def numbers_in(row: dict[str, str], form: str = "keplerian") -> dict[str, float]:
    """The numbers of a row; an empty H is NaN. Raises `ElementsError` for the first value that cannot be right."""
    return {field: _number(row, field) for field in ("epoch_jd", *FORMS[form], *OPTIONAL)}


def stored_in(row: dict[str, str]) -> dict[str, float | None]:
    """The numbers of a row of any form as they are stored: a, e, i, node, peri, M besides the rest; so near a parabola
    that a and M do not hold the orbit q and tp_jd, with a and M None.

    Raises `ElementsError` for the first value that cannot be right.
    """
    form = form_of(row)
    numbers = numbers_in(row, form)
    if form == "keplerian":
        return {**numbers, "q": None, "tp_jd": None}
    batch = _batch([row], form)
    a, e, i, node, peri, m = state_to_keplerian(batch.state)[0].tolist()
    given = {**numbers, "e": numbers.get("e", e), "i": i, "node": node, "peri": peri}
    if abs(1.0 - given["e"]) >= _PARABOLIC:
        return {**given, "a": a, "M": m, "q": None, "tp_jd": None}
    conics = Conics.from_state(batch.state)
    tp = numbers["epoch_jd"] - float(conics.since_perihelion_d[0])
    return {
        **given,
        "a": None,
        "M": None,
        "q": numbers.get("q", float(conics.q_au[0])),
        "tp_jd": numbers.get("tp_jd", tp),
    }


def _missing(header: list[str]) -> list[str]:
    """What a header lacks of the form that it comes nearest to; nothing where one is complete."""
    asked = {form: set(fields) for form, fields in FORMS.items()}
    complete = any(fields <= set(header) for fields in asked.values())
    # A column that only one form has tells which one is meant.
    meant = max(FORMS, key=lambda form: len(_OWN[form] & set(header)) / len(_OWN[form]))
    fields = () if complete else FORMS[meant]
    return [field for field in ("designation", "epoch_jd", *fields) if field not in header]


def _rows(reader: Iterator[list[str]], path: Path) -> Iterator[dict[str, str] | ElementsRowError]:
    header = [field.strip() for field in next(reader, [])]
    if missing := _missing(header):
        raise ElementsFileError(
            f"{path} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}: "
            f"expected {','.join((NEEDED[0], 'name', *NEEDED[1:], *OPTIONAL))}, "
            "or q and tp_jd in place of a and M, or x,y,z,vx,vy,vz in place of the elements"
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
    if field == "H_sigma" and value < 0.0:
        raise ElementsError(field, value, "0 mag or more, or nothing", name)
    first, last = _JD_SPANS.get(field, (-math.inf, math.inf))
    if not first < value < last:
        raise ElementsError(field, value, "a Julian date (TDB) such as 2461000.5", name)
    return value
