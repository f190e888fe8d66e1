"""Drafts of slots: proposed inside the best joint windows, or set by hand."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import transaction

from coordination.campaigns.models import Campaign
from coordination.campaigns.services import joined_organisation_ids, require_coordinator, require_state
from coordination.common import clock, states
from coordination.common.actors import SYSTEM, actor_of, person_of
from coordination.common.checking import check
from coordination.common.problems import ConflictError, DomainError, UnknownError
from coordination.visibility.geocentric import geocentric_places
from observatories.models import Telescope
from observatories.people import Principal
from targets.models import Target
from targets.services.ephemerides import Span

from ..models import Seat, Slot
from .open_seats import windows_over
from .periods import require_interval, utc_text
from .placing import Placement, SeatPlan, best_placements
from .relaying import best_relays
from .slots import EDITABLE, default_deadlines
from .telling import slot_event

LONGEST = dt.timedelta(days=60)  # that is searched at once
LONGEST_SLOT = dt.timedelta(days=1)
_HIGHEST_COUNT = 50
_STATES = (Campaign.State.DRAFT, Campaign.State.OPEN)


def propose_slots(
    campaign_id: int,
    *,
    target_id: int | None = None,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
    count: int | None = None,
    kind: str = Slot.Kind.LISTED,
    actor: Principal | None = None,
) -> list[Slot]:
    """Drafts for a campaign's target, or each of its targets: slots of the length it asks for inside the best joint
    windows of its participants, each with its reason and expected yield. None where there is no such window.

    Searched is the campaign's period from now on, or the part between `starts_at` and `ends_at`; `count`: drafts for
    each target (default: what the campaign asks for).
    """
    campaign = _coordinated(campaign_id, actor)
    count = campaign.observation_count if count is None else count
    if not 1 <= count <= _HIGHEST_COUNT:
        raise DomainError("Too many or too few.", field="count", value=count, expected=f"1 to {_HIGHEST_COUNT}")
    targets = _targets(campaign, target_id)
    telescopes = _require_telescopes(campaign)
    span = _span(campaign, starts_at, ends_at)
    slots = []
    for target in targets:
        if campaign.mode == Campaign.Mode.RELAY:
            others = list(_usable().exclude(pk__in=[telescope.pk for telescope in telescopes]))
            found = best_relays(campaign, target, telescopes, span, count, others)
        else:
            found = best_placements(campaign, target, telescopes, span, count)
        slots += create_slots(campaign, target, found, kind, actor)
    return slots


def add_slot(
    campaign_id: int,
    target_id: int,
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    telescope_ids: Sequence[int] | None = None,
    actor: Principal | None = None,
    **fields: Any,
) -> Slot:
    """A draft at a time of the coordinator's choice, with seats for the telescopes that see the target all through it:
    those named, or all of the participants.

    Raises ConflictError for a named telescope that does not.
    """
    require_interval(starts_at, ends_at, ("starts_at", "ends_at"))
    if ends_at - starts_at > LONGEST_SLOT:
        raise DomainError("A slot lasts a day at most.", field="ends_at", value=utc_text(ends_at), expected="24 h")
    campaign = _coordinated(campaign_id, actor)
    (target,) = _targets(campaign, target_id)
    telescopes = participating_telescopes(campaign)
    if telescope_ids is not None:
        telescopes = [telescope for telescope in telescopes if telescope.pk in set(telescope_ids)]
        unknown = set(telescope_ids) - {telescope.pk for telescope in telescopes}
        if unknown:
            raise DomainError("Not a telescope of a participant.", field="telescopes", value=min(unknown))
    windows = windows_over(target, telescopes, starts_at, ends_at)
    if telescope_ids is not None and len(windows) < len(telescopes):
        blind = next(telescope for telescope in telescopes if telescope.pk not in windows)
        raise ConflictError(f"{blind} has no window over the whole slot.", field="telescopes", value=blind.pk)
    if not windows:
        raise ConflictError("No participating telescope sees the target all through this time.", field="starts_at")
    seats = tuple(
        SeatPlan(pk, starts_at, ends_at, window.peak_altitude_deg, window.v_mag, window.rate_arcsec_min)
        for pk, window in windows.items()
    )
    room = min(each.starts_at for each in windows.values()), max(each.ends_at for each in windows.values())
    placement = Placement(starts_at, ends_at, room[0], room[1], seats, "Set by the coordinator.", {})
    kind = fields.pop("kind", Slot.Kind.LISTED)
    (slot,) = create_slots(campaign, target, [placement], kind, actor, **fields)
    return slot


@transaction.atomic
def create_slots(
    campaign: Campaign,
    target: Target,
    placements: Sequence[Placement],
    kind: str,
    actor: Principal | None,
    **fields: Any,
) -> list[Slot]:
    """Drafts with their seats."""
    if kind not in Slot.Kind.values:
        expected = ", ".join(Slot.Kind.values)
        raise DomainError(f"{kind!r} is no kind of slot.", field="kind", value=kind, expected=expected)
    for name in fields:
        if name not in EDITABLE:
            raise DomainError(f"{name} is not a field of a slot.", field=name, expected=", ".join(EDITABLE))
    if not placements:
        return []
    places = geocentric_places(target, [each.starts_at + (each.ends_at - each.starts_at) / 2 for each in placements])
    slots = []
    for placement, (ra_deg, dec_deg) in zip(placements, places, strict=True):
        slot = Slot(
            campaign=campaign,
            target=target,
            kind=kind,
            mode=campaign.mode,
            starts_at=placement.starts_at,
            ends_at=placement.ends_at,
            room_starts_at=placement.room_starts_at,
            room_ends_at=placement.room_ends_at,
            min_sites=campaign.min_sites,
            min_baseline_km=campaign.min_baseline_km,
            min_longitude_spread_deg=campaign.min_longitude_spread_deg,
            min_covered_fraction=campaign.min_covered_fraction,
            max_gap_minutes=campaign.max_gap_minutes,
            reason=placement.reason,
            expected_yield=placement.expected_yield,
            orbit_id=target.current_orbit_id,
            middle_ra_deg=ra_deg,
            middle_dec_deg=dec_deg,
            is_demo=campaign.is_demo,
            created_by=person_of(actor),
        )
        for name, value in (default_deadlines(campaign, placement.starts_at) | fields).items():
            setattr(slot, name, value)
        check(slot)
        slots.append(slot)
    require_state(campaign, *_STATES)  # again, and to stay: it may have been cancelled while windows were computed
    states.create(slots, actor=actor)
    Seat.objects.bulk_create(
        [
            Seat(
                slot=slot,
                telescope_id=seat.telescope_id,
                observe_from=seat.observe_from,
                observe_until=seat.observe_until,
                peak_altitude_deg=seat.peak_altitude_deg,
                v_mag=seat.v_mag,
                rate_arcsec_min=seat.rate_arcsec_min,
            )
            for slot, placement in zip(slots, placements, strict=True)
            if kind == Slot.Kind.LISTED
            for seat in placement.seats
        ]
    )
    for slot in slots:
        slot_event("slot.proposed", slot, actor=actor)
    return slots


def participating_telescopes(campaign: Campaign) -> list[Telescope]:
    """Active telescopes at fixed places of the organisations that have joined."""
    return list(_usable().filter(organisation_id__in=joined_organisation_ids(campaign)))


def _usable() -> Any:
    active = Telescope.objects.filter(state=Telescope.State.ACTIVE, observatory__kind="fixed")
    return active.select_related("observatory", "organisation").order_by("pk")


def _coordinated(campaign_id: int, actor: Principal | None) -> Campaign:
    visible = Campaign.objects.visible_to(SYSTEM if actor is None else actor_of(actor))
    campaign = visible.select_related("lead_organisation").filter(pk=campaign_id).first()
    if campaign is None:
        raise UnknownError(f"There is no campaign {campaign_id}.", field="campaign", value=campaign_id)
    require_coordinator(actor, campaign)
    _require_going_on(campaign)
    return campaign


def _require_going_on(campaign: Campaign) -> None:
    if campaign.state not in _STATES:
        raise ConflictError(
            f"The campaign is {campaign.state}.", field="campaign", value=campaign.state, code="campaign-not-open"
        )


def _require_telescopes(campaign: Campaign) -> list[Telescope]:
    telescopes = participating_telescopes(campaign)
    if not telescopes:
        raise ConflictError(
            "No participant has an active telescope at a fixed place.", field="campaign", code="no-telescope"
        )
    return telescopes


def proposal_refusals(
    campaign: Campaign, starts_at: dt.datetime | None, ends_at: dt.datetime | None
) -> Iterator[DomainError]:
    """Every reason why nothing can be proposed for a campaign between these times."""
    checks: tuple[Callable[[], object], ...] = (
        lambda: _require_going_on(campaign),
        lambda: _require_telescopes(campaign),
        lambda: _span(campaign, starts_at, ends_at),
    )
    for check_one in checks:
        try:
            check_one()
        except ConflictError as refusal:
            yield refusal


def _targets(campaign: Campaign, target_id: int | None) -> list[Target]:
    targets = list(campaign.targets.select_related("current_orbit").order_by("pk"))
    if target_id is not None:
        targets = [target for target in targets if target.pk == target_id]
    if not targets:
        raise DomainError("The campaign does not hold this target.", field="target", value=target_id)
    return targets


def _span(campaign: Campaign, starts_at: dt.datetime | None, ends_at: dt.datetime | None) -> Span:
    """What of the campaign's period can still be claimed."""
    if starts_at is not None and ends_at is not None:
        require_interval(starts_at, ends_at, ("starts_at", "ends_at"))
    earliest = clock.now() + dt.timedelta(hours=campaign.claim_lead_hours)
    first = max(campaign.starts_at, earliest, starts_at or earliest)
    last = min(campaign.ends_at, ends_at or campaign.ends_at, first + LONGEST)
    if last - first < dt.timedelta(minutes=campaign.observation_minutes):
        raise ConflictError(
            "Nothing of the campaign's period is left, or too little.", field="ends_at", value=utc_text(last),
            expected=f"after {utc_text(first)}", code="period-over",
        )  # fmt: skip
    return Span(first, last)
