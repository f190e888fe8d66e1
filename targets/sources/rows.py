"""Lists in which a bad row is passed over and named, so that the others can be used."""

from dataclasses import dataclass
from typing import Generic, TypeVar

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
