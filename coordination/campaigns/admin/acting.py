"""For which organisations the person at the desk may act."""

from django.db.models import QuerySet
from django.http import HttpRequest

from coordination.common.desk import actor_for
from observatories.models import Membership, Organisation
from observatories.people import organisations_with_role


def scheduled_by(request: HttpRequest) -> QuerySet[Organisation]:
    """Organisations for which the person may act."""
    organisations = Organisation.objects.order_by("name")
    return organisations if actor_for(request).sees_everything else organisations.filter(pk__in=_scheduled(request))


def acts_for(request: HttpRequest, organisation_id: int) -> bool:
    return actor_for(request).sees_everything or organisation_id in _scheduled(request)


def acts_for_any(request: HttpRequest) -> bool:
    return actor_for(request).sees_everything or bool(_scheduled(request))


def _scheduled(request: HttpRequest) -> set[int]:
    """Looked up once a request: the menu asks for every entry."""
    known: set[int] | None = getattr(request, "_scheduled", None)
    if known is None:
        known = organisations_with_role(request.user, Membership.Role.SCHEDULER, Membership.Role.MANAGER)
        request._scheduled = known  # type: ignore[attr-defined]
    return known
