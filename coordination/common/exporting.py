"""What a list of the administration shows, as CSV: the same columns, filters, search and order, all its pages."""

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.html import strip_tags

PARAMETER, MOST_ROWS, _AT_ONCE = "export", 100_000, 500
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # how a text begins that a spreadsheet would run


def wanted(request: HttpRequest) -> bool:
    """Whether the list is asked for as CSV; the parameter is then taken away, as it is no filter."""
    if request.method != "GET" or request.GET.get(PARAMETER) != "csv":
        return False
    filters = request.GET.copy()
    filters.pop(PARAMETER)
    request.GET = filters  # type: ignore[assignment]
    return True


def as_csv(model_admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Raises PermissionDenied for whom the list is not shown."""
    if not model_admin.has_view_or_change_permission(request):
        raise PermissionDenied
    changelist = model_admin.get_changelist_instance(request)
    columns = [name for name in changelist.list_display if name != "action_checkbox"]
    headers = {"Content-Disposition": f'attachment; filename="{model_admin.opts.model_name}.csv"'}
    lines = _lines(changelist.queryset[:MOST_ROWS], columns, model_admin)
    parts = iter(lambda: "".join(islice(lines, _AT_ONCE)), "")
    return StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8", headers=headers)


def _lines(rows: QuerySet[Any], columns: list[str], model_admin: Any) -> Iterator[str]:
    writer = csv.writer(_Passed(), lineterminator="\r\n")
    yield writer.writerow([label_for_field(name, model_admin.model, model_admin) for name in columns])
    for row in rows.iterator(chunk_size=_AT_ONCE):
        yield writer.writerow([_cell(name, row, model_admin) for name in columns])


class _Passed:
    """A file that gives back what is written to it: `writerow` returns that."""

    def write(self, line: str) -> str:
        return line


def _cell(name: str, row: Any, model_admin: Any) -> str:
    value = lookup_field(name, row, model_admin)[2]
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = strip_tags(getattr(value, "isoformat", lambda: str(value))())
    return f"'{text}" if text.startswith(_FORMULAS) else text
