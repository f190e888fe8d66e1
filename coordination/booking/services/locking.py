"""The order in which rows are locked, which keeps joint claims from waiting for each other in a circle.

Telescopes first, in order of their keys; then the slot. Claims and bookings of a slot change only under its lock, local
bookings under their telescope's.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

from coordination.common.problems import UnknownError
from observatories.models import Telescope

from ..models import Slot

P = ParamSpec("P")
R = TypeVar("R")

_ATTEMPTS = 8
_TRY_AGAIN = ("40P01", "40001")  # deadlock detected, serialisation failure


class LockSetChangedError(Exception):
    """What has to be locked has grown since it was read: the transaction starts again."""


def in_transaction(service: Callable[P, R]) -> Callable[P, R]:
    """Run a service in one transaction, and again where the database broke a deadlock by ending this one.

    Inside a caller's transaction there is no second try: what broke is the caller's.
    """

    @functools.wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        attempts = 1 if connection.in_atomic_block else _ATTEMPTS
        for attempt in range(1, attempts + 1):
            try:
                with transaction.atomic():
                    return service(*args, **kwargs)
            except (OperationalError, LockSetChangedError) as error:
                if attempt == attempts or not _worth_another(error):
                    raise
        raise AssertionError("unreachable")

    return run


def _worth_another(error: Exception) -> bool:
    return isinstance(error, LockSetChangedError) or getattr(error.__cause__, "sqlstate", None) in _TRY_AGAIN


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
    return slot
