"""Row 8 in detail: the boundary between two responses. No caller receives a response to another request."""

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


@pytest.mark.fault(8, "an informational response (103) precedes the final one", "the call waits for the final response")
def test_informational_response_before_the_final_one_is_skipped(call: Call, server: RecordingServer) -> None:
    def respond_in_two_parts(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        connection.sendall(http_response(GRANT))

    server.respond_with(respond_in_two_parts, http_response(GRANT))
    assert call(server.url, calls=TWICE).data["access_token"] == GRANT["access_token"]


AMBIGUOUS = {
    "an invalid chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + FORGED,
    "a negative chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n" + FORGED,
    "another transfer coding than chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
    + FORGED,
    "an upgrade that was not requested": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + FORGED,
    "a body of a 204 response": b"HTTP/1.1 204 No Content\r\nContent-Length: 97\r\n\r\n" + FORGED,
}


@pytest.mark.fault(
    8, "the end of the response is ambiguous", "the connection is not reused", "", "ApiResponseError", "ApiStatusError"
)
@pytest.mark.parametrize("where", AMBIGUOUS)
def test_connection_is_not_reused_after_an_ambiguous_response(call: Call, server: RecordingServer, where: str) -> None:
    server.respond_with(AMBIGUOUS[where], http_response(GRANT))
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


def test_extra_bytes_buffered_by_tls_prevent_reuse_of_the_connection(
    over_tls: RecordingServer, trusting: bluejeans.Configuration
) -> None:
    """Send a response as long as the reader's buffer, followed by another one in the same TLS record."""
    padding = 8192 - len(http_response({**GRANT, "padding": ""})) - len("8192") + len("98")
    first = http_response({**GRANT, "padding": "x" * padding})
    over_tls.respond_with(first + FORGED, http_response(GRANT))
    trusting.host = over_tls.url
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(trusting)) as api:
        tokens = {token(api) for _ in range(2)}
    assert (tokens, over_tls.connections) == ({GRANT["access_token"]}, 2)


def test_unread_rest_of_a_response_is_not_part_of_the_next_response(server: RecordingServer) -> None:
    configuration = bluejeans.Configuration()
    configuration.host, configuration.trust_env = server.url, False
    server.respond_with(http_response({"access_token": "forged", "padding": "x" * 100_000}), http_response(GRANT))
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        raw: Any = api.get_token_by_client({"client_id": "a"}, _preload_content=False)
        raw.read(10)
        raw.release_conn()
        assert token(api) == GRANT["access_token"]


def test_https_proxy_forwards_requests_for_http_hosts(
    over_tls: RecordingServer, trusting: bluejeans.Configuration
) -> None:
    trusting.host, trusting.proxy = "http://127.0.0.1:9", over_tls.url
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(trusting)) as api:
        assert token(api) == GRANT["access_token"]
    assert over_tls.requests[0].target == "http://127.0.0.1:9/oauth2/token?Client"


@pytest.mark.fault(29, "a proxy responds to CONNECT late, and then not at all", "the call times out", "ApiProxyError")
def test_slow_connect_response_leaves_less_time_for_the_tls_handshake(call: Call) -> None:
    def respond_late(connection: Any) -> None:
        threading.Event().wait(0.8)  # a slow proxy; the call has one second
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        connection.recv(1 << 16)
        connection.recv(1)

    with RecordingServer([respond_late]) as proxy:
        call("https://127.0.0.1:1", proxy=proxy.url, call_timeout=1, max_attempts=1)


@pytest.mark.fault(
    29, "a TLS handshake through an HTTPS proxy arrives byte by byte", "the call times out", "ApiProxyError"
)
def test_dripping_tls_handshake_through_an_https_proxy_times_out(
    call: Call, authority: trustme.CA, over_tls: RecordingServer, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    dripping = drip(b"HTTP/1.1 200 OK\r\n\r\n", b"\x16\x03\x03\x3f\xff")
    over_tls.respond_with(dripping)
    over_tls.accept_invalid_http = True
    call(
        "https://127.0.0.1:1", proxy=over_tls.url, ssl_ca_cert=str(tmp_path / "ca.pem"), call_timeout=1, max_attempts=1
    )


def test_copied_configuration_has_the_same_credentials() -> None:
    configuration = bluejeans.Configuration()
    configuration.credentials = bluejeans.StaticToken("a-token")
    for copied in (copy.copy(configuration), copy.deepcopy(configuration)):
        assert copied.credentials is configuration.credentials
