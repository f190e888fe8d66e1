"""What can go wrong: the service refuses, or it cannot be reached."""

from __future__ import annotations

from typing import Any

import httpx


class NeoError(Exception):
    """Base of everything that this package raises about the service."""


class Unavailable(NeoError):  # noqa: N818 - read as what happened: `except Unavailable`
    """No usable answer, also after all retries. The write may or may not have happened: asking again with the same
    `idempotency_key` finds out, and does it at most once.
    """


class Refused(NeoError):  # noqa: N818
    """The service refuses, with problem details (RFC 9457)."""

    def __init__(self, problem: dict[str, Any], response: httpx.Response) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or f"HTTP {response.status_code}")
        self.problem = problem
        self.response = response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def kind(self) -> str:
        """The last part of the problem's `type`: `conflict`, `invalid-input` …"""
        return str(self.problem.get("type", "")).rstrip("/").rpartition("/")[2].rpartition(":")[2]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The fields at fault: `field`, `detail`, and perhaps `value` and `expected`."""
        return list(self.problem.get("errors", []))


class NotAllowed(Refused):
    """401 and 403: the token is not valid, lacks a scope (`problem["needed_scope"]`), or its organisation may not."""


class NotFound(Refused):
    """404: it is not there, or nothing that the token's organisation may know of."""


class Conflict(Refused):
    """409 and 412: others were faster. `conflict` gives the interval that is in the way."""

    @property
    def conflict(self) -> dict[str, Any]:
        return dict(self.problem.get("conflict", {}))


class TooMany(Refused):
    """429, also after waiting as long as this client waits."""


_BY_STATUS: dict[int, type[Refused]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    429: TooMany,
}


def refusal(response: httpx.Response) -> Refused:
    """What an answer of 4xx or 5xx says, as the exception to raise."""
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    return _BY_STATUS.get(response.status_code, Refused)(problem, response)
