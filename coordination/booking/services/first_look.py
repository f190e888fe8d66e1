"""A look before anything is locked: one query turns most of those away who come too late to a contested seat.

In SQL, since composing this query by the ORM takes several times as long as running it.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from coordination.common import clock
from coordination.common.problems import ConflictError

from .periods import booked

# In two parts, so that PostgreSQL plans neither of them for longer than it runs.
_OVERLAPPED = """
    WITH taken AS MATERIALIZED (
        SELECT telescope.id AS telescope_id, telescope.name, booking.id, booking.starts_at, booking.ends_at,
            booking.organisation_id, seat.slot_id
        FROM booking_seat seat
        JOIN observatories_telescope telescope ON telescope.id = seat.telescope_id
        JOIN booking_booking booking ON booking.telescope_id = telescope.id
            AND booking.starts_at < seat.observe_until AND booking.ends_at > seat.observe_from
        WHERE seat.id = ANY(%(seats)s) AND seat.slot_id = %(slot)s AND booking.state IN ('held', 'confirmed')
            AND telescope.organisation_id = %(organisation)s AND telescope.state = 'active'
        LIMIT 1
    )
    SELECT taken.telescope_id, taken.name, taken.id, taken.starts_at, taken.ends_at, holder.slug
    FROM taken
    JOIN observatories_organisation holder ON holder.id = taken.organisation_id
    JOIN booking_slot slot ON slot.id = taken.slot_id
    JOIN campaigns_campaign campaign ON campaign.id = slot.campaign_id
    JOIN targets_target target ON target.id = slot.target_id
    WHERE slot.state IN ('open', 'confirmed') AND slot.claim_deadline > %(now)s
        AND campaign.state = 'open' AND target.visibility = 'public'
        AND EXISTS (
            SELECT FROM campaigns_participation
            WHERE campaign_id = campaign.id AND organisation_id = %(organisation)s AND state = 'joined'
        )
"""


def already_taken(slot_id: int, organisation_id: int, seat_ids: Sequence[int]) -> ConflictError | None:
    """The refusal for seats of which one is overlapped by a booking: of a public target, in a slot and a campaign in
    which the organisation may claim now, on its own telescope that is in use. So nothing is told that the locks would
    not tell; and None means nothing: who is not turned away here is judged by all the rules, under the locks.
    """
    asked: dict[str, Any] = {
        "seats": list(seat_ids),
        "slot": slot_id,
        "now": clock.now(),
        "organisation": organisation_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OVERLAPPED, asked)
        found = cursor.fetchone()
    if found is None:
        return None
    telescope_id, name, booking_id, starts_at, ends_at, holder = found
    return booked(telescope_id, name, starts_at, ends_at, {"booking": booking_id, "holder": holder})
