"""`send=` replaces the network: each attempt calls it, and retries, limits and errors stay as they are."""

from __future__ import annotations

import copy
import gzip
import http.client
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import urllib3

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.rest import RESTClientObject, RESTResponse
from BlueJeansMeetingsRestApi.transport.request import Request
from BlueJeansMeetingsRestApi.transport.response import Headers, Response
from support.recording_server import RecordingServer, http_response

Send = Callable[[Request], Response]
GRANT = {"Content-Type": "application/json"}


@pytest.fixture
def configuration() -> bluejeans.Configuration:
    configuration = bluejeans.Configuration()
    configuration.host, configuration.max_response_bytes = "https://a.example/path", 20
    return configuration


class Sequence:
    """Responds with one item after the other; an exception is raised."""

    def __init__(self, *items: Any) -> None:
        self.items, self.requests = list(items), list[Request]()

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        item = self.items.pop(0)
        if isinstance(item, BaseException):
            raise item
        response: Response = item
        return response


def result(configuration: bluejeans.Configuration, send: Send, method: str = "GET", **options: Any) -> RESTResponse:
    client = RESTClientObject(configuration, send=send)
    response: RESTResponse = client.request(method, "https://a.example/path/x", **options)
    return response


def test_request_has_all_that_is_sent(configuration: bluejeans.Configuration) -> None:
    send = Sequence(Response(200))
    result(
        configuration, send, "POST", query_params={"a": "b c"}, headers={"X-Key": "k"}, body={"client_secret": "canary"}
    )
    (request,) = send.requests
    assert (request.method, request.url) == ("POST", "https://a.example/path/x?a=b+c")
    assert request.body == b'{"client_secret": "canary"}'
    assert request.headers["X-Key"] == "k"
    assert request.headers["Content-Length"] == "27"
    assert "canary" not in f"{request} {request!r}"


def test_response_is_returned_as_from_the_network(configuration: bluejeans.Configuration) -> None:
    response = result(configuration, Sequence(Response(201, {"X": "y"}, b"body")))
    assert (response.status, response.reason, response.data, response.getheader("x")) == (201, "Created", "body", "y")


def test_failed_attempts_are_repeated(configuration: bluejeans.Configuration) -> None:
    send = Sequence(Response(503, {"Retry-After": "0"}), ConnectionResetError(), Response(200, (), b"ok"))
    assert result(configuration, send).data == "ok"
    assert len(send.requests) == 3


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (ConnectionRefusedError(), bluejeans.ApiConnectionError),
        (TimeoutError("timed out"), bluejeans.ApiConnectionError),
        (urllib3.exceptions.ConnectTimeoutError("too late"), bluejeans.ApiTimeoutError),
    ],
    ids=["refused", "system timeout", "connect timeout"],
)
def test_errors_of_the_network_are_api_exceptions(
    configuration: bluejeans.Configuration, raised: Exception, kind: type[Exception]
) -> None:
    configuration.max_attempts = 1
    with pytest.raises(kind) as caught:
        result(configuration, Sequence(raised))
    assert isinstance(caught.value, bluejeans.ApiException)


def test_error_status_raises_its_exception(configuration: bluejeans.Configuration) -> None:
    with pytest.raises(bluejeans.NotFoundError, match="Not Found"):
        result(configuration, Sequence(Response(404)))


def test_body_longer_than_the_limit_is_an_error(configuration: bluejeans.Configuration) -> None:
    with pytest.raises(bluejeans.ApiResponseError, match="longer than Configuration.max_response_bytes"):
        result(configuration, Sequence(Response(200, (), b"x" * 21)))


def test_body_is_decompressed(configuration: bluejeans.Configuration) -> None:
    response = Response(200, [("Content-Encoding", "gzip")], gzip.compress(b"a" * 20))
    configuration.max_response_bytes = 50
    assert result(configuration, Sequence(response)).content == b"a" * 20


def test_error_of_the_function_itself_is_raised_unchanged(configuration: bluejeans.Configuration) -> None:
    with pytest.raises(AssertionError, match="unexpected"):
        result(configuration, Sequence(AssertionError("unexpected")))


def test_function_that_returns_no_response_is_a_type_error(configuration: bluejeans.Configuration) -> None:
    with pytest.raises(TypeError, match="send must return a Response, not dict"):
        result(configuration, lambda _: {})  # type: ignore[arg-type,return-value]


def test_unread_response_is_one_of_urllib3(configuration: bluejeans.Configuration) -> None:
    raw: Any = result(configuration, Sequence(Response(200, {"X": "y"}, b"body")), _preload_content=False)
    assert isinstance(raw, urllib3.HTTPResponse)
    assert (raw.status, raw.headers["x"], raw.read()) == (200, "y", b"body")


@pytest.mark.parametrize("value", [None, object()])
def test_setting_a_pool_manager_points_to_send(configuration: bluejeans.Configuration, value: Any) -> None:
    client = RESTClientObject(configuration)
    with pytest.raises(AttributeError, match=r"ApiClient\(configuration, send=function\)"):
        client.pool_manager = value
    with pytest.raises(AttributeError, match=r"ApiClient\(configuration, send=function\)"):
        _ = client.pool_manager


def test_request_cannot_be_changed() -> None:
    request = Request("GET", "https://a.example", "/x", headers={"A": "b"})
    with pytest.raises(AttributeError, match="method"):
        request.method = "POST"
    with pytest.raises(TypeError):
        request.headers["A"] = "c"  # type: ignore[index]


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda request: pickle.loads(pickle.dumps(request))])
def test_request_can_be_copied_and_pickled(clone: Callable[[Request], Request]) -> None:
    request = Request("POST", "https://a.example", "/x", "a=b", {"A": "b"}, b"body", idempotent=False)
    copied = clone(request)
    assert (copied.url, dict(copied.headers), copied.body) == (request.url, {"A": "b"}, b"body")
    assert copied.idempotent is False


def test_used_client_can_be_copied_without_its_connections(configuration: bluejeans.Configuration) -> None:
    with RecordingServer([http_response({"a": 1})]) as server:
        configuration.host = server.url
        with bluejeans.ApiClient(configuration) as client:
            client.call_api("/x", "GET")
            with copy.deepcopy(client) as copied:
                copied.call_api("/x", "GET")
        assert (len(server.requests), server.connections) == (2, 2)


def test_headers_have_names_in_any_case_and_all_lines() -> None:
    headers = Headers([("Set-Cookie", "a"), ("set-cookie", "b"), ("X", "y")])
    assert (headers["SET-COOKIE"], headers.get("x"), headers.get("z")) == ("a, b", "y", None)
    assert (len(headers), "X" in headers, list(headers)) == (2, True, ["set-cookie", "X"])
    assert headers.items() == [("Set-Cookie", "a"), ("set-cookie", "b"), ("X", "y")]
    with pytest.raises(KeyError):
        headers["z"]
    assert "y" not in repr(headers)


@pytest.mark.parametrize("status", [200, 404, 503])
def test_response_has_the_standard_reason_phrase(status: int) -> None:
    assert Response(status).reason == http.client.responses[status]
    assert repr(Response(status, (), b"secret")) == f"<Response [{status}]>"
