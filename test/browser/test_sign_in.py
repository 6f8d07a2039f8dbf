"""The authorization page of the sandbox: a user signs in and allows or denies access."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.recording_server import RecordingServer, http_response

if TYPE_CHECKING:
    from conftest import AuthorizationURL

    from support.chromium import Browser

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'


@pytest.fixture
def callback_parameters(browser: Browser, authorize: AuthorizationURL) -> Callable[[], dict[str, str]]:
    """Return a function that waits for the redirect to the application and returns its parameters."""

    def callback_parameters() -> dict[str, str]:
        browser.wait_for(lambda: browser.url.startswith(authorize.redirect_uri))
        return dict(parse_qsl(urlsplit(browser.url).query))

    return callback_parameters


def test_authorization_page_shows_the_application_and_the_scopes(browser: Browser, authorize: AuthorizationURL) -> None:
    browser.open(authorize(scope="list_meetings,user_info"))
    assert browser.find("h1").text == "Team Calendar asks to act for you"
    assert [scope.text.splitlines() for scope in browser.find_all(".scopes li")] == [
        ["See your personal and scheduled meetings", "list_meetings"],
        ["See your profile, room and billing category", "user_info"],
    ]


def test_allowing_returns_a_code_that_can_be_exchanged_for_tokens(
    browser: Browser,
    authorize: AuthorizationURL,
    callback_parameters: Callable[[], dict[str, str]],
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
            code=callback_parameters()["code"],
        )
    )
    assert grant.scope.user == bluejeans_sandbox.user_id


def test_allowing_returns_the_state(
    browser: Browser,
    authorize: AuthorizationURL,
    callback_parameters: Callable[[], dict[str, str]],
    bluejeans_sandbox: Sandbox,
) -> None:
    browser.open(authorize(state="a&b=ü"))
    browser.sign_in(bluejeans_sandbox.username, bluejeans_sandbox.password)
    assert callback_parameters()["state"] == "a&b=ü"


def test_application_may_redirect_the_browser_to_another_host(
    browser: Browser, authorize: AuthorizationURL, application: RecordingServer, bluejeans_sandbox: Sandbox
) -> None:
    """Chromium applies the `form-action` policy of a page to all redirects that follow its form."""
    home = application.url.replace("127.0.0.1", "localhost") + "/home"
    application.respond_with(http_response(status=302, Location=home), *application.responses)
    browser.open(authorize())
    browser.sign_in(bluejeans_sandbox.username, bluejeans_sandbox.password)
    assert browser.wait_for(lambda: browser.url == home)


def test_denying_access_needs_no_password(
    browser: Browser, authorize: AuthorizationURL, callback_parameters: Callable[[], dict[str, str]]
) -> None:
    browser.open(authorize())
    browser.click("Deny")
    assert callback_parameters()["error_description"] == "User rejects the grant to client application"


def test_allowing_without_a_password_sends_no_request(
    browser: Browser, authorize: AuthorizationURL, bluejeans_sandbox: Sandbox
) -> None:
    browser.open(authorize())
    browser.click("Allow")
    assert browser.find_all("input:invalid") != []
    assert [request.method for request in bluejeans_sandbox.requests] == ["GET"]


class TestWrongPassword:
    @pytest.fixture(autouse=True)
    def mistyped(self, browser: Browser, authorize: AuthorizationURL, bluejeans_sandbox: Sandbox) -> None:
        browser.open(authorize())
        browser.sign_in(bluejeans_sandbox.username, "mistyped")

    def test_wrong_password_is_reported_in_an_alert(self, browser: Browser) -> None:
        assert "The credentials are wrong." in browser.find("[role=alert]").text

    def test_wrong_password_is_reported_in_the_title(self, browser: Browser) -> None:
        assert browser.driver.title.startswith("Sign-in failed")

    def test_wrong_password_moves_the_focus_to_the_password_field(self, browser: Browser) -> None:
        assert browser.focused.get_attribute("id") == "password"

    def test_password_field_is_described_by_the_wrong_password_alert(self, browser: Browser) -> None:
        described_by = browser.find("#password").get_attribute("aria-describedby")
        assert browser.find(f"#{described_by}").get_attribute("role") == "alert"

    def test_form_has_the_username_but_no_password_after_a_wrong_password(
        self, browser: Browser, bluejeans_sandbox: Sandbox
    ) -> None:
        values = [browser.find(f"#{name}").get_attribute("value") for name in ("username", "password")]
        assert values == [bluejeans_sandbox.username, ""]

    def test_correct_password_after_a_wrong_one_signs_in(
        self, browser: Browser, callback_parameters: Callable[[], dict[str, str]], bluejeans_sandbox: Sandbox
    ) -> None:
        browser.press(bluejeans_sandbox.password, "ENTER")
        assert callback_parameters()["code"]


class TestKeyboardAlone:
    def test_user_can_allow_access_by_keyboard_alone(
        self,
        browser: Browser,
        authorize: AuthorizationURL,
        callback_parameters: Callable[[], dict[str, str]],
        bluejeans_sandbox: Sandbox,
    ) -> None:
        browser.open(authorize())
        browser.press("TAB")
        browser.press(bluejeans_sandbox.username, "TAB")
        browser.press(bluejeans_sandbox.password, "TAB")
        assert browser.focused.text == "Allow"
        browser.press("ENTER")
        assert callback_parameters()["code"]

    def test_user_can_deny_access_by_keyboard_alone(
        self, browser: Browser, authorize: AuthorizationURL, callback_parameters: Callable[[], dict[str, str]]
    ) -> None:
        browser.open(authorize())
        for _ in range(4):
            browser.press("TAB")
        assert browser.focused.text == "Deny"
        browser.press("SPACE")
        assert callback_parameters()["error"] == "401"


class TestRefusal:
    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"redirectUri": "https://evil.example/"}, "The redirectUri is not registered for the application."),
            ({"clientId": "unknown"}, "The clientId is unknown."),
            ({"scope": "everything"}, "Unknown scope: everything."),
        ],
    )
    def test_invalid_request_is_reported_on_a_page_without_links(
        self, browser: Browser, authorize: AuthorizationURL, wrong: dict[str, str], message: str
    ) -> None:
        url = authorize(**wrong)
        browser.open(url)
        assert (browser.find("[role=alert]").text, browser.url) == (message, url)
        assert browser.find_all("a, form") == []


class TestLogo:
    """Anyone can make an authorization URL with a logo of any host."""

    def is_shown(self, browser: Browser) -> bool:
        return bool(browser.run("const logo = document.getElementById('logo'); return logo && logo.naturalWidth > 0"))

    def test_logo_from_the_host_of_the_application_is_shown(
        self, browser: Browser, authorize: AuthorizationURL, application: RecordingServer
    ) -> None:
        application.respond_with(http_response(body=LOGO, Content_Type="image/svg+xml"))
        browser.open(authorize(appLogoUrl=f"{application.url}/logo.svg"))
        browser.wait_for(lambda: self.is_shown(browser))

    def test_logo_request_has_no_referer_header(
        self, browser: Browser, authorize: AuthorizationURL, application: RecordingServer
    ) -> None:
        application.respond_with(http_response(body=LOGO, Content_Type="image/svg+xml"))
        browser.open(authorize(appLogoUrl=f"{application.url}/logo.svg"))
        browser.wait_for(lambda: self.is_shown(browser))
        assert "referer" not in application.requests[0].headers

    def test_logo_from_another_host_is_not_loaded(self, browser: Browser, authorize: AuthorizationURL) -> None:
        browser.open(authorize(appLogoUrl="https://cdn.example/logo.svg"))
        assert browser.requested_hosts() == {"127.0.0.1"}

    @pytest.mark.parametrize("url", ["", "https://cdn.example/logo.svg", "javascript:alert(1)", "http://[", "//x"])
    def test_initials_replace_a_missing_or_foreign_logo(
        self, browser: Browser, authorize: AuthorizationURL, url: str
    ) -> None:
        browser.open(authorize(appLogoUrl=url))
        assert (browser.find(".tile").text, browser.find_all("#logo")) == ("TC", [])

    def test_initials_replace_a_logo_that_fails_to_load(
        self, browser: Browser, authorize: AuthorizationURL, application: RecordingServer
    ) -> None:
        application.respond_with(http_response(status=404))
        browser.open(authorize(appLogoUrl=f"{application.url}/logo.svg"))
        browser.wait_for(lambda: not browser.find_all("#logo"))
        assert browser.find(".tile").text == "TC"
