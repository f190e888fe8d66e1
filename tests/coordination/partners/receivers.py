"""Receivers of webhooks: real HTTP servers on this machine, each with a way of its own to answer."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """`behave(handler)` answers; by default with 204. What came in is kept as (headers, body)."""

    def __init__(self, behave=None):
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.over = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((dict(self.headers), body))
                (behave or answers(204))(self)

            def do_GET(self):
                receiver.received.append((dict(self.headers), b"GET"))
                answers(200)(self)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.receiver = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/neo"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def answers(status: int, headers: dict[str, str] | None = None, body: bytes = b""):
    def behave(handler):
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def hangs(handler):
    """Takes the request and says nothing until the test is over."""
    handler.server.receiver.over.wait(30)


def drips(handler):
    """One byte of a header after the other, for ever: no single wait is long."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not handler.server.receiver.over.wait(0.05):
            handler.wfile.write(b"a")
    except OSError:
        pass


def resets(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    handler.connection.close()


def floods(handler):
    """An answer without end."""
    try:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not handler.server.receiver.over.is_set():
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass
