"""Rules for every page of the sandbox in a browser. These tests also make the screenshots of docs/SANDBOX.md."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
import urllib3

from BlueJeansMeetingsRestApi.sandbox import Sandbox

if TYPE_CHECKING:
    from conftest import AuthorizationURL

    from support.chromium import Browser

PAGES = ("sign-in", "wrong-password", "refused", "journal", "journal-empty")
SCREENSHOTS = ("sign-in-light-1280", "wrong-password-dark-360", "journal-dark-1280")  # for docs/SANDBOX.md


@pytest.fixture(params=PAGES)
def page(
    request: pytest.FixtureRequest, browser: Browser, authorize: AuthorizationURL, bluejeans_sandbox: Sandbox
) -> str:
    """Open a page in the browser and return its name."""
    if request.param == "refused":
        browser.open(authorize(redirectUri="https://evil.example/"))
    elif request.param.startswith("journal"):
        if request.param == "journal":
            send_varied_requests(bluejeans_sandbox)
        browser.open(f"{bluejeans_sandbox.url}/sandbox")
        browser.wait_for(lambda: len(browser.find_all(".row")) == len(bluejeans_sandbox.requests))
        for summary in browser.find_all(".row summary")[3:4]:
            summary.click()
    else:
        browser.open(authorize())
        if request.param == "wrong-password":
            browser.sign_in(bluejeans_sandbox.username, "mistyped")
    return str(request.param)


def send_varied_requests(sandbox: Sandbox) -> None:
    """Send requests that fill the journal with varied entries."""
    application = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    code = {"grant_type": "authorization_code", "redirectUri": sandbox.redirect_uri}
    with urllib3.PoolManager(retries=False) as http:

        def grant(marker: str, **body: str) -> dict[str, str]:
            response = http.request("POST", f"{sandbox.url}/oauth2/token?{marker}", body=json.dumps(body))
            return dict(json.loads(response.data))

        query = {"clientId": sandbox.client_id, "redirectUri": sandbox.redirect_uri, "appName": "Team Calendar"}
        http.request("GET", f"{sandbox.url}/oauth2/authorize?{urlencode(query)}")
        tokens = grant("Code", **application, **code, code=sandbox.authorize())
        http.request("GET", f"{sandbox.url}/oauth2/tokenInfo", fields={"access_token": tokens["access_token"]})
        grant("Client", **application, grant_type="client_credentials")
        grant("Password", grant_type="password", username=sandbox.username, password="mistyped")
        sandbox.fail_next()
        refresh = {**application, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        grant("Refresh", **refresh)
        grant("Refresh", **refresh)
        grant("Meeting", grant_type="meeting_passcode", meetingNumericId=sandbox.open_meeting_numeric_id)


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_has_no_accessibility_violation(browser: Browser, page: str, scheme: str, width: int) -> None:
    browser.show_as(scheme, width)
    name = f"{page}-{scheme}-{width}"
    if name in SCREENSHOTS:
        browser.save_screenshot(name)
    assert browser.accessibility_violations() == []


def test_page_fits_the_width_of_a_phone(browser: Browser, page: str) -> None:
    browser.show_as(width=360)
    assert browser.run("return document.documentElement.scrollWidth") == 360


def test_page_loads_nothing_from_other_hosts(browser: Browser, page: str) -> None:
    assert browser.requested_hosts() == {"127.0.0.1"}


def test_page_respects_its_content_security_policy(browser: Browser, page: str) -> None:
    assert browser.policy_violations() == []


def test_page_has_one_main_heading_and_a_title(browser: Browser, page: str) -> None:
    assert len(browser.find_all("main h1")) == 1
    assert browser.driver.title.endswith(" · BlueJeans sandbox")


def test_page_cannot_be_framed_by_another_origin(browser: Browser, page: str, bluejeans_sandbox: Sandbox) -> None:
    """The framing page has another origin, because localhost differs from 127.0.0.1."""
    framed = browser.url
    browser.open(bluejeans_sandbox.url.replace("127.0.0.1", "localhost") + "/nothing")
    browser.run(f"document.body.append(Object.assign(document.createElement('iframe'), {{src: {json.dumps(framed)}}}))")
    refusals = browser.wait_for(browser.policy_violations)
    assert any("frame-ancestors" in refusal for refusal in refusals)
