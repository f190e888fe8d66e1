"""Writes to calendars: created with their secret, revoked, and marked as used."""

from .calendars import create_calendar, find_calendar, note_content, revoke_calendar

__all__ = ["create_calendar", "find_calendar", "note_content", "revoke_calendar"]
