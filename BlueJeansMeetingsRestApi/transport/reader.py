"""Parse a response from a socket: a simple one with a fast parser, any other with http.client."""

from __future__ import annotations

import http.client
import io
import re
import socket
from typing import Any, Callable, NamedTuple

from .deadline import Attempt
from .response import TRUNCATED, Headers, Response

_FIRST_READ, _CHUNK = 1 << 14, 1 << 16
# A status line and headers in which nothing needs interpretation: ASCII, one line for each header, and no more of them
# than http.client accepts. It accepts no line that is longer than _FIRST_READ.
_PLAIN = re.compile(rb"HTTP/1\.1 (2(?!04)[0-9]{2}) [ -~]*\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~]*\r\n){1,99})\r\n")


class PlainHead(NamedTuple):
    """A status line and headers that were parsed without http.client.

    length: the length of the body. end: where the body starts. closes: whether the server closes the connection.
    """

    status: int
    lines: list[tuple[str, str]]
    length: int
    end: int
    closes: bool


def parse_plain(received: bytes) -> PlainHead | None:
    """Parse the status line and the headers of a success; None if they need http.client.

    http.client lets the package `email` parse headers, which takes a third of the time of a call.
    """
    found = _PLAIN.match(received)
    if found is None:
        return None
    lines, closes, length = [], False, ""
    for line in found[2].decode("ascii").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        value = value.lstrip("\t ")
        lines.append((name, value))
        key = name.lower()
        if key == "content-length":
            if length or not value.isdecimal() or len(value) > 15:
                return None
            length = value
        elif key == "connection":
            closes = closes or "close" in value.lower()
        elif key == "transfer-encoding":
            return None
    if not length:
        return None
    return PlainHead(int(found[1]), lines, int(length), found.end(), closes)


class ResponseReader:
    """Reads the response to one request.

    method: of the request. on_end: called when the response was read, with whether the connection can be used again;
    it may be called more than once, and False counts.
    """

    def __init__(self, sock: Any, attempt: Attempt, method: str, on_end: Callable[[bool], None]) -> None:
        self._sock, self._attempt, self._method, self._on_end = sock, attempt, method, on_end

    def read(self) -> Response | http.client.HTTPResponse:
        """Return the response, or http.client's, with its body unread, to an attempt that is streamed."""
        received = self._receive(_FIRST_READ)
        if not self._attempt.streamed and self._method != "HEAD":
            plain = parse_plain(received)
            if plain is not None:
                return self._read_plain(plain, received)
        stream = _Stream(self._sock, self._attempt, received, self._on_end)
        parsed = http.client.HTTPResponse(stream, method=self._method)  # type: ignore[arg-type]
        unread = False
        try:
            problem = self._begin(parsed, stream)
            if problem:
                return Response(self._attempt.status, parsed.getheaders(), problem=problem)
            unread = self._attempt.streamed and parsed.status in self._attempt.successes
            return parsed if unread else self._read_body(parsed)
        finally:
            if not unread:
                stream.reusable = False
                # Not left to its finalizer, in which Python would ignore a Ctrl-C.
                parsed.close()

    def _receive(self, size: int) -> bytes:
        self._attempt.limit(self._sock)
        return self._sock.recv(size) or b""  # urllib3's TLS inside TLS returns 0 at the end

    def _read_plain(self, head: PlainHead, received: bytes) -> Response:
        self._attempt.status = head.status
        content, problem = received[head.end :], ""
        # A byte more than the limit shows that the body is too long.
        wanted = min(head.length, self._attempt.max_bytes + 1)
        if len(content) < wanted:
            content, problem = self._read_more(content, wanted)
        whole = len(content) == head.length == wanted
        self._on_end(whole and not head.closes and not _has_unread_bytes(self._sock))
        return Response(head.status, Headers(head.lines), content[:wanted], problem=problem)

    def _read_more(self, content: bytes, wanted: int) -> tuple[bytes, str]:
        parts, missing = [content], wanted - len(content)
        while missing:
            try:
                part = self._receive(min(missing, _CHUNK))
            except OSError as error:
                if is_timeout(error):
                    raise
                part = b""
            if not part:
                return b"".join(parts), TRUNCATED
            parts.append(part)
            missing -= len(part)
        return b"".join(parts), ""

    def _begin(self, parsed: http.client.HTTPResponse, stream: _Stream) -> str:
        """Parse the status line and the headers, and return what is wrong with the latter."""
        try:
            parsed.begin()
            while 102 <= parsed.status < 200:
                # An interim response. http.client skips only those of status 100.
                parsed.headers = None  # type: ignore[assignment]
                parsed.begin()
            invalid = False
        except http.client.RemoteDisconnected:
            raise
        except (http.client.BadStatusLine, http.client.UnknownProtocol):
            invalid = True
        if invalid:
            # http.client's exception quotes what the server sent. This one replaces it, and has no context.
            raise http.client.BadStatusLine("invalid status line")
        self._attempt.status = parsed.status
        lengths = ",".join(parsed.headers.get_all("Content-Length", ())).split(",")
        # http.client takes the end of the connection for the end of the headers, and the first of several lengths.
        if stream.at_end or len({length.strip() for length in lengths}) > 1:
            return TRUNCATED
        coding = parsed.headers.get("Transfer-Encoding", "")
        if parsed.status == 204:
            parsed.chunked = False
        # Something else on the connection could find another end of such a response.
        ambiguous = coding and (lengths[0] or coding.lower() != "chunked")
        unexpected = parsed.status == 204 and (coding or lengths[0] not in ("", "0"))
        stream.reusable = not (parsed.will_close or parsed.status == 101 or ambiguous or unexpected)
        return ""

    def _read_body(self, parsed: http.client.HTTPResponse) -> Response:
        content, problem, limit = b"", "", self._attempt.max_bytes
        try:
            content = parsed.read(limit + 1)
            if len(content) <= limit and parsed.length:
                problem = TRUNCATED
        except (OSError, http.client.HTTPException) as error:
            if is_timeout(error):
                raise
            problem = TRUNCATED
        if problem or not parsed.isclosed():
            self._on_end(False)
        return Response(parsed.status, parsed.getheaders(), content, version=parsed.version, problem=problem)


class _Stream(io.BufferedReader):
    """The file from which http.client reads a response, and which it closes after the last byte of the body."""

    reusable = False

    def __init__(self, sock: Any, attempt: Attempt, received: bytes, on_end: Callable[[bool], None]) -> None:
        self._reader = _SocketReader(sock, attempt, received)
        super().__init__(self._reader)
        self._sock, self._on_end = sock, on_end

    def makefile(self, *_: Any) -> _Stream:
        """Return this file to http.client, which expects a socket."""
        return self

    @property
    def at_end(self) -> bool:
        """Whether the server has closed the connection."""
        return self._reader.at_end

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            raise http.client.HTTPException("negative length")
        return super().read(size)

    def close(self) -> None:
        if not self.closed:
            self._reader.stopped = True
            reusable = self.reusable and not self.peek(1) and not _has_unread_bytes(self._sock)
            super().close()
            self._on_end(reusable)


class _SocketReader(io.RawIOBase):
    """Reads the bytes that were received already, and then from the socket until the deadline."""

    def __init__(self, sock: Any, attempt: Attempt, received: bytes) -> None:
        self._sock, self._attempt, self._received = sock, attempt, received
        self._file = sock.makefile("rb", buffering=0)  # keeps the socket open until this file is closed
        self.at_end = not received
        self.stopped = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._received:
            count = min(len(buffer), len(self._received))
            buffer[:count], self._received = self._received[:count], self._received[count:]
            return count
        if self.stopped:
            return None
        if self.at_end:
            return 0
        self._attempt.limit(self._sock)
        read: int | None = self._file.readinto(buffer)
        self.at_end = read == 0
        return read

    def close(self) -> None:
        self._file.close()
        super().close()


def is_timeout(error: BaseException) -> bool:
    """Return whether `error` is the timeout of a socket; the system's ETIMEDOUT is another error."""
    return isinstance(error, socket.timeout) and not error.errno


def _has_unread_bytes(sock: Any) -> bool:
    """Return whether TLS has decrypted bytes that were not read; urllib3's TLS inside TLS cannot tell."""
    pending = getattr(sock, "pending", None)
    return pending is not None and pending() > 0
