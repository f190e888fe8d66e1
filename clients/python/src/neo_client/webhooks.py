"""Deliveries of webhooks: whether they come from the service, and what they say."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from .errors import NeoError


class BadSignature(NeoError):  # noqa: N818
    """The delivery does not come from the service, was changed on the way, or is too old to be taken."""


def verify_delivery(
    secret: str, headers: Mapping[str, str], body: bytes, *, tolerance_s: float = 300.0, now: float | None = None
) -> dict[str, Any]:
    """The event of a delivery that is genuine and fresh. Raises BadSignature.

    secret: as shown when the webhook was registered. headers: of the request, in any case of letters. body: as it
    came, before any parsing. Copies of a delivery have the same header `NEO-Event-Id`: drop what was seen.
    """
    given = {name.lower(): value for name, value in headers.items()}
    timestamp, signature = given.get("neo-timestamp", ""), given.get("neo-signature", "")
    if not (timestamp.isascii() and timestamp.isdecimal()) or not signature:
        raise BadSignature("NEO-Timestamp and NEO-Signature are missing or malformed.")
    expected = "v1=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise BadSignature("The signature does not fit the body: not from the service, or changed on the way.")
    age_s = (time.time() if now is None else now) - int(timestamp)
    if abs(age_s) > tolerance_s:
        raise BadSignature(f"The delivery is {age_s:.0f} s old; up to {tolerance_s:.0f} s are accepted.")
    event: dict[str, Any] = json.loads(body)
    return event
