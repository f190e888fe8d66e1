"""The risk list of JPL Sentry."""

from coordination.common import breaker
from coordination.common.jobs import Run
from coordination.common.providers.errors import Offline
from targets.models import RiskAssessment
from targets.services import risk
from targets.services.lookup import find

from . import asking, lists
from .introducing import known_or_introduced


def refresh(run: Run) -> None:
    listed = asking.risk_list()
    holding = dict(RiskAssessment.objects.filter(ended_at=None).values_list("target_id", "target__designation"))
    lists.accept(run, "sentry", listed, len(holding))
    on_list = set()
    for row in listed.rows:
        target_id = known_or_introduced(run, row.designation)
        if target_id is None:
            continue
        on_list.add(target_id)
        try:
            run.changed += risk.assess_risk(target_id, row)
        except risk.OlderAssessmentError as error:
            breaker.quarantine("sentry", row.designation, str(error), repr(row).encode())
            run.find(row.designation, error)
    if listed.is_complete and set(holding) - on_list:
        _end(run, {pk: name for pk, name in holding.items() if pk not in on_list})


def _end(run: Run, missing: dict[int, str]) -> None:
    """Those who left. The list of the removed has to say so too: what is missing by mistake stays."""
    try:
        removed = {find(each.designation) for each in asking.removed_from_risk_list().rows}
    except Offline:
        for designation in missing.values():
            run.find(designation, "is missing from the risk list, and there is no list of the removed: kept")
        return
    for target_id, designation in missing.items():
        if target_id in removed:
            run.count("left", int(risk.end_risk(target_id)))
            run.changed += 1
        else:
            run.find(designation, "is missing from the risk list, and not among the removed: kept")
