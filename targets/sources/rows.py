"""Lists in which a bad row is passed over and named, so that the others can be used."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.reading import FieldError, shown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was passed over: its place in the list (from 1), how it begins, and the reason."""

    row: int
    excerpt: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """The usable rows of a list, in its order.

    What is missing from `rows` has left the list only where `is_complete`: a rejected row may be it.
    """

    rows: tuple[T, ...]
    rejected: tuple[RejectedRow, ...] = ()
    total: int | None = None  # how many the provider says there are, where it says so: more than it sent

    @property
    def is_complete(self) -> bool:
        return not self.rejected and (self.total is None or self.total <= len(self.rows))


def read_rows(provider: str, body: bytes, rows: Iterable[Any], read: Callable[[Any], T], total: int | None) -> Rows[T]:
    """Every row through `read`, which raises FieldError for one that cannot be used.

    Raises Nonsense where most of them cannot: then it is not the list that it should be.
    """
    good: list[T] = []
    rejected: list[RejectedRow] = []
    for place, row in enumerate(rows, start=1):
        try:
            good.append(read(row))
        except FieldError as error:
            rejected.append(RejectedRow(place, shown(row), str(error)))
    if len(rejected) > len(good):
        message = f"{len(rejected)} of {len(rejected) + len(good)} rows cannot be used; the first: {rejected[0].reason}"
        raise Nonsense(provider, message, Wrong.FIELD, body)
    return Rows(tuple(good), tuple(rejected), total)
