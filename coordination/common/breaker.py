"""Asking providers with care: a circuit breaker each, shared by all processes through its row, and a quarantine.

After `FAILURES` failures in a row nobody asks a provider until its pause is over. Then one caller is let through: if it
gets an answer all is well again, else the pause doubles. Nothing has to be reset by hand.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction
from django.db.models import F

from . import clock
from .models import QuarantinedReply, SourceState
from .providers.errors import Nonsense, Offline, SourceError, Unavailable, Wrong
from .providers.fetching import Outcome

FAILURES = 3
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(minutes=2), dt.timedelta(hours=1)
TRIAL_LEASE = dt.timedelta(minutes=5)  # in which the one who was let through has to come back
_NOTED_EVERY = dt.timedelta(seconds=20)  # successes in a row are one write

_subject: ContextVar[str] = ContextVar("subject", default="")
_seen: ContextVar[SourceState | None] = ContextVar("seen", default=None)  # as it was before the request


class Paused(Unavailable):
    """It failed several times in a row and is left alone for now: nothing was sent."""


def admit(source: str) -> None:
    """Before a request. Raises Paused where the provider is left alone."""
    state = SourceState.objects.filter(pk=source).first()
    _seen.set(state)
    if state is None or state.open_until is None:
        return
    now = clock.now()
    if state.open_until <= now:
        # Whoever moves the time on is the one who tries; the others find it moved.
        if SourceState.objects.filter(pk=source, open_until=state.open_until).update(open_until=now + TRIAL_LEASE):
            return
        state.refresh_from_db()
        if state.open_until is None:
            return
    until = f"{state.open_until:%Y-%m-%d %H:%M}Z"
    raise Paused(source, f"left alone until {until} after {state.failures} failures in a row: {state.last_error}")


def account(outcome: Outcome) -> None:
    """After a request. Unavailable and Nonsense are failures, and what was sent as nonsense goes into quarantine; an
    answer that says that an object is unknown or ambiguous is an answer. Outside transactions: what is noted has to
    stay whatever becomes of the caller.
    """
    error = outcome.error
    if isinstance(error, Offline | Paused):
        return
    if isinstance(error, Nonsense):
        quarantine(outcome.provider, _subject.get(), error.message, error.excerpt)
        _failed(outcome.provider, error, None)
    elif isinstance(error, Unavailable):
        _failed(outcome.provider, error, error.retry_after_s)
    else:
        _succeeded(outcome.provider)


@contextmanager
def about(subject: str) -> Iterator[None]:
    """What is asked for inside, for the quarantine."""
    token = _subject.set(subject)
    try:
        yield
    finally:
        _subject.reset(token)


def quarantine(source: str, subject: str, reason: str, excerpt: bytes = b"") -> None:
    """Keep what cannot be true, with the reason; the same again is counted."""
    text = excerpt.decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    digest = hashlib.sha256("\n".join((source, subject, reason, text)).encode()).hexdigest()
    known = QuarantinedReply.objects.filter(digest=digest)
    if not known.update(times=F("times") + 1, last_at=clock.now()):
        QuarantinedReply.objects.get_or_create(
            digest=digest,
            defaults={"source": source, "subject": subject[:100], "reason": reason[:2000], "excerpt": text},
        )


def disbelieve(source: str, subject: str, reason: str) -> Nonsense:
    """An answer that could be read, but cannot be true beside what is there: quarantined, and no sign of fresh data.
    Gives the error to raise.
    """
    error = Nonsense(source, reason, Wrong.OLDER)
    quarantine(source, subject, reason)
    SourceState.objects.filter(pk=source).update(last_success_at=F("success_before_at"))
    _failed(source, error, None)
    return error


def _succeeded(source: str) -> None:
    now = clock.now()
    seen = _seen.get()
    is_well = seen is not None and seen.pk == source and seen.failures == 0 and seen.open_until is None
    if is_well and seen and seen.last_success_at and now - _NOTED_EVERY < seen.last_success_at <= now:
        return
    SourceState.objects.get_or_create(pk=source)
    SourceState.objects.filter(pk=source).update(
        last_attempt_at=now,
        success_before_at=F("last_success_at"),
        last_success_at=now,
        failures=0,
        open_until=None,
        openings=0,
    )


def _failed(source: str, error: SourceError, retry_after_s: float | None) -> None:
    now = clock.now()
    SourceState.objects.get_or_create(pk=source)
    with transaction.atomic():
        state = SourceState.objects.select_for_update().get(pk=source)
        state.failures += 1
        state.last_attempt_at = state.last_error_at = now
        state.last_error, state.last_error_kind = str(error)[:2000], type(error).__name__
        was_trial = state.open_until is not None
        asked_for = dt.timedelta(seconds=min(retry_after_s or 0.0, LONGEST_PAUSE.total_seconds()))
        if was_trial or state.failures >= FAILURES:
            pause = min(FIRST_PAUSE * 2 ** min(state.openings, 10), LONGEST_PAUSE)
            state.openings += 1
            state.open_until = now + max(pause, asked_for)
        elif asked_for:
            state.open_until = now + asked_for
        state.save()
