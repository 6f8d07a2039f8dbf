"""Bytes of a malformed response are in no exception: not in its text, its chain or its attributes."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

import BlueJeansMeetingsRestApi as bluejeans
from support.recording_server import RecordingServer

TOKEN = "eyJhbGciOi.canary-T0ken.x"
SENT = TOKEN.encode()
STATUS_LINES = {
    "JSON": b'{"access_token": "%b"}',
    "token as version": b"HTTP/%b 200 OK",
    "version 2 with a token": b"HTTP/2.%b 200 OK",
    "token as status": b"HTTP/1.1 %b",
    "token as status with a phrase": b"HTTP/1.1 %b OK",
    "status out of range": b"HTTP/1.1 1000 %b",
    "negative status": b"HTTP/1.1 -1 %b",
    "another protocol": b"SSH-2.0-%b",
    "ICY": b"ICY 200 %b",
    "token alone": b"%b",
    "too long": b"HTTP/1.1 200 %b" + b"x" * 70_000,
    "after a preliminary response": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 %b",
}
HEADERS = {
    "header too long": b"HTTP/1.1 200 OK\r\nX: %b" + b"x" * 70_000 + b"\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: %b\r\n" * 101 + b"\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: %b\r\n\r\n",
    "unknown encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: 1\r\n\r\nx",
    "token as encoding beside gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, %b\r\nContent-Length: 20\r\n\r\n"
    + b"x" * 20,
    "headers cut off": b"HTTP/1.1 200 OK\r\nX: %b",
}
BODIES = {
    "token as chunk size": b"%b\r\n",
    "token as the second chunk size": b"1\r\nx\r\n%b\r\n",
    "negative chunk size": b"-1;%b\r\n",
    "chunk cut off": b"ff\r\n%b",
    "chunk size too long": b"1;%b" + b"x" * 70_000 + b"\r\n",
    "no chunk end": b"1\r\nx%b",
}
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PHRASES = [302, 400, 401, 404, 407, 499, 503, 999]


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.fixture
def configuration(server: RecordingServer) -> bluejeans.Configuration:
    configuration = bluejeans.Configuration()
    configuration.host, configuration.max_attempts, configuration.trust_env = server.url, 1, False
    return configuration


@pytest.fixture
def client(configuration: bluejeans.Configuration) -> Iterator[bluejeans.ApiClient]:
    with bluejeans.ApiClient(configuration) as client:
        yield client


def send(server: RecordingServer, template: bytes, ending: bytes = b"") -> None:
    """Send these bytes and close the connection."""
    content = template.replace(b"%b", SENT) + ending
    server.respond_with(lambda connection: connection.sendall(content))


def streamed(client: bluejeans.ApiClient) -> Any:
    """Return an unread response."""
    response = client.call_api("/x", "GET", response_type="object", _preload_content=False)
    return response[0] if isinstance(response, tuple) else response


def assert_no_server_bytes(error: BaseException) -> None:
    """Search an exception, its chain, and exceptions in its arguments and attributes."""
    assert TOKEN not in "".join(traceback.format_exception(type(error), error, error.__traceback__))
    shown = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    package = [part for part in "".join(shown).split("  File ") if "/BlueJeansMeetingsRestApi/" in part.split("\n")[0]]
    assert TOKEN not in "".join(package)
    seen: list[BaseException] = []
    remaining: list[BaseException | None] = [error]
    while remaining:
        link = remaining.pop()
        if link is None or link in seen:
            continue
        seen.append(link)
        values = [*link.args, *vars(link).values()]
        if isinstance(link, bluejeans.ApiException):
            values = [value for value in values if value is not link.headers and value is not link.body]
        assert TOKEN not in f"{link} {link!r} {values!r}"
        remaining += [link.__cause__, link.__context__, *(v for v in values if isinstance(v, BaseException))]


@pytest.mark.parametrize("name", [*STATUS_LINES, *HEADERS])
def test_malformed_head_of_a_response_is_not_in_the_error(
    client: bluejeans.ApiClient, server: RecordingServer, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    send(server, {**STATUS_LINES, **HEADERS}[name], b"\r\n\r\n" if name in STATUS_LINES else b"")
    with pytest.raises(bluejeans.ApiException) as caught:
        client.call_api("/x", "GET", response_type="object")
    assert_no_server_bytes(caught.value)
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_malformed_chunks_of_a_response_are_not_in_the_error(
    client: bluejeans.ApiClient, server: RecordingServer, body: bytes
) -> None:
    send(server, CHUNKED + body)
    with pytest.raises(bluejeans.ApiException) as caught:
        client.call_api("/x", "GET", response_type="object")
    assert_no_server_bytes(caught.value)


@pytest.mark.parametrize("status", PHRASES)
def test_reason_phrase_of_the_server_is_not_in_the_error(
    client: bluejeans.ApiClient, server: RecordingServer, status: int
) -> None:
    send(server, b"HTTP/1.1 %d %%b\r\nContent-Length: 1\r\n\r\nx" % status)
    with pytest.raises(bluejeans.ApiException) as caught:
        client.call_api("/x", "GET", response_type="object")
    assert_no_server_bytes(caught.value)


@pytest.mark.parametrize(
    "headers", [b"Content-Length: 0\r\n", b"Content-Length:0\r\nX: \xff\r\n"], ids=["plain", "other"]
)
def test_reason_is_the_standard_phrase_of_the_status(
    client: bluejeans.ApiClient, server: RecordingServer, headers: bytes
) -> None:
    send(server, b"HTTP/1.1 404 %b\r\n" + headers + b"\r\n")
    with pytest.raises(bluejeans.NotFoundError) as caught:
        client.call_api("/x", "GET")
    assert caught.value.reason == "Not Found"


@pytest.mark.parametrize("line", STATUS_LINES.values(), ids=STATUS_LINES)
def test_malformed_response_to_connect_is_not_in_the_error(
    configuration: bluejeans.Configuration, server: RecordingServer, line: bytes
) -> None:
    configuration.host, configuration.proxy = "https://127.0.0.1:9", server.url
    send(server, line, b"\r\n\r\n")
    with bluejeans.ApiClient(configuration) as client, pytest.raises(bluejeans.ApiProxyError) as caught:
        client.call_api("/x", "GET")
    assert_no_server_bytes(caught.value)


@pytest.mark.parametrize("status", PHRASES)
def test_reason_phrase_of_a_refused_connect_is_the_standard_one(
    configuration: bluejeans.Configuration, server: RecordingServer, status: int
) -> None:
    configuration.host, configuration.proxy = "https://127.0.0.1:9", server.url
    send(server, b"HTTP/1.1 %d %%b\r\nX: %%b\r\n\r\n" % status)
    with bluejeans.ApiClient(configuration) as client, pytest.raises(bluejeans.ApiProxyError) as caught:
        client.call_api("/x", "GET")
    assert_no_server_bytes(caught.value)
    assert f"Tunnel connection failed: {status}" in str(caught.value)
    if status == 407:
        assert "407 Proxy Authentication Required" in str(caught.value)


READERS: dict[str, Any] = {
    "read": lambda response: response.read(),
    "read in parts": lambda response: list(iter(lambda: response.read(3), b"")),
    "stream": lambda response: list(response.stream()),
    "stream in parts": lambda response: list(response.stream(3)),
    "read_chunked": lambda response: list(response.read_chunked()),
    "iterate": list,
    "data": lambda response: response.data,
    "readinto": lambda response: list(iter(lambda: response.readinto(bytearray(3)), 0)),
}
if hasattr(urllib3.HTTPResponse, "read1"):  # urllib3 2
    READERS["read1"] = lambda response: list(iter(response.read1, b""))


@pytest.mark.parametrize(("body", "reader"), [(body, reader) for body in BODIES for reader in READERS])
def test_malformed_chunks_of_a_streamed_response_are_not_in_the_error(
    client: bluejeans.ApiClient, server: RecordingServer, body: str, reader: str
) -> None:
    send(server, CHUNKED + BODIES[body])
    response = streamed(client)
    with pytest.raises(urllib3.exceptions.HTTPError) as caught:
        READERS[reader](response)
    assert_no_server_bytes(caught.value)


def test_streamed_response_that_cannot_be_decoded_does_not_quote_its_headers(
    client: bluejeans.ApiClient, server: RecordingServer
) -> None:
    send(server, HEADERS["token as encoding beside gzip"])
    with pytest.raises(urllib3.exceptions.HTTPError) as caught:
        streamed(client).read(decode_content=True)
    assert_no_server_bytes(caught.value)


def test_streamed_chunks_are_yielded_as_they_come(client: bluejeans.ApiClient, server: RecordingServer) -> None:
    send(server, CHUNKED + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
    assert list(streamed(client).stream()) == [b"ab", b"c"]


def test_unchunked_response_still_refuses_read_chunked(client: bluejeans.ApiClient, server: RecordingServer) -> None:
    send(server, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
    response = streamed(client)
    with pytest.raises(urllib3.exceptions.HTTPError, match="not chunked"):
        list(response.read_chunked())
