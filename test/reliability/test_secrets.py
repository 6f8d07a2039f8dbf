"""Rows 30 to 33: no secret in logs, representations, exceptions and tracebacks.

All fault tests search for secrets; the tests in this file cover more places.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from support.caller import ARGUMENTS, SECRETS
from support.caller_process import Outcome, secrets_shown
from support.recording_server import RecordingServer, ServerResponse, http_response, never_respond, reset, unused_port

pytestmark = pytest.mark.slow  # Each test starts a process.

Call = Callable[..., Outcome]
EVERYTHING = {"access_token": SECRETS["granted_token"], "refresh_token": SECRETS["granted_refresh_token"], "scope": {}}


@pytest.mark.fault(
    30,
    "DEBUG on the root logger, on `urllib3` and in `http.client`, and `debug=True`",
    "one line per request, without content",
)
@pytest.mark.parametrize("dictionaries", [False, True], ids=["models", "dictionaries"])
@pytest.mark.parametrize("operation", ARGUMENTS)
def test_debug_logs_of_all_libraries_show_no_secret(
    call: Call, server: RecordingServer, operation: str, dictionaries: bool
) -> None:
    server.respond_with(http_response(EVERYTHING))
    output = call(server.url, operation, dictionaries=dictionaries).output
    assert "DEBUG:urllib3.connectionpool:" in output
    assert "DEBUG:BlueJeansMeetingsRestApi.rest:" in output
    assert "-> 200 in " in output
    # The debug output of http.client contains requests and the headers of responses, so there must be none.
    assert "send:" not in output


@pytest.mark.fault(
    31, "`str()`, `repr()` and `format()` of models, clients, settings and exceptions", "secrets are `***`"
)
def test_printed_objects_show_asterisks_for_secrets(call: Call, server: RecordingServer) -> None:
    server.respond_with(http_response(EVERYTHING))
    output = call(server.url).output
    assert output.count("'client_secret': '***'") > 3
    assert "'access_token': '***'" in output


@pytest.mark.fault(
    31,
    "tracebacks with variables",
    "frames of this package show no variables",
    "UnauthorizedError",
    "ApiResponseError",
    "ApiTimeoutError",
    "ApiConnectionError",
)
@pytest.mark.parametrize(
    "response",
    [
        http_response(status=401),
        http_response({}),
        never_respond,
        reset,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nx",
    ],
)
@pytest.mark.parametrize("operation", ["get_token_by_password", "call_api"])
def test_traceback_shows_no_variables_of_this_package(
    call: Call, server: RecordingServer, operation: str, response: ServerResponse
) -> None:
    server.respond_with(response)
    options = (
        {"resource_path": "/v1/user/7", "method": "GET", "response_type": "GrantClient"}
        if operation == "call_api"
        else {}
    )
    output = call(server.url, operation, options=options, dictionaries=True, max_attempts=1, read_timeout=0.3).output
    shown = [line for line in output.splitlines() if "api_client.py" in line and " call_api " in line]
    assert shown
    assert all(line.endswith(" None") for line in shown)


def misbehave(how: str, server: RecordingServer) -> dict[str, Any]:
    """Make the server fail in this way, and return the settings for the call."""
    responses: dict[str, ServerResponse] = {
        "resets the connection": reset,
        "does not respond": never_respond,
        "sends invalid HTTP": b"what is this\r\n\r\n",
        "redirects": http_response(status=307, Location="/elsewhere"),
        "responds with 401": http_response({"message": "No."}, 401),
        "responds with 500": http_response(status=500),
        "responds with HTML": http_response(body=b"<html>"),
        "does not support TLS": http_response(status=400),
        "truncates the response": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{",
    }
    if how in responses:
        server.respond_with(responses[how])
        server.accept_invalid_http = how == "does not support TLS"
        return {"host": server.url.replace("http:", "https:") if server.accept_invalid_http else server.url}
    return {
        "refuses connections": {"host": f"http://127.0.0.1:{unused_port()}"},
        "does not exist": {"host": "https://no-such-host.invalid"},
        "is behind an unreachable proxy": {"host": server.url, "proxy": f"http://127.0.0.1:{unused_port()}"},
    }[how]


FAULTS = {
    "resets the connection": "ApiConnectionError",
    "does not respond": "ApiTimeoutError",
    "sends invalid HTTP": "ApiConnectionError",
    "redirects": "RedirectError",
    "responds with 401": "UnauthorizedError",
    "responds with 500": "ServiceError",
    "responds with HTML": "ApiResponseError",
    "truncates the response": "ApiResponseError",
    "refuses connections": "ApiConnectionError",
    "does not support TLS": "ApiTLSError",
    "does not exist": "ApiConnectionError",
    "is behind an unreachable proxy": "ApiProxyError",
}


@pytest.mark.fault(
    32,
    "a call with a token in its URL fails in any way",
    "the token is in no log and no exception",
    *dict.fromkeys(FAULTS.values()),
)
@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("operation", ["get_token_info", "get_token_by_refresh"])
def test_token_in_a_url_is_in_no_log_and_no_error(
    call: Call, server: RecordingServer, operation: str, how: str
) -> None:
    settings = {"read_timeout": 0.3, "max_attempts": 1, **misbehave(how, server)}
    outcome = call(settings.pop("host"), operation, **settings)
    assert outcome.kind == FAULTS[how]
    for request in server.requests:
        if request.method:
            assert quote(SECRETS["access_token"]) in request.target


@pytest.mark.fault(33, "a secret in the output of a program, in any form", "the search of these tests finds it")
@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "form", [str, repr, json.dumps, quote, lambda value: f"x={value};", lambda value: json.dumps(json.dumps(value))]
)
def test_search_finds_a_secret_in_every_form(name: str, form: Callable[[str], str]) -> None:
    assert secrets_shown(f"something {form(SECRETS[name])} something") == [name]


def test_every_fault_test_searches_for_secrets(request: pytest.FixtureRequest) -> None:
    rows = [item for item in request.session.items if item.get_closest_marker("fault")]
    searching = {"call", "start", "run", "users", "no_token_in_any_log"}
    # The test of row 33 calls the search directly.
    assert [
        i.name for i in rows if not searching & set(getattr(i, "fixturenames", ())) and "search" not in i.name
    ] == []
