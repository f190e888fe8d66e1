"""Rows as JSON in a fraction of the time: a page of a hundred rows with forty fields each is mostly spent in deciding,
field after field and row after row, what kind of field it is. Here that is decided once for all rows.
"""

from collections.abc import Callable
from functools import cached_property
from operator import attrgetter
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from rest_framework import serializers
from rest_framework.fields import Field

Reader = Callable[[Any], Any]


class QuickRepresentation:
    """Before a `Serializer`: shows the same as that, by readers made of the declared fields."""

    @cached_property
    def _readers(self) -> list[tuple[str, Reader]]:
        return _readers_of(self)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {name: read(instance) for name, read in self._readers}


def _readers_of(serializer: Any) -> list[tuple[str, Reader]]:
    return [(field.field_name, _reader(field)) for field in serializer._readable_fields]


def _reader(field: Field[Any, Any, Any, Any]) -> Reader:
    """Gives a field's representation of a row. What is out of the ordinary is left to the field itself."""
    attributes = field.source_attrs
    shown = _converter(field)
    if not attributes:  # of the whole row
        return lambda row: field.to_representation(field.get_attribute(row))
    get = attrgetter(".".join(attributes))

    def read(row: Any) -> Any:
        try:
            value = get(row)
            if callable(value):
                value = value()
        except (AttributeError, ObjectDoesNotExist):  # rows that are mappings, a relation that is empty on the way
            try:
                value = field.get_attribute(row)
            except serializers.SkipField as skipped:
                raise AssertionError(f"{field.field_name} has no default, and a row has none of it") from skipped
        return None if value is None else shown(value)

    return read


def _converter(field: Any) -> Callable[[Any], Any]:
    if isinstance(field, serializers.Serializer) and type(field).to_representation is _STOCK:
        readers = _readers_of(field)
        return lambda row: {name: read(row) for name, read in readers}
    return field.to_representation


_STOCK = serializers.Serializer.to_representation
