"""Windows, joint windows and relays of a target at stored telescopes, computed from its current orbit when asked for.

Stored windows are cut at the nights and reach as far as the planning horizon; these are cut only at the ends of the
span asked for. Five queries, however many telescopes: orbit, its quality, table of Horizons, observatories (if not
loaded yet), closures.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.db.models import prefetch_related_objects

from coordination.common.actors import SYSTEM, Actor
from coordination.common.problems import DomainError
from coordination.common.timescales import to_datetime, tt_mjd_to_utc
from observatories.models import Closure, Observatory, Telescope
from observatories.services import closures_between
from targets.models import Target
from targets.services import orbit_batch
from targets.services.ephemerides import Span, planets
from targets.services.orbit_quality import published_knowledge

from .computing import engine_closures, engine_telescope
from .engine.baselines import Errors
from .engine.cells import Telescope as EngineTelescope
from .engine.closures import Closures
from .engine.edges import edge_labels
from .engine.limits import Limits
from .engine.observe import observe
from .engine.yields import Uncertainty
from .explaining import STATE, idle_text
from .joint_results import Final, JointWindow, Outside, RelayChain, joint_windows_in, last_chances_in, relay_in
from .searching import Search
from .trusting import Knowledge

HANDOVER_MINUTES = 10.0
ASTROMETRIC_ERROR_ARCSEC = 0.2


@dataclass(frozen=True)
class FoundWindow:
    """A window of one telescope. V, rate and altitude at the peak; ra_deg, dec_deg at the middle (astrometric, ICRF,
    as seen from the site); v_mag None where H is unknown.
    """

    telescope_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    opened_by: str
    closed_by: str
    peak_at: dt.datetime
    peak_altitude_deg: float
    v_mag: float | None
    rate_arcsec_min: float
    ra_deg: float
    dec_deg: float


def windows_on_demand(
    target: Target, telescopes: Sequence[Telescope], span: Span, *, with_closures: bool = True
) -> list[FoundWindow]:
    """Windows in order of telescopes and time. Telescopes that are not active have none.

    Raises DomainError for a target without an orbit, for one that cannot be computed, and for a telescope without a
    fixed place.
    """
    usable = _active(telescopes)
    if not usable:
        return []
    search = search_of(target, usable, span, with_closures=with_closures)
    table, told = search.windows, search.quantities
    starts, ends, peaks = (
        [to_datetime(instant) for instant in tt_mjd_to_utc(times)]
        for times in (table.start_tt_mjd, table.end_tt_mjd, told.peak_tt_mjd)
    )
    opened, closed = edge_labels(table.opened_by).tolist(), edge_labels(table.closed_by).tolist()
    return [
        FoundWindow(
            telescope_id=usable[table.telescope[k]].pk,
            starts_at=starts[k],
            ends_at=ends[k],
            opened_by=opened[k],
            closed_by=closed[k],
            peak_at=peaks[k],
            peak_altitude_deg=float(told.max_alt_deg[k]),
            v_mag=None if math.isnan(told.v_mag[k]) else float(told.v_mag[k]),
            rate_arcsec_min=float(told.rate_arcsec_min[k]),
            ra_deg=float(told.ra_deg[k, 1]),
            dec_deg=float(told.dec_deg[k, 1]),
        )
        for k in range(table.n)
    ]


def joint_windows_of(
    target: Target,
    telescopes: Sequence[Telescope],
    span: Span,
    *,
    min_sites: int = 2,
    least_minutes: float = 0.0,
    astrometric_error_arcsec: float = ASTROMETRIC_ERROR_ARCSEC,
    timing_error_s: float = 0.0,
    uncertainty: Uncertainty | None = None,
    with_closures: bool = True,
) -> list[JointWindow]:
    """All maximal intervals in which telescopes of at least so many sites can observe, in order of time.

    uncertainty: 1-sigma semi-major axes at given times, in place of what is known of the orbit. Raises DomainError as
    `windows_on_demand`, and for numbers that make no sense.
    """
    _require(min_sites >= 1, "min_sites", min_sites, "a whole number from 1")
    _require(least_minutes >= 0.0, "least_minutes", least_minutes, "0 or more")
    errors = _errors(astrometric_error_arcsec, timing_error_s)
    usable = _active(telescopes)
    if not usable:
        return []
    return joint_windows_in(
        search_of(target, usable, span, with_closures=with_closures),
        [telescope.pk for telescope in usable],
        min_sites=min_sites,
        least_minutes=least_minutes,
        errors=errors,
        field_arcsec=[3600.0 * min(t.field_width_deg, t.field_height_deg) for t in usable],
        uncertainty=uncertainty,
    )


def relay_of(
    target: Target,
    telescopes: Sequence[Telescope],
    span: Span,
    *,
    handover_minutes: float = HANDOVER_MINUTES,
    least_minutes: float = 0.0,
    rotation_period_h: float | None = None,
    further_telescopes: Sequence[Telescope] = (),
    further_observatories: Sequence[Observatory] = (),
    with_closures: bool = True,
) -> RelayChain:
    """The relay over a span. Who could fill its gaps: further_telescopes with their limits and closures,
    further_observatories with the usual limits. Raises DomainError as `windows_on_demand`.
    """
    _require(handover_minutes >= 0.0, "handover_minutes", handover_minutes, "0 or more")
    _require(least_minutes >= 0.0, "least_minutes", least_minutes, "0 or more")
    if rotation_period_h is not None:
        possible = math.isfinite(rotation_period_h) and rotation_period_h > 0.0
        _require(possible, "rotation_period_h", rotation_period_h, "more than 0")
    inside = {telescope.pk for telescope in telescopes}
    usable = _active(telescopes)
    others = _active([telescope for telescope in further_telescopes if telescope.pk not in inside])
    outside = [Outside(str(one.name), telescope_id=one.pk, observatory_id=one.observatory_id) for one in others]
    outside += [Outside(one.name, observatory_id=one.pk) for one in further_observatories]
    bare = [_usual_telescope(observatory) for observatory in further_observatories]
    return relay_in(
        search_of(target, usable, span, with_closures=with_closures),
        [telescope.pk for telescope in usable],
        handover_minutes=handover_minutes,
        least_minutes=least_minutes,
        rotation_period_h=rotation_period_h,
        further=search_of(target, others, span, bare=bare, with_closures=with_closures) if outside else None,
        outside=outside,
    )


def last_chances_of(
    target: Target,
    telescopes: Sequence[Telescope],
    span: Span,
    *,
    actor: Actor = SYSTEM,
    with_closures: bool = True,
) -> list[Final]:
    """For each telescope, in their order, its last window in a span, and what ends the season. Reasons of closures are
    told only to an actor who may see them. Raises DomainError as `windows_on_demand`.
    """
    usable = _active(telescopes)
    found: dict[int, Final] = {}
    if usable:
        search = search_of(target, usable, span, with_closures=with_closures, actor=actor)
        found = {each.telescope_id: each for each in last_chances_in(search, [t.pk for t in usable])}
    return [found.get(telescope.pk) or _never(telescope) for telescope in telescopes]


def _never(telescope: Telescope) -> Final:
    return Final(telescope.pk, None, None, None, "", "", True, None, (STATE,), idle_text(telescope))


def search_of(
    target: Target,
    telescopes: Sequence[Telescope],
    span: Span,
    *,
    bare: Sequence[EngineTelescope] = (),
    with_closures: bool = True,
    actor: Actor = SYSTEM,
) -> Search:
    """The search behind all of these, for telescopes whatever their state; `bare` ones come after them. Raises
    DomainError as `windows_on_demand`.
    """
    engine_telescopes = [*_engine_telescopes(telescopes), *bare]
    closures = _closures(telescopes, span, actor) if with_closures else None
    rows, batch = orbit_batch([target.pk], (span.starts_at, span.ends_at))
    if not rows.orbit_id.size:
        raise DomainError(f"{target} has no orbit yet.", field="target", value=str(target))
    start, end = (_utc(instant) for instant in (span.starts_at, span.ends_at))
    _require(span.starts_at < span.ends_at, "span", f"{start}Z to {end}Z", "an end later than the start")
    try:
        observing = observe(engine_telescopes, span.start_tt_mjd, span.end_tt_mjd, planets())
    except ValueError as error:
        raise DomainError(str(error), field="span", value=f"{start}Z to {end}Z") from error
    try:
        knowledge = Knowledge(*published_knowledge([target.pk], batch))
        return Search.over(batch, observing, planets(), closures, knowledge)
    except ValueError as error:
        raise DomainError(str(error), field="target", value=str(target)) from error


def _active(telescopes: Sequence[Telescope]) -> list[Telescope]:
    return [telescope for telescope in telescopes if telescope.state == Telescope.State.ACTIVE]


def _engine_telescopes(telescopes: Sequence[Telescope]) -> list[EngineTelescope]:
    prefetch_related_objects(list(telescopes), "observatory")  # those that have it already are not asked again
    for telescope in telescopes:
        if telescope.observatory.place is None:
            raise DomainError(
                f"{telescope.name} has no fixed place ({telescope.observatory}): no windows can be computed.",
                field="telescope",
                value=telescope.pk,
            )
    return [engine_telescope(telescope) for telescope in telescopes]


def _usual_telescope(observatory: Observatory) -> EngineTelescope:
    """What an observatory could do of which no telescope is known."""
    if observatory.place is None:
        raise DomainError(
            f"{observatory} has no fixed place: no windows can be computed.", field="observatory", value=observatory.pk
        )
    return EngineTelescope(observatory.place, Limits(), observatory.name)


def _closures(telescopes: Sequence[Telescope], span: Span, actor: Actor) -> Closures:
    ids = [telescope.pk for telescope in telescopes]
    closed = list(closures_between(ids, span.starts_at, span.ends_at))
    closures = engine_closures(closed, ids)
    if not closed or actor is SYSTEM:
        return closures
    told = set(Closure.objects.visible_to(actor).filter(telescope__in=ids).values_list("pk", flat=True))
    return replace(closures, reasons=[row.reason if row.pk in told else "" for row in closed])


def _errors(astrometric_error_arcsec: float, timing_error_s: float) -> Errors:
    for field, value in (
        ("astrometric_error_arcsec", astrometric_error_arcsec),
        ("timing_error_s", timing_error_s),
    ):
        _require(math.isfinite(value) and value >= 0.0, field, value, "0 or more")
    return Errors(astrometric_error_arcsec, timing_error_s)


def _require(condition: bool, field: str, value: object, expected: str) -> None:
    if not condition:
        raise DomainError(f"{field} is {value}: expected {expected}.", field=field, value=value, expected=expected)


def _utc(instant: dt.datetime) -> np.datetime64:
    if instant.tzinfo is None:
        raise ValueError("a naive time has no place here: give it a UTC offset")
    return np.datetime64(instant.astimezone(dt.UTC).replace(tzinfo=None), "us")
