"""Rows 12 to 14: invalid or unsafe arguments and settings, with which nothing may be sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.caller import SECRETS
from support.caller_process import Outcome
from support.recording_server import RecordingServer

pytestmark = pytest.mark.slow  # Each test starts a process.

Call = Callable[..., Outcome]

INVALID_TIMEOUTS = [
    0,
    -1,
    -0.5,
    float("nan"),
    float("inf"),
    "5",
    True,
    [1, 0],
    [1, float("nan")],
    ["1", 1],
    [1, 2, 3],
    [1],
    {},
]


@pytest.mark.fault(
    12,
    "a timeout that is zero, negative, NaN or a string",
    "nothing is sent; the error shows the value",
    "ValueError",
    "TypeError",
)
@pytest.mark.parametrize("timeout", INVALID_TIMEOUTS, ids=str)
def test_invalid_timeout_raises_an_error_before_anything_is_sent(
    call: Call, server: RecordingServer, timeout: Any
) -> None:
    outcome = call(server.url, options={"_request_timeout": timeout})
    assert "_request_timeout must be a" in outcome.text
    assert server.connections == 0


@pytest.mark.fault(12, "a timeout as int, float or pair, however long", "the timeout is accepted")
@pytest.mark.parametrize(
    "timeout", [3, 2.5, [1, 2], [0.5, 2.5], 10**400, 1e300, [1e300, 10**30]], ids=lambda t: str(t)[:20]
)
def test_timeout_may_be_an_int_a_float_or_a_pair(call: Call, server: RecordingServer, timeout: Any) -> None:
    assert call(server.url, options={"_request_timeout": timeout}).data["expires_in"] == 3600


LINES = f"x\r\n{SECRETS['header_token']}: y"
UNSENDABLE = {
    "CR and LF in a header": {"header_params": {"X-Id": LINES}},
    "LF in a header": {"header_params": {"X-Id": f"x\n{SECRETS['header_token']}"}},
    "NUL in a header": {"header_params": {"X-Id": f"{SECRETS['header_token']}\0"}},
    "a character outside Latin-1 in a header": {"header_params": {"X-Id": f"{SECRETS['header_token']}\u0416"}},
    "CR and LF in a header name": {"header_params": {"X\r\nId": SECRETS["header_token"]}},
    "a lone surrogate in a query value": {"query_params": {"q": f"{SECRETS['access_token']}\ud800"}},
    "a lone surrogate in a path parameter": {"path_params": {"id": f"{SECRETS['access_token']}\ud800"}},
    "a lone surrogate in a text body": {
        "method": "POST",
        "header_params": {"Content-Type": "text/plain"},
        "body": f"{SECRETS['password']}\ud800",
    },
    "NaN in JSON": {"method": "POST", "body": {"password": SECRETS["password"], "n": float("nan")}},
}


@pytest.mark.fault(
    13, "invalid characters in a request", "nothing is sent; the error says which part is invalid", "ValueError"
)
@pytest.mark.parametrize("what", UNSENDABLE)
def test_request_with_invalid_characters_is_not_sent(call: Call, server: RecordingServer, what: str) -> None:
    options = {"resource_path": "/v1/user/{id}", "method": "GET", **UNSENDABLE[what]}
    call(server.url, "call_api", options=options)
    assert server.connections == 0


ENCODED = [
    ({"query_params": {"q": "a\r\nX: y\0"}}, "/v1/user/7?q=a%0D%0AX%3A+y%00"),
    ({"path_params": {"id": "7\r\nX: y\0/../\u00e9"}}, "/v1/user/7%0D%0AX%3A%20y%00%2F..%2F%C3%A9"),
    ({"resource_path": "/v1/user/7\r\nX: y", "path_params": {}}, "/v1/user/7%0D%0AX:%20y"),
    ({"resource_path": "/v1/user/7?q=a\r\nX: y", "path_params": {}}, "/v1/user/7?q=a%0D%0AX:%20y"),
]


@pytest.mark.fault(13, "CR, LF or NUL in a path, a path parameter or a query value", "it is percent-encoded")
@pytest.mark.parametrize(("arguments", "target"), ENCODED)
def test_control_characters_in_a_url_are_percent_encoded(
    call: Call, server: RecordingServer, arguments: dict[str, Any], target: str
) -> None:
    options = {
        "resource_path": "/v1/user/{id}",
        "method": "GET",
        "path_params": {"id": 7},
        "query_params": {},
        **arguments,
    }
    call(server.url, "call_api", options=options)
    assert [request.target for request in server.requests] == [target]


HOSTS = ["https://a\r\nb.example", "https://a\0.example", "https://\u0436.example", "https://a..example"]


@pytest.mark.fault(13, "an invalid host name", "an error, at the latest when the call is made", "ValueError")
@pytest.mark.parametrize("host", [*HOSTS, f"https://{'a' * 64}.example"])
def test_invalid_host_name_raises_an_error_before_connecting(call: Call, server: RecordingServer, host: str) -> None:
    outcome = call(server.url, calls=[{"operation": "get_token_by_client", "host": host}])
    assert outcome.text.startswith("Configuration.host ")
    assert server.connections == 0


@pytest.mark.fault(14, "an `http://` URL of a remote host", "an error before anything is sent", "ValueError")
@pytest.mark.parametrize("host", ["http://api.bluejeans.com", "http://10.1.2.3", "http://127.0.0.1.example"])
def test_plain_http_to_a_remote_host_is_refused(call: Call, server: RecordingServer, host: str) -> None:
    outcome = call(server.url, calls=[{"operation": "get_token_by_client", "host": host}])
    assert "Configuration.allow_insecure_host" in outcome.text


@pytest.mark.fault(14, "an `http://` URL with `allow_insecure_host`", "the request is sent", "ApiConnectionError")
def test_allow_insecure_host_permits_plain_http(call: Call) -> None:
    assert "cannot find" in call("http://no-such-host.invalid", allow_insecure_host=True, max_attempts=1).text
