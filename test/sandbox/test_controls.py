"""The controls of the sandbox, in the process of the test, in a child process, and over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Refusal, Sandbox

Control = Callable[..., Any]


@pytest.fixture(scope="module", params=["in process", "child"])
def running(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(process=request.param == "child") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False) as http:
        yield http


@pytest.fixture(params=["method", "HTTP"])
def control(request: pytest.FixtureRequest, sandbox: Sandbox, http: urllib3.PoolManager) -> Control:
    """Return a function that calls a control by its name: as a method of the sandbox, or over HTTP."""

    def over_http(name: str, **arguments: Any) -> Any:
        response = send_control(http, sandbox, name, arguments)
        assert response.status == 200
        return json.loads(response.data)

    def by_method(name: str, **arguments: Any) -> Any:
        return getattr(sandbox, name)(**arguments)

    return over_http if request.param == "HTTP" else by_method


def send_control(
    http: urllib3.PoolManager, sandbox: Sandbox, name: str, arguments: Any, **headers: str
) -> urllib3.BaseHTTPResponse:
    headers = {"Content-Type": "application/json", **headers}
    return http.request("POST", f"{sandbox.url}/sandbox/{name}", body=json.dumps(arguments), headers=headers)


class Client:
    """A client of the sandbox that does not retry."""

    def __init__(self, http: urllib3.PoolManager, sandbox: Sandbox) -> None:
        self._http, self._sandbox = http, sandbox
        self._application = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}

    def send(self, **body: str) -> urllib3.BaseHTTPResponse:
        body = {**self._application, **body}
        return self._http.request("POST", f"{self._sandbox.url}/oauth2/token", body=json.dumps(body))

    def sign_in(self) -> dict[str, Any]:
        code = {"code": self._sandbox.authorize(), "redirectUri": self._sandbox.redirect_uri}
        return dict(json.loads(self.send(grant_type="authorization_code", **code).data))

    def refresh(self, tokens: dict[str, Any]) -> int:
        return self.send(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status

    def client_grant(self) -> urllib3.BaseHTTPResponse:
        return self.send(grant_type="client_credentials")

    def info(self, tokens: dict[str, Any]) -> int:
        fields = {"access_token": tokens["access_token"]}
        return self._http.request("GET", f"{self._sandbox.url}/oauth2/tokenInfo", fields=fields).status


@pytest.fixture
def client(http: urllib3.PoolManager, sandbox: Sandbox) -> Client:
    return Client(http, sandbox)


class TestExpireTokens:
    def test_expire_tokens_expires_every_access_token(self, control: Control, client: Client) -> None:
        tokens = [client.sign_in(), client.sign_in()]
        control("expire_tokens")
        assert list(map(client.info, tokens)) == [401, 401]

    def test_expire_tokens_with_a_token_expires_only_that_one(self, control: Control, client: Client) -> None:
        tokens = [client.sign_in(), client.sign_in()]
        control("expire_tokens", token=tokens[0]["access_token"])
        assert list(map(client.info, tokens)) == [401, 200]

    def test_expire_tokens_does_not_affect_refresh_tokens(self, control: Control, client: Client) -> None:
        tokens = client.sign_in()
        control("expire_tokens")
        assert client.refresh(tokens) == 200

    def test_expire_tokens_does_not_affect_later_tokens(self, control: Control, client: Client) -> None:
        control("expire_tokens")
        assert client.info(client.sign_in()) == 200


class TestRevokeTokens:
    def test_revoke_tokens_revokes_every_token_and_refresh_token(self, control: Control, client: Client) -> None:
        tokens = client.sign_in()
        control("revoke_tokens")
        assert (client.info(tokens), client.refresh(tokens)) == (401, 401)

    def test_revoke_tokens_with_a_token_revokes_only_that_one(self, control: Control, client: Client) -> None:
        tokens = [client.sign_in(), client.sign_in()]
        control("revoke_tokens", token=tokens[0]["access_token"])
        assert list(map(client.refresh, tokens)) == [401, 200]


class TestRejectNextRefresh:
    def test_reject_next_refresh_refuses_one_refresh_by_default(self, control: Control, client: Client) -> None:
        tokens = client.sign_in()
        control("reject_next_refresh")
        assert [client.refresh(tokens), client.refresh(tokens)] == [401, 200]

    def test_reject_next_refresh_refuses_the_given_number_of_refreshes(self, control: Control, client: Client) -> None:
        tokens = client.sign_in()
        control("reject_next_refresh", count=2)
        assert [client.refresh(tokens) for _ in range(3)] == [401, 401, 200]

    def test_reject_next_refresh_does_not_affect_other_grants(self, control: Control, client: Client) -> None:
        control("reject_next_refresh")
        assert client.client_grant().status == 200

    def test_reset_clears_reject_next_refresh(self, control: Control, client: Client) -> None:
        control("reject_next_refresh")
        control("reset")
        assert client.refresh(client.sign_in()) == 200


class TestFailNext:
    def test_fail_next_without_a_status_sends_the_normal_response(self, control: Control, client: Client) -> None:
        control("fail_next", status=None, delay=0.01)
        assert client.client_grant().status == 200

    def test_fail_next_with_drip_sends_the_complete_body(self, control: Control, client: Client) -> None:
        control("fail_next", status=None, drip=0.3)
        response = client.client_grant()
        assert json.loads(response.data)["expires_in"] == 3600
        assert int(response.headers["Content-Length"]) == len(response.data)

    def test_fail_next_with_drip_sends_the_body_in_chunks(
        self, control: Control, client: Client, sandbox: Sandbox
    ) -> None:
        control("fail_next", status=None, drip=0.3)
        port = int(sandbox.url.rpartition(":")[2])
        pool = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False)
        with pool:
            response = pool.urlopen("GET", "/oauth2/tokenInfo", preload_content=False)
            pieces = []
            while piece := response._fp.fp.read1():  # type: ignore[union-attr]
                pieces.append(piece)
                if sum(map(len, pieces)) == int(response.headers["Content-Length"]):
                    break
        assert len(pieces) > 1

    def test_fail_next_with_drip_and_a_status_sends_an_error(self, control: Control, client: Client) -> None:
        control("fail_next", status=503, drip=0.1)
        response = client.client_grant()
        assert (response.status, json.loads(response.data)["code"]) == (503, 503)

    def test_fail_next_with_drip_sends_a_response_without_a_body(
        self, control: Control, client: Client, http: urllib3.PoolManager, sandbox: Sandbox
    ) -> None:
        tokens = client.sign_in()
        control("fail_next", status=None, drip=0.1)
        body = json.dumps({"client_id": sandbox.client_id, "client_secret": sandbox.client_secret})
        url = f"{sandbox.url}/oauth2/token?Revoke&access_token={tokens['access_token']}"
        assert http.request("DELETE", url, body=body).status == 204

    def test_fail_next_with_drop_and_no_status_handles_the_request_first(
        self, control: Control, client: Client, sandbox: Sandbox
    ) -> None:
        code = {"code": sandbox.authorize(), "redirectUri": sandbox.redirect_uri}
        control("fail_next", status=None, drop=True)
        with pytest.raises(urllib3.exceptions.ProtocolError):
            client.send(grant_type="authorization_code", **code)
        assert (
            client.send(grant_type="authorization_code", **code).status == 401
        )  # The first request consumed the code.


class TestJournal:
    def test_journal_marks_responses_changed_by_a_fault(self, client: Client, sandbox: Sandbox) -> None:
        sandbox.fail_next()
        client.client_grant()
        client.client_grant()
        assert [(recorded.status, recorded.fault) for recorded in sandbox.requests] == [(503, True), (200, False)]

    def test_journal_has_the_request_body_of_an_injected_fault(self, client: Client, sandbox: Sandbox) -> None:
        sandbox.fail_next()
        client.client_grant()
        (recorded,) = sandbox.requests
        assert (recorded.grant, recorded.request["client_secret"]) == ("client_credentials", "***")

    def test_journal_has_status_0_for_a_dropped_connection(self, client: Client, sandbox: Sandbox) -> None:
        sandbox.fail_next(drop=True)
        with pytest.raises(urllib3.exceptions.ProtocolError):
            client.client_grant()
        (recorded,) = sandbox.requests
        assert (recorded.status, recorded.response) == (0, None)
        assert " -> dropped in " in str(recorded)

    @pytest.mark.slow
    def test_journal_omits_late_responses_to_requests_before_a_reset(self, sandbox: Sandbox) -> None:
        """A test whose client disconnected must not affect the next test."""
        sandbox.fail_next(status=None, delay=2.0)
        with urllib3.PoolManager(retries=False) as impatient:
            send = impatient.request
            with pytest.raises(urllib3.exceptions.ReadTimeoutError):
                send("GET", f"{sandbox.url}/oauth2/tokenInfo", timeout=0.05)
            sandbox.reset()
            sandbox.fail_next(status=None, delay=2.5)  # This response is sent after the late one.
            send("GET", f"{sandbox.url}/nothing")
        assert [recorded.path for recorded in sandbox.requests] == ["/nothing"]


class TestLifetime:
    @pytest.mark.parametrize("process", [False, True])
    def test_lifetime_is_reported_and_enforced(self, http: urllib3.PoolManager, process: bool) -> None:
        with Sandbox(lifetime=60, process=process) as sandbox:
            client = Client(http, sandbox)
            tokens = client.sign_in()
            assert (tokens["expires_in"], client.info(tokens)) == (60, 200)
            sandbox.advance(60)
            assert client.info(tokens) == 401


class TestRefusals:
    def test_expire_tokens_refuses_an_unknown_token(self, sandbox: Sandbox) -> None:
        with pytest.raises(Refusal, match="There is no such token"):
            sandbox.expire_tokens("made up")

    def test_authorize_refuses_an_unknown_scope(self, sandbox: Sandbox) -> None:
        with pytest.raises(Refusal, match="Unknown scope: everything"):
            sandbox.authorize("everything")

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("advance", {"minutes": 1}),
            ("advance", {"seconds": "1"}),
            ("advance", [1]),
            ("fail_next", {"status": 99}),
            ("fail_next", {"status": "503"}),
            ("fail_next", {"count": "2"}),
            ("fail_next", {"delay": -1}),
            ("fail_next", {"drip": "slow"}),
            ("fail_next", {"headers": "Retry-After: 1"}),
            ("fail_next", {"body": {}}),
        ],
    )
    def test_invalid_control_arguments_return_400_and_have_no_effect(
        self, sandbox: Sandbox, http: urllib3.PoolManager, client: Client, name: str, arguments: Any
    ) -> None:
        response = send_control(http, sandbox, name, arguments)
        assert (response.status, json.loads(response.data)["code"]) == (400, 400)
        assert client.client_grant().status == 200

    @pytest.mark.parametrize("host", ["rebound.example", "rebound.example:80", "127.0.0.1.example", "[", ""])
    @pytest.mark.parametrize(
        ("method", "path"), [("POST", "/sandbox/requests"), ("GET", "/sandbox/events"), ("GET", "/")]
    )
    def test_requests_with_a_foreign_host_header_are_refused(
        self, sandbox: Sandbox, http: urllib3.PoolManager, method: str, path: str, host: str
    ) -> None:
        """DNS rebinding: to the browser, such a page and the sandbox have the same origin; the Host header differs."""
        headers = {"Content-Type": "application/json", "Host": host}
        response = http.request(method, sandbox.url + path, body="{}", headers=headers, redirect=False)
        assert response.status == 403

    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:1", "[::1]"])
    def test_controls_accept_every_loopback_host_name(
        self, sandbox: Sandbox, http: urllib3.PoolManager, host: str
    ) -> None:
        assert send_control(http, sandbox, "requests", {}, Host=host).status == 200

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    def test_controls_refuse_content_types_that_a_cross_site_form_can_send(
        self, sandbox: Sandbox, http: urllib3.PoolManager, content_type: str
    ) -> None:
        response = send_control(http, sandbox, "reset", {}, **{"Content-Type": content_type})
        assert response.status == 415

    def test_cors_preflight_request_is_not_allowed(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        headers = {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}
        response = http.request("OPTIONS", f"{sandbox.url}/sandbox/reset", headers=headers)
        assert [name for name in response.headers if name.lower().startswith("access-control")] == []


class TestMarkers:
    """The fixtures and markers of the pytest plugin."""

    def test_sandbox_fixture_uses_plain_http_by_default(self, bluejeans_sandbox: Sandbox) -> None:
        assert bluejeans_sandbox.url.startswith("http://127.0.0.1:")

    def test_api_fixture_sends_requests_to_the_sandbox_fixture(
        self, bluejeans_sandbox: Sandbox, bluejeans_api: bluejeans.AuthenticationApi
    ) -> None:
        bluejeans_api.get_token_by_password(
            {"grant_type": "password", "username": bluejeans_sandbox.username, "password": bluejeans_sandbox.password}
        )
        assert [recorded.grant for recorded in bluejeans_sandbox.requests] == ["password"]

    @pytest.mark.bluejeans_sandbox(tls=True, lifetime=5)
    def test_sandbox_marker_configures_the_sandbox_fixture(
        self, bluejeans_sandbox: Sandbox, bluejeans_api: bluejeans.AuthenticationApi
    ) -> None:
        request = {"client_id": bluejeans_sandbox.client_id, "client_secret": bluejeans_sandbox.client_secret}
        grant = bluejeans_api.get_token_by_client({"grant_type": "client_credentials", **request})
        assert (bluejeans_sandbox.url[:8], grant.expires_in) == ("https://", 5)

    @pytest.mark.bluejeans_fail_next(2, status=401)
    def test_fail_next_marker_injects_faults(self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        client = Client(http, bluejeans_sandbox)
        assert [client.client_grant().status for _ in range(3)] == [401, 401, 200]

    def test_faults_of_the_previous_test_are_cleared(
        self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager
    ) -> None:
        assert Client(http, bluejeans_sandbox).client_grant().status == 200

    @pytest.mark.bluejeans_sandbox(lifetime=5)
    class TestMarkerOnAClass:
        def test_sandbox_marker_on_a_class_applies_to_its_tests(
            self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager
        ) -> None:
            assert Client(http, bluejeans_sandbox).sign_in()["expires_in"] == 5

        @pytest.mark.bluejeans_sandbox(lifetime=7)
        def test_sandbox_marker_on_a_test_overrides_the_marker_on_its_class(
            self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager
        ) -> None:
            assert Client(http, bluejeans_sandbox).sign_in()["expires_in"] == 7
