"""Scheduled work of booking. All follows from what is in the database: a run may come twice, late or not at all without
harm.
"""

from coordination.common import jobs
from coordination.common.jobs import Run

from .services import advance_slots, expire_slots, mark_disturbed, recheck_slots


def register() -> None:
    jobs.register("advance_slots", "slots expire, begin and end; closures disturb bookings", let_time_pass)
    jobs.register("recheck_slots", "slots held against the new orbits of their targets", recheck)


def let_time_pass(run: Run) -> None:
    for what, change in (("disturbed", mark_disturbed), ("expired", expire_slots), ("advanced", advance_slots)):
        count = change()
        run.count(what, count)
        run.changed += count


def recheck(run: Run) -> None:
    run.changed = recheck_slots()
