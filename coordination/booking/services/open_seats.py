"""Seats of open slots: any participating telescope with a window over the slot may take one."""

import datetime as dt
from collections.abc import Sequence

from coordination.common.problems import DomainError
from coordination.visibility.joint_windows import FoundWindow, windows_on_demand
from observatories.models import Telescope
from targets.models import Target
from targets.services.ephemerides import Span

from ..models import Seat, Slot
from .periods import inactive
from .rules import no_window, require

_AROUND = dt.timedelta(hours=12)  # windows are looked at whole: a telescope may refuse short ones


def seats_for(slot: Slot, telescope_ids: Sequence[int]) -> list[Seat]:
    """Seats of the telescopes, those not yet in the database without a key and with their telescope. Raises DomainError
    for an unknown one.
    """
    found = Telescope.objects.select_related("observatory", "organisation").in_bulk(list(telescope_ids))
    for telescope_id in telescope_ids:
        if telescope_id not in found:
            raise DomainError(f"There is no telescope {telescope_id}.", field="telescopes", value=telescope_id)
    new = [
        Seat(slot=slot, telescope=found[pk], observe_from=slot.starts_at, observe_until=slot.ends_at)
        for pk in sorted(telescope_ids)
    ]
    return present_or_new(new)


def present_or_new(seats: Sequence[Seat]) -> list[Seat]:
    """Seats of one slot, of those that are in the database meanwhile the row that is there."""
    telescopes = [seat.telescope_id for seat in seats if seat.pk is None]
    if not telescopes:
        return list(seats)
    present = {seat.telescope_id: seat for seat in Seat.objects.filter(slot=seats[0].slot, telescope__in=telescopes)}
    return [seat if seat.pk else present.get(seat.telescope_id, seat) for seat in seats]


def look_through_windows(slot: Slot, new: Sequence[Seat]) -> None:
    """Give new seats the figures of their telescopes' windows. Raises ConflictError for a telescope that is out of use
    or does not see the target all through the slot. Whether it is closed then is asked under its lock.
    """
    for seat in new:
        require(inactive(seat.telescope))
    telescopes = [seat.telescope for seat in new]
    windows = windows_over(slot.target, telescopes, slot.starts_at, slot.ends_at, with_closures=False)
    for seat in new:
        window = windows.get(seat.telescope_id)
        if window is None:
            raise no_window(seat.telescope)
        seat.peak_altitude_deg, seat.v_mag = window.peak_altitude_deg, window.v_mag
        seat.rate_arcsec_min = window.rate_arcsec_min


def windows_over(
    target: Target,
    telescopes: Sequence[Telescope],
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    *,
    with_closures: bool = True,
) -> dict[int, FoundWindow]:
    """By telescope, the window that holds [starts_at, ends_at), for those that have one, closures taken out."""
    if not telescopes:
        return {}
    span = Span(starts_at - _AROUND, ends_at + _AROUND)
    windows = windows_on_demand(target, telescopes, span, with_closures=with_closures)
    return {
        window.telescope_id: window for window in windows if window.starts_at <= starts_at and ends_at <= window.ends_at
    }
