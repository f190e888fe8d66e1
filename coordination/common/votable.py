"""Tables as VOTables (astropy.io.votable), with what DALI asks of an answer."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from astropy.io.votable import tree

_CONFIG = {"version": "1.4", **{f"version_1_{k}_or_later": True for k in (1, 2, 3, 4)}}
MEDIA_TYPE = "application/x-votable+xml"
UTC = "utc"  # of the TIMESYS that times refer to
TIMESTAMP = "timestamp"  # xtype of DALI: ISO 8601 text, with Z for UTC

TEXT, REAL, WHOLE, TRUTH = "char", "double", "int", "boolean"
UNICODE = "unicodeChar"  # text that may not be ASCII


@dataclass(frozen=True)
class Column:
    """One FIELD. kind: TEXT, UNICODE, REAL, WHOLE or TRUTH; is_mjd marks a time, MJD in UTC."""

    name: str
    kind: str
    description: str
    unit: str = ""
    ucd: str = ""
    utype: str = ""
    is_mjd: bool = False
    xtype: str = ""


@dataclass(frozen=True)
class Parameter:
    """What may be asked of a service, as its answers describe it."""

    name: str
    description: str
    kind: str = TEXT
    unit: str = ""
    ucd: str = ""


@dataclass(frozen=True)
class Service:
    """The service itself, told with its answers so that a client can ask again."""

    standard_id: str
    access_url: str
    parameters: Sequence[Parameter]


def answer(
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    overflow: bool = False,
    infos: Mapping[str, str] | None = None,
    service: Service | None = None,
    name: str = "results",
    utype: str | None = None,
) -> bytes:
    """A VOTable 1.4. Rows hold values by column name; None is null."""
    votable, resource = _document()
    resource.infos.append(tree.Info(name="QUERY_STATUS", value="OVERFLOW" if overflow else "OK"))
    for key, value in (infos or {}).items():
        resource.infos.append(tree.Info(name=key, value=value))
    resource.time_systems.append(
        tree.TimeSys(ID=UTC, timeorigin="MJD-origin", timescale="UTC", refposition="TOPOCENTER", config=_CONFIG)
    )
    resource.tables.append(_table(votable, columns, rows, name, utype))
    if service is not None:
        votable.resources.append(_described(votable, service))
    return _written(votable)


def streamed(
    columns: Sequence[Column],
    chunks: Iterable[Sequence[Sequence[str]]],
    *,
    infos: Mapping[str, str] | None = None,
    name: str = "results",
) -> Iterator[bytes]:
    """A VOTable 1.4 in parts, of chunks of rows that hold the text of each cell; "" is null. Text that may not be ASCII
    has to be UNICODE: nobody has seen the last row when the first is sent.
    """
    votable, resource = _document()
    for key, value in {"QUERY_STATUS": "OK", **(infos or {})}.items():
        resource.infos.append(tree.Info(name=key, value=value))
    resource.tables.append(_table(votable, columns, [{column.name: None for column in columns}], name, None))
    opening, closing = b"<TABLEDATA>\n", b"    </TABLEDATA>"
    before, _, rest = _written(votable).partition(opening)  # with a row of nulls, as without rows nothing is written
    yield before + opening
    for rows in chunks:
        yield "".join(_row(cells) for cells in rows).encode()
    yield closing + rest.partition(closing)[2]


def _row(cells: Sequence[str]) -> str:
    return f"<TR>{''.join(f'<TD>{escape(cell)}</TD>' if cell else '<TD/>' for cell in cells)}</TR>\n"


def refusal(message: str) -> bytes:
    """A VOTable that says why there is no answer."""
    votable, resource = _document()
    info = tree.Info(name="QUERY_STATUS", value="ERROR")
    info.content = message
    resource.infos.append(info)
    return _written(votable)


def _document() -> tuple[Any, Any]:
    votable = tree.VOTableFile(version="1.4")
    resource = tree.Resource(type="results")
    votable.resources.append(resource)
    return votable, resource


def _table(
    votable: Any, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], name: str, utype: str | None
) -> Any:
    table = tree.TableElement(votable, name=name, utype=utype)
    for column in columns:
        field = tree.Field(
            votable,
            name=column.name,
            datatype=_datatype(column, rows),
            arraysize="*" if column.kind in (TEXT, UNICODE) else None,
            unit=column.unit or None,
            ucd=column.ucd or None,
            utype=column.utype or None,
            xtype=column.xtype or None,
            config=_CONFIG,
            ref=UTC if column.is_mjd else None,
        )
        field.description = column.description
        table.fields.append(field)
    table.create_arrays(len(rows))
    for k, row in enumerate(rows):
        values = [row[column.name] for column in columns]
        table.array[k] = tuple(
            _NULLS[column.kind] if value is None else value for column, value in zip(columns, values, strict=True)
        )
        table.array.mask[k] = tuple(value is None for value in values)
    return table


def _datatype(column: Column, rows: Sequence[Mapping[str, Any]]) -> str:
    """`char` is ASCII: as the standards ask for, unless a name somewhere is not."""
    is_ascii = column.kind != TEXT or all(str(row[column.name]).isascii() for row in rows)
    return column.kind if is_ascii else "unicodeChar"


_NULLS: dict[str, Any] = {TEXT: "", UNICODE: "", REAL: float("nan"), WHOLE: 0, TRUTH: False}


def _described(votable: Any, service: Service) -> Any:
    resource = tree.Resource(type="meta", utype="adhoc:service")
    resource.extra_attributes["name"] = "this"  # astropy 8 reads a resource's name, but does not write it
    for name, value in (("standardID", service.standard_id), ("accessURL", service.access_url)):
        resource.params.append(tree.Param(votable, name=name, datatype="char", arraysize="*", value=value))
    group = tree.Group(resource, name="inputParams")
    for parameter in service.parameters:
        param = tree.Param(
            votable,
            name=parameter.name,
            datatype=parameter.kind,
            arraysize="*" if parameter.kind == TEXT else None,
            unit=parameter.unit or None,
            ucd=parameter.ucd or None,
            value="" if parameter.kind == TEXT else 0,
        )
        param.description = parameter.description
        group.entries.append(param)
    resource.groups.append(group)
    return resource


def _written(votable: Any) -> bytes:
    out = io.BytesIO()
    votable.to_xml(out, tabledata_format="tabledata")
    return out.getvalue()
