"""The campaign, its organisations and slot that bookings are tested with."""

from tests.coordination.booking.conftest import world

__all__ = ["world"]
