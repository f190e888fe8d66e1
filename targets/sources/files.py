"""Files of orbits, whatever their format: read to the end before anything is done with them."""

import codecs
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from targets.designations import key_of, taken_apart
from targets.orbits.elements import ElementsError
from targets.orbits.elements_csv import ElementsFileError, ElementsRowError, read_rows, stored_in
from targets.sources.mpc import lines as mpc_lines
from targets.sources.mpc.parse import parse_record
from targets.sources.neocp.records import DistinctRecords, is_neocp_line
from targets.sources.records import LONGEST_DESIGNATION, OrbitRecord, RecordError, TargetRecord, require_text
from targets.sources.sbdb.records import is_sbdb_answer, sbdb_record

_GZIP_MAGIC = b"\x1f\x8b"


class FileError(ValueError):
    """A file that cannot be used at all; the message says why and what would be right."""


@dataclass(frozen=True)
class Rejection:
    """A row that was passed over: its place in the file (from 1), the object and the reason."""

    row: int
    name: str
    reason: str


@dataclass(frozen=True)
class CatalogueFile:
    """The rows of a file, unread; `parse` each for a record or a rejection."""

    source: str
    rows: list[Callable[[], TargetRecord]]

    def __len__(self) -> int:
        return len(self.rows)

    def parse(self) -> Iterator[TargetRecord | Rejection]:
        for number, row in enumerate(self.rows, start=1):
            try:
                yield row()
            except RecordError as error:
                yield Rejection(number, error.name, error.reason)


def read_file(path: Path) -> CatalogueFile:
    """Any of the formats, told apart by content; plain or gzip, but CSV plain. Raises FileError."""
    content = _content(path)
    if content.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"[", b"{"):
        rows = _json_rows(content, path)
        if any(is_sbdb_answer(row) for row in rows):
            return CatalogueFile("sbdb", [partial(sbdb_record, row) for row in rows])
        return CatalogueFile("mpc", [partial(parse_record, raw) for raw in rows])
    lines = mpc_lines.numbered_lines(content.decode("utf-8-sig", errors="replace"))
    formats = (
        ("mpc", mpc_lines.is_line, mpc_lines.parse_line),
        ("neocp", is_neocp_line, DistinctRecords()),
    )
    for source, is_line, parse_line in formats:
        if any(is_line(line) for _, line in lines[:20]):
            return CatalogueFile(source, [partial(_of_line, number, line, parse_line) for number, line in lines])
    try:
        return CatalogueFile("file", [partial(_csv_record, row) for row in read_rows(path)])
    except ElementsFileError as error:
        others = "neither MPC extended JSON, lines of MPCORB or NEOCP, an answer of SBDB, nor a CSV of elements"
        raise FileError(f"{error} ({others})") from error


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileError(f"{path} is cut off or damaged ({error}): fetch it again") from error


def _json_rows(content: bytes, path: Path) -> list[object]:
    try:
        rows = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is not complete JSON ({error}): fetch it again") from error
    if is_sbdb_answer(rows):
        return [rows]
    if not isinstance(rows, list) or not rows:
        raise FileError(f"{path} is JSON but no list of objects, as MPC extended JSON is, and no answer of SBDB")
    return rows


def _of_line(number: int, line: str, parse_line: Callable[[str], TargetRecord]) -> TargetRecord:
    try:
        return parse_line(line)
    except RecordError as error:
        raise RecordError(error.name, f"line {number}: {error.reason}") from error


def _csv_record(row: dict[str, str] | ElementsRowError) -> TargetRecord:
    if isinstance(row, ElementsRowError):
        raise RecordError(row.designation, row.reason) from row
    designation = require_text(row["designation"], "designation", row["designation"])
    called = taken_apart(designation)
    also = taken_apart(require_text(designation, "name", row.get("name", "")))
    require_text(designation, "designation", called.number or called.provisional, LONGEST_DESIGNATION)
    if not key_of(designation):
        raise RecordError(designation, "designation has neither letters nor digits")
    try:
        numbers = stored_in(row)
    except ElementsError as error:
        raise RecordError(designation, str(error)) from error
    known = {field: None if value != value else value for field, value in numbers.items()}
    orbit = OrbitRecord(
        source="file",
        epoch_tdb_jd=numbers["epoch_jd"] or 0.0,
        a_au=numbers["a"],
        e=numbers["e"] or 0.0,
        i_deg=numbers["i"] or 0.0,
        node_deg=numbers["node"] or 0.0,
        peri_deg=numbers["peri"] or 0.0,
        mean_anomaly_deg=numbers["M"],
        q_au=numbers["q"],
        tp_tdb_jd=numbers["tp_jd"],
        a1_au_d2=numbers["A1"] or None,
        a2_au_d2=numbers["A2"] or None,
        a3_au_d2=numbers["A3"] or None,
        h_mag=known["H"],
        g_slope=numbers["G"] or 0.0,
        h_sigma_mag=known["H_sigma"],
        g1=known["G1"],
        g2=known["G2"],
        g12=known["G12"],
        m1_mag=known["M1"],
        k1=known["K1"],
    )
    orbit.require_conic(designation)
    provisional = dict.fromkeys(text for text in (called.provisional, also.provisional) if text)
    return TargetRecord(
        number=called.number or also.number,
        provisional=tuple(provisional),
        name=also.name or called.name,
        orbit=orbit,
    )
