"""Filters of the API that every room uses."""

import datetime as dt
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field


def refused(why: str, value: object) -> ValidationError:
    """A refusal that shows the value. It goes in as a parameter: in the message itself a % of it would be a format."""
    return ValidationError(f"%(value)r {why}", params={"value": value})


class InstantField(forms.Field):
    """An ISO 8601 instant with Z or an offset; becomes aware UTC. A naive time is refused: nobody can know its zone."""

    def to_python(self, value: Any) -> dt.datetime | None:
        if value in self.empty_values:
            return None
        try:
            # A "+" of an offset that was not percent-encoded arrives as a blank.
            instant = dt.datetime.fromisoformat(str(value).strip().replace(" +", "+").replace(" ", "+", 1))
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            raise refused("is not an instant with a zone, such as 2026-11-22T18:00:00Z.", value)
        try:
            return instant.astimezone(dt.UTC)
        except OverflowError:
            raise refused("is outside the years 1 to 9999.", value) from None


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantFilter(django_filters.Filter):
    field_class = InstantField


class TrueFalseField(forms.Field):
    """true or false; anything else is refused instead of being taken for "not given"."""

    def to_python(self, value: Any) -> bool | None:
        if value in self.empty_values:
            return None
        if str(value).lower() not in ("true", "false"):
            raise refused("is neither true nor false.", value)
        return str(value).lower() == "true"


class TrueFalseFilter(django_filters.BooleanFilter):
    field_class = TrueFalseField
