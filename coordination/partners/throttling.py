"""How many requests a token, a person or an address may make: counted in fixed windows in the cache, told in headers.

While the cache is down nobody is refused: the service is worth more than the limit.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from coordination.common.actors import PartnerSystem
from coordination.common.client_address import client_network

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands in the window under way."""

    limit: int
    count: int
    reset_s: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - self.count)),
            "RateLimit-Reset": str(self.reset_s),
        }


class RateThrottle(BaseThrottle):
    """Callers who are signed in by `API_RATE_SIGNED_IN`, others by their address and `API_RATE_ANONYMOUS`."""

    standing: Standing | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        self.standing = _standing(request, *self._caller(request))
        return self.standing is None or self.standing.count <= self.standing.limit

    def wait(self) -> float | None:
        return None if self.standing is None else self.standing.reset_s

    def _caller(self, request: Request) -> tuple[str, str]:
        user: Any = request.user
        if isinstance(user, PartnerSystem):
            return f"token:{user.token_id}", settings.API_RATE_SIGNED_IN
        if user.is_authenticated:
            return f"user:{user.pk}", settings.API_RATE_SIGNED_IN
        return _address(request)


def count_address(request: Request) -> Standing | None:
    """Count a request by its address, whoever it says it is."""
    return _standing(request, *_address(request))


def _address(request: Request) -> tuple[str, str]:
    return f"address:{client_network(request._request)}", settings.API_RATE_ANONYMOUS


def _standing(request: Request, caller: str, rate: str) -> Standing | None:
    """Count, and remember it for the middleware."""
    standing = request._request.rate_limit = count(caller, rate)  # type: ignore[attr-defined]
    return standing


def add_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: RateLimit headers (draft-ietf-httpapi-ratelimit-headers) on what was counted."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        standing: Standing | None = getattr(request, "rate_limit", None)
        for name, value in (standing.headers if standing else {}).items():
            response[name] = value
        return response

    return middleware


def count(caller: str, rate: str) -> Standing | None:
    """Count a request; None where there is no limit, or nobody to count. `rate` is requests/seconds."""
    if not rate:
        return None
    limit, period_s = (int(part) for part in rate.split("/"))
    now = time.time()  # of the machine, not of the rehearsal
    window = int(now // period_s)
    key = f"rate:{caller}:{window}"
    try:
        cache.add(key, 0, timeout=2 * period_s)
        count = cache.incr(key)
    except (RedisError, ValueError) as error:  # ValueError: evicted in between
        logger.warning("requests are not counted: %s", error)
        return None
    return Standing(limit, count, max(1, math.ceil((window + 1) * period_s - now)))
