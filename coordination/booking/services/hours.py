"""Limits on telescope hours: of an organisation in a campaign, and of the campaign."""

from collections.abc import Sequence

from django.db.models import ExpressionWrapper, F, QuerySet, Sum, fields

from coordination.campaigns.models import Campaign, Participation

from ..models import Booking
from .periods import Period
from .rules import require, too_many_hours

COUNTED = (*Booking.ACTIVE, Booking.State.DONE)


def hours_of(bookings: QuerySet[Booking]) -> float:
    """Hours of observation in bookings that count: active ones and those that were observed."""
    length = ExpressionWrapper(F("observe_until") - F("observe_from"), output_field=fields.DurationField())
    total = bookings.filter(state__in=COUNTED).aggregate(total=Sum(length))["total"]
    return float(total.total_seconds() / 3600.0) if total else 0.0


def require_hours(campaign: Campaign, organisation_id: int, periods: Sequence[Period]) -> None:
    """Raises ConflictError where a claim would pass the campaign's limit or the organisation's in it.

    The campaign's row is locked where it has a limit, so that two claims on different slots do not both take the last
    hours.
    """
    wanted = sum(period.hours for period in periods)
    if campaign.hour_limit_h is not None:  # before the participation, as invitations lock them
        Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    bookings = Booking.objects.filter(claim__slot__campaign=campaign)
    own_limit = (
        Participation.objects.filter(campaign=campaign, organisation_id=organisation_id, hour_limit_h__isnull=False)
        .select_for_update(no_key=True)
        .values_list("hour_limit_h", flat=True)
        .first()
    )
    if own_limit is not None:
        used = hours_of(bookings.filter(organisation_id=organisation_id))
        require(too_many_hours(own_limit, used, wanted, "organisation"))
    if campaign.hour_limit_h is not None:
        require(too_many_hours(campaign.hour_limit_h, hours_of(bookings), wanted, "campaign"))
