"""openid-client, a certified OAuth client on Node.js, signs in a user with the sandbox.

A proxy translates between RFC 6749 and the dialect of the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.judges_browser import Browser
from support.node import Node
from support.protocol_shims import DIFFERENCES, StandardServiceProxy

ALLOWED = {
    "type": "bearer",
    "expires_in": 3600,
    "scope": "list_meetings user_info",
    "is_another": True,
    "user": "1442589",
    "is_active_after_revocation": False,
}


@pytest.fixture(scope="module")
def service(sandbox: Sandbox) -> Iterator[str]:
    """Yield the URL of the sandbox for clients that follow RFC 6749."""
    with StandardServiceProxy(sandbox.url) as proxy:
        yield proxy.url


@pytest.fixture
def application(node: Node, service: str, sandbox: Sandbox) -> Iterator[str]:
    settings = {"ISSUER": service, "CLIENT_ID": sandbox.client_id, "CLIENT_SECRET": sandbox.client_secret}
    with node.serve("node", "application.mjs", **settings) as url:
        yield url


@pytest.fixture
def browser(sandbox: Sandbox) -> Browser:
    """Return a browser of the sandbox's user."""
    return Browser(sandbox.username, sandbox.password)


def test_openid_client_gets_tokens_if_the_user_allows_access(application: str, browser: Browser) -> None:
    assert browser.sign_in(f"{application}/login").json() == ALLOWED


def test_openid_client_gets_access_denied_if_the_user_denies(application: str, browser: Browser) -> None:
    assert browser.sign_in(f"{application}/login", allow=False).json()["error"] == "access_denied"


def test_openid_client_gets_invalid_grant_for_a_wrong_secret(
    node: Node, service: str, sandbox: Sandbox, browser: Browser
) -> None:
    settings = {"ISSUER": service, "CLIENT_ID": sandbox.client_id, "CLIENT_SECRET": "wrong"}
    with node.serve("node", "application.mjs", **settings) as url:
        assert browser.sign_in(f"{url}/login").json()["error"] == "invalid_grant"


def test_openid_client_gets_invalid_grant_for_a_used_code(application: str, browser: Browser) -> None:
    response = browser.sign_in(f"{application}/login")
    assert requests.get(response.url).json()["error"] == "invalid_grant"


def test_sandbox_page_lists_every_difference_from_the_standards() -> None:
    page = (Path(__file__).parents[2] / "docs" / "SANDBOX.md").read_text(encoding="utf-8")
    assert [difference for difference in DIFFERENCES if f"| {' | '.join(difference)} |" not in page] == []
