"""A server with real sockets that sends the bytes that a test specifies and records the requests."""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Union

ServerResponse = Union[bytes, Callable[[socket.socket], None]]


@dataclass(frozen=True)
class RecordedRequest:
    """A request as received over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class RecordingServer:
    """Responds to each request with the next of `responses`; the last one is repeated.

    A response is the bytes to send, or a function that receives the socket.
    """

    responses: list[ServerResponse] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    accept_invalid_http: bool = False  # Record and respond to any bytes, even if they are not HTTP.
    requests: list[RecordedRequest] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> RecordingServer:
        recorder = self

        class Handler(socketserver.StreamRequestHandler):
            def setup(self) -> None:
                recorder.connections += 1
                if recorder.tls is not None:
                    self.request = recorder.tls.wrap_socket(self.request, server_side=True)
                recorder._open.append(self.request)
                super().setup()

            def handle(self) -> None:
                while (recorded := self.read()) is not None:
                    recorder.requests.append(recorded)
                    response = recorder.responses.pop(0) if len(recorder.responses) > 1 else recorder.responses[0]
                    if callable(response):
                        response(self.request)
                        return
                    self.request.sendall(response)
                    if b"Connection: close" in response:
                        return

            def read(self) -> RecordedRequest | None:
                if recorder.accept_invalid_http:
                    sent = self.request.recv(1 << 16)
                    return RecordedRequest("", "", {}, sent) if sent else None
                return read_request(self.rfile)

            def finish(self) -> None:
                self.rfile.close()
                self.wfile.close()
                self.request.close()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

            def handle_error(self, *_: Any) -> None:
                """Ignore disconnected clients and failed handshakes, which some tests provoke."""

        self._open: list[socket.socket] = []
        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for connection in self._open:
            connection.close()

    def respond_with(self, *responses: ServerResponse) -> None:
        """Send these responses from now on; the last one is repeated."""
        self.responses[:] = responses


def http_response(content: Any = None, status: int = 200, body: bytes | None = None, **headers: str) -> bytes:
    """Return a complete HTTP response, with `content` as JSON or with `body` unchanged."""
    body = (b"" if content is None else json.dumps(content).encode()) if body is None else body
    lines = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if status != 204:
        lines.setdefault("Content-Length", str(len(body)))
    reason = {200: "OK", 204: "No Content", 401: "Unauthorized"}.get(status, "Whatever")
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} {reason}\r\n{head}\r\n".encode() + body


def read_request(stream: Any) -> RecordedRequest | None:
    line = stream.readline()
    if not line.strip():
        return None
    method, target, _ = line.decode("ascii").split()
    headers = {}
    while (header := stream.readline().strip()) != b"":
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return RecordedRequest(method, target, headers, stream.read(int(headers.get("content-length", 0))))


def reset(connection: socket.socket) -> None:
    """Make the close of the connection send RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def never_respond(connection: socket.socket) -> None:
    """Send nothing until the client disconnects."""
    connection.recv(1)


class SilentResponse:
    """A response that sends nothing; `requested` is set once a request has arrived."""

    def __init__(self) -> None:
        self.requested = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        self.requested.set()
        never_respond(connection)


def drip(start: bytes = b"", drop: bytes = b"x") -> Callable[[socket.socket], None]:
    """Send `start`, and `drop` every 50 milliseconds for as long as the client listens."""

    def send_slowly(connection: socket.socket) -> None:
        pause = threading.Event()
        try:
            connection.sendall(start)
            while not pause.wait(0.05):
                connection.sendall(drop)
        except OSError:
            return

    return send_slowly


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
