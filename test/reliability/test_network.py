"""Rows 1 to 9: failures of the network between the client and the service."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from support.caller_process import GRANT, TIMEOUT, Caller, Outcome
from support.recording_server import (
    RecordingServer,
    SilentResponse,
    drip,
    http_response,
    never_respond,
    reset,
    unused_port,
)

Call = Callable[..., Outcome]
SECOND = {"operation": "get_token_by_client"}


@pytest.mark.fault(
    1, "the connection is refused", "three attempts; the error contains host and port", "ApiConnectionError"
)
@pytest.mark.parametrize("operation", ["get_token_by_client", "get_token_by_code"])
def test_refused_connection_is_retried(call: Call, operation: str) -> None:
    port = unused_port()
    outcome = call(f"http://127.0.0.1:{port}", operation)
    assert f"cannot connect to 127.0.0.1:{port} (Connection refused)" in outcome.text
    assert (outcome.attempts, outcome.retryable, outcome.status) == (3, True, 0)


@pytest.mark.fault(
    2, "the host name does not exist", "three attempts; the error contains the host name", "ApiConnectionError"
)
def test_unknown_host_is_in_the_error(call: Call) -> None:
    outcome = call("https://no-such-host.invalid")
    assert "cannot find no-such-host.invalid" in outcome.text
    assert "Check the name in Configuration.host" in outcome.text


@pytest.mark.fault(2, "DNS does not respond", "the call times out", "ApiTimeoutError")
def test_call_times_out_if_dns_does_not_respond(call: Call) -> None:
    outcome = call("https://slow.example", dns_hangs=True, connect_timeout=0.3, call_timeout=2)
    assert "timed out connecting to slow.example" in outcome.text


@pytest.mark.fault(2, "the first address of the host refuses the connection", "the next address is tried")
def test_next_address_is_tried_if_the_first_refuses(call: Call, server: RecordingServer) -> None:
    # `localhost` is ::1 and 127.0.0.1; the server listens only on the second.
    outcome = call(f"http://localhost:{server.port}", max_attempts=1)
    assert outcome.data["expires_in"] == 3600


@pytest.mark.fault(3, "connecting takes forever", "each attempt stops at connect_timeout", "ApiTimeoutError")
def test_each_attempt_to_connect_is_limited_by_connect_timeout(call: Call, full_backlog: str) -> None:
    outcome = call(full_backlog, connect_timeout=0.3)
    assert (outcome.attempts, outcome.retryable) == (3, True)
    assert "Configuration.connect_timeout" in outcome.text


@pytest.mark.fault(4, "the service does not respond to the request", "the call times out", "ApiTimeoutError")
@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({"call_timeout": 1}, {}),
        ({"read_timeout": 0.3, "max_attempts": 1}, {}),
        ({}, {"_request_timeout": 0.5}),
        ({"call_timeout": 1}, {"_request_timeout": [0.5, 0.3]}),
    ],
    ids=str,
)
def test_call_times_out_if_the_service_does_not_respond(
    call: Call, server: RecordingServer, settings: dict[str, Any], options: dict[str, Any]
) -> None:
    server.respond_with(never_respond)
    outcome = call(server.url, options=options, **settings)
    assert "timed out waiting for 127.0.0.1" in outcome.text
    assert len(server.requests) == outcome.attempts


@pytest.mark.fault(4, "no response to a code exchange", "one request, because the code may be used", "ApiTimeoutError")
@pytest.mark.parametrize("operation", ["get_token_by_code", "get_token_by_refresh"])
def test_code_exchange_without_a_response_is_not_retried(call: Call, server: RecordingServer, operation: str) -> None:
    server.respond_with(never_respond)
    outcome = call(server.url, operation, read_timeout=0.3)
    assert (len(server.requests), outcome.retryable) == (1, False)


ENDLESS = {
    "in the status line": drip(),
    "in the headers": drip(b"HTTP/1.1 200 OK\r\nX: "),
    "of headers": drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "of informational responses": drip(drop=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "in a body of known length": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
    "in a body without Content-Length": drip(b"HTTP/1.1 200 OK\r\n\r\n"),
    "in chunks": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "in the body of an error": drip(b"HTTP/1.1 503 Busy\r\nContent-Length: 9999\r\n\r\n"),
}


@pytest.mark.fault(5, "the server sends one byte at a time indefinitely", "the call times out", "ApiTimeoutError")
@pytest.mark.parametrize("where", ENDLESS)
def test_call_times_out_if_the_server_sends_single_bytes(call: Call, server: RecordingServer, where: str) -> None:
    server.respond_with(ENDLESS[where])
    outcome = call(server.url, call_timeout=0.5)
    assert len(server.requests) == outcome.attempts


@pytest.mark.fault(6, "the connection is reset before the response", "a second request succeeds")
def test_request_is_retried_after_a_connection_reset(call: Call, server: RecordingServer) -> None:
    server.respond_with(reset, http_response(GRANT))
    assert call(server.url).data["expires_in"] == 3600
    assert len(server.requests) == 2


@pytest.mark.fault(6, "every connection is reset before the response", "`max_attempts` requests", "ApiConnectionError")
@pytest.mark.parametrize("attempts", [1, 3])
def test_repeated_resets_raise_an_error_after_max_attempts(call: Call, server: RecordingServer, attempts: int) -> None:
    server.respond_with(reset)
    outcome = call(server.url, max_attempts=attempts)
    assert "lost the connection to 127.0.0.1" in outcome.text
    assert (len(server.requests), outcome.attempts) == (attempts, attempts)


@pytest.mark.fault(
    6, "the connection of a code exchange is reset", "one request, because the code may be used", "ApiConnectionError"
)
@pytest.mark.parametrize("operation", ["get_token_by_code", "get_token_by_refresh"])
def test_code_exchange_is_not_retried_after_a_reset(call: Call, server: RecordingServer, operation: str) -> None:
    server.respond_with(reset)
    outcome = call(server.url, operation)
    assert (len(server.requests), outcome.attempts, outcome.retryable) == (1, 1, False)


@pytest.mark.fault(7, "a pooled connection is dead", "a new connection is opened without delay")
@pytest.mark.parametrize("operation", ["get_token_by_client", "get_token_info"])
def test_dead_pooled_connection_is_replaced_at_once(call: Call, server: RecordingServer, operation: str) -> None:
    server.respond_with(http_response(GRANT), reset, http_response(GRANT))
    outcome = call(server.url, calls=[SECOND, {"operation": operation}])
    assert "trying again in 0.00 s" in outcome.output
    assert (len(server.requests), server.connections) == (3, 2)


@pytest.mark.fault(7, "a code exchange while a connection is pooled", "the code is sent over a new connection")
def test_code_is_not_sent_over_a_pooled_connection(call: Call, server: RecordingServer) -> None:
    outcome = call(server.url, calls=[SECOND, {"operation": "get_token_by_code"}])
    assert outcome.data["expires_in"] == 3600
    assert (len(server.requests), server.connections) == (2, 2)


TOKEN = b'{"access_token": "cut"}'
TRUNCATED = {
    "in the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "after a header": b"HTTP/1.1 200 OK\r\nX: y\r\n",
    "in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + TOKEN,
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n30\r\n" + TOKEN,
    "between chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n17\r\n" + TOKEN + b"\r\n",
    "by an invalid chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" + TOKEN,
    "by two different Content-Length headers": b"HTTP/1.1 200 OK\r\nContent-Length: 23\r\nContent-Length: 99\r\n\r\n"
    + TOKEN,
}


def then_close(response: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(response)


@pytest.mark.fault(8, "the response is truncated", "a second request over a new connection succeeds")
@pytest.mark.parametrize("where", TRUNCATED)
def test_request_is_retried_after_a_truncated_response(call: Call, server: RecordingServer, where: str) -> None:
    server.respond_with(then_close(TRUNCATED[where]), http_response(GRANT))
    assert call(server.url).data["expires_in"] == 3600
    assert (len(server.requests), server.connections) == (2, 2)


@pytest.mark.fault(8, "every response is truncated", "an error with the status, never a token", "ApiResponseError")
@pytest.mark.parametrize("where", TRUNCATED)
def test_truncated_response_never_gives_a_token(call: Call, server: RecordingServer, where: str) -> None:
    server.respond_with(then_close(TRUNCATED[where]))
    outcome = call(server.url, max_attempts=2)
    assert outcome.reason.startswith("the response is truncated")
    assert (outcome.status, outcome.retryable, len(server.requests)) == (200, True, 2)


@pytest.mark.fault(
    8, "the response to a code exchange is truncated", "one request, because the code is used", "ApiResponseError"
)
def test_code_exchange_is_not_retried_after_a_truncated_response(call: Call, server: RecordingServer) -> None:
    server.respond_with(then_close(TRUNCATED["in the body"]))
    assert call(server.url, "get_token_by_code").retryable is False
    assert len(server.requests) == 1


@pytest.mark.fault(8, "more bytes follow than Content-Length specifies", "the connection is not reused")
def test_connection_with_extra_bytes_is_not_reused(call: Call, server: RecordingServer) -> None:
    forged = http_response({"access_token": "forged"})
    server.respond_with(http_response(GRANT) + forged, http_response(GRANT))
    outcome = call(server.url, calls=[SECOND, SECOND])
    assert outcome.data["access_token"] != "forged"
    assert (len(server.requests), server.connections) == (2, 2)


def interrupted(caller: Caller) -> tuple[str, str]:
    """Press Ctrl-C, and return the outcome kinds of the interrupted call and of the next call of the same client.

    The interrupted call must finish within 0.1 seconds.
    """
    pressed = caller.interrupt()
    first, second = caller.outcomes()
    assert first.ended - pressed < 0.1
    return first.kind, second.kind


class TestCtrlC:
    """After the interrupt, each program makes another call with the same client to a working service."""

    @pytest.fixture
    def begin(self, start: Callable[..., Caller], server: RecordingServer) -> Callable[..., Caller]:
        def begin(host: str, **settings: Any) -> Caller:
            return start(host, calls=[{"operation": "get_token_by_client"}, {**SECOND, "host": server.url}], **settings)

        return begin

    @pytest.mark.fault(9, "Ctrl-C during a DNS lookup", "the call is interrupted at once", "KeyboardInterrupt")
    def test_ctrl_c_interrupts_a_dns_lookup(self, begin: Callable[..., Caller]) -> None:
        caller = begin("http://localhost:1", dns_hangs=True)
        caller.wait_until_it_says("DNS is asked")
        assert interrupted(caller) == ("KeyboardInterrupt", "")

    @pytest.mark.fault(9, "Ctrl-C while connecting", "the call is interrupted at once", "KeyboardInterrupt")
    def test_ctrl_c_interrupts_connecting(self, begin: Callable[..., Caller], full_backlog: str) -> None:
        caller = begin(full_backlog)
        caller.wait_until_it_says("Starting new HTTP connection")
        assert interrupted(caller) == ("KeyboardInterrupt", "")

    @pytest.mark.fault(9, "Ctrl-C while waiting for a response", "the call is interrupted at once", "KeyboardInterrupt")
    def test_ctrl_c_interrupts_waiting_for_a_response(self, begin: Callable[..., Caller]) -> None:
        silence = SilentResponse()
        with RecordingServer([silence]) as silent:
            caller = begin(silent.url)
            assert silence.requested.wait(TIMEOUT)
            assert interrupted(caller) == ("KeyboardInterrupt", "")

    @pytest.mark.fault(
        9, "Ctrl-C during the backoff before a retry", "the call is interrupted at once", "KeyboardInterrupt"
    )
    def test_ctrl_c_interrupts_the_backoff_before_a_retry(self, begin: Callable[..., Caller]) -> None:
        with RecordingServer([http_response(status=503, Retry_After="20")]) as busy:
            caller = begin(busy.url)
            caller.wait_until_it_says("trying again in 20.00 s")
            assert interrupted(caller) == ("KeyboardInterrupt", "")
