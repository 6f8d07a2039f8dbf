"""Requests to the redirect URI of a sign-in: row 40 of docs/RELIABILITY.md."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sign_in.callback import PendingSignIn
from BlueJeansMeetingsRestApi.sign_in.loopback import LoopbackReceiver
from support.browser_user import BrowserUser
from support.caller import SECRETS
from support.caller_process import GRANT, Caller, Outcome
from support.recording_server import RecordingServer, http_response, never_respond, unused_port

pytestmark = pytest.mark.slow  # Each test starts a process.

CODE = SECRETS["code"]
TOKENS = {**GRANT, "refresh_token": SECRETS["granted_refresh_token"], "scope": {"user": 7}}


class Page(NamedTuple):
    """A page that the user sees."""

    status: int
    headers: http.client.HTTPMessage
    text: str


class Browser:
    """A browser that sends requests to the redirect URI of a program."""

    def __init__(self, program: Caller) -> None:
        self._program = program
        url = program.wait_until_it_says("The page is").split()[-1]
        query = parse_qs(urlsplit(url).query)
        self.state = query["state"][0]
        self.redirect_uri = urlsplit(query["redirectUri"][0])

    def get(self, path: str | None = None, *, method: str = "GET", body: str | None = None, **headers: str) -> Page:
        path = self.redirect_uri.path if path is None else path
        connection = http.client.HTTPConnection("127.0.0.1", self.redirect_uri.port, timeout=30)
        connection.request(method, path, body, {n.replace("_", "-"): value for n, value in headers.items()})
        response = connection.getresponse()
        page = Page(response.status, response.headers, response.read().decode())
        connection.close()
        assert [secret for secret in (CODE, self.state) if secret in f"{page.headers}{page.text}"] == []
        return page

    def redirect(self, **response: str) -> Page:
        return self.get(f"{self.redirect_uri.path}?{urlencode(response)}")

    def outcome(self, kind: str = "") -> Outcome:
        """Return the outcome of the sign-in, after a check that its port is free again."""
        outcome = self._program.outcomes()[-1]
        assert outcome.kind == kind, outcome.output
        socket.create_server(("127.0.0.1", self.redirect_uri.port or 0)).close()
        return outcome

    def sign_in(self) -> Outcome:
        """Send a valid response, and return the outcome of the successful sign-in."""
        assert self.redirect(code=CODE, state=self.state).status == 200
        return self.outcome()


@pytest.fixture
def service() -> Iterator[RecordingServer]:
    with RecordingServer([http_response(TOKENS)]) as service:
        yield service


@pytest.fixture
def browser(start: Callable[..., Caller], service: RecordingServer) -> Browser:
    return Browser(start(service.url, "sign_in"))


@pytest.mark.fault(40, "a valid response", "the code is exchanged at once; the page states that the user is signed in")
def test_valid_response_signs_the_user_in(browser: Browser, service: RecordingServer) -> None:
    page = browser.redirect(code=CODE, state=browser.state)
    assert (page.status, "You are signed in" in page.text) == (200, True)
    assert browser.outcome().data > 0
    assert [request.json["code"] for request in service.requests] == [CODE]


@pytest.mark.fault(40, "`state` is missing, wrong or repeated", "an error page; the sign-in continues")
@pytest.mark.parametrize("state", ["", "&state=another", "&state=", "&state={state}&state={state}", "&state=%ff"])
def test_response_with_a_wrong_state_is_ignored(browser: Browser, service: RecordingServer, state: str) -> None:
    page = browser.get(f"/callback?code={CODE}{state.format(state=browser.state)}")
    assert (page.status, "Unexpected sign-in response" in page.text) == (400, True)
    assert service.requests == []
    browser.sign_in()


@pytest.mark.fault(
    40, "a second response", "an error page; only the first code is exchanged", "ReauthenticationRequired"
)
def test_second_response_is_ignored_while_the_first_is_exchanged(start: Callable[..., Caller]) -> None:
    def send_a_second_response(connection: socket.socket) -> None:
        second.append(browser.redirect(code="another", state=browser.state))
        connection.sendall(http_response({"message": "No."}, 401))

    second: list[Page] = []
    with RecordingServer([send_a_second_response]) as service:
        browser = Browser(start(service.url, "sign_in"))
        first = browser.redirect(code=CODE, state=browser.state)
        browser.outcome("ReauthenticationRequired")
    assert [first.status, second[0].status] == [502, 409]
    assert "Sign-in failed" in first.text
    assert [request.json["code"] for request in service.requests] == [CODE]


@pytest.mark.fault(40, "the browser requests a favicon or another path first", "404; the sign-in continues")
@pytest.mark.parametrize("path", ["/favicon.ico", "/", "/callback/", "/callback/x"])
def test_request_for_another_path_gets_404(browser: Browser, path: str) -> None:
    assert browser.get(path).status == 404
    browser.sign_in()


@pytest.mark.fault(40, "the browser opens a connection in advance", "no delay")
def test_idle_connection_does_not_delay_the_sign_in(browser: Browser) -> None:
    with socket.create_connection(("127.0.0.1", browser.redirect_uri.port or 0)) as silent:
        browser.sign_in()
        assert silent.recv(1) == b""


@pytest.mark.fault(40, "an invalid HTTP request", "an error page without data of the request; the sign-in continues")
def test_invalid_http_request_is_ignored_and_not_quoted(browser: Browser) -> None:
    with socket.create_connection(("127.0.0.1", browser.redirect_uri.port or 0)) as connection:
        connection.sendall(f"GET /callback?code={CODE} and more\r\n\r\n".encode())
        response = connection.makefile("rb").read().decode()
    assert "Invalid request" in response
    assert CODE not in response
    browser.sign_in()


@pytest.mark.fault(40, "another method than GET", "405; the sign-in continues")
@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "PUT", "DANCE"])
def test_other_methods_than_get_are_refused(browser: Browser, service: RecordingServer, method: str) -> None:
    query = urlencode({"code": CODE, "state": browser.state})
    page = browser.get(f"/callback?{query}", method=method, body=query if method in ("POST", "PUT") else None)
    assert (page.status, page.headers["Allow"]) == (405, "GET")
    assert service.requests == []
    browser.sign_in()


@pytest.mark.fault(40, "another Host header (DNS rebinding)", "421; the sign-in continues")
@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1", "localhost:{port}", "127.0.0.1:{port}.example", ""])
def test_request_with_another_host_header_is_refused(browser: Browser, service: RecordingServer, host: str) -> None:
    query = urlencode({"code": CODE, "state": browser.state})
    assert browser.get(f"/callback?{query}", Host=host.format(port=browser.redirect_uri.port)).status == 421
    assert service.requests == []
    browser.sign_in()


@pytest.mark.fault(40, "the user denies access", "an error; the page reports it", "ReauthenticationRequired")
@pytest.mark.parametrize(
    "response", [{"error": "access_denied", "state": ""}, {"error": "401"}], ids=["RFC", "service"]
)
def test_denial_of_the_user_raises_reauthentication_required(browser: Browser, response: dict[str, str]) -> None:
    response = {name: value or browser.state for name, value in response.items()}
    page = browser.redirect(**response, error_description="User rejects the grant to client application")
    assert (page.status, "Access was not granted" in page.text) == (403, True)
    assert "access was denied" in browser.outcome("ReauthenticationRequired").text


@pytest.mark.fault(40, "another site sends a denial that the user cannot see", "an error page; the sign-in continues")
@pytest.mark.parametrize("fetched_for", ["image", "iframe", "empty"])
def test_denial_that_the_user_cannot_see_is_ignored(browser: Browser, fetched_for: str) -> None:
    assert browser.get("/callback?error=401", Sec_Fetch_Dest=fetched_for).status == 400
    browser.sign_in()


@pytest.mark.fault(
    40, "a denial without `state` in another format than the service's", "an error page; the sign-in continues"
)
@pytest.mark.parametrize(
    "response", [{"error": "access_denied"}, {"error": "401", "state": "another"}, {"error": "401", "code": "c"}]
)
def test_denial_without_state_in_another_format_is_ignored(browser: Browser, response: dict[str, str]) -> None:
    assert browser.redirect(**response).status == 400
    browser.sign_in()


@pytest.mark.fault(
    40, "a valid `state` without a code, or with an error", "an error; the page reports it", "ApiResponseError"
)
@pytest.mark.parametrize(
    "response",
    [{}, {"code": ""}, {"error": "server_error", "error_description": "broken \x1b[2J"}],
    ids=["no code", "empty code", "error"],
)
def test_response_without_a_code_raises_api_response_error(browser: Browser, response: dict[str, str]) -> None:
    assert browser.redirect(**response, state=browser.state).status == 403
    assert "\x1b" not in browser.outcome("ApiResponseError").text


@pytest.mark.fault(40, "the service refuses the code", "an error; the page reports it", "ReauthenticationRequired")
def test_refused_code_raises_reauthentication_required(browser: Browser, service: RecordingServer) -> None:
    service.respond_with(http_response({"message": f"{CODE} is wrong."}, 401))
    assert browser.redirect(code=CODE, state=browser.state).status == 502
    browser.outcome("ReauthenticationRequired")


@pytest.mark.fault(40, "the port of the redirect URI is in use", "an error with the port; no browser opens", "OSError")
def test_redirect_uri_with_a_port_in_use_raises_os_error(
    start: Callable[..., Caller], service: RecordingServer
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        options = {"redirect_uri": f"http://127.0.0.1:{port}/callback"}
        outcome = start(service.url, "sign_in", options=options).outcomes()[0]
    assert outcome.kind == "OSError"
    assert f"Port {port} of 127.0.0.1 (from the redirect URI) is already in use" in outcome.text
    assert "The page is" not in outcome.output


@pytest.mark.fault(40, "the redirect URI has a port and a path", "both are used", "ReauthenticationRequired")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_port_and_path_of_the_redirect_uri_are_used(
    start: Callable[..., Caller], service: RecordingServer, host: str
) -> None:
    uri = f"http://{host}:{unused_port()}/signed/in?tenant=7"
    browser = Browser(start(service.url, "sign_in", options={"redirect_uri": uri}))
    assert browser.redirect_uri.geturl() == uri
    authority = browser.redirect_uri.netloc
    assert browser.get("/callback?error=401", Host=authority).status == 404
    assert browser.get("/signed/in?tenant=7&error=401", Host=authority).status == 403
    browser.outcome("ReauthenticationRequired")


@pytest.mark.fault(40, "no browser opens", "the URL is printed; the response is still accepted")
@pytest.mark.parametrize("opens", ["fails", "nothing"])
def test_url_is_printed_if_no_browser_opens(start: Callable[..., Caller], service: RecordingServer, opens: str) -> None:
    program = start(service.url, "sign_in", options={"opens": opens})
    program.wait_until_it_says("To sign in, open this URL in a browser")
    Browser(program).sign_in()


@pytest.mark.fault(40, "no response", "an error at the timeout", "ApiTimeoutError")
def test_missing_response_raises_api_timeout_error(start: Callable[..., Caller], service: RecordingServer) -> None:
    browser = Browser(start(service.url, "sign_in", options={"timeout": 0.5}))
    assert "timed out waiting for the sign-in" in browser.outcome("ApiTimeoutError").text


@pytest.mark.fault(40, "Ctrl-C while the user signs in", "raised at once", "KeyboardInterrupt")
def test_ctrl_c_while_the_user_signs_in_is_raised_at_once(
    start: Callable[..., Caller], service: RecordingServer
) -> None:
    program = start(service.url, "sign_in")
    browser = Browser(program)
    pressed = program.interrupt()
    assert browser.outcome("KeyboardInterrupt").ended - pressed < 10  # seconds, much less than each timeout


@pytest.mark.fault(40, "Ctrl-C while the code is exchanged", "raised at once", "KeyboardInterrupt")
def test_ctrl_c_during_the_code_exchange_is_raised_at_once(start: Callable[..., Caller]) -> None:
    def interrupt(connection: socket.socket) -> None:
        pressed.append(program.interrupt())
        never_respond(connection)

    pressed: list[float] = []
    with RecordingServer([interrupt]) as service:
        program = start(service.url, "sign_in")
        browser = Browser(program)
        browser.redirect(code=CODE, state=browser.state)
        assert browser.outcome("KeyboardInterrupt").ended - pressed[0] < 1


@pytest.fixture
def page(flow: bluejeans.AuthorizationCodeFlow) -> str:
    """Return the page that the user sees after a sign-in."""
    shown = []

    def open_browser(url: str) -> None:
        shown.append(BrowserUser().sign_in(url))

    flow.run(open_browser=open_browser)
    return shown[0]


def test_result_page_states_the_result_and_that_the_tab_can_be_closed(page: str) -> None:
    assert "<h1>You are signed in</h1><p>You can close this tab and return to An example.</p>" in page


def test_result_page_has_a_language_a_title_and_both_color_schemes(page: str) -> None:
    for part in ('<html lang="en">', "<title>You are signed in</title>", "color-scheme:light dark", "<main>"):
        assert part in page


def test_result_page_loads_no_other_resource(page: str) -> None:
    assert not [part for part in ("http", "src=", "href=", "<script", "url(") if part in page]


def test_receiver_listens_on_the_loopback_address_only() -> None:
    with LoopbackReceiver(f"http://localhost:{unused_port()}/callback", PendingSignIn("s")) as receiver:
        port = urlsplit(receiver.redirect_uri).port
        assert receiver._server.server_address == ("127.0.0.1", port)
    socket.create_server(("127.0.0.1", port or 0)).close()
