"""One request to a provider: bytes, or one of the errors.

Limits on time and size, no redirect to another host, nothing that is a page for people. What the provider says in its
own words with status 200, 300 or 400 is left to the parsers.
"""

from __future__ import annotations

import errno
import json as json_module
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpcore
import httpx
from django.conf import settings

from coordination.common.deadlines import Deadline, LimitedBackend, PoolTransport

from . import memory, turns
from .errors import Nonsense, Offline, Unavailable, Wrong
from .registry import Provider, is_offline, provider_named

_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_BUSY = (408, 425, 429)  # and all from 500 on
_REFUSING = (401, 403, 407)
_OWN_WORDS = (200, 300, 400, 404, 422)  # in which an answer of the provider itself may come
_NETWORK = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, httpx.HTTPError, OSError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `keep` once it was read without complaint."""

    provider: str
    url: str
    body: bytes
    is_unchanged: bool = False  # the provider said so; the body is the one it sent before
    key: str = ""
    etag: str = ""
    modified: str = ""

    def keep(self) -> None:
        if not self.is_unchanged and (self.etag or self.modified):
            memory.remember(self.key, self.etag, self.modified, self.body)


def ask(name: str, params: Mapping[str, str] | None = None, json: Any = None) -> Answer:
    """Ask once. Raises Offline, Unavailable, Nonsense."""
    provider = provider_named(name)
    if is_offline(name):
        raise Offline(name, "switched off by PROVIDERS_OFFLINE")
    content = json_module.dumps(json).encode() if json is not None else b""
    try:
        url = httpx.URL(provider.url)
        url = url.copy_merge_params(dict(params)) if params else url
    except httpx.InvalidURL as error:
        raise Unavailable(name, f"PROVIDER_URLS has no address for it: {error}") from error
    key = memory.key_of(name, str(url), content)
    with turns.turn(provider):
        known = memory.recall(key)
        response, body = _send(provider, url, content, known.headers() if known else {})
    return _answer(provider, response, body, key, known)


def _answer(
    provider: Provider, response: httpx.Response, body: bytes, key: str, known: memory.Remembered | None
) -> Answer:
    name, status, url = provider.name, response.status_code, str(response.url)
    if status == 304 and known is not None:
        return Answer(name, url, known.body, is_unchanged=True)
    if status in _BUSY or status >= 500:
        retry_after_s = _retry_after_s(response.headers.get("Retry-After", ""))
        if retry_after_s is not None:
            turns.hold(provider, retry_after_s)
        raise Unavailable(name, f"it answers with status {status}", retry_after_s)
    if status in _REFUSING:
        raise Unavailable(name, f"it refuses us: status {status}")
    if body.lstrip()[:1] == b"<":  # of errors or maintenance, with any status; no answer of a provider begins so
        raise Nonsense(name, f"a page for people (status {status})", Wrong.UNREADABLE, body)
    if status not in _OWN_WORDS or (status != 200 and provider.form == "text"):
        raise Nonsense(name, f"it answers with status {status}", Wrong.UNREADABLE, body)
    modified = response.headers.get("Last-Modified", "")
    if known is not None and memory.is_older(modified, known.modified):
        raise Nonsense(name, f"of {modified}, older than the {known.modified} before", Wrong.OLDER, body)
    if status != 200:
        return Answer(name, url, body)
    return Answer(name, url, body, key=key, etag=response.headers.get("ETag", ""), modified=modified)


def _send(
    provider: Provider, url: httpx.URL, content: bytes, validators: dict[str, str]
) -> tuple[httpx.Response, bytes]:
    """Send, and follow redirects on the same host. Raises Unavailable, Nonsense."""
    deadline = Deadline(settings.PROVIDER_TIMEOUT_S)
    backend = LimitedBackend(deadline)
    # A connection that is used again may just have been closed by the other side.
    pool = httpcore.ConnectionPool(ssl_context=_ssl_context(), max_keepalive_connections=0, network_backend=backend)
    headers = {"User-Agent": _user_agent(), "Accept-Encoding": "gzip", **validators}
    if content:
        headers["Content-Type"] = "application/json"
    try:
        with httpx.Client(transport=PoolTransport(pool), follow_redirects=False, trust_env=False) as client:
            for _ in range(_MOST_REDIRECTS + 1):
                # The services of the MPC take a body with GET.
                request = client.build_request("GET", url, content=content or None, headers=headers)
                response = client.send(request, stream=True)
                try:
                    body = _read(provider, response, deadline)
                finally:
                    response.close()
                if response.status_code not in _REDIRECTS:
                    return response, body
                url = _redirected(provider, url, response)
    except httpcore.TimeoutException as error:
        raise Unavailable(provider.name, f"not done within {deadline.total_s:g} s") from error
    except (httpx.DecodingError, httpx.InvalidURL) as error:
        raise Nonsense(provider.name, f"{type(error).__name__}: {error}", Wrong.UNREADABLE) from error
    except _NETWORK as error:
        if _is_for_want_of_a_network(error):
            raise Offline(provider.name, f"there is no network: {error}"[:300]) from error
        raise Unavailable(provider.name, f"{type(error).__name__}: {error}".rstrip(": ")[:300]) from error
    raise Nonsense(provider.name, f"it redirects more than {_MOST_REDIRECTS} times", Wrong.UNREADABLE)


def _is_for_want_of_a_network(error: BaseException | None) -> bool:
    """No way out of this machine, or no server of names that answers: it would be the same with any provider."""
    while error is not None:
        if isinstance(error, socket.gaierror):
            return error.errno == socket.EAI_AGAIN
        if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.ENETDOWN):
            return True
        error = error.__cause__ or error.__context__
    return False


def _read(provider: Provider, response: httpx.Response, deadline: Deadline) -> bytes:
    """The body, decompressed. Raises Nonsense for one that is too long, as soon as that is known."""
    announced = response.headers.get("Content-Length", "")
    body = bytearray()
    if not (announced.isdecimal() and int(announced) > provider.most_bytes):
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > provider.most_bytes:
                break
            deadline.left_s()
        else:
            return bytes(body)
    raise Nonsense(provider.name, f"longer than {provider.most_bytes} bytes", Wrong.UNREADABLE, bytes(body[:4000]))


def _redirected(provider: Provider, url: httpx.URL, response: httpx.Response) -> httpx.URL:
    to = url.join(response.headers.get("Location", ""))
    if to.host != url.host or (to.scheme, to.port) not in ((url.scheme, url.port), ("https", None)):
        raise Nonsense(provider.name, f"it redirects to another host, {to.host}", Wrong.UNREADABLE)
    return to


def _retry_after_s(text: str) -> float | None:
    """Seconds, or until when. None where it is neither."""
    if text.strip().isdecimal() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _user_agent() -> str:
    contact = settings.PROVIDER_CONTACT or settings.PUBLIC_URL
    return f"NEO-Coordination/0.1 (+{contact})" if contact else "NEO-Coordination/0.1"


@cache
def _ssl_context() -> ssl.SSLContext:
    return ssl.create_default_context()
