"""Rows 15 to 20: error responses and redirects."""

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


@pytest.mark.fault(15, "an error status", "the exception for this status", *dict.fromkeys(KINDS.values()))
@pytest.mark.parametrize("status", KINDS)
def test_each_error_status_raises_its_exception(call: Call, server: RecordingServer, status: int) -> None:
    server.respond_with(http_response({"code": 7, "message": "Not this time."}, status))
    outcome = call(server.url, max_attempts=1)
    assert (outcome.kind, outcome.status) == (KINDS[status], status)
    assert outcome.text.endswith(f"POST {server.url}/oauth2/token?Client\nNot this time.\n")


@pytest.mark.fault(
    15, "an error status, for each of the eight operations", "the exception for this status", "UnauthorizedError"
)
@pytest.mark.parametrize("dictionaries", [False, True], ids=["models", "dictionaries"])
@pytest.mark.parametrize("operation", [*ARGUMENTS, "call_api"])
def test_every_operation_raises_for_an_error_status(
    call: Call, server: RecordingServer, operation: str, dictionaries: bool
) -> None:
    server.respond_with(http_response({"message": "No."}, 401))
    options = {"resource_path": "/v1/user/7", "method": "GET"} if operation == "call_api" else {}
    outcome = call(server.url, operation, options=options, dictionaries=dictionaries)
    assert (outcome.status, outcome.attempts, len(server.requests)) == (401, 1, 1)


@pytest.mark.fault(16, "429 or 503 with a Retry-After before the deadline", "a retry after this time")
@pytest.mark.parametrize("after", ["1", "0", "Sat, 01 Jan 2000 00:00:00 GMT", "Saturday, 01-Jan-00 00:00:00 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_before_the_deadline_is_waited_for(
    call: Call, server: RecordingServer, status: int, after: str
) -> None:
    server.respond_with(http_response(status=status, Retry_After=after), http_response(GRANT))
    outcome = call(server.url)
    assert f"trying again in {1.0 if after == '1' else 0.0:.2f} s" in outcome.output


@pytest.mark.fault(
    16, "429 or 503 with a Retry-After beyond the deadline", "an error at once", "RateLimitError", "ServiceError"
)
@pytest.mark.parametrize("after", ["1000", "9" * 30, "9" * 400, "Fri, 31 Dec 2100 23:59:59 GMT"], ids=lambda a: a[:9])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_beyond_the_deadline_raises_at_once(
    call: Call, server: RecordingServer, status: int, after: str
) -> None:
    server.respond_with(http_response(status=status, Retry_After=after))
    outcome = call(server.url)
    assert outcome.retry_after is not None
    assert outcome.retry_after >= 1000
    assert (len(server.requests), outcome.attempts, outcome.retryable) == (1, 1, True)


INVALID = ["soon", "-1", "1.5", "1e3", "", "Fri, 99 Foo 2100", "Mon, 32 Jan 2026 99:99:99 GMT", "0000 00:00", "\xb2"]


@pytest.mark.fault(16, "503 with an invalid Retry-After", "the header is ignored")
@pytest.mark.parametrize("after", INVALID)
def test_invalid_retry_after_is_ignored(call: Call, server: RecordingServer, after: str) -> None:
    server.respond_with(http_response(status=503, Retry_After=after), http_response(GRANT))
    assert call(server.url).data["expires_in"] == 3600


@pytest.mark.fault(17, "429, 502, 503 or 504 twice, then a success", "three requests, with backoff and jitter")
@pytest.mark.parametrize(
    ("operation", "status"),
    [
        *(("get_token_by_client", status) for status in (429, 502, 503, 504)),
        ("get_token_by_meeting", 503),
        ("get_token_by_password", 503),
    ],
)
def test_two_transient_errors_are_retried_with_backoff(
    call: Call, server: RecordingServer, operation: str, status: int
) -> None:
    server.respond_with(http_response(status=status), http_response(status=status), http_response(GRANT))
    outcome = call(server.url, operation)
    pauses = [float(pause) for pause in re.findall(r"trying again in (\S+) s", outcome.output)]
    assert len(server.requests) == 3
    assert len(pauses) == 2
    assert 0 <= pauses[0] <= 0.5
    assert 0 <= pauses[1] <= 1.0


@pytest.mark.fault(17, "the service keeps failing with 503", "`max_attempts` requests", "ServiceError")
@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize("operation", ["get_token_by_client", "get_token_info", "revoke_access_token"])
def test_transient_errors_raise_after_max_attempts(
    call: Call, server: RecordingServer, operation: str, attempts: int
) -> None:
    server.respond_with(http_response(status=503))
    outcome = call(server.url, operation, max_attempts=attempts)
    assert (len(server.requests), outcome.attempts, outcome.retryable) == (attempts, attempts, True)


@pytest.mark.fault(
    17,
    "429, 502, 503 or 504 for a code exchange",
    "one request, because the code may be used",
    "ServiceError",
    "RateLimitError",
)
@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("operation", ["get_token_by_code", "get_token_by_refresh"])
def test_code_exchange_is_not_retried_after_an_error(
    call: Call, server: RecordingServer, operation: str, status: int
) -> None:
    server.respond_with(http_response(status=status, Retry_After="0"))
    outcome = call(server.url, operation)
    assert (len(server.requests), outcome.attempts, outcome.retryable) == (1, 1, False)


@pytest.mark.fault(17, "a status that is not transient", "one request", "ServiceError", "BadRequestError")
@pytest.mark.parametrize("status", [400, 500, 501])
def test_permanent_error_is_not_retried(call: Call, server: RecordingServer, status: int) -> None:
    server.respond_with(http_response(status=status, Retry_After="0"))
    outcome = call(server.url)
    assert (len(server.requests), outcome.retryable) == (1, False)


BODIES = {
    "HTML": b"<html><h1>Unauthorized</h1>",
    "empty": b"",
    "invalid UTF-8": b"\xff\xfe\x00",
    "a list": b"[1]",
    "a message that is not a string": b'{"message": {"a": 1}}',
    "nested 100,000 levels deep": b"[" * 100_000,
}


@pytest.mark.fault(
    18, "an error status with an invalid body", "an error with the status and the body", "UnauthorizedError"
)
@pytest.mark.parametrize("what", BODIES)
def test_error_with_an_invalid_body_has_its_status_and_body(call: Call, server: RecordingServer, what: str) -> None:
    server.respond_with(http_response(body=BODIES[what], status=401))
    outcome = call(server.url)
    assert (outcome.status, outcome.body) == (401, BODIES[what].decode("utf-8", "replace"))


@pytest.mark.fault(
    18, "an error status with a body of 100 MB", "the body is read up to max_response_bytes", "UnauthorizedError"
)
def test_huge_error_body_is_read_up_to_max_response_bytes(call: Call, server: RecordingServer) -> None:
    server.respond_with(http_response(body=b"x" * (100 * MEBIBYTE), status=401))
    outcome = call(server.url, calls=[{"operation": "get_token_by_client"}] * 2)
    assert outcome.body == "x" * MEBIBYTE
    assert outcome.memory < 10 * MEBIBYTE


ECHOES: dict[str, Callable[[str], Any]] = {
    "unchanged": lambda body: body,
    "within JSON": lambda body: json.dumps({"message": f"Bad request: {body}"}),
    "as an OAuth error": lambda body: json.dumps({"error": "invalid", "error_description": body}),
    "JSON within JSON": lambda body: json.dumps({"message": json.dumps(body)}),
}


@pytest.mark.fault(
    19, "an error response that echoes the request", "no secret in the message of the exception", "UnauthorizedError"
)
@pytest.mark.parametrize("how", ECHOES)
@pytest.mark.parametrize("operation", [*ARGUMENTS])
def test_error_that_echoes_the_request_shows_no_secret(call: Call, operation: str, how: str) -> None:
    def echo(connection: Any) -> None:
        sent = server.requests[-1]
        body = f"{sent.target} {unquote(sent.target)} {sent.body.decode()}"
        connection.sendall(http_response(body=ECHOES[how](body).encode(), status=401))

    with RecordingServer([echo]) as server:
        call(server.url, operation)


@pytest.mark.fault(
    19,
    "a response without a token that echoes the request",
    "no secret in the message of the exception",
    "ApiResponseError",
)
@pytest.mark.parametrize("operation", ["get_token_by_password", "get_token_by_code"])
def test_success_that_echoes_the_request_shows_no_secret(call: Call, operation: str) -> None:
    def echo(connection: Any) -> None:
        connection.sendall(http_response({"message": f"No token for {server.requests[-1].body.decode()}"}))

    with RecordingServer([echo]) as server:
        assert "No token for" in call(server.url, operation).text


@pytest.mark.fault(
    19, "a long error message with terminal escapes", "it is shortened and printable", "UnauthorizedError"
)
def test_error_message_is_printable_and_limited_in_length(call: Call, server: RecordingServer) -> None:
    server.respond_with(http_response({"message": "\x1b]0;owned\x07\x1b[2J" + 100_000 * "x"}, status=401))
    text = call(server.url).text
    assert "]0;owned" in text
    assert (text.count("x") <= 1000, text.replace("\n", "").isprintable()) == (True, True)


@pytest.mark.fault(20, "a redirect to another host", "an error; nothing is sent to that host", "RedirectError")
@pytest.mark.parametrize("operation", [name for name in ARGUMENTS if name != "get_authorization_code"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(call: Call, server: RecordingServer, status: int, operation: str) -> None:
    with RecordingServer([http_response(GRANT)]) as elsewhere:
        server.respond_with(http_response(status=status, Location=f"{elsewhere.url}/oauth2/token"))
        outcome = call(server.url, operation)
        assert (elsewhere.connections, len(server.requests), outcome.status) == (0, 1, status)


@pytest.mark.fault(20, "a redirect with an invalid or no Location", "an error, as for any redirect", "RedirectError")
@pytest.mark.parametrize("location", [{}, {"Location": ""}, {"Location": "http://["}, {"Location": "javascript:x"}])
def test_redirect_with_an_invalid_location_is_refused(
    call: Call, server: RecordingServer, location: dict[str, str]
) -> None:
    server.respond_with(http_response(status=307, **location))
    assert "Nothing was sent" in call(server.url).text


@pytest.mark.fault(20, "the authorization page redirects", "the call succeeds; the redirect is not followed")
@pytest.mark.parametrize("status", [302, 303, 307, 308])
def test_redirect_of_the_authorization_page_is_not_fetched(call: Call, server: RecordingServer, status: int) -> None:
    with RecordingServer([http_response(GRANT)]) as elsewhere:
        server.respond_with(http_response(status=status, Location=elsewhere.url))
        assert call(server.url, "get_authorization_code").data is None
        assert elsewhere.connections == 0
