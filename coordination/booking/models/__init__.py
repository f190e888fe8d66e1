"""Slots and their seats, the claims on them, and the bookings that occupy telescopes."""

from .bookings import Booking, TelescopeGrant
from .claims import Claim, ClaimedSeat
from .slots import Seat, Slot

__all__ = ["Booking", "Claim", "ClaimedSeat", "Seat", "Slot", "TelescopeGrant"]
