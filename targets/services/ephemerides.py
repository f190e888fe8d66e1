"""Keeping ephemerides: what is still true is read, what is not is computed and stored."""

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from django.db.models import F, Q, QuerySet
from numpy.typing import NDArray

from coordination.common import clock
from coordination.common.timescales import tt_to_tdb_mjd, utc_to_tt_mjd
from targets.models import Ephemeris, Target
from targets.orbits.blocks import EphemerisBlocks
from targets.orbits.elements import OrbitBatch
from targets.orbits.ephemeris import TAIL_ARCSEC, build_blocks
from targets.orbits.planets import MJD_ZERO_JD, Planets
from targets.orbits.prefilter import brightest_possible_v
from targets.orbits.propagation import propagate
from targets.orbits.screening import surely_fainter_than

from .ephemeris_storage import EphemerisRow, replace_ephemerides
from .orbits import orbit_batch

# Goes up whenever the numerics change a position or a magnitude: what an older version computed is stale then.
NUMERICS_VERSION = "2"

IntArray = NDArray[np.int64]
BlockGroup = tuple[IntArray, EphemerisBlocks]
LOOK_AHEAD = dt.timedelta(days=15)  # of the first decision, by two-body motion, beyond the span
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


@dataclass(frozen=True)
class CurrentEphemerides:
    """Ephemerides (n) with blocks: identifiers (n,) each, and their blocks, grouped by shape, with indices into
    these.
    """

    target_id: IntArray
    orbit_id: IntArray
    ephemeris_id: IntArray
    groups: list[BlockGroup]


@functools.cache
def planets() -> Planets:
    """The planetary kernel, read once per process."""
    return Planets(settings.PLANETARY_KERNEL or None)


def plannable_targets() -> QuerySet[Target]:
    """Targets whose positions can be computed: they have an orbit, and the planetary kernel knows its epoch."""
    first, last = (mjd + MJD_ZERO_JD for mjd in planets().span_tdb_mjd)
    return Target.objects.filter(current_orbit__epoch_tdb_jd__range=(first, last))


def still_true_q(span: Span, faintest_v_mag: float, earth_orientation: str) -> Q:
    """The condition on targets whose stored ephemeris is the one that would be computed now."""
    same_inputs = Q(
        ephemeris__orbit=F("current_orbit"),
        ephemeris__engine=NUMERICS_VERSION,
        ephemeris__earth_orientation=earth_orientation,
        ephemeris__starts_at__lte=span.starts_at,
        ephemeris__ends_at__gte=span.ends_at,
    )
    has_blocks = Q(ephemeris__blocks__isnull=False)
    too_faint = Q(ephemeris__brightest_v_mag__gt=faintest_v_mag)
    unknown = Q(ephemeris__brightest_v_mag=None)  # no H: nobody can say whether it is seen
    return same_inputs & (has_blocks | too_faint | unknown)


def refresh_ephemerides(
    target_ids: Sequence[int], span: Span, faintest_v_mag: float, earth_orientation: str
) -> CurrentEphemerides:
    """Bring the ephemerides of targets up to date, and give those that have blocks.

    Targets that stay fainter than `faintest_v_mag` get a row without blocks; without a state too where that is sure
    without integration, and then for some days more than asked. Raises SpanError where the planetary
    kernel does not cover the span.
    """
    candidates = plannable_targets().filter(pk__in=target_ids)
    still_true = still_true_q(span, faintest_v_mag, earth_orientation)
    true_ids = set(candidates.filter(still_true).values_list("pk", flat=True))
    stale_ids = sorted(set(candidates.values_list("pk", flat=True)) - true_ids)
    if stale_ids:
        _compute(stale_ids, span, faintest_v_mag, earth_orientation)
    return _stored(target_ids, span)


def _compute(target_ids: list[int], span: Span, faintest_v_mag: float, earth_orientation: str) -> None:
    """Decide by two-body motion who may be bright enough, integrate those, decide again, and store all."""
    rows, batch = orbit_batch(target_ids)
    batch = _from_stored_states(rows.target_id, rows.orbit_id, batch)
    # What stays faint for longer need not be asked again tomorrow.
    brightest = surely_fainter_than(batch, span.start_tt_mjd, span.end_tt_mjd + LOOK_AHEAD.days, planets())
    integrated = np.flatnonzero(brightest <= faintest_v_mag)
    states: dict[int, bytes] = {}
    blocks: dict[int, bytes] = {}
    if integrated.size:
        start_tdb, end_tdb = tt_to_tdb_mjd([span.start_tt_mjd, span.end_tt_mjd])
        begin = start_tdb - _LIGHT_TIME_DAYS
        trajectory = propagate(batch.take(integrated), begin, end_tdb, planets(), impacts_end=True)
        exists = np.isfinite(trajectory.state_at(start_tdb)).all(axis=1)
        brightest[integrated[~exists]] = np.nan  # fallen to the Earth before
        integrated, trajectory = integrated[exists], trajectory.take(exists)
        at_start = trajectory.batch_at(start_tdb)
        states = {int(i): at_start.state[k].astype(_STATE).tobytes() for k, i in enumerate(integrated)}
        brightest[integrated] = brightest_possible_v(at_start, span.start_tt_mjd, span.end_tt_mjd, planets())
        bright = np.flatnonzero(brightest[integrated] <= faintest_v_mag)
        days = int(np.ceil(span.end_tt_mjd - span.start_tt_mjd - 1e-6))
        paths, objects = trajectory.take(bright), at_start.take(bright)
        for index, group in build_blocks(paths, objects, span.start_tt_mjd, days, planets()) if bright.size else ():
            blocks |= {int(integrated[bright[i]]): group.to_bytes(k) for k, i in enumerate(index)}
    now = clock.now()
    replace_ephemerides(
        EphemerisRow(
            target_id=int(rows.target_id[i]),
            orbit_id=int(rows.orbit_id[i]),
            source=Ephemeris.Source.PROPAGATED.value,
            starts_at=span.starts_at,
            ends_at=span.ends_at if i in states else span.ends_at + LOOK_AHEAD,
            earth_orientation=earth_orientation,
            engine=NUMERICS_VERSION,
            accuracy_arcsec=TAIL_ARCSEC if i in blocks else None,
            brightest_v_mag=None if np.isnan(brightest[i]) else float(brightest[i]),
            state=states.get(i),
            blocks=blocks.get(i),
            computed_at=now,
        )
        for i in range(len(rows.target_id))
    )


def _from_stored_states(target_id: IntArray, orbit_id: IntArray, batch: OrbitBatch) -> OrbitBatch:
    """The batch, with those orbits continued from where an earlier ephemeris of the same solution began."""
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
        if key in stored:
            starts_at, raw = stored[key]
            epoch[i] = tt_to_tdb_mjd(utc_to_tt_mjd(starts_at))
            state[i] = np.frombuffer(raw or b"", dtype=_STATE)
    return OrbitBatch.from_state(batch.names, epoch, state, batch.h_mag, batch.g, batch.nongrav)


def _stored(target_ids: Sequence[int], span: Span) -> CurrentEphemerides:
    rows = list(
        Ephemeris.objects.filter(target_id__in=target_ids, blocks__isnull=False)
        .order_by("target_id")
        .values_list("target_id", "orbit_id", "pk", "blocks")
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
    return CurrentEphemerides(columns[:, 0], columns[:, 1], columns[:, 2], groups)
