"""The sandbox's pages as bytes: their headers, and the journal's stream. test/browser has them in a browser."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import urllib3

from BlueJeansMeetingsRestApi.sandbox import Accounts, Sandbox, controls


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False) as http:
        yield http


def authorization(sandbox: Sandbox, **other: str) -> str:
    asked = {"clientId": sandbox.client_id, "redirectUri": sandbox.redirect_uri, **other}
    return f"{sandbox.url}/oauth2/authorize?{urlencode(asked)}"


def policy(answer: urllib3.BaseHTTPResponse) -> dict[str, str]:
    """The Content-Security-Policy by its directives."""
    parts = answer.headers["Content-Security-Policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


class TestHeaders:
    @pytest.fixture(params=["journal", "sign-in", "refused"])
    def page(
        self, request: pytest.FixtureRequest, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager
    ) -> urllib3.BaseHTTPResponse:
        urls = {
            "journal": f"{bluejeans_sandbox.url}/sandbox",
            "sign-in": authorization(bluejeans_sandbox),
            "refused": authorization(bluejeans_sandbox, clientId="unknown"),
        }
        return http.request("GET", urls[request.param])

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
        ],
    )
    def test_keep_the_page_to_this_browser(self, page: urllib3.BaseHTTPResponse, name: str, value: str) -> None:
        assert page.headers[name] == value

    def test_let_the_page_load_nothing_from_elsewhere(self, page: urllib3.BaseHTTPResponse) -> None:
        allowed = policy(page)
        assert allowed["default-src"] == "'none'"
        for kind in ("script-src", "style-src", "img-src", "connect-src"):
            assert allowed[kind] == "'self'"

    def test_let_no_page_frame_it(self, page: urllib3.BaseHTTPResponse) -> None:
        assert policy(page)["frame-ancestors"] == "'none'"

    def test_forbid_what_is_written_into_the_page(self, page: urllib3.BaseHTTPResponse) -> None:
        assert "unsafe" not in page.headers["Content-Security-Policy"]

    def test_the_redirect_with_the_code_is_not_stored(
        self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager
    ) -> None:
        fields = {
            "clientId": bluejeans_sandbox.client_id,
            "redirectUri": bluejeans_sandbox.redirect_uri,
            "username": bluejeans_sandbox.username,
            "password": bluejeans_sandbox.password,
            "decision": "allow",
        }
        url = f"{bluejeans_sandbox.url}/oauth2/authorize"
        answer = http.request("POST", url, fields=fields, encode_multipart=False, redirect=False)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


class TestForm:
    def test_may_lead_to_an_application_with_a_scheme_of_its_own(self, http: urllib3.PoolManager) -> None:
        """RFC 8252 section 7.1, as phones have it."""
        accounts = Accounts(redirect_uris=("com.example.app:/callback",))
        with Sandbox(accounts=accounts) as sandbox:
            answer = http.request("GET", authorization(sandbox))
        assert policy(answer)["form-action"] == "'self' com.example.app: http: https:"

    def test_repeats_no_field_that_is_not_of_the_request(
        self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager
    ) -> None:
        page = http.request("GET", authorization(bluejeans_sandbox, password="in-the-address", decision="allow"))
        assert b"in-the-address" not in page.data
        assert page.data.count(b'name="password"') == 1


class TestLogo:
    @pytest.mark.parametrize(
        ("url", "source"),
        [
            ("https://app.example/logo.png", "'self' https://app.example"),
            ("http://app.example:8080/logo.png", "'self' http://app.example:8080"),
            ("https://cdn.example/logo.png", "'self'"),
            ("https://user@app.example/logo.png", "'self'"),
            ("https://app.example;script-src *;/logo.png", "'self'"),
            ("https://app.example:port/logo.png", "'self'"),
            ("ftp://app.example/logo.png", "'self'"),
            ("data:image/png;base64,AAAA", "'self'"),
        ],
    )
    def test_is_loaded_from_the_host_of_the_redirect_uri_alone(
        self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager, url: str, source: str
    ) -> None:
        answer = http.request("GET", authorization(bluejeans_sandbox, appLogoUrl=url))
        assert policy(answer)["img-src"] == source


class TestEvents:
    """The journal as Server-Sent Events, by which the page shows requests as they are answered."""

    @pytest.fixture
    def events(self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager) -> Iterator[Iterator[tuple[str, Any]]]:
        ask(bluejeans_sandbox, http)
        answer = http.request("GET", f"{bluejeans_sandbox.url}/sandbox/events", preload_content=False)
        yield read_events(answer)
        answer.close()

    def test_start_with_what_was_seen_before(self, events: Iterator[tuple[str, Any]]) -> None:
        names = [next(events)[0] for _ in range(3)]
        assert names == ["reset", "request", "state"]

    def test_tell_each_request_as_it_comes(
        self, events: Iterator[tuple[str, Any]], bluejeans_sandbox: Sandbox, http: urllib3.PoolManager
    ) -> None:
        for _ in range(3):
            next(events)
        ask(bluejeans_sandbox, http)
        name, seen = next(events)
        assert (name, seen["path"], seen["status"]) == ("request", "/oauth2/tokenInfo?access_token=***", 401)

    def test_tell_what_waits_to_fail(self, events: Iterator[tuple[str, Any]], bluejeans_sandbox: Sandbox) -> None:
        for _ in range(3):
            next(events)
        bluejeans_sandbox.fail_next(2)
        assert next(events) == ("state", {"tokens": 0, "faults": 2, "refreshes_to_reject": 0})

    def test_start_anew_with_the_sandbox(self, events: Iterator[tuple[str, Any]], bluejeans_sandbox: Sandbox) -> None:
        for _ in range(3):
            next(events)
        bluejeans_sandbox.reset()
        assert next(events)[0] == "reset"

    def test_recall_so_many_requests_from_before_and_no_more(
        self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(controls, "RECALLED", 2)
        for _ in range(3):
            ask(bluejeans_sandbox, http)
        answer = http.request("GET", f"{bluejeans_sandbox.url}/sandbox/events", preload_content=False)
        events = read_events(answer)
        assert [next(events)[0] for _ in range(4)] == ["reset", "request", "request", "state"]
        answer.close()

    def test_say_now_and_then_that_the_sandbox_is_there(
        self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By which the sandbox notices that a follower is not."""
        monkeypatch.setattr(controls, "HEARTBEAT", 0.01)
        answer = http.request("GET", f"{bluejeans_sandbox.url}/sandbox/events", preload_content=False)
        assert "heartbeat" in (name for name, _ in read_events(answer))
        answer.close()

    def test_are_not_in_the_journal_themselves(
        self, events: Iterator[tuple[str, Any]], bluejeans_sandbox: Sandbox
    ) -> None:
        next(events)
        assert len(bluejeans_sandbox.requests) == 1

    @pytest.mark.parametrize("tls", [False, True])
    def test_do_not_hold_up_the_end(self, tls: bool) -> None:
        before = set(threading.enumerate())
        with Sandbox(tls=tls) as sandbox, urllib3.PoolManager(ca_certs=sandbox.ca_cert, retries=False) as http:
            answer = http.request("GET", f"{sandbox.url}/sandbox/events", preload_content=False)
            next(read_events(answer))
            sandbox.close()
            assert set(threading.enumerate()) <= before  # others may have ended
            answer.close()


def ask(sandbox: Sandbox, http: urllib3.PoolManager) -> None:
    http.request("GET", f"{sandbox.url}/oauth2/tokenInfo?access_token=made-up")


def read_events(answer: urllib3.BaseHTTPResponse) -> Iterator[tuple[str, Any]]:
    """The events of a stream, each with its data."""
    text = ""
    while piece := answer.read(1):
        text += piece.decode()
        if text.endswith("\n\n"):
            event, data = text.splitlines()[:2]
            yield event.partition(": ")[2], json.loads(data.partition(": ")[2])
            text = ""
