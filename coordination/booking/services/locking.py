"""The order in which rows are locked, which keeps joint claims from waiting for each other in a circle.

Telescopes first, in order of their keys; then the slot. Claims and bookings of a slot change only under its lock, local
bookings under their telescope's.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, transaction

from coordination.common import preconditions
from coordination.common.problems import ConflictError, UnknownError
from coordination.common.transactions import ATTEMPTS, may_begin_again, too_often
from observatories.models import Telescope

from ..models import Slot
from .periods import violated_overlap

P = ParamSpec("P")
R = TypeVar("R")


class LockSetChangedError(Exception):
    """What has to be locked has grown since it was read: the transaction starts again."""


def in_transaction(service: Callable[P, R | ConflictError]) -> Callable[P, R]:
    """Run a service in one transaction, and again where its locks were too few or the database broke a deadlock by
    ending this one. A booking that the database refuses since another one is there becomes a refusal that names it.

    Inside a caller's transaction the service starts again from its savepoint, but not after a deadlock: there the
    caller has to (`coordination.common.transactions`). A service
    refuses by raising, and nothing is changed; one that returns the refusal has changed something, which stands.
    """

    @functools.wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(ATTEMPTS):
            try:
                with transaction.atomic():
                    outcome = service(*args, **kwargs)
            except LockSetChangedError:
                continue
            except OperationalError as error:
                if not may_begin_again(error):
                    raise
                continue
            except IntegrityError as error:
                raise violated_overlap(error) or error from error
            if isinstance(outcome, ConflictError):
                raise outcome
            return outcome
        raise too_often()

    return run


def lock_telescopes(telescope_ids: Iterable[int]) -> dict[int, Telescope]:
    """The rows by key, locked in order. Raises UnknownError for one that is not there."""
    wanted = sorted(set(telescope_ids))
    rows = Telescope.objects.select_for_update(of=("self",), no_key=True).select_related("observatory", "organisation")
    found = {telescope.pk: telescope for telescope in rows.filter(pk__in=wanted).order_by("pk")}
    for telescope_id in wanted:
        if telescope_id not in found:
            raise UnknownError(f"There is no telescope {telescope_id}.", field="telescope", value=telescope_id)
    return found


def lock_slot(slot_id: int) -> Slot:
    """The row with its campaign and target, locked; telescopes are locked before."""
    rows: Any = Slot.objects.select_for_update(of=("self",)).select_related("campaign__lead_organisation", "target")
    slot = rows.filter(pk=slot_id).first()
    if slot is None:
        raise UnknownError(f"There is no slot {slot_id}.", field="slot", value=slot_id)
    preconditions.require(slot)
    return slot
