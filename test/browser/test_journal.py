"""A person watches on the sandbox's journal what a program asks, and lets the sandbox fail by its buttons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from BlueJeansMeetingsRestApi.sandbox import Sandbox

if TYPE_CHECKING:
    from support.chromium import Browser


class Program:
    """A client of the sandbox, which has signed in by the code grant."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._http = urllib3.PoolManager(retries=False)
        self._url = sandbox.url
        self._application = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        code = {"grant_type": "authorization_code", "code": sandbox.authorize(), "redirectUri": sandbox.redirect_uri}
        self.tokens = json.loads(self.grant("Code", **code).data)

    def grant(self, marker: str, **body: Any) -> urllib3.BaseHTTPResponse:
        content = json.dumps({**self._application, **body})
        return self._http.request("POST", f"{self._url}/oauth2/token?{marker}", body=content)

    def client_grant(self) -> urllib3.BaseHTTPResponse:
        return self.grant("Client", grant_type="client_credentials")

    def refresh(self) -> urllib3.BaseHTTPResponse:
        return self.grant("Refresh", grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])

    def info(self, **options: Any) -> urllib3.BaseHTTPResponse:
        fields = {"access_token": self.tokens["access_token"]}
        return self._http.request("GET", f"{self._url}/oauth2/tokenInfo", fields=fields, **options)

    def revoke(self) -> urllib3.BaseHTTPResponse:
        url = f"{self._url}/oauth2/token?Revoke&access_token={self.tokens['access_token']}"
        return self._http.request("DELETE", url, body=json.dumps(self._application))

    def show_page(self) -> urllib3.BaseHTTPResponse:
        return self._http.request("GET", f"{self._url}/oauth2/authorize")

    def ask_for_nothing(self) -> urllib3.BaseHTTPResponse:
        return self._http.request("GET", f"{self._url}/nothing")

    def close(self) -> None:
        self._http.clear()


@pytest.fixture
def program(bluejeans_sandbox: Sandbox) -> Iterator[Program]:
    program = Program(bluejeans_sandbox)
    yield program
    program.close()


@pytest.fixture
def journal(browser: Browser, program: Program, bluejeans_sandbox: Sandbox) -> Browser:
    """The browser with the journal open, which shows the program's sign-in."""
    browser.open(f"{bluejeans_sandbox.url}/sandbox")
    browser.wait_for(lambda: len(paths(browser)) == 1)
    return browser


def paths(journal: Browser) -> list[str]:
    """The paths of the requests that are shown, from the top."""
    return [path.text for path in journal.find_all(".row .path")]


def switch(journal: Browser, button: str, count: int = 1) -> None:
    """Press a button, and wait until the page says that it is done."""
    journal.run(f"document.getElementById('count').value = {count}")
    journal.run("document.getElementById('outcome').textContent = ''")
    journal.click(button)
    journal.wait_for(lambda: journal.find("#outcome").text.startswith(button))


class TestRequests:
    def test_come_as_they_are_answered_newest_first(self, journal: Browser, program: Program) -> None:
        program.client_grant()
        program.ask_for_nothing()
        journal.wait_for(lambda: len(paths(journal)) == 3)
        assert paths(journal) == ["/nothing", "/oauth2/token?Client", "/oauth2/token?Code"]

    def test_show_status_method_path_and_grant(self, journal: Browser) -> None:
        row = journal.find(".row summary").text.splitlines()
        assert row[:4] == ["200", "POST", "/oauth2/token?Code", "authorization_code"]

    def test_show_their_bodies_when_opened_by_keyboard(self, journal: Browser, bluejeans_sandbox: Sandbox) -> None:
        journal.run("document.querySelector('.row summary').focus()")
        journal.press("ENTER")
        asked = json.loads(journal.find("[data-field=request]").text)
        assert asked == {
            "client_id": bluejeans_sandbox.client_id,
            "client_secret": "***",
            "grant_type": "authorization_code",
            "code": "***",
            "redirectUri": bluejeans_sandbox.redirect_uri,
        }

    def test_are_announced_to_screen_readers(self, journal: Browser, program: Program) -> None:
        program.client_grant()
        journal.wait_for(lambda: journal.run("return announcement.textContent") == "POST /oauth2/token?Client, 200")

    def test_show_no_secret(self, journal: Browser, program: Program, bluejeans_sandbox: Sandbox) -> None:
        program.info()
        journal.wait_for(lambda: len(paths(journal)) == 2)
        secrets = [bluejeans_sandbox.client_secret, *map(str, program.tokens.values())]
        page = journal.driver.page_source
        assert [s for s in secrets if len(s) > 8 and not s.startswith("{") and s in page] == []

    def test_are_text_whatever_they_hold(self, journal: Browser, program: Program) -> None:
        program.grant("<img src=x>", grant_type="<b>bold</b>")
        journal.wait_for(lambda: len(paths(journal)) == 2)
        assert journal.find(".row .tag").text == "<b>bold</b>"

    def test_start_anew_when_the_sandbox_forgets(self, journal: Browser, bluejeans_sandbox: Sandbox) -> None:
        bluejeans_sandbox.reset()
        journal.wait_for(lambda: journal.find("#shown").text == "None yet")

    def test_come_again_from_a_sandbox_that_is_back(self, browser: Browser) -> None:
        with Sandbox() as sandbox:
            browser.open(f"{sandbox.url}/sandbox")
            browser.wait_for(lambda: browser.find("#connection").text == "live")
        browser.wait_for(lambda: browser.find("#connection").text == "lost")
        with Sandbox(int(sandbox.url.rpartition(":")[2])):
            browser.wait_for(lambda: browser.find("#connection").text == "live")
            browser.open("about:blank")


class TestFilter:
    @pytest.fixture(autouse=True)
    def one_of_each_kind(self, journal: Browser, program: Program) -> None:
        for ask in (program.info, program.revoke, program.show_page, program.ask_for_nothing):
            ask()
        journal.wait_for(lambda: len(paths(journal)) == 5)

    @pytest.mark.parametrize(
        ("kind", "shown"),
        [
            ("Sign-in", "/oauth2/authorize"),
            ("Grants", "/oauth2/token?Code"),
            ("Token info", "/oauth2/tokenInfo?access_token=***"),
            ("Revoke", "/oauth2/token?Revoke&access_token=***"),
            ("Other", "/nothing"),
        ],
    )
    def test_shows_one_kind(self, journal: Browser, kind: str, shown: str) -> None:
        self.choose(journal, kind)
        assert paths(journal) == [shown]

    def test_shows_what_failed(self, journal: Browser) -> None:
        self.choose(journal, "Only failed")
        assert paths(journal) == ["/nothing", "/oauth2/authorize"]

    def test_says_how_many_it_shows(self, journal: Browser) -> None:
        self.choose(journal, "Revoke")
        assert journal.find("#shown").text == "1 of 5"

    def test_holds_for_what_comes(self, journal: Browser, program: Program) -> None:
        self.choose(journal, "Grants")
        program.ask_for_nothing()
        program.client_grant()
        journal.wait_for(lambda: paths(journal)[0] == "/oauth2/token?Client")
        assert len(paths(journal)) == 2

    def test_moves_by_arrow_keys(self, journal: Browser) -> None:
        journal.run("document.querySelector('[name=kind]').focus()")
        journal.press("ARROW_RIGHT")
        assert paths(journal) == ["/oauth2/authorize"]

    def choose(self, journal: Browser, kind: str) -> None:
        next(label for label in journal.find_all("#filter label") if label.text == kind).click()


class TestSwitches:
    @pytest.mark.parametrize(("button", "status"), [("Answer 503", 503), ("Answer 429", 429), ("Answer 500", 500)])
    def test_answer_with_a_status(self, journal: Browser, program: Program, button: str, status: int) -> None:
        switch(journal, button)
        assert [program.info().status, program.info().status] == [status, 200]

    def test_answer_429_says_when_to_come_again(self, journal: Browser, program: Program) -> None:
        switch(journal, "Answer 429")
        assert program.info().headers["Retry-After"] == "1"

    def test_answer_html(self, journal: Browser, program: Program) -> None:
        switch(journal, "Answer HTML")
        answer = program.client_grant()
        assert (answer.status, answer.data) == (200, b"<h1>Maintenance</h1>")

    def test_drop_the_line(self, journal: Browser, program: Program) -> None:
        switch(journal, "Drop the line")
        with pytest.raises(urllib3.exceptions.ProtocolError):
            program.info()

    def test_answer_late(self, journal: Browser, program: Program) -> None:
        switch(journal, "3 s late")
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            program.info(timeout=0.1)

    def test_send_a_body_slowly(self, journal: Browser, program: Program) -> None:
        switch(journal, "5 s slow body")
        answer = program.info(preload_content=False)
        whole = int(answer.headers["Content-Length"])
        assert len(answer.read1() if hasattr(answer, "read1") else answer.read(1)) < whole
        answer.close()

    def test_reject_a_refresh(self, journal: Browser, program: Program) -> None:
        switch(journal, "Reject refresh")
        assert [program.refresh().status, program.refresh().status] == [401, 200]

    def test_expire_tokens_that_can_be_refreshed(self, journal: Browser, program: Program) -> None:
        switch(journal, "Expire all")
        assert [program.info().status, program.refresh().status] == [401, 200]

    def test_revoke_tokens_that_cannot(self, journal: Browser, program: Program) -> None:
        switch(journal, "Revoke all")
        assert [program.info().status, program.refresh().status] == [401, 401]

    def test_let_an_hour_pass(self, journal: Browser, program: Program) -> None:
        switch(journal, "An hour later")
        assert program.info().status == 401

    def test_forget_all(self, journal: Browser, bluejeans_sandbox: Sandbox) -> None:
        switch(journal, "Forget all")
        assert bluejeans_sandbox.requests == []

    def test_hold_for_as_many_answers_as_are_set(self, journal: Browser, program: Program) -> None:
        switch(journal, "Answer 503", count=2)
        assert [program.info().status for _ in range(3)] == [503, 503, 200]

    def test_mark_what_they_changed(self, journal: Browser, program: Program) -> None:
        switch(journal, "Answer 503")
        program.info()
        journal.wait_for(lambda: len(paths(journal)) == 2)
        assert [tag.text for tag in journal.find_all(".tag")] == ["fault", "authorization_code"]

    @pytest.mark.parametrize(
        ("button", "figure", "before", "after"),
        [
            ("Answer 503", "faults", "0", "1"),
            ("Reject refresh", "refreshes_to_reject", "0", "1"),
            ("Expire all", "tokens", "1", "0"),
        ],
    )
    def test_show_in_the_figures(self, journal: Browser, button: str, figure: str, before: str, after: str) -> None:
        journal.wait_for(lambda: journal.find(f"#{figure}").text == before)
        switch(journal, button)
        journal.wait_for(lambda: journal.find(f"#{figure}").text == after)

    def test_work_by_keyboard(self, journal: Browser, program: Program) -> None:
        journal.run("document.querySelector('[data-control]').focus()")
        journal.press("SPACE")
        journal.wait_for(lambda: journal.find("#outcome").text == "Answer 503: once.")
        assert program.info().status == 503

    def test_say_so_when_the_sandbox_is_gone(self, browser: Browser) -> None:
        with Sandbox() as sandbox:
            browser.open(f"{sandbox.url}/sandbox")
        browser.click("Answer 503")
        browser.wait_for(lambda: browser.find("#outcome").text == "The sandbox does not answer.")
