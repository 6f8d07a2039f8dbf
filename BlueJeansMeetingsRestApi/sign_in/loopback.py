"""A loopback web server that receives one authorization response and shows a page (RFC 8252 section 7.3).

It accepts only GET requests for the path and the host of the redirect URI. Each response is a page for the user, and
neither a page nor a log contains any part of a request.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import html
import os
import socket
import socketserver
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from .callback import PendingSignIn

ADDRESS = "127.0.0.1"

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto 0;padding:0 1.5rem}"
    "h1{font-size:1.5rem;line-height:1.25}"
)
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
    # The URL in the browser contains the used code and the state.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_BIND_ERRORS = {
    errno.EADDRINUSE: "is already in use; stop the program that listens on it, or use a URI with another port",
    errno.EACCES: "requires more privileges; use a URI with a port above 1023",
}


def is_loopback_uri(redirect_uri: str) -> bool:
    """Return whether LoopbackReceiver can receive the response to this redirect URI."""
    parts = urlsplit(redirect_uri)
    return parts.scheme == "http" and parts.hostname in (ADDRESS, "localhost")


class LoopbackReceiver:
    """Context manager that receives the response to `redirect_uri` and passes it to `pending`.

    redirect_uri: if it has no port, a free port is used, and the attribute of this name contains it.
    application: name of the program on the pages (default: "the application").

    Entering it raises OSError if the port is in use.
    """

    def __init__(self, redirect_uri: str, pending: PendingSignIn, application: str | None = None) -> None:
        self.redirect_uri = redirect_uri
        self._pending = pending
        self._application = application or "the application"

    def __enter__(self) -> LoopbackReceiver:
        parts = urlsplit(self.redirect_uri)
        try:
            self._server = _Server((ADDRESS, parts.port or 0), _Handler)
        except OSError as error:
            if error.errno not in _BIND_ERRORS:
                raise
            message = f"Port {parts.port} of {ADDRESS} (from the redirect URI) {_BIND_ERRORS[error.errno]}"
            raise OSError(error.errno, message) from None
        host = f"{parts.hostname}:{self._server.server_address[1]}"
        self.redirect_uri = parts._replace(netloc=host).geturl()
        self._server.pending, self._server.application = self._pending, self._application
        # Browsers omit the default port of http.
        self._server.hosts = {host, host[:-3]} if host.endswith(":80") else {host}
        self._server.path = parts.path or "/"
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="redirect URI", daemon=True)
        thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._server.shutdown()
        finally:
            self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    # On Windows, address reuse would allow another program to take over the port.
    allow_reuse_address = os.name != "nt"
    pending: PendingSignIn
    application: str
    hosts: set[str]
    path: str

    def __init__(self, *args: Any) -> None:
        self._connections: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        # Browsers open connections in advance without using them; close these as well.
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of a connection, because the default implementation prints a traceback."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = 30  # seconds without data before a connection is closed

    def do_GET(self) -> None:
        if self.headers.get_all("Host", []) not in ([host] for host in self.server.hosts):
            # Another site's name may resolve to this address (DNS rebinding), so that its pages could read responses.
            self.send_page(421, "Wrong address", "This is not the address of a sign-in.")
        elif self.path.partition("?")[0] != self.server.path:
            self.send_page(404, "Page not found", "You can close this tab.")
        else:
            self.receive(html.escape(self.server.application))

    def receive(self, application: str) -> None:
        # Browsers send the purpose of a request: the user does not see an image or a frame of another site as a page.
        is_visible = self.headers.get("Sec-Fetch-Dest", "document") == "document"
        try:
            received = self.server.pending.receive(self.path, is_visible=is_visible)
        except ValueError:
            text = f"It belongs to another sign-in and was ignored. To sign in, start again in {application}."
            self.send_page(400, "Unexpected sign-in response", text)
            return
        if received is None:
            self.send_page(409, "This sign-in is finished", f"You can close this tab and return to {application}.")
            return
        try:
            received.settled.wait()
            self.send_page(*_result_page(received.succeeded, bool(received.response.code), application))
            self.wfile.flush()
        finally:
            received.shown.set()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Send a page, because the default implementation quotes the request."""
        if code == HTTPStatus.NOT_IMPLEMENTED:  # the default for an unknown method
            # If the request body stays unread, the system resets the connection and the browser shows no page.
            length = self.headers.get("Content-Length", "")
            self.rfile.read(min(int(length), 1 << 16) if length.isdecimal() else 0)
            code = HTTPStatus.METHOD_NOT_ALLOWED
        self.send_page(code, "Invalid request", "It was ignored. You can close this tab.")

    def send_page(self, status: int, title: str, text: str) -> None:
        content = _render_page(title, text).encode()
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def version_string(self) -> str:
        return "BlueJeansMeetingsRestApi"

    def log_message(self, format: str, *args: object) -> None:
        """Do not log requests, because their path contains the code."""


def _render_page(title: str, text: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1><p>{text}</p></main></body></html>\n"
    )


def _result_page(succeeded: bool, has_code: bool, application: str) -> tuple[int, str, str]:
    """Return the status, the title and the text of the page with the result of a sign-in."""
    if succeeded:
        return 200, "You are signed in", f"You can close this tab and return to {application}."
    if has_code:
        return 502, "Sign-in failed", f"You can close this tab. The reason is shown in {application}."
    return 403, "Access was not granted", f"You can close this tab and return to {application}."
