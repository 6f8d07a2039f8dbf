"""When a request is sent again: the number of attempts, the pauses, and Retry-After."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Iterator

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.transport.retry import RetryPolicy, parse_retry_after
from support.recording_server import RecordingServer, http_response, reset


@pytest.mark.parametrize(("attempt", "limit"), [(1, 0.5), (2, 1), (3, 2), (4, 4)])
def test_pause_is_random_up_to_a_limit_that_doubles(attempt: int, limit: float) -> None:
    pauses = [RetryPolicy().pause(attempt) for _ in range(10_000)]
    assert 0 <= min(pauses) < 0.01 * limit
    assert 0.99 * limit < max(pauses) <= limit


def test_retry_after_replaces_the_random_pause() -> None:
    assert RetryPolicy().pause(1, retry_after=7) == 7


def test_backoff_of_a_policy_limits_the_first_pause() -> None:
    assert max(RetryPolicy(backoff=0.01).pause(1) for _ in range(1000)) <= 0.01


def test_repr_of_a_policy_evaluates_to_an_equal_policy() -> None:
    policy = RetryPolicy(attempts=5, statuses=(503,), backoff=0.25)
    assert eval(repr(policy)) == policy
    assert repr(RetryPolicy()) == "RetryPolicy(attempts=3, statuses=(429, 502, 503, 504), backoff=0.5)"


def test_policy_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        RetryPolicy().attempts = 4  # type: ignore[misc]


@pytest.mark.parametrize(("value", "seconds"), [("7", 7), (" 0 ", 0), (None, None), ("", None), ("soon", None)])
def test_retry_after_in_seconds_is_parsed(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value) == seconds


def test_retry_after_as_a_date_is_parsed() -> None:
    parsed = parse_retry_after(email.utils.formatdate(time.time() + 1000, usegmt=True))
    assert parsed is not None
    assert 900 < parsed <= 1000
    assert parse_retry_after("Mon, 01 Jan 2001 00:00:00 GMT") == 0


@pytest.mark.parametrize("value", ["-1", "1.5", "1e3", "Fri, 99 Foo 2100", "\xb2"])
def test_invalid_retry_after_is_ignored(value: str) -> None:
    assert parse_retry_after(value) is None


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer([http_response()]) as server:
        yield server


@pytest.fixture
def client(server: RecordingServer) -> Iterator[bluejeans.ApiClient]:
    configuration = bluejeans.Configuration()
    configuration.host = server.url
    with bluejeans.ApiClient(configuration) as client:
        yield client


def test_retry_after_a_stale_connection_opens_a_new_one(client: bluejeans.ApiClient, server: RecordingServer) -> None:
    first = client.call_api("/", "GET", _preload_content=False)[0]
    client.call_api("/", "GET")
    first.read()
    first.release_conn()
    server.respond_with(reset, http_response())
    client.call_api("/", "GET")
    assert server.connections == 3


def test_retry_is_logged_without_a_secret(
    client: bluejeans.ApiClient, server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    server.respond_with(http_response(status=503, Retry_After="0"), http_response())
    client.call_api("/x", "GET", query_params={"access_token": "canary"})
    assert caplog.messages == [f"GET {server.url}/x failed (Service Unavailable), trying again in 0.00 s"]


def test_retry_after_the_deadline_of_the_call_is_not_waited_for(
    client: bluejeans.ApiClient, server: RecordingServer
) -> None:
    server.respond_with(http_response(status=503, Retry_After="30"))
    with pytest.raises(bluejeans.ServiceError):
        client.call_api("/", "GET", _request_timeout=20)
    assert len(server.requests) == 1
