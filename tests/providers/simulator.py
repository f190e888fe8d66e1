"""The server: counts calls, answers from the state, misbehaves when told to."""

import argparse
import json
import socket
import struct
import sys
import threading
import zlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.providers.replies import ANSWERS
from tests.providers.state import State

# What each misbehaviour is, for a body that would have been sent.
MISBEHAVIOURS = (
    "500", "503", "429", "403", "404", "hang", "drip", "reset", "truncated", "html", "empty", "signature", "strings",
    "nulls", "list", "huge", "bomb", "wrong_object", "older", "redirect", "moved",
)  # fmt: skip
NEW, OLD = "Tue, 24 Nov 2026 10:00:00 GMT", "Mon, 02 Nov 2026 10:00:00 GMT"
HUGE_BYTES = 50 * 1024 * 1024


@dataclass
class Misbehaviour:
    kind: str
    times: int | None = None  # how often; None: until told otherwise
    retry_after_s: float = 1.0


@dataclass
class Held:
    """An answer that is held back: `arrived` once somebody waits for it, until `let_go` is set."""

    arrived: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)


class Simulator:
    """All providers on one port of loopback. `urls` is what PROVIDER_URLS has to be."""

    def __init__(self, state: State | None = None, port: int = 0) -> None:
        self.state = state or State.small()
        self.calls: Counter[str] = Counter()
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.overlapping = 0  # most requests that were under way at once
        self.validators: dict[str, dict[str, str]] = {}  # headers to give by provider: ETag, Last-Modified
        self.lock = threading.Lock()
        self._under_way = 0
        self._bad: dict[str, Misbehaviour] = {}
        self._held: dict[str, Held] = {}
        self._stop = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def urls(self) -> dict[str, str]:
        return {name: self.base + path for name, (path, _) in ANSWERS.items()}

    def __enter__(self) -> "Simulator":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()  # wakes those that hang
        self._server.shutdown()
        self._server.server_close()

    def misbehave(self, provider: str, kind: str, **how: Any) -> None:
        assert kind in MISBEHAVIOURS, kind
        with self.lock:
            self._bad[provider] = Misbehaviour(kind, **how)

    def hold(self, provider: str) -> Held:
        """Hold back the next answer of a provider."""
        with self.lock:
            return self._held.setdefault(provider, Held())

    def hold_no_more(self, provider: str) -> None:
        with self.lock:
            self._held.pop(provider, None)

    def behave(self, provider: str = "") -> None:
        with self.lock:
            self._bad = {name: bad for name, bad in self._bad.items() if provider and name != provider}

    def reset(self, state: State | None = None) -> None:
        with self.lock:
            self._bad, self.state, self.validators = {}, state or State.small(), {}
            self.calls.clear()
            self.requests.clear()
            self.overlapping = 0

    def count_under_way(self, change: int) -> None:
        with self.lock:
            self._under_way += change
            self.overlapping = max(self.overlapping, self._under_way)

    def _taken(self, provider: str) -> Misbehaviour | None:
        with self.lock:
            bad = self._bad.get(provider)
            if bad is not None and bad.times is not None:
                bad.times -= 1
                if bad.times <= 0:
                    del self._bad[provider]
            return bad


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # clients hang up on what is too long
            super().handle_error(request, client_address)


def _handler_of(simulator: Simulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else head and body are 40 ms apart

        def log_message(self, *message: object) -> None:
            pass

        def do_GET(self) -> None:
            simulator.count_under_way(1)
            self.is_under_way = True
            try:
                _serve(simulator, self)
            finally:
                self.ends()

        def ends(self) -> None:
            """Before its last bytes go out: whoever has read them may ask again at once."""
            if self.is_under_way:
                self.is_under_way = False
                simulator.count_under_way(-1)

        do_POST = do_GET  # noqa: N815 - the name is http.server's

    return Handler


def _serve(simulator: Simulator, handler: BaseHTTPRequestHandler) -> None:
    parts = urlsplit(handler.path)
    length = int(handler.headers.get("Content-Length") or 0)
    content = json.loads(handler.rfile.read(length)) if length else None
    if parts.path.startswith("/_"):
        return _send(handler, 200, json.dumps(_control(simulator, parts.path, content)).encode(), {})
    name = next((name for name, (path, _) in ANSWERS.items() if path == parts.path), None)
    if name is None:
        return _send(handler, 404, b"no such endpoint", {})
    params = dict(parse_qsl(parts.query, keep_blank_values=True))
    with simulator.lock:
        simulator.calls[name] += 1
        simulator.requests.append((name, params, dict(handler.headers)))
        held = simulator._held.pop(name, None)
    if held is not None:
        held.arrived.set()
        held.let_go.wait(60)
    bad = simulator._taken(name)
    status, reply = ANSWERS[name][1](simulator.state, params, content)
    headers = dict(simulator.validators.get(name, {}))
    is_known = "ETag" in headers and handler.headers.get("If-None-Match") == headers["ETag"]
    if bad is None and status == 200 and is_known:
        return _send(handler, 304, b"", headers)
    if bad is None or bad.kind == "older":
        return _send(handler, status, _encoded(reply), headers | ({"Last-Modified": OLD} if bad else {}))
    return _misbehave(simulator, handler, bad, reply)


def _control(simulator: Simulator, path: str, content: Any) -> Any:
    """Of a simulator in a process of its own: /_state (with changes as State.edit takes them), /_calls, /_misbehave and
    /_behave.
    """
    if path == "/_misbehave":
        simulator.misbehave(**content)
    elif path == "/_behave":
        simulator.behave(**(content or {}))
    elif path == "/_state" and content is not None:
        with simulator.lock:
            simulator.state.edit(content)
    elif path == "/_state":
        return simulator.state.as_dict()
    return dict(simulator.calls)


def _encoded(reply: Any) -> bytes:
    return reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
    handler.send_response(status)
    kind = "application/json" if body[:1] in (b"{", b"[") else "text/html" if body[:1] == b"<" else "text/plain"
    closing = {"Connection": "close"} if handler.close_connection else {}
    for name, value in {"Content-Type": kind, **headers, **closing, "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    handler.ends()  # type: ignore[attr-defined]
    handler.end_headers()
    handler.wfile.write(body)


PAGE = b"<!DOCTYPE html><html><head><title>Service unavailable</title></head><body>Back soon.</body></html>"


def _misbehave(simulator: Simulator, handler: BaseHTTPRequestHandler, bad: Misbehaviour, reply: Any) -> None:
    body, kind = _encoded(reply), bad.kind
    handler.close_connection = True
    if kind in ("500", "503", "429", "403", "404"):
        after = {"Retry-After": f"{bad.retry_after_s:g}"} if kind in ("429", "503") else {}
        return _send(handler, int(kind), PAGE, after)
    if kind == "hang":
        simulator._stop.wait(60)
        return None
    if kind == "drip":
        return _drip(simulator, handler)
    if kind == "reset":
        return _reset(handler, body)
    if kind == "redirect":
        return _send(handler, 302, b"", {"Location": "http://localhost:9/elsewhere"})
    if kind == "moved":
        return _send(handler, 301, b"", {"Location": handler.path})
    if kind in ("huge", "bomb"):
        return _huge(handler, compressed=kind == "bomb")
    return _send(handler, 200, _changed(kind, reply, body), {})


def _changed(kind: str, reply: Any, body: bytes) -> bytes:
    """The body with something wrong in it."""
    if kind == "truncated":
        return body[: len(body) * 3 // 5]
    if kind in ("html", "empty"):
        return PAGE if kind == "html" else b""
    if isinstance(reply, str):
        return _changed_text(kind, reply).encode()
    if kind == "signature":
        signed = reply | {"signature": {"source": "synthetic", "version": "9.9"}}
        return json.dumps(signed).encode()
    if kind == "list":
        return json.dumps([reply]).encode()
    if kind == "wrong_object":
        other = json.dumps(reply)
        for name in ("990001", "Synthetica", "2030 AA", "SYN0001"):
            other = other.replace(name, {"SYN0001": "SYN0009", "2030 AA": "2030 ZZ9"}.get(name, "990009"))
        return other.encode()
    return json.dumps(_leaves(reply, kind)).encode()


def _changed_text(kind: str, text: str) -> str:
    if kind == "signature":
        return text.replace("API VERSION: 1.3", "API VERSION: 9.9")
    if kind == "wrong_object":
        return text.replace("990001 Synthetica (2030 AA)", "990009 Other (2030 ZZ9)")
    if kind == "list":
        return json.dumps([text])
    if kind == "nulls":
        words = text.split(" ")
        return "".join(" null " if word.strip().rstrip(",").replace(".", "").isdigit() else word for word in words)
    return text


def _leaves(value: Any, kind: str) -> Any:
    """Numbers as strings, or every second leaf null."""
    if isinstance(value, dict):
        return {key: (each if key == "signature" else _leaves(each, kind)) for key, each in value.items()}
    if isinstance(value, list):
        return [_leaves(each, kind) for each in value]
    if kind == "nulls":
        return None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _drip(simulator: Simulator, handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(600):
        handler.wfile.write(b" ")
        if simulator._stop.wait(0.1):
            return


def _reset(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def _huge(handler: BaseHTTPRequestHandler, compressed: bool) -> None:
    """50 MB without saying so beforehand: chunks, or a compressed megabyte repeated."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    if compressed:
        handler.send_header("Content-Encoding", "gzip")
    handler.end_headers()
    packer = zlib.compressobj(wbits=31)
    megabyte = b" " * (1024 * 1024)
    for _ in range(HUGE_BYTES // len(megabyte)):
        chunk = packer.compress(megabyte) if compressed else megabyte
        if chunk:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))


def main() -> None:
    parser = argparse.ArgumentParser(description="Stand-in for the providers, on loopback.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--bodies", type=int, default=0, help="so many more objects")
    options = parser.parse_args()
    state = State.with_bodies(options.bodies) if options.bodies else State.small()
    with Simulator(state, options.port) as simulator:
        print("PROVIDER_URLS=" + ",".join(f"{name}={url}" for name, url in simulator.urls.items()), flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()  # until it is interrupted


if __name__ == "__main__":
    main()
