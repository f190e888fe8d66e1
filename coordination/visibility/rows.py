"""Rows for scripts: CSV or JSON from columns, written only when every value is there."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Column:
    """One column: text, truth values (true, false), or numbers with a fixed count of decimals; NaN is written as
    nothing (null in JSON).
    """

    name: str
    values: NDArray[Any]
    decimals: int | None = None

    @classmethod
    def text(cls, name: str, values: ArrayLike) -> Column:
        return cls(name, np.asarray(values, dtype=object))

    @classmethod
    def numbers(cls, name: str, values: ArrayLike, decimals: int) -> Column:
        return cls(name, np.asarray(values, dtype=float).ravel(), decimals)

    def as_text(self) -> list[str]:
        """The cells of a CSV file."""
        if self.decimals is None:
            return [str(value).lower() if isinstance(value, bool) else str(value) for value in self.values]
        cell = f"%.{self.decimals}f"
        return ["" if value != value else cell % value for value in self.values.tolist()]

    def as_json(self) -> list[Any]:
        """The same as JSON values."""
        if self.decimals is None:
            return [value if isinstance(value, bool) else str(value) for value in self.values]
        return [None if value != value else round(value, self.decimals) for value in self.values.tolist()]


def render(columns: list[Column], form: str) -> str:
    """All rows as CSV with a header, or as one JSON array of objects, one a line."""
    names = [column.name for column in columns]
    if form == "json":
        records = zip(*(column.as_json() for column in columns), strict=True)
        lines = ",\n".join(json.dumps(dict(zip(names, record, strict=True))) for record in records)
        return f"[\n{lines}\n]" if lines else "[]"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(zip(*(column.as_text() for column in columns), strict=True))
    return text.getvalue()
