"""Our positions of tracked targets held against those of JPL Horizons, and what follows from it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from numpy.typing import NDArray

from coordination.common import clock, events
from coordination.common.timescales import tdb_to_tt_mjd, to_datetime, tt_mjd_to_utc, tt_to_tdb_mjd
from targets.models import Designation, EphemerisComparison, HorizonsTable, Orbit, Target
from targets.models.horizons import AROUND
from targets.orbits.elements import OrbitBatch
from targets.orbits.ephemeris import build_blocks
from targets.orbits.outlook import Outlook, outlook
from targets.orbits.propagation import propagate
from targets.orbits.tabulated import StateTable
from targets.tracking import tracked_targets

from .ephemerides import Span, planets, plannable_targets, planning_span
from .horizons import in_use, midnights, tdb_mjd_of, tell_if_changed
from .orbit_quality import published_knowledge
from .orbits import orbit_batch

# A little less than the hour and the day, as in `refreshing`.
AGAIN_AFTER, EVERY = dt.timedelta(minutes=50), dt.timedelta(hours=22)
SPARE = dt.timedelta(days=4)  # for which a table still reaches over the horizon where Horizons does not answer
SIGMAS = 3.0
_ARCSEC = np.radians(1.0 / 3600.0)
_DAY, _HOUR_D = dt.timedelta(days=1), 1.0 / 24.0

FloatArray = NDArray[np.float64]


def compared_span(now: dt.datetime) -> Span:
    """The days of the planning horizon."""
    return planning_span(now, settings.PLANNING_HORIZON_NIGHTS)


def asked_span(span: Span) -> Span:
    """Of the table that is asked for, so that it reaches over a span, today and for some days to come."""
    return Span(span.starts_at - AROUND - _DAY, span.ends_at + AROUND + SPARE)


def due_targets() -> QuerySet[Target]:
    """Tracked targets that have positions, or whose orbit says too little for any, or for which Horizons was chosen:
    once a day; after an hour where that failed or the orbit is another one; at once where a table is missing.
    """
    now = clock.now()
    # Without H nobody knows how bright it is; nor is that computed where the orbit is lost.
    wanted = Q(ephemeris__blocks__isnull=False) | Q(ephemeris__isnull=False, ephemeris__brightest_v_mag=None)
    wanted |= Q(ephemeris_source=Target.EphemerisSource.HORIZONS)
    before = "ephemeris_comparison__"
    again = ~Q(**{f"{before}problem": ""}) | ~Q(**{f"{before}orbit": F("current_orbit")})
    due = Q(ephemeris_comparison=None) | Q(**{f"{before}asked_at__lte": now - EVERY})
    due |= again & Q(**{f"{before}asked_at__lte": now - AGAIN_AFTER})
    due |= Q(ephemeris_source=Target.EphemerisSource.HORIZONS, horizons_table=None, ephemeris_comparison__problem="")
    # A temporary designation is none that Horizons knows.
    known = Q(pk__in=Designation.objects.exclude(kind=Designation.Kind.TEMPORARY).values("target_id"))
    tracked = plannable_targets().filter(pk__in=tracked_targets().values("pk"))
    return tracked.filter(known & wanted & due).order_by(f"{before}asked_at", "pk")


@dataclass(frozen=True)
class Comparison:
    """Our path of a target against that of a table. Arrays (n_t,): times, the angle between the geocentric places, and
    what is allowed.

    What is allowed is the tolerance of the settings, or three times our 1-sigma error where that is more: two solutions
    may differ by as much as they are uncertain. Where both are the same solution only the numerics can differ, and
    that is no excuse.
    """

    orbit_id: int
    solution: str
    span: Span
    tdb_mjd: FloatArray
    difference_arcsec: FloatArray
    tolerance_arcsec: FloatArray
    is_unusable: bool
    awaits_orbit: bool  # Horizons computes from another solution of JPL than ours, and SBDB was not asked for it since

    @property
    def worst(self) -> int:
        """The instant of the difference that is the largest part of what is allowed."""
        return int(np.argmax(self.difference_arcsec / self.tolerance_arcsec))

    @property
    def is_within(self) -> bool | None:
        """Whether all is within what is allowed; None where our orbit is unusable, so that nothing is promised, or
        where a newer one is to be had first.
        """
        is_judged = not (self.is_unusable or self.awaits_orbit)
        return bool((self.difference_arcsec <= self.tolerance_arcsec).all()) if is_judged else None

    @property
    def worst_at(self) -> dt.datetime:
        return to_datetime(tt_mjd_to_utc(tdb_to_tt_mjd(self.tdb_mjd[[self.worst]]))[0])

    def in_words(self) -> str:
        """For people."""
        return (
            f"{self.difference_arcsec[self.worst]:.2f} arcsec from Horizons ({self.solution}) at "
            f"{self.worst_at:%Y-%m-%d %H:%M}Z, where {self.tolerance_arcsec[self.worst]:.2f} are allowed"
        )

    def fields(self) -> dict[str, Any]:
        """As columns of an EphemerisComparison."""
        k = self.worst
        return {
            "orbit_id": self.orbit_id,
            "solution": self.solution,
            "starts_at": self.span.starts_at,
            "ends_at": self.span.ends_at,
            "difference_arcsec": round(float(self.difference_arcsec[k]), 4),
            "difference_at": self.worst_at,
            "start_difference_arcsec": round(float(self.difference_arcsec[0]), 4),
            "tolerance_arcsec": round(float(self.tolerance_arcsec[k]), 4),
            "awaits_orbit": self.awaits_orbit,
        } | ({} if self.awaits_orbit else {"is_within": self.is_within})


def compare(target: Target, table: StateTable, span: Span) -> Comparison:
    """Our current orbit of a target against a table that reaches over the span. Raises SpanError."""
    rows, batch = orbit_batch([target.pk])
    (orbit_id,) = rows.orbit_id.tolist()
    days = round((span.ends_at - span.starts_at) / _DAY)
    start, end = span.start_tt_mjd, span.start_tt_mjd + days
    tt = np.linspace(start, end, round(days / _HOUR_D) + 1)
    tdb = np.asarray(tt_to_tdb_mjd(tt))
    known = _outlook(target, batch, span)
    ours, theirs = (_directions(each, span, days, tt) for each in (batch, batch.with_table(0, table)))
    chord = np.linalg.norm(ours - theirs, axis=1)
    difference = 2.0 * np.arcsin(np.minimum(0.5 * chord, 1.0)) / _ARCSEC
    tolerance = np.full(tt.shape, settings.HORIZONS_TOLERANCE_ARCSEC)
    ours_at_jpl = _jpl_solution(orbit_id)
    if ours_at_jpl != table.solution:
        sigma = np.nan_to_num(known.major_arcsec[0, known.nearest(tdb)])
        tolerance = np.maximum(tolerance, SIGMAS * sigma)
    awaits_orbit = ours_at_jpl not in ("", table.solution) and not _asked_since(target.pk, orbit_id, table.solution)
    is_unusable = bool(known.unusable.any())
    return Comparison(orbit_id, table.solution, span, tdb, difference, tolerance, is_unusable, awaits_orbit)


def _directions(batch: OrbitBatch, span: Span, days: int, tt: FloatArray) -> FloatArray:
    """Unit vectors (n_t, 3) to the one object, through the blocks that windows rest on."""
    start, end = (float(tt_to_tdb_mjd(each)) for each in (span.start_tt_mjd, span.start_tt_mjd + days))
    path = propagate(batch, start - 1.0, end + 1.0, planets())
    ((_, blocks),) = build_blocks(path, batch, span.start_tt_mjd, days, planets())
    cirs = blocks.evaluate(tt)[0][0]
    return np.asarray(cirs / np.linalg.norm(cirs, axis=1, keepdims=True))


def _outlook(target: Target, batch: OrbitBatch, span: Span) -> Outlook:
    """How well our orbit is known on the days of a span."""
    days = tdb_mjd_of(midnights(span.starts_at, (span.ends_at - span.starts_at).days + 1))
    near = propagate(batch, float(days[0]), float(days[0]), planets()).batch_at(float(days[0]))
    qualities, covariances = published_knowledge([target.pk], batch)
    return outlook(near, batch.epoch_tdb_mjd, qualities, covariances, days, planets())


def _jpl_solution(orbit_id: int) -> str:
    """What JPL calls the solution of an orbit of ours; empty where it comes from elsewhere."""
    source, reference = Orbit.objects.values_list("source", "reference").get(pk=orbit_id)
    return reference.split(" ")[0] if source == Orbit.Source.SBDB else ""


def _asked_since(target_id: int, orbit_id: int, solution: str) -> bool:
    """Whether SBDB has answered since Horizons is known to compute from a solution that is not that of our orbit: where
    it still gives ours then, the difference stands.
    """
    known = EphemerisComparison.objects.filter(target=target_id, orbit=orbit_id, solution=solution)
    return known.filter(target__orbit_check__answered_at__gt=F("compared_at")).exists()


def needs_table(target: Target, comparison: Comparison) -> bool:
    """Whether the table of Horizons takes, or may take, the place of our orbit."""
    source = Target.EphemerisSource(target.ephemeris_source)
    if source == Target.EphemerisSource.AUTOMATIC:
        return comparison.is_unusable
    return source == Target.EphemerisSource.HORIZONS


@dataclass(frozen=True)
class Fetched:
    """A table as Horizons gave it for a span of whole days, with 1-sigma for each of them."""

    table: StateTable
    span: Span
    step: str
    sigma_arcsec: list[float]


@transaction.atomic
def take_comparison(target_id: int, comparison: Comparison, fetched: Fetched | None) -> bool:
    """Store what came of it, and the table where it may be needed; whether the verdict changed, or where positions come
    from. Who follows the target is told of a verdict when it changes. Nothing is stored where the orbit is another one
    by now: the next run compares that.
    """
    target = Target.objects.select_for_update(no_key=True).get(pk=target_id)
    if target.current_orbit_id != comparison.orbit_id:
        return False
    before, verdict_before = in_use(target_id), _verdict(target_id)
    said = comparison.fields()
    EphemerisComparison.objects.update_or_create(
        target=target, defaults={"asked_at": clock.now(), "compared_at": clock.now(), "problem": "", **said}
    )
    if fetched is None:
        HorizonsTable.objects.filter(target=target).delete()
    else:
        _store(target, comparison, fetched)
    tell_if_changed(target, before)
    return _tell_verdict(target, verdict_before, said) or in_use(target_id) != before


def _store(target: Target, comparison: Comparison, fetched: Fetched) -> None:
    HorizonsTable.objects.update_or_create(
        target=target,
        defaults={
            "solution": fetched.table.solution,
            "starts_at": fetched.span.starts_at,
            "ends_at": fetched.span.ends_at,
            "step": fetched.step,
            "rows": fetched.table.rows_to_bytes(),
            "error_arcsec": fetched.table.error_arcsec(planets()),
            "sigma_arcsec": fetched.sigma_arcsec,
            "unusable_orbit_id": comparison.orbit_id if comparison.is_unusable else None,
            "fetched_at": clock.now(),
        },
    )


def _verdict(target_id: int) -> bool | None:
    return EphemerisComparison.objects.filter(target=target_id).values_list("is_within", flat=True).first()


def _tell_verdict(target: Target, before: bool | None, said: dict[str, Any]) -> bool:
    now = said.get("is_within")  # absent while a newer orbit is awaited: what was said before stands until then
    if now is None or now == before or (now and before is None):  # that all is well from the beginning is no news
        return False
    told = {name: said[name] for name in ("solution", "difference_arcsec", "tolerance_arcsec")}
    kind = "target.ephemeris_agrees" if now else "target.ephemeris_differs"
    events.record(kind, target, {"target": target.pk, **told})
    return True


def note_problem(target_id: int, problem: object) -> None:
    """Note that asking gave nothing; what was found before stays."""
    EphemerisComparison.objects.update_or_create(
        target_id=target_id, defaults={"asked_at": clock.now(), "problem": str(problem)[:2000]}
    )


def differing() -> QuerySet[EphemerisComparison]:
    """The alarms: targets whose positions differ from those of Horizons by more than what is allowed."""
    return EphemerisComparison.objects.filter(is_within=False)
