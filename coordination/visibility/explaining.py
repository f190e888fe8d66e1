"""Why a stored telescope has no window of a target in a night: what the window table itself cannot tell."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from django.conf import settings

from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.problems import DomainError
from coordination.common.timescales import to_datetime
from observatories.models import Closure, Telescope
from observatories.services import closures_between
from observatories.sites.nights import noon_utc
from targets.models import Target
from targets.services import orbit_batch
from targets.services.ephemerides import planets, planning_span
from targets.services.orbit_quality import published_knowledge

from .computing import engine_closures, engine_telescope, place_of
from .engine.explain import Absence
from .explain_rows import Night, explained_nights, span_utc
from .planning import stored_span
from .trusting import Knowledge

STATE = "state"  # the reason of a telescope that is in maintenance or retired


def explain_night(target: Target, telescope: Telescope, night: dt.date, actor: Actor) -> Night:
    """What the stored windows of a night rest on, computed again from the current orbit.

    Reasons of closures are told only to those who may see them. Raises DomainError for a night without stored windows
    and for a target or a telescope that cannot be computed.
    """
    _require_stored(telescope, night)
    span = [to_datetime(end) for end in span_utc(night)]
    rows, batch = orbit_batch([target.pk], (span[0], span[1]))
    if not rows.orbit_id.size:
        raise DomainError(f"{target} has no orbit yet.", field="target", value=str(target))
    closed = list(closures_between([telescope.pk], *span))
    told = set(Closure.objects.visible_to(actor).filter(telescope=telescope).values_list("pk", flat=True))
    closures = engine_closures(closed, [telescope.pk])
    closures = replace(closures, reasons=[row.reason if row.pk in told else "" for row in closed])
    try:
        knowledge = Knowledge(*published_knowledge([target.pk], batch))
        nights = explained_nights(batch, [engine_telescope(telescope)], night, planets(), closures, knowledge)
    except ValueError as error:
        raise DomainError(str(error), field="target", value=str(target)) from error
    return without_idle(nights, [telescope])[0]


def without_idle(nights: Sequence[Night], telescopes: Sequence[Telescope]) -> list[Night]:
    """The nights, none of them observable at telescopes that are not active; those have no stored windows."""
    return [
        each if telescopes[each.telescope].state == Telescope.State.ACTIVE else _idle(each, telescopes[each.telescope])
        for each in nights
    ]


def idle_text(telescope: Telescope) -> str:
    """Why a telescope that is not active observes nothing."""
    return f"the telescope is {'in ' if telescope.state == Telescope.State.MAINTENANCE else ''}{telescope.state}"


def _idle(night: Night, telescope: Telescope) -> Night:
    text = idle_text(telescope)
    if night.absence is None:
        absence = Absence(night.target, night.telescope, night.label, (STATE,), False, text, ())
    else:
        told = night.absence
        reasons = (STATE,) if told.together else (STATE, *told.reasons)
        absence = replace(told, reasons=reasons, together=False, text=f"{text}; {told.text}")
    return replace(night, minutes=0.0, absence=absence)


def _require_stored(telescope: Telescope, night: dt.date) -> None:
    """Refuse nights of which no windows are stored."""
    span = stored_span() or planning_span(clock.now(), settings.PLANNING_HORIZON_NIGHTS)
    place = place_of(telescope)
    offset = noon_utc(place, np.datetime64(0, "D")) - np.datetime64(0, "us")  # of noon from midnight UTC
    start, end = (
        np.datetime64(moment.replace(tzinfo=None), "us") - offset for moment in (span.starts_at, span.ends_at)
    )
    first = (start + np.timedelta64(1, "D") - np.timedelta64(1, "us")).astype("datetime64[D]")
    last = end.astype("datetime64[D]") - np.timedelta64(1, "D")
    if not first <= np.datetime64(night, "D") <= last:
        raise DomainError(
            f"There are no stored windows of the night of {night}: they reach from {first} to {last}.",
            field="night",
            value=night.isoformat(),
            expected=f"{first} to {last}",
        )
