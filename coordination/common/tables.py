"""Rows as tables: CSV and VOTable beside JSON, written as they are read, whatever their number.

A view that offers them lists `TABLES` among its renderers, so that `Accept` and `?format=` choose, and answers with
`table_response`. What goes wrong is told as a problem in JSON, whatever was asked for.
"""

import csv
import datetime as dt
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request

from . import votable
from .votable import REAL, TEXT, TRUTH, UNICODE, WHOLE

INSTANT, DATE = "instant", "date"
ROWS_AT_ONCE = 1000
_MAY_BE_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class TableColumn:
    """A column: its value in a row, TEXT, UNICODE (what people wrote), REAL, WHOLE, TRUTH, INSTANT or DATE; None and
    NaN are empty. Units that the name does not hold are no units. `field` is the field of the JSON that it belongs to.
    """

    name: str
    kind: str
    description: str
    value: Callable[[Any], Any]
    unit: str = ""
    ucd: str = ""
    decimals: int | None = None
    field: str = ""

    @property
    def of(self) -> str:
        return self.field or self.name

    def text(self, row: Any) -> str:
        """The cell of a row."""
        value = self.value(row)
        if value is None or value != value:
            return ""
        if self.kind == REAL:
            return repr(float(value)) if self.decimals is None else f"{value:.{self.decimals}f}"
        if self.kind == TRUTH:
            return "true" if value else "false"
        if self.kind == INSTANT:
            return value if isinstance(value, str) else iso(value)
        return value.isoformat() if self.kind == DATE else str(value)

    def as_votable(self) -> votable.Column:
        kind = {INSTANT: TEXT, DATE: TEXT}.get(self.kind, self.kind)
        xtype = votable.TIMESTAMP if self.kind in (INSTANT, DATE) else ""
        return votable.Column(self.name, kind, self.description, self.unit, self.ucd, xtype=xtype)


def iso(instant: dt.datetime) -> str:
    """UTC with Z, as the JSON has it."""
    return instant.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


class TableRenderer(JSONRenderer):
    """Has the media type chosen; rows are streamed by `table_response`, and what is rendered here is a problem."""


class CsvRenderer(TableRenderer):
    media_type = "text/csv"
    format = "csv"


class VotableRenderer(TableRenderer):
    media_type = votable.MEDIA_TYPE
    format = "votable"


TABLES = [JSONRenderer, BrowsableAPIRenderer, CsvRenderer, VotableRenderer]


def asks_for_table(request: Request) -> bool:
    return isinstance(request.accepted_renderer, TableRenderer)


def table_response(
    request: Request,
    columns: Sequence[TableColumn],
    rows: Iterable[Any],
    *,
    name: str,
    infos: Mapping[str, str] | None = None,
    fields: Collection[str] | None = None,
) -> StreamingHttpResponse:
    """The rows in the format asked for, some at a time. `fields`: only columns that belong to these."""
    shown = [column for column in columns if fields is None or column.of in fields]
    ahead = iter(rows)
    first = list(islice(ahead, ROWS_AT_ONCE))  # what fails at once is refused, and not cut off
    chunks = _chunks(shown, chain(first, ahead))
    form: Any = request.accepted_renderer
    if isinstance(form, CsvRenderer):
        ending, body = "csv", _as_csv(shown, chunks)
    else:
        ending, body = "vot", votable.streamed([c.as_votable() for c in shown], chunks, infos=infos, name=name)
    response = StreamingHttpResponse(
        body, content_type=form.media_type + ("; charset=utf-8" if ending == "csv" else "")
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return response


def _chunks(columns: Sequence[TableColumn], rows: Iterator[Any]) -> Iterator[list[list[str]]]:
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        yield [[column.text(row) for column in columns] for row in chunk]


def _as_csv(columns: Sequence[TableColumn], chunks: Iterable[Sequence[Sequence[str]]]) -> Iterator[bytes]:
    """With a header line. Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([column.name for column in columns])
    texts = [k for k, column in enumerate(columns) if column.kind in (TEXT, UNICODE)]
    for rows in chain([[]], chunks):
        for row in rows:
            cells = list(row)
            for k in texts:
                if cells[k].startswith(_MAY_BE_FORMULAS):
                    cells[k] = "'" + cells[k]
            writer.writerow(cells)
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()


def describe_tables(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Post-processing hook of drf-spectacular: a table is text, whatever the JSON beside it holds."""
    told = {CsvRenderer.media_type: "CSV with a header line", VotableRenderer.media_type: "a VOTable 1.4"}
    for operations in result["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                for media_type, description in told.items():
                    if media_type in response.get("content", {}):
                        schema = {"type": "string", "description": description}
                        response["content"][media_type] = {"schema": schema}
    return result


__all__ = ["DATE", "INSTANT", "REAL", "TABLES", "TEXT", "TRUTH", "UNICODE", "WHOLE", "TableColumn", "table_response"]
