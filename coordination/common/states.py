"""State machines as tables: one dict a model says which transitions there are, and one conditional update makes them.

A model that moves has a field `state` and a history. Rows that another transaction was faster with are not moved, and
the whole change is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.db import models

from . import clock
from .actors import person_of, system_of
from .problems import ConflictError

Transitions = Mapping[str, frozenset[str]]
Row = TypeVar("Row", bound=models.Model)


def transitions(table: Mapping[str, Iterable[str]]) -> Transitions:
    """A table of state -> states that may follow."""
    return {str(state): frozenset(map(str, following)) for state, following in table.items()}


def create(rows: Sequence[Row], *, actor: Any = None, reason: str = "") -> list[Row]:
    """Insert new rows of one model with their first history row, in two statements."""
    if not rows:
        return []
    model: Any = type(rows[0])
    created = model.objects.bulk_create(rows)
    _write_history(model, created, "created", actor, reason)
    return list(created)


def move(rows: Sequence[Row], to: str, table: Transitions, *, actor: Any = None, reason: str = "", **also: Any) -> None:
    """Move rows of one model to a state, setting further fields `also`, in two statements whatever their number.

    Raises ConflictError where the table knows no way from a row's state in the database to `to`.
    """
    if not rows:
        return
    model: Any = type(rows[0])
    sources = [state for state, following in table.items() if str(to) in following]
    pks = [row.pk for row in rows]
    moved = model.objects.filter(pk__in=pks, state__in=sources).update(state=to, **also)
    if moved != len(rows):
        stuck = model.objects.filter(pk__in=pks).exclude(state=to).exclude(state__in=sources).first()
        state = stuck.state if stuck is not None else to
        name = model._meta.verbose_name
        raise ConflictError(
            f"The {name} is {state}, and cannot become {to}.", value=state, expected=" or ".join(sorted(sources))
        )
    for row in rows:
        for name, value in {"state": to, **also}.items():
            setattr(row, name, value)
    _write_history(model, rows, "changed", actor, reason)


def change(rows: Sequence[Row], *, actor: Any = None, reason: str = "", **fields: Any) -> None:
    """Set fields other than the state of rows of one model, with their history."""
    if not rows:
        return
    model: Any = type(rows[0])
    model.objects.filter(pk__in=[row.pk for row in rows]).update(**fields)
    for row in rows:
        for name, value in fields.items():
            setattr(row, name, value)
    _write_history(model, rows, "changed", actor, reason)


def save(rows: Sequence[Row], fields: Sequence[str], *, actor: Any = None, reason: str = "") -> None:
    """Write fields that differ from row to row, with their history."""
    if not rows:
        return
    model: Any = type(rows[0])
    model.objects.bulk_update(rows, fields)
    _write_history(model, rows, "changed", actor, reason)


def _write_history(model: Any, rows: Sequence[models.Model], what: str, actor: Any, reason: str) -> None:
    model.history.bulk_history_create(
        rows,
        update=what == "changed",
        default_user=person_of(actor),
        default_change_reason=": ".join(filter(None, (system_of(actor), reason)))[:100],
        default_date=clock.now(),
    )
