"""Planned observations as rows of the IVOA's table ivoa.obsplan (ObsLocTAP 1.0): the seats of published slots."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest

from coordination.booking.models import Booking, Seat, Slot
from coordination.campaigns.models import Participation, visible_campaign_q
from coordination.common.actors import Actor
from coordination.common.votable import REAL, TEXT, WHOLE, Column
from observatories.models import Telescope
from targets.models import Target

from . import dali
from .changes import history, latest_change
from .facilities import called, facility

NAME = "ivoa.obsplan"
UTYPE = "ivo://ivoa.net/std/ObsLocTAP#table-1.0"

PLANNED, SCHEDULED, UNSCHEDULED = "Planned", "Scheduled", "Unscheduled"
PERFORMED, ABORTED = "Performed", "Aborted"
STATUSES = (PLANNED, SCHEDULED, UNSCHEDULED, PERFORMED, ABORTED)

_WHERE = "Provenance.ObsConfig.Facility.name"
_SKY, _TIME, _LIGHT = "Char.SpatialAxis", "Char.TimeAxis", "Char.SpectralAxis"
_PLACE = f"{_SKY}.Coverage.Location.Coord.Position2D.Value2"
_FIELD = f"{_SKY}.Coverage.Bounds.Extent.diameter"
_BOUNDS = f"{_TIME}.Coverage.Bounds.Limits"

COLUMNS = (
    Column("t_planning", REAL, "When it was planned or last changed", "d", "time", is_mjd=True),
    Column("target_name", TEXT, "What is observed; empty where it is not public", "", "meta.id;src", "Target.name"),
    Column("obs_id", TEXT, "Slot and seat", "", "meta.id", "DataID.observationID"),
    Column("obs_collection", TEXT, "Campaign", "", "meta.id", "DataID.collection"),
    Column("s_ra", REAL, "Right ascension (ICRS) at the middle", "deg", "pos.eq.ra", f"{_PLACE}.C1"),
    Column("s_dec", REAL, "Declination (ICRS) at the middle", "deg", "pos.eq.dec", f"{_PLACE}.C2"),
    Column(
        "s_fov", REAL, "Diameter of the field", "deg", "phys.angSize;instr.fov", _FIELD
    ),
    Column("s_region", TEXT, "Region", "", "pos.outline;obs.field", f"{_SKY}.Coverage.Support.Area"),
    Column("s_resolution", REAL, "Resolution", "arcsec", "pos.angResolution", f"{_SKY}.Resolution.Refval.value"),
    Column("t_min", REAL, "Start", "d", "time.start;obs.exposure", f"{_BOUNDS}.StartTime", True),
    Column("t_max", REAL, "End", "d", "time.end;obs.exposure", f"{_BOUNDS}.StopTime", True),
    Column(
        "t_exptime", REAL, "Time on target", "s", "time.duration;obs.exposure", f"{_TIME}.Coverage.Support.Extent"
    ),
    Column("t_resolution", REAL, "Resolution in time", "s", "time.resolution", f"{_TIME}.Resolution.Refval.value"),
    Column("em_min", REAL, "Shortest wavelength", "m", "em.wl;stat.min", f"{_LIGHT}.Coverage.Bounds.Limits.LoLimit"),
    Column("em_max", REAL, "Longest wavelength", "m", "em.wl;stat.max", f"{_LIGHT}.Coverage.Bounds.Limits.HiLimit"),
    Column(
        "em_res_power", REAL, "Resolving power", "", "spect.resolution", f"{_LIGHT}.Resolution.ResolPower.refVal"
    ),
    Column("o_ucd", TEXT, "UCD of what is measured", "", "meta.ucd", "Char.ObservableAxis.ucd"),
    Column("pol_states", TEXT, "Polarisation", "", "meta.code;phys.polarization", "Char.PolarizationAxis.stateList"),
    Column("pol_xel", WHOLE, "Polarisation samples", "", "meta.number", "Char.PolarizationAxis.numBins"),
    Column(
        "facility_name", TEXT, "Telescope and observatory", "", "meta.id;instr.tel", _WHERE
    ),
    Column("instrument_name", TEXT, "Instrument", "", "meta.id;instr", "Provenance.ObsConfig.Instrument.name"),
    Column(
        "t_plan_exptime", REAL, "Planned time on target", "s", "time.duration;obs.exposure",
        f"{_TIME}.Coverage.Support.Extent",
    ),
    Column("category", TEXT, "Coordinated: with other facilities"),
    Column("priority", WHOLE, "2: agreed, hard to move; 1: can be moved"),
    Column("execution_status", TEXT, ", ".join(STATUSES)),
    Column("tracking_type", TEXT, "How it is followed"),
)  # fmt: skip


def planned(
    actor: Actor,
    after: dt.datetime | None,
    before: dt.datetime | None,
    *,
    facilities: Sequence[str] = (),
    statuses: Sequence[str] = (),
) -> QuerySet[Seat]:
    """Seats that lie partly in [after, before), in order of time, as far as the actor may know of them.

    facilities: names, as `facilities.called` takes them. A published slot of a visible campaign is told whatever its
    target, as the standard asks: period and facility say that a telescope is taken. What the target is, and in which
    campaign, is told to those who may know of it. Raises DomainError for a facility that is none.
    """
    seats: QuerySet[Seat] = Seat.objects.filter(visible_campaign_q(actor, "slot__campaign__"), _published_q(actor))
    if after is not None:
        seats = seats.filter(observe_until__gt=after)
    if before is not None:
        seats = seats.filter(observe_from__lt=before)
    if facilities:
        seats = seats.filter(telescope__in=called(facilities, list(Telescope.objects.select_related("observatory"))))
    seats = seats.annotate(
        execution_status=_status(),
        target_is_visible=Exists(Target.objects.visible_to(actor).filter(pk=OuterRef("slot__target"))),
        planned_at=_planned_at(),
    )
    if statuses:
        seats = seats.filter(execution_status__in=statuses)
    related = ("slot__campaign", "slot__target", "telescope__observatory")
    return seats.select_related(*related).order_by("observe_from", "pk")


def _published_q(actor: Actor) -> Q:
    """Drafts are for those who take part."""
    published = ~Q(slot__state=Slot.State.DRAFT)
    if actor.sees_everything:
        return Q()
    joined = Participation.objects.filter(organisation__in=actor.organisation_ids, state=Participation.State.JOINED)
    return published | Q(slot__campaign__in=joined.values("campaign"))


def _status() -> Case:
    mine = Booking.objects.filter(seat=OuterRef("pk"))
    given_up = (Slot.State.CANCELLED, Slot.State.EXPIRED)
    over = (Slot.State.IN_PROGRESS, Slot.State.COMPLETED)
    return Case(
        When(Exists(mine.filter(state=Booking.State.DONE)), then=Value(PERFORMED)),
        When(Exists(mine.filter(state=Booking.State.FAILED)), then=Value(ABORTED)),
        When(slot__state__in=given_up, then=Value(UNSCHEDULED)),
        When(Exists(mine.filter(state=Booking.State.CONFIRMED)), then=Value(SCHEDULED)),
        When(slot__state__in=over, then=Value(UNSCHEDULED)),
        default=Value(PLANNED),
        output_field=CharField(),
    )


def _planned_at() -> Coalesce:
    slots = Slot.history.model.objects.order_by().filter(id=OuterRef("slot"))
    of_slot = latest_change(slots.annotate(one=Value(1)).values("one"))
    return Coalesce(Greatest(of_slot, latest_change(history(Booking, "seat"))), "slot__created_at")


def row_of(seat: Any) -> dict[str, Any]:
    """The 26 columns; None is null."""
    slot, seconds = seat.slot, (seat.observe_until - seat.observe_from).total_seconds()
    told, agreed = seat.target_is_visible, seat.execution_status in (SCHEDULED, PERFORMED)
    telescope = seat.telescope
    return dict.fromkeys((column.name for column in COLUMNS), None) | {
        "t_planning": dali.to_mjd(seat.planned_at),
        "target_name": slot.target.designation if told else None,
        "obs_id": f"slot-{slot.pk}/seat-{seat.pk}",
        "obs_collection": slot.campaign.title if told else None,
        "s_ra": slot.middle_ra_deg if told else None,
        "s_dec": slot.middle_dec_deg if told else None,
        "s_fov": round(math.hypot(telescope.field_width_deg, telescope.field_height_deg), 4),
        "t_min": dali.to_mjd(seat.observe_from),
        "t_max": dali.to_mjd(seat.observe_until),
        "t_exptime": seconds if agreed else None,
        "facility_name": facility(telescope),
        "t_plan_exptime": seconds,
        "category": "Coordinated",
        "priority": 2 if agreed else 1,
        "execution_status": seat.execution_status,
        "tracking_type": "Solar-system-object-tracking",
    }
