"""HTTP to addresses that others gave us: to public addresses only, and to the very one that was checked.

A name is resolved once, every address it stands for has to be public, and the connection goes to one of these: a name
that answers differently a moment later (DNS rebinding) gains nothing. Redirects are not followed. A request is over
after `TOTAL_S` seconds, however slowly its answer drips.
"""

import ipaddress
import socket
import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx
from django.conf import settings

from .deadlines import Deadline, LimitedStream, PoolTransport
from .problems import DomainError

RESOLVE_S = 2.0
CONNECT_S = 2.0
TOTAL_S = 5.0  # of one request, connecting included
MOST_BYTES = 64 * 1024

# What is_global does not say: addresses that carry an IPv4 address inside.
_TRANSLATED = [ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")]

_FAILURES = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpx.HTTPError)


class OutgoingError(Exception):
    """Why nothing came back: for the log of who asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def check_url(url: str, field: str = "url") -> None:
    """Raises DomainError for an address to which nothing is sent: not https, with a password, or not public."""
    try:
        _require_public(_host_of(url), resolve(url))
    except OutgoingError as error:
        expected = "https:// and a name that stands for public addresses"
        raise DomainError(str(error), field=field, value=url, expected=expected) from error


def resolve(url: str) -> list[str]:
    """The addresses that the name in a URL stands for. Raises OutgoingError."""
    host, port = _host_of(url), _port_of(url)
    # The system's resolver knows no time limit; a thread is left to it.
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        found = pool.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM).result(RESOLVE_S)
    except FutureTimeoutError:
        raise OutgoingError(f"The name {host} was not resolved within {RESOLVE_S:g} s.") from None
    except (OSError, UnicodeError) as error:
        raise OutgoingError(f"The name {host} stands for no address.") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
        if any(parsed in network for network in _TRANSLATED):
            return False
    return parsed.is_global and not parsed.is_multicast


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send a body. Raises OutgoingError where the address may not be used, cannot be reached, or is too slow."""
    deadline = Deadline(TOTAL_S)
    addresses = resolve(url)
    _require_public(_host_of(url), addresses)
    backend = _CheckedBackend(addresses, deadline)
    pool = httpcore.ConnectionPool(ssl_context=_ssl_context(), network_backend=backend)
    try:
        with httpx.Client(transport=PoolTransport(pool), follow_redirects=False, trust_env=False) as client:
            request = client.build_request("POST", url, content=body, headers=headers, timeout=CONNECT_S)
            response = client.send(request, stream=True)
            try:
                return Answer(response.status_code, _read(response.iter_raw()))
            finally:
                response.close()
    except (
        httpcore.NetworkError,
        httpcore.TimeoutException,
        httpcore.ProtocolError,
        httpx.HTTPError,
        OSError,
    ) as error:
        raise OutgoingError(f"{type(error).__name__}: {error}".rstrip(": ")) from error


@cache
def _ssl_context() -> ssl.SSLContext:
    """Reading the certificates anew for each message took longer than sending it."""
    return ssl.create_default_context()


def _read(chunks: Iterable[bytes]) -> bytes:
    body = b""
    for chunk in chunks:
        body += chunk
        if len(body) > MOST_BYTES:
            raise OutgoingError(f"The answer is longer than {MOST_BYTES} bytes.")
    return body


def _host_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise OutgoingError("This is no address.") from None
    allowed = ("https", "http") if settings.WEBHOOK_ALLOW_LOOPBACK else ("https",)
    if parts.scheme not in allowed or not host or not url.isprintable() or " " in url:
        raise OutgoingError("The address has to begin with https:// and name a host.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise OutgoingError("The address must hold neither a name with a password nor a fragment.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise OutgoingError("Without TLS nothing is sent beyond this machine.")
    return host


def _port_of(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _require_public(host: str, addresses: list[str]) -> None:
    for address in addresses:
        if not is_public(address) and not (settings.WEBHOOK_ALLOW_LOOPBACK and _is_loopback(address)):
            raise OutgoingError(f"{host} stands for {address}, which is no public address.")


class _CheckedBackend(httpcore.NetworkBackend):
    """Connects to the checked addresses, whatever the name stands for by now, and no longer than till the deadline."""

    def __init__(self, addresses: list[str], deadline: Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: Any = None, local_address: Any = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        failure: Exception | None = None
        for address in self._addresses[:2]:
            try:
                stream = self._plain.connect_tcp(address, port, self._deadline.left_s(CONNECT_S))
                return LimitedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("no address")
