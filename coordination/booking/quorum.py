"""Whether what is claimed of a slot is enough: sites, baseline and longitude spread, and for a relay its coverage."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coordination.campaigns.models import Campaign
from coordination.common.timescales import utc_to_tt_mjd
from coordination.visibility.engine.baselines import projected_baseline_km
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.grouping import site_numbers
from observatories.sites.spread import longitude_spread_deg
from observatories.sites.station import Station
from targets.orbits.frames import cio_matrices

from .models import Booking, Slot

_FAR_AU = 1e3  # only the direction of the target counts: its own parallax moves a projection by parts in ten thousand


@dataclass(frozen=True)
class Quorum:
    """What is there, and what is lacking in words. Baseline and spread only where they are asked for."""

    sites: int
    baseline_km: float | None
    longitude_spread_deg: float | None
    covered_fraction: float | None
    largest_gap_minutes: float | None
    lacking: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.lacking

    @property
    def text(self) -> str:
        if self.lacking:
            return "; ".join(self.lacking)
        return f"{self.sites} site{'' if self.sites == 1 else 's'}"


def quorum_of(slot: Slot, bookings: Sequence[Booking]) -> Quorum:
    """Of a slot with these active bookings, whose telescopes and observatories are loaded."""
    places = list({booking.telescope_id: _place(booking) for booking in bookings}.values())
    sites = len(set(site_numbers(places).tolist())) if places else 0
    lacking = []
    if sites < slot.min_sites:
        lacking.append(f"{sites} of {slot.min_sites} sites")
    baseline = spread = covered = gap = None
    if slot.min_baseline_km is not None:
        baseline = _baseline_km(slot, places)
        if baseline < slot.min_baseline_km:
            lacking.append(f"projected baseline {baseline:,.0f} of {slot.min_baseline_km:,.0f} km")
    if slot.min_longitude_spread_deg is not None:
        spread = longitude_spread_deg(places) if places else 0.0
        if spread < slot.min_longitude_spread_deg:
            lacking.append(f"longitude spread {spread:.0f} of {slot.min_longitude_spread_deg:.0f} deg")
    if slot.mode == Campaign.Mode.RELAY:
        covered, gap = _coverage(slot, bookings)
        if slot.min_covered_fraction is not None and covered < slot.min_covered_fraction - 1e-9:
            lacking.append(f"{covered:.0%} of {slot.min_covered_fraction:.0%} covered")
        if slot.max_gap_minutes is not None and gap > slot.max_gap_minutes + 1e-6:
            lacking.append(f"a gap of {gap:.0f} min, at most {slot.max_gap_minutes} are allowed")
    return Quorum(sites, baseline, spread, covered, gap, tuple(lacking))


def _place(booking: Booking) -> Place:
    place = booking.telescope.observatory.place
    assert place is not None  # telescopes without a fixed place have no windows, so no seats
    return place


def _baseline_km(slot: Slot, places: Sequence[Place]) -> float:
    """Largest projected baseline between places in the middle of the slot; 0 where the direction is not known."""
    if slot.middle_ra_deg is None or slot.middle_dec_deg is None or len(places) < 2:
        return 0.0
    tt = np.atleast_1d(utc_to_tt_mjd(slot.starts_at + slot.length / 2))
    earth = EarthOrientation.from_astropy()
    site = np.array([Station(place, earth).position_cirs_au(tt)[0] for place in places])
    ra, dec = math.radians(slot.middle_ra_deg), math.radians(slot.middle_dec_deg)
    direction = np.array([math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)])
    target = np.broadcast_to(cio_matrices(tt)[0] @ direction * _FAR_AU, (1, 3))
    one, other = np.triu_indices(len(places), 1)
    return float(projected_baseline_km(site[one], site[other], target).max())


def _coverage(slot: Slot, bookings: Sequence[Booking]) -> tuple[float, float]:
    """Fraction of the slot in which somebody observes, and the largest gap in minutes, the ends counted too."""
    until, covered, gap = slot.starts_at, dt.timedelta(), dt.timedelta()
    for booking in sorted(bookings, key=lambda each: each.observe_from):
        gap = max(gap, booking.observe_from - until)
        covered += max(booking.observe_until - max(booking.observe_from, until), dt.timedelta())
        until = max(until, booking.observe_until)
    gap = max(gap, slot.ends_at - until)
    return covered / slot.length, gap.total_seconds() / 60.0
