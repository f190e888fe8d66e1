"""Lists that come as pages of JSON, or whole as CSV and VOTable."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request

from .api import ListViewSet
from .pagination import KeysetPagination
from .tables import TABLES, TableColumn, asks_for_table, table_response


class TableListViewSet(ListViewSet):
    """A view says which columns there are and how the rows of a queryset are read."""

    renderer_classes = TABLES
    columns: Sequence[TableColumn]
    table_name: str

    def table_rows(self, queryset: QuerySet[Any]) -> Iterable[Any]:
        return queryset.iterator()

    def table_infos(self) -> dict[str, str]:
        """What a VOTable says beside its rows."""
        return {}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        if not asks_for_table(request):
            return super().list(request, *args, **kwargs)
        found = KeysetPagination().in_order(self.filter_queryset(self.get_queryset()), request, self)
        return table_response(
            request,
            self.columns,
            self.table_rows(found),
            name=self.table_name,
            infos=self.table_infos(),
            fields=self.fields_asked_for,
        )
