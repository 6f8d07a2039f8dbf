"""The sockets of the sandbox: HTTP or HTTPS on loopback, a thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
import threading
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from .app import Controls, create_app

HOST = "127.0.0.1"


class _Handler(WSGIRequestHandler):
    """Answers one connection. It prints nothing: what was asked is in `Controls`, without secrets."""

    server: Any

    def setup(self) -> None:
        if self.server.tls is not None:
            # Here and not in the loop that accepts, where a silent client would keep all others waiting.
            self.request.settimeout(10)
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            self.request.settimeout(None)
        self.server.open[threading.current_thread()] = self.request
        super().setup()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.request.close()
        self.server.open.pop(threading.current_thread(), None)

    def version_string(self) -> str:
        return "BlueJeans Proxy"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class Server:
    """Serves an application until it is closed.

    port: 0 for any that is free. Raises OSError if it is taken, OverflowError if there is none of that number.
    """

    def __init__(self, controls: Controls, port: int, tls: bool) -> None:
        self._controls = controls
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.ca_cert: str | None = None
        listener = socket.create_server((HOST, port), backlog=128)
        try:
            context = self._make_tls() if tls else None
            server: Any = make_server(
                HOST, port, create_app(controls), threaded=True, request_handler=_Handler, fd=listener.fileno()
            )
        finally:
            listener.close()  # the server has a duplicate
        server.handle_error = lambda *_: None  # a client that goes away, or does not trust the certificate
        server.tls = server.ssl_context = context
        server.open = {}
        self._server: BaseWSGIServer = server
        self._open: dict[threading.Thread, socket.socket] = server.open
        self.url = f"{'https' if tls else 'http'}://{HOST}:{server.server_address[1]}"
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="sandbox", daemon=True)
        self._thread.start()

    def _make_tls(self) -> ssl.SSLContext:
        import trustme

        self._folder = tempfile.TemporaryDirectory(prefix="bluejeans-sandbox-")
        authority = trustme.CA(organization_name="BlueJeans sandbox, for development only")
        self.ca_cert = str(Path(self._folder.name) / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_cert)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(HOST, "localhost", "::1").configure_cert(context)
        return context

    def close(self) -> None:
        """End the threads and connections, those that clients keep open too."""
        self._controls.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for thread, connection in list(self._open.items()):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()
        if self._folder is not None:
            self._folder.cleanup()
