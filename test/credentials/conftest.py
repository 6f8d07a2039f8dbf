"""Credentials of the sandbox, with a clock that the tests set."""

from __future__ import annotations

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.credentials import sign_in
from support.fake_clock import FakeClock


@pytest.fixture
def clock(bluejeans_sandbox: Sandbox) -> FakeClock:
    return FakeClock(bluejeans_sandbox)


@pytest.fixture
def client(
    bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi, clock: FakeClock
) -> bluejeans.ClientCredentials:
    """Credentials of the sandbox's client."""
    sandbox = bluejeans_sandbox
    return bluejeans.ClientCredentials(sandbox.client_id, sandbox.client_secret, api=api, clock=clock)


@pytest.fixture
def signed_in(
    bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi, clock: FakeClock
) -> bluejeans.RefreshTokenCredentials:
    """Credentials of a user who signed in."""
    return bluejeans.RefreshTokenCredentials.of_grant(
        bluejeans_sandbox.client_id,
        bluejeans_sandbox.client_secret,
        sign_in(bluejeans_sandbox, api),
        api=api,
        clock=clock,
    )
