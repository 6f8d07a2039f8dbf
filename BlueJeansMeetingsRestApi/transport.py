"""The connections below urllib3: how long they may take, whom they trust, and which way they go.

A timeout of urllib3 bounds one `recv`, so a server that sends a byte now and then outlives it: our reader asks before
each `recv` how much of the call's time is left. And urllib3 writes the target of each request to its log and into its
errors: our connection adds the query, which may hold a token, after urllib3 has let go of it.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import math
import os
import socket
import ssl
import threading
import time
import warnings
from typing import Any

import certifi
import urllib3
from urllib3.exceptions import ConnectTimeoutError, InsecureRequestWarning, NewConnectionError
from urllib3.util.connection import create_connection
from urllib3.util.ssl_ import create_urllib3_context

from .configuration import Configuration
from .proxies import proxy_for


class CurrentCall(threading.local):
    """What the connection needs to know of the call that this thread is making, and tells of it.

    deadline: when it ends, on the monotonic clock. query: the last part of the request's target. fresh: whether a kept
    connection will not do. reused: whether it was one. connected: whether the service may have got something of the
    request. answer: the last that was read from, a proxy's included. status: the HTTP status, once it has come.
    """

    deadline = math.inf
    query = ""
    fresh = False
    reused = False
    connected = False
    answer: Any = None
    status = 0


call = CurrentCall()

# What is sent at once, without waiting for the other side. It is also the most that a record of TLS holds.
_FITS_INTO_BUFFERS = 1 << 14


def _time_left(until: float) -> float:
    """Seconds that a socket may take now. Not zero, which would make it one that never waits."""
    return max(min(until, call.deadline) - time.monotonic(), 0.001)


class _BoundedReader(io.RawIOBase):
    """Reads from a socket for as long as the call that is under way has time."""

    def __init__(self, sock: socket.socket, file: io.RawIOBase) -> None:
        self.sock, self._file, self._silence = sock, file, sock.gettimeout() or math.inf
        self.ended = self.enough = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.enough:
            return None
        left = min(call.deadline - time.monotonic(), self._silence)
        if left <= 0:
            raise socket.timeout("timed out")
        self.sock.settimeout(left if left < math.inf else None)
        count = self._file.readinto(buffer)
        self.ended = count == 0
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        call.answer = self
        self._reader = _BoundedReader(sock, self.fp.detach())
        self.fp: Any = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        call.status = self.status
        if self._reader.ended:
            # http.client takes the end of the connection for the end of the headers.
            raise http.client.IncompleteRead(b"")

    def _close_conn(self) -> None:
        self._reader.enough = True
        if self.fp.peek(1):
            # Bytes behind the answer's end: nothing that comes over this connection can be believed any more.
            with contextlib.suppress(OSError):
                self._reader.sock.shutdown(socket.SHUT_RDWR)
        super()._close_conn()  # type: ignore[misc]


class _Connection:
    """What our connections do differently, over HTTP and HTTPS alike."""

    response_class: Any = _Response
    # Others may set it on http.client's class, which would print each request with its secrets.
    debuglevel = 0
    sock: Any
    timeout: float

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        # For urllib3, which would warn of each connection without checks: `pool_manager` has done so once.
        self.is_verified = True
        call.connected = True

    def _new_conn(self) -> socket.socket:
        """Connect to the first address that answers. urllib3 gives each of them the whole time, and DNS any time."""
        until = time.monotonic() + self.timeout
        try:
            addresses = _addresses(self._dns_host, self.port, _time_left(until))  # type: ignore[attr-defined]
            for others in reversed(range(len(addresses))):
                try:
                    sock = create_connection(
                        (addresses.pop(0), self.port),  # type: ignore[attr-defined]
                        _time_left(until) / (others + 1),
                        socket_options=self.socket_options,  # type: ignore[attr-defined]
                    )
                    break
                except OSError:
                    if not others:
                        raise
        except socket.timeout as error:
            raise ConnectTimeoutError(self, "timed out") from error
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error  # type: ignore[arg-type]
        # The handshake of TLS and the proxy's answer are part of connecting.
        sock.settimeout(_time_left(until))
        return sock

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        joint = call.query and ("&" if "?" in url else "?")
        super().putrequest(method, url + joint + call.query, *args, **kwargs)  # type: ignore[misc]

    def send(self, data: Any) -> None:
        if len(data) <= _FITS_INTO_BUFFERS:
            try:
                super().send(data)  # type: ignore[misc]
            except OSError:
                # Since TLS 1.3 a server refuses a client's certificate after the handshake, and then hangs up.
                if isinstance(self.sock, ssl.SSLSocket):
                    self.sock.recv(1)  # raises what it said, if it did
                raise
            return
        if self.sock is None:
            self.connect()
        # In parts, or TLS would take the whole time for each of its records.
        for start in range(0, len(data), _FITS_INTO_BUFFERS):
            self.sock.settimeout(_time_left(time.monotonic() + self.timeout))
            super().send(data[start : start + _FITS_INTO_BUFFERS])  # type: ignore[misc]


def _addresses(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of a host name."""
    try:
        found: Any = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        found = None

        def look() -> None:
            nonlocal found
            try:
                found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError as error:
                found = error

        # In a thread, because DNS knows neither a timeout nor Ctrl-C.
        thread = threading.Thread(target=look, name=f"DNS of {host}", daemon=True)
        thread.start()
        thread.join(seconds)
    if found is None:
        raise socket.timeout(f"no answer of DNS for {host} in time") from None
    if isinstance(found, OSError):
        raise found
    return [address[0] for *_, address in found]


class _Pool:
    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        if call.fresh:
            connection.close()
        call.connected = call.reused = connection.sock is not None
        return connection


def _on_our_terms(pool: Any) -> Any:
    connection = type(pool.ConnectionCls.__name__, (_Connection, pool.ConnectionCls), {})
    return type(pool.__name__, (_Pool, pool), {"ConnectionCls": connection})


_POOLS = {"http": _on_our_terms(urllib3.HTTPConnectionPool), "https": _on_our_terms(urllib3.HTTPSConnectionPool)}


def pool_manager(configuration: Configuration, pools_size: int, maxsize: int) -> urllib3.PoolManager:
    """urllib3's pools of our connections, with the TLS and the proxy of the configuration."""
    settings: dict[str, Any] = {"num_pools": pools_size, "maxsize": maxsize, "ssl_context": _ssl_context(configuration)}
    if configuration.assert_hostname is not None and configuration.base_url.startswith("https:"):
        settings["assert_hostname"] = configuration.assert_hostname  # urllib3 1.26 takes it for HTTPS alone
    if configuration.base_url.startswith("https:") and not configuration.verify_ssl:
        warnings.warn(
            f"Configuration.verify_ssl is False: whoever answers for {configuration.host} is taken for the service. "
            "To trust an authority of your own, set Configuration.ssl_ca_cert instead.",
            InsecureRequestWarning,
            stacklevel=2,
        )
    proxy = proxy_for(configuration)
    manager = urllib3.PoolManager(**settings)
    if proxy:
        context = settings["ssl_context"]
        manager = urllib3.ProxyManager(proxy.url, proxy_headers=proxy.headers, proxy_ssl_context=context, **settings)
    manager.pool_classes_by_scheme = _POOLS
    return manager


def _ssl_context(configuration: Configuration) -> ssl.SSLContext:
    own = (configuration.verify_ssl, configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file)
    return _shared_ssl_context() if own == (True, None, None, None) else _new_ssl_context(*own)


def _new_ssl_context(
    verify: bool = True, authorities: str | None = None, cert_file: str | None = None, key_file: str | None = None
) -> ssl.SSLContext:
    context: ssl.SSLContext = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if verify else ssl.CERT_NONE)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    authorities = authorities or certifi.where()
    setting = f"ssl_ca_cert {authorities!r}"
    try:
        if verify:
            context.load_verify_locations(**{"capath" if os.path.isdir(authorities) else "cafile": authorities})
        if cert_file:
            setting = f"cert_file {cert_file!r} with key_file {key_file!r}"
            context.load_cert_chain(cert_file, key_file)
    except OSError as error:
        raise ValueError(f"Configuration.{setting} is not what it should be, in PEM: {error}") from None
    return context


# Reading certifi's authorities takes longer than a call, and they are the same for every client.
_shared_ssl_context = functools.lru_cache(maxsize=1)(_new_ssl_context)
