"""Transactions that begin again where the database ended them."""

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction

from .problems import ConflictError

R = TypeVar("R")

ATTEMPTS = 8
_TRY_AGAIN = ("40P01", "40001")  # deadlock detected, serialisation failure


def may_begin_again(error: OperationalError) -> bool:
    """Whether the database ended a transaction for what a second try may not meet. Inside a caller's transaction its
    locks stay, and a second try may meet the same circle.
    """
    return not connection.in_atomic_block and getattr(error.__cause__, "sqlstate", None) in _TRY_AGAIN


def too_often() -> ConflictError:
    return ConflictError("Others were changing the same at once, again and again. Nothing was done: try again.")


def in_one_transaction(work: Callable[[], R], *, undo: bool = False) -> R:
    """Do `work`, with all the services that it calls, in one transaction, and again as a whole where the database broke
    a deadlock by ending it. `undo`: nothing of it stays, and nothing that waits for the commit is done.
    """
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                outcome = work()
                if undo:
                    transaction.set_rollback(True)
                return outcome
        except OperationalError as error:
            if not may_begin_again(error):
                raise
    raise too_often()
