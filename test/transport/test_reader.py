"""Responses are read as http.client reads them, or refused."""

from __future__ import annotations

import http.client
import io
import json
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3
from hypothesis import example, given, settings
from hypothesis import strategies as st

from BlueJeansMeetingsRestApi.transport.deadline import Attempt, Limits
from BlueJeansMeetingsRestApi.transport.reader import ResponseReader, parse_plain
from BlueJeansMeetingsRestApi.transport.response import Response

METHODS = st.sampled_from(["GET", "POST", "HEAD"])
ANYTHING = st.text(st.characters(max_codepoint=0xFF), max_size=6)
FRAMING = ["Content-Length", "content-length", "Transfer-Encoding", "Connection"]
LENGTHS = ["0", "3", "5", " 5 ", "+5", "-5", "5, 5", "5, 6", "1_0", "9" * 20, "9" * 5000]
WORDS = ["chunked", "Chunked ", "gzip", "close", "Close, x", "keep-alive", "", "\t", "a\r\n b", "a\rb", "a\nb"]
NAMES = st.sampled_from([*FRAMING, "Content-Type", "X", "x", "From "]) | ANYTHING
VALUES = st.sampled_from([*LENGTHS, *WORDS]) | ANYTHING
LINES = st.tuples(
    NAMES, st.sampled_from([":", ": ", ":\t", " : ", ""]), VALUES, st.sampled_from([*["\r\n"] * 8, "\n", ""])
)
PLAIN = "HTTP/1.1 200 OK\r\n"
STATUSES = [
    "204 No Content",
    "304 Not Modified",
    "404",
    "404 ",
    "101 Switching",
    "099 X",
    "1000 X",
    " 200  OK ",
    "200 \xfc",
]
VERSIONS = ["HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "HTTP/2", "HTTP/1.10", "http/1.1", "ICY"]
FIRST_LINES = (
    st.sampled_from(
        [f"HTTP/1.1 {status}\r\n" for status in STATUSES] + [f"{version} 200 OK\r\n" for version in VERSIONS]
    )
    | st.sampled_from([PLAIN, PLAIN, "HTTP/1.1 200 OK\n", f"HTTP/1.1 100 Continue\r\n\r\n{PLAIN}"])
    | ANYTHING
)
BODIES = st.sampled_from(["", "hello", "3\r\nabc\r\n0\r\n\r\n", "x\r\nabc", "HTTP/1.1 200 OK\r\n\r\n"])
HEADERS = st.lists(LINES.map("".join), max_size=6).map("".join)
RESPONSES = st.tuples(FIRST_LINES, HEADERS, st.sampled_from([*["\r\n"] * 4, "\n", ""]), BODIES).map("".join)


@dataclass
class Outcome:
    """The status, headers and body of a response, and whether the connection was closed."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    closes: bool


@contextmanager
def connected(sent: bytes) -> Iterator[Any]:
    """A socket from which `sent` and then the end of the connection can be read."""
    server, client = socket.socketpair()
    with server, client:
        client.settimeout(60)
        server.sendall(sent)
        server.shutdown(socket.SHUT_WR)
        yield client


def expected_outcome(sent: bytes, method: str) -> Outcome | None:
    """Return what http.client reads, or None if it refuses."""
    with connected(sent) as sock:
        response: Any = http.client.HTTPResponse(sock, method=method)
        try:
            response.begin()
            headers, closes = response.headers.items(), response.will_close
            body = b"".join(iter(lambda: response.read(1000), b""))
            return None if response.length else Outcome(response.status, headers, body, closes)
        except (http.client.HTTPException, ValueError):
            return None
        finally:
            response.close()


def actual_outcome(sent: bytes, method: str, max_bytes: int = 1 << 20) -> Outcome | None:
    """Return what this package reads, or None if it refuses."""
    ends: list[bool] = []
    with connected(sent) as sock:
        attempt = Attempt(Limits(60, 60, float("inf")), max_bytes=max_bytes)
        try:
            response = ResponseReader(sock, attempt, method, ends.append).read()
        except http.client.HTTPException:
            return None
        assert isinstance(response, Response)
        if response.problem:
            assert not all(ends)
            return None
        return Outcome(response.status, response.headers.items(), response.content, not all(ends))


MANY = "".join(f"X-{number}: 1\r\n" for number in range(99))


@settings(max_examples=1000, deadline=None)
@given(response=RESPONSES, method=METHODS)
@example(response=f"HTTP/1.1 200 OK\r\n{MANY}\r\n", method="GET")
@example(response=f"HTTP/1.1 200 OK\r\n{MANY}Y: 1\r\n\r\n", method="GET")
@example(response=f"HTTP/1.1 200 OK\r\nX: {'y' * 70000}\r\n\r\n", method="GET")
@example(response=f"HTTP/1.1 200 {'y' * 70000}\r\nX: y\r\n\r\n", method="GET")
@example(response="HTTP/1.1 204 No Content\r\nTransfer-Encoding:chunked\r\n\r\n", method="GET")
def test_response_is_read_as_http_client_reads_it(response: str, method: str) -> None:
    check(response.encode("latin-1"), method)


def check(sent: bytes, method: str) -> None:
    expected, actual = expected_outcome(sent, method), actual_outcome(sent, method)
    if actual is not None and actual.status == 204:
        # http.client may have failed to read a body, which this status cannot have.
        assert actual.body == b""
        assert expected is None or (actual.headers, actual.closes >= expected.closes) == (expected.headers, True)
    elif expected is None or actual is None:
        assert actual is None
        assert expected is None or has_ambiguous_end(sent.decode("latin-1"))
    else:
        assert (actual.status, actual.headers, actual.body) == (expected.status, expected.headers, expected.body)
        assert actual.closes >= expected.closes  # a doubtful connection is closed


def has_ambiguous_end(response: str) -> bool:
    """Return whether the headers end with the connection, or contain several lengths, which http.client accepts."""
    empty_lines = sum(line in ("", "\r") for line in response.split("\n")[1:-1])
    several = response.lower().count("content-length") + response.count(",") > 1
    return empty_lines <= response.count("100 Continue") or several or "-" in response


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nxy",
        b"HTTP/1.1 200 OK\r\nX: y\r\n",
    ],
)
def test_response_with_an_ambiguous_end_is_refused(response: bytes) -> None:
    assert expected_outcome(response, "GET") is not None
    assert actual_outcome(response, "GET") is None


@pytest.mark.parametrize("size", [60_000, 65_000, 65_530, 65_540, 70_000, 200_000])
@pytest.mark.parametrize(
    "line", [b"HTTP/1.1 200 %b\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: %b\r\nContent-Length: 0\r\n\r\n"]
)
def test_line_is_refused_at_the_same_length_as_by_http_client(line: bytes, size: int) -> None:
    sent = line.replace(b"%b", b"y" * size)
    assert (actual_outcome(sent, "GET") is None) == (expected_outcome(sent, "GET") is None)


@pytest.mark.parametrize("count", [98, 99, 100, 101])
def test_number_of_headers_is_limited_as_by_http_client(count: int) -> None:
    sent = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (count - 1) + b"Content-Length: 0\r\n\r\n"
    assert (actual_outcome(sent, "GET") is None) == (expected_outcome(sent, "GET") is None)


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 201 Created\r\nX:\r\nConnection: close\r\ncontent-length:\t2\r\n\r\n{}",
    ],
)
def test_plain_response_needs_no_http_client(response: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http.client, "HTTPResponse", None)
    assert parse_plain(response) is not None
    outcome = actual_outcome(response, "GET")
    assert outcome is not None
    assert (outcome.body, outcome.closes) == (b"{}", b"close" in response)


TOKEN = "0123456789abcdef"
PIECES = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 200 \r\n",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 401 No\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    b"HTTP/2 200 OK\r\n",
    b"ICY 200 OK\r\n",
    b"Content-Length: %d\r\n",
    b"content-length:%d\r\n",
    b"Content-Length: %d \r\n",
    b"Content-Length: +%d\r\n",
    b"Content-Length: 0%d\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length : %d\r\n",
    b"Content-Length: \xb2\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding:\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"X: y\r\n",
    b" folded\r\n",
    b"X\r\n",
    b"X: \x00\r\n",
    b"X: a\rb\r\n",
    b"X: a\nContent-Length: 3\r\n",
    b"From x\r\n",
    b": y\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"0\r\n\r\n",
    b"2a\r\n",
    b"-1\r\n",
    b"Content-Type: multipart/mixed; boundary=a\r\n",
    b"--a\r\n",
]
BODY = json.dumps({"access_token": TOKEN}).encode()


def mutated(random: random.Random) -> bytes:
    """Return one or two responses, changed at random."""
    pieces = [b"HTTP/1.1 200 OK\r\n", b"Content-Type: application/json\r\n", b"Content-Length: %d\r\n", b"\r\n", BODY]
    if random.random() < 0.3:
        pieces[2:5] = [b"Transfer-Encoding: chunked\r\n", b"\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)]
    if random.random() < 0.3:
        pieces += pieces
    for _ in range(random.choice((0, 1, 1, 2, 3, 5))):
        where, change = random.randrange(len(pieces) + 1), random.random()
        if change < 0.6:
            pieces.insert(where, random.choice(PIECES))
        elif change < 0.75 and where < len(pieces):
            del pieces[where]
        elif change < 0.9 and where < len(pieces):
            pieces[where] = random.choice(PIECES)
        else:
            random.shuffle(pieces)
    sent = b"".join(pieces).replace(b"%d", b"%d" % len(BODY))
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        where = random.randrange(len(sent) + 1)
        octet = bytes([random.choice((*b"\r\n :;,0a\x00\xff", random.randrange(256)))])
        sent = sent[:where] + octet + sent[where + random.randrange(2) :]
    return sent[: random.randrange(len(sent) + 1)] if random.random() < 0.1 else sent


class Received:
    """A socket with bytes to be read, for http.client, for urllib3, and for our own reader."""

    def __init__(self, sent: bytes, size: int = 1 << 20) -> None:
        self.file, self.size, self.position = io.BytesIO(sent), size, 0

    def makefile(self, *_: Any, **options: Any) -> Any:
        return _Part(self) if options.get("buffering") == 0 else io.BufferedReader(_Part(self))

    def settimeout(self, _: float) -> None:
        pass

    def recv(self, size: int) -> bytes:
        return self.file.read(min(size, self.size))


class _Part(io.RawIOBase):
    def __init__(self, received: Received) -> None:
        self.received = received

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self.received.recv(len(buffer))
        buffer[: len(part)] = part
        return len(part)


def token_in(body: bytes | None) -> bool:
    try:
        return body is not None and json.loads(body).get("access_token") == TOKEN
    except (ValueError, AttributeError):
        return False


class KeptFile(io.BytesIO):
    """A file that http.client cannot close, and whose position is the end of what it has read."""

    def makefile(self, *_: Any) -> KeptFile:
        return self

    def close(self) -> None:
        pass


def read_by_http_client(sent: bytes) -> tuple[bytes | None, bytes]:
    """Return the body that http.client reads, or None if it refuses, and what it leaves for the next response."""
    file = KeptFile(sent)
    response: Any = http.client.HTTPResponse(file, method="POST")  # type: ignore[arg-type]
    try:
        response.begin()
        while 102 <= response.status < 200:  # interim responses, which the reader of this package skips
            response.headers = None
            response.begin()
        return response.read(), sent[file.tell() :]
    except (http.client.HTTPException, ValueError):
        return None, b""


def read_by_urllib3(sent: bytes) -> bytes | None:
    """Return the body that urllib3 reads."""
    original: Any = http.client.HTTPResponse(Received(sent), method="POST")  # type: ignore[arg-type]
    try:
        original.begin()
        while 102 <= original.status < 200:
            original.headers = None
            original.begin()
        response = urllib3.HTTPResponse(
            original,
            headers=original.headers,
            status=original.status,
            version=original.version,
            preload_content=False,
            original_response=original,
            request_method="POST",
        )
        return response.read(decode_content=False)
    except (http.client.HTTPException, urllib3.exceptions.HTTPError, ValueError, AttributeError):
        return None


def read_by_us(sent: bytes, size: int) -> tuple[Response | None, bytes, bool]:
    """Return the response, the bytes that were not received, and whether the connection can be used again."""
    received, ends = Received(sent, size), list[bool]()
    attempt = Attempt(Limits(60, 60, float("inf")))
    try:
        response: Any = ResponseReader(received, attempt, "POST", ends.append).read()
    except http.client.HTTPException:
        return None, b"", False
    return response, received.file.read(), bool(ends) and all(ends)


@pytest.mark.slow
def test_fuzzed_responses_give_no_token_that_http_client_and_urllib3_do_not_read() -> None:
    generator = random.Random(15)
    tokens = pooled = 0
    for _ in range(100_000):
        sent = mutated(generator)
        response, rest, reusable = read_by_us(sent, generator.choice((1 << 20, 1 << 20, 1, 7, 50)))
        if response is None or response.status not in range(200, 300):
            continue
        body, following = read_by_http_client(sent)
        if not response.problem and token_in(response.content):
            tokens += 1
            assert token_in(body) or token_in(read_by_urllib3(sent)), sent
        if reusable and response.status != 204:  # of whose body http.client reads what it should not
            pooled += 1
            assert (response.content, rest) == (body, following), sent
    assert tokens > 10_000
    assert pooled > 10_000
