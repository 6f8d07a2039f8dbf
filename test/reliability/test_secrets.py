"""Rows 30 to 33: no secret is in anything that leaves the objects holding it.

Every row searches for them; these look closer.
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
    "each request is a line without its content",
)
@pytest.mark.parametrize("dictionaries", [False, True], ids=["models", "dictionaries"])
@pytest.mark.parametrize("operation", ARGUMENTS)
def test_all_logs_are_at_their_loudest(call: Call, server: RecordingServer, operation: str, dictionaries: bool) -> None:
    server.respond_with(http_response(EVERYTHING))
    output = call(server.url, operation, dictionaries=dictionaries).output
    assert "DEBUG:urllib3.connectionpool:" in output
    assert "DEBUG:BlueJeansMeetingsRestApi.rest:" in output
    assert "-> 200 in " in output
    # http.client prints, where it prints anything, the request and the header of the answer.
    assert "send:" not in output


@pytest.mark.fault(31, "text, repr and format of models, clients, settings and exceptions", "secrets are `***`")
def test_objects_are_printed(call: Call, server: RecordingServer) -> None:
    server.respond_with(http_response(EVERYTHING))
    output = call(server.url).output
    assert output.count("'client_secret': '***'") > 3
    assert "'access_token': '***'" in output


@pytest.mark.fault(
    31,
    "tracebacks with variables",
    "ours show the lines, and no variables",
    "UnauthorizedError",
    "ApiResponseError",
    "ApiTimeoutError",
    "ApiConnectionError",
)
@pytest.mark.parametrize(
    "answer",
    [
        http_response(status=401),
        http_response({}),
        never_respond,
        reset,
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nx",
    ],
)
@pytest.mark.parametrize("operation", ["get_token_by_password", "call_api"])
def test_a_crash_report_shows_variables(
    call: Call, server: RecordingServer, operation: str, answer: ServerResponse
) -> None:
    server.respond_with(answer)
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
    """Make the host fail in some way; the settings that go with it."""
    answers: dict[str, ServerResponse] = {
        "resets": reset,
        "keeps silent": never_respond,
        "speaks no HTTP": b"what is this\r\n\r\n",
        "redirects": http_response(status=307, Location="/elsewhere"),
        "refuses": http_response({"message": "No."}, 401),
        "fails": http_response(status=500),
        "answers HTML": http_response(body=b"<html>"),
        "speaks no TLS": http_response(status=400),
        "cuts": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{",
    }
    if how in answers:
        server.respond_with(answers[how])
        server.accept_invalid_http = how == "speaks no TLS"
        return {"host": server.url.replace("http:", "https:") if server.accept_invalid_http else server.url}
    return {
        "refuses connections": {"host": f"http://127.0.0.1:{unused_port()}"},
        "does not exist": {"host": "https://no-such-host.invalid"},
        "is behind a proxy that is not there": {"host": server.url, "proxy": f"http://127.0.0.1:{unused_port()}"},
    }[how]


FAULTS = {
    "resets": "ApiConnectionError",
    "keeps silent": "ApiTimeoutError",
    "speaks no HTTP": "ApiConnectionError",
    "redirects": "RedirectError",
    "refuses": "UnauthorizedError",
    "fails": "ServiceError",
    "answers HTML": "ApiResponseError",
    "cuts": "ApiResponseError",
    "refuses connections": "ApiConnectionError",
    "speaks no TLS": "ApiTLSError",
    "does not exist": "ApiConnectionError",
    "is behind a proxy that is not there": "ApiProxyError",
}


@pytest.mark.fault(
    32,
    "a call with a token in its URL fails, in whichever way",
    "the token is in no log and no error",
    *dict.fromkeys(FAULTS.values()),
)
@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("operation", ["get_token_info", "get_token_by_refresh"])
def test_a_token_in_a_url_does_not_show(call: Call, server: RecordingServer, operation: str, how: str) -> None:
    settings = {"read_timeout": 0.3, "max_attempts": 1, **misbehave(how, server)}
    outcome = call(settings.pop("host"), operation, **settings)
    assert outcome.kind == FAULTS[how]
    for request in server.requests:
        if request.method:
            assert quote(SECRETS["access_token"]) in request.target


@pytest.mark.fault(33, "a secret in a program's output, in whichever form", "this search finds it")
@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "form", [str, repr, json.dumps, quote, lambda value: f"x={value};", lambda value: json.dumps(json.dumps(value))]
)
def test_the_search_finds_a_secret(name: str, form: Callable[[str], str]) -> None:
    assert secrets_shown(f"something {form(SECRETS[name])} something") == [name]


def test_every_row_searches_for_secrets(request: pytest.FixtureRequest) -> None:
    rows = [item for item in request.session.items if item.get_closest_marker("fault")]
    searching = {"call", "start", "run", "users", "no_token_in_any_log"}
    # Row 33 is the search itself, and properties look at what came back instead.
    assert [
        i.name for i in rows if not searching & set(getattr(i, "fixturenames", ())) and "search" not in i.name
    ] == []
