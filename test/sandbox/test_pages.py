"""The headers of the sandbox's pages and the event stream of the journal; test/browser tests them in a browser."""

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
    query = {"clientId": sandbox.client_id, "redirectUri": sandbox.redirect_uri, **other}
    return f"{sandbox.url}/oauth2/authorize?{urlencode(query)}"


def policy(response: urllib3.BaseHTTPResponse) -> dict[str, str]:
    """Return the directives of the Content-Security-Policy header."""
    parts = response.headers["Content-Security-Policy"].split("; ")
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
    def test_security_headers_protect_every_page(self, page: urllib3.BaseHTTPResponse, name: str, value: str) -> None:
        assert page.headers[name] == value

    def test_content_security_policy_allows_only_its_own_origin(self, page: urllib3.BaseHTTPResponse) -> None:
        allowed = policy(page)
        assert allowed["default-src"] == "'none'"
        for kind in ("script-src", "style-src", "img-src", "connect-src"):
            assert allowed[kind] == "'self'"

    def test_content_security_policy_forbids_framing(self, page: urllib3.BaseHTTPResponse) -> None:
        assert policy(page)["frame-ancestors"] == "'none'"

    def test_content_security_policy_forbids_inline_code(self, page: urllib3.BaseHTTPResponse) -> None:
        assert "unsafe" not in page.headers["Content-Security-Policy"]

    def test_redirect_with_the_code_is_not_cached(self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        fields = {
            "clientId": bluejeans_sandbox.client_id,
            "redirectUri": bluejeans_sandbox.redirect_uri,
            "username": bluejeans_sandbox.username,
            "password": bluejeans_sandbox.password,
            "decision": "allow",
        }
        url = f"{bluejeans_sandbox.url}/oauth2/authorize"
        response = http.request("POST", url, fields=fields, encode_multipart=False, redirect=False)
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"


class TestForm:
    def test_form_may_redirect_to_a_private_use_uri_scheme(self, http: urllib3.PoolManager) -> None:
        """Apps on phones use such redirect URIs (RFC 8252, section 7.1)."""
        accounts = Accounts(redirect_uris=("com.example.app:/callback",))
        with Sandbox(accounts=accounts) as sandbox:
            response = http.request("GET", authorization(sandbox))
        assert policy(response)["form-action"] == "'self' com.example.app: http: https:"

    def test_form_ignores_unknown_fields_of_the_query(
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
    def test_logo_is_loaded_only_from_the_host_of_the_redirect_uri(
        self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager, url: str, source: str
    ) -> None:
        response = http.request("GET", authorization(bluejeans_sandbox, appLogoUrl=url))
        assert policy(response)["img-src"] == source


class TestEvents:
    """The journal page receives its requests as Server-Sent Events."""

    @pytest.fixture
    def events(self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager) -> Iterator[Iterator[tuple[str, Any]]]:
        send_request(bluejeans_sandbox, http)
        response = http.request("GET", f"{bluejeans_sandbox.url}/sandbox/events", preload_content=False)
        yield read_events(response)
        response.close()

    def test_event_stream_starts_with_earlier_requests(self, events: Iterator[tuple[str, Any]]) -> None:
        names = [next(events)[0] for _ in range(3)]
        assert names == ["reset", "request", "state"]

    def test_event_stream_sends_each_new_request(
        self, events: Iterator[tuple[str, Any]], bluejeans_sandbox: Sandbox, http: urllib3.PoolManager
    ) -> None:
        for _ in range(3):
            next(events)
        send_request(bluejeans_sandbox, http)
        name, recorded = next(events)
        assert (name, recorded["path"], recorded["status"]) == ("request", "/oauth2/tokenInfo?access_token=***", 401)

    def test_event_stream_sends_the_number_of_pending_faults(
        self, events: Iterator[tuple[str, Any]], bluejeans_sandbox: Sandbox
    ) -> None:
        for _ in range(3):
            next(events)
        bluejeans_sandbox.fail_next(2)
        assert next(events) == ("state", {"tokens": 0, "faults": 2, "refreshes_to_reject": 0})

    def test_event_stream_sends_a_reset_of_the_sandbox(
        self, events: Iterator[tuple[str, Any]], bluejeans_sandbox: Sandbox
    ) -> None:
        for _ in range(3):
            next(events)
        bluejeans_sandbox.reset()
        assert next(events)[0] == "reset"

    def test_event_stream_limits_the_number_of_earlier_requests(
        self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(controls, "RECALLED", 2)
        for _ in range(3):
            send_request(bluejeans_sandbox, http)
        response = http.request("GET", f"{bluejeans_sandbox.url}/sandbox/events", preload_content=False)
        events = read_events(response)
        assert [next(events)[0] for _ in range(4)] == ["reset", "request", "request", "state"]
        response.close()

    def test_event_stream_sends_heartbeats(
        self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With heartbeats, the sandbox notices that a client has disconnected."""
        monkeypatch.setattr(controls, "HEARTBEAT", 0.01)
        response = http.request("GET", f"{bluejeans_sandbox.url}/sandbox/events", preload_content=False)
        assert "heartbeat" in (name for name, _ in read_events(response))
        response.close()

    def test_event_stream_request_is_not_in_the_journal(
        self, events: Iterator[tuple[str, Any]], bluejeans_sandbox: Sandbox
    ) -> None:
        next(events)
        assert len(bluejeans_sandbox.requests) == 1

    @pytest.mark.parametrize("tls", [False, True])
    def test_open_event_stream_does_not_delay_close(self, tls: bool) -> None:
        before = set(threading.enumerate())
        with Sandbox(tls=tls) as sandbox, urllib3.PoolManager(ca_certs=sandbox.ca_cert, retries=False) as http:
            response = http.request("GET", f"{sandbox.url}/sandbox/events", preload_content=False)
            next(read_events(response))
            sandbox.close()
            assert set(threading.enumerate()) <= before  # Unrelated threads may have exited.
            response.close()


def send_request(sandbox: Sandbox, http: urllib3.PoolManager) -> None:
    http.request("GET", f"{sandbox.url}/oauth2/tokenInfo?access_token=made-up")


def read_events(response: urllib3.BaseHTTPResponse) -> Iterator[tuple[str, Any]]:
    """Yield the name and the data of each event of a stream."""
    text = ""
    while chunk := response.read(1):
        text += chunk.decode()
        if text.endswith("\n\n"):
            event, data = text.splitlines()[:2]
            yield event.partition(": ")[2], json.loads(data.partition(": ")[2])
            text = ""
