"""Plots as pages show them: drawn for a wide and for a narrow screen, with the table of their data and downloads."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe

from .plots.svg import Drawing
from .png_files import png_answer

WIDE, THIRD, NARROW = 1040, 490, 344  # pixels: what a card leaves on a screen, of a column, on a telephone
FORMATS = ("svg", "png", "csv")


@dataclass(frozen=True)
class Table:
    """The data of a plot as text, units in the headings. `numeric`: columns that are set to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    numeric: frozenset[int] = field(default_factory=frozenset)

    def cells(self) -> list[list[tuple[str, bool]]]:
        return [[(cell, k in self.numeric) for k, cell in enumerate(row)] for row in self.rows]

    def headings(self) -> list[tuple[str, bool]]:
        return [(column, k in self.numeric) for k, column in enumerate(self.columns)]

    def as_csv(self) -> str:
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\r\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return written.getvalue()


@dataclass(frozen=True)
class Figure:
    """A plot of a page. `draw` takes the name that ids begin with and a width in pixels; `address`, without its
    ending, is where the downloads are.
    """

    name: str
    draw: Callable[[str, int], Drawing]
    table: Table
    address: str
    query: str = ""
    wide_px: int = WIDE

    def wide(self) -> SafeString:
        return mark_safe(self.draw(self.name, self.wide_px).inline())

    def narrow(self) -> SafeString:
        return mark_safe(self.draw(f"{self.name}-narrow", NARROW).inline())

    def downloads(self) -> list[tuple[str, str]]:
        """Name and address of each format."""
        tail = f"?{self.query}" if self.query else ""
        return [(ending.upper(), f"{self.address}.{ending}{tail}") for ending in FORMATS]


def download(request: HttpRequest, figures: Sequence[Figure], name: str, ending: str, stem: str) -> HttpResponse:
    """The figure of that name as a file. Raises Http404 for what there is not."""
    figure = next((each for each in figures if each.name == name), None)
    if figure is None or ending not in FORMATS:
        raise Http404
    if ending == "csv":
        answer = HttpResponse(figure.table.as_csv(), content_type="text/csv; charset=utf-8")
    elif ending == "svg":
        answer = HttpResponse(figure.draw(figure.name, WIDE).standalone(), content_type="image/svg+xml")
    else:
        answer = png_answer(request, figure.draw(figure.name, WIDE))
    if answer.status_code == 200:
        answer["Content-Disposition"] = f'attachment; filename="{stem}-{name}.{ending}"'
    return answer
