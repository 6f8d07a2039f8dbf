"""My service trusts only the configured certificate authority (CA)."""

from __future__ import annotations

import pytest
from directory import Directory

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox

pytestmark = pytest.mark.bluejeans_sandbox(tls=True)


def test_my_service_works_over_tls(directory: Directory, bluejeans_sandbox: Sandbox) -> None:
    assert bluejeans_sandbox.url.startswith("https://")
    assert directory.name_of(bluejeans_sandbox.user_id) == bluejeans_sandbox.username


def test_my_service_sends_nothing_to_an_untrusted_host(bluejeans_sandbox: Sandbox) -> None:
    configuration = bluejeans.Configuration()
    configuration.host = bluejeans_sandbox.url  # without ssl_ca_cert
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        service = Directory(api, bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        with pytest.raises(bluejeans.ApiTLSError):
            service.name_of(bluejeans_sandbox.user_id)
    assert bluejeans_sandbox.requests == []
