"""Closures: periods in which a telescope cannot be used."""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import is_naive

from coordination.common import events, preconditions
from coordination.common.actors import person_of
from coordination.common.checking import check
from coordination.common.problems import DomainError, UnknownError

from ..models import Closure, RecurringClosure
from ..people import Principal, require_scheduler
from .telescopes import lock_telescope


@transaction.atomic
def add_closure(
    *,
    telescope_id: int,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str,
    recurring: RecurringClosure | None = None,
    actor: Principal | None = None,
) -> Closure:
    """Close a telescope over [starts_at, ends_at), which may fall over what is booked: the event tells those who react.
    `recurring`: what it is one time of (`recurring.add_closures`).

    The reason belongs to the operating organisation and stays out of the event.
    """
    for field, value in (("starts_at", starts_at), ("ends_at", ends_at)):
        if is_naive(value):
            raise DomainError(f"{field} has no time zone.", field=field, value=value.isoformat(), expected="aware UTC")
    telescope = lock_telescope(telescope_id)
    require_scheduler(actor, telescope.organisation)
    closure = Closure(
        telescope=telescope,
        starts_at=starts_at.astimezone(dt.UTC),
        ends_at=ends_at.astimezone(dt.UTC),
        reason=reason,
        recurring=recurring,
        created_by=person_of(actor),
    )
    check(closure)
    closure.save()
    events.record("closure.added", telescope, _payload(closure), actor=actor)
    return closure


@transaction.atomic
def remove_closure(closure_id: int, *, actor: Principal | None = None) -> None:
    """Open the telescope again."""
    telescope_id = Closure.objects.filter(pk=closure_id).values_list("telescope_id", flat=True).first()
    telescope = None if telescope_id is None else lock_telescope(telescope_id)
    if telescope is not None:
        require_scheduler(actor, telescope.organisation)
    closure = Closure.objects.filter(pk=closure_id).first()  # again under the lock: somebody may have been faster
    if telescope is None or closure is None:
        raise UnknownError(f"There is no closure {closure_id}.", field="closure", value=closure_id)
    preconditions.require(closure)
    events.record("closure.removed", telescope, _payload(closure), actor=actor)
    closure.delete()


def closures_between(telescope_ids: Iterable[int], starts_at: dt.datetime, ends_at: dt.datetime) -> QuerySet[Closure]:
    """Closures of telescopes that have a part in [starts_at, ends_at), by telescope and start."""
    overlapping = Closure.objects.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)
    return overlapping.filter(telescope_id__in=list(telescope_ids)).order_by("telescope_id", "starts_at", "pk")


def _payload(closure: Closure) -> dict[str, object]:
    return {
        "closure": closure.pk,
        "starts_at": closure.starts_at.isoformat().replace("+00:00", "Z"),
        "ends_at": closure.ends_at.isoformat().replace("+00:00", "Z"),
    }
