"""Fixtures of the sign-in tests."""

from __future__ import annotations

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.caller_fixtures import start as start


@pytest.fixture
def flow(bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi) -> bluejeans.AuthorizationCodeFlow:
    return bluejeans.AuthorizationCodeFlow(
        bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret, app_name="An example", api=api
    )
