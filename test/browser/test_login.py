"""`bluejeans-auth login`, from the shell by way of a real browser to a token."""

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
ENOUGH = 60  # seconds after which a test gives up


class Login:
    """The command, waiting for the person to sign in at `url`."""

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

    def ends(self) -> tuple[int, str]:
        """Its exit code, and what it said."""
        said, _ = self._process.communicate(timeout=ENOUGH)
        return self._process.returncode, said

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def env(bluejeans_sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    browser = {"BROWSER": f"{sys.executable} {TELL_ADDRESS} %s", "ADDRESS": str(tmp_path / "address")}
    return environment(tmp_path, bluejeans_sandbox, **browser)


@pytest.fixture
def begin(env: dict[str, str], browser: Browser) -> Iterator[Callable[[], Login]]:
    begun: list[Login] = []

    def begin() -> Login:
        begun.append(Login(env, browser))
        return begun[-1]

    yield begin
    for login in begun:
        login.stop()


def test_from_the_shell_to_a_token(
    browser: Browser, begin: Callable[[], Login], env: dict[str, str], bluejeans_sandbox: Sandbox
) -> None:
    login = begin()
    browser.open(login.url)
    browser.sign_in(bluejeans_sandbox.username, "mistyped")
    assert browser.find("[role=alert]").text
    browser.sign_in(bluejeans_sandbox.username, bluejeans_sandbox.password)
    assert browser.find("h1").text == "You are signed in"
    browser.picture("signed-in-light-1280")
    assert login.ends()[0] == 0
    assert re.fullmatch("[0-9a-f]{32}\n", run("token", env=env).stdout)


def test_a_person_denies(browser: Browser, begin: Callable[[], Login], bluejeans_sandbox: Sandbox) -> None:
    login = begin()
    browser.open(login.url)
    browser.sign_in("", "", "Deny")
    assert browser.find("h1").text == "Access was not granted"
    code, said = login.ends()
    assert (code, "access was denied" in said) == (4, True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_at_the_end_is_for_everybody(
    browser: Browser, begin: Callable[[], Login], bluejeans_sandbox: Sandbox, scheme: str, width: int
) -> None:
    login = begin()
    browser.open(login.url)
    browser.sign_in(bluejeans_sandbox.username, bluejeans_sandbox.password)
    browser.show_as(scheme, width)
    assert browser.accessibility_violations() == []
    assert browser.policy_violations() == []
    assert browser.requested_hosts() == {"127.0.0.1"}


def test_another_site_cannot_end_the_sign_in(
    browser: Browser, begin: Callable[[], Login], bluejeans_sandbox: Sandbox
) -> None:
    """A denial comes without `state`, as the service words it; a page that fetches one unseen does not count."""
    login = begin()
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
    assert login.ends()[0] == 0
