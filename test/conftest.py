"""Fixtures for all tests. The fixture `bluejeans_sandbox` comes from the pytest plugin of the package."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator

import hypothesis
import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox

# On a busy machine, a generated example may take any time.
hypothesis.settings.register_profile("busy", deadline=None)
hypothesis.settings.load_profile("busy")


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxy settings of the environment, because the tests send requests to this machine."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(autouse=True)
def no_host_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the host setting of the environment."""
    monkeypatch.delenv("BLUEJEANS_HOST", raising=False)
    monkeypatch.delenv("BLUEJEANS_HOST_FILE", raising=False)


@pytest.fixture
def full_backlog() -> Iterator[str]:
    """Yield the URL of a host that accepts no connection, like one behind a firewall that drops packets."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        waiting = []
        try:
            while True:
                waiting.append(socket.create_connection(listening.getsockname(), timeout=0.3))
        except socket.timeout:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for connection in waiting:
            connection.close()


@pytest.fixture
def configuration(bluejeans_sandbox: Sandbox) -> bluejeans.Configuration:
    """Return a configuration for the sandbox."""
    configuration = bluejeans.Configuration()
    configuration.host = bluejeans_sandbox.url
    return configuration


@pytest.fixture
def api(configuration: bluejeans.Configuration) -> Iterator[bluejeans.AuthenticationApi]:
    """Yield the operations, configured for the sandbox."""
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        yield api


@pytest.fixture
def no_token_in_any_log(caplog: pytest.LogCaptureFixture, bluejeans_sandbox: Sandbox) -> Iterator[None]:
    """Check that the log of the test contains no secret and nothing that looks like a token."""
    caplog.set_level(logging.DEBUG)
    yield
    assert [secret for secret in (bluejeans_sandbox.password, "canary") if secret in caplog.text] == []
    assert set(re.findall("[0-9a-f]{32}", caplog.text)) <= {bluejeans_sandbox.client_id}
