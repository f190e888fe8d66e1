"""The risk list of JPL Sentry: who came, what changed, who left. Every version is kept."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from coordination.common import clock, events
from targets.models import RiskAssessment, Target
from targets.sources.sentry.parse import RiskRow

_FIELDS = {
    "impact_probability": "impact_probability",
    "palermo_cumulative": "palermo_cumulative",
    "palermo_maximum": "palermo_maximum",
    "torino_maximum": "torino_maximum",
    "impact_count": "impact_count",
    "first_year": "first_year",
    "last_year": "last_year",
    "h_mag": "h_mag",
    "diameter_km": "diameter_km",
    "v_inf_km_s": "v_inf_km_s",
    "last_observed_on": "last_observed_on",
}  # of the assessment, and of the row


class OlderAssessmentError(ValueError):
    """A row that rests on fewer nights than what is stored: the list was put back."""


@transaction.atomic
def assess_risk(target_id: int, row: RiskRow) -> bool:
    """Take over what the risk list says of a target now; whether it is something new. Raises OlderAssessmentError."""
    target = Target.objects.select_for_update(no_key=True).get(pk=target_id)
    holding = RiskAssessment.objects.filter(target=target, ended_at=None).first()
    said = {field: getattr(row, name) for field, name in _FIELDS.items()}
    if holding is not None:
        if all(getattr(holding, field) == value for field, value in said.items()):
            return False
        if holding.last_observed_on and row.last_observed_on and row.last_observed_on < holding.last_observed_on:
            raise OlderAssessmentError(
                f"rests on observations until {row.last_observed_on}, the stored one until {holding.last_observed_on}"
            )
        RiskAssessment.objects.filter(pk=holding.pk).update(ended_at=clock.now())
    RiskAssessment.objects.create(target=target, **said)
    _tell("target.risk_updated" if holding else "target.risk_added", target, said)
    return True


@transaction.atomic
def end_risk(target_id: int) -> bool:
    """A target left the risk list; whether it was on it here."""
    target = Target.objects.select_for_update(no_key=True).get(pk=target_id)
    holding = RiskAssessment.objects.filter(target=target, ended_at=None)
    if not holding.update(ended_at=clock.now(), is_removal=True):
        return False
    _tell("target.risk_removed", target, {})
    return True


def _tell(kind: str, target: Target, said: Mapping[str, Any]) -> None:
    told = {name: said[name] for name in ("impact_probability", "palermo_cumulative", "torino_maximum") if name in said}
    events.record(kind, target, {"target": target.pk, **told})
