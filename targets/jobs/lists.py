"""What holds for every list of a provider."""

from typing import Any

from coordination.common import breaker
from coordination.common.jobs import Run
from targets.sources.rows import Rows

FEW = 10  # a list as short as this may well lose half its objects


def accept(run: Run, source: str, listed: Rows[Any], stored_count: int, *, may_be_empty: bool = False) -> None:
    """Count the rows of a list and quarantine those that cannot be used. Raises Nonsense for a whole list that has lost
    more than half of what is stored: nobody drops so many at once, a provider with trouble does.
    """
    run.fetched += len(listed.rows)
    for rejected in listed.rejected:
        breaker.quarantine(source, f"row {rejected.row}", rejected.reason, rejected.excerpt.encode())
        run.find(f"row {rejected.row}", rejected.reason)
    sent = len(listed.rows) + len(listed.rejected)
    is_suddenly_empty = sent == 0 and stored_count > 0 and not may_be_empty
    if is_suddenly_empty or (stored_count > FEW and sent < stored_count / 2):
        reason = f"the list has {sent} objects, and {stored_count} are stored from it: not believed"
        raise breaker.disbelieve(source, "list", reason)
