"""My service replaces its token at expiry and after an early revocation."""

from __future__ import annotations

import pytest
from conftest import Clock
from directory import Directory

from BlueJeansMeetingsRestApi.sandbox import Sandbox


@pytest.mark.bluejeans_sandbox(lifetime=60)
def test_my_service_replaces_its_token_at_expiry(
    directory: Directory, bluejeans_sandbox: Sandbox, clock: Clock
) -> None:
    directory.name_of(bluejeans_sandbox.user_id)
    clock.now += 60
    bluejeans_sandbox.advance(60)
    directory.name_of(bluejeans_sandbox.user_id)
    grants = [request.grant for request in bluejeans_sandbox.requests]
    assert grants == ["client_credentials", None, "client_credentials", None]


def test_my_service_replaces_a_revoked_token(directory: Directory, bluejeans_sandbox: Sandbox) -> None:
    directory.name_of(bluejeans_sandbox.user_id)
    bluejeans_sandbox.revoke_tokens()
    assert directory.name_of(bluejeans_sandbox.user_id) == bluejeans_sandbox.username
    assert [request.status for request in bluejeans_sandbox.requests] == [200, 200, 401, 200, 200]


def test_my_service_reuses_its_token_until_expiry(directory: Directory, bluejeans_sandbox: Sandbox) -> None:
    for _ in range(3):
        directory.name_of(bluejeans_sandbox.user_id)
    assert [request.grant for request in bluejeans_sandbox.requests].count("client_credentials") == 1
