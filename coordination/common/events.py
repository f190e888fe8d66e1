"""Writing events: always inside the transaction of the change they tell of."""

from typing import Any

from django.db import connection, models

from .models import Event


def subject_of(instance: models.Model) -> str:
    return f"{instance._meta.model_name}:{instance.pk}"


def record(
    kind: str, subject: models.Model | str, payload: dict[str, Any] | None = None, *, actor: Any = None
) -> Event:
    """Write one event row. `actor` is the user who did it, None for scheduled work."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"event {kind} must be written in the transaction of the change it tells of")
    text = subject if isinstance(subject, str) else subject_of(subject)
    return Event.objects.create(kind=kind, subject=text, payload=payload or {}, actor=actor)
