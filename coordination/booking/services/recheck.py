"""After a new orbit, or where positions come from elsewhere: whether each slot still lies in its windows, and what is
done where it does not.

(a) every seat still inside its window: nothing changes, a large shift on the sky is told; (b) else, if all seats can
shift together by the campaign's tolerance and are free: they are moved, and the holders told; (c) else the slot is
flagged with a proposal, and nothing moves until the coordinator acts and the holders accept.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import F, OuterRef, Q

from coordination.common import clock, states
from coordination.common.problems import DomainError
from coordination.visibility.geocentric import geocentric_places
from coordination.visibility.joint_windows import FoundWindow, windows_on_demand
from observatories.models import Telescope
from targets.services.ephemerides import Span
from targets.services.horizons import solution_over, solution_q

from ..models import Booking, Claim, ClaimedSeat, Seat, Slot
from .locking import in_transaction, lock_slot, lock_telescopes
from .shifting import free_after, shift_slot
from .telling import holders_and_lead, slot_event

AROUND = dt.timedelta(hours=12)  # how far from the slot windows are looked at: the largest shift proposed
_WATCHED = (Slot.State.OPEN, Slot.State.CONFIRMED)


def recheck_slots() -> int:
    """Check every future slot whose target has another orbit than it was placed with, or whose positions come from
    another solution of Horizons, or no longer from there; their number.
    """
    ahead = Slot.objects.filter(state__in=_WATCHED, starts_at__gt=clock.now())
    changed = ahead.exclude(orbit=F("target__current_orbit")) | ahead.filter(
        Q(orbit=None, target__current_orbit__isnull=False) | Q(orbit__isnull=False, target__current_orbit=None)
    )
    elsewhere = ahead.exclude(
        solution=solution_q("target", OuterRef("starts_at") - AROUND, OuterRef("ends_at") + AROUND)
    )
    found = {*changed.values_list("pk", flat=True), *elsewhere.values_list("pk", flat=True)}
    return sum(recheck_slot(pk) for pk in sorted(found))


@dataclass(frozen=True)
class Basis:
    """What positions of a target rest on: its current orbit, or a solution of Horizons in its place."""

    orbit_id: int | None
    solution: str = ""

    def news(self, slot: Slot) -> str:
        """What is new about it for a slot, as the subject of a sentence."""
        if slot.orbit_id != self.orbit_id or slot.solution == self.solution:
            return "A new orbit"
        return f"JPL Horizons ({self.solution})" if self.solution else "Our own orbit, in place of JPL Horizons,"

    def fields(self) -> dict[str, Any]:
        return {"orbit_id": self.orbit_id, "solution": self.solution}


def recheck_slot(slot_id: int) -> bool:
    """Check one slot against the current orbit of its target; whether it was there to be checked."""
    seen = Slot.objects.select_related("target__current_orbit", "campaign").get(pk=slot_id)
    seats = list(seen.seats.select_related("telescope__observatory"))
    if seen.target.current_orbit is None:
        return _flag(slot_id, Basis(None), "The orbit was withdrawn.", None)
    telescopes = list({seat.telescope_id: seat.telescope for seat in seats}.values())
    span = Span(seen.starts_at - AROUND, seen.ends_at + AROUND)
    basis = Basis(seen.target.current_orbit_id, solution_over(seen.target_id, span.starts_at, span.ends_at))
    try:
        windows = windows_on_demand(seen.target, telescopes, span, with_closures=False)
        (place,) = geocentric_places(seen.target, [seen.starts_at + seen.length / 2])
    except DomainError as error:  # the orbit cannot be used for that date
        return _flag(slot_id, basis, f"{basis.news(seen)} cannot be used: {error.detail}", None)
    return _decide(slot_id, basis, windows, place)


@in_transaction
def _decide(slot_id: int, basis: Basis, windows: Sequence[FoundWindow], place: tuple[float, float]) -> bool:
    locked = lock_telescopes(Seat.objects.filter(slot_id=slot_id).values_list("telescope_id", flat=True))
    slot = lock_slot(slot_id)
    if slot.state not in _WATCHED or slot.starts_at <= clock.now() or slot.target.current_orbit_id != basis.orbit_id:
        return False
    seats = list(slot.seats.all())
    binding = _binding(slot, seats)
    moved_arcsec = _moved_arcsec(slot, place)
    shift = smallest_shift(binding, windows)
    tolerance = dt.timedelta(minutes=slot.campaign.time_tolerance_minutes)
    if shift == dt.timedelta():
        _keep(slot, basis, place, moved_arcsec)
    elif shift is not None and abs(shift) <= tolerance and free_after(slot, locked, shift):
        reason = f"{basis.news(slot)} moved the windows."
        shift_slot(slot, locked, shift, reason=reason, moved_arcsec=moved_arcsec)
        states.change([slot], **basis.fields(), middle_ra_deg=place[0], middle_dec_deg=place[1])
    else:
        _flag_locked(slot, basis, f"{basis.news(slot)}: {_lost(binding, windows, locked)}", shift)
    if slot.state in _WATCHED and not slot.needs_review:
        _drop_impossible(slot, binding, windows)
    return True


def _binding(slot: Slot, seats: Sequence[Seat]) -> list[Seat]:
    """Seats that somebody holds or waits for; all where there is nobody yet."""
    claimed = set(
        ClaimedSeat.objects.filter(claim__slot=slot, claim__state__in=Claim.ACTIVE).values_list("seat_id", flat=True)
    )
    return [seat for seat in seats if seat.pk in claimed] or list(seats)


def smallest_shift(seats: Iterable[Seat], windows: Sequence[FoundWindow]) -> dt.timedelta | None:
    """The smallest common shift that puts every seat wholly inside a window of its telescope; None where none does."""
    choices: list[list[tuple[dt.timedelta, dt.timedelta]]] = []
    for seat in seats:
        mine = [window for window in windows if window.telescope_id == seat.telescope_id]
        spans = [(window.starts_at - seat.observe_from, window.ends_at - seat.observe_until) for window in mine]
        choices.append([(low, high) for low, high in spans if low <= high])
    zero = dt.timedelta()
    candidates = {zero, *(end for spans in choices for span in spans for end in span)}
    for shift in sorted(candidates, key=abs):
        if all(any(low <= shift <= high for low, high in spans) for spans in choices):
            return _whole_seconds(shift, choices)
    return None


def _whole_seconds(shift: dt.timedelta, choices: Sequence[Sequence[tuple[dt.timedelta, dt.timedelta]]]) -> dt.timedelta:
    """The shift rounded up to a second, away from zero, where that still fits."""
    second = dt.timedelta(seconds=1)
    rounded = -(-abs(shift) // second) * second * (1 if shift >= dt.timedelta() else -1)
    fits = all(any(low <= rounded <= high for low, high in spans) for spans in choices)
    return rounded if fits else shift


def _moved_arcsec(slot: Slot, place: tuple[float, float]) -> float | None:
    if slot.middle_ra_deg is None or slot.middle_dec_deg is None:
        return None
    from astropy.coordinates import angular_separation  # a second to import: not for every process of the service

    before = np.radians([slot.middle_ra_deg, slot.middle_dec_deg])
    after = np.radians(place)
    return float(np.degrees(angular_separation(before[0], before[1], after[0], after[1])) * 3600.0)


def _keep(slot: Slot, basis: Basis, place: tuple[float, float], moved_arcsec: float | None) -> None:
    news = basis.news(slot)
    states.change(
        [slot],
        **basis.fields(),
        middle_ra_deg=place[0],
        middle_dec_deg=place[1],
        needs_review=False,
        review_reason="",
        proposed_shift_s=None,
    )
    large = moved_arcsec is not None and moved_arcsec > slot.campaign.field_tolerance_arcsec
    slot_event(
        "slot.rechecked", slot, told=holders_and_lead(slot) if large else (), moved_arcsec=moved_arcsec,
        title="Moved on the sky: {target}",
        text=f"{news} moves the target by {moved_arcsec or 0.0:.0f} arcsec; the times stay.",
    )  # fmt: skip


@in_transaction
def _flag(slot_id: int, basis: Basis, reason: str, shift: dt.timedelta | None) -> bool:
    slot = lock_slot(slot_id)
    if slot.state not in _WATCHED or slot.target.current_orbit_id != basis.orbit_id:
        return False
    if slot.needs_review and slot.review_reason == reason and Basis(slot.orbit_id, slot.solution) == basis:
        return False
    _flag_locked(slot, basis, reason, shift)
    return True


def _flag_locked(slot: Slot, basis: Basis, reason: str, shift: dt.timedelta | None) -> None:
    proposed = None if shift is None else shift.total_seconds()
    states.change(
        [slot], **basis.fields(), needs_review=True, review_reason=reason, proposed_shift_s=proposed, reason=reason
    )
    proposal = "No shift brings all seats back into their windows."
    if proposed is not None:
        proposal = f"A shift by {proposed / 60.0:+.1f} min would; the coordinator may propose it to the holders."
    slot_event(
        "slot.needs_review", slot, told=holders_and_lead(slot), proposed_shift_s=proposed,
        title="Needs review: {target}", text=f"{reason} {proposal} Nothing moves until then.",
    )  # fmt: skip


def _lost(seats: Iterable[Seat], windows: Sequence[FoundWindow], telescopes: dict[int, Telescope]) -> str:
    lost = []
    for seat in seats:
        inside = any(
            window.telescope_id == seat.telescope_id
            and window.starts_at <= seat.observe_from
            and seat.observe_until <= window.ends_at
            for window in windows
        )
        if not inside:
            lost.append(str(telescopes[seat.telescope_id]))
    return f"{', '.join(sorted(set(lost)))} no longer see{'s' if len(lost) == 1 else ''} it all through."


def _drop_impossible(slot: Slot, binding: Sequence[Seat], windows: Sequence[FoundWindow]) -> None:
    """Take seats that nobody claimed and that lie outside their windows now off the list."""
    kept = {seat.pk for seat in binding}
    used = set(Booking.objects.filter(seat__slot=slot).values_list("seat_id", flat=True))
    used |= set(ClaimedSeat.objects.filter(seat__slot=slot).values_list("seat_id", flat=True))
    for seat in slot.seats.all():
        if seat.pk not in kept | used and smallest_shift([seat], windows) != dt.timedelta():
            seat.delete()
