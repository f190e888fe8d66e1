"""Whose desk it is: the telescopes that a person works with, and for which organisations they may book and claim."""

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest

from coordination.booking.claimable import schedulable
from coordination.common import clock
from coordination.common.desk import actor_for
from observatories.models import Telescope

CHOSEN = "desk_telescope"  # of the session: the one looked at last


def desk_telescopes(request: HttpRequest) -> QuerySet[Telescope]:
    """Those of one's own organisations and those lent to them, in use; all for an administrator."""
    telescopes = Telescope.objects.exclude(state=Telescope.State.RETIRED)
    actor = actor_for(request)
    if not actor.sees_everything:
        mine = actor.organisation_ids
        lent = Q(grants__organisation_id__in=mine, grants__ends_at__gt=clock.now())
        telescopes = telescopes.filter(pk__in=Telescope.objects.filter(Q(organisation_id__in=mine) | lent).values("pk"))
    return telescopes.select_related("observatory", "organisation").order_by("observatory__name", "name")


def chosen_telescope(request: HttpRequest, telescopes: list[Telescope], pk: int | None) -> Telescope | None:
    """The one asked for, else the one looked at last, else the first. Raises Http404 for one that is not there, or that
    the person does not work with: both look the same.
    """
    by_pk = {telescope.pk: telescope for telescope in telescopes}
    if pk is not None:
        if pk not in by_pk:
            raise Http404
        if request.session.get(CHOSEN) != pk:
            request.session[CHOSEN] = pk
        return by_pk[pk]
    return by_pk.get(request.session.get(CHOSEN, 0)) or (telescopes[0] if telescopes else None)


def scheduled_organisations(request: HttpRequest) -> set[int]:
    """For which the person may book."""
    return set(schedulable(request.user).values_list("pk", flat=True))
