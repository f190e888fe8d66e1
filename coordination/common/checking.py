"""The rules of the models as refusals of the services."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models

from coordination.common.problems import DomainError


def check(instance: models.Model, exclude: Collection[str] = ()) -> None:
    """Look at fields, uniqueness and constraints before writing. Raises DomainError with the first finding."""
    try:
        instance.full_clean(exclude=set(exclude))
    except ValidationError as error:
        name, findings = next(iter(error.message_dict.items()))
        if name == NON_FIELD_ERRORS:
            raise DomainError(findings[0]) from error
        raise DomainError(f"{name}: {findings[0]}", field=name, value=getattr(instance, name, None)) from error


def apply_changes(instance: models.Model, changes: dict[str, Any], editable: Collection[str]) -> list[str]:
    """Set fields and return the names of those that differ now. Raises DomainError for one that cannot be changed."""
    for name in changes:
        if name not in editable:
            accepted = ", ".join(editable)
            raise DomainError(f"{name} is not a field that can be changed.", field=name, expected=accepted)
    changed = [name for name, value in changes.items() if getattr(instance, name) != value]
    for name in changed:
        setattr(instance, name, changes[name])
    return changed
