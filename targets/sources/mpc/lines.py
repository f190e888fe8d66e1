"""The Minor Planet Center's orbits as lines (MPCORB.DAT, NEA.txt): one object a line, in fixed columns.

Epochs are TT there; the 2 ms to TDB are a metre of the orbit and left out.
"""

import datetime as dt
import re

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.reading import LARGEST_COUNT, FieldError, number
from targets.designations import DesignationError, key_of, taken_apart, unpack
from targets.sources.mpc.parse import parse_record
from targets.sources.records import RecordError, TargetRecord
from targets.sources.rows import Rows, read_rows

PROVIDER = "mpc"
_CENTURIES = {"I": 1800, "J": 1900, "K": 2000}
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUV"  # of months and days in packed dates
_PACKED_DATE = re.compile(r"([IJK])(\d\d)([1-9A-C])([1-9A-V])", re.ASCII)
_CLASSES = {1: "Atira", 2: "Aten", 3: "Apollo", 4: "Amor"}
_CLASS_BITS, _IS_NEO, _IS_PHA = 0x3F, 0x800, 0x8000
# Columns, from 0: what they are called in the extended JSON, and where they are.
_NUMBERS = {
    "H": (8, 13), "G": (14, 19), "M": (26, 35), "Peri": (37, 46), "Node": (48, 57), "i": (59, 68), "e": (70, 79),
    "a": (92, 103), "Num_obs": (117, 122), "Num_opps": (123, 126), "rms": (137, 141),
}  # fmt: skip
_MANDATORY = ("M", "Peri", "Node", "i", "e", "a")
_LENGTH = 202  # to the last digit of the last observation: a shorter line was cut off


def is_line(line: str) -> bool:
    """Whether a line may be one of these: it has a packed epoch at its place."""
    return len(line) > 100 and _PACKED_DATE.fullmatch(line[20:25]) is not None


def parse_lines(body: bytes) -> Rows[TargetRecord]:
    """All objects of a file. Raises Nonsense."""
    try:
        lines = [line for _, line in numbered_lines(body.decode("utf-8"))]
    except UnicodeDecodeError as error:
        raise Nonsense(PROVIDER, "no plain text", Wrong.UNREADABLE, body) from error
    if not any(is_line(line) for line in lines[:100]):
        raise Nonsense(PROVIDER, "no list of orbits: none of its first lines is one", Wrong.UNREADABLE, body)
    return read_rows(PROVIDER, body, lines, _parse_for_rows, None)


def numbered_lines(text: str) -> list[tuple[int, str]]:
    """The lines that are not empty, numbered from 1; those below the rule of dashes, if there is a header."""
    lines = list(enumerate(text.splitlines(), start=1))
    rule = next((number for number, line in lines[:100] if line.startswith("-----")), 0)
    return [(number, line) for number, line in lines[rule:] if line.strip()]


def _parse_for_rows(line: str) -> TargetRecord:
    try:
        return parse_line(line)
    except RecordError as error:
        raise FieldError(str(error)) from error


def parse_line(line: str) -> TargetRecord:
    """One line. Raises RecordError naming the field that is missing or wrong."""
    name = line[:7].strip() or "line"
    if len(line) < _LENGTH:
        raise RecordError(name, f"the line has {len(line)} characters: expected {_LENGTH}")
    raw: dict[str, object] = {"Epoch": _epoch_jd(line[20:25], name), "U": line[105:106].strip()}
    for key, (first, end) in _NUMBERS.items():
        if (text := line[first:end].strip()) or key in _MANDATORY:
            raw[key] = _number(key, text, first, end, name)
    raw |= _called(line, name) | _flags(line[161:165].strip(), name)
    raw |= {"Ref": line[107:116].strip(), **_arc(line[127:136].strip())}
    if last := line[194:202].strip():
        raw["Last_obs"] = f"{last[:4]}-{last[4:6]}-{last[6:]}"
    return parse_record(raw)


def _number(key: str, text: str, first: int, end: int, name: str) -> float:
    try:
        return number(key, text or None, -1e9, float(LARGEST_COUNT))
    except FieldError as error:
        raise RecordError(name, f"{error} in columns {first + 1}-{end}") from error


def _epoch_jd(packed: str, name: str) -> float:
    match = _PACKED_DATE.fullmatch(packed)
    try:
        if match is None:
            raise ValueError(packed)
        year = _CENTURIES[match[1]] + int(match[2])
        day = dt.date(year, _DIGITS.index(match[3]), _DIGITS.index(match[4]))
    except ValueError:
        raise RecordError(name, f"Epoch is {packed!a} in columns 21-25: expected a packed date such as K26CQ") from None
    return day.toordinal() + 1721424.5


def _called(line: str, name: str) -> dict[str, object]:
    """Number, designation and name, from the packed designation and the readable one."""
    try:
        packed = unpack(line[:7].strip())
    except DesignationError:
        packed = line[:7].strip()  # of the confirmation page
    readable = taken_apart(line[166:194].strip()) if line[166:194].strip() else taken_apart(packed)
    number_text = packed if packed.isdecimal() else readable.number
    if packed.isdecimal() and readable.number and readable.number != packed:
        raise RecordError(name, f"the packed designation is {packed}, the readable one {readable.number}")
    own = readable.provisional if packed.isdecimal() else packed
    if not packed.isdecimal() and readable.provisional and key_of(readable.provisional) != key_of(packed):
        raise RecordError(name, f"the packed designation is {packed}, the readable one {readable.provisional}")
    return {"Number": number_text, "Principal_desig": own, "Name": readable.name}


def _flags(text: str, name: str) -> dict[str, object]:
    if not text:
        return {}
    if not re.fullmatch(r"[0-9A-Fa-f]{1,4}", text):
        raise RecordError(name, f"the flags are {text!a} in columns 162-165: expected four hexadecimal digits")
    flags = int(text, 16)
    found: dict[str, object] = {"NEO_flag": int(bool(flags & _IS_NEO)), "PHA_flag": int(bool(flags & _IS_PHA))}
    return found | {"Orbit_type": _CLASSES.get(flags & _CLASS_BITS, "")}


def _arc(text: str) -> dict[str, object]:
    """From "1893-2026" or "59 days" as the extended JSON has it."""
    days = re.fullmatch(r"(\d+) days?", text)
    return {"Arc_length": int(days[1])} if days else {"Arc_years": text} if text else {}
