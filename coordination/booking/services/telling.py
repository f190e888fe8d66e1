"""What the events of this room say: to machines by keys, to people by a notice."""

from collections.abc import Iterable
from typing import Any

from coordination.campaigns.services import joined_organisation_ids
from coordination.common import events
from observatories.people import Principal

from ..models import Booking, Claim, Slot
from .periods import utc_text


def period_text(starts_at: Any, ends_at: Any) -> str:
    """For people: 2026-11-24 21:10 to 21:40 UTC."""
    end = f"{ends_at:%H:%M}" if starts_at.date() == ends_at.date() else f"{ends_at:%Y-%m-%d %H:%M}"
    return f"{starts_at:%Y-%m-%d %H:%M} to {end} UTC"


def slot_event(
    kind: str,
    slot: Slot,
    *,
    told: Iterable[int] = (),
    title: str = "",
    text: str = "",
    actor: Principal | None = None,
    **further: Any,
) -> None:
    """One event of a slot; `told` are the organisations whose people get a notice of it."""
    payload = {
        "campaign": slot.campaign_id,
        "target": slot.target_id,
        "state": slot.state,
        "starts_at": utc_text(slot.starts_at),
        "ends_at": utc_text(slot.ends_at),
        **further,
    }
    events.record(kind, slot, payload | _notice(slot, told, title, text), actor=actor)


def claim_event(
    kind: str,
    claim: Claim,
    slot: Slot,
    *,
    told: Iterable[int] = (),
    title: str = "",
    text: str = "",
    actor: Principal | None = None,
    **further: Any,
) -> None:
    payload = {
        "slot": slot.pk,
        "campaign": slot.campaign_id,
        "target": slot.target_id,
        "organisation": claim.organisation_id,
        "state": claim.state,
        **further,
    }
    events.record(kind, claim, payload | _notice(slot, told, title, text), actor=actor)


def booking_event(
    kind: str,
    booking: Booking,
    *,
    told: Iterable[int] = (),
    title: str = "",
    text: str = "",
    actor: Principal | None = None,
    **further: Any,
) -> None:
    payload = {
        "telescope": booking.telescope_id,
        "organisation": booking.organisation_id,
        "target": booking.target_id,
        "state": booking.state,
        "observe_from": utc_text(booking.observe_from),
        "observe_until": utc_text(booking.observe_until),
        **further,
    }
    told = list(told)
    if told:
        payload |= events.notice(told, title=title, text=text, path=f"/admin/booking/booking/{booking.pk}/change/")
    events.record(kind, booking, payload, actor=actor)


def _notice(slot: Slot, told: Iterable[int], title: str, text: str) -> dict[str, Any]:
    told = list(told)
    if not told:
        return {}
    when = f"{slot.campaign}: {{target}}, {period_text(slot.starts_at, slot.ends_at)}."
    path = f"/admin/booking/slot/{slot.pk}/change/"
    return events.notice(told, title=title, text=f"{when} {text}".strip(), path=path)


def holders(slot: Slot) -> set[int]:
    """Organisations with a claim on the slot that holds or waits."""
    return set(slot.claims.filter(state__in=Claim.ACTIVE).values_list("organisation_id", flat=True))


def holders_and_lead(slot: Slot) -> set[int]:
    return holders(slot) | {slot.campaign.lead_organisation_id}


def participants(slot: Slot) -> list[int]:
    return joined_organisation_ids(slot.campaign)
