"""Who asks: what querysets need to know of a person or a partner system to show it only what it may see."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    user_id: int | None = None
    organisation_ids: frozenset[int] = field(default_factory=frozenset)
    sees_everything: bool = False  # administrators of the installation

    @property
    def is_signed_in(self) -> bool:
        return self.user_id is not None or bool(self.organisation_ids)


ANONYMOUS = Actor()
SYSTEM = Actor(sees_everything=True)


def actor_of(user: Any) -> Actor:
    """What querysets need to know of a signed-in person, or of nobody (`request.user`)."""
    if not user.is_authenticated or not user.is_active:
        return ANONYMOUS
    organisation_ids = frozenset(user.memberships.values_list("organisation_id", flat=True))
    return Actor(user_id=user.pk, organisation_ids=organisation_ids, sees_everything=user.is_superuser)
