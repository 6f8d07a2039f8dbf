"""Fixtures with the service under test. The `bluejeans_…` fixtures come from the package."""

from __future__ import annotations

import pytest
from directory import Directory

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox


class Clock:
    """A clock in seconds that the test advances."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(bluejeans_sandbox: Sandbox, bluejeans_api: bluejeans.AuthenticationApi, clock: Clock) -> Directory:
    return Directory(bluejeans_api, bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret, clock)
