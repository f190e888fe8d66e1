"""Fields of an answer, each checked as it is taken: what matters is required, what is unknown is passed over.

Pure: no Django, no network. Providers write numbers as texts (".1911"), as numbers, and null for what they do not have.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from .errors import Ambiguous, Nonsense, NotFound, Wrong

LARGEST_COUNT = 2**31 - 1
LONGEST_TEXT = 200
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d{1,2}|[A-Z][a-z]{2})-(\d{1,2})(\.\d+)?", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(\.\d+)?)?Z?", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ABSENT = (None, "", "n.a.", "-", "?")


class FieldError(ValueError):
    """A field that is missing or cannot be true: which, and what would be right."""


@contextmanager
def reading(provider: str, body: bytes) -> Iterator[None]:
    """Around a parser: what it cannot use becomes `Nonsense` of this provider."""
    try:
        yield
    except FieldError as error:
        raise Nonsense(provider, str(error), Wrong.FIELD, body) from error


def shown(value: Any) -> str:
    """A value as it may stand in a message."""
    return f"{value!a:.60}"


def json_object(provider: str, body: bytes) -> Fields:
    """The JSON object that an answer is. Raises Nonsense."""
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Nonsense(provider, f"no complete JSON: {str(error)[:200]}", Wrong.UNREADABLE, body) from error
    if not isinstance(value, dict):
        kind = type(value).__name__
        raise Nonsense(provider, f"JSON, but a {kind} where an object was expected", Wrong.UNREADABLE, body)
    return Fields(value)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def require_signature(provider: str, reply: Fields, versions: Sequence[str], body: bytes) -> None:
    """That the provider's format is one this was written for: another is a reason to look, not to go on."""
    signature = reply.raw.get("signature")
    version = signature.get("version") if isinstance(signature, Mapping) else None
    if str(version) not in versions:
        message = f"the version of its format is {shown(version)}, not {' or '.join(versions)}"
        raise Nonsense(provider, message, Wrong.SIGNATURE, body)


def refuse_jpl_errors(provider: str, reply: Fields, body: bytes) -> None:
    """What JPL says in the place of an answer: `code` and `message`, or `error`."""
    code = str(reply.raw.get("code") or "")
    message = str(reply.raw.get("message") or reply.raw.get("error") or "")[:200]
    listed = reply.raw.get("list")
    if code == "300" and isinstance(listed, list):
        names = [each.get("pdes") or each.get("name") for each in listed if isinstance(each, Mapping)]
        raise Ambiguous(provider, "several objects match", tuple(str(name)[:60] for name in names[:100] if name))
    if not code and "error" not in reply.raw:
        return
    if code in ("200", "404") or re.search(r"not found|no (such|matching|data)|unknown|not exist", message.lower()):
        raise NotFound(provider, message or "not found")
    raise Nonsense(provider, f"it answers {shown(message or code)}", Wrong.FIELD, body)


def jpl_object(provider: str, body: bytes, versions: Sequence[str]) -> Fields:
    """An answer of JPL's services that is one, in a format this was written for."""
    reply = json_object(provider, body)
    refuse_jpl_errors(provider, reply, body)
    require_signature(provider, reply, versions, body)
    return reply


class Fields:
    """The fields of one JSON object or of one row of a table."""

    def __init__(self, raw: Any, name: str = "the answer") -> None:
        if not isinstance(raw, Mapping):
            raise FieldError(f"{name} is {shown(raw)}: expected an object")
        self.raw: Mapping[str, Any] = raw

    def number(self, key: str, low: float, high: float) -> float:
        return number(key, self.raw.get(key), low, high)

    def maybe_number(self, key: str, low: float, high: float) -> float | None:
        value = self.raw.get(key)
        return None if _is_absent(value) else number(key, value, low, high)

    def whole(self, key: str, low: int = 0, high: int = LARGEST_COUNT) -> int:
        value = number(key, self.raw.get(key), low, high)
        if value != int(value):
            raise FieldError(f"{key} is {value:g}: expected a whole number")
        return int(value)

    def maybe_whole(self, key: str, low: int = 0, high: int = LARGEST_COUNT) -> int | None:
        return None if _is_absent(self.raw.get(key)) else self.whole(key, low, high)

    def text(self, key: str, longest: int = LONGEST_TEXT) -> str:
        found = self.maybe_text(key, longest)
        if not found:
            raise FieldError(f"{key} is {'missing' if self.raw.get(key) is None else 'empty'}: expected a text")
        return found

    def maybe_text(self, key: str, longest: int = LONGEST_TEXT) -> str:
        """The text without blanks around it; empty where there is none. A whole number counts as one."""
        return text(key, self.raw.get(key), longest)

    def flag(self, key: str) -> bool:
        value = self.raw.get(key)
        if value in (True, "Y", "true", "1"):
            return True
        if value in (False, None, "N", "false", "0", ""):
            return False
        raise FieldError(f"{key} is {shown(value)}: expected true or false")

    def maybe_date(self, key: str) -> dt.date | None:
        """A day; absent too where only the year or the month is known ("1769-??-??")."""
        value = self.maybe_text(key)
        return None if not value or "?" in value else instant(key, value).date()

    def instant(self, key: str) -> dt.datetime:
        return instant(key, self.text(key))

    def maybe_instant(self, key: str) -> dt.datetime | None:
        value = self.maybe_text(key)
        return instant(key, value) if value else None

    def child(self, key: str) -> Fields:
        return Fields(self.raw.get(key), key)

    def list(self, key: str) -> Sequence[Any]:
        value = self.raw.get(key)
        if not isinstance(value, list):
            raise FieldError(f"{key} is {shown(value)}: expected a list")
        return value

    def maybe_list(self, key: str) -> Sequence[Any]:
        return () if self.raw.get(key) is None else self.list(key)


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in _ABSENT)


def number(name: str, value: Any, low: float, high: float) -> float:
    """A finite number inside its bounds, written as one or as a text. Raises FieldError."""
    if isinstance(value, str) and _NUMBER.fullmatch(stripped := value.strip()) and len(stripped) < 100:
        found = float(stripped)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
    else:
        raise FieldError(f"{name} is {'missing' if value is None else shown(value)}: expected a number")
    if not low <= found <= high:
        raise FieldError(f"{name} is {found:g}: expected {low:g} to {high:g}")
    return found


def text(name: str, value: Any, longest: int = LONGEST_TEXT) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int) or (isinstance(value, int) and abs(value) > 1e18):
        raise FieldError(f"{name} is {shown(value)}: expected a text")
    found = str(value).strip()
    if len(found) > longest or not found.isprintable():
        raise FieldError(f"{name} is {shown(found)}: expected at most {longest} printable characters")
    return found


def instant(name: str, value: str) -> dt.datetime:
    """A date with an optional fraction of the day or time of day, as aware UTC: 2290-09-25.12, 2026-04-05 01:45,
    2025-Oct-04 21:08:33, 2026-08-24T22:27:04Z. Raises FieldError.
    """
    day, _, clock = value.strip().replace("T", " ", 1).partition(" ")
    date, time = _DATE.fullmatch(day), _TIME.fullmatch(clock.strip()) if clock.strip() else None
    if date is None or (clock.strip() and (time is None or date[4])):
        raise FieldError(f"{name} is {shown(value)}: expected a date or an instant")
    month = _MONTHS.index(date[2]) + 1 if date[2] in _MONTHS else int(date[2]) if date[2].isdigit() else 0
    try:
        found = dt.datetime(int(date[1]), month, int(date[3]), tzinfo=dt.UTC)
        if time:
            fraction = dt.timedelta(seconds=float(time[4] or 0))
            found = found.replace(hour=int(time[1]), minute=int(time[2]), second=int(time[3] or 0)) + fraction
        return found + dt.timedelta(days=float(date[4] or 0))
    except (ValueError, OverflowError):
        raise FieldError(f"{name} is {shown(value)}: there is no such instant") from None


def table(reply: Fields) -> Iterator[Any]:
    """The rows of `fields` and `data`, as objects by field name; a row of another length is passed on as it is."""
    names = reply.list("fields")
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise FieldError(f"fields is {shown(names)}: expected the names of the columns")
    for row in reply.list("data"):
        yield dict(zip(names, row, strict=True)) if isinstance(row, list) and len(row) == len(names) else row
