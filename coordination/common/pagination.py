"""Pages by keyset: the cursor is the position of the last row, so a page costs the same however deep it lies, and
rows that arrive meanwhile shift nothing. (REST framework's own cursor pagination counts offsets where many rows share
a value, as windows that open at the same dusk do.)
"""

import base64
import json
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import F, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView


class KeysetPagination(BasePagination):
    """`limit` (1 to 100) and `cursor`; the order comes from the view's `orderings`, a parameter `order_by` chooses
    among them.

    A view declares `orderings = {"starts_at": ("starts_at", "id"), "-v_mag": ("-v_mag", "id")}`: name to field names,
    the last one unique. A field that may be null sorts its nulls last.
    """

    default_limit = 50
    max_limit = 100

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: APIView | None = None) -> list[Any]:
        self.request = request
        self.orderings: dict[str, tuple[str, ...]] = getattr(view, "orderings", {"id": ("id",)})
        fields = self._ordering()
        limit = self._limit()
        position = self._position(len(fields))
        if position is not None:
            try:
                queryset = queryset.filter(_after(fields, position))
            except (ValueError, DjangoValidationError):  # not of the types of the fields
                raise _no_cursor() from None
        ordered = queryset.order_by(*(_order_expression(field) for field in fields))
        rows = list(ordered[: limit + 1])
        self.next_position = None
        if len(rows) > limit:
            rows = rows[:limit]
            self.next_position = [_value(rows[-1], field.lstrip("-")) for field in fields]
        return rows

    def in_order(self, queryset: QuerySet[Any], request: Request, view: APIView) -> QuerySet[Any]:
        """All rows in the order asked for, for an answer that is not paged. Raises ValidationError for `limit` and
        `cursor`, which mean nothing there.
        """
        if paged := {name for name in ("limit", "cursor") if name in request.query_params}:
            raise ValidationError({name: ["A table is not paged: it holds all rows."] for name in sorted(paged)})
        self.request, self.orderings = request, getattr(view, "orderings", {"id": ("id",)})
        return queryset.order_by(*(_order_expression(field) for field in self._ordering()))

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self._next_link(), "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {
                    "type": ["string", "null"],
                    "format": "uri",
                    "description": "Address of the next page; null on the last.",
                },
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        orderings = list(getattr(view, "orderings", {"id": ("id",)}))
        return [
            _parameter(
                "limit",
                "Rows in a page.",
                {"type": "integer", "minimum": 1, "maximum": self.max_limit, "default": self.default_limit},
            ),
            _parameter("cursor", "Where the page begins: taken from `next`.", {"type": "string"}),
            _parameter(
                "order_by", "Order of the rows.", {"type": "string", "enum": orderings, "default": orderings[0]}
            ),
        ]

    def _ordering(self) -> tuple[str, ...]:
        name = self.request.query_params.get("order_by", next(iter(self.orderings)))
        if name not in self.orderings:
            raise ValidationError({"order_by": [f"{name!r} is not an order; one of {', '.join(self.orderings)}."]})
        return self.orderings[name]

    def _limit(self) -> int:
        text = self.request.query_params.get("limit", str(self.default_limit))
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= self.max_limit):
            raise ValidationError({"limit": [f"{text!r} is not a whole number from 1 to {self.max_limit}."]})
        return int(text)

    def _position(self, length: int) -> list[Any] | None:
        text = self.request.query_params.get("cursor")
        if not text:
            return None
        try:
            position = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        except ValueError:
            position = None
        plain = isinstance(position, list) and all(
            value is None or (isinstance(value, str) and "\0" not in value) for value in position
        )
        if not plain or len(position) != length or position[-1] is None:
            raise _no_cursor()
        return list(position)

    def _next_link(self) -> str | None:
        if self.next_position is None:
            return None
        text = json.dumps(
            [None if value is None else str(value) for value in self.next_position], separators=(",", ":")
        )
        cursor = base64.urlsafe_b64encode(text.encode()).decode()
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)


def _no_cursor() -> ValidationError:
    return ValidationError({"cursor": ["Not a cursor of this list and order: take it from `next` of the page before."]})


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _order_expression(field: str) -> Any:
    return F(field[1:]).desc(nulls_last=True) if field.startswith("-") else F(field).asc(nulls_last=True)


def _value(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = None if row is None else row[name] if isinstance(row, dict) else getattr(row, name)
    return row


def _after(fields: tuple[str, ...], position: list[Any]) -> Q:
    """Rows after the position in lexicographic order, nulls last in each field."""
    after, equal = Q(), Q()
    for field, value in zip(fields, position, strict=True):
        name, descending = field.lstrip("-"), field.startswith("-")
        if value is not None:
            beyond = Q(**{f"{name}__{'lt' if descending else 'gt'}": value}) | Q(**{f"{name}__isnull": True})
            after |= equal & beyond
        equal &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
    return after
