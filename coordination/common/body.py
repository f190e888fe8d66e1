"""Bodies of requests: read strictly. What is not a field here, or not of its JSON type, is refused by name.

REST framework's own fields take "5" for 5, 1 for true and a naive time for one in the server's zone; a partner's
mistake would then do something else than it meant.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from .problems import InvalidBodyError, flatten

LARGEST_ID = 2**63 - 1
_FIRST_YEAR, _LAST_YEAR = 2000, 2099


class BodySerializer(serializers.Serializer[Any]):
    """Fields of a body. Others than these are refused."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                known = ", ".join(self.fields) or "none"
                raise serializers.ValidationError({name: [f"Not a field here; there are {known}."] for name in unknown})
        return super().to_internal_value(data)


def read_body(kind: type[serializers.Serializer[Any]], request: Request, *, partial: bool = False) -> dict[str, Any]:
    """What the body says, by field. Raises InvalidBodyError with every field at fault, its value and what is expected;
    a part of a row (`partial`) may leave out what shall stay, but not everything.
    """
    body = kind(data=request.data, partial=partial)
    if not body.is_valid():
        raise InvalidBodyError([_told(finding, body, request.data) for finding in flatten(body.errors)])
    if partial and not body.validated_data:
        known = ", ".join(body.fields)
        raise InvalidBodyError([{"field": "", "detail": "Nothing to change is given.", "expected": known}])
    return dict(body.validated_data)


def _told(finding: dict[str, Any], body: serializers.Serializer[Any], data: Any) -> dict[str, Any]:
    first, *rest = finding["field"].split(".")
    told = dict(finding)
    if isinstance(data, Mapping) and first in data:
        value = data[first]
        for step in rest:
            value = value[int(step)] if isinstance(value, list) and step.isdigit() and int(step) < len(value) else None
        told["value"] = value
    expected = getattr(body.fields.get(first), "expected", "")
    return told | ({"expected": expected} if expected else {})


class TextField(serializers.CharField):
    expected = "text"
    default_error_messages = {"invalid": "Not a text."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class WholeNumberField(serializers.IntegerField):
    expected = "a whole number"

    def to_internal_value(self, data: Any) -> int:
        whole = isinstance(data, int) or (isinstance(data, float) and data.is_integer())
        if not whole or isinstance(data, bool):
            self.fail("invalid")
        return int(data)


class IdField(WholeNumberField):
    """The identifier of a row."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **kwargs)


class NumberField(serializers.FloatField):
    expected = "a number"

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        try:
            number = float(data)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):  # 1e999 is read as infinite
            self.fail("invalid")
        return number


class TrueFalseField(serializers.BooleanField):
    expected = "true or false"

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class ChoiceField(serializers.ChoiceField):
    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(choices, **kwargs)
        self.expected = ", ".join(str(choice) for choice in self.choices)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class InstantField(serializers.DateTimeField):
    """An ISO 8601 instant with Z or an offset; becomes aware UTC. A naive time is refused: nobody can know its zone."""

    expected = "an instant with a zone, such as 2026-11-22T18:00:00Z"
    default_error_messages = {
        "instant": "Not an instant with a zone, such as 2026-11-22T18:00:00Z.",
        "naive": "The time has no zone: write Z for UTC, or an offset.",
        "years": f"Outside the years {_FIRST_YEAR} to {_LAST_YEAR}.",
    }

    def to_internal_value(self, value: Any) -> dt.datetime:
        try:
            instant = dt.datetime.fromisoformat(value)
        except (TypeError, ValueError):
            self.fail("instant")
        if instant.tzinfo is None:
            self.fail("naive")
        # Inside these years no zone, setup time or deadline can leave what a datetime holds.
        if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
            self.fail("years")
        return instant.astimezone(dt.UTC)


def ids_field(most: int, **kwargs: Any) -> serializers.ListField:
    """A list of identifiers, none twice."""
    return _IdsField(child=IdField(), max_length=most, **kwargs)


class _IdsField(serializers.ListField):
    expected = "a list of identifiers"
    default_error_messages = {"twice": "{value} is named twice."}

    def to_internal_value(self, data: Any) -> list[int]:
        ids: list[int] = super().to_internal_value(data)
        if (twice := _first_twice(ids)) is not None:
            self.fail("twice", value=twice)
        return ids


def _first_twice(ids: Iterable[int]) -> int | None:
    seen: set[int] = set()
    for each in ids:
        if each in seen:
            return each
        seen.add(each)
    return None
