"""What a provider answered before, so that it need not send the same again (ETag, Last-Modified).

Kept in Django's cache, which all processes share; only where the provider gave a validator, and only what was read
without complaint. hishel was looked at and not taken: it caches httpx alone, and half of the requests come through
astroquery; its stores are files, and a validator with a body is all that is needed here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import zlib
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from django.core.cache import cache

_KEPT_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Remembered:
    etag: str
    modified: str
    body: bytes

    def headers(self) -> dict[str, str]:
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in found.items() if value}


def key_of(provider: str, url: str, content: bytes) -> str:
    return f"provider:{provider}:{hashlib.sha256(url.encode() + b' ' + content).hexdigest()}"


def recall(key: str) -> Remembered | None:
    kept = cache.get(key)
    if not isinstance(kept, tuple) or len(kept) != 3:
        return None
    try:
        return Remembered(kept[0], kept[1], zlib.decompress(kept[2]))
    except (zlib.error, TypeError):
        return None


def remember(key: str, etag: str, modified: str, body: bytes) -> None:
    cache.set(key, (etag, modified, zlib.compress(body, 1)), timeout=_KEPT_S)


def is_older(modified: str, than: str) -> bool:
    """Whether one Last-Modified lies before another; not where either is none."""
    one, other = _instant(modified), _instant(than)
    return one is not None and other is not None and one < other


def _instant(text: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
