"""What the views of all rooms share."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .preconditions import Precondition
from .safe_requests import RowResponse, SafeRequests, etag_of_data
from .sparse import FIELDS, fields_asked_for, keep_fields

_EVERYWHERE = {"format"}
_OF_LISTS = {"limit", "cursor", "order_by"}


def refuse_unknown_parameters(request: Request, known: set[str]) -> None:
    """Raises ValidationError for query parameters that are not among `known`, or that are empty."""
    known = _EVERYWHERE | known
    accepted = ", ".join(sorted(known))
    errors = {name: [f"Not a parameter here; there are {accepted}."] for name in set(request.query_params) - known}
    errors |= {
        name: ["Empty: give a value, or leave the parameter out."]
        for name, value in request.query_params.items()
        if not value and name in known
    }
    if errors:
        raise ValidationError(dict(sorted(errors.items())))


class PlainView(SafeRequests, APIView):
    """Views that are no sets of rows."""


class ListViewSet(SafeRequests, mixins.ListModelMixin, viewsets.GenericViewSet):
    """Lists. A query parameter that the view does not know, or that is empty, is refused: a misspelt filter that is
    silently ignored would answer with everything.
    """

    listing_actions: tuple[str, ...] = ("list",)  # and further ones that answer with pages
    fields_asked_for: frozenset[str] | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action is None:
            return  # refused for its method, whatever its parameters
        refuse_unknown_parameters(request, self.known_parameters() | ({FIELDS} if self.is_sparse else set()))
        if self.is_sparse:
            self.fields_asked_for = fields_asked_for(request, self.get_serializer_class())

    @property
    def is_sparse(self) -> bool:
        """Whether `fields` chooses what is shown."""
        return self.action in ("list", "retrieve")

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        return keep_fields(super().get_serializer(*args, **kwargs), self.fields_asked_for)

    def known_parameters(self) -> set[str]:
        """Of the action under way."""
        if self.action not in self.listing_actions:
            return set()
        filterset = getattr(self, "filterset_class", None)
        return _OF_LISTS | (set(filterset.base_filters) if filterset else set())


class ReadOnlyViewSet(mixins.RetrieveModelMixin, ListViewSet):
    """Lists and details."""


class FaceViewSet(ReadOnlyViewSet):
    """Lists, details, and writes by people who are signed in: actions read a body (`coordination.common.body`), call a
    service with who asks, and answer with the row as the caller sees it then.
    """

    permission_classes = [IsAuthenticatedOrReadOnly]
    lookup_value_regex = "[0-9]{1,18}"
    rehearsed: tuple[str, ...] = ()  # actions that take `dry_run`
    unconditional: tuple[str, ...] = ()  # actions on a row whose services do not lock it: `If-Match` is refused

    def known_parameters(self) -> set[str]:
        return super().known_parameters() | ({"dry_run"} if self.action in self.rehearsed else set())

    def answers_if_match(self) -> bool:
        return bool(self.detail) and self.action not in self.unconditional

    def expected(self, etags: set[str]) -> Precondition:
        row = self.get_object()
        return Precondition(type(row), row.pk, etags, lambda: self.etag_of(row.pk))

    def is_rehearsal(self) -> bool:
        """Whether it is only to be told what would come of the request."""
        text = self.request.query_params.get("dry_run", "false")
        if text not in ("true", "false"):
            raise ValidationError({"dry_run": [f"{text!r} is neither true nor false."]})
        return text == "true"

    def check_permissions(self, request: Request) -> None:
        if self.action is not None:  # else refused for its method, whoever asks
            super().check_permissions(request)

    def dress(self, rows: Sequence[Any]) -> None:
        """Give the rows of an answer what their representation needs beside them, in a fixed number of queries."""

    def paginate_queryset(self, queryset: Any) -> list[Any] | None:
        rows = super().paginate_queryset(queryset)
        self.dress(rows or [])
        return rows

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        self.dress([row])
        return Response(self.get_serializer(row).data)

    def answer(self, pk: int, status: int = 200) -> Response:
        """The row as it is now."""
        return RowResponse(self.shown(pk), status=status)

    def shown(self, pk: int) -> Any:
        """The representation of the row as it is now."""
        row = self.get_queryset().filter(pk=pk).first()
        if row is None:
            raise Http404
        self.dress([row])
        return self.get_serializer(row).data

    def etag_of(self, pk: int) -> str:
        """As an answer in JSON that shows the row bears it."""
        return etag_of_data(self.shown(pk))


class RoundedField(serializers.FloatField):
    """A number without the digits that mean nothing."""

    def __init__(self, decimals: int, **kwargs: Any) -> None:
        self.decimals = decimals
        super().__init__(**kwargs)

    def to_representation(self, value: Any) -> Any:
        return round(float(value), self.decimals)
