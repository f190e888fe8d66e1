"""Slots, claims, bookings and grants in the administration, and what they add to campaigns."""

from . import bookings, campaigns, claims, grants, slots

__all__ = ["bookings", "campaigns", "claims", "grants", "slots"]
