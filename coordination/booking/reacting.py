"""Bookings follow closures, and slots the orbits of their targets, as soon as those change."""

from collections.abc import Sequence

from coordination.common.models import Event
from coordination.common.tasks import run_job

from .services import mark_disturbed

CLOSURES = ("closure.",)
ORBITS = ("orbit.", "catalogue.imported")


def follow_closures_and_orbits(events: Sequence[Event]) -> None:
    """Flag what a closure disturbs in the same transaction; the re-check after new orbits computes windows, which is
    a job of its own.
    """
    if any(event.kind.startswith(CLOSURES) for event in events):
        mark_disturbed()
    if any(event.kind.startswith(ORBITS) for event in events):
        run_job.delay_on_commit("recheck_slots")
