"""Reading events: each reader hears of every event once, in order, and what it does about it commits with its cursor.

A room registers its reader in `AppConfig.ready`:

    following.subscribe("notices", handle)     # handle(events) gets a batch, in order, inside a transaction

A Celery task is queued when an event commits; the sweeper is behind it for what the broker lost.
"""

import datetime as dt
import logging
from collections.abc import Callable, Sequence

from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection, transaction

from . import clock
from .models import Event, EventCursor, EventFailure

logger = logging.getLogger(__name__)

Handler = Callable[[Sequence[Event]], None]

BATCH = 100
MAX_ATTEMPTS = 5
FIRST_PAUSE = dt.timedelta(seconds=10)  # three times as long after each failure: about seven minutes in all

WAKING = "events.waking"

_handlers: dict[str, Handler] = {}


def subscribe(reader: str, handler: Handler) -> None:
    """Have `handler` called with every event, under the name of a reader that must never change. A new reader begins
    with the first event that is stored. The handler does all it does in the database: it may be called again with the
    same events, but only after everything it did for them has been rolled back.
    """
    _handlers[reader] = handler


def readers() -> list[str]:
    return list(_handlers)


def wake_readers_on_commit() -> None:
    """Queue the task that wakes the readers, once, when the transaction under way commits."""
    if not any(_wake_readers in registered for registered in connection.run_on_commit):
        # robust: what is written is written, whether the broker can be reached or not. The sweeper makes up for it.
        transaction.on_commit(_wake_readers, robust=True)


def _wake_readers() -> None:
    """One task waiting is enough, and asking for it costs a writer a third of queueing one more. The task takes the
    mark away before it begins; where it is lost, the mark ends when the sweeper comes.
    """
    from .tasks import wake_readers

    if cache.add(WAKING, True, timeout=30):
        wake_readers.delay()


def follow(reader: str, handler: Handler | None = None, limit: int = BATCH) -> int:
    """Handle what the reader has not read yet, in batches of a transaction each; the number of events.

    Returns at once if somebody else is reading under this name, or if the next event has failed and waits for its next
    attempt: what comes after it waits too, until it succeeds or is set aside.
    """
    handler = handler or _handlers[reader]
    total, may_go_on = 0, True
    while may_go_on:
        handled, may_go_on = _read_batch(reader, handler, limit)
        total += handled
        # Who finds the cursor locked goes away. So whoever held the lock looks once more after letting go of it.
        may_go_on = may_go_on and (handled > 0 or _is_behind(reader))
    return total


def _read_batch(reader: str, handler: Handler, limit: int) -> tuple[int, bool]:
    """Handle one batch; how many events, and False where somebody else reads or a failed event waits."""
    number_events()
    EventCursor.objects.get_or_create(reader=reader)
    with transaction.atomic():
        cursor = EventCursor.objects.select_for_update(skip_locked=True).filter(reader=reader).first()
        if cursor is None:
            return 0, False
        events = list(Event.objects.filter(position__gt=cursor.position).order_by("position")[:limit])
        handled = _handle(reader, handler, events)
        if handled:
            cursor.position = events[handled - 1].position or 0
            cursor.save(update_fields=["position"])
        return handled, handled == len(events)


def _handle(reader: str, handler: Handler, events: Sequence[Event]) -> int:
    """Handle events together or, where that fails or failed before, one by one; how many from the first on are done
    with, set aside or handled.
    """
    if not events:
        return 0
    waiting = EventFailure.objects.filter(reader=reader, event=events[0], retry_at__isnull=False).first()
    if waiting is None and len(events) > 1 and _try(handler, events) is None:
        return len(events)
    if waiting is not None and waiting.retry_at is not None and waiting.retry_at > clock.now():
        return 0
    for done, event in enumerate(events):
        error = _try(handler, [event])
        if error is None:
            EventFailure.objects.filter(reader=reader, event=event).delete()
        elif not _give_up(reader, event, error):
            return done
    return len(events)


def _try(handler: Handler, events: Sequence[Event]) -> Exception | None:
    """Call the handler; what it did before it failed is rolled back. A fault of the database (a lost connection, a
    deadlock) is no fault of the event: it goes on to the caller, and the whole batch is read again later.
    """
    try:
        with transaction.atomic():
            handler(events)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        return error
    return None


def _give_up(reader: str, event: Event, error: Exception) -> bool:
    """Note that an event failed; whether it is set aside now."""
    logger.error("reader %s failed on event %s %s", reader, event.pk, event, exc_info=error)
    failure, _ = EventFailure.objects.get_or_create(reader=reader, event=event)
    failure.attempts += 1
    failure.error = f"{type(error).__name__}: {error}"[:2000]
    failure.failed_at = clock.now()
    given_up = failure.attempts >= MAX_ATTEMPTS
    failure.retry_at = None if given_up else failure.failed_at + FIRST_PAUSE * 3 ** (failure.attempts - 1)
    failure.save()
    return given_up


def handle_again(failure_id: int) -> None:
    """Handle an event that was set aside; raises what the handler raises, and then nothing has changed."""
    with transaction.atomic():
        failure = EventFailure.objects.select_for_update(of=("self",)).select_related("event").get(pk=failure_id)
        _handlers[failure.reader]([failure.event])
        failure.delete()


def behind() -> list[str]:
    """Readers that have not read every event."""
    return [reader for reader in readers() if _is_behind(reader)]


def _is_behind(reader: str) -> bool:
    position = EventCursor.objects.filter(reader=reader).values_list("position", flat=True).first() or 0
    return Event.objects.filter(position=None).exists() or Event.objects.filter(position__gt=position).exists()


def number_events() -> None:
    """Give every committed event its place in the journal, in a transaction of its own and one caller at a time: so
    positions become visible in their order.
    """
    if not Event.objects.filter(position=None).exists():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('common.number_events'))")
        cursor.execute(
            """
            UPDATE common_event SET position = numbered.position
            FROM (
                SELECT id, nextval('common_event_position') AS position
                FROM (SELECT id FROM common_event WHERE position IS NULL ORDER BY id) AS fresh
            ) AS numbered
            WHERE common_event.id = numbered.id
            """
        )
