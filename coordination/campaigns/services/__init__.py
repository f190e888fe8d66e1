"""Writes to campaigns: what they are for, on which targets, and who takes part.

Plain arguments in, one transaction with an event in it, DomainError for what is refused. What touches slots, as
cancelling and completing do, is a service of the booking room.
"""

from .access import lock_campaign, require_coordinator, require_state
from .campaigns import (
    add_target,
    choose_ephemeris_source,
    close_campaign,
    create_campaign,
    open_campaign,
    remove_target,
    update_campaign,
)
from .participants import answer_invitation, invite, joined_organisation_ids, send_message

__all__ = [
    "add_target",
    "answer_invitation",
    "choose_ephemeris_source",
    "close_campaign",
    "create_campaign",
    "invite",
    "joined_organisation_ids",
    "lock_campaign",
    "open_campaign",
    "remove_target",
    "require_coordinator",
    "require_state",
    "send_message",
    "update_campaign",
]
