"""Listen on loopback: HTTP/1.1, optional TLS, and a thread for each connection."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Response
from werkzeug.wsgi import LimitedStream

from .app import CONTENT_TYPE, create_app
from .controls import Controls

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
HANDSHAKE_LIMIT = 10.0  # seconds


class _Handler(WSGIRequestHandler):
    """Handler of one connection. It prints nothing; `Controls` records the requests without secrets."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # because a response is written in two parts

    def setup(self) -> None:
        if isinstance(self.request, ssl.SSLSocket):
            # Not in the accept loop, where a client that does not respond would block all others.
            self.request.settimeout(HANDSHAKE_LIMIT)
            self.request.do_handshake()
            self.request.settimeout(None)
        super().setup()

    def run_wsgi(self) -> None:
        """Process one request and keep the connection open, which Werkzeug's own method does not."""
        environ = self.make_environ()
        if "Transfer-Encoding" in self.headers:
            self.close_connection = (
                True  # the end of such a body is not certain enough to read another request after it
            )
        else:
            length = self.headers.get("Content-Length", "0")
            if not (length.isdecimal() and len(length) < 20):
                self.send_error(400)
                return
            body: Any = self.rfile
            environ["wsgi.input"] = LimitedStream(body, int(length))
        environ["wsgi.input_terminated"] = True
        with Response.from_app(self.server.app, environ) as response:
            if "Content-Length" not in response.headers and response.status_code not in (204, 304):
                self.close_connection = True  # which marks the end of a stream for the client
            self._send(response.status_code, response.status[4:], response.headers.items(), response.iter_encoded())
        # Discard the unread rest of the body; otherwise it would be parsed as the next request.
        while environ["wsgi.input"].read(1 << 16):
            pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse invalid HTTP, which cannot reach the application."""
        self.close_connection = True
        reason = HTTPStatus(code).phrase
        content = json.dumps({"code": code, "message": f"{reason}."}).encode()
        self._send(code, reason, {"Content-Type": CONTENT_TYPE, "Content-Length": str(len(content))}.items(), [content])

    def _send(self, status: int, reason: str, headers: Iterable[tuple[str, str]], content: Iterable[bytes]) -> None:
        self.send_response(status, reason)
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        for piece in content:
            self.wfile.write(piece)

    def version_string(self) -> str:
        return "BlueJeans Proxy"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class Server(ThreadedWSGIServer):
    """The service on a port, from construction to `close()`.

    port: TCP port; 0 for any free port. Raises OSError if the port is in use.
    """

    def __init__(self, controls: Controls, port: int, tls: bool) -> None:
        self._controls = controls
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.ca_cert: str | None = None
        # Pass a listening socket, because Werkzeug exits the whole program if it cannot listen.
        with socket.create_server((HOST, port), backlog=128) as listener:
            super().__init__(HOST, port, create_app(controls), handler=_Handler, fd=listener.fileno())
        if tls:
            self.ssl_context = self._make_tls()
        self.url = f"{'https' if tls else 'http'}://{HOST}:{self.port}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="sandbox", daemon=True)
        self._thread.start()

    def _make_tls(self) -> ssl.SSLContext:
        import trustme

        self._folder = tempfile.TemporaryDirectory(prefix="bluejeans-sandbox-")
        authority = trustme.CA(organization_name="BlueJeans sandbox, for development only")
        self.ca_cert = str(Path(self._folder.name) / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_cert)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(HOST, "localhost").configure_cert(context)
        return context

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        if self.ssl_context is not None:
            connection = self.ssl_context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._connections[thread] = request  # before it starts, so that close() finds it
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        super().process_request_thread(request, client_address)
        self._connections.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("A client closed the connection or does not trust the certificate")

    def close(self) -> None:
        """Close all connections and wait for their threads."""
        self._controls.close()
        self.shutdown()
        self._thread.join()
        for thread, connection in self._connections.copy().items():
            with contextlib.suppress(OSError):
                # Use the plain socket: shutting down the TLS socket would change it while its thread reads.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            thread.join()
        if self._folder is not None:
            self._folder.cleanup()
