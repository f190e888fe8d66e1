"""Requests that may safely be made again: every write carries an idempotency key that stays the same over retries."""

from __future__ import annotations

import email.utils
import time
import uuid
from collections.abc import Mapping
from typing import Any

import httpx
import stamina

from .errors import NeoError, Unavailable, refusal

LONGEST_WAIT_S = 60.0  # what a server asks beyond that is not waited for: the caller is told
_PASSING = {429, 500, 502, 503, 504}  # may be gone with the next try


class _PassingError(NeoError):
    """An answer after which trying again makes sense, and how long to wait where the server said so."""

    def __init__(self, response: httpx.Response, wait_s: float | None) -> None:
        super().__init__(f"HTTP {response.status_code}")
        self.response = response
        self.wait_s = wait_s


class Transport:
    """HTTP with the token, retries and problem details."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        attempts: int,
        timeout_s: float,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Accept": "application/json", "User-Agent": "neo-coordination-client/0.1.0"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self.attempts = attempts
        self._http = httpx.Client(
            base_url=url.rstrip("/") + "/api/v1/", headers=headers, timeout=timeout_s, transport=transport
        )

    def close(self) -> None:
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> httpx.Response:
        """The answer of a request that succeeded. Raises Refused for an answer of the service, Unavailable for none.

        Tried again, up to `attempts` times in all with growing pauses: no connection, no answer in time, and the
        passing statuses 429, 500, 502, 503, 504 and a 409 with `Retry-After` (the same request is still under way).
        """
        address = self._address(path)
        sent = dict(headers or {})
        if method == "POST":
            sent["Idempotency-Key"] = idempotency_key or str(uuid.uuid4())
        response, tries = None, 0
        try:
            for attempt in stamina.retry_context(on=_worth_another_try, attempts=self.attempts, timeout=None):
                with attempt:
                    tries = attempt.num
                    response = self._http.request(method, address, params=_params(params), json=body, headers=sent)
                    if _is_passing(response):
                        raise _PassingError(response, _asked_wait_s(response))
        except _PassingError as error:
            raise refusal(error.response) from None
        except httpx.TransportError as error:
            raise Unavailable(f"{method} {address}: {error or type(error).__name__}") from error
        if response is None:
            raise Unavailable(f"{method} {address}: not tried, attempts is {self.attempts}")
        gone_by_an_earlier_try = method == "DELETE" and response.status_code == 404 and tries > 1
        if response.is_error and not gone_by_an_earlier_try:
            raise refusal(response)
        return response

    def _address(self, path: str) -> str:
        """A path below /api/v1/, or the address of a next page: the token goes to the service only."""
        if "://" not in path:
            return path.lstrip("/")
        given, base = httpx.URL(path), self._http.base_url
        if (given.scheme, given.host, given.port) != (base.scheme, base.host, base.port):
            raise NeoError(f"{path} is not an address of {base.host}: the token is not sent there.")
        return path


def _worth_another_try(error: Exception) -> bool | float:
    if isinstance(error, _PassingError):
        if error.wait_s is None:
            return True
        return error.wait_s if error.wait_s <= LONGEST_WAIT_S else False
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)


def _is_passing(response: httpx.Response) -> bool:
    return response.status_code in _PASSING or (response.status_code == 409 and "Retry-After" in response.headers)


def _asked_wait_s(response: httpx.Response) -> float | None:
    """Seconds of `Retry-After`, which is a number or a date (RFC 9110, 10.2.3)."""
    value = response.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _params(params: Mapping[str, Any] | None) -> dict[str, str] | None:
    """Query parameters as the API reads them: true and false in lower case, lists with commas, nothing for None."""
    if params is None:
        return None
    return {name: _text(value) for name, value in params.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return str(value)
