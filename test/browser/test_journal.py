"""The journal page of the sandbox: a user watches the requests of a program and injects faults."""

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
    """A client of the sandbox that has signed in with the code grant."""

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

    def request_unknown_path(self) -> urllib3.BaseHTTPResponse:
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
    """Open the journal, wait until it shows the sign-in of the program, and return the browser."""
    browser.open(f"{bluejeans_sandbox.url}/sandbox")
    browser.wait_for(lambda: len(paths(browser)) == 1)
    return browser


def paths(journal: Browser) -> list[str]:
    """Return the paths of the shown requests, from the top."""
    return [path.text for path in journal.find_all(".row .path")]


def press(journal: Browser, button: str, count: int = 1) -> None:
    """Press a button and wait until the page reports the outcome."""
    journal.run(f"document.getElementById('count').value = {count}")
    journal.run("document.getElementById('outcome').textContent = ''")
    journal.click(button)
    journal.wait_for(lambda: journal.find("#outcome").text.startswith(button))


class TestRequests:
    def test_requests_appear_newest_first(self, journal: Browser, program: Program) -> None:
        program.client_grant()
        program.request_unknown_path()
        journal.wait_for(lambda: len(paths(journal)) == 3)
        assert paths(journal) == ["/nothing", "/oauth2/token?Client", "/oauth2/token?Code"]

    def test_request_row_shows_status_method_path_and_grant(self, journal: Browser) -> None:
        row = journal.find(".row summary").text.splitlines()
        assert row[:4] == ["200", "POST", "/oauth2/token?Code", "authorization_code"]

    def test_request_row_opened_by_keyboard_shows_the_request_body(
        self, journal: Browser, bluejeans_sandbox: Sandbox
    ) -> None:
        journal.run("document.querySelector('.row summary').focus()")
        journal.press("ENTER")
        request = json.loads(journal.find("[data-field=request]").text)
        assert request == {
            "client_id": bluejeans_sandbox.client_id,
            "client_secret": "***",
            "grant_type": "authorization_code",
            "code": "***",
            "redirectUri": bluejeans_sandbox.redirect_uri,
        }

    def test_new_request_is_announced_to_screen_readers(self, journal: Browser, program: Program) -> None:
        program.client_grant()
        journal.wait_for(lambda: journal.run("return announcement.textContent") == "POST /oauth2/token?Client, 200")

    def test_journal_page_shows_no_secret(self, journal: Browser, program: Program, bluejeans_sandbox: Sandbox) -> None:
        program.info()
        journal.wait_for(lambda: len(paths(journal)) == 2)
        secrets = [bluejeans_sandbox.client_secret, *map(str, program.tokens.values())]
        page = journal.driver.page_source
        assert [s for s in secrets if len(s) > 8 and not s.startswith("{") and s in page] == []

    def test_html_in_a_request_is_shown_as_text(self, journal: Browser, program: Program) -> None:
        program.grant("<img src=x>", grant_type="<b>bold</b>")
        journal.wait_for(lambda: len(paths(journal)) == 2)
        assert journal.find(".row .tag").text == "<b>bold</b>"

    def test_journal_page_is_emptied_by_a_reset_of_the_sandbox(
        self, journal: Browser, bluejeans_sandbox: Sandbox
    ) -> None:
        bluejeans_sandbox.reset()
        journal.wait_for(lambda: journal.find("#shown").text == "None yet")

    def test_journal_page_reconnects_to_a_restarted_sandbox(self, browser: Browser) -> None:
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
        for send in (program.info, program.revoke, program.show_page, program.request_unknown_path):
            send()
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
    def test_filter_shows_only_the_chosen_kind_of_request(self, journal: Browser, kind: str, shown: str) -> None:
        self.choose(journal, kind)
        assert paths(journal) == [shown]

    def test_filter_for_failures_shows_only_failed_requests(self, journal: Browser) -> None:
        self.choose(journal, "Only failed")
        assert paths(journal) == ["/nothing", "/oauth2/authorize"]

    def test_filter_shows_the_number_of_matching_requests(self, journal: Browser) -> None:
        self.choose(journal, "Revoke")
        assert journal.find("#shown").text == "1 of 5"

    def test_filter_applies_to_new_requests(self, journal: Browser, program: Program) -> None:
        self.choose(journal, "Grants")
        program.request_unknown_path()
        program.client_grant()
        journal.wait_for(lambda: paths(journal)[0] == "/oauth2/token?Client")
        assert len(paths(journal)) == 2

    def test_filter_can_be_changed_with_arrow_keys(self, journal: Browser) -> None:
        journal.run("document.querySelector('[name=kind]').focus()")
        journal.press("ARROW_RIGHT")
        assert paths(journal) == ["/oauth2/authorize"]

    def choose(self, journal: Browser, kind: str) -> None:
        next(label for label in journal.find_all("#filter label") if label.text == kind).click()


class TestSwitches:
    @pytest.mark.parametrize(("button", "status"), [("Answer 503", 503), ("Answer 429", 429), ("Answer 500", 500)])
    def test_error_button_sends_its_status_once(
        self, journal: Browser, program: Program, button: str, status: int
    ) -> None:
        press(journal, button)
        assert [program.info().status, program.info().status] == [status, 200]

    def test_error_429_button_sends_a_retry_after_header(self, journal: Browser, program: Program) -> None:
        press(journal, "Answer 429")
        assert program.info().headers["Retry-After"] == "1"

    def test_html_button_sends_an_html_body(self, journal: Browser, program: Program) -> None:
        press(journal, "Answer HTML")
        response = program.client_grant()
        assert (response.status, response.data) == (200, b"<h1>Maintenance</h1>")

    def test_drop_button_closes_the_connection(self, journal: Browser, program: Program) -> None:
        press(journal, "Drop the line")
        with pytest.raises(urllib3.exceptions.ProtocolError):
            program.info()

    def test_delay_button_delays_the_response(self, journal: Browser, program: Program) -> None:
        press(journal, "3 s late")
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            program.info(timeout=0.1)

    def test_slow_body_button_sends_the_body_slowly(self, journal: Browser, program: Program) -> None:
        press(journal, "5 s slow body")
        response = program.info(preload_content=False)
        length = int(response.headers["Content-Length"])
        assert len(response.read1() if hasattr(response, "read1") else response.read(1)) < length
        response.close()

    def test_reject_refresh_button_rejects_one_refresh(self, journal: Browser, program: Program) -> None:
        press(journal, "Reject refresh")
        assert [program.refresh().status, program.refresh().status] == [401, 200]

    def test_expire_button_expires_access_tokens_only(self, journal: Browser, program: Program) -> None:
        press(journal, "Expire all")
        assert [program.info().status, program.refresh().status] == [401, 200]

    def test_revoke_button_revokes_access_and_refresh_tokens(self, journal: Browser, program: Program) -> None:
        press(journal, "Revoke all")
        assert [program.info().status, program.refresh().status] == [401, 401]

    def test_advance_button_expires_tokens(self, journal: Browser, program: Program) -> None:
        press(journal, "An hour later")
        assert program.info().status == 401

    def test_reset_button_clears_the_journal(self, journal: Browser, bluejeans_sandbox: Sandbox) -> None:
        press(journal, "Forget all")
        assert bluejeans_sandbox.requests == []

    def test_error_button_applies_to_the_chosen_number_of_responses(self, journal: Browser, program: Program) -> None:
        press(journal, "Answer 503", count=2)
        assert [program.info().status for _ in range(3)] == [503, 503, 200]

    def test_journal_page_marks_responses_changed_by_a_fault(self, journal: Browser, program: Program) -> None:
        press(journal, "Answer 503")
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
    def test_state_figures_change_after_a_button_is_pressed(
        self, journal: Browser, button: str, figure: str, before: str, after: str
    ) -> None:
        journal.wait_for(lambda: journal.find(f"#{figure}").text == before)
        press(journal, button)
        journal.wait_for(lambda: journal.find(f"#{figure}").text == after)

    def test_error_button_works_by_keyboard(self, journal: Browser, program: Program) -> None:
        journal.run("document.querySelector('[data-control]').focus()")
        journal.press("SPACE")
        journal.wait_for(lambda: journal.find("#outcome").text == "Answer 503: once.")
        assert program.info().status == 503

    def test_button_reports_that_the_sandbox_does_not_respond(self, browser: Browser) -> None:
        with Sandbox() as sandbox:
            browser.open(f"{sandbox.url}/sandbox")
        browser.click("Answer 503")
        browser.wait_for(lambda: browser.find("#outcome").text == "The sandbox does not answer.")
