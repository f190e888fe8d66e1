"""Object observability (IVOA ObjObsSAP): when the telescopes here can observe a target, or a place on the sky."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import ExpressionWrapper, F, QuerySet, Value
from django.db.models.fields import DurationField
from django.db.models.functions import Greatest, Least

from coordination.common import clock
from coordination.common.actors import Actor
from coordination.common.problems import DomainError
from coordination.common.votable import REAL, TEXT, Column, Parameter
from coordination.visibility import quality
from coordination.visibility.computing import ENGINE_VERSION, plannable_telescopes
from coordination.visibility.fixed_positions import windows_of_position
from coordination.visibility.models import VisibilityWindow
from coordination.visibility.planning import stored_span
from observatories.models import Telescope
from targets.orbits.trust import Trust
from targets.services import resolve
from targets.services.ephemerides import Span, planning_span

from . import dali
from .facilities import called, facility

STANDARD_ID = "ivo://ivoa.net/std/ObjObsSAP#query-0.3"
DEFAULT_ROWS, MOST_ROWS = 1000, 10_000
BACK = dt.timedelta(days=1)

PARAMETERS = (
    Parameter("POS", "Place on the sky, ra,dec in ICRS degrees, such as 52,-27.8. This or TARGET.", ucd="pos.eq"),
    Parameter("TARGET", "Any designation of an asteroid or comet, such as 99942 or 2004 MN4. This or POS."),
    Parameter("TIME", "t0/t1, MJD in UTC; an open start is now.", unit="d", ucd="time.interval"),
    Parameter("MIN_OBS", "Observable for so long at least.", kind=REAL, unit="s", ucd="time.duration"),
    Parameter("FACILITY", "MPC code, observatory or telescope, as in the answer; may be repeated.", ucd="instr.tel"),
    Parameter("MAXREC", f"Most rows; default {DEFAULT_ROWS}, never more than {MOST_ROWS}."),
    Parameter("RESPONSEFORMAT", "votable."),
)
KNOWN = frozenset(parameter.name for parameter in PARAMETERS)

_TIME = "Char.TimeAxis.Coverage"
_COLUMNS = (
    Column("t_validity", REAL, "When the answer may be another", "d", "time.validity", f"{_TIME}.Time", True),
    Column("t_start", REAL, "Start", "d", "time.start", f"{_TIME}.Bounds.Limits.StartTime", True),
    Column("t_stop", REAL, "End", "d", "time.end", f"{_TIME}.Bounds.Limits.StopTime", True),
    Column("t_observability", REAL, "Duration", "s", "time.duration", f"{_TIME}.Support.Extent"),
    Column(
        "validity_accuracy",
        TEXT,
        "HIGH: the orbit is good on that night, or a place on the sky; MEDIUM: fair; LOW: poor",
    ),
    Column("validity_predictor", TEXT, "What computed it", ucd="meta.id;meta.software"),
    Column("elevation_max", REAL, "Greatest altitude, without refraction", "deg", "pos.az.alt;stat.max"),
    Column("facility", TEXT, "Telescope and observatory", ucd="meta.id;instr.tel"),
)
_TARGET_NAME = Column("target_name", TEXT, "Primary designation", ucd="meta.id;src")
_ACCURACY = {Trust.GOOD: "HIGH", Trust.FAIR: "MEDIUM"}
_PREDICTOR = f"neo-coordination {ENGINE_VERSION}"


@dataclass(frozen=True)
class Answer:
    columns: Sequence[Column]
    rows: list[dict[str, Any]]
    overflow: bool
    latest: dt.datetime  # nothing is told of what comes later

    @property
    def infos(self) -> dict[str, str]:
        return {"T_MAX_HARD_LIMIT": f"{dali.to_mjd(self.latest):.6f}"}


@dataclass(frozen=True)
class _Asked:
    span: Span | None  # None: wholly outside of what is told
    latest: dt.datetime
    min_obs: dt.timedelta
    most: int


def query(given: dali.Parameters, actor: Actor) -> Answer:
    """What is asked for, for whoever asks. Raises DomainError."""
    dali.require_known(given, KNOWN)
    dali.response_format(given, [dali.VOTABLE])
    place, designation = dali.position(given), dali.one(given, "TARGET")
    if (place is None) == (designation is None):
        raise DomainError("Give POS=ra,dec or TARGET=designation, one of the two.", field="POS")
    asked = _asked(given, stored=designation is not None)
    if place is not None:
        return _of_position(place, asked, _telescopes(given))
    assert designation is not None
    return _of_target(designation, asked, actor, _telescopes(given) if "FACILITY" in given else None)


def _asked(given: dali.Parameters, *, stored: bool) -> _Asked:
    now = clock.now()
    known = (stored_span() if stored else None) or planning_span(now, settings.PLANNING_HORIZON_NIGHTS)
    earliest = known.starts_at if stored else now - BACK
    start, end = dali.time_range(given, now)
    start, end = max(start or now, earliest), min(end or known.ends_at, known.ends_at)
    shortest = dali.one(given, "MIN_OBS")
    seconds = 0.0 if shortest is None else dali.number("MIN_OBS", shortest, 0.0, 1e9)
    return _Asked(
        span=Span(start, end) if start < end else None,
        latest=known.ends_at,
        min_obs=dt.timedelta(seconds=seconds),
        most=dali.maxrec(given, DEFAULT_ROWS, MOST_ROWS),
    )


def _telescopes(given: dali.Parameters) -> list[Telescope]:
    """Those in use, or those of them that FACILITY names."""
    telescopes, names = plannable_telescopes(), given.get("FACILITY", [])
    return called(names, telescopes) if names else telescopes


def _of_target(designation: str, asked: _Asked, actor: Actor, telescopes: Sequence[Telescope] | None) -> Answer:
    """From the stored windows: five queries at most."""
    target = resolve(designation, actor)
    columns = (_TARGET_NAME, *_COLUMNS)
    if asked.span is None:
        return Answer(columns, [], False, asked.latest)
    start, end = asked.span.starts_at, asked.span.ends_at
    windows: QuerySet[VisibilityWindow] = VisibilityWindow.objects.visible_to(actor).filter(target=target)
    windows = windows.filter(ends_at__gt=start, starts_at__lt=end).filter(
        night_ends_on__range=(start.date(), end.date() + dt.timedelta(days=2))
    )
    if telescopes is not None:
        windows = windows.filter(telescope__in=[telescope.pk for telescope in telescopes])
    from_, until = Greatest(F("starts_at"), Value(start)), Least(F("ends_at"), Value(end))
    windows = windows.annotate(
        from_=from_,
        until=until,
        lasts=ExpressionWrapper(until - from_, output_field=DurationField()),
    ).filter(lasts__gte=asked.min_obs)
    windows = quality.with_quality(windows).select_related("telescope__observatory").order_by("starts_at", "id")
    found: list[Any] = list(windows[: asked.most + 1])
    rows = [
        {
            "target_name": target.designation,
            **_row(window.from_, window.until, window.peak_altitude_deg, facility(window.telescope)),
            "validity_accuracy": _ACCURACY.get(window.trust, "LOW"),
        }
        for window in found[: asked.most]
    ]
    return Answer(columns, rows, len(found) > asked.most > 0, asked.latest)


def _of_position(place: tuple[float, float], asked: _Asked, telescopes: Sequence[Telescope]) -> Answer:
    """Computed now. Two queries."""
    if asked.span is None or not asked.most:
        return Answer(_COLUMNS, [], False, asked.latest)
    by_id = {telescope.pk: telescope for telescope in telescopes}
    windows = [
        window
        for window in windows_of_position(*place, telescopes, asked.span)
        if window.ends_at - window.starts_at >= asked.min_obs
    ]
    windows.sort(key=lambda window: (window.starts_at, window.telescope_id))
    rows = [
        _row(window.starts_at, window.ends_at, window.peak_altitude_deg, facility(by_id[window.telescope_id]))
        for window in windows[: asked.most]
    ]
    return Answer(_COLUMNS, rows, len(windows) > asked.most, asked.latest)


def _row(starts_at: dt.datetime, ends_at: dt.datetime, altitude_deg: float, where: str) -> dict[str, Any]:
    """It holds until the planning moves on, at the next midnight UTC."""
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    return {
        "t_validity": dali.to_mjd(midnight),
        "t_start": dali.to_mjd(starts_at),
        "t_stop": dali.to_mjd(ends_at),
        "t_observability": (ends_at - starts_at).total_seconds(),
        "validity_accuracy": "HIGH",
        "validity_predictor": _PREDICTOR,
        "elevation_max": round(altitude_deg, 4),
        "facility": where,
    }
