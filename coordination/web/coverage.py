"""Who covers a target when: windows of a campaign's participants at sites, the gaps they leave, and who could fill
them. Plain intervals in, plain intervals out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from coordination.common.intervals import Interval, merged


@dataclass(frozen=True)
class Gap:
    """An interval in which fewer sites than needed can observe; `fillers`: indices of others who can in part of it."""

    start: dt.datetime
    end: dt.datetime
    fillers: tuple[int, ...]

    @property
    def minutes(self) -> int:
        return round((self.end - self.start).total_seconds() / 60.0)


def covered_by(sites: Sequence[Sequence[Interval]], least: int, span: Interval) -> list[Interval]:
    """Where in the span at least so many sites can observe; each site's intervals do not overlap."""
    steps: dict[dt.datetime, int] = {}
    for intervals in sites:
        for start, end in intervals:
            start, end = max(start, span[0]), min(end, span[1])
            if end > start:
                steps[start] = steps.get(start, 0) + 1
                steps[end] = steps.get(end, 0) - 1
    found: list[Interval] = []
    count, since = 0, None
    for at in sorted(steps):
        count += steps[at]
        if count >= least and since is None:
            since = at
        elif count < least and since is not None:
            found.append((since, at))
            since = None
    return merged(found)


def gaps(
    covered: Sequence[Interval], span: Interval, others: Sequence[Sequence[Interval]], shortest: dt.timedelta
) -> list[Gap]:
    """What the covered intervals leave of the span, with those of the others whose intervals fall into it."""
    edges = [span[0], *(edge for interval in covered for edge in interval), span[1]]
    found = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start >= shortest:
            fillers = tuple(
                k
                for k, intervals in enumerate(others)
                if any(begin < end and stop > start for begin, stop in intervals)
            )
            found.append(Gap(start, end, fillers))
    return found
