"""The names of minor planets: packed and unpacked, and what somebody may type who means one.

Forms and examples: Minor Planet Center, "Packed Provisional and Permanent Designations" and its extension of 2023.
Designations are looked up by their key: upper case, without blanks and punctuation.
"""

import re
import unicodedata
from dataclasses import dataclass

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CENTURIES = {"I": 18, "J": 19, "K": 20}
_LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # the order inside a half-month: without I
_SURVEYS = {"PLS": "P-L", "T1S": "T-1", "T2S": "T-2", "T3S": "T-3"}
_FIRST_LETTERED_NUMBER, _FIRST_TILDE_NUMBER, _LAST_NUMBER = 100_000, 620_000, 620_000 + 62**4 - 1
_FIRST_EXTENDED = 15_501  # beyond cycle 619 of a half-month

_PROVISIONAL = re.compile(r"(A[89]\d\d|[12]\d{3}) ?([A-HJ-Y])([A-HJ-Z])(\d*)")
_SURVEY = re.compile(r"([1-9]\d{3}) ?(P-L|T-[123])")
_PACKED_PROVISIONAL = re.compile(r"([IJK])(\d\d)([A-HJ-Y])([0-9A-Za-z]\d)([A-HJ-Z])")
_PACKED_EXTENDED = re.compile(r"_([A-Z])([A-HJ-Y])([0-9A-Za-z]{4})")
_PACKED_SURVEY = re.compile(r"(PLS|T[123]S)([1-9]\d{3})")
_PACKED_NUMBER = re.compile(r"[0-9A-Za-z]\d{4}|~[0-9A-Za-z]{4}")
_FULL_NAME = re.compile(r"\(?([1-9]\d*)\)?(?:\s+([^()]+?))?(?:\s+\(([^()]+)\))?")


class DesignationError(ValueError):
    """A designation that cannot be packed or unpacked; the message says why."""


def key_of(text: str) -> str:
    """What a designation is looked up by. Survey designations keep their hyphen: 2040 P-L is not 2040 PL."""
    plain = unicodedata.normalize("NFKD", text).upper()
    if _SURVEY.fullmatch(plain.strip()):
        return plain.replace(" ", "")
    return "".join(c for c in plain if c.isascii() and c.isalnum())


def kind_of(text: str) -> str:
    """number, provisional, name or temporary (values of `Designation.Kind`)."""
    stripped = text.strip()
    if re.fullmatch(r"\(?[1-9]\d*\)?", stripped):
        return "number"
    upper = stripped.upper()
    if _PROVISIONAL.fullmatch(upper) or _SURVEY.fullmatch(upper):
        return "provisional"
    if re.fullmatch(r"[A-Z]/-?\d+ [A-Z]+\d*(-[A-Z]+)?", upper):  # a comet, or an asteroid on a comet's orbit
        return "provisional"
    has_digit = any(c.isdigit() for c in stripped)
    return "temporary" if has_digit and " " not in stripped else "name"


def target_kind_of(text: str) -> str:
    """asteroid or comet (values of `Target.Kind`): comets are C/, P/, D/, X/ and numbers with a P or D."""
    return "comet" if re.match(r"[CPDX]/|[1-9]\d*[PD]\b", text.strip().upper()) else "asteroid"


def lookup_keys(text: str) -> list[str]:
    """Keys that the text may mean, the likeliest first: as it stands, and unpacked."""
    stripped = text.strip()
    keys = [key_of(stripped)]
    # Case matters in packed forms: K07Tf8A is 2007 TA418, K07TF8A is 2007 TA158. Upper case is tried only for what is
    # none as it stands, such as k04m04n.
    if unpacked := _unpacked(stripped) or _unpacked(stripped.upper()):
        keys.append(key_of(unpacked))
    old_year = re.fullmatch(r"1([89]\d\d[A-Z]{2})", keys[0])
    if old_year:  # the MPC writes years before 1925 with an A
        keys.append(f"A{old_year[1]}")
    return [key for key in dict.fromkeys(keys) if key]


def parts_of(text: str) -> list[str]:
    """The keys of a full name such as "(99942) Apophis (2004 MN4)", all of one object; empty where it is none."""
    stripped = text.strip()
    match = _FULL_NAME.fullmatch(stripped)
    if match is None or _PROVISIONAL.fullmatch(stripped.upper()):
        return []
    return [key for part in match.groups() if part and (key := key_of(part))]


@dataclass(frozen=True)
class FullName:
    """What a text says of an object, each in its usual spelling; empty where it says nothing of it."""

    number: str = ""
    provisional: str = ""
    name: str = ""


def taken_apart(text: str) -> FullName:
    """Number, provisional (or temporary) designation and name in a text such as "99942 Apophis (2004 MN4)", "K04M04N"
    or "2004mn4".
    """
    stripped = text.strip()
    alone = stripped[1:-1].strip() if re.fullmatch(r"\([^()]*\)", stripped) else stripped
    alone = _unpacked(alone) or alone
    kind = kind_of(alone)
    if kind == "number":
        return FullName(number=alone)
    if kind in ("provisional", "temporary"):
        return FullName(provisional=_usual_spelling(alone))
    match = _FULL_NAME.fullmatch(stripped)
    if match is None:
        return FullName(name=alone)
    middle = taken_apart(match[2]) if match[2] else FullName()
    bracketed = taken_apart(match[3]) if match[3] else FullName()
    return FullName(match[1], bracketed.provisional or middle.provisional, middle.name or bracketed.name)


def pack(text: str) -> str:
    """The MPC's packed form: 5 characters of a number, 7 of a provisional designation. Raises DesignationError."""
    stripped = text.strip().upper()
    if re.fullmatch(r"[1-9]\d*", stripped):
        return pack_number(int(stripped))
    if survey := _SURVEY.fullmatch(stripped):
        code = next(code for code, name in _SURVEYS.items() if name == survey[2])
        return f"{code}{survey[1]}"
    match = _PROVISIONAL.fullmatch(stripped)
    if match is None:
        raise DesignationError(f"{text!r} is neither a number nor a provisional designation of an asteroid")
    year = int(match[1].replace("A", "1"))
    half_month, second, cycle = match[2], match[3], int(match[4] or 0)
    order = cycle * len(_LETTERS) + _LETTERS.index(second) + 1
    if order >= _FIRST_EXTENDED and year >= 2010:
        return f"_{_year_letter(year, text)}{half_month}{_to_base62(order - _FIRST_EXTENDED, 4)}"
    century = next((letter for letter, number in _CENTURIES.items() if number == year // 100), None)
    if century is None or cycle >= 620:
        raise DesignationError(f"{text!r} has no packed form")
    return f"{century}{year % 100:02d}{half_month}{_BASE62[cycle // 10]}{cycle % 10}{second}"


def pack_number(number: int) -> str:
    """The packed form of a permanent number. Raises DesignationError outside 1 to 15,396,335."""
    if not 1 <= number <= _LAST_NUMBER:
        raise DesignationError(f"{number} is no permanent number: expected 1 to {_LAST_NUMBER}")
    if number < _FIRST_LETTERED_NUMBER:
        return f"{number:05d}"
    if number < _FIRST_TILDE_NUMBER:
        return f"{_BASE62[number // 10_000]}{number % 10_000:04d}"
    return "~" + _to_base62(number - _FIRST_TILDE_NUMBER, 4)


def unpack(packed: str) -> str:
    """The readable form of a packed designation; its case matters. Raises DesignationError."""
    if match := _PACKED_PROVISIONAL.fullmatch(packed):
        year = f"{_CENTURIES[match[1]]}{match[2]}"
        if int(year) < 1925:
            year = f"A{year[1:]}"
        cycle = _BASE62.index(match[4][0]) * 10 + int(match[4][1])
        return f"{year} {match[3]}{match[5]}{cycle or ''}"
    if match := _PACKED_EXTENDED.fullmatch(packed):
        order = _from_base62(match[3]) + _FIRST_EXTENDED - 1
        year_number = 2000 + _BASE62.index(match[1])
        return f"{year_number} {match[2]}{_LETTERS[order % len(_LETTERS)]}{order // len(_LETTERS)}"
    if match := _PACKED_SURVEY.fullmatch(packed):
        return f"{match[2]} {_SURVEYS[match[1]]}"
    if _PACKED_NUMBER.fullmatch(packed):
        if packed[0] == "~":
            return str(_FIRST_TILDE_NUMBER + _from_base62(packed[1:]))
        number = _BASE62.index(packed[0]) * 10_000 + int(packed[1:])
        if number:
            return str(number)
    raise DesignationError(f"{packed!r} is no packed designation of an asteroid")


def _unpacked(text: str) -> str:
    """The readable form of what is packed; empty for anything else."""
    try:
        return unpack(text)
    except DesignationError:
        return ""


def _usual_spelling(text: str) -> str:
    """Upper case with one blank: 2004mn4 is written 2004 MN4. Anything but a provisional designation stays."""
    match = _PROVISIONAL.fullmatch(text.upper())
    return f"{match[1]} {match[2]}{match[3]}{match[4]}" if match else text


def _year_letter(year: int, text: str) -> str:
    if year > 2035:
        raise DesignationError(f"{text!r} has no packed form")
    return _BASE62[year - 2000]


def _to_base62(value: int, width: int) -> str:
    if value >= 62**width:
        raise DesignationError(f"{value} does not fit into {width} characters")
    digits = ""
    for _ in range(width):
        value, rest = divmod(value, 62)
        digits = _BASE62[rest] + digits
    return digits


def _from_base62(text: str) -> int:
    value = 0
    for character in text:
        value = value * 62 + _BASE62.index(character)
    return value
