"""Pasting the URL of the response on a terminal, for browsers on other machines."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.browser_user import BrowserUser
from support.command import environment
from support.terminal import Terminal

PROGRAM = (
    "import os, sys, BlueJeansMeetingsRestApi as b\n"
    "configuration = b.Configuration(); configuration.host = os.environ['BLUEJEANS_HOST']\n"
    "b.Configuration.set_default(configuration)\n"
    "application = (os.environ['BLUEJEANS_CLIENT_ID'], os.environ['BLUEJEANS_CLIENT_SECRET'])\n"
    "credentials = b.AuthorizationCodeFlow(*application, *sys.argv[1:]).run(open_browser=lambda url: False)\n"
    "print('Signed in:', credentials)"
)


@pytest.fixture
def terminal(bluejeans_sandbox: Sandbox, tmp_path: Path) -> Iterator[Terminal]:
    with contextlib.closing(Terminal(["-c", PROGRAM], environment(tmp_path, bluejeans_sandbox))) as terminal:
        yield terminal


def url_on(terminal: Terminal) -> str:
    url = terminal.wait_for(r"http://\S+authorize\?\S+(?=\r)")
    terminal.wait_for(r"paste the URL of that page here \(input is hidden\): ")
    return url


def test_pasted_url_is_accepted_and_not_shown(terminal: Terminal) -> None:
    user = BrowserUser(is_elsewhere=True)
    user.sign_in(url_on(terminal))
    terminal.type(f"  {user.address}\n")
    assert terminal.end() == 0
    assert "Signed in: RefreshTokenCredentials(" in terminal.screen
    assert user.address not in terminal.screen


def test_pasted_url_of_a_denial_is_accepted(terminal: Terminal) -> None:
    user = BrowserUser("deny", is_elsewhere=True)
    user.sign_in(url_on(terminal))
    terminal.type(f"{user.address}\n")
    assert terminal.end() == 1
    assert "access was denied" in terminal.screen


def test_prompt_is_repeated_after_text_that_is_not_a_response_url(terminal: Terminal) -> None:
    url = url_on(terminal)
    terminal.type("what?\n")
    terminal.wait_for("That is not the URL that this sign-in redirected the browser to. Paste the URL: ")
    assert "what?" not in terminal.screen
    BrowserUser().sign_in(url)
    assert terminal.end() == 0


def test_browser_on_this_machine_completes_the_sign_in_during_the_prompt(terminal: Terminal) -> None:
    assert "You are signed in" in BrowserUser().sign_in(url_on(terminal))
    assert terminal.end() == 0


def test_sign_in_continues_after_the_end_of_standard_input(terminal: Terminal) -> None:
    url = url_on(terminal)
    terminal.type("\x04")
    BrowserUser().sign_in(url)
    assert terminal.end() == 0


def test_ctrl_c_during_the_prompt_restores_the_terminal(bluejeans_sandbox: Sandbox, tmp_path: Path) -> None:
    program = f"import termios\ntry:\n{textwrap.indent(PROGRAM, ' ')}\nexcept KeyboardInterrupt:\n pass\n"
    program += "print('echo is', bool(termios.tcgetattr(0)[3] & termios.ECHO))"
    with contextlib.closing(Terminal(["-c", program], environment(tmp_path, bluejeans_sandbox))) as terminal:
        url_on(terminal)
        terminal.type("\x03")
        terminal.wait_for("echo is True")
        assert terminal.end() == 0


def test_response_to_a_redirect_uri_on_another_machine_can_be_pasted(
    bluejeans_sandbox: Sandbox, tmp_path: Path
) -> None:
    program = ["-c", PROGRAM, bluejeans_sandbox.redirect_uri]
    with contextlib.closing(Terminal(program, environment(tmp_path, bluejeans_sandbox))) as terminal:
        user = BrowserUser(is_elsewhere=True)
        user.sign_in(url_on(terminal))
        assert user.address.startswith(bluejeans_sandbox.redirect_uri)
        terminal.type(f"{user.address}\n")
        assert terminal.end() == 0
