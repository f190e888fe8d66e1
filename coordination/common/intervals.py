"""Half-open intervals of time."""

import datetime as dt
from collections.abc import Iterable, Sequence

Interval = tuple[dt.datetime, dt.datetime]


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Intervals that overlap or meet, as one each, in order."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def overlap(some: Iterable[Interval], others: Sequence[Interval]) -> list[Interval]:
    """What is in an interval of both, in order; each in order and without overlaps."""
    common = [(max(a, c), min(b, d)) for a, b in some for c, d in others]
    return [(start, end) for start, end in common if start < end]
