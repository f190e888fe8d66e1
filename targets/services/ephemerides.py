"""Keeping ephemerides: what is still true is read, what is not is computed and stored."""

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import F, Q, QuerySet
from numpy.typing import NDArray

from coordination.common import clock
from coordination.common.timescales import tdb_to_tt_mjd, to_datetime, tt_mjd_to_utc, tt_to_tdb_mjd, utc_to_tt_mjd
from targets.models import Ephemeris, Target
from targets.orbits.blocks import EphemerisBlocks
from targets.orbits.elements import OrbitBatch
from targets.orbits.ephemeris import TAIL_ARCSEC, build_blocks
from targets.orbits.impacts import impact_times
from targets.orbits.outlook import Outlook, outlook
from targets.orbits.planets import MJD_ZERO_JD, Planets
from targets.orbits.prefilter import brightest_possible_v
from targets.orbits.propagation import propagate
from targets.orbits.runoff import longitude_sigma_arcsec
from targets.orbits.screening import LONGEST_DAYS, surely_fainter_than
from targets.orbits.trajectory import Trajectory
from targets.orbits.trust import Trust

from .ephemeris_storage import EphemerisRow, replace_ephemerides
from .horizons import midnights, solution_q, tdb_mjd_of
from .orbit_quality import published_knowledge
from .orbits import orbit_batch

# Goes up whenever the numerics change a position or a magnitude: what an older version computed is stale then.
NUMERICS_VERSION = "2"

IntArray = NDArray[np.int64]
BlockGroup = tuple[IntArray, EphemerisBlocks]
LOOK_AHEAD = dt.timedelta(days=15)  # of the first decision, by two-body motion, beyond the span
LOST_DEG = 10.0  # 1-sigma of the mean longitude: ten times what makes an orbit unusable
_STATE = np.dtype("<f8")
_LIGHT_TIME_DAYS = 1.0  # the trajectory starts this much earlier: light seen at the start left the target before


@dataclass(frozen=True)
class Span:
    """A half-open interval of UTC."""

    starts_at: dt.datetime
    ends_at: dt.datetime

    @property
    def start_tt_mjd(self) -> float:
        return float(utc_to_tt_mjd(self.starts_at))

    @property
    def end_tt_mjd(self) -> float:
        return float(utc_to_tt_mjd(self.ends_at))


def planning_span(now: dt.datetime, nights: int) -> Span:
    """Whole UTC days that hold, for every observatory, the night that is under way and the `nights` that follow."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Span(today - dt.timedelta(days=1), today + dt.timedelta(days=nights + 1))


@dataclass(frozen=True)
class CurrentEphemerides:
    """Ephemerides (n) with blocks: identifiers (n,) each, and their blocks, grouped by shape, with indices into
    these.
    """

    target_id: IntArray
    orbit_id: IntArray
    ephemeris_id: IntArray
    groups: list[BlockGroup]
    first_day: NDArray[np.datetime64]  # (n,) to which the first level of trust belongs
    trust_levels: list[list[int]]  # by day, see Ephemeris
    impact_tt_mjd: NDArray[np.float64]  # (n,) NaN: none

    def unusable(self, index: IntArray, day: NDArray[np.datetime64]) -> NDArray[np.bool_]:
        """Whether the orbits of ephemerides `index` are unusable on UTC days (k,): no window is to be stored then."""
        longest = max((len(levels) for levels in self.trust_levels), default=0)
        table = np.zeros((len(self.trust_levels), longest + 1), dtype=bool)
        for row, levels in zip(table, self.trust_levels, strict=True):
            row[: len(levels)] = np.array(levels, dtype=np.int64) == Trust.UNUSABLE
        place = (day.astype("datetime64[D]") - self.first_day[index]).astype(np.int64)
        return np.asarray(table[index, np.clip(place, 0, longest)])


@functools.cache
def planets() -> Planets:
    """The planetary kernel, read once per process."""
    return Planets(settings.PLANETARY_KERNEL or None)


def plannable_targets() -> QuerySet[Target]:
    """Targets whose positions can be computed: they have an orbit, and the planetary kernel knows its epoch."""
    first, last = (mjd + MJD_ZERO_JD for mjd in planets().span_tdb_mjd)
    return Target.objects.filter(current_orbit__epoch_tdb_jd__range=(first, last))


def still_true_q(span: Span, faintest_v_mag: float, earth_orientations: Sequence[str]) -> Q:
    """The condition on targets whose stored ephemeris, and what was found with it, is what would be computed now.

    `earth_orientations` are the versions of the tables that turn the Earth alike over the span, the one in use first.
    """
    same_inputs = Q(
        ephemeris__orbit=F("current_orbit"),
        ephemeris__solution=solution_q("pk", span.starts_at, span.ends_at),
        ephemeris__engine=NUMERICS_VERSION,
        ephemeris__earth_orientation__in=earth_orientations,
        ephemeris__starts_at__lte=span.starts_at,
        ephemeris__ends_at__gte=span.ends_at,
    )
    has_blocks = Q(ephemeris__blocks__isnull=False)
    too_faint = Q(ephemeris__brightest_v_mag__gt=faintest_v_mag)
    unknown = Q(ephemeris__brightest_v_mag=None)  # no H: nobody can say whether it is seen
    return same_inputs & (has_blocks | too_faint | unknown)


def refresh_ephemerides(
    target_ids: Sequence[int], span: Span, faintest_v_mag: float, earth_orientations: Sequence[str]
) -> CurrentEphemerides:
    """Bring the ephemerides of targets up to date, and give those that have blocks.

    Targets that stay fainter than `faintest_v_mag` get a row without blocks; without a state too where that is sure
    without integration, and then for some days more than asked. Raises SpanError where the planetary
    kernel does not cover the span.
    """
    candidates = plannable_targets().filter(pk__in=target_ids)
    still_true = still_true_q(span, faintest_v_mag, earth_orientations)
    true_ids = set(candidates.filter(still_true).values_list("pk", flat=True))
    stale_ids = sorted(set(candidates.values_list("pk", flat=True)) - true_ids)
    if stale_ids:
        _compute(stale_ids, span, faintest_v_mag, earth_orientations[0])
    return _stored(target_ids, span)


def _compute(target_ids: list[int], span: Span, faintest_v_mag: float, earth_orientation: str) -> None:
    """Decide by two-body motion who may be bright enough, integrate those, decide again, and store all."""
    rows, published = orbit_batch(target_ids, (span.starts_at, span.ends_at))
    solutions = ["" if table is None else table.solution for table in published.tables]
    batch = _from_stored_states(rows.target_id, rows.orbit_id, published)
    # What stays faint for longer need not be asked again tomorrow.
    brightest = surely_fainter_than(batch, span.start_tt_mjd, span.end_tt_mjd + LOOK_AHEAD.days, planets())
    brightest[_lost(rows.target_id, published, span)] = np.nan
    candidates = np.flatnonzero(brightest <= faintest_v_mag)
    found = _integrated(rows.target_id, batch, published, candidates, span, faintest_v_mag)
    brightest[candidates] = [found[i].brightest_v_mag for i in candidates.tolist()]
    now = clock.now()
    replace_ephemerides(
        EphemerisRow(
            target_id=int(rows.target_id[i]),
            orbit_id=int(rows.orbit_id[i]),
            source=(Ephemeris.Source.HORIZONS if solutions[i] else Ephemeris.Source.PROPAGATED).value,
            solution=solutions[i],
            starts_at=span.starts_at,
            ends_at=span.ends_at if i in found else span.ends_at + LOOK_AHEAD,
            earth_orientation=earth_orientation,
            engine=NUMERICS_VERSION,
            accuracy_arcsec=TAIL_ARCSEC if i in found and found[i].blocks is not None else None,
            brightest_v_mag=None if np.isnan(brightest[i]) else float(brightest[i]),
            **(found[i].fields() if i in found else {}),
            computed_at=now,
        )
        for i in range(len(rows.target_id))
    )


def _lost(target_id: IntArray, published: OrbitBatch, span: Span) -> IntArray:
    """Orbits (indices) of epochs long ago that rest on so little that nobody knows where the object is by now.

    Their path to the span is the longest, and as unusable as any place at its end.
    """
    start_tdb = float(tt_to_tdb_mjd(span.start_tt_mjd))
    old = np.flatnonzero(np.abs(published.epoch_tdb_mjd - start_tdb) > LONGEST_DAYS)
    if not old.size:
        return old
    qualities, covariances = published_knowledge(target_id[old].tolist(), published.take(old))
    sigma_arcsec = [
        longitude_sigma_arcsec(quality, epoch, start_tdb) if covariance is None else 0.0
        for quality, covariance, epoch in zip(qualities, covariances, published.epoch_tdb_mjd[old], strict=True)
    ]
    return old[np.array(sigma_arcsec) > 3600.0 * LOST_DEG]


@dataclass
class _Integrated:
    """What integration gives of one target. NaN: no brightness, as nothing is left of it or H is unknown."""

    brightest_v_mag: float = float("nan")
    state: bytes | None = None
    blocks: bytes | None = None
    impact_at: dt.datetime | None = None
    known: dict[str, Any] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """As columns of an EphemerisRow."""
        return {"state": self.state, "blocks": self.blocks, "impact_at": self.impact_at, **self.known}


def _integrated(
    target_id: IntArray,
    batch: OrbitBatch,
    published: OrbitBatch,
    candidates: IntArray,
    span: Span,
    faintest_v_mag: float,
) -> dict[int, _Integrated]:
    """Of the candidates (indices into the batch): states, and the blocks of those that become bright enough."""
    found = {i: _Integrated() for i in candidates.tolist()}
    if not candidates.size:
        return found
    start_tdb, end_tdb = tt_to_tdb_mjd([span.start_tt_mjd, span.end_tt_mjd])
    trajectory = propagate(batch.take(candidates), start_tdb - _LIGHT_TIME_DAYS, end_tdb, planets(), impacts_end=True)
    exists = np.isfinite(trajectory.state_at(start_tdb)).all(axis=1)  # others fell to the Earth before
    candidates, trajectory = candidates[exists], trajectory.take(exists)
    at_start = trajectory.batch_at(start_tdb)
    brightest = brightest_possible_v(at_start, span.start_tt_mjd, span.end_tt_mjd, planets())
    for k, i in enumerate(candidates.tolist()):
        found[i].brightest_v_mag = float(brightest[k])
        if at_start.tables[k] is None:  # else our orbit would be continued from there
            found[i].state = at_start.state[k].astype(_STATE).tobytes()
    bright = np.flatnonzero(brightest <= faintest_v_mag)
    if not bright.size:
        return found
    paths, objects, orbits = trajectory.take(bright), at_start.take(bright), published.take(candidates[bright])
    of_bright = [found[i] for i in candidates[bright].tolist()]
    days = int(np.ceil(span.end_tt_mjd - span.start_tt_mjd - 1e-6))
    groups = build_blocks(paths, objects, span.start_tt_mjd, days, planets())
    for index, group in groups:
        for k, j in enumerate(index.tolist()):
            of_bright[j].blocks = group.to_bytes(k)
    for each, known in zip(of_bright, _knowledge(target_id[candidates[bright]], orbits, objects, span), strict=True):
        each.known = known
    for j, impact_at in _impacts(orbits, paths, groups).items():
        of_bright[j].impact_at = impact_at
        if impact_at <= span.starts_at:  # nothing is to be seen any more
            of_bright[j].blocks, of_bright[j].brightest_v_mag = None, float("nan")
    return found


def _knowledge(target_id: IntArray, published: OrbitBatch, at_start: OrbitBatch, span: Span) -> list[dict[str, Any]]:
    """How well the places of n targets are known on each day of a span, as fields of Ephemeris."""
    if not target_id.size:
        return []
    (first,) = midnights(span.starts_at, 1)
    tdb = tdb_mjd_of(midnights(first, (span.ends_at - first).days + 1))
    qualities, covariances = published_knowledge(target_id.tolist(), published)
    found = outlook(at_start, published.epoch_tdb_mjd, qualities, covariances, tdb, planets())
    return [_known_fields(found, k) for k in range(target_id.size)]


def _impacts(published: OrbitBatch, trajectory: Trajectory, groups: list[BlockGroup]) -> dict[int, dt.datetime]:
    """When targets hit the Earth, by their place in the batch."""
    tdb = impact_times(published, trajectory, groups, planets())
    hit = np.flatnonzero(np.isfinite(tdb))
    utc = tt_mjd_to_utc(tdb_to_tt_mjd(tdb[hit]))
    return {int(k): to_datetime(at) for k, at in zip(hit, utc, strict=True)}


def _known_fields(found: Outlook, k: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"trust_levels": found.level[k].tolist()}
    if np.isfinite([found.major_arcsec[k], found.minor_arcsec[k], found.pa_deg[k]]).all():
        fields |= {
            "sigma_major_arcsec": np.round(found.major_arcsec[k], 4).tolist(),
            "sigma_minor_arcsec": np.round(found.minor_arcsec[k], 4).tolist(),
            "sigma_pa_deg": np.round(found.pa_deg[k], 2).tolist(),
            "sigma_flags": found.reasons[k].tolist(),
            "sigma_is_estimate": bool(found.is_estimate[k]),
        }
    return fields


def _from_stored_states(target_id: IntArray, orbit_id: IntArray, batch: OrbitBatch) -> OrbitBatch:
    """The batch, with those orbits continued from where an earlier ephemeris of the same solution began; but those of
    which there is a table.
    """
    stored = {
        (target, orbit): (starts_at, state)
        for target, orbit, starts_at, state in Ephemeris.objects.filter(
            target_id__in=target_id.tolist(), engine=NUMERICS_VERSION, state__isnull=False
        ).values_list("target_id", "orbit_id", "starts_at", "state")
    }
    if not stored:
        return batch
    epoch, state = batch.epoch_tdb_mjd.copy(), batch.state.copy()
    for i, key in enumerate(zip(target_id.tolist(), orbit_id.tolist(), strict=True)):
        if key in stored and batch.tables[i] is None:
            starts_at, raw = stored[key]
            epoch[i] = tt_to_tdb_mjd(utc_to_tt_mjd(starts_at))
            state[i] = np.frombuffer(raw or b"", dtype=_STATE)
    return replace(batch, epoch_tdb_mjd=epoch, state=state)


def _stored(target_ids: Sequence[int], span: Span) -> CurrentEphemerides:
    rows = list(
        Ephemeris.objects.filter(target_id__in=target_ids, blocks__isnull=False)
        .order_by("target_id")
        .values_list("target_id", "orbit_id", "pk", "starts_at", "trust_levels", "impact_at", "blocks")
    )
    shapes: dict[tuple[float, int], list[tuple[int, EphemerisBlocks]]] = defaultdict(list)
    for index, (*_, raw) in enumerate(rows):
        blocks = EphemerisBlocks.from_bytes(bytes(raw or b"")).covering(span.start_tt_mjd, span.end_tt_mjd)
        shapes[blocks.block_days, blocks.cirs_au.shape[2]].append((index, blocks))
    groups = [
        (np.array([index for index, _ in members]), EphemerisBlocks.stack([blocks for _, blocks in members]))
        for members in shapes.values()
    ]
    columns = np.array([row[:3] for row in rows], dtype=np.int64).reshape(-1, 3)
    impact = np.array([np.nan if row[5] is None else float(utc_to_tt_mjd(row[5])) for row in rows], dtype=float)
    first_day = np.array([row[3].date() for row in rows], dtype="datetime64[D]")
    return CurrentEphemerides(
        columns[:, 0], columns[:, 1], columns[:, 2], groups, first_day, [row[4] or [] for row in rows], impact
    )
