"""Signing in with a browser, against the sandbox. What can come to the redirect URI is row 40, in reliability/."""

from __future__ import annotations

import contextlib
import io
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.authorization_flow import Inbox
from BlueJeansMeetingsRestApi.loopback_receiver import LoopbackReceiver
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.browser_user import BrowserUser
from support.command import environment
from support.recording_server import unused_port
from support.terminal import Terminal


@pytest.fixture
def flow(bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi) -> bluejeans.AuthorizationCodeFlow:
    return bluejeans.AuthorizationCodeFlow(
        bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret, app_name="An example", api=api
    )


class TestAuthorizationUrl:
    def test_is_the_services_page_with_its_names_in_their_order(self) -> None:
        url = bluejeans.authorization_url(
            "an-id",
            "https://app.example/cb?a=b",
            "s t",
            scope="list_meetings,user_info",
            app_name="Ü & I",
            app_logo_url="https://app.example/logo.png",
        )
        assert url == (
            "https://bluejeans.com/oauth2/authorize?clientId=an-id&redirectUri=https%3A%2F%2Fapp.example%2Fcb%3Fa%3Db"
            "&state=s+t&scope=list_meetings%2Cuser_info&responseType=code&appName=%C3%9C+%26+I"
            "&appLogoUrl=https%3A%2F%2Fapp.example%2Flogo.png"
        )

    def test_has_only_what_is_given(self) -> None:
        url = bluejeans.authorization_url(client_id="i", redirect_uri="https://app.example", state="s")
        assert [name for name, _ in parse_qsl(urlsplit(url).query)] == [
            "clientId",
            "redirectUri",
            "state",
            "responseType",
        ]

    def test_is_what_get_authorization_code_asks_for(
        self, api: bluejeans.AuthenticationApi, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
    ) -> None:
        asked = {"client_id": bluejeans_sandbox.client_id, "redirect_uri": bluejeans_sandbox.redirect_uri, "state": "s"}
        api.get_authorization_code(response_type="code", **asked)  # type: ignore[arg-type]
        url = bluejeans.authorization_url(**asked, configuration=configuration)
        path = bluejeans_sandbox.requests[0].path
        assert parse_qsl(urlsplit(url).query) == parse_qsl(urlsplit(path).query)

    @pytest.mark.parametrize(
        ("host", "page"),
        [
            ("https://api.bluejeans.com/", "https://bluejeans.com/oauth2/authorize?"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/oauth2/authorize?"),
            ("https://gateway.example/bluejeans", "https://gateway.example/bluejeans/oauth2/authorize?"),
        ],
    )
    def test_is_at_the_configured_host(self, host: str, page: str) -> None:
        configuration = bluejeans.Configuration()
        configuration.host = host
        assert bluejeans.authorization_url("i", "https://app.example", "s", configuration=configuration).startswith(
            page
        )

    def test_needs_a_state(self) -> None:
        with pytest.raises(ValueError, match="cannot be guessed"):
            bluejeans.authorization_url("i", "https://app.example", "")


class TestRun:
    def test_gives_credentials_of_the_person_that_renew_themselves(
        self, flow: bluejeans.AuthorizationCodeFlow, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox
    ) -> None:
        credentials = flow.run(open_browser=BrowserUser().sign_in)
        first = credentials.get_token().token
        assert api.get_token_info(access_token=first).user == bluejeans_sandbox.user_id
        credentials.invalidate()
        assert credentials.get_token().token != first

    def test_asks_for_what_is_wanted(self, flow: bluejeans.AuthorizationCodeFlow, bluejeans_sandbox: Sandbox) -> None:
        flow.run(open_browser=BrowserUser().sign_in)
        page = next(seen for seen in bluejeans_sandbox.requests if seen.method == "GET")
        assert ("appName", "An example") in parse_qsl(urlsplit(page.path).query)

    def test_counts_the_tokens_life_from_before_it_was_asked_for(self, flow: bluejeans.AuthorizationCodeFlow) -> None:
        before = time.time()
        assert before < flow.run(open_browser=BrowserUser().sign_in).get_token().expires_at < time.time() + 3600

    def test_keeps_the_sign_in_where_a_store_is(
        self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi
    ) -> None:
        store = bluejeans.MemoryTokenStore()
        application = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        flow = bluejeans.AuthorizationCodeFlow(*application, api=api, store=store)
        token = flow.run(open_browser=BrowserUser().sign_in).get_token()
        assert bluejeans.RefreshTokenCredentials(*application, api=api, store=store).get_token() == token

    def test_makes_its_own_connections_where_none_are_given(
        self, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
    ) -> None:
        bluejeans.Configuration.set_default(configuration)
        try:
            application = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
            with bluejeans.AuthorizationCodeFlow(*application).run(open_browser=BrowserUser().sign_in) as credentials:
                assert credentials.get_token().token
        finally:
            bluejeans.Configuration.set_default(None)

    def test_each_makes_another_state(self, flow: bluejeans.AuthorizationCodeFlow, bluejeans_sandbox: Sandbox) -> None:
        for _ in range(2):
            flow.run(open_browser=BrowserUser().sign_in)
        pages = [seen.path for seen in bluejeans_sandbox.requests if seen.method == "GET"]
        states = {dict(parse_qsl(urlsplit(path).query))["state"] for path in pages}
        assert len(states) == 2
        assert all(len(state) >= 43 for state in states)

    def test_leaves_no_thread(self) -> None:
        with Sandbox(process=True) as sandbox:  # whose threads are elsewhere
            configuration = bluejeans.Configuration()
            configuration.host = sandbox.url
            with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
                before = set(threading.enumerate())
                flow = bluejeans.AuthorizationCodeFlow(sandbox.client_id, sandbox.client_secret, api=api)
                flow.run(open_browser=BrowserUser().sign_in)
                for thread in set(threading.enumerate()) - before:
                    thread.join(10)
                assert set(threading.enumerate()) <= before

    def test_what_the_browser_function_raises_is_raised(self, flow: bluejeans.AuthorizationCodeFlow) -> None:
        def open_browser(url: str) -> None:
            raise LookupError("of its own")

        with pytest.raises(LookupError, match="of its own"):
            flow.run(open_browser=open_browser)

    @pytest.mark.parametrize("timeout", [0, -1, float("nan")])
    def test_a_timeout_that_is_none_is_refused(self, flow: bluejeans.AuthorizationCodeFlow, timeout: float) -> None:
        with pytest.raises(ValueError, match="timeout"):
            flow.run(timeout)

    def test_a_redirect_uri_elsewhere_needs_a_terminal(
        self, bluejeans_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        flow = bluejeans.AuthorizationCodeFlow("i", "s", bluejeans_sandbox.redirect_uri)
        with pytest.raises(ValueError, match="cannot be listened at"):
            flow.run(open_browser=False)


class TestPages:
    @pytest.fixture
    def page(self, flow: bluejeans.AuthorizationCodeFlow) -> str:
        """What is shown at the end."""
        shown = []

        def open_browser(url: str) -> None:
            shown.append(BrowserUser().sign_in(url))

        flow.run(open_browser=open_browser)
        return shown[0]

    def test_say_what_happened_and_that_the_tab_can_be_closed(self, page: str) -> None:
        assert "<h1>You are signed in</h1><p>You can close this tab and go back to An example.</p>" in page

    def test_have_a_language_a_title_and_both_colour_schemes(self, page: str) -> None:
        for part in ('<html lang="en">', "<title>You are signed in</title>", "color-scheme:light dark", "<main>"):
            assert part in page

    def test_need_nothing_from_elsewhere(self, page: str) -> None:
        assert not [part for part in ("http", "src=", "href=", "<script", "url(") if part in page]


class TestPasting:
    """Where no browser opens, on a terminal."""

    PROGRAM = (
        "import os, sys, BlueJeansMeetingsRestApi as b\n"
        "configuration = b.Configuration(); configuration.host = os.environ['BLUEJEANS_HOST']\n"
        "b.Configuration.set_default(configuration)\n"
        "application = (os.environ['BLUEJEANS_CLIENT_ID'], os.environ['BLUEJEANS_CLIENT_SECRET'])\n"
        "credentials = b.AuthorizationCodeFlow(*application, *sys.argv[1:]).run(open_browser=lambda url: False)\n"
        "print('Signed in:', credentials)"
    )

    @pytest.fixture
    def terminal(self, bluejeans_sandbox: Sandbox, tmp_path: Path) -> Iterator[Terminal]:
        with contextlib.closing(Terminal(["-c", self.PROGRAM], environment(tmp_path, bluejeans_sandbox))) as terminal:
            yield terminal

    @staticmethod
    def url_on(terminal: Terminal) -> str:
        url = terminal.wait_for(r"http://\S+authorize\?\S+(?=\r)")
        terminal.wait_for("paste that page's address here. It does not show: ")
        return url

    def test_takes_the_address_and_does_not_show_it(self, terminal: Terminal) -> None:
        person = BrowserUser(is_elsewhere=True)
        person.sign_in(self.url_on(terminal))
        terminal.type(f"  {person.address}\n")
        assert terminal.end() == 0
        assert "Signed in: RefreshTokenCredentials(" in terminal.screen
        assert person.address not in terminal.screen

    def test_takes_the_services_denial(self, terminal: Terminal) -> None:
        person = BrowserUser("deny", is_elsewhere=True)
        person.sign_in(self.url_on(terminal))
        terminal.type(f"{person.address}\n")
        assert terminal.end() == 1
        assert "access was denied" in terminal.screen

    def test_asks_again_for_what_is_no_answer(self, terminal: Terminal) -> None:
        url = self.url_on(terminal)
        terminal.type("what?\n")
        terminal.wait_for("That is not the address of the page that this sign-in ended at. Paste it again: ")
        assert "what?" not in terminal.screen
        BrowserUser().sign_in(url)
        assert terminal.end() == 0

    def test_ends_when_a_browser_on_this_machine_is_first(self, terminal: Terminal) -> None:
        assert "You are signed in" in BrowserUser().sign_in(self.url_on(terminal))
        assert terminal.end() == 0

    def test_goes_on_without_what_is_pasted_when_the_input_ends(self, terminal: Terminal) -> None:
        url = self.url_on(terminal)
        terminal.type("\x04")
        BrowserUser().sign_in(url)
        assert terminal.end() == 0

    def test_ctrl_c_leaves_the_terminal_as_it_was(self, bluejeans_sandbox: Sandbox, tmp_path: Path) -> None:
        program = f"import termios\ntry:\n{textwrap.indent(self.PROGRAM, ' ')}\nexcept KeyboardInterrupt:\n pass\n"
        program += "print('echo is', bool(termios.tcgetattr(0)[3] & termios.ECHO))"
        with contextlib.closing(Terminal(["-c", program], environment(tmp_path, bluejeans_sandbox))) as terminal:
            self.url_on(terminal)
            terminal.type("\x03")
            terminal.wait_for("echo is True")
            assert terminal.end() == 0

    def test_serves_a_redirect_uri_on_another_machine(self, bluejeans_sandbox: Sandbox, tmp_path: Path) -> None:
        program = ["-c", self.PROGRAM, bluejeans_sandbox.redirect_uri]
        with contextlib.closing(Terminal(program, environment(tmp_path, bluejeans_sandbox))) as terminal:
            person = BrowserUser(is_elsewhere=True)
            person.sign_in(self.url_on(terminal))
            assert person.address.startswith(bluejeans_sandbox.redirect_uri)
            terminal.type(f"{person.address}\n")
            assert terminal.end() == 0


class TestExchange:
    @staticmethod
    def answer_to(url: str, decides: str = "allow") -> str:
        person = BrowserUser(decides, is_elsewhere=True)
        person.sign_in(url)
        return person.address

    def test_gives_credentials_for_the_answer(
        self, flow: bluejeans.AuthorizationCodeFlow, api: bluejeans.AuthenticationApi
    ) -> None:
        answered = self.answer_to(flow.authorization_url("of the session"))
        credentials = flow.exchange(answered, state="of the session")
        assert api.get_token_info(access_token=credentials.get_token().token).user == 1442589

    def test_remembers_the_state_that_it_made_once(self, flow: bluejeans.AuthorizationCodeFlow) -> None:
        answered = self.answer_to(flow.authorization_url())
        assert flow.exchange(answered).get_token().token
        with pytest.raises(ValueError, match="comes once"):
            flow.exchange(answered)

    @pytest.mark.parametrize("state", ["another", ""])
    def test_refuses_another_state(
        self, flow: bluejeans.AuthorizationCodeFlow, bluejeans_sandbox: Sandbox, state: str
    ) -> None:
        answered = self.answer_to(flow.authorization_url("of the session"))
        with pytest.raises(ValueError, match="state"):
            flow.exchange(answered, state=state)
        assert [seen for seen in bluejeans_sandbox.requests if seen.grant] == []

    def test_tells_that_the_user_denied(self, flow: bluejeans.AuthorizationCodeFlow) -> None:
        answered = self.answer_to(flow.authorization_url("of the session"), "deny")
        with pytest.raises(bluejeans.ReauthenticationRequired, match="access was denied"):
            flow.exchange(answered, state="of the session")

    def test_of_a_code_that_is_too_old_is_refused(
        self, flow: bluejeans.AuthorizationCodeFlow, bluejeans_sandbox: Sandbox
    ) -> None:
        answered = self.answer_to(flow.authorization_url("s"))
        bluejeans_sandbox.advance(31)
        with pytest.raises(bluejeans.ReauthenticationRequired, match="older than 30 seconds"):
            flow.exchange(answered, state="s")


class TestFlow:
    def test_shows_no_secret(self) -> None:
        flow = bluejeans.AuthorizationCodeFlow("an-id", "a-secret", "https://app.example/callback")
        assert repr(flow) == "AuthorizationCodeFlow('an-id', ..., redirect_uri='https://app.example/callback')"

    @pytest.mark.parametrize(
        ("given", "named"),
        [
            (("", "s"), "client_id"),
            (("i", ""), "client_secret"),
            (("i", "s", "callback"), "redirect_uri"),
            (("i", "s", "ftp://127.0.0.1/callback"), "redirect_uri"),
        ],
    )
    def test_refuses_what_cannot_work(self, given: tuple[str, ...], named: str) -> None:
        with pytest.raises(ValueError, match=named):
            bluejeans.AuthorizationCodeFlow(*given)

    def test_a_web_application_loads_no_receiver(self) -> None:
        program = (
            "import sys, BlueJeansMeetingsRestApi as b\n"
            "b.AuthorizationCodeFlow('i', 's', 'https://app.example').authorization_url('s')\n"
            "print('http.server' in sys.modules)"
        )
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert ended.stdout == "False\n"


class TestLoopbackReceiver:
    def test_listens_on_this_machine_alone(self) -> None:
        with LoopbackReceiver(f"http://localhost:{unused_port()}/callback", Inbox("s")) as receiver:
            port = urlsplit(receiver.redirect_uri).port
            assert receiver._server.server_address == ("127.0.0.1", port)
        socket.create_server(("127.0.0.1", port or 0)).close()
