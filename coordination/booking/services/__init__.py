"""All writes to slots, seats, claims, bookings and grants: the rules that must never break.

Plain arguments in, one transaction with an event in it, a refusal that each face translates: DomainError (400),
ForbiddenError (403), UnknownError (404), ConflictError (409). `actor` is the person who asks, None the service itself.
"""

from .bookings import book_telescope, confirm_booking, move_booking, release_booking, report_result
from .campaigns import cancel_campaign, complete_campaign
from .claims import accept_shift, claim_seats, withdraw_claim
from .demo import load_demo_campaign, remove_demonstration
from .grants import grant_telescope, revoke_grant
from .proposing import add_slot, propose_slots
from .rapid import rapid_response
from .recheck import recheck_slot, recheck_slots
from .rehearsing import rehearse_booking, rehearse_claim, rehearse_proposal
from .shifting import dismiss_review, propose_shift
from .slots import cancel_slot, complete_slot, publish_slot, remove_seat, update_slot
from .sweeping import advance_slots, expire_slots, mark_disturbed

__all__ = [
    "accept_shift",
    "add_slot",
    "advance_slots",
    "book_telescope",
    "cancel_campaign",
    "cancel_slot",
    "claim_seats",
    "complete_campaign",
    "complete_slot",
    "confirm_booking",
    "dismiss_review",
    "expire_slots",
    "grant_telescope",
    "load_demo_campaign",
    "mark_disturbed",
    "move_booking",
    "propose_shift",
    "propose_slots",
    "publish_slot",
    "rapid_response",
    "recheck_slot",
    "recheck_slots",
    "rehearse_booking",
    "rehearse_claim",
    "rehearse_proposal",
    "release_booking",
    "remove_demonstration",
    "remove_seat",
    "report_result",
    "revoke_grant",
    "update_slot",
    "withdraw_claim",
]
