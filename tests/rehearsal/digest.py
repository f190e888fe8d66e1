"""What a database says of the world: without identifiers, which count failed attempts too, and without the times at
which something was done.
"""

import datetime as dt
from collections import Counter
from typing import Any

from django.apps import apps
from django.db import models

from coordination.booking.models import Booking, Claim, ClaimedSeat, Seat, Slot
from coordination.common import clock
from coordination.common.models import Event, SourceState
from coordination.partners.models import Notice, WebhookDelivery
from coordination.visibility.models import TelescopeCoverage, VisibilityWindow
from observatories.models import EarthOrientationTable, Observatory, Telescope
from targets.models import (
    Candidate,
    CloseApproach,
    Designation,
    Ephemeris,
    EphemerisComparison,
    HorizonsTable,
    Orbit,
    OrbitCheck,
    RiskAssessment,
    Target,
)  # fmt: skip

TABLES = (
    Target, Designation, Orbit, Ephemeris, Candidate, CloseApproach, RiskAssessment, OrbitCheck, EphemerisComparison,
    HorizonsTable, Observatory, Telescope,
    EarthOrientationTable, Slot, Seat, Claim, ClaimedSeat, Booking, VisibilityWindow, TelescopeCoverage,
)  # fmt: skip
# When something was done, or what carries an identifier.
WHEN = {
    "created_at",
    "updated_at",
    "computed_at",
    "asked_at",
    "answered_at",
    "assessed_at",
    "ended_at",
    "unlisted_at",
    "left_at",
    "first_seen_at",
    "seen_at",
    "received_at",
    "compared_at",
    "fetched_at",
    "earth_orientation",  # tables that turn the Earth alike serve alike: which one it was depends on when
    "ephemeris",
}
# Integrated on from the last roll of the horizon or from the epoch, whichever came first: not to the last bit the same.
INTEGRATED = {"state", "blocks"}
CONTENT = {"content"}  # compressed; its version names it  # fmt: skip
# Of how much was computed at once, and of how often an import was tried.
OF_THE_WORK = ("computation.",)

State = dict[str, Counter[str]]


def digest() -> State:
    """Rows of each table, and events and notices, as texts with how often each is there."""
    names = _Names()
    state = {model.__name__: Counter(_row(row, names) for row in _there(model)) for model in TABLES}
    told = [event for event in Event.objects.order_by("position") if not event.kind.startswith(OF_THE_WORK)]
    state["Event"] = Counter(f"{event.kind} {names.subject(event.subject)} {names.payload(event)}" for event in told)
    state["Notice"] = Counter(f"{notice.user} {notice.event.kind} {notice.mail}" for notice in Notice.objects.all())
    state["Delivery"] = Counter(
        f"{delivery.event.kind} {names.subject(delivery.subject)} {delivery.state}"
        for delivery in WebhookDelivery.objects.exclude(event=None).select_related("event")
        if delivery.event is not None
    )
    unread = Event.objects.filter(position=None).count()
    state["unread events"] = Counter({"unread": unread} if unread else {})
    state["Source"] = Counter(f"{row.source} {row.breaker} {row.failures}" for row in SourceState.objects.all())
    return state


def _there(model: type[models.Model]) -> models.QuerySet[Any]:
    rows = model._default_manager.all()
    # Nights that are over keep what was known then, which hangs on when a new orbit was asked for.
    return rows.filter(night_ends_on__gt=clock.now().date()) if model is VisibilityWindow else rows


def differences(one: State, other: State) -> list[str]:
    """What is in the one and not in the other, as sentences; empty where they are equal."""
    found = []
    for name in one:
        found += [f"{name}: {n} x only undisturbed: {row}" for row, n in (one[name] - other[name]).items()]
        found += [f"{name}: {n} x only disturbed: {row}" for row, n in (other[name] - one[name]).items()]
    return found


class _Names:
    """What rows are called apart from their identifiers."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, model: type[models.Model], pk: Any) -> str:
        key = f"{model._meta.model_name}:{pk}"
        if key not in self._known:
            row = model._default_manager.filter(pk=pk).first()
            self._known[key] = "gone" if row is None else self._name(row)
        return self._known[key]

    def _name(self, row: models.Model) -> str:
        if isinstance(row, Orbit):
            return f"{row.target} {row.source} {row.reference}"
        if isinstance(row, Seat | Booking):
            return f"{row._meta.model_name} of {self.of(Telescope, row.telescope_id)}"
        if isinstance(row, Slot):
            return f"slot of {row.target} {row.starts_at:%d %H:%M}"
        return str(row)

    def subject(self, text: str) -> str:
        kind, _, pk = text.partition(":")
        found = [model for model in apps.get_models() if model._meta.model_name == kind]
        return f"{kind} {self.of(found[0], pk)}" if found else kind

    def payload(self, event: Event) -> str:
        """Texts and numbers that are no identifiers."""
        return str({key: value for key, value in event.payload.items() if not _is_identifier(key, value)})


def _is_identifier(key: str, value: Any) -> bool:
    return isinstance(value, int | list) or key in ("notice", "changes")


def _row(row: models.Model, names: _Names) -> str:
    said = []
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if field.remote_field is not None:
            if value is not None and field.name not in WHEN:
                said.append(f"{field.name}={names.of(field.remote_field.model, value)}")
        elif not field.primary_key and field.name not in WHEN | INTEGRATED | CONTENT:
            said.append(f"{field.name}={_rounded(value)}")
    return " ".join(said)


def _rounded(value: Any) -> Any:
    """To six digits and to the second: windows rest on what was integrated."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    if isinstance(value, dt.datetime):
        return (value + dt.timedelta(seconds=0.5)).replace(microsecond=0)
    return "bytes" if isinstance(value, memoryview) else value
