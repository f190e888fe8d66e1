"""Who changed what, when: the history of a model, which also knows partners' systems."""

from typing import Any

from simple_history.models import HistoricalRecords as _HistoricalRecords

from .actors import PartnerSystem, person_of


class HistoricalRecords(_HistoricalRecords):
    """What a partner's system changed in a request has no person, and names the system as its reason."""

    def get_history_user(self, instance: Any) -> Any:
        return person_of(super().get_history_user(instance))

    def get_change_reason_for_object(self, instance: Any, history_type: str, using: Any) -> Any:
        reason = super().get_change_reason_for_object(instance, history_type, using)
        user = getattr(getattr(self.context, "request", None), "user", None)
        return reason or (f"by {user}"[:100] if isinstance(user, PartnerSystem) else None)
