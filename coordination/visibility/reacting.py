"""Windows follow what they depend on at once; the plan every ten minutes is for what passes by itself, as nights do."""

from collections.abc import Sequence

from coordination.common.models import Event

from . import planning
from .models import Computation

CHANGES = (
    "closure.",
    "telescope.",
    "observatory.updated",
    "observatories.imported",
    "demo.",
    "catalogue.imported",
    "orbit.",
    "earth_orientation.",
)


def plan_what_changed(events: Sequence[Event]) -> None:
    """Plan once for all the events. Nothing is planned while a computation runs: it notes that it was overtaken, and
    when it is over what changed meanwhile is planned.
    """
    if any(event.kind.startswith(CHANGES) for event in events) or _was_overtaken(events):
        planning.plan()


def _was_overtaken(events: Sequence[Event]) -> bool:
    ended = [event.subject for event in events if event.kind in ("computation.done", "computation.failed")]
    ids = [int(subject.partition(":")[2]) for subject in ended]
    return Computation.objects.filter(pk__in=ids, overtaken=True).exists()
