"""Row 40: what comes to the redirect URI of a sign-in, or does not."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from support.caller import SECRETS
from support.caller_process import GRANT, Caller, Outcome
from support.recording_server import RecordingServer, http_response, never_respond, unused_port

pytestmark = pytest.mark.slow  # Each test starts a process.

CODE = SECRETS["code"]
TOKENS = {**GRANT, "refresh_token": SECRETS["granted_refresh_token"], "scope": {"user": 7}}


class Page(NamedTuple):
    """What the person sees."""

    status: int
    headers: http.client.HTTPMessage
    text: str


class Browser:
    """What the person has in front of them, and anybody else who reaches this machine."""

    def __init__(self, program: Caller) -> None:
        self._program = program
        url = program.wait_until_it_says("The page is").split()[-1]
        asked = parse_qs(urlsplit(url).query)
        self.state = asked["state"][0]
        self.redirect_uri = urlsplit(asked["redirectUri"][0])

    def get(self, path: str | None = None, *, method: str = "GET", body: str | None = None, **headers: str) -> Page:
        path = self.redirect_uri.path if path is None else path
        connection = http.client.HTTPConnection("127.0.0.1", self.redirect_uri.port, timeout=30)
        connection.request(method, path, body, {n.replace("_", "-"): value for n, value in headers.items()})
        answer = connection.getresponse()
        page = Page(answer.status, answer.headers, answer.read().decode())
        connection.close()
        assert [secret for secret in (CODE, self.state) if secret in f"{page.headers}{page.text}"] == []
        return page

    def come_back(self, **answer: str) -> Page:
        return self.get(f"{self.redirect_uri.path}?{urlencode(answer)}")

    def outcome(self, kind: str = "") -> Outcome:
        """How the sign-in ended; its port is free then."""
        outcome = self._program.outcomes()[-1]
        assert outcome.kind == kind, outcome.output
        socket.create_server(("127.0.0.1", self.redirect_uri.port or 0)).close()
        return outcome

    def sign_in(self) -> Outcome:
        """Bring the right answer, and all is well."""
        assert self.come_back(code=CODE, state=self.state).status == 200
        return self.outcome()


@pytest.fixture
def service() -> Iterator[RecordingServer]:
    with RecordingServer([http_response(TOKENS)]) as service:
        yield service


@pytest.fixture
def browser(start: Callable[..., Caller], service: RecordingServer) -> Browser:
    return Browser(start(service.url, "sign_in"))


@pytest.mark.fault(40, "the right answer comes", "its code is exchanged at once; the page says that all is well")
def test_the_right_answer_comes(browser: Browser, service: RecordingServer) -> None:
    page = browser.come_back(code=CODE, state=browser.state)
    assert (page.status, "You are signed in" in page.text) == (200, True)
    assert browser.outcome().data > 0
    assert [request.json["code"] for request in service.requests] == [CODE]


@pytest.mark.fault(40, "the state is missing, another, or comes twice", "a page says so; the sign-in goes on")
@pytest.mark.parametrize("state", ["", "&state=another", "&state=", "&state={state}&state={state}", "&state=%ff"])
def test_the_state_is_wrong(browser: Browser, service: RecordingServer, state: str) -> None:
    page = browser.get(f"/callback?code={CODE}{state.format(state=browser.state)}")
    assert (page.status, "was not waited for" in page.text) == (400, True)
    assert service.requests == []
    browser.sign_in()


@pytest.mark.fault(40, "a second answer comes", "a page says so; one code is exchanged", "ReauthenticationRequired")
def test_a_second_answer_comes(start: Callable[..., Caller]) -> None:
    def answer_while_the_first_is_exchanged(connection: socket.socket) -> None:
        second.append(browser.come_back(code="another", state=browser.state))
        connection.sendall(http_response({"message": "No."}, 401))

    second: list[Page] = []
    with RecordingServer([answer_while_the_first_is_exchanged]) as service:
        browser = Browser(start(service.url, "sign_in"))
        first = browser.come_back(code=CODE, state=browser.state)
        browser.outcome("ReauthenticationRequired")
    assert [first.status, second[0].status] == [502, 409]
    assert "The sign-in did not work" in first.text
    assert [request.json["code"] for request in service.requests] == [CODE]


@pytest.mark.fault(40, "the browser asks for a favicon, or another path, first", "404; the sign-in goes on")
@pytest.mark.parametrize("path", ["/favicon.ico", "/", "/callback/", "/callback/x"])
def test_another_path_is_asked_for(browser: Browser, path: str) -> None:
    assert browser.get(path).status == 404
    browser.sign_in()


@pytest.mark.fault(40, "the browser connects ahead, and keeps silent", "it holds nobody up")
def test_a_connection_keeps_silent(browser: Browser) -> None:
    with socket.create_connection(("127.0.0.1", browser.redirect_uri.port or 0)) as silent:
        browser.sign_in()
        assert silent.recv(1) == b""


@pytest.mark.fault(40, "what comes is no HTTP", "a page of ours, which quotes nothing; the sign-in goes on")
def test_what_comes_is_no_http(browser: Browser) -> None:
    with socket.create_connection(("127.0.0.1", browser.redirect_uri.port or 0)) as connection:
        connection.sendall(f"GET /callback?code={CODE} and more\r\n\r\n".encode())
        answer = connection.makefile("rb").read().decode()
    assert "This is no answer of a browser" in answer
    assert CODE not in answer
    browser.sign_in()


@pytest.mark.fault(40, "POST, or another method than GET", "405; the sign-in goes on")
@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "PUT", "DANCE"])
def test_another_method_is_used(browser: Browser, service: RecordingServer, method: str) -> None:
    answer = urlencode({"code": CODE, "state": browser.state})
    page = browser.get(f"/callback?{answer}", method=method, body=answer if method in ("POST", "PUT") else None)
    assert (page.status, page.headers["Allow"]) == (405, "GET")
    assert service.requests == []
    browser.sign_in()


@pytest.mark.fault(40, "the Host header is another one (DNS rebinding)", "421; the sign-in goes on")
@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1", "localhost:{port}", "127.0.0.1:{port}.example", ""])
def test_the_host_is_another(browser: Browser, service: RecordingServer, host: str) -> None:
    answer = urlencode({"code": CODE, "state": browser.state})
    assert browser.get(f"/callback?{answer}", Host=host.format(port=browser.redirect_uri.port)).status == 421
    assert service.requests == []
    browser.sign_in()


@pytest.mark.fault(40, "the user denies", "ended; the page says so", "ReauthenticationRequired")
@pytest.mark.parametrize("answer", [{"error": "access_denied", "state": ""}, {"error": "401"}], ids=["RFC", "service"])
def test_the_user_denies(browser: Browser, answer: dict[str, str]) -> None:
    answer = {name: value or browser.state for name, value in answer.items()}
    page = browser.come_back(**answer, error_description="User rejects the grant to client application")
    assert (page.status, "ended without access" in page.text) == (403, True)
    assert "access was denied" in browser.outcome("ReauthenticationRequired").text


@pytest.mark.fault(
    40, "another site says that the user denies, where nobody sees it", "a page says so; the sign-in goes on"
)
@pytest.mark.parametrize("fetched_for", ["image", "iframe", "empty"])
def test_a_denial_is_not_seen(browser: Browser, fetched_for: str) -> None:
    assert browser.get("/callback?error=401", Sec_Fetch_Dest=fetched_for).status == 400
    browser.sign_in()


@pytest.mark.fault(40, "a denial without state, but not in the service's words", "a page says so; the sign-in goes on")
@pytest.mark.parametrize(
    "answer", [{"error": "access_denied"}, {"error": "401", "state": "another"}, {"error": "401", "code": "c"}]
)
def test_a_denial_is_not_the_services(browser: Browser, answer: dict[str, str]) -> None:
    assert browser.come_back(**answer).status == 400
    browser.sign_in()


@pytest.mark.fault(40, "the right state and no code, or an error", "ended; the page says so", "ApiResponseError")
@pytest.mark.parametrize(
    "answer",
    [{}, {"code": ""}, {"error": "server_error", "error_description": "broken \x1b[2J"}],
    ids=["no code", "an empty code", "an error"],
)
def test_there_is_no_code(browser: Browser, answer: dict[str, str]) -> None:
    assert browser.come_back(**answer, state=browser.state).status == 403
    assert "\x1b" not in browser.outcome("ApiResponseError").text


@pytest.mark.fault(40, "the service refuses the code", "ended; the page says so", "ReauthenticationRequired")
def test_the_service_refuses_the_code(browser: Browser, service: RecordingServer) -> None:
    service.respond_with(http_response({"message": f"{CODE} is wrong."}, 401))
    assert browser.come_back(code=CODE, state=browser.state).status == 502
    browser.outcome("ReauthenticationRequired")


@pytest.mark.fault(40, "the port of the redirect URI is taken", "nothing is opened; says which port", "OSError")
def test_the_port_is_taken(start: Callable[..., Caller], service: RecordingServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        options = {"redirect_uri": f"http://127.0.0.1:{port}/callback"}
        outcome = start(service.url, "sign_in", options=options).outcomes()[0]
    assert outcome.kind == "OSError"
    assert f"port {port} of 127.0.0.1, which the redirect URI names, is taken" in outcome.text
    assert "The page is" not in outcome.output


@pytest.mark.fault(40, "the redirect URI has a port and a path", "they are the ones", "ReauthenticationRequired")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_redirect_uri_has_a_port(start: Callable[..., Caller], service: RecordingServer, host: str) -> None:
    uri = f"http://{host}:{unused_port()}/signed/in?tenant=7"
    browser = Browser(start(service.url, "sign_in", options={"redirect_uri": uri}))
    assert browser.redirect_uri.geturl() == uri
    authority = browser.redirect_uri.netloc
    assert browser.get("/callback?error=401", Host=authority).status == 404
    assert browser.get("/signed/in?tenant=7&error=401", Host=authority).status == 403
    browser.outcome("ReauthenticationRequired")


@pytest.mark.fault(40, "no browser opens", "the address is printed; the answer is taken all the same")
@pytest.mark.parametrize("opens", ["fails", "nothing"])
def test_no_browser_opens(start: Callable[..., Caller], service: RecordingServer, opens: str) -> None:
    program = start(service.url, "sign_in", options={"opens": opens})
    program.wait_until_it_says("To sign in, open this address in a browser")
    Browser(program).sign_in()


@pytest.mark.fault(40, "nobody comes", "ended when the time is over", "ApiTimeoutError")
def test_nobody_comes(start: Callable[..., Caller], service: RecordingServer) -> None:
    browser = Browser(start(service.url, "sign_in", options={"timeout": 0.5}))
    assert "nobody signed in" in browser.outcome("ApiTimeoutError").text


@pytest.mark.fault(40, "Ctrl-C while the person signs in", "it gets through at once", "KeyboardInterrupt")
def test_while_the_person_signs_in(start: Callable[..., Caller], service: RecordingServer) -> None:
    program = start(service.url, "sign_in")
    browser = Browser(program)
    pressed = program.interrupt()
    assert browser.outcome("KeyboardInterrupt").ended - pressed < 1


@pytest.mark.fault(40, "Ctrl-C while the code is exchanged", "it gets through at once", "KeyboardInterrupt")
def test_while_the_code_is_exchanged(start: Callable[..., Caller]) -> None:
    def interrupt(connection: socket.socket) -> None:
        pressed.append(program.interrupt())
        never_respond(connection)

    pressed: list[float] = []
    with RecordingServer([interrupt]) as service:
        program = start(service.url, "sign_in")
        browser = Browser(program)
        browser.come_back(code=CODE, state=browser.state)
        assert browser.outcome("KeyboardInterrupt").ended - pressed[0] < 1
