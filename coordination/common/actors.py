"""Who asks: a person or a partner's system, and what querysets need to know of either."""

from dataclasses import dataclass, field
from typing import Any, ClassVar


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


@dataclass(frozen=True, slots=True)
class PartnerSystem:
    """A machine that acts for one organisation: `request.user` where a request bears a token.

    It stands where a person may stand (services take `Principal`, of `observatories.people`), but is no row of people:
    what it does is recorded under its name.
    """

    token_id: int
    organisation_id: int
    name: str
    scopes: frozenset[str]
    lineage: int  # the first token of those that replaced one another, of which this is the latest

    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_staff: ClassVar[bool] = False
    is_superuser: ClassVar[bool] = False
    pk: ClassVar[None] = None

    def __str__(self) -> str:
        return self.name

    def get_username(self) -> str:
        return self.name


def actor_of(principal: Any) -> Actor:
    """What querysets need to know of a signed-in person, a partner's system, or nobody (`request.user`)."""
    if isinstance(principal, PartnerSystem):
        return Actor(organisation_ids=frozenset([principal.organisation_id]))
    if not principal.is_authenticated or not principal.is_active:
        return ANONYMOUS
    organisation_ids = frozenset(principal.memberships.values_list("organisation_id", flat=True))
    return Actor(user_id=principal.pk, organisation_ids=organisation_ids, sees_everything=principal.is_superuser)


def person_of(principal: Any) -> Any:
    """The person, for a column that refers to people; None for a partner's system and for the service itself."""
    return None if isinstance(principal, PartnerSystem) else principal


def system_of(principal: Any) -> str:
    """The name under which a partner's system is recorded; empty for people and for the service itself."""
    return principal.name if isinstance(principal, PartnerSystem) else ""
