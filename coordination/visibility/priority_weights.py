"""The weights of the ranking, as they are and as staff change them."""

from typing import Any

from django.db import transaction

from coordination.common import events
from coordination.common.problems import DomainError

from .models import PriorityWeights
from .models.priority import LARGEST_WEIGHT
from .priority.scoring import MEASURES, PARTS, Weights

THE_ROW = 1


def current_weights() -> Weights:
    """Those that hold now."""
    row = PriorityWeights.objects.filter(pk=THE_ROW).first()
    return Weights() if row is None else row.weights


@transaction.atomic
def set_priority_weights(*, actor: Any = None, **changes: float) -> PriorityWeights:
    """Change some of the weights. Raises DomainError for names that are none, numbers outside 0 to 1000, and where all
    weights of the parts, or of the measures of a part, would be 0.
    """
    for name, value in changes.items():
        if name not in (*PARTS, *MEASURES):
            expected = ", ".join((*PARTS, *MEASURES))
            raise DomainError(f"There is no weight {name}.", field=name, expected=expected)
        if not 0.0 <= value <= LARGEST_WEIGHT:
            expected = f"0 to {LARGEST_WEIGHT:g}"
            raise DomainError(f"A weight is {expected}.", field=name, value=value, expected=expected)
    PriorityWeights.objects.get_or_create(pk=THE_ROW)
    row = PriorityWeights.objects.select_for_update().get(pk=THE_ROW)
    for name, value in changes.items():
        setattr(row, name, float(value))
    try:
        _ = row.weights
    except ValueError as error:
        raise DomainError(f"{error}.", field=next(iter(changes), "")) from error
    row.save()
    events.record("priority_weights.changed", row, {"fields": sorted(changes)}, actor=actor)
    return row
