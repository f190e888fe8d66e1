"""The service as methods: what partners look up, claim and follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, NotRequired, TypedDict

import httpx

from .errors import Conflict, NeoError
from .transport import Transport

Row = dict[str, Any]  # as the OpenAPI document describes it; more fields may come


class Claim(TypedDict):
    """The fields of a claim that its holder works with; an answer has more."""

    id: int
    slot: int
    slot_state: str
    campaign: str
    organisation: Row
    state: str
    seats: list[Row]
    note: str
    created_at: str
    target: NotRequired[Row | None]


class EventFeed:
    """Events in order, each of them once.

    feed = neo.events(cursor)
    for event in feed:
        deal_with(event)
    keep(feed.cursor)

    `cursor` moves on when all events of a page were taken: a program that stopped in between gets some of them again,
    and misses none.
    """

    def __init__(self, client: NeoClient, cursor: str | None, kind: Sequence[str]) -> None:
        self.cursor = cursor
        self._client = client
        self._kind = ",".join(kind) or None

    def __iter__(self) -> Iterator[Row]:
        more = True
        while more:
            page = self._client.get("events/", cursor=self.cursor, kind=self._kind, limit=100)
            yield from page["results"]
            self.cursor, more = page["cursor"], page["more"]


class NeoClient:
    """One service, as one organisation's system.

    url: of the service, without /api/v1/. token: `neo_…`; without one, only what is public. attempts: how often a
    request is tried in all. transport: for tests. Query parameters are those of the OpenAPI document; times may be
    given as aware `datetime`.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        attempts: int = 6,
        timeout_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._transport = Transport(url, token=token, attempts=attempts, timeout_s=timeout_s, transport=transport)

    def __enter__(self) -> NeoClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    # --- what there is
    def observatories(self, **filters: Any) -> Iterator[Row]:
        return self.rows("observatories/", **filters)

    def telescopes(self, **filters: Any) -> Iterator[Row]:
        return self.rows("telescopes/", **filters)

    def targets(self, **filters: Any) -> Iterator[Row]:
        return self.rows("targets/", **filters)

    def windows(self, **filters: Any) -> Iterator[Row]:
        """Visibility windows, each edge named after what opens or closes it."""
        return self.rows("windows/", **filters)

    def joint_windows(self, **question: Any) -> Row:
        """When telescopes of several sites see a target at once, and what that would yield."""
        return self.get("windows/joint/", **question)

    def campaigns(self, **filters: Any) -> Iterator[Row]:
        return self.rows("campaigns/", **filters)

    def slots(self, **filters: Any) -> Iterator[Row]:
        """Joint slots; `claimable=True` gives those of which the token's organisation can claim a seat now."""
        return self.rows("slots/", **filters)

    def bookings(self, **filters: Any) -> Iterator[Row]:
        return self.rows("bookings/", **filters)

    def claims(self, **filters: Any) -> Iterator[Claim]:
        return self.rows("claims/", **filters)  # type: ignore[return-value]

    # --- claims
    def claim(
        self,
        slot: int,
        *,
        seats: Sequence[int] = (),
        telescopes: Sequence[int] = (),
        allow_waiting: bool = False,
        note: str = "",
        idempotency_key: str | None = None,
    ) -> Claim:
        """Take all of these seats of a slot, or none. Raises Conflict where another has one.

        A retry inside the call never claims twice. To make the same sure for your own program's restarts, choose the
        key before the call, keep it, and give it again (it is remembered for 24 h).
        """
        body: Row = {"slot": slot}
        if seats:
            body["seats"] = list(seats)
        if telescopes:
            body["telescopes"] = list(telescopes)
        if allow_waiting:
            body["allow_waiting"] = True
        if note:
            body["note"] = note
        return self.post("claims/", body, idempotency_key=idempotency_key)  # type: ignore[return-value]

    def withdraw(self, claim: int, *, reason: str = "", idempotency_key: str | None = None) -> Claim:
        """Give a claim's seats back."""
        answer = self.post(f"claims/{claim}/withdraw/", {"reason": reason}, idempotency_key=idempotency_key)
        return answer  # type: ignore[return-value]

    # --- changes
    def events(self, cursor: str | None = None, *, kind: Sequence[str] = ()) -> EventFeed:
        """What happened after `cursor` (without one: from the beginning), until there is no more for now."""
        return EventFeed(self, cursor, kind)

    # --- anything else of the API
    def rows(self, path: str, **filters: Any) -> Iterator[Row]:
        """The rows of a list, page after page as they are needed."""
        page = self.get(path, **filters)
        while True:
            yield from page["results"]
            if page["next"] is None:
                return
            page = self.get(page["next"])

    def get(self, path: str, **params: Any) -> Row:
        return self._json(self._transport.request("GET", path, params=params or None))

    def post(self, path: str, body: Any = None, *, idempotency_key: str | None = None, **params: Any) -> Row:
        answer = self._transport.request(
            "POST", path, body={} if body is None else body, params=params or None, idempotency_key=idempotency_key
        )
        return self._json(answer)

    def update(self, path: str, change: Callable[[Row], Row]) -> Row:
        """Read, decide, write: `change` gets the row and gives the fields to set. If somebody else changed it in
        between (412), it is read and decided again.
        """
        for last in (False, False, True):
            read = self._transport.request("GET", path)
            tag = read.headers.get("ETag")
            answer = self._patch(path, change(self._json(read)), {"If-Match": tag} if tag else {}, last)
            if answer is not None:
                return answer
        raise AssertionError("the last try returns or raises")

    def delete(self, path: str) -> None:
        self._transport.request("DELETE", path)  # a retry that finds it gone has done what was asked

    def _patch(self, path: str, body: Row, headers: dict[str, str], last: bool) -> Row | None:
        try:
            return self._json(self._transport.request("PATCH", path, body=body, headers=headers))
        except Conflict as refused:
            if last or refused.status != 412:
                raise
            return None

    @staticmethod
    def _json(response: httpx.Response) -> Row:
        try:
            answer = response.json()
        except ValueError:
            raise NeoError(f"{response.request.url} answered with something that is not JSON") from None
        if not isinstance(answer, dict):
            raise NeoError(f"{response.request.url} answered with something that is not an object")
        return answer
