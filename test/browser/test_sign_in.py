"""A person signs in on the sandbox's page, and allows or denies what an application asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.recording_server import RecordingServer, http_response

if TYPE_CHECKING:
    from conftest import AuthorizationAddress

    from support.chromium import Browser

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'


@pytest.fixture
def came_back(browser: Browser, authorize: AuthorizationAddress) -> Callable[[], dict[str, str]]:
    """Waits until the browser is back at the application, and returns what it brought."""

    def came_back() -> dict[str, str]:
        browser.wait_for(lambda: browser.url.startswith(authorize.redirect_uri))
        return dict(parse_qsl(urlsplit(browser.url).query))

    return came_back


def test_says_who_asks_and_for_what(browser: Browser, authorize: AuthorizationAddress) -> None:
    browser.open(authorize(scope="list_meetings,user_info"))
    assert browser.find("h1").text == "Team Calendar asks to act for you"
    assert [scope.text.splitlines() for scope in browser.find_all(".scopes li")] == [
        ["See your personal and scheduled meetings", "list_meetings"],
        ["See your profile, room and billing category", "user_info"],
    ]


def test_allowing_brings_a_code_that_is_good_for_tokens(
    browser: Browser,
    authorize: AuthorizationAddress,
    came_back: Callable[[], dict[str, str]],
    bluejeans_sandbox: Sandbox,
    bluejeans_api: bluejeans.AuthenticationApi,
) -> None:
    browser.open(authorize())
    browser.sign_in(bluejeans_sandbox.username, bluejeans_sandbox.password)
    grant = bluejeans_api.get_token_by_code(
        bluejeans.GrantRequestCode(
            client_id=bluejeans_sandbox.client_id,
            client_secret=bluejeans_sandbox.client_secret,
            redirect_uri=authorize.redirect_uri,
            code=came_back()["code"],
        )
    )
    assert grant.scope.user == bluejeans_sandbox.user_id


def test_allowing_brings_the_state_back(
    browser: Browser,
    authorize: AuthorizationAddress,
    came_back: Callable[[], dict[str, str]],
    bluejeans_sandbox: Sandbox,
) -> None:
    browser.open(authorize(state="a&b=ü"))
    browser.sign_in(bluejeans_sandbox.username, bluejeans_sandbox.password)
    assert came_back()["state"] == "a&b=ü"


def test_where_the_application_sends_the_browser_next_is_its_own_affair(
    browser: Browser, authorize: AuthorizationAddress, application: RecordingServer, bluejeans_sandbox: Sandbox
) -> None:
    """Chromium holds each redirect that follows a form to the policy of the page with the form."""
    home = application.url.replace("127.0.0.1", "localhost") + "/home"
    application.respond_with(http_response(status=302, Location=home), *application.responses)
    browser.open(authorize())
    browser.sign_in(bluejeans_sandbox.username, bluejeans_sandbox.password)
    assert browser.wait_for(lambda: browser.url == home)


def test_denying_needs_no_password(
    browser: Browser, authorize: AuthorizationAddress, came_back: Callable[[], dict[str, str]]
) -> None:
    browser.open(authorize())
    browser.click("Deny")
    assert came_back()["error_description"] == "User rejects the grant to client application"


def test_allowing_without_a_password_sends_nothing(
    browser: Browser, authorize: AuthorizationAddress, bluejeans_sandbox: Sandbox
) -> None:
    browser.open(authorize())
    browser.click("Allow")
    assert browser.find_all("input:invalid") != []
    assert [request.method for request in bluejeans_sandbox.requests] == ["GET"]


class TestWrongPassword:
    @pytest.fixture(autouse=True)
    def mistyped(self, browser: Browser, authorize: AuthorizationAddress, bluejeans_sandbox: Sandbox) -> None:
        browser.open(authorize())
        browser.sign_in(bluejeans_sandbox.username, "mistyped")

    def test_is_told_in_an_alert(self, browser: Browser) -> None:
        assert "The credentials are wrong." in browser.find("[role=alert]").text

    def test_is_told_in_the_title(self, browser: Browser) -> None:
        assert browser.driver.title.startswith("Sign-in failed")

    def test_leaves_the_focus_where_the_next_try_starts(self, browser: Browser) -> None:
        assert browser.focused.get_attribute("id") == "password"

    def test_is_read_out_with_the_field(self, browser: Browser) -> None:
        described_by = browser.find("#password").get_attribute("aria-describedby")
        assert browser.find(f"#{described_by}").get_attribute("role") == "alert"

    def test_keeps_the_name_and_not_the_password(self, browser: Browser, bluejeans_sandbox: Sandbox) -> None:
        values = [browser.find(f"#{name}").get_attribute("value") for name in ("username", "password")]
        assert values == [bluejeans_sandbox.username, ""]

    def test_and_then_the_right_one_signs_in(
        self, browser: Browser, came_back: Callable[[], dict[str, str]], bluejeans_sandbox: Sandbox
    ) -> None:
        browser.press(bluejeans_sandbox.password, "ENTER")
        assert came_back()["code"]


class TestKeyboardAlone:
    def test_allows(
        self,
        browser: Browser,
        authorize: AuthorizationAddress,
        came_back: Callable[[], dict[str, str]],
        bluejeans_sandbox: Sandbox,
    ) -> None:
        browser.open(authorize())
        browser.press("TAB")
        browser.press(bluejeans_sandbox.username, "TAB")
        browser.press(bluejeans_sandbox.password, "TAB")
        assert browser.focused.text == "Allow"
        browser.press("ENTER")
        assert came_back()["code"]

    def test_denies(
        self, browser: Browser, authorize: AuthorizationAddress, came_back: Callable[[], dict[str, str]]
    ) -> None:
        browser.open(authorize())
        for _ in range(4):
            browser.press("TAB")
        assert browser.focused.text == "Deny"
        browser.press("SPACE")
        assert came_back()["error"] == "401"


class TestRefusal:
    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"redirectUri": "https://evil.example/"}, "The redirectUri is not registered for the application."),
            ({"clientId": "unknown"}, "The clientId is not known."),
            ({"scope": "everything"}, "There is no scope everything."),
        ],
    )
    def test_is_told_on_a_page_that_leads_nowhere(
        self, browser: Browser, authorize: AuthorizationAddress, wrong: dict[str, str], said: str
    ) -> None:
        address = authorize(**wrong)
        browser.open(address)
        assert (browser.find("[role=alert]").text, browser.url) == (said, address)
        assert browser.find_all("a, form") == []


class TestLogo:
    """Anyone can make an address of the page with a logo of any host in it."""

    def shown(self, browser: Browser) -> bool:
        return bool(browser.run("const logo = document.getElementById('logo'); return logo && logo.naturalWidth > 0"))

    def test_of_the_applications_host_is_shown(
        self, browser: Browser, authorize: AuthorizationAddress, application: RecordingServer
    ) -> None:
        application.respond_with(http_response(body=LOGO, Content_Type="image/svg+xml"))
        browser.open(authorize(appLogoUrl=f"{application.url}/logo.svg"))
        browser.wait_for(lambda: self.shown(browser))

    def test_is_asked_for_without_saying_where_from(
        self, browser: Browser, authorize: AuthorizationAddress, application: RecordingServer
    ) -> None:
        application.respond_with(http_response(body=LOGO, Content_Type="image/svg+xml"))
        browser.open(authorize(appLogoUrl=f"{application.url}/logo.svg"))
        browser.wait_for(lambda: self.shown(browser))
        assert "referer" not in application.requests[0].headers

    def test_of_another_host_is_not_loaded(self, browser: Browser, authorize: AuthorizationAddress) -> None:
        browser.open(authorize(appLogoUrl="https://cdn.example/logo.svg"))
        assert browser.requested_hosts() == {"127.0.0.1"}

    @pytest.mark.parametrize("url", ["", "https://cdn.example/logo.svg", "javascript:alert(1)", "http://[", "//x"])
    def test_gives_way_to_initials(self, browser: Browser, authorize: AuthorizationAddress, url: str) -> None:
        browser.open(authorize(appLogoUrl=url))
        assert (browser.find(".tile").text, browser.find_all("#logo")) == ("TC", [])

    def test_that_does_not_load_gives_way_to_initials(
        self, browser: Browser, authorize: AuthorizationAddress, application: RecordingServer
    ) -> None:
        application.respond_with(http_response(status=404))
        browser.open(authorize(appLogoUrl=f"{application.url}/logo.svg"))
        browser.wait_for(lambda: not browser.find_all("#logo"))
        assert browser.find(".tile").text == "TC"
