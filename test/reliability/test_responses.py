"""Rows 21 to 24: successful responses with an invalid, huge, compressed or unusual body."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import BlueJeansMeetingsRestApi as bluejeans
from support.caller import SECRETS
from support.caller_process import GRANT, Outcome
from support.recording_server import RecordingServer, ServerResponse, http_response

Call = Callable[..., Outcome]
MEBIBYTE = 1 << 20
GRANTS = [
    "get_token_by_client",
    "get_token_by_code",
    "get_token_by_meeting",
    "get_token_by_password",
    "get_token_by_refresh",
]
TOKEN = SECRETS["granted_token"]

INVALID_GRANTS = {
    "HTML": b"<html>Welcome to the hotel's WLAN</html>",
    "empty": b"",
    "null": b"null",
    "a list": b'[{"access_token": "x"}]',
    "a string": b'"x"',
    "a number": b"7",
    "{}": b"{}",
    "a token that is null": b'{"access_token": null}',
    "a token that is empty": b'{"access_token": ""}',
    "a token that is a number": b'{"access_token": 7}',
    "a token that is a list": b'{"access_token": ["x"]}',
    "invalid UTF-8": b'{"access_token": "\xff"}',
    "UTF-16": '{"access_token": "x"}'.encode("utf-16"),
    "UTF-16 without a byte-order mark": '{"access_token": "x"}'.encode("utf-16-le"),
    "two objects": b'{"access_token": "x"}{"access_token": "y"}',
    "NaN": b'{"access_token": "x", "expires_in": NaN}',
    "nested 100,000 levels deep": b'{"access_token": "x", "scope": ' + b"[" * 100_000,
    "nested 200 levels deep": b'{"access_token": "x", "more": ' + b"[" * 200 + b"]" * 200 + b"}",
}


@pytest.mark.fault(21, "the response is not a grant", "an error with the status, never a token", "ApiResponseError")
@pytest.mark.parametrize("what", INVALID_GRANTS)
def test_response_that_is_not_a_grant_raises_an_error(call: Call, server: RecordingServer, what: str) -> None:
    server.respond_with(http_response(body=INVALID_GRANTS[what]))
    outcome = call(server.url)
    assert (outcome.status, outcome.attempts, len(server.requests)) == (200, 1, 1)
    assert "unexpected response body" in outcome.text
    # Since Python 3.14, the json module parses nested values until the C stack (8 MiB) is almost full.
    assert outcome.memory < 20 * MEBIBYTE


@pytest.mark.fault(
    21, "a response without a token, to any of the five grants", "an error with the status", "ApiResponseError"
)
@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("operation", GRANTS)
def test_every_grant_response_without_a_token_raises_an_error(
    call: Call, server: RecordingServer, operation: str, status: int
) -> None:
    server.respond_with(http_response({"scope": {}}, status))
    outcome = call(server.url, operation)
    assert (outcome.status, outcome.reason) == (status, "unexpected response body: access_token is missing")


@pytest.mark.fault(21, "a byte-order mark, or a duplicate key", "the token is accepted; the last key counts")
@pytest.mark.parametrize("opening", [b"\xef\xbb\xbf{", b'{"access_token": "not this", '])
def test_byte_order_mark_or_duplicate_key_is_accepted(call: Call, server: RecordingServer, opening: bytes) -> None:
    server.respond_with(http_response(body=opening + b'"access_token": "%s", "expires_in": 1}' % TOKEN.encode()))
    assert call(server.url).data["access_token"] == TOKEN


@pytest.mark.fault(22, 'a number as a string, or the reverse, such as `expires_in` "3600"', "the value is converted")
@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("expires_in", '"3600"', 3600),
        ("expires_in", "3600.0", 3600),
        ("expires_in", "0", 0),
        ("expires_in", "null", None),
        ("scope", '{"enterprise": "7"}', {"enterprise": 7, "partition": None, "partition_name": None}),
    ],
)
def test_field_of_another_json_type_is_converted(
    call: Call, server: RecordingServer, field: str, value: str, read: Any
) -> None:
    server.respond_with(http_response(body=f'{{"access_token": "{TOKEN}", "{field}": {value}}}'.encode()))
    assert call(server.url).data[field] == read


@pytest.mark.fault(22, "no `expires_in`", "`expires_in` is None")
def test_grant_may_omit_expires_in(call: Call, server: RecordingServer) -> None:
    server.respond_with(http_response({"access_token": TOKEN}))
    assert call(server.url).data["expires_in"] is None


@pytest.mark.fault(
    22, "`expires_in` is not an integer, or `scope` is invalid", "an error that names the field", "ApiResponseError"
)
@pytest.mark.parametrize(
    ("field", "value"),
    [("expires_in", value) for value in ("3600.5", "1e400", "-1e400", "true", '"soon"', "[3600]", "{}")]
    + [("scope", '"a string"'), ("scope", "[]"), ("scope", '{"enterprise": "x"}')],
)
def test_invalid_field_of_a_grant_raises_an_error(call: Call, server: RecordingServer, field: str, value: str) -> None:
    server.respond_with(http_response(body=f'{{"access_token": "{TOKEN}", "{field}": {value}}}'.encode()))
    assert f"unexpected response body: {field}: " in call(server.url).text


BOMB = gzip.compress(b" " * (200 * MEBIBYTE))
TOO_LONG = {
    "100 MB": http_response(body=b" " * (100 * MEBIBYTE)),
    "100 MB in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"100000\r\n%s\r\n" % (b" " * MEBIBYTE) * 100
    + b"0\r\n\r\n",
    "100 MB without Content-Length": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b" " * (100 * MEBIBYTE),
    "a gzip bomb of 200 MB": http_response(body=BOMB, Content_Encoding="gzip"),
    "a deflate bomb of 200 MB": http_response(body=zlib.compress(b" " * (200 * MEBIBYTE)), Content_Encoding="deflate"),
    "a gzip bomb in an error": http_response(body=BOMB, status=401, Content_Encoding="gzip"),
}


@pytest.mark.fault(
    23,
    "a response of 100 MB, or a gzip bomb of 200 MB",
    "the body is read up to max_response_bytes",
    "ApiResponseError",
    "UnauthorizedError",
)
@pytest.mark.parametrize("what", TOO_LONG)
def test_huge_response_is_read_up_to_max_response_bytes(call: Call, server: RecordingServer, what: str) -> None:
    server.respond_with(TOO_LONG[what])
    outcome = call(server.url, calls=[{"operation": "get_token_by_client"}] * 2)
    assert outcome.body == " " * MEBIBYTE
    assert outcome.memory < 10 * MEBIBYTE


@pytest.mark.fault(
    23, "a response longer than a lower `max_response_bytes`", "the error shows the limit", "ApiResponseError"
)
def test_error_contains_the_configured_max_response_bytes(call: Call, server: RecordingServer) -> None:
    outcome = call(server.url, max_response_bytes=10)
    assert "longer than Configuration.max_response_bytes (10)" in outcome.text


@pytest.mark.fault(23, "a compressed response", "it is decompressed, although not requested")
@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_response_is_decompressed(
    call: Call, server: RecordingServer, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    server.respond_with(http_response(body=compress(json.dumps(GRANT).encode()), Content_Encoding=encoding))
    assert call(server.url).data["access_token"] == TOKEN


COMPRESSED = gzip.compress(json.dumps(GRANT).encode())


@pytest.mark.fault(
    23, "a compressed response that is invalid, truncated or in an unknown encoding", "an error", "ApiResponseError"
)
@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"not gzip", "gzip"),
        (COMPRESSED[:-9], "gzip"),
        (COMPRESSED[:5], "gzip"),
        (COMPRESSED, "br"),
        (COMPRESSED, "gzip, gzip"),
    ],
    ids=["not gzip", "without the trailer", "truncated", "unknown encoding", "two encodings"],
)
def test_response_that_cannot_be_decompressed_raises_an_error(
    call: Call, server: RecordingServer, body: bytes, encoding: str
) -> None:
    server.respond_with(http_response(body=body, Content_Encoding=encoding))
    assert call(server.url, max_attempts=1).status == 200


@pytest.mark.fault(24, "unknown fields", "they are stored in `additional_properties`")
def test_unknown_fields_of_a_response_are_accepted(call: Call, server: RecordingServer) -> None:
    server.respond_with(http_response({**GRANT, "colour": "blue", "scope": {"shade": 7}}))
    assert call(server.url).data["access_token"] == TOKEN


@pytest.fixture(scope="module")
def server_and_api() -> Iterator[tuple[RecordingServer, bluejeans.AuthenticationApi]]:
    """Run a server, and return it with a client that makes one attempt per call."""
    configuration = bluejeans.Configuration()
    configuration.max_attempts, configuration.call_timeout, configuration.trust_env = 1, 5, False
    with RecordingServer() as server:
        configuration.host = server.url
        with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
            yield server, api


@pytest.mark.slow
class TestArbitraryResponses:
    """Property tests with bodies and responses that hypothesis generates."""

    def outcome(
        self, server_and_api: tuple[RecordingServer, bluejeans.AuthenticationApi], response: ServerResponse
    ) -> Any:
        server, api = server_and_api
        server.respond_with(response)
        try:
            return api.get_token_by_client(bluejeans.GrantRequestClient(client_id="a", client_secret="canary-secret"))
        except bluejeans.ApiException as error:
            return error

    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    values = st.recursive(scalars, lambda part: st.lists(part) | st.dictionaries(st.text(), part), max_leaves=8)
    fields = st.sampled_from(["access_token", "expires_in", "scope", "token_type", "code", "message"])
    jsons = st.dictionaries(fields | st.text(), values).map(lambda content: json.dumps(content).encode())
    bodies = st.binary(max_size=200) | jsons | values.map(lambda value: json.dumps(value).encode())

    relaxed = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

    @relaxed
    @given(body=bodies, status=st.sampled_from([200, 201, 400, 401, 429, 500, 503]))
    def test_arbitrary_body_gives_a_token_or_an_error(
        self, server_and_api: tuple[RecordingServer, bluejeans.AuthenticationApi], body: bytes, status: int
    ) -> None:
        outcome = self.outcome(server_and_api, http_response(body=body, status=status))
        if isinstance(outcome, bluejeans.GrantClient):
            assert status < 300
            assert outcome.access_token
            assert isinstance(outcome.access_token, str)
            assert outcome.expires_in is None or isinstance(outcome.expires_in, int)
        else:
            assert isinstance(outcome, (bluejeans.ApiResponseError, bluejeans.ApiStatusError))
            assert outcome.status == status

    @relaxed
    @given(
        head=st.binary(max_size=60) | st.sampled_from([b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: "]),
        rest=st.binary(max_size=60) | bodies,
    )
    def test_arbitrary_bytes_give_a_token_or_an_error(
        self, server_and_api: tuple[RecordingServer, bluejeans.AuthenticationApi], head: bytes, rest: bytes
    ) -> None:
        outcome = self.outcome(server_and_api, lambda connection: connection.sendall(head + rest))
        assert isinstance(outcome, (bluejeans.GrantClient, bluejeans.ApiException))
        if isinstance(outcome, bluejeans.GrantClient):
            assert outcome.access_token
