"""Bodies of requests as JSON (RFC 8259), read so that nothing is guessed: what is none is refused with its place."""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import JSONParser

from .problems import DomainError

_STRING = r'"(?:[^"\\]|\\.)*"'
_CONSTANT = re.compile(rf"{_STRING}|(?P<found>NaN|-?Infinity)", re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class UnreadableError(DomainError):
    """What cannot be read, and where: line and column count from 1."""

    problem = "unreadable"


class StrictJSONParser(JSONParser):
    """UTF-8 only. Refuses NaN and Infinity, a name given twice in an object, halves of surrogate pairs, and what is
    nested or long beyond what Python reads; REST framework's parser takes some of these and fails on others.
    """

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        charset = re.search(r"""charset\s*=\s*"?([^";\s]+)""", media_type or "", re.IGNORECASE)
        if charset is not None and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedMediaType(media_type or "")
        return read_json(stream.read())


def read_json(raw: bytes) -> Any:
    """What the text means. Raises UnreadableError."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse("not UTF-8", raw[: error.start].decode("utf-8"), error.start)
    try:
        data = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        _refuse(error.msg, text, error.pos)
    except RecursionError:
        raise UnreadableError("The body is nested too deeply.") from None
    except _NotJsonError as error:
        found = next((each for each in _CONSTANT.finditer(text) if each["found"]), None)
        _refuse(str(error), text, found.start() if found else 0)
    except ValueError:  # of a number with more digits than Python reads
        most = sys.get_int_max_str_digits()
        found = re.search(rf"\d{{{most + 1},}}", text)
        _refuse(f"a number with more than {most} digits", text, found.start() if found else 0)
    if _SURROGATE.search(text):
        _require_text(data, text)
    return data


class _NotJsonError(ValueError):
    pass


def _refuse_constant(name: str) -> NoReturn:
    raise _NotJsonError(f"{name} is no JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        shown = ascii(twice[:100])
        raise UnreadableError(f"The name {shown} is given twice in an object.", field=twice[:100])
    return found


def _require_text(data: Any, text: str) -> None:
    """Halves of surrogate pairs are no characters: no database and no answer could hold them."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        found = _SURROGATE.search(text)
        _refuse("half of a surrogate pair", text, found.start() if found else 0)


def _refuse(what: str, text: str, position: int) -> NoReturn:
    """position counts characters of the text, or bytes of what follows it."""
    before = text[:position]
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    raise UnreadableError(
        f"The body is not JSON: {what}, at line {line}, column {column}.", line=line, column=column
    ) from None
