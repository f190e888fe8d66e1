"""When something last changed, and how often: from the history that its services write."""

from typing import Any

from django.db.models import Count, IntegerField, Max, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce


def history(model: Any, field: str) -> QuerySet[Any]:
    """The history rows of `model` whose `field` (a lookup) is the outer row, to be given to the functions below."""
    rows: QuerySet[Any] = model.history.model.objects.order_by().filter(**{field: OuterRef("pk")})
    return rows.annotate(one=Value(1)).values("one")  # grouped: one row of what follows


def changes(rows: QuerySet[Any]) -> Any:
    """How often something was written: it only grows."""
    counted = Subquery(rows.annotate(n=Count("history_id")).values("n"), output_field=IntegerField())
    return Coalesce(counted, 0)


def latest_change(rows: QuerySet[Any]) -> Subquery:
    """None where nothing was written."""
    return Subquery(rows.annotate(latest=Max("history_date")).values("latest"))
