"""The switches of the sandbox: from the test's own process, from another, and over HTTP from any language."""

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
    """Uses a switch by its name: the method of the sandbox, or POST /sandbox/<name>."""

    def over_http(name: str, **arguments: Any) -> Any:
        answer = control_over_http(http, sandbox, name, arguments)
        assert answer.status == 200
        return json.loads(answer.data)

    def by_method(name: str, **arguments: Any) -> Any:
        return getattr(sandbox, name)(**arguments)

    return over_http if request.param == "HTTP" else by_method


def control_over_http(
    http: urllib3.PoolManager, sandbox: Sandbox, name: str, arguments: Any, **headers: str
) -> urllib3.BaseHTTPResponse:
    headers = {"Content-Type": "application/json", **headers}
    return http.request("POST", f"{sandbox.url}/sandbox/{name}", body=json.dumps(arguments), headers=headers)


class Client:
    """A client of the sandbox that repeats nothing."""

    def __init__(self, http: urllib3.PoolManager, sandbox: Sandbox) -> None:
        self._http, self._sandbox = http, sandbox
        self._application = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}

    def ask(self, **body: str) -> urllib3.BaseHTTPResponse:
        body = {**self._application, **body}
        return self._http.request("POST", f"{self._sandbox.url}/oauth2/token", body=json.dumps(body))

    def sign_in(self) -> dict[str, Any]:
        code = {"code": self._sandbox.authorize(), "redirectUri": self._sandbox.redirect_uri}
        return dict(json.loads(self.ask(grant_type="authorization_code", **code).data))

    def refresh(self, tokens: dict[str, Any]) -> int:
        return self.ask(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status

    def client_grant(self) -> urllib3.BaseHTTPResponse:
        return self.ask(grant_type="client_credentials")

    def info(self, tokens: dict[str, Any]) -> int:
        fields = {"access_token": tokens["access_token"]}
        return self._http.request("GET", f"{self._sandbox.url}/oauth2/tokenInfo", fields=fields).status


@pytest.fixture
def client(http: urllib3.PoolManager, sandbox: Sandbox) -> Client:
    return Client(http, sandbox)


class TestExpireTokens:
    def test_ends_every_access_token(self, control: Control, client: Client) -> None:
        tokens = [client.sign_in(), client.sign_in()]
        control("expire_tokens")
        assert list(map(client.info, tokens)) == [401, 401]

    def test_ends_the_one_that_is_named(self, control: Control, client: Client) -> None:
        tokens = [client.sign_in(), client.sign_in()]
        control("expire_tokens", token=tokens[0]["access_token"])
        assert list(map(client.info, tokens)) == [401, 200]

    def test_leaves_the_refresh_token(self, control: Control, client: Client) -> None:
        tokens = client.sign_in()
        control("expire_tokens")
        assert client.refresh(tokens) == 200

    def test_does_not_reach_tokens_that_come_later(self, control: Control, client: Client) -> None:
        control("expire_tokens")
        assert client.info(client.sign_in()) == 200


class TestRevokeTokens:
    def test_takes_back_every_token_with_its_refresh_token(self, control: Control, client: Client) -> None:
        tokens = client.sign_in()
        control("revoke_tokens")
        assert (client.info(tokens), client.refresh(tokens)) == (401, 401)

    def test_takes_back_the_one_that_is_named(self, control: Control, client: Client) -> None:
        tokens = [client.sign_in(), client.sign_in()]
        control("revoke_tokens", token=tokens[0]["access_token"])
        assert list(map(client.refresh, tokens)) == [401, 200]


class TestRejectNextRefresh:
    def test_refuses_one_refresh_and_not_the_next(self, control: Control, client: Client) -> None:
        tokens = client.sign_in()
        control("reject_next_refresh")
        assert [client.refresh(tokens), client.refresh(tokens)] == [401, 200]

    def test_refuses_as_many_as_it_is_told(self, control: Control, client: Client) -> None:
        tokens = client.sign_in()
        control("reject_next_refresh", count=2)
        assert [client.refresh(tokens) for _ in range(3)] == [401, 401, 200]

    def test_leaves_other_grants_alone(self, control: Control, client: Client) -> None:
        control("reject_next_refresh")
        assert client.client_grant().status == 200

    def test_is_forgotten_on_reset(self, control: Control, client: Client) -> None:
        control("reject_next_refresh")
        control("reset")
        assert client.refresh(client.sign_in()) == 200


class TestFailNext:
    def test_without_a_status_the_answer_is_the_requests_own(self, control: Control, client: Client) -> None:
        control("fail_next", status=None, delay=0.01)
        assert client.client_grant().status == 200

    def test_a_slow_body_is_whole_in_the_end(self, control: Control, client: Client) -> None:
        control("fail_next", status=None, drip=0.3)
        answer = client.client_grant()
        assert json.loads(answer.data)["expires_in"] == 3600
        assert int(answer.headers["Content-Length"]) == len(answer.data)

    def test_a_slow_body_comes_in_pieces(self, control: Control, client: Client, sandbox: Sandbox) -> None:
        control("fail_next", status=None, drip=0.3)
        port = int(sandbox.url.rpartition(":")[2])
        pool = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False)
        with pool:
            answer = pool.urlopen("GET", "/oauth2/tokenInfo", preload_content=False)
            pieces = []
            while piece := answer._fp.fp.read1():  # type: ignore[union-attr]
                pieces.append(piece)
                if sum(map(len, pieces)) == int(answer.headers["Content-Length"]):
                    break
        assert len(pieces) > 1

    def test_an_error_may_be_slow_too(self, control: Control, client: Client) -> None:
        control("fail_next", status=503, drip=0.1)
        answer = client.client_grant()
        assert (answer.status, json.loads(answer.data)["code"]) == (503, 503)

    def test_an_answer_without_a_body_has_no_pieces(
        self, control: Control, client: Client, http: urllib3.PoolManager, sandbox: Sandbox
    ) -> None:
        tokens = client.sign_in()
        control("fail_next", status=None, drip=0.1)
        body = json.dumps({"client_id": sandbox.client_id, "client_secret": sandbox.client_secret})
        url = f"{sandbox.url}/oauth2/token?Revoke&access_token={tokens['access_token']}"
        assert http.request("DELETE", url, body=body).status == 204

    def test_the_answer_may_be_lost_after_the_request_was_handled(
        self, control: Control, client: Client, sandbox: Sandbox
    ) -> None:
        code = {"code": sandbox.authorize(), "redirectUri": sandbox.redirect_uri}
        control("fail_next", status=None, drop=True)
        with pytest.raises(urllib3.exceptions.ProtocolError):
            client.ask(grant_type="authorization_code", **code)
        assert client.ask(grant_type="authorization_code", **code).status == 401  # the code is spent


class TestJournal:
    def test_marks_what_a_fault_changed(self, client: Client, sandbox: Sandbox) -> None:
        sandbox.fail_next()
        client.client_grant()
        client.client_grant()
        assert [(seen.status, seen.fault) for seen in sandbox.requests] == [(503, True), (200, False)]

    def test_has_the_body_of_what_was_answered_with_a_fault(self, client: Client, sandbox: Sandbox) -> None:
        sandbox.fail_next()
        client.client_grant()
        (seen,) = sandbox.requests
        assert (seen.grant, seen.request["client_secret"]) == ("client_credentials", "***")

    def test_has_no_status_for_a_dropped_connection(self, client: Client, sandbox: Sandbox) -> None:
        sandbox.fail_next(drop=True)
        with pytest.raises(urllib3.exceptions.ProtocolError):
            client.client_grant()
        (seen,) = sandbox.requests
        assert (seen.status, seen.response) == (0, None)
        assert " -> dropped in " in str(seen)

    def test_a_late_answer_to_a_request_before_a_reset_is_not_in_it(self, sandbox: Sandbox) -> None:
        """A test whose client went away leaves nothing to the next one."""
        sandbox.fail_next(status=None, delay=0.2)
        with urllib3.PoolManager(retries=False) as impatient:
            answer = impatient.request
            with pytest.raises(urllib3.exceptions.ReadTimeoutError):
                answer("GET", f"{sandbox.url}/oauth2/tokenInfo", timeout=0.05)
            sandbox.reset()
            sandbox.fail_next(status=None, delay=0.3)  # and so comes after the late one
            answer("GET", f"{sandbox.url}/nothing")
        assert [seen.path for seen in sandbox.requests] == ["/nothing"]


class TestLifetime:
    @pytest.mark.parametrize("process", [False, True])
    def test_is_told_and_kept(self, http: urllib3.PoolManager, process: bool) -> None:
        with Sandbox(lifetime=60, process=process) as sandbox:
            client = Client(http, sandbox)
            tokens = client.sign_in()
            assert (tokens["expires_in"], client.info(tokens)) == (60, 200)
            sandbox.advance(60)
            assert client.info(tokens) == 401


class TestRefusals:
    def test_a_token_that_there_is_not_cannot_expire(self, sandbox: Sandbox) -> None:
        with pytest.raises(Refusal, match="There is no such token"):
            sandbox.expire_tokens("made up")

    def test_what_cannot_be_allowed_is_refused(self, sandbox: Sandbox) -> None:
        with pytest.raises(Refusal, match="There is no scope everything"):
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
    def test_wrong_arguments_are_told_and_change_nothing(
        self, sandbox: Sandbox, http: urllib3.PoolManager, client: Client, name: str, arguments: Any
    ) -> None:
        answer = control_over_http(http, sandbox, name, arguments)
        assert (answer.status, json.loads(answer.data)["code"]) == (400, 400)
        assert client.client_grant().status == 200

    @pytest.mark.parametrize("host", ["rebound.example", "rebound.example:80", "127.0.0.1.example", "[", ""])
    @pytest.mark.parametrize(
        ("method", "path"), [("POST", "/sandbox/requests"), ("GET", "/sandbox/events"), ("GET", "/")]
    )
    def test_a_page_whose_name_was_led_here_sees_and_changes_nothing(
        self, sandbox: Sandbox, http: urllib3.PoolManager, method: str, path: str, host: str
    ) -> None:
        """DNS rebinding: to the browser such a page and the sandbox are one host; the Host header tells them apart."""
        headers = {"Content-Type": "application/json", "Host": host}
        answer = http.request(method, sandbox.url + path, body="{}", headers=headers, redirect=False)
        assert answer.status == 403

    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:1", "[::1]"])
    def test_this_machine_has_several_names(self, sandbox: Sandbox, http: urllib3.PoolManager, host: str) -> None:
        assert control_over_http(http, sandbox, "requests", {}, Host=host).status == 200

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    def test_what_a_form_of_another_page_can_send_is_refused(
        self, sandbox: Sandbox, http: urllib3.PoolManager, content_type: str
    ) -> None:
        answer = control_over_http(http, sandbox, "reset", {}, **{"Content-Type": content_type})
        assert answer.status == 415

    def test_another_page_is_not_given_leave_to_send_more(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        headers = {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}
        answer = http.request("OPTIONS", f"{sandbox.url}/sandbox/reset", headers=headers)
        assert [name for name in answer.headers if name.lower().startswith("access-control")] == []


class TestMarkers:
    """The fixtures that users' tests get from the package."""

    def test_without_a_marker_it_is_plain_http(self, bluejeans_sandbox: Sandbox) -> None:
        assert bluejeans_sandbox.url.startswith("http://127.0.0.1:")

    def test_the_operations_lead_to_it(
        self, bluejeans_sandbox: Sandbox, bluejeans_api: bluejeans.AuthenticationApi
    ) -> None:
        bluejeans_api.get_token_by_password(
            {"grant_type": "password", "username": bluejeans_sandbox.username, "password": bluejeans_sandbox.password}
        )
        assert [seen.grant for seen in bluejeans_sandbox.requests] == ["password"]

    @pytest.mark.bluejeans_sandbox(tls=True, lifetime=5)
    def test_settings_are_those_of_the_marker(
        self, bluejeans_sandbox: Sandbox, bluejeans_api: bluejeans.AuthenticationApi
    ) -> None:
        request = {"client_id": bluejeans_sandbox.client_id, "client_secret": bluejeans_sandbox.client_secret}
        grant = bluejeans_api.get_token_by_client({"grant_type": "client_credentials", **request})
        assert (bluejeans_sandbox.url[:8], grant.expires_in) == ("https://", 5)

    @pytest.mark.bluejeans_fail_next(2, status=401)
    def test_faults_are_those_of_the_marker(self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        client = Client(http, bluejeans_sandbox)
        assert [client.client_grant().status for _ in range(3)] == [401, 401, 200]

    def test_nothing_is_left_of_the_test_before(self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        assert Client(http, bluejeans_sandbox).client_grant().status == 200

    @pytest.mark.bluejeans_sandbox(lifetime=5)
    class TestOfAClass:
        def test_holds_for_its_tests(self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager) -> None:
            assert Client(http, bluejeans_sandbox).sign_in()["expires_in"] == 5

        @pytest.mark.bluejeans_sandbox(lifetime=7)
        def test_gives_way_to_the_tests_own(self, bluejeans_sandbox: Sandbox, http: urllib3.PoolManager) -> None:
            assert Client(http, bluejeans_sandbox).sign_in()["expires_in"] == 7
