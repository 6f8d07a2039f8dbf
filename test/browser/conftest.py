"""Fixtures of the tests with a real browser.

If no browser is installed, the tests are skipped, unless REQUIRE_BROWSER is set, as in the tox environment `browser`.
`SCREENSHOTS=docs/images tox -e browser` updates the screenshots of docs/SANDBOX.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.recording_server import RecordingServer, http_response

if TYPE_CHECKING:
    from support.chromium import Browser


@pytest.fixture(scope="session")
def _browser_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        from support.chromium import Browser

        browser = Browser(tmp_path_factory.mktemp("profile"))
    except (ImportError, FileNotFoundError) as missing:
        if os.environ.get("REQUIRE_BROWSER"):
            raise
        pytest.skip(f"There is no browser to test with: {missing}")
    yield browser
    browser.close()


@pytest.fixture
def browser(_browser_of_session: Browser) -> Browser:
    """Return a Chromium with an empty window; `browser.sign_in(username, password)` submits the sandbox's form."""
    _browser_of_session.reset()
    return _browser_of_session


@pytest.fixture
def application() -> Iterator[RecordingServer]:
    """Yield the web application that sends its users to the sandbox; it accepts every callback."""
    page = http_response(body=b"<title>Application</title>You are back.", Content_Type="text/html")
    with RecordingServer([page]) as application:
        yield application


@pytest.fixture
def authorize(bluejeans_sandbox: Sandbox, application: RecordingServer) -> AuthorizationURL:
    """Return a function that makes the authorization URL of the application."""
    return AuthorizationURL(bluejeans_sandbox, application)


class AuthorizationURL:
    def __init__(self, sandbox: Sandbox, application: RecordingServer) -> None:
        self.redirect_uri = f"{application.url}/callback"
        self._sandbox = sandbox

    def __call__(self, **other: str) -> str:
        query = {
            "clientId": self._sandbox.client_id,
            "redirectUri": self.redirect_uri,
            "state": "from-the-application",
            "scope": "list_meetings,modify_meetings,user_info",
            "appName": "Team Calendar",
        }
        return f"{self._sandbox.url}/oauth2/authorize?{urlencode({**query, **other})}"
