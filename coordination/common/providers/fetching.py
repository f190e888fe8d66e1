"""An answer that was read, or one of the errors: with attempts, and told to who keeps account of providers.

A room above registers in `AppConfig.ready` who is asked before a request (and may refuse it by raising Unavailable),
and who is told of every outcome:

    fetching.register(before=refuse_while_broken, after=keep_account)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, TypeVar

import stamina
from django.conf import settings

from coordination.common import clock

from .errors import Offline, SourceError, Unavailable
from .registry import is_offline
from .transport import Answer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    """What was read, and when it was received: the "data as of" of everything made from it."""

    value: T
    received_at: dt.datetime
    is_unchanged: bool  # the provider said that nothing changed since the last time


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one request for one thing ended, all its attempts together."""

    provider: str
    started_at: dt.datetime
    ended_at: dt.datetime
    attempts: int  # requests that were sent, or tried to; 0: answered by hand, switched off or left alone
    byte_count: int
    error: SourceError | None


_before: list[Callable[[str], None]] = []
_after: list[Callable[[Outcome], None]] = []


def register(before: Callable[[str], None] | None = None, after: Callable[[Outcome], None] | None = None) -> None:
    if before is not None and before not in _before:
        _before.append(before)
    if after is not None and after not in _after:
        _after.append(after)


def unregister(before: Callable[[str], None] | None = None, after: Callable[[Outcome], None] | None = None) -> None:
    if before in _before:
        _before.remove(before)
    if after in _after:
        _after.remove(after)


_given: ContextVar[list[bytes] | None] = ContextVar("given", default=None)


@contextmanager
def given_answers(bodies: Sequence[bytes]) -> Iterator[None]:
    """Inside, questions are answered by these in turn, as if their provider had, and none is sent: what somebody
    fetched elsewhere is brought to a service without a network. A question too many is Offline.
    """
    token = _given.set(list(bodies))
    try:
        yield
    finally:
        _given.reset(token)


def fetch(provider: str, ask: Callable[[], Answer], parse: Callable[[bytes], T]) -> Fetched[T]:
    """Ask until there is an answer or no hope of one, and read it. Raises a SourceError, and nothing else of theirs."""
    if (given := _given.get()) is not None:
        return _read_given(provider, given, parse)
    started_at, attempts, answer, error = clock.now(), 0, None, None
    try:
        if is_offline(provider):
            raise Offline(provider, "switched off by PROVIDERS_OFFLINE")
        for permit in _before:
            permit(provider)
        for attempt in _attempts():
            with attempt:
                attempts = attempt.num
                answer = ask()
        assert answer is not None
        value = parse(answer.body)
        answer.keep()
        return Fetched(value, clock.now(), answer.is_unchanged)
    except SourceError as raised:
        error = raised
        raise
    finally:
        byte_count = len(answer.body) if answer else 0
        outcome = Outcome(provider, started_at, clock.now(), attempts, byte_count, error)
        for tell in _after:
            tell(outcome)


def _read_given(provider: str, given: list[bytes], parse: Callable[[bytes], T]) -> Fetched[T]:
    """The next answer. One that cannot be used says nothing of the provider: nobody is told of it."""
    if not given:
        raise Offline(provider, "no further answer was given by hand")
    started_at, body = clock.now(), given.pop(0)
    fetched = Fetched(parse(body), clock.now(), is_unchanged=False)
    for tell in _after:
        tell(Outcome(provider, started_at, fetched.received_at, 0, len(body), None))
    return fetched


def _attempts() -> Iterator[stamina.Attempt]:
    yield from stamina.retry_context(
        on=_pause_s,
        attempts=settings.PROVIDER_ATTEMPTS,
        timeout=None,
        wait_initial=settings.PROVIDER_RETRY_S,
        wait_max=settings.PROVIDER_RETRY_S * 20,
        wait_jitter=settings.PROVIDER_RETRY_S,
    )


def _pause_s(error: Exception) -> bool | float:
    """Whether to ask again, and after how long where the provider said it."""
    if not isinstance(error, Unavailable):
        return False
    if error.retry_after_s is None:
        return True
    return error.retry_after_s + 0.01 if error.retry_after_s <= settings.PROVIDER_LONGEST_WAIT_S else False
