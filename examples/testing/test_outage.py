"""My service survives a short outage and gives up on a long one."""

from __future__ import annotations

import pytest
from directory import Directory

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox


@pytest.mark.bluejeans_fail_next(status=503)
def test_my_service_retries_after_a_503(directory: Directory, bluejeans_sandbox: Sandbox) -> None:
    assert directory.name_of(bluejeans_sandbox.user_id) == bluejeans_sandbox.username
    assert [request.status for request in bluejeans_sandbox.requests] == [503, 200, 200]


@pytest.mark.bluejeans_fail_next(drop=True)
def test_my_service_retries_after_a_dropped_connection(directory: Directory, bluejeans_sandbox: Sandbox) -> None:
    assert directory.name_of(bluejeans_sandbox.user_id) == bluejeans_sandbox.username


@pytest.mark.bluejeans_fail_next(100, status=503)
def test_my_service_gives_up_on_a_long_outage(directory: Directory, bluejeans_sandbox: Sandbox) -> None:
    with pytest.raises(bluejeans.ServiceError):
        directory.name_of(bluejeans_sandbox.user_id)


def test_my_service_does_not_wait_for_a_slow_body(
    bluejeans_sandbox: Sandbox, bluejeans_api: bluejeans.AuthenticationApi
) -> None:
    bluejeans_sandbox.fail_next(10, status=None, drip=30)
    with pytest.raises(bluejeans.ApiTimeoutError):
        bluejeans_api.get_token_info(access_token="any", _request_timeout=0.5)
