"""What a partner's system may do: the scopes of its token, declared by each view, action by action.

    class ClaimViewSet(FaceViewSet):
        scopes = {"create": Scope.CLAIM, "withdraw": Scope.CLAIM}

A key is the name of an action or, for a plain view, of a method in lower case; "*" stands for all that are not named.
`PEOPLE_ONLY` instead of a scope keeps tokens out. What reads needs `read` unless it says otherwise; what writes and
says nothing is closed to tokens.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models
from rest_framework.permissions import SAFE_METHODS

from .actors import PartnerSystem
from .problems import ForbiddenError


class Scope(models.TextChoices):
    READ = "read", "read: see what the organisation may see"
    CLAIM = "claim", "claim: claims and bookings"
    MANAGE = "manage", "manage: campaigns, slots, telescopes, closures, grants, webhooks"
    REPORT = "report", "report: results of observations"


PEOPLE_ONLY = None

Scopes = Mapping[str, Scope | None]


def scope_of(view: Any, method: str) -> Scope | None:
    """The scope that the view's action, or the method of a plain view, needs; None where no token will do."""
    declared: Scopes = getattr(view, "scopes", {})
    names = [getattr(view, "action", None), "get" if method == "HEAD" else method.lower(), "*"]
    for name in filter(None, names):
        if name in declared:
            return declared[name]
    return Scope.READ if method in SAFE_METHODS else PEOPLE_ONLY


def require_scope(system: PartnerSystem, view: Any, method: str) -> None:
    """Raises ForbiddenError, naming the scope, unless the token has what the view's action needs."""
    if getattr(view, "action", "") is None:
        return  # a method that the address does not answer: refused as such
    scope = scope_of(view, method)
    if scope is PEOPLE_ONLY:
        raise ForbiddenError("This is for people who are signed in; no token opens it.")
    if scope not in system.scopes:
        raise ForbiddenError(
            f"The token lacks the scope {scope.value}.",
            needed_scope=scope.value,
            scopes=sorted(system.scopes),
        )
