"""What staff decide about a target."""

from typing import Any

from django.db import transaction

from coordination.common import events
from coordination.common.problems import DomainError
from targets.models import Target

EDITABLE = ("visibility", "is_marked", "rotation_period_h")
LONGEST_PERIOD_H = 100_000.0


@transaction.atomic
def update_target(target_id: int, *, actor: Any = None, **changes: Any) -> Target:
    """Change who may know of a target, whether it is tracked by hand, and its rotation period. Raises DomainError for
    anything else, and for values that cannot be.
    """
    target = Target.objects.select_for_update().get(pk=target_id)
    for name, value in changes.items():
        if name not in EDITABLE:
            raise DomainError(
                f"{name} comes with the orbit and is not edited.", field=name, expected=", ".join(EDITABLE)
            )
        if name == "visibility" and value not in Target.Visibility.values:
            raise DomainError(
                f"{value!r} is no visibility.", field=name, value=value, expected=", ".join(Target.Visibility.values)
            )
        if name == "rotation_period_h" and not _is_period(value):
            expected = f"more than 0 and at most {LONGEST_PERIOD_H:g} h, or nothing"
            raise DomainError(f"{value!r} is no rotation period.", field=name, value=str(value), expected=expected)
        setattr(target, name, value)
    target.save()
    # The designation may be what must not be told: the event names the fields only.
    events.record("target.updated", target, {"fields": sorted(changes)}, actor=actor)
    return target


def _is_period(value: Any) -> bool:
    """Whether it is a period in hours, or none; NaN is not."""
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 < value <= LONGEST_PERIOD_H
