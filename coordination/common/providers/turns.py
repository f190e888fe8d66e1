"""One request at a time to an operator, from all processes together, with a pause between; none while it asked to wait.

The lock lies in Redis and ends by itself a little after the longest that a request may take, so that a process that was
killed blocks nobody.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

import redis
from django.conf import settings

from .errors import Unavailable
from .registry import Provider

_MARGIN_S = 5.0
_LONGEST_HOLD_S = 86_400.0


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5)


def _redis() -> redis.Redis:
    return _client(settings.CACHES["default"]["LOCATION"])


def _key(provider: Provider, what: str) -> str:
    return f"neo:provider:{provider.operator}:{what}"


@contextmanager
def turn(provider: Provider) -> Iterator[None]:
    """The right to send one request. Raises Unavailable: it asked to wait, others take too long, or Redis is away."""
    lock = _redis().lock(
        _key(provider, "lock"),
        timeout=settings.PROVIDER_PAUSE_S + settings.PROVIDER_TIMEOUT_S + _MARGIN_S,
        blocking_timeout=settings.PROVIDER_TURN_WAIT_S,
        sleep=0.02,
    )
    try:
        _refuse_while_held(provider)
        if not lock.acquire():
            raise Unavailable(provider.name, f"no turn within {settings.PROVIDER_TURN_WAIT_S:g} s: others are asking")
    except redis.RedisError as error:
        raise Unavailable(provider.name, f"no turn: Redis cannot be reached ({type(error).__name__})") from error
    try:
        _pause(provider)
        yield
    finally:
        with suppress(redis.RedisError):  # LockError too: it has ended by itself
            pause_s = settings.PROVIDER_PAUSE_S
            if pause_s > 0:
                _redis().set(_key(provider, "asked"), repr(time.time()), px=math.ceil(pause_s * 1000))
            lock.release()


def hold(provider: Provider, seconds: float) -> None:
    """Have nobody ask for so long: the operator asked for it."""
    with suppress(redis.RedisError):
        milliseconds = math.ceil(min(seconds, _LONGEST_HOLD_S) * 1000)
        if milliseconds > 0:
            _redis().set(_key(provider, "held"), "1", px=milliseconds)


def _refuse_while_held(provider: Provider) -> None:
    left_ms = _redis().pttl(_key(provider, "held"))
    if left_ms > 0:
        raise Unavailable(provider.name, f"it asked to wait {left_ms / 1000:.0f} s more", left_ms / 1000)


def _pause(provider: Provider) -> None:
    try:
        asked = _redis().get(_key(provider, "asked"))
    except redis.RedisError:
        return
    if asked is not None:
        # Owed to an operator between two requests: nothing happens for which one could wait instead.
        left_s = settings.PROVIDER_PAUSE_S - (time.time() - float(asked))
        time.sleep(min(max(left_s, 0.0), settings.PROVIDER_PAUSE_S))
