"""Windows asked for with constraints of their own: found at once where that is little work, else written down as a
computation whose parts workers carry out. A killed worker's part is nobody's at once; the sweeper queues it again.
"""

import datetime as dt
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from coordination.common import clock
from coordination.common.actors import PartnerSystem, actor_of, person_of
from coordination.common.problems import ConflictError, DomainError, UnknownError
from coordination.common.timescales import tt_to_tdb_mjd
from observatories.people import Principal
from observatories.sites.earth_orientation import EarthOrientation
from targets.models import Target
from targets.services.ephemerides import Span, planets

from .models import ComputationPart, ComputedWindow, WindowComputation
from .on_demand import Found, PlaceAsked, windows_of
from .planning import MAX_ATTEMPTS, REQUEUE_AFTER

logger = logging.getLogger(__name__)
State, PartState = WindowComputation.State, ComputationPart.State

# Work is counted in nights: of one target at one place.
MOST_AT_ONCE, MOST_TARGETS_AT_ONCE = 1_000, 20
MOST_NIGHTS = 1_000_000
MOST_UNDER_WAY = 3  # for one caller
_NIGHTS_OF_PART, _TARGETS_OF_PART = 10_000, 50
_ROWS_AT_ONCE = 2000


@dataclass(frozen=True)
class Asked:
    """What windows are asked for."""

    targets: Sequence[Target]
    places: Sequence[PlaceAsked]
    span: Span
    with_closures: bool = True

    @property
    def nights_of_target(self) -> int:
        return len(self.places) * max(1, math.ceil((self.span.ends_at - self.span.starts_at) / dt.timedelta(days=1)))

    @property
    def nights(self) -> int:
        return len(self.targets) * self.nights_of_target

    @property
    def is_little(self) -> bool:
        return self.nights <= MOST_AT_ONCE and len(self.targets) <= MOST_TARGETS_AT_ONCE


def require_computable(span: Span) -> None:
    """Raises DomainError for a span outside the planetary kernel or the known rotation of the Earth, naming what is
    covered.
    """
    ends = [span.start_tt_mjd, span.end_tt_mjd]
    try:
        planets().require(*tt_to_tdb_mjd(ends))
        EarthOrientation.from_astropy().check(ends)
    except ValueError as error:
        raise DomainError(str(error), field="before", value=span.ends_at.isoformat()) from error


def find_at_once(asked: Asked) -> Found:
    """The windows, by start; the span is one that can be computed."""
    found = windows_of([target.pk for target in asked.targets], asked.places, asked.span, asked.with_closures)
    targets = {target.pk: target for target in asked.targets}
    for window in found.windows:
        window.target = targets[window.target_id]
    found.windows.sort(key=lambda window: window.starts_at)
    return found


def ask(asked: Asked, *, actor: Principal) -> WindowComputation:
    """Write the work down and queue it. Raises ConflictError where enough of the caller's is under way, DomainError for
    too much work.
    """
    from .tasks import compute_part

    if asked.nights > MOST_NIGHTS:
        raise DomainError(
            f"{asked.nights} nights (targets x places x days): expected at most {MOST_NIGHTS} nights at once.",
            field="targets", value=len(asked.targets), expected=f"at most {MOST_NIGHTS} nights",
        )  # fmt: skip
    owner = {"organisation_id": actor.organisation_id} if isinstance(actor, PartnerSystem) else {
        "requested_by": person_of(actor)
    }  # fmt: skip
    with transaction.atomic():
        _require_few_under_way(owner)
        now = clock.now()
        computation = WindowComputation.objects.create(
            **owner,
            starts_at=asked.span.starts_at,
            ends_at=asked.span.ends_at,
            places=[place.as_json() for place in asked.places],
            with_closures=asked.with_closures,
            created_at=now,
            expires_at=now + dt.timedelta(days=settings.WINDOW_COMPUTATION_RETENTION_DAYS),
        )
        ids = [target.pk for target in asked.targets]
        size = max(1, min(_TARGETS_OF_PART, _NIGHTS_OF_PART // asked.nights_of_target))
        parts = [
            ComputationPart(computation=computation, target_ids=ids[k : k + size]) for k in range(0, len(ids), size)
        ]
        for part in ComputationPart.objects.bulk_create(parts):
            compute_part.delay_on_commit(part.pk)
    return computation


def _require_few_under_way(owner: dict[str, Any]) -> None:
    """Under a lock of the caller: two requests at once do not both find room."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"visibility.ask {owner}"])
    count = WindowComputation.objects.under_way().filter(**owner).count()
    if count >= MOST_UNDER_WAY:
        raise ConflictError(
            f"{count} of your computations are under way: wait for one to end, or cancel it.",
            code="too-many-computations",
        )


def cancel(computation_id: int, *, actor: Principal) -> None:
    """Stop a computation: what is not begun is not computed, what a worker is at is not kept; its windows are deleted.
    Raises ConflictError where it is over, UnknownError where the caller does not see it.
    """
    with transaction.atomic():
        computation = WindowComputation.objects.visible_to(actor_of(actor)).filter(pk=computation_id).first()
        if computation is None:
            raise UnknownError(f"There is no computation {computation_id}.", field="computation", value=computation_id)
        if not _move(computation_id, State.CANCELLED):
            computation.refresh_from_db()
            raise ConflictError(f"The computation is {computation.state}.", state=computation.state)
        ComputedWindow.objects.filter(computation=computation_id).delete()


def _move(computation_id: int, to: str) -> bool:
    """Whether the state could be changed."""
    sources = [state for state, following in WindowComputation.TRANSITIONS.items() if to in following]
    ended_at = None if to == State.RUNNING else clock.now()
    movable = WindowComputation.objects.filter(pk=computation_id, state__in=sources)
    return bool(movable.update(state=to, finished_at=ended_at))


def run_part(part_id: int) -> None:
    """Compute one part, unless it is done, another worker holds it, or the computation is over. Windows and the part's
    state change in one transaction.
    """
    computation_id = _begin_attempt(part_id)
    if computation_id is None:
        return
    try:
        with transaction.atomic():
            part = _lock_pending(part_id)
            if part is not None:
                _compute(part)
    except Exception as error:
        ComputationPart.objects.filter(pk=part_id).update(error=f"{type(error).__name__}: {error}"[:2000])
        _give_up_if_tried_enough(part_id)
        raise
    finally:
        _finish(computation_id)


def _compute(part: ComputationPart) -> None:
    of = part.computation
    places = [PlaceAsked(**place) for place in of.places]
    found = windows_of(part.target_ids, places, Span(of.starts_at, of.ends_at), of.with_closures)
    computation = WindowComputation.objects.select_for_update().get(pk=of.pk)
    if computation.state not in WindowComputation.UNDER_WAY:
        return  # cancelled meanwhile
    for window in found.windows:
        window.computation = computation
    ComputedWindow.objects.bulk_create(found.windows, batch_size=_ROWS_AT_ONCE)
    computation.left_out += [{"target": pk, "reason": reason} for pk, reason in found.left_out.items()]
    computation.save(update_fields=["left_out"])
    part.state, part.error = PartState.DONE, ""
    part.save(update_fields=["state", "error"])


def _lock_pending(part_id: int) -> ComputationPart | None:
    pending = ComputationPart.objects.select_related("computation").filter(
        pk=part_id, state=PartState.PENDING, computation__state__in=WindowComputation.UNDER_WAY
    )
    return pending.select_for_update(skip_locked=True, of=("self",)).first()


def _begin_attempt(part_id: int) -> int | None:
    """Count an attempt in a transaction of its own, so that one which kills its worker counts too; the computation."""
    with transaction.atomic():
        part = _lock_pending(part_id)
        if part is None:
            return None
        part.attempts += 1
        part.save(update_fields=["attempts"])
    _move(part.computation_id, State.RUNNING)
    if part.attempts > MAX_ATTEMPTS:
        _give_up_if_tried_enough(part_id)
        _finish(part.computation_id)
        return None
    return part.computation_id


def _give_up_if_tried_enough(part_id: int) -> None:
    worn_out = ComputationPart.objects.filter(pk=part_id, state=PartState.PENDING, attempts__gte=MAX_ATTEMPTS)
    if worn_out.update(state=PartState.FAILED):
        logger.error("part %s of a window computation failed %d times and is given up", part_id, MAX_ATTEMPTS)


def _finish(computation_id: int) -> None:
    """Close the computation with its last part."""
    parts = ComputationPart.objects.filter(computation=computation_id)
    if not parts.filter(state=PartState.PENDING).exists():
        failed = parts.filter(state=PartState.FAILED).exists()
        _move(computation_id, State.FAILED if failed else State.DONE)


def sweep() -> int:
    """Queue again the parts whose task was lost, but none that a worker holds; how many."""
    from .tasks import compute_part

    now = clock.now()
    lost = ComputationPart.objects.filter(
        state=PartState.PENDING,
        computation__state__in=WindowComputation.UNDER_WAY,
        queued_at__lt=now - REQUEUE_AFTER,
    )
    with transaction.atomic():
        ids = list(lost.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
        ComputationPart.objects.filter(pk__in=ids).update(queued_at=now)
        for pk in ids:
            compute_part.delay_on_commit(pk)
    return len(ids)


def remove_expired(now: dt.datetime) -> int:
    """Delete computations whose time is over, with their windows; how many. One under way is stopped with it."""
    expired = WindowComputation.objects.filter(expires_at__lt=now)
    for computation in expired:
        computation.delete()
    return len(expired)
