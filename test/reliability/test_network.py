"""Rows 1 to 9: the network between the client and the service fails."""

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
    1, "nobody listens at the port", "three tries, and the error names host and port", "ApiConnectionError"
)
@pytest.mark.parametrize("operation", ["get_token_by_client", "get_token_by_code"])
def test_nobody_listens_at_the_port(call: Call, operation: str) -> None:
    port = unused_port()
    outcome = call(f"http://127.0.0.1:{port}", operation)
    assert f"cannot connect to 127.0.0.1:{port} (Connection refused)" in outcome.text
    assert (outcome.attempts, outcome.retryable, outcome.status) == (3, True, 0)


@pytest.mark.fault(2, "the host does not exist", "three tries, and the error names the host", "ApiConnectionError")
def test_the_host_does_not_exist(call: Call) -> None:
    outcome = call("https://no-such-host.invalid")
    assert "cannot find no-such-host.invalid" in outcome.text
    assert "Check the name in Configuration.host" in outcome.text


@pytest.mark.fault(2, "DNS does not answer", "the call ends in time", "ApiTimeoutError")
def test_dns_does_not_answer(call: Call) -> None:
    outcome = call("https://slow.example", dns_hangs=True, connect_timeout=0.3, call_timeout=2)
    assert "timed out connecting to slow.example" in outcome.text


@pytest.mark.fault(2, "the first of the host's addresses refuses", "the next one is taken")
def test_the_first_address_of_the_host_refuses(call: Call, server: RecordingServer) -> None:
    # `localhost` is ::1 and 127.0.0.1; the server listens on the second alone.
    outcome = call(f"http://localhost:{server.port}", max_attempts=1)
    assert outcome.data["expires_in"] == 3600


@pytest.mark.fault(3, "the connection is never made", "each try ends at connect_timeout", "ApiTimeoutError")
def test_the_connection_is_never_made(call: Call, full_backlog: str) -> None:
    outcome = call(full_backlog, connect_timeout=0.3)
    assert (outcome.attempts, outcome.retryable) == (3, True)
    assert "Configuration.connect_timeout" in outcome.text


@pytest.mark.fault(4, "the service takes the request and says nothing", "the call ends in time", "ApiTimeoutError")
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
def test_the_service_says_nothing(
    call: Call, server: RecordingServer, settings: dict[str, Any], options: dict[str, Any]
) -> None:
    server.respond_with(never_respond)
    outcome = call(server.url, options=options, **settings)
    assert "timed out waiting for 127.0.0.1" in outcome.text
    assert len(server.requests) == outcome.attempts


@pytest.mark.fault(4, "a code's exchange gets no answer", "one request: the code may be spent", "ApiTimeoutError")
@pytest.mark.parametrize("operation", ["get_token_by_code", "get_token_by_refresh"])
def test_an_exchange_without_an_answer_is_not_repeated(call: Call, server: RecordingServer, operation: str) -> None:
    server.respond_with(never_respond)
    outcome = call(server.url, operation, read_timeout=0.3)
    assert (len(server.requests), outcome.retryable) == (1, False)


ENDLESS = {
    "in the status line": drip(),
    "in the headers": drip(b"HTTP/1.1 200 OK\r\nX: "),
    "of headers": drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "of preliminary answers": drip(drop=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "in a body of known length": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
    "in a body without end": drip(b"HTTP/1.1 200 OK\r\n\r\n"),
    "in chunks": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "in the body of an error": drip(b"HTTP/1.1 503 Busy\r\nContent-Length: 9999\r\n\r\n"),
}


@pytest.mark.fault(5, "a byte comes now and then, for ever", "the call ends in time", "ApiTimeoutError")
@pytest.mark.parametrize("where", ENDLESS)
def test_a_byte_comes_now_and_then(call: Call, server: RecordingServer, where: str) -> None:
    server.respond_with(ENDLESS[where])
    outcome = call(server.url, call_timeout=0.5)
    assert len(server.requests) == outcome.attempts


@pytest.mark.fault(6, "the connection is reset before the answer", "one more request, which succeeds")
def test_the_connection_is_reset_before_the_answer(call: Call, server: RecordingServer) -> None:
    server.respond_with(reset, http_response(GRANT))
    assert call(server.url).data["expires_in"] == 3600
    assert len(server.requests) == 2


@pytest.mark.fault(
    6, "each connection is reset before the answer", "as many requests as max_attempts", "ApiConnectionError"
)
@pytest.mark.parametrize("attempts", [1, 3])
def test_each_connection_is_reset(call: Call, server: RecordingServer, attempts: int) -> None:
    server.respond_with(reset)
    outcome = call(server.url, max_attempts=attempts)
    assert "lost the connection to 127.0.0.1" in outcome.text
    assert (len(server.requests), outcome.attempts) == (attempts, attempts)


@pytest.mark.fault(6, "a code's exchange is reset", "one request: the code may be spent", "ApiConnectionError")
@pytest.mark.parametrize("operation", ["get_token_by_code", "get_token_by_refresh"])
def test_an_exchange_that_is_reset_is_not_repeated(call: Call, server: RecordingServer, operation: str) -> None:
    server.respond_with(reset)
    outcome = call(server.url, operation)
    assert (len(server.requests), outcome.attempts, outcome.retryable) == (1, 1, False)


@pytest.mark.fault(7, "a kept connection turns out to be dead", "a fresh one at once; the caller sees nothing")
@pytest.mark.parametrize("operation", ["get_token_by_client", "get_token_info"])
def test_a_kept_connection_is_dead(call: Call, server: RecordingServer, operation: str) -> None:
    server.respond_with(http_response(GRANT), reset, http_response(GRANT))
    outcome = call(server.url, calls=[SECOND, {"operation": operation}])
    assert "trying again in 0.00 s" in outcome.output
    assert (len(server.requests), server.connections) == (3, 2)


@pytest.mark.fault(7, "a kept connection is dead when a code is exchanged", "codes do not go over kept connections")
def test_a_code_does_not_go_over_a_kept_connection(call: Call, server: RecordingServer) -> None:
    outcome = call(server.url, calls=[SECOND, {"operation": "get_token_by_code"}])
    assert outcome.data["expires_in"] == 3600
    assert (len(server.requests), server.connections) == (2, 2)


TOKEN = b'{"access_token": "cut"}'
CUT = {
    "in the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "after a header": b"HTTP/1.1 200 OK\r\nX: y\r\n",
    "in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + TOKEN,
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n30\r\n" + TOKEN,
    "between chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n17\r\n" + TOKEN + b"\r\n",
    "by a chunk's length that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" + TOKEN,
    "by two different lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 23\r\nContent-Length: 99\r\n\r\n" + TOKEN,
}


def then_close(answer: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(answer)


@pytest.mark.fault(8, "the answer is cut off", "one more request over a fresh connection, which succeeds")
@pytest.mark.parametrize("where", CUT)
def test_a_cut_answer_is_asked_for_again(call: Call, server: RecordingServer, where: str) -> None:
    server.respond_with(then_close(CUT[where]), http_response(GRANT))
    assert call(server.url).data["expires_in"] == 3600
    assert (len(server.requests), server.connections) == (2, 2)


@pytest.mark.fault(8, "each answer is cut off", "an error with the status, never a token", "ApiResponseError")
@pytest.mark.parametrize("where", CUT)
def test_a_cut_answer_gives_no_token(call: Call, server: RecordingServer, where: str) -> None:
    server.respond_with(then_close(CUT[where]))
    outcome = call(server.url, max_attempts=2)
    assert outcome.reason.startswith("the response is truncated")
    assert (outcome.status, outcome.retryable, len(server.requests)) == (200, True, 2)


@pytest.mark.fault(8, "the answer to a code is cut off", "one request: the code is spent", "ApiResponseError")
def test_a_cut_answer_to_a_code_is_not_asked_for_again(call: Call, server: RecordingServer) -> None:
    server.respond_with(then_close(CUT["in the body"]))
    assert call(server.url, "get_token_by_code").retryable is False
    assert len(server.requests) == 1


@pytest.mark.fault(8, "more comes than the answer's length says", "the connection is not used again")
def test_a_connection_with_more_than_the_answer_is_not_used_again(call: Call, server: RecordingServer) -> None:
    forged = http_response({"access_token": "forged"})
    server.respond_with(http_response(GRANT) + forged, http_response(GRANT))
    outcome = call(server.url, calls=[SECOND, SECOND])
    assert outcome.data["access_token"] != "forged"
    assert (len(server.requests), server.connections) == (2, 2)


def interrupted(caller: Caller) -> tuple[str, str]:
    """What a call is that Ctrl-C ends, and the next one of the same client. The first ends in a tenth of a second."""
    pressed = caller.interrupt()
    first, second = caller.outcomes()
    assert first.ended - pressed < 0.1
    return first.kind, second.kind


class TestCtrlC:
    """Each program goes on with the same client, against a service that works."""

    @pytest.fixture
    def begin(self, start: Callable[..., Caller], server: RecordingServer) -> Callable[..., Caller]:
        def begin(host: str, **settings: Any) -> Caller:
            return start(host, calls=[{"operation": "get_token_by_client"}, {**SECOND, "host": server.url}], **settings)

        return begin

    @pytest.mark.fault(9, "Ctrl-C while DNS is asked", "it gets through at once", "KeyboardInterrupt")
    def test_while_dns_is_asked(self, begin: Callable[..., Caller]) -> None:
        caller = begin("http://localhost:1", dns_hangs=True)
        caller.wait_until_it_says("DNS is asked")
        assert interrupted(caller) == ("KeyboardInterrupt", "")

    @pytest.mark.fault(9, "Ctrl-C while connecting", "it gets through at once", "KeyboardInterrupt")
    def test_while_connecting(self, begin: Callable[..., Caller], full_backlog: str) -> None:
        caller = begin(full_backlog)
        caller.wait_until_it_says("Starting new HTTP connection")
        assert interrupted(caller) == ("KeyboardInterrupt", "")

    @pytest.mark.fault(9, "Ctrl-C while waiting for an answer", "it gets through at once", "KeyboardInterrupt")
    def test_while_waiting_for_an_answer(self, begin: Callable[..., Caller]) -> None:
        silence = SilentResponse()
        with RecordingServer([silence]) as silent:
            caller = begin(silent.url)
            assert silence.requested.wait(TIMEOUT)
            assert interrupted(caller) == ("KeyboardInterrupt", "")

    @pytest.mark.fault(9, "Ctrl-C in the pause before another try", "it gets through at once", "KeyboardInterrupt")
    def test_in_the_pause_before_another_try(self, begin: Callable[..., Caller]) -> None:
        with RecordingServer([http_response(status=503, Retry_After="20")]) as busy:
            caller = begin(busy.url)
            caller.wait_until_it_says("trying again in 20.00 s")
            assert interrupted(caller) == ("KeyboardInterrupt", "")
