"""What staff decide about a target."""

from typing import Any

from django.db import transaction

from coordination.common import events
from coordination.common.problems import DomainError
from targets.models import Target

EDITABLE = ("visibility", "is_marked")


@transaction.atomic
def update_target(target_id: int, *, actor: Any = None, **changes: Any) -> Target:
    """Change who may know of a target and whether it is tracked by hand. Raises DomainError for anything else."""
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
        setattr(target, name, value)
    target.save()
    # The designation may be what must not be told: the event names the fields only.
    events.record("target.updated", target, {"fields": sorted(changes)}, actor=actor)
    return target
