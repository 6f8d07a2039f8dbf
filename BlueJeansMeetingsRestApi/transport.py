"""One exchange with the service: a connection, the bytes of a request, and the head of the answer.

urllib3 keeps the connections and makes them, through TLS and proxies. What goes over them is written and read here:
- A timeout of urllib3 bounds one `recv`, so a server that sends a byte now and then outlives it. Our reader asks before
  each `recv` how much of the call's time is left.
- urllib3 and http.client write a request's target, which may hold a token, to logs and into errors. They do not get it.
- They take two thirds of a call's time (`python -m benchmarks`): building requests line by line, sending head and body
  apart, reading headers with the package `email`, and wrapping an answer in several objects.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import math
import os
import queue
import re
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Generator
from typing import Any, Callable
from urllib.parse import urlsplit

import urllib3
from urllib3._collections import HTTPHeaderDict
from urllib3.connection import CertificateError  # type: ignore[attr-defined]  # where 1.26.0 has it, too
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    InsecureRequestWarning,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    ResponseNotChunked,
    SSLError,
)
from urllib3.util.ssl_ import create_urllib3_context

from .configuration import Configuration
from .proxies import proxy_for

# What is sent at once, without waiting for the other side. It is also the most that a record of TLS holds.
_FITS_INTO_BUFFERS = 1 << 14
# The head of an answer in which nothing needs interpretation: ASCII, a line for each header, and no more of them than
# http.client takes.
_PLAIN_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-9][0-9]{2}) ([ -~]*)\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n){1,99})\r\n"
)
_LONGEST_LINE = 1 << 16  # that http.client reads
# The headers that say where a message ends.
FRAMING = ("content-length", "transfer-encoding")


class Call:
    """One try of a request: the time it has, and what has become of it.

    deadline: when the call ends, on the monotonic clock. connect_timeout, read_timeout: seconds to connect, of silence.
    fresh: whether a kept connection will not do. reused: whether it was one. connected: whether the service may have
    got something of the request. response: what is being read from, a proxy's included. status: the HTTP status.
    """

    def __init__(self, deadline: float, connect_timeout: float, read_timeout: float, fresh: bool) -> None:
        self.deadline, self.connect_timeout, self.read_timeout = deadline, connect_timeout, read_timeout
        self.fresh = fresh
        self.reused = self.connected = False
        self.response: Response | None = None
        self.status = 0

    def time_left(self, until: float) -> float:
        """Seconds that a socket may take now. Not zero, which would make it one that never waits."""
        return max(min(until, self.deadline) - time.monotonic(), 0.001)


class _BoundedReader(io.RawIOBase):
    """Reads from a socket for as long as the call has time."""

    def __init__(self, call: Call, sock: Any) -> None:
        self.call, self.sock, self._silence = call, sock, sock.gettimeout()
        self._file = sock.makefile("rb", buffering=0)
        self.ended = self.enough = False

    def makefile(self, *_: Any) -> io.BufferedReader:
        """What http.client asks a socket for."""
        # Python 3.15 raised the default size to 128 KiB. A plain head has to fit, so this size also limits its length.
        return io.BufferedReader(self, 8192)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.enough:
            return None
        left = min(self.call.deadline - time.monotonic(), self._silence)
        if left <= 0:
            raise socket.timeout("timed out")
        self.sock.settimeout(left)
        count: int | None = self._file.readinto(buffer)
        self.ended = count == 0
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class Response(http.client.HTTPResponse):
    """An answer whose head has been read. `pool` gets the connection back once the body has been, too."""

    headers: http.client.HTTPMessage
    fp: Any
    pool: Any
    _method: str

    def __init__(self, connection: Any, sock: socket.socket, **options: Any) -> None:
        self.connection, self._call = connection, connection.call
        self._reader = _BoundedReader(self._call, sock)
        super().__init__(self._reader, **options)  # type: ignore[arg-type]
        self._call.response = self

    def begin(self) -> None:
        if self._begin_with_a_plain_head():
            self._call.status = self.status
            return
        super().begin()
        while 102 <= self.status < 200:
            # The answer is still to come; http.client knows that of 100 alone.
            self.headers = None  # type: ignore[assignment]
            super().begin()
        self._call.status = self.status
        self._doubt_its_end(self.headers.get("Transfer-Encoding", ""), self.headers.get("Content-Length", ""))
        if self._reader.ended:
            # http.client takes the end of the connection for the end of the headers.
            raise http.client.IncompleteRead(b"")
        lengths = ",".join(self.headers.get_all("Content-Length", ())).split(",")
        if len({length.strip() for length in lengths}) > 1:
            # http.client takes the first.
            raise http.client.HTTPException("more than one Content-Length")

    def _begin_with_a_plain_head(self) -> bool:
        """Do what http.client's `begin` does, if the head is plain and here as a whole; False if it is not.

        http.client has the package `email` read the headers, which would add a third to a call's time.
        """
        head = _PLAIN_HEAD.match(self.fp.peek(1))
        # Let http.client refuse lines that are too long. Python 3.14 buffers more than one of them.
        if head is None or head.end() > _LONGEST_LINE:
            return False
        message = http.client.HTTPMessage()
        values: dict[str, str] = {}
        for line in head[3].decode("ascii").split("\r\n")[:-1]:
            name, _, value = line.partition(":")
            value = value.lstrip("\t ")
            message.set_raw(name, value)
            key = name.lower()
            if key in values and key in FRAMING:
                return False
            values.setdefault(key, value)
        length = values.get("content-length", "")
        if length and not (length.isdecimal() and len(length) < 16):
            return False
        self.fp.read(head.end())
        self.headers = self.msg = message
        self.status = self.code = int(head[1])
        self.reason, self.version = _standard_phrase(self.status), 11
        self.chunked, self.chunk_left = values.get("transfer-encoding", "").lower() == "chunked", None
        self.length = int(length) if length and not self.chunked else None
        if self.status in (204, 304) or self._method == "HEAD":
            self.length = 0
        ends = self.length is not None or self.chunked
        self.will_close = not ends or "close" in values.get("connection", "").lower()
        self._doubt_its_end(values.get("transfer-encoding", ""), length)
        return True

    def _doubt_its_end(self, coding: str, length: str) -> None:
        """Do not use the connection again where somebody could read another end of the answer."""
        if self.status == 204:
            self.chunked = False
        announced_for_nothing = self.status == 204 and (coding or length not in ("", "0"))
        if announced_for_nothing or (coding and (length or coding.lower() != "chunked")):
            self.will_close = True

    def content(self, limit: int) -> tuple[bytes, bool]:
        """The body, or one byte more than `limit` of it; and whether that is what was promised, and not cut off."""
        try:
            content = self.read(limit + 1)
        except socket.timeout as error:
            raise _of_urllib3(error, self.pool, self.connection) from error
        except (OSError, http.client.HTTPException):
            self.will_close = True  # http.client has closed what it could not parse
            return b"", False
        finally:
            if not self.isclosed() or self.length or self.will_close:
                self.connection.close()
            # Not left to when it is freed: Python would keep a Ctrl-C to itself that comes then.
            self.close()
            self.pool.give_back(self.connection)
        return content, len(content) > limit or not self.length

    def unread(self) -> urllib3.HTTPResponse:
        """The answer as urllib3 has it. Who reads it has the time that the server keeps talking."""
        self._call.deadline = math.inf
        return _StreamedResponse(
            body=self,
            headers=HTTPHeaderDict(self.headers.items()),
            status=self.status,
            version=self.version,
            reason=self.reason,
            preload_content=False,
            original_response=self,
            pool=self.pool,
            connection=self.connection,
            enforce_content_length=True,
            request_method=self._method,
        )

    def _read_status(self) -> tuple[str, int, str]:
        """Read the status line. The errors of http.client quote it, also if a proxy refuses CONNECT."""
        line: tuple[str, int, str] | None
        try:
            line = super()._read_status()  # type: ignore[misc]
        except http.client.RemoteDisconnected:
            raise  # A subclass of BadStatusLine, for an empty response.
        except http.client.BadStatusLine:
            line = None
        # Raise new errors here, so that the original error is not their `__context__`.
        if line is None:
            raise http.client.BadStatusLine("invalid status line")
        version, status, _ = line
        if version != "HTTP/0.9" and not version.startswith("HTTP/1."):
            raise http.client.UnknownProtocol("unknown HTTP version")
        return version, status, _standard_phrase(status)

    def _read_next_chunk_size(self) -> int:
        size = -1
        with contextlib.suppress(ValueError):  # It quotes the line.
            size = super()._read_next_chunk_size()  # type: ignore[misc]
        if size < 0:
            raise ValueError("invalid chunk size")
        return size

    def _close_conn(self) -> None:
        self._reader.enough = True
        self.connection.owes_answer = False
        pending = getattr(self._reader.sock, "pending", int)
        if self.status == 101 or self.fp.peek(1) or pending():
            # Bytes behind the answer's end: nothing that comes over this connection can be believed any more.
            self.will_close = True
            with contextlib.suppress(OSError, AttributeError):  # urllib3's TLS within TLS knows no `shutdown`
                self._reader.sock.shutdown(socket.SHUT_RDWR)
        super()._close_conn()  # type: ignore[misc]


def _standard_phrase(status: int) -> str:
    """Return the reason phrase that HTTP defines for `status`. The server's own phrase can contain anything."""
    return http.client.responses.get(status, "")


def _without_quotes(read: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method of urllib3's response so that its errors do not contain bytes from the server."""

    @functools.wraps(read)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return read(self, *args, **options)
        except ResponseNotChunked:
            raise
        except (ProtocolError, DecodeError) as error:
            kind = type(error)
        # Raise a new error here, so that the original error is not its `__context__`.
        raise kind("Connection broken: the response body is incomplete or malformed")

    return call


class _StreamedResponse(urllib3.HTTPResponse):
    """urllib3's response. Its errors do not quote chunk sizes or headers, and do not contain parts of the body."""

    read = _without_quotes(urllib3.HTTPResponse.read)
    if hasattr(urllib3.HTTPResponse, "read1"):  # urllib3 2
        read1 = _without_quotes(urllib3.HTTPResponse.read1)

    def read_chunked(self, *args: Any, **options: Any) -> Generator[bytes, None, None]:
        """Yield the decoded chunks; see `urllib3.HTTPResponse.read_chunked`."""
        chunks, following = super().read_chunked(*args, **options), _without_quotes(next)
        while (chunk := following(chunks, None)) is not None:
            yield chunk


class _SocketUnderTLS:
    """A socket to a proxy over TLS, for TLS within it: urllib3 gives each of its reads the whole time."""

    def __init__(self, sock: Any, connection: _Connection) -> None:
        self._sock, self._connection = sock, connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def recv(self, *args: Any) -> Any:
        self._sock.settimeout(min(self._connection.call.time_left(math.inf), self._sock.gettimeout()))
        return self._sock.recv(*args)


class _Connection:
    """What our connections do differently, over HTTP and HTTPS alike."""

    # Others may set it on http.client's class, which would print what is sent to a proxy.
    debuglevel = 0
    call: Call
    owes_answer = False
    reached_proxy = False

    def _connect_tls_proxy(self, *args: Any) -> _SocketUnderTLS:
        return _SocketUnderTLS(super()._connect_tls_proxy(*args), self)  # type: ignore[misc]

    def _tunnel(self) -> None:
        self.reached_proxy = True
        super()._tunnel()  # type: ignore[misc]
        self.sock.settimeout(self.call.time_left(math.inf))  # type: ignore[attr-defined]

    def response_class(self, sock: socket.socket, **options: Any) -> Response:
        """For http.client, which makes one for a proxy's answer to CONNECT."""
        return Response(self, sock, **options)

    def _new_conn(self) -> socket.socket:
        """Connect to the first address that answers. urllib3 gives each of them the whole time, and DNS any time."""
        until = time.monotonic() + self.call.connect_timeout
        left = functools.partial(self.call.time_left, until)
        try:
            addresses = _addresses(self._dns_host, self.port, left())  # type: ignore[attr-defined]
            for others in reversed(range(len(addresses))):
                try:
                    sock = _open(addresses.pop(0), left() / (others + 1), self.socket_options)  # type: ignore[attr-defined]
                    break
                except OSError:
                    if not others:
                        raise
        except socket.timeout as error:
            raise ConnectTimeoutError(self, "timed out") from error
        except OSError as error:
            raise NewConnectionError(self, "no connection") from error  # type: ignore[arg-type]
        # The handshake of TLS and the proxy's answer are part of connecting.
        sock.settimeout(left())
        return sock


def _open(address: Any, seconds: float, options: Any) -> socket.socket:
    """A socket that is connected to what `getaddrinfo` gave."""
    family, kind, protocol, _, where = address
    sock = socket.socket(family, kind, protocol)
    try:
        for option in options or ():
            sock.setsockopt(*option)
        sock.settimeout(seconds)
        sock.connect(where)
    except BaseException:
        sock.close()
        raise
    return sock


def _addresses(host: str, port: int, seconds: float) -> list[Any]:
    """What `getaddrinfo` says of a host."""
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
        until = time.monotonic() + seconds
        thread.start()
        # In short waits: a Ctrl-C that comes just before one of them is noticed at its end.
        while found is None and (left := until - time.monotonic()) > 0:
            thread.join(min(left, 0.05))
    if found is None:
        raise socket.timeout(f"no answer of DNS for {host} in time") from None
    if isinstance(found, OSError):
        raise found
    return list(found)


class _Pool:
    """What our pools do in place of urllib3's `urlopen`."""

    def exchange(self: Any, call: Call, method: str, message: bytes) -> Response:
        """Send a request, and return the answer to it once its head has been read; HTTPError if that fails."""
        connection = self._get_conn()
        connection.call = call
        try:
            if call.fresh:
                connection.close()
            call.reused = call.connected = connection.sock is not None
            if not call.connected:
                self._connect(connection)
                call.connected = True
            connection.owes_answer = True
            # A server may refuse before it has read all: what it says counts, and not that it stopped listening.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                _send(connection.sock, message, call)
            response: Response = connection.response_class(connection.sock, method=method)
            response.begin()
        except BaseException as error:
            if call.response is not None:
                call.response.close()  # http.client leaves to chance when, where it is a proxy's
            connection.close()
            self._put_conn(connection)
            if isinstance(error, (OSError, http.client.HTTPException, CertificateError)):
                raise _of_urllib3(error, self, connection) from error
            raise
        finally:
            call.response = None  # it holds the call: neither would be freed before the garbage is collected
        if response.will_close:
            connection.close()  # lets go of the socket, which the response still reads from
        response.pool = self
        return response

    def _connect(self: Any, connection: Any) -> None:
        call = connection.call
        deadline = call.deadline
        connection.reached_proxy = False
        # A proxy's answer to CONNECT is part of connecting, however slowly it comes.
        call.deadline = min(deadline, time.monotonic() + call.connect_timeout)
        try:
            if self.tunnels:
                self._prepare_proxy(connection)
            else:
                connection.connect()
            connection.reached_proxy = True
        finally:
            call.deadline = deadline

    def _put_conn(self: Any, connection: Any) -> None:
        if connection is not None and connection.owes_answer:
            connection.close()  # `release_conn` of who has not read all
            connection.owes_answer = False
        super()._put_conn(connection)  # type: ignore[misc]

    def give_back(self: Any, connection: Any) -> None:
        """Keep a connection whose answer has been read."""
        self._put_conn(connection)


def _send(sock: Any, message: bytes, call: Call) -> None:
    # In parts, or TLS would take the whole time for each of its records.
    for start in range(0, len(message), _FITS_INTO_BUFFERS):
        sock.settimeout(call.time_left(time.monotonic() + call.read_timeout))
        sock.sendall(message[start : start + _FITS_INTO_BUFFERS])


def _of_urllib3(error: Exception, pool: Any, connection: Any) -> HTTPError:
    """The error that urllib3's `urlopen` would raise."""
    if isinstance(error, socket.timeout):
        wrapped: HTTPError = ReadTimeoutError(pool, "", "timed out")
    elif isinstance(error, (ssl.SSLError, CertificateError)):
        wrapped = SSLError(error)
    else:
        wrapped = ProtocolError("Connection aborted.", error)
    if pool.proxy is not None and not connection.reached_proxy:
        wrapped = ProxyError("Cannot connect to proxy.", error)
    return wrapped


class _Idle:
    """The connections that wait for their next request; what urllib3 asks of a queue.

    Its own is filled with empty places and takes locks: a tenth of the time of a client's first call, and a twentieth
    of each.
    """

    def __init__(self, maxsize: int) -> None:
        self._maxsize, self._connections = maxsize, list[Any]()

    def get(self, block: bool = False, timeout: float | None = None) -> Any:
        try:
            return self._connections.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, connection: Any, block: bool = False) -> None:
        if len(self._connections) >= self._maxsize:
            raise queue.Full
        if connection is not None:
            self._connections.append(connection)

    def qsize(self) -> int:
        return len(self._connections)


def _on_our_terms(pool: Any) -> Any:
    connection = type(pool.ConnectionCls.__name__, (_Connection, pool.ConnectionCls), {})
    return type(pool.__name__, (_Pool, pool), {"ConnectionCls": connection, "QueueCls": _Idle})


_POOLS = {"http": _on_our_terms(urllib3.HTTPConnectionPool), "https": _on_our_terms(urllib3.HTTPSConnectionPool)}


class Service:
    """The way to a host: its pool of connections, and what requests have to say on that way.

    target: what stands before the path in a request's first line. head: headers for a proxy, as they go over the wire.
    """

    def __init__(self, configuration: Configuration, base_url: str, maxsize: int) -> None:
        proxy = proxy_for(configuration)
        secure = base_url.startswith("https:")
        of_proxy: Any = _context_for(proxy.url, configuration) if proxy and proxy.url.startswith("https:") else None
        asserted = configuration.assert_hostname if secure and configuration.ssl_context is None else None
        # A proxy that forwards takes the place of the service.
        context = _context_for(base_url, configuration, asserted) if secure else of_proxy
        settings: dict[str, Any] = {"maxsize": maxsize, **({"ssl_context": context} if context else {})}
        if asserted is not None:
            settings["assert_hostname"] = asserted
        if secure:
            _warn_if_unverified(configuration)
        parts = urlsplit(base_url)
        self.pool: Any
        if proxy:
            way = urllib3.ProxyManager(proxy.url, proxy_headers=proxy.headers, proxy_ssl_context=of_proxy, **settings)
            way.pool_classes_by_scheme = _POOLS
            self.pool = way.connection_from_url(base_url)
        else:
            self.pool = _POOLS[parts.scheme](parts.hostname, parts.port, **settings)
        forwarding = proxy is not None and not secure
        self.pool.tunnels = proxy is not None and secure
        self.target = base_url if forwarding else parts.path
        lines = proxy.headers.items() if proxy and forwarding else ()
        self.head = "".join(f"{name}: {value}\r\n" for name, value in lines)


def _warn_if_unverified(configuration: Configuration) -> None:
    context = configuration.ssl_context
    if context is None and not configuration.verify_ssl:
        warnings.warn(
            f"Configuration.verify_ssl is False: whoever answers for {configuration.host} is taken for the "
            "service. To trust an authority of your own, set Configuration.ssl_ca_cert instead.",
            InsecureRequestWarning,
            stacklevel=3,
        )
    if context is not None and not (context.check_hostname and context.verify_mode == ssl.CERT_REQUIRED):
        warnings.warn(
            "Configuration.ssl_context does not verify certificates and host names: set its check_hostname to True "
            f"and its verify_mode to ssl.CERT_REQUIRED to be sure to connect to {configuration.host}.",
            InsecureRequestWarning,
            stacklevel=3,
        )


class _NamedContext:
    """An SSLContext for connections to one host. `ssl` verifies the host name during the handshake.

    urllib3 1.26 does not verify the host name of a proxy, and does not pass IP addresses to `ssl`. The attributes that
    urllib3 sets are set here. The context itself can belong to the user or be shared by clients.
    """

    def __init__(self, context: ssl.SSLContext, host: str, check_hostname: bool) -> None:
        """check_hostname: what urllib3 reads; if False, urllib3 compares the host names."""
        self.context, self.check_hostname, self.verify_mode = context, check_hostname, context.verify_mode
        self._host = host.rstrip(".").partition("%")[0]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.context, name)

    def wrap_socket(self, *args: Any, **options: Any) -> Any:
        """See `ssl.SSLContext.wrap_socket`."""
        return self.context.wrap_socket(*args, **{**options, "server_hostname": self._host})

    def wrap_bio(self, incoming: Any, outgoing: Any, **options: Any) -> Any:
        """See `ssl.SSLContext.wrap_bio`."""
        return self.context.wrap_bio(incoming, outgoing, **{**options, "server_hostname": self._host})


def _context_for(url: str, configuration: Configuration, asserted: str | bool | None = None) -> _NamedContext:
    host = urlsplit(url).hostname or ""
    if configuration.ssl_context is not None:
        return _NamedContext(configuration.ssl_context, host, True)
    own = _ssl_context(configuration, check_hostname=asserted is None)
    return _NamedContext(own, host, asserted is None)


def _ssl_context(configuration: Configuration, check_hostname: bool) -> ssl.SSLContext:
    own = (configuration.verify_ssl, configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file)
    if check_hostname and own == (True, None, None, None):
        return _shared_ssl_context()
    return _new_ssl_context(*own, configuration.key_password, check_hostname)


def _new_ssl_context(
    verify: bool = True,
    authorities: str | None = None,
    cert_file: str | None = None,
    key_file: str | None = None,
    key_password: str | bytes | None = None,
    check_hostname: bool = True,
) -> ssl.SSLContext:
    import certifi  # takes longer to import than a client to make

    context: ssl.SSLContext = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if verify else ssl.CERT_NONE)
    context.check_hostname = verify and check_hostname
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    authorities = authorities or certifi.where()
    setting = f"ssl_ca_cert {authorities!r}"
    try:
        if verify:
            context.load_verify_locations(**{"capath" if os.path.isdir(authorities) else "cafile": authorities})
        if cert_file:
            setting = f"cert_file {cert_file!r} with key_file {key_file!r}"
            _load_client_certificate(context, cert_file, key_file, key_password)
    except OSError as error:
        raise ValueError(f"Configuration.{setting} is not what it should be, in PEM: {error}") from None
    return context


def _load_client_certificate(
    context: ssl.SSLContext, cert_file: str, key_file: str | None, key_password: str | bytes | None
) -> None:
    is_encrypted = False

    def password() -> bytes:
        """Return the password; without this function OpenSSL prompts for it on the terminal."""
        nonlocal is_encrypted
        is_encrypted = True
        # An encoding error would contain the password.
        return key_password.encode("utf-8", "surrogatepass") if isinstance(key_password, str) else key_password or b""

    try:
        context.load_cert_chain(cert_file, key_file, password)
        return
    except (OSError, ValueError) as error:  # ValueError for a password that is too long
        if not is_encrypted or getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise
    file = f"Configuration.key_file {key_file!r}" if key_file else f"the key in Configuration.cert_file {cert_file!r}"
    if key_password:
        raise ValueError(f"Cannot decrypt {file}: Configuration.key_password is wrong.")
    advice = "Set Configuration.key_password, or load the key into an SSLContext and set Configuration.ssl_context."
    raise ValueError(f"Cannot use {file}: the private key is encrypted. {advice}")


# Reading certifi's authorities takes longer than a call, and they are the same for every client.
_shared_ssl_context = functools.lru_cache(maxsize=1)(_new_ssl_context)
