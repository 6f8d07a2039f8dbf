"""openid-client, a certified OAuth client on Node.js, signs a user in against the sandbox, by way of a proxy that makes
the service's dialect the words of RFC 6749.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.judges_browser import Browser
from support.node import Node
from support.protocol_shims import DIFFERENCES, ServiceAsWritten

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
    """The sandbox's address, for clients that go by the book."""
    with ServiceAsWritten(sandbox.url) as proxy:
        yield proxy.url


@pytest.fixture
def application(node: Node, service: str, sandbox: Sandbox) -> Iterator[str]:
    settings = {"ISSUER": service, "CLIENT_ID": sandbox.client_id, "CLIENT_SECRET": sandbox.client_secret}
    with node.serve("node", "application.mjs", **settings) as url:
        yield url


@pytest.fixture
def browser(sandbox: Sandbox) -> Browser:
    """The sandbox's user."""
    return Browser(sandbox.username, sandbox.password)


def test_a_user_allows_the_application(application: str, browser: Browser) -> None:
    assert browser.sign_in(f"{application}/login").json() == ALLOWED


def test_a_user_denies_it(application: str, browser: Browser) -> None:
    assert browser.sign_in(f"{application}/login", allow=False).json()["error"] == "access_denied"


def test_a_wrong_secret_is_refused(node: Node, service: str, sandbox: Sandbox, browser: Browser) -> None:
    settings = {"ISSUER": service, "CLIENT_ID": sandbox.client_id, "CLIENT_SECRET": "wrong"}
    with node.serve("node", "application.mjs", **settings) as url:
        assert browser.sign_in(f"{url}/login").json()["error"] == "invalid_grant"


def test_a_code_works_once(application: str, browser: Browser) -> None:
    answer = browser.sign_in(f"{application}/login")
    assert requests.get(answer.url).json()["error"] == "invalid_grant"


def test_the_page_lists_what_the_proxy_translates() -> None:
    page = (Path(__file__).parents[2] / "docs" / "SANDBOX.md").read_text(encoding="utf-8")
    assert [difference for difference in DIFFERENCES if f"| {' | '.join(difference)} |" not in page] == []
