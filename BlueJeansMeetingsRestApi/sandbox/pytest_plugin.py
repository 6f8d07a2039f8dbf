"""pytest plugin: the fixtures `bluejeans_sandbox` and `bluejeans_api`, and markers that configure the sandbox.

`@pytest.mark.bluejeans_sandbox(tls=True, lifetime=60)` takes the keyword arguments of `Sandbox`, and
`@pytest.mark.bluejeans_fail_next(2, status=503)` those of `Sandbox.fail_next`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..api.authentication_api import AuthenticationApi
    from . import Sandbox


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        "bluejeans_sandbox(**settings): keyword arguments of the test's Sandbox",
        "bluejeans_fail_next(count=1, **fault): arguments of Sandbox.fail_next, called before the test",
    ):
        config.addinivalue_line("markers", line)


@pytest.fixture(scope="session")
def _bluejeans_sandboxes() -> Iterator[Callable[..., Sandbox]]:
    """Return a function that starts one sandbox per set of settings; all of them run until the end of the session."""
    from . import Sandbox

    running: dict[frozenset[tuple[str, Any]], Sandbox] = {}
    with contextlib.ExitStack() as stack:

        def sandbox_with(**settings: Any) -> Sandbox:
            key = frozenset(settings.items())
            if key not in running:
                running[key] = stack.enter_context(Sandbox(**settings))
            return running[key]

        yield sandbox_with


@pytest.fixture
def bluejeans_sandbox(_bluejeans_sandboxes: Callable[..., Sandbox], request: pytest.FixtureRequest) -> Sandbox:
    """A sandbox on loopback, reset for each test. The marker of the same name configures it."""
    settings: dict[str, Any] = {}
    for marker in request.node.iter_markers("bluejeans_sandbox"):
        settings = {**marker.kwargs, **settings}  # the closest marker takes precedence
    sandbox = _bluejeans_sandboxes(**settings)
    sandbox.reset()
    for marker in request.node.iter_markers("bluejeans_fail_next"):
        sandbox.fail_next(*marker.args, **marker.kwargs)
    return sandbox


@pytest.fixture
def bluejeans_api(bluejeans_sandbox: Sandbox) -> Iterator[AuthenticationApi]:
    """An `AuthenticationApi` that calls the sandbox, with the default settings."""
    from .. import ApiClient, AuthenticationApi, Configuration

    configuration = Configuration()
    configuration.host = bluejeans_sandbox.url
    configuration.ssl_ca_cert = bluejeans_sandbox.ca_cert
    configuration.trust_env = False  # the proxies of the environment do not apply to this machine
    with AuthenticationApi(ApiClient(configuration)) as api:
        yield api
