"""What a list of the administration shows, as CSV: the same columns, filters, search and order, all its pages."""

import csv
import io
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.http import HttpRequest, HttpResponse
from django.utils.html import strip_tags

PARAMETER, MOST_ROWS = "export", 20_000
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # how a text begins that a spreadsheet would run


def wanted(request: HttpRequest) -> bool:
    """Whether the list is asked for as CSV; the parameter is then taken away, as it is no filter."""
    if request.method != "GET" or request.GET.get(PARAMETER) != "csv":
        return False
    filters = request.GET.copy()
    filters.pop(PARAMETER)
    request.GET = filters  # type: ignore[assignment]
    return True


def as_csv(model_admin: Any, request: HttpRequest) -> HttpResponse:
    changelist = model_admin.get_changelist_instance(request)
    columns = [name for name in changelist.list_display if name != "action_checkbox"]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([label_for_field(name, model_admin.model, model_admin) for name in columns])
    for row in changelist.queryset[:MOST_ROWS]:
        writer.writerow([_cell(name, row, model_admin) for name in columns])
    name = f"{model_admin.opts.model_name}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(written.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _cell(name: str, row: Any, model_admin: Any) -> str:
    value = lookup_field(name, row, model_admin)[2]
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = strip_tags(getattr(value, "isoformat", lambda: str(value))())
    return f"'{text}" if text.startswith(_FORMULAS) else text
