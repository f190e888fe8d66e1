"""Where upper rooms tell `targets` which targets they need kept current.

`targets` knows by itself those that are marked, on a risk list or near the Earth; that one is in an open campaign is
known to campaigns, which stand above. They register a condition here in `AppConfig.ready`.
"""

from collections.abc import Callable

from django.db.models import Q

Condition = Callable[[], Q]

_tracked: list[Condition] = []
_urgent: list[Condition] = []


def register(tracked: Condition, urgent: Condition) -> None:
    """Both give a condition on targets as of now: to be refreshed daily, and hourly."""
    _tracked.append(tracked)
    _urgent.append(urgent)


def tracked_q() -> Q:
    return _union(_tracked)


def urgent_q() -> Q:
    return _union(_urgent)


def _union(conditions: list[Condition]) -> Q:
    union = Q(pk__in=[])
    for condition in conditions:
        union |= condition()
    return union
