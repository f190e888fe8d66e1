"""Close approaches of the next year, as JPL lists them."""

import datetime as dt
from collections import defaultdict

from coordination.common import breaker, clock
from coordination.common.jobs import Run
from targets.models import CloseApproach
from targets.services import approaches
from targets.sources.cad.parse import CloseApproach as Listed

from . import asking, lists
from .introducing import known_or_introduced

AHEAD_DAYS = 365


def refresh(run: Run) -> None:
    now = clock.now()
    until = now + dt.timedelta(days=AHEAD_DAYS)
    listed = asking.close_approaches(now, until)
    stored = CloseApproach.objects.filter(at__range=(now, until))
    lists.accept(run, "cad", listed, stored.count())
    by_target: dict[int, list[Listed]] = defaultdict(list)
    for row in listed.rows:
        target_id = known_or_introduced(run, row.designation) if row.body == "Earth" else None
        if target_id is not None:
            by_target[target_id].append(row)
    others = set(stored.values_list("target_id", flat=True)) if listed.is_complete else set()
    for target_id in sorted(others | set(by_target)):
        rows = by_target.get(target_id, [])
        try:
            run.changed += approaches.take_approaches(target_id, rows, until, is_complete=listed.is_complete)
        except approaches.OlderSolutionError as error:
            breaker.quarantine("cad", rows[0].designation, str(error), repr(rows).encode()[:2000])
            run.find(rows[0].designation, error)
