"""`If-Match`: a change is made only to what its caller has seen.

A view says what has to hold (`expecting`); the service that makes the change asks whether it does (`require`) when it
has locked the row and before it changes anything. So nobody else can come in between, and the locks are taken in the
order in which that service always takes them.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import models
from rest_framework import status

from .problems import DomainError

HEADER = "If-Match"


@dataclass
class Precondition:
    """That a row looks to the caller as one of the entity tags says; "*": that it is there."""

    model: type[models.Model]
    pk: Any
    etags: Collection[str]
    current: Callable[[], str]  # the entity tag of the row as it is now
    was_checked: bool = False

    def check(self) -> None:
        self.was_checked = True
        current = self.current()
        if "*" not in self.etags and current not in self.etags:
            raise PreconditionFailedError(current)


class PreconditionFailedError(DomainError):
    problem = "precondition-failed"
    status = status.HTTP_412_PRECONDITION_FAILED

    def __init__(self, etag: str) -> None:
        super().__init__("It was changed since: get it again, and decide anew.", field=HEADER, etag=etag)
        self.headers = {"ETag": etag}


_expected: ContextVar[Precondition | None] = ContextVar("precondition", default=None)


@contextmanager
def expecting(precondition: Precondition | None) -> Iterator[None]:
    token = _expected.set(precondition)
    try:
        yield
    finally:
        _expected.reset(token)


def require(row: models.Model) -> None:
    """Raises PreconditionFailedError where the caller has seen this row otherwise. Under the row's lock, or the one
    under which rows of its kind change.
    """
    expected = _expected.get()
    if expected is not None and isinstance(row, expected.model) and row.pk == expected.pk:
        expected.check()


def etag_of(content: bytes, media_type: str) -> str:
    """A strong entity tag: of the very bytes."""
    digest = hashlib.sha256(media_type.encode() + b"\n" + content).hexdigest()
    return f'"{digest[:32]}"'
