"""Every Python that begins with this directory on its PYTHONPATH is on a machine without a network: it reaches loopback
only. What else it wanted is noted in the file NO_NETWORK_LOG, a line each.
"""

import errno
import os
import socket
from typing import Any

LOOPBACK = (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0")

_connect, _resolve = socket.socket.connect, socket.getaddrinfo


def _note(wanted: object) -> None:
    with open(os.environ["NO_NETWORK_LOG"], "a") as log:
        log.write(f"{wanted}\n")


def _connect_here(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
        _note(address[0])
        raise OSError(errno.ENETUNREACH, "Network is unreachable")
    _connect(self, address)


def _resolve_here(host: Any, *further: Any, **named: Any) -> Any:
    if host not in LOOPBACK:
        _note(host)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return _resolve(host, *further, **named)


socket.socket.connect = _connect_here  # type: ignore[method-assign]
socket.getaddrinfo = _resolve_here
