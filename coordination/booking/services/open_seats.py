"""Seats of open slots: any participating telescope with a window over the slot may take one."""

import datetime as dt
from collections.abc import Sequence

from coordination.common.problems import ConflictError, DomainError
from coordination.visibility.joint_windows import FoundWindow, windows_on_demand
from observatories.models import Telescope
from targets.models import Target
from targets.services.ephemerides import Span

from ..models import Seat, Slot

_AROUND = dt.timedelta(hours=12)  # windows are looked at whole: a telescope may refuse short ones


def seats_for(slot: Slot, telescope_ids: Sequence[int]) -> list[Seat]:
    """Seats of the telescopes, those not yet in the database without a key. Raises DomainError for an unknown
    telescope, ConflictError for one that does not see the target all through the slot.
    """
    found = Telescope.objects.select_related("observatory").in_bulk(list(telescope_ids))
    for telescope_id in telescope_ids:
        if telescope_id not in found:
            raise DomainError(f"There is no telescope {telescope_id}.", field="telescopes", value=telescope_id)
    present = {seat.telescope_id: seat for seat in Seat.objects.filter(slot=slot, telescope_id__in=telescope_ids)}
    missing = [found[pk] for pk in telescope_ids if pk not in present]
    windows = windows_over(slot.target, missing, slot.starts_at, slot.ends_at)
    for telescope in missing:
        if telescope.pk not in windows:
            raise ConflictError(
                f"{telescope} has no window over the whole slot.", field="telescopes", value=telescope.pk,
                expected="a telescope that sees the target all through the slot",
            )  # fmt: skip
    made = [
        Seat(
            slot=slot,
            telescope_id=pk,
            observe_from=slot.starts_at,
            observe_until=slot.ends_at,
            peak_altitude_deg=window.peak_altitude_deg,
            v_mag=window.v_mag,
            rate_arcsec_min=window.rate_arcsec_min,
        )
        for pk, window in windows.items()
    ]
    return sorted([*present.values(), *made], key=lambda seat: seat.telescope_id)


def already_made(seats: Sequence[Seat]) -> list[Seat]:
    """The seats, those without a key replaced by what another claim has made of them meanwhile. To be called under the
    locks of the telescopes.
    """
    new = [seat for seat in seats if seat.pk is None]
    if not new:
        return list(seats)
    made = Seat.objects.filter(slot=new[0].slot, telescope_id__in=[seat.telescope_id for seat in new])
    by_telescope = {seat.telescope_id: seat for seat in made}
    return [seat if seat.pk is not None else by_telescope.get(seat.telescope_id, seat) for seat in seats]


def windows_over(
    target: Target, telescopes: Sequence[Telescope], starts_at: dt.datetime, ends_at: dt.datetime
) -> dict[int, FoundWindow]:
    """By telescope, the window that holds [starts_at, ends_at), for those that have one. Closures are taken out."""
    if not telescopes:
        return {}
    windows = windows_on_demand(target, telescopes, Span(starts_at - _AROUND, ends_at + _AROUND))
    return {
        window.telescope_id: window for window in windows if window.starts_at <= starts_at and ends_at <= window.ends_at
    }
