"""Row 8, closer: where one answer ends and the next begins. No caller gets what was meant for another."""

from __future__ import annotations

import copy
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

import BlueJeansMeetingsRestApi as bluejeans
from support.caller_process import GRANT, Outcome
from support.recording_server import RecordingServer, drip, http_response

Call = Callable[..., Outcome]
TWICE = [{"operation": "get_token_by_client"}] * 2
FORGED = http_response({"access_token": "forged", "expires_in": 1})


@pytest.mark.fault(8, "a preliminary answer (103) comes before the answer", "the answer is waited for")
def test_a_preliminary_answer_is_not_the_answer(call: Call, server: RecordingServer) -> None:
    def answer(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        connection.sendall(http_response(GRANT))

    server.respond_with(answer, http_response(GRANT))
    assert call(server.url, calls=TWICE).data["access_token"] == GRANT["access_token"]


DOUBTFUL = {
    "a chunk's length that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + FORGED,
    "a chunk's length below zero": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n" + FORGED,
    "a coding that is not chunked alone": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
    + FORGED,
    "an upgrade that nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + FORGED,
    "a body where none may be": b"HTTP/1.1 204 No Content\r\nContent-Length: 97\r\n\r\n" + FORGED,
}


@pytest.mark.fault(
    8,
    "what follows an answer is not sure to be the next",
    "the connection is not used again",
    "",
    "ApiResponseError",
    "ApiStatusError",
)
@pytest.mark.parametrize("where", DOUBTFUL)
def test_a_connection_that_cannot_be_believed_is_not_used_again(
    call: Call, server: RecordingServer, where: str
) -> None:
    server.respond_with(DOUBTFUL[where], http_response(GRANT))
    outcome = call(server.url, calls=TWICE, max_attempts=1)
    assert outcome.data["access_token"] == GRANT["access_token"]
    assert server.connections == 2


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def over_tls(authority: trustme.CA) -> Iterator[RecordingServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with RecordingServer([http_response(GRANT)], tls=context) as server:
        yield server


@pytest.fixture
def trusting(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> bluejeans.Configuration:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    configuration = bluejeans.Configuration()
    configuration.ssl_ca_cert, configuration.trust_env, configuration.max_attempts = str(path), False, 1
    return configuration


def token(api: bluejeans.AuthenticationApi) -> str | None:
    return api.get_token_by_client({"client_id": "a", "client_secret": "b"}).access_token


def test_bytes_that_tls_has_read_ahead_are_seen(over_tls: RecordingServer, trusting: bluejeans.Configuration) -> None:
    """An answer as long as the reader's buffer, with another one behind it in the same record."""
    padding = 8192 - len(http_response({**GRANT, "padding": ""})) - len("8192") + len("98")
    first = http_response({**GRANT, "padding": "x" * padding})
    over_tls.respond_with(first + FORGED, http_response(GRANT))
    trusting.host = over_tls.url
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(trusting)) as api:
        tokens = {token(api) for _ in range(2)}
    assert (tokens, over_tls.connections) == ({GRANT["access_token"]}, 2)


def test_an_answer_that_was_let_go_unread_is_not_the_next_ones(server: RecordingServer) -> None:
    configuration = bluejeans.Configuration()
    configuration.host, configuration.trust_env = server.url, False
    server.respond_with(http_response({"access_token": "forged", "padding": "x" * 100_000}), http_response(GRANT))
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        raw: Any = api.get_token_by_client({"client_id": "a"}, _preload_content=False)
        raw.read(10)
        raw.release_conn()
        assert token(api) == GRANT["access_token"]


def test_a_proxy_over_tls_takes_requests_without_tls(
    over_tls: RecordingServer, trusting: bluejeans.Configuration
) -> None:
    trusting.host, trusting.proxy = "http://127.0.0.1:9", over_tls.url
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(trusting)) as api:
        assert token(api) == GRANT["access_token"]
    assert over_tls.requests[0].target == "http://127.0.0.1:9/oauth2/token?Client"


@pytest.mark.fault(29, "a proxy answers CONNECT late, and then says nothing", "ends in time", "ApiProxyError")
def test_a_proxy_that_is_late_leaves_no_time_for_tls(call: Call) -> None:
    def answer_late(connection: Any) -> None:
        threading.Event().wait(0.8)  # a slow proxy; the call has one second
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.recv(1 << 16)
        connection.recv(1)

    with RecordingServer([answer_late]) as proxy:
        call("https://127.0.0.1:1", proxy=proxy.url, call_timeout=1, max_attempts=1)


@pytest.mark.fault(29, "a handshake within a proxy's TLS comes byte by byte", "ends in time", "ApiProxyError")
def test_tls_within_tls_that_drips_ends_in_time(
    call: Call, authority: trustme.CA, over_tls: RecordingServer, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    begun = drip(b"HTTP/1.1 200 OK\r\n\r\n", b"\x16\x03\x03\x3f\xff")
    over_tls.respond_with(begun)
    over_tls.accept_invalid_http = True
    call(
        "https://127.0.0.1:1", proxy=over_tls.url, ssl_ca_cert=str(tmp_path / "ca.pem"), call_timeout=1, max_attempts=1
    )


def test_a_copied_configuration_keeps_its_credentials() -> None:
    configuration = bluejeans.Configuration()
    configuration.credentials = bluejeans.StaticToken("a-token")
    for copied in (copy.copy(configuration), copy.deepcopy(configuration)):
        assert copied.credentials is configuration.credentials
