"""The other end of a redirect URI on this machine (RFC 8252 section 7.3): a web server for one answer.

It takes GET at the path of the redirect URI, for the host that the URI names, and nothing else. Whatever comes, the
person is shown a page; what came is never on it, nor in a log.
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
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from .authorization_flow import Inbox

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
    # The address in the browser holds a code, which is spent, and the state.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_WHY_NOT = {
    errno.EADDRINUSE: "is taken: end the program that listens there, or use a URI with another port",
    errno.EACCES: "is not for this user: use a URI with a port above 1023",
}


def can_be_received(redirect_uri: str) -> bool:
    """Whether an answer to this redirect URI can be received here."""
    parts = urlsplit(redirect_uri)
    return parts.scheme == "http" and parts.hostname in (ADDRESS, "localhost")


class LoopbackReceiver:
    """Receives the answer to `redirect_uri`, from entering a `with` block to leaving it, and puts it into an inbox.

    redirect_uri: without a port, any that is free; then the attribute of that name has it. Raises OSError if the port
        is taken.
    application: what the pages call the program; "the application" if None.
    """

    def __init__(self, redirect_uri: str, inbox: Inbox, application: str | None = None) -> None:
        self.redirect_uri = redirect_uri
        self._inbox = inbox
        self._application = application or "the application"

    def __enter__(self) -> LoopbackReceiver:
        parts = urlsplit(self.redirect_uri)
        try:
            self._server = _Server((ADDRESS, parts.port or 0), _Handler)
        except OSError as error:
            if error.errno not in _WHY_NOT:
                raise
            what = f"port {parts.port} of {ADDRESS}, which the redirect URI names, {_WHY_NOT[error.errno]}"
            raise OSError(error.errno, what) from None
        host = f"{parts.hostname}:{self._server.server_address[1]}"
        self.redirect_uri = parts._replace(netloc=host).geturl()
        self._server.inbox, self._server.application = self._inbox, self._application
        # A browser leaves the port out where it is that of http.
        self._server.hosts = {host, host[:-3]} if host.endswith(":80") else {host}
        self._server.path = parts.path or "/"
        serving = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="redirect URI", daemon=True)
        serving.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._server.shutdown()
        finally:
            self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    # On Windows it would let another program take the port over.
    allow_reuse_address = os.name != "nt"
    inbox: Inbox
    application: str
    hosts: set[str]
    path: str

    def __init__(self, *args: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        # Browsers connect ahead, and keep silent: such a connection is not to outlast the sign-in.
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The browser went away. What it asked for is not for the screen, which has Python's own words otherwise."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30  # seconds of silence, after which a connection ends

    def do_GET(self) -> None:
        application = html.escape(self.server.application)
        if self.headers.get_all("Host", []) not in ([host] for host in self.server.hosts):
            # A name that another site lets lead here (DNS rebinding), so that its pages may read what we answer.
            self.show(421, "This is not the address of a sign-in", "Nothing is to be seen here.")
        elif self.path.partition("?")[0] != self.server.path:
            self.show(404, "There is nothing here", "You can close this tab.")
        else:
            self.take(application)

    def take(self, application: str) -> None:
        # Browsers say what for they fetch: a picture or a frame in another site's page is not seen as a page is.
        is_seen = self.headers.get("Sec-Fetch-Dest", "document") == "document"
        try:
            brought = self.server.inbox.take(self.path, is_seen=is_seen)
        except ValueError:
            text = f"It belongs to another sign-in, and nothing was done. If it is yours, begin again in {application}."
            self.show(400, "This answer was not waited for", text)
            return
        if brought is None:
            self.show(409, "This sign-in has ended", f"You can close this tab and go back to {application}.")
            return
        try:
            brought.settled.wait()
            self.show(*_outcome(brought.worked, brought.answer.code, application))
            self.wfile.flush()
        finally:
            brought.shown.set()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Python's own page quotes the request."""
        if code == HTTPStatus.NOT_IMPLEMENTED:  # so it says of a method
            # Unread, what was sent would make the system reset the connection, and nobody would see the page.
            length = self.headers.get("Content-Length", "")
            self.rfile.read(min(int(length), 1 << 16) if length.isdecimal() else 0)
            code = HTTPStatus.METHOD_NOT_ALLOWED
        self.show(code, "This is no answer of a browser", "Nothing was done. You can close this tab.")

    def show(self, status: int, title: str, text: str) -> None:
        content = _page(title, text).encode()
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

    def log_message(self, *_: object) -> None:
        """The path holds the code."""


def _page(title: str, text: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1><p>{text}</p></main></body></html>\n"
    )


def _outcome(worked: bool, code: str, application: str) -> tuple[int, str, str]:
    if worked:
        return 200, "You are signed in", f"You can close this tab and go back to {application}."
    if code:
        return 502, "The sign-in did not work", f"You can close this tab: {application} says what went wrong."
    return 403, "The sign-in ended without access", f"You can close this tab and go back to {application}."
