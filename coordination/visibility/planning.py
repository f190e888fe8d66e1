"""What is stale, written down as work: computations and their chunks, and the legs that carry them out.

A window is still true while the orbit, the Earth-orientation data, the numerics and the span of its ephemeris are,
and the limits of its telescope. What is not is computed again; nothing else. Where only the span has moved on, the
windows of the new nights are added.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from coordination.common import clock, events
from observatories.models import Telescope
from observatories.services import adopt_earth_orientation, telescopes_for_windows
from targets.models import Ephemeris, Target
from targets.services.ephemerides import Span, plannable_targets, planning_span, still_true_q

from . import computing, storage
from .models import Chunk, Computation, TelescopeCoverage, VisibilityWindow

logger = logging.getLogger(__name__)

CHANNEL = "window_chunks"  # PostgreSQL notifications: a chunk ended
MAX_ATTEMPTS = 3
REQUEUE_AFTER = dt.timedelta(seconds=60)


def stored_span() -> Span | None:
    """The span for which windows are stored, past nights included; None before the first computation."""
    latest = Computation.objects.filter(state=Computation.State.DONE).order_by("-ends_at").first()
    if latest is None:
        return None
    nights = [dt.datetime.combine(night, dt.time(), dt.UTC) for night in storage.partitions()]
    return Span(min([*nights, latest.starts_at]), latest.ends_at)


@dataclass(frozen=True)
class Progress:
    done: int
    total: int
    failed: int


def progress_of(computation: Computation) -> Progress:
    """How far a computation is."""
    states = list(computation.chunks.values_list("state", flat=True))
    failed = states.count(Chunk.State.FAILED)
    return Progress(done=states.count(Chunk.State.DONE) + failed, total=len(states), failed=failed)


def running_progress() -> Progress | None:
    """How far the computation under way is; None where none is."""
    running = Computation.objects.filter(state=Computation.State.RUNNING).first()
    return None if running is None else progress_of(running)


def plan() -> Computation | None:
    """Write down what is stale as one computation and queue its chunks; None where nothing is.

    While a computation runs it is returned, noted as overtaken: what has become stale meanwhile is planned when it is
    over.
    """
    from .tasks import compute_chunk

    adopt_earth_orientation()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('visibility.plan'))")
        running = Computation.objects.filter(state=Computation.State.RUNNING)
        if running.update(overtaken=True):
            return running.get()
        span = planning_span(clock.now(), settings.PLANNING_HORIZON_NIGHTS)
        telescopes = {telescope.pk: telescope for telescope in computing.plannable_telescopes()}
        _forget_windows_of_others(telescopes)
        fingerprints = computing.telescope_fingerprints(telescopes.values(), span)
        changed = _changed_telescope_ids(telescopes)
        chunks = _stale_chunks(span, telescopes, changed)
        if not chunks:
            return None
        _record_coverage(dict.fromkeys(changed, ""))  # until all their windows are computed, nothing is known of them
        storage.ensure_partitions(span.starts_at.date(), span.ends_at.date() + dt.timedelta(days=1))
        computation = Computation.objects.create(
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            inputs={"telescopes": {str(pk): fingerprint for pk, fingerprint in fingerprints.items()}},
        )
        for chunk in chunks:
            chunk.computation = computation
        for chunk in Chunk.objects.bulk_create(chunks):
            compute_chunk.delay_on_commit(chunk.pk)
        events.record("computation.planned", computation, {"chunks": len(chunks)})
        return computation


def _forget_windows_of_others(telescopes: dict[int, Telescope]) -> None:
    """A telescope that is no longer planned (retired, in maintenance) has no windows."""
    gone = list(TelescopeCoverage.objects.exclude(pk__in=telescopes).values_list("pk", flat=True))
    if gone:
        VisibilityWindow.objects.filter(telescope_id__in=gone).delete()
        TelescopeCoverage.objects.filter(pk__in=gone).delete()


def _changed_telescope_ids(telescopes: dict[int, Telescope]) -> list[int]:
    """Telescopes that are not as they were when the latest computation was planned, closures of its span included, or
    whose windows have not all been computed since they changed.
    """
    ended = Computation.objects.exclude(state=Computation.State.RUNNING).order_by("-finished_at").first()
    if ended is None:
        return list(telescopes)
    covered = set(TelescopeCoverage.objects.exclude(fingerprint="").values_list("pk", flat=True))
    now = computing.telescope_fingerprints(telescopes.values(), Span(ended.starts_at, ended.ends_at))
    then = ended.inputs["telescopes"]
    return [pk for pk, fingerprint in now.items() if pk not in covered or then.get(str(pk)) != fingerprint]


def _stale_chunks(span: Span, telescopes: dict[int, Telescope], changed: list[int]) -> list[Chunk]:
    """Stale targets x all telescopes, only their new nights where nothing but the span has changed; and, where a
    telescope changed, it x the targets that are not stale.
    """
    if not telescopes:
        return []
    stale, true_until = _stale_targets(span, computing.faintest_v_mag(list(telescopes.values())))
    unchanged = sorted(set(telescopes) - set(changed))
    whole = [pk for pk in stale if pk not in true_until]
    chunks = _chunks(whole, list(telescopes))
    for until in sorted(set(true_until.values())):
        extended = [pk for pk in stale if true_until.get(pk) == until]
        chunks += _chunks(extended, changed, unchanged, until)
    if changed:
        others = Target.objects.filter(ephemeris__blocks__isnull=False).exclude(pk__in=stale).order_by("pk")
        chunks += _chunks(list(others.values_list("pk", flat=True)), changed)
    return chunks


def _stale_targets(span: Span, faintest_v_mag: float) -> tuple[list[int], dict[int, dt.datetime]]:
    """Targets whose stored ephemeris is not the one that would be computed now; and of those for which only the span
    has moved on, until when it is true.

    By epoch, so that those with a long way to integrate are together.
    """
    plannable = plannable_targets()
    versions = computing.earth_orientation_versions(span)
    true_ids = set(plannable.filter(still_true_q(span, faintest_v_mag, versions)).values_list("pk", flat=True))
    in_order = plannable.order_by("current_orbit__epoch_tdb_jd", "pk").values_list("pk", flat=True)
    stale = [pk for pk in in_order if pk not in true_ids]
    begun = Span(span.starts_at, span.starts_at + dt.timedelta(days=1))
    still_true = plannable.filter(still_true_q(begun, faintest_v_mag, versions), ephemeris__ends_at__lt=span.ends_at)
    # Those of Horizons as a whole: its table may not reach over the new span, and then our orbit takes its place.
    still_true = still_true.exclude(ephemeris__source=Ephemeris.Source.HORIZONS)
    return stale, dict(still_true.values_list("pk", "ephemeris__ends_at"))


def _chunks(
    target_ids: Sequence[int],
    telescope_ids: Sequence[int],
    extended_telescope_ids: Sequence[int] = (),
    extended_from: dt.datetime | None = None,
) -> list[Chunk]:
    size = settings.PLANNING_CHUNK_TARGETS
    return [
        Chunk(
            target_ids=list(target_ids[start : start + size]),
            telescope_ids=list(telescope_ids),
            extended_telescope_ids=list(extended_telescope_ids),
            extended_from=extended_from,
        )
        for start in range(0, len(target_ids), size)
    ]


def run_chunk(chunk_id: int) -> None:
    """Compute one chunk, unless it is done or another worker holds it. Windows, ephemerides and the chunk's state
    change in one transaction, whose row lock is what tells others that somebody is at it.
    """
    if not _begin_attempt(chunk_id):
        return
    adopt_earth_orientation()
    try:
        with transaction.atomic():
            chunk = _lock_pending(chunk_id)
            if chunk is None:
                return
            span = Span(chunk.computation.starts_at, chunk.computation.ends_at)
            chunk.window_count = _replace_windows(chunk, span)
            _note_changed_telescopes(chunk, span)
            chunk.state = Chunk.State.DONE
            chunk.finished_at = clock.now()
            chunk.error = ""
            chunk.save()
    except Exception as error:
        Chunk.objects.filter(pk=chunk_id).update(error=f"{type(error).__name__}: {error}"[:2000])
        _give_up_if_tried_enough(chunk_id)
        raise
    finally:
        finish_computation(chunk_id)


def _replace_windows(chunk: Chunk, span: Span) -> int:
    count = 0
    if chunk.telescope_ids or not chunk.extended_telescope_ids:
        count += computing.replace_windows(chunk.target_ids, chunk.telescope_ids, span)
    if chunk.extended_telescope_ids:
        extended = chunk.extended_telescope_ids
        count += computing.replace_windows(chunk.target_ids, extended, span, chunk.extended_from)
    return count


def _note_changed_telescopes(chunk: Chunk, span: Span) -> None:
    """Take telescopes whose limits or closures are no longer the planned ones off the computation's list: what was
    found for them is not recorded as true, and the next plan computes it again.
    """
    now = computing.telescope_fingerprints(
        telescopes_for_windows(chunk.telescope_ids + chunk.extended_telescope_ids), span
    )
    planned = chunk.computation.inputs["telescopes"]
    changed = {str(pk) for pk, fingerprint in now.items() if planned.get(str(pk)) != fingerprint}
    if changed:
        computation = Computation.objects.select_for_update().get(pk=chunk.computation_id)
        telescopes = computation.inputs["telescopes"]
        computation.inputs["telescopes"] = {pk: telescopes[pk] for pk in telescopes if pk not in changed}
        computation.save(update_fields=["inputs"])


def _lock_pending(chunk_id: int) -> Chunk | None:
    pending = Chunk.objects.select_related("computation").filter(pk=chunk_id, state=Chunk.State.PENDING)
    return pending.select_for_update(skip_locked=True, of=("self",)).first()


def _begin_attempt(chunk_id: int) -> bool:
    """Count an attempt in a transaction of its own, so that one which kills its worker counts too."""
    with transaction.atomic():
        chunk = _lock_pending(chunk_id)
        if chunk is None:
            return False
        chunk.attempts += 1
        chunk.save(update_fields=["attempts"])
    if chunk.attempts > MAX_ATTEMPTS:
        _give_up_if_tried_enough(chunk_id)
        finish_computation(chunk_id)
        return False
    return True


def _give_up_if_tried_enough(chunk_id: int) -> None:
    worn_out = Chunk.objects.filter(pk=chunk_id, state=Chunk.State.PENDING, attempts__gte=MAX_ATTEMPTS)
    if worn_out.update(state=Chunk.State.FAILED, finished_at=clock.now()):
        logger.error("chunk %s failed %d times and is given up", chunk_id, MAX_ATTEMPTS)


def finish_computation(chunk_id: int) -> None:
    """Tell those who wait that a chunk ended, and close the computation with its last one."""
    computation = Computation.objects.get(chunks=chunk_id)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(computation.pk)])
        if computation.chunks.filter(state=Chunk.State.PENDING).exists():
            return
        failed = computation.chunks.filter(state=Chunk.State.FAILED).exists()
        state = Computation.State.FAILED if failed else Computation.State.DONE
        running = Computation.objects.filter(pk=computation.pk, state=Computation.State.RUNNING)
        if not running.update(state=state, finished_at=clock.now()):
            return  # another worker closed it
        if not failed:
            computation.refresh_from_db()
            planned = {int(pk): fingerprint for pk, fingerprint in computation.inputs["telescopes"].items()}
            _record_coverage(dict.fromkeys(TelescopeCoverage.objects.values_list("pk", flat=True), "") | planned)
        events.record(f"computation.{state}", computation)


def _record_coverage(fingerprints: dict[int, str]) -> None:
    """Note for which limits and closures the windows of telescopes are true; "" where they may not be."""
    existing = set(Telescope.objects.values_list("pk", flat=True))
    rows = [
        TelescopeCoverage(telescope_id=pk, fingerprint=fingerprint, computed_at=clock.now())
        for pk, fingerprint in fingerprints.items()
        if pk in existing
    ]
    TelescopeCoverage.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["telescope"], update_fields=["fingerprint", "computed_at"]
    )


def sweep() -> int:
    """Queue again the chunks whose task was lost (a flushed broker, a killed worker), but none that a worker holds."""
    from .tasks import compute_chunk

    now = clock.now()
    lost = Chunk.objects.filter(
        state=Chunk.State.PENDING, computation__state=Computation.State.RUNNING, queued_at__lt=now - REQUEUE_AFTER
    )
    with transaction.atomic():
        ids = list(lost.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
        Chunk.objects.filter(pk__in=ids).update(queued_at=now)
        for pk in ids:
            compute_chunk.delay_on_commit(pk)
    return len(ids)
