"""For which organisations the person at the desk may act."""

from django.db.models import QuerySet
from django.http import HttpRequest

from coordination.common.desk import actor_for
from observatories.models import Membership, Organisation
from observatories.people import roles_of


def scheduled_by(request: HttpRequest) -> QuerySet[Organisation]:
    """Organisations for which the person may act."""
    organisations = Organisation.objects.order_by("name")
    return organisations if actor_for(request).sees_everything else organisations.filter(pk__in=_scheduled(request))


def acts_for(request: HttpRequest, organisation_id: int) -> bool:
    return actor_for(request).sees_everything or organisation_id in _scheduled(request)


def acts_for_any(request: HttpRequest) -> bool:
    return actor_for(request).sees_everything or bool(_scheduled(request))


def manages_any(request: HttpRequest) -> bool:
    """Whether the person manages an organisation, or the installation."""
    return actor_for(request).sees_everything or Membership.Role.MANAGER in _roles(request).values()


def _scheduled(request: HttpRequest) -> set[int]:
    acting = (Membership.Role.SCHEDULER, Membership.Role.MANAGER)
    return {pk for pk, role in _roles(request).items() if role in acting}


def _roles(request: HttpRequest) -> dict[int, str]:
    """By organisation, looked up once a request: the menu asks for every entry."""
    known: dict[int, str] | None = getattr(request, "_roles", None)
    if known is None:
        known = roles_of(request.user)
        request._roles = known  # type: ignore[attr-defined]
    return known
