"""Rows 15 to 20: the service says no."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from support.caller import ARGUMENTS
from support.caller_process import GRANT, Outcome
from support.recording_server import RecordingServer, http_response

pytestmark = pytest.mark.slow  # Each test starts a process.

Call = Callable[..., Outcome]
MEBIBYTE = 1 << 20
KINDS = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    403: "ForbiddenError",
    404: "NotFoundError",
    409: "ConflictError",
    418: "ApiStatusError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
    500: "ServiceError",
    503: "ServiceError",
}


@pytest.mark.fault(15, "a status that is no success", "each has its exception", *dict.fromkeys(KINDS.values()))
@pytest.mark.parametrize("status", KINDS)
def test_the_service_refuses(call: Call, server: RecordingServer, status: int) -> None:
    server.respond_with(http_response({"code": 7, "message": "Not this time."}, status))
    outcome = call(server.url, max_attempts=1)
    assert (outcome.kind, outcome.status) == (KINDS[status], status)
    assert outcome.text.endswith(f"POST {server.url}/oauth2/token?Client\nNot this time.\n")


@pytest.mark.fault(15, "each of the eight operations is refused", "the same for all of them", "UnauthorizedError")
@pytest.mark.parametrize("dictionaries", [False, True], ids=["models", "dictionaries"])
@pytest.mark.parametrize("operation", [*ARGUMENTS, "call_api"])
def test_each_operation_may_be_refused(call: Call, server: RecordingServer, operation: str, dictionaries: bool) -> None:
    server.respond_with(http_response({"message": "No."}, 401))
    options = {"resource_path": "/v1/user/7", "method": "GET"} if operation == "call_api" else {}
    outcome = call(server.url, operation, options=options, dictionaries=dictionaries)
    assert (outcome.status, outcome.attempts, len(server.requests)) == (401, 1, 1)


@pytest.mark.fault(16, "429 or 503 with a Retry-After that there is time for", "waits so long, then asks again")
@pytest.mark.parametrize("after", ["1", "0", "Sat, 01 Jan 2000 00:00:00 GMT", "Saturday, 01-Jan-00 00:00:00 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_the_service_asks_to_come_back_soon(call: Call, server: RecordingServer, status: int, after: str) -> None:
    server.respond_with(http_response(status=status, Retry_After=after), http_response(GRANT))
    outcome = call(server.url)
    assert f"trying again in {1.0 if after == '1' else 0.0:.2f} s" in outcome.output


@pytest.mark.fault(
    16, "429 or 503 with a Retry-After beyond the call's end", "raised at once", "RateLimitError", "ServiceError"
)
@pytest.mark.parametrize("after", ["1000", "9" * 30, "9" * 400, "Fri, 31 Dec 2100 23:59:59 GMT"], ids=lambda a: a[:9])
@pytest.mark.parametrize("status", [429, 503])
def test_the_service_asks_to_come_back_later(call: Call, server: RecordingServer, status: int, after: str) -> None:
    server.respond_with(http_response(status=status, Retry_After=after))
    outcome = call(server.url)
    assert outcome.retry_after is not None
    assert outcome.retry_after >= 1000
    assert (len(server.requests), outcome.attempts, outcome.retryable) == (1, 1, True)


GARBAGE = ["soon", "-1", "1.5", "1e3", "", "Fri, 99 Foo 2100", "Mon, 32 Jan 2026 99:99:99 GMT", "0000 00:00", "\xb2"]


@pytest.mark.fault(16, "429 or 503 with a Retry-After that is none", "as if it were not there")
@pytest.mark.parametrize("after", GARBAGE)
def test_retry_after_is_none(call: Call, server: RecordingServer, after: str) -> None:
    server.respond_with(http_response(status=503, Retry_After=after), http_response(GRANT))
    assert call(server.url).data["expires_in"] == 3600


@pytest.mark.fault(17, "429, 502, 503 or 504 twice, then an answer", "three requests, with pauses by chance")
@pytest.mark.parametrize(
    ("operation", "status"),
    [
        *(("get_token_by_client", status) for status in (429, 502, 503, 504)),
        ("get_token_by_meeting", 503),
        ("get_token_by_password", 503),
    ],
)
def test_the_service_fails_twice(call: Call, server: RecordingServer, operation: str, status: int) -> None:
    server.respond_with(http_response(status=status), http_response(status=status), http_response(GRANT))
    outcome = call(server.url, operation)
    pauses = [float(pause) for pause in re.findall(r"trying again in (\S+) s", outcome.output)]
    assert len(server.requests) == 3
    assert len(pauses) == 2
    assert 0 <= pauses[0] <= 0.5
    assert 0 <= pauses[1] <= 1.0


@pytest.mark.fault(17, "a service that keeps failing", "as many requests as max_attempts", "ServiceError")
@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize("operation", ["get_token_by_client", "get_token_info", "revoke_access_token"])
def test_the_service_keeps_failing(call: Call, server: RecordingServer, operation: str, attempts: int) -> None:
    server.respond_with(http_response(status=503))
    outcome = call(server.url, operation, max_attempts=attempts)
    assert (len(server.requests), outcome.attempts, outcome.retryable) == (attempts, attempts, True)


@pytest.mark.fault(
    17, "a service that fails on a code", "one request: the code may be spent", "ServiceError", "RateLimitError"
)
@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("operation", ["get_token_by_code", "get_token_by_refresh"])
def test_the_service_fails_on_a_code(call: Call, server: RecordingServer, operation: str, status: int) -> None:
    server.respond_with(http_response(status=status, Retry_After="0"))
    outcome = call(server.url, operation)
    assert (len(server.requests), outcome.attempts, outcome.retryable) == (1, 1, False)


@pytest.mark.fault(17, "a status that another try does not change", "one request", "ServiceError", "BadRequestError")
@pytest.mark.parametrize("status", [400, 500, 501])
def test_the_service_fails_for_good(call: Call, server: RecordingServer, status: int) -> None:
    server.respond_with(http_response(status=status, Retry_After="0"))
    outcome = call(server.url)
    assert (len(server.requests), outcome.retryable) == (1, False)


BODIES = {
    "HTML": b"<html><h1>Unauthorized</h1>",
    "empty": b"",
    "no UTF-8": b"\xff\xfe\x00",
    "a list": b"[1]",
    "a message that is no text": b'{"message": {"a": 1}}',
    "nested 100,000 levels deep": b"[" * 100_000,
}


@pytest.mark.fault(18, "an error whose body is no error", "the status counts; the body is kept", "UnauthorizedError")
@pytest.mark.parametrize("what", BODIES)
def test_the_body_of_an_error_is_none(call: Call, server: RecordingServer, what: str) -> None:
    server.respond_with(http_response(body=BODIES[what], status=401))
    outcome = call(server.url)
    assert (outcome.status, outcome.body) == (401, BODIES[what].decode("utf-8", "replace"))


@pytest.mark.fault(18, "an error with a body of 100 MB", "read up to max_response_bytes", "UnauthorizedError")
def test_the_body_of_an_error_is_huge(call: Call, server: RecordingServer) -> None:
    server.respond_with(http_response(body=b"x" * (100 * MEBIBYTE), status=401))
    outcome = call(server.url, calls=[{"operation": "get_token_by_client"}] * 2)
    assert outcome.body == "x" * MEBIBYTE
    assert outcome.memory < 10 * MEBIBYTE


ECHOES: dict[str, Callable[[str], Any]] = {
    "as it is": lambda body: body,
    "within JSON": lambda body: json.dumps({"message": f"Bad request: {body}"}),
    "as an error of OAuth": lambda body: json.dumps({"error": "invalid", "error_description": body}),
    "twice encoded": lambda body: json.dumps({"message": json.dumps(body)}),
}


@pytest.mark.fault(19, "an error that echoes the request", "no secret in the exception's text", "UnauthorizedError")
@pytest.mark.parametrize("how", ECHOES)
@pytest.mark.parametrize("operation", [*ARGUMENTS])
def test_an_error_echoes_the_request(call: Call, operation: str, how: str) -> None:
    def echo(connection: Any) -> None:
        sent = server.requests[-1]
        body = f"{sent.target} {unquote(sent.target)} {sent.body.decode()}"
        connection.sendall(http_response(body=ECHOES[how](body).encode(), status=401))

    with RecordingServer([echo]) as server:
        call(server.url, operation)


@pytest.mark.fault(19, "a success that echoes the request", "no secret in the exception's text", "ApiResponseError")
@pytest.mark.parametrize("operation", ["get_token_by_password", "get_token_by_code"])
def test_a_success_echoes_the_request(call: Call, operation: str) -> None:
    def echo(connection: Any) -> None:
        connection.sendall(http_response({"message": f"No token for {server.requests[-1].body.decode()}"}))

    with RecordingServer([echo]) as server:
        assert "No token for" in call(server.url, operation).text


@pytest.mark.fault(19, "an error that would rule a terminal, or fill a log", "legible, and cut", "UnauthorizedError")
def test_an_error_is_no_text(call: Call, server: RecordingServer) -> None:
    server.respond_with(http_response({"message": "\x1b]0;owned\x07\x1b[2J" + 100_000 * "x"}, status=401))
    text = call(server.url).text
    assert "]0;owned" in text
    assert (text.count("x") <= 1000, text.replace("\n", "").isprintable()) == (True, True)


@pytest.mark.fault(20, "a redirect, to another host or to itself", "refused; nothing is sent there", "RedirectError")
@pytest.mark.parametrize("operation", [name for name in ARGUMENTS if name != "get_authorization_code"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_service_redirects(call: Call, server: RecordingServer, status: int, operation: str) -> None:
    with RecordingServer([http_response(GRANT)]) as elsewhere:
        server.respond_with(http_response(status=status, Location=f"{elsewhere.url}/oauth2/token"))
        outcome = call(server.url, operation)
        assert (elsewhere.connections, len(server.requests), outcome.status) == (0, 1, status)


@pytest.mark.fault(20, "a redirect without a place, or to no URL", "refused as any other", "RedirectError")
@pytest.mark.parametrize("location", [{}, {"Location": ""}, {"Location": "http://["}, {"Location": "javascript:x"}])
def test_a_redirect_leads_nowhere(call: Call, server: RecordingServer, location: dict[str, str]) -> None:
    server.respond_with(http_response(status=307, **location))
    assert "Nothing was sent" in call(server.url).text


@pytest.mark.fault(20, "the authorization page redirects", "that is its answer; nothing is fetched from there")
@pytest.mark.parametrize("status", [302, 303, 307, 308])
def test_the_authorization_page_redirects(call: Call, server: RecordingServer, status: int) -> None:
    with RecordingServer([http_response(GRANT)]) as elsewhere:
        server.respond_with(http_response(status=status, Location=elsewhere.url))
        assert call(server.url, "get_authorization_code").data is None
        assert elsewhere.connections == 0
