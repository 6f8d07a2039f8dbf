"""`bluejeans-auth login` with a real browser, from the shell to a token."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.command import COMMAND, environment, run
from support.recording_server import RecordingServer, http_response

if TYPE_CHECKING:
    from support.chromium import Browser

TELL_ADDRESS = Path(__file__).parents[1] / "support" / "tell_address.py"
TIMEOUT = 60  # seconds


class Login:
    """The running command, which waits for the user to sign in at `url`."""

    def __init__(self, env: dict[str, str], browser: Browser) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *COMMAND, "login", "--app-name", "Team Calendar"],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        address = Path(env["ADDRESS"])
        self.url = browser.wait_for(lambda: address.exists() and address.read_text(encoding="utf-8"))

    def wait(self) -> tuple[int, str]:
        """Wait for the command to exit and return its exit code and output."""
        output, _ = self._process.communicate(timeout=TIMEOUT)
        return self._process.returncode, output

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def env(bluejeans_sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    browser = {"BROWSER": f"{sys.executable} {TELL_ADDRESS} %s", "ADDRESS": str(tmp_path / "address")}
    return environment(tmp_path, bluejeans_sandbox, **browser)


@pytest.fixture
def start_login(env: dict[str, str], browser: Browser) -> Iterator[Callable[[], Login]]:
    logins: list[Login] = []

    def start_login() -> Login:
        logins.append(Login(env, browser))
        return logins[-1]

    yield start_login
    for login in logins:
        login.stop()


def test_login_with_a_browser_saves_a_usable_token(
    browser: Browser, start_login: Callable[[], Login], env: dict[str, str], bluejeans_sandbox: Sandbox
) -> None:
    login = start_login()
    browser.open(login.url)
    browser.sign_in(bluejeans_sandbox.username, "mistyped")
    assert browser.find("[role=alert]").text
    browser.sign_in(bluejeans_sandbox.username, bluejeans_sandbox.password)
    assert browser.find("h1").text == "You are signed in"
    browser.save_screenshot("signed-in-light-1280")
    assert login.wait()[0] == 0
    assert re.fullmatch("[0-9a-f]{32}\n", run("token", env=env).stdout)


def test_login_exits_with_status_4_after_the_user_denies(
    browser: Browser, start_login: Callable[[], Login], bluejeans_sandbox: Sandbox
) -> None:
    login = start_login()
    browser.open(login.url)
    browser.sign_in("", "", "Deny")
    assert browser.find("h1").text == "Access was not granted"
    code, output = login.wait()
    assert (code, "access was denied" in output) == (4, True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_final_login_page_is_accessible_and_loads_no_other_host(
    browser: Browser, start_login: Callable[[], Login], bluejeans_sandbox: Sandbox, scheme: str, width: int
) -> None:
    login = start_login()
    browser.open(login.url)
    browser.sign_in(bluejeans_sandbox.username, bluejeans_sandbox.password)
    browser.show_as(scheme, width)
    assert browser.accessibility_violations() == []
    assert browser.policy_violations() == []
    assert browser.requested_hosts() == {"127.0.0.1"}


def test_cross_site_request_cannot_abort_the_login(
    browser: Browser, start_login: Callable[[], Login], bluejeans_sandbox: Sandbox
) -> None:
    """The service sends denials without `state`, so a page could try to fetch the denial URL in the background."""
    login = start_login()
    [receiver] = parse_qs(urlsplit(login.url).query)["redirectUri"]
    denial = f"{receiver}?error=401"
    page = (
        f'<img src="{denial}"><iframe src="{denial}"></iframe>'
        f'<script>fetch("{denial}", {{mode: "no-cors"}}).finally(() => document.title = "tried")</script>'
    )
    with RecordingServer([http_response(body=page.encode(), Content_Type="text/html", Connection="close")]) as other:
        browser.open(other.url.replace("127.0.0.1", "localhost"))
        browser.wait_for(lambda: browser.driver.title == "tried")
    browser.open(login.url)
    browser.sign_in(bluejeans_sandbox.username, bluejeans_sandbox.password)
    assert login.wait()[0] == 0
