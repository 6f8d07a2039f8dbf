"""Subclasses of urllib3's connections that connect, send and receive before a deadline."""

from __future__ import annotations

import contextlib
import http.client
import math
import re
import socket
import ssl
from typing import Any

import urllib3
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from .connect import open_connection
from .deadline import Attempt, UnsupportedUrllib3Error
from .reader import ResponseReader
from .request import Payload
from .response import Response
from .streamed import UnreadResponse

# How much is sent within one time limit of silence. It is also the size of a TLS record.
_PART = 1 << 14


URLLIB3_1 = hasattr(urllib3.HTTPResponse, "from_httplib")


class _Connection:
    """The difference between our connections and urllib3's, for HTTP and HTTPS.

    unread: whether a response is expected on the connection, or was not read to its end.
    """

    # A program may set it on http.client's class, which would print what is sent to a proxy.
    debuglevel = 0
    payload: Payload | None = None
    opened = unread = False
    timeout: Any
    sock: Any

    def __init__(self, host: str, *args: Any, **options: Any) -> None:
        # urllib3 removes a final dot, which keeps DNS from searching the name in other domains.
        self.dns_name = host
        super().__init__(host, *args, **options)  # type: ignore[call-arg]

    def connect(self) -> None:
        attempt: Attempt = self.timeout.attempt
        attempt.opened = True
        self.opened = False
        self._connect_without_quotes()
        if not self.opened:
            self.close()
            raise UnsupportedUrllib3Error
        # Configuration.verify_ssl decides. urllib3 would warn before each request, or raise under `-W error`.
        self.is_verified = True

    def send(self, data: Any) -> None:
        """Send to a proxy, unless urllib3 has connected without `_new_conn`."""
        if not self.opened:
            raise UnsupportedUrllib3Error
        super().send(data)  # type: ignore[misc]

    def _connect_without_quotes(self) -> None:
        """Connect, and raise no exception that quotes the response of a proxy to CONNECT."""
        try:
            super().connect()  # type: ignore[misc]
            return
        except http.client.RemoteDisconnected:
            raise
        except (http.client.BadStatusLine, http.client.UnknownProtocol):
            error: Exception = http.client.BadStatusLine("invalid status line")
        except OSError as caught:
            refused = re.match(r"Tunnel connection failed: (\d+)", str(caught))
            if refused is None:
                raise
            phrase = http.client.responses.get(int(refused[1]), "")
            error = OSError(f"{refused[0]} {phrase}".strip())
        # Raised outside of the handler, so that http.client's exception is not its `__context__`.
        raise error

    def _new_conn(self) -> socket.socket:
        """Connect within the attempt's time, and return a socket that keeps its deadline."""
        self.opened = True
        deadline = self.timeout.attempt.connect_deadline()
        try:
            return open_connection(self.dns_name, self.port, deadline, self.socket_options)  # type: ignore[attr-defined]
        except socket.timeout as error:
            raise ConnectTimeoutError(self, "timed out") from error
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error  # type: ignore[arg-type]

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **_: Any) -> None:
        """Send a `Payload`. `url` is only what may be logged of the request's URL."""
        payload: Payload = body
        self.payload, attempt = payload, payload.attempt
        if self.sock is None:
            self.connect()
        sock: Any = self.sock
        message = payload.request.message(payload.prefix, headers)
        attempt.connected = self.unread = True
        # A server may respond before it has read all of the request: its response counts.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            for start in range(0, len(message), _PART):
                attempt.limit(sock)
                sock.sendall(message[start : start + _PART])

    def getresponse(self, method: str = "GET", **_: Any) -> Any:
        """Return a `Response`, or urllib3's unread response to an attempt that is streamed."""
        payload, self.payload = self.payload, None
        if payload is None or self.sock is None:
            raise http.client.ResponseNotReady
        attempt, method = payload.attempt, payload.request.method
        response = ResponseReader(self.sock, attempt, method, self.response_ended).read()
        if isinstance(response, Response):
            if attempt.streamed:
                self.close()  # urllib3 leaves that to the caller, who does not get this response
            return response
        # The caller reads the rest, for as long as the server keeps sending.
        attempt.deadline = math.inf
        if response.will_close:
            super().close()  # type: ignore[misc]  # which leaves the socket to the response
        unread = UnreadResponse(response, method, payload.prefix + payload.request.public_path)
        return unread if URLLIB3_1 else unread.of_urllib3()

    def close(self) -> None:
        self.payload, self.unread = None, False
        super().close()  # type: ignore[misc]

    def response_ended(self, reusable: bool) -> None:
        """Close the connection unless it can be used again after this response."""
        self.unread = False
        if not reusable:
            self.close()


def _urllib3_class(pool: Any) -> Any:
    """Return urllib3's class of connections, also while a recorder such as vcrpy has replaced it."""
    return next(cls for cls in pool.ConnectionCls.__mro__ if cls.__module__.startswith("urllib3."))


def connection_class(pool: Any) -> Any:
    """Return our class of connections for a class of pools of urllib3."""
    base = _urllib3_class(pool)
    if not hasattr(base, "_new_conn"):
        raise UnsupportedUrllib3Error
    return type(base.__name__, (_Connection, base), {})
