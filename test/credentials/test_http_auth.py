"""Which hosts get a token, and what follows if one refuses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.credentials import another, get_user, grants, requesting
from support.fake_clock import FakeClock
from support.recording_server import RecordingServer, http_response, never_respond

pytestmark = pytest.mark.usefixtures("no_token_in_any_log")


class TestRefusedTokens:
    @pytest.mark.fault(38, "the service refuses a token that should be good", "one refresh, one retry")
    def test_call_api_repeats_a_refused_request_once_with_a_new_token(
        self, client: bluejeans.ClientCredentials, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
    ) -> None:
        configuration.credentials = client
        assert get_user(configuration, bluejeans_sandbox) == bluejeans_sandbox.user_id
        bluejeans_sandbox.reset()
        assert get_user(configuration, bluejeans_sandbox) == bluejeans_sandbox.user_id
        assert [seen.status for seen in bluejeans_sandbox.requests] == [401, 200, 200]

    @pytest.mark.fault(38, "it refuses the next token too", "the error", "UnauthorizedError")
    def test_second_refusal_of_call_api_is_raised(
        self, client: bluejeans.ClientCredentials, configuration: bluejeans.Configuration, clock: FakeClock
    ) -> None:
        grants = [http_response({"access_token": token, "expires_in": 60}) for token in ("a-token", "another")]
        responses = [grants[0], http_response(status=401), grants[1], http_response(status=401)]
        with RecordingServer(responses) as server, requesting(server.url, clock) as credentials:
            configuration.host, configuration.credentials = server.url, credentials
            with bluejeans.ApiClient(configuration) as caller, pytest.raises(bluejeans.UnauthorizedError):
                caller.call_api("/v1/user/7", "GET")
            assert len(server.requests) == 4

    def test_call_api_does_not_send_the_same_token_again(
        self, client: bluejeans.ClientCredentials, configuration: bluejeans.Configuration, clock: FakeClock
    ) -> None:
        grant, refusal = http_response({"access_token": "a-token", "expires_in": 60}), http_response(status=401)
        with RecordingServer([grant, refusal, grant, refusal]) as server, requesting(server.url, clock) as credentials:
            configuration.host, configuration.credentials = server.url, credentials
            with bluejeans.ApiClient(configuration) as caller, pytest.raises(bluejeans.UnauthorizedError):
                caller.call_api("/v1/user/7", "GET")
            assert [request.method for request in server.requests] == ["POST", "GET", "POST"]

    def test_requests_repeats_a_refused_request_once_with_a_new_token(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        url = f"{bluejeans_sandbox.url}/v1/user/{bluejeans_sandbox.user_id}"
        with requests.Session() as session:
            assert session.get(url, auth=client).status_code == 200
            bluejeans_sandbox.reset()
            answer = session.get(url, auth=client)
        assert answer.status_code == 200
        assert [seen.status for seen in bluejeans_sandbox.requests] == [401, 200, 200]
        assert [earlier.status_code for earlier in answer.history] == [401]

    def test_repeated_response_of_requests_has_the_second_request(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        client.get_token()
        bluejeans_sandbox.reset()
        answer = requests.get(f"{bluejeans_sandbox.url}/v1/user/{bluejeans_sandbox.user_id}", auth=client)
        assert answer.request.headers["Authorization"] == f"Bearer {client.get_token().token}"

    def test_requests_repeats_over_the_same_connection(self, client: bluejeans.ClientCredentials) -> None:
        with (
            RecordingServer([http_response({"message": "no"}, status=401), http_response({})]) as server,
            requests.Session() as session,
        ):
            assert session.get(server.url, auth=another(client, allowed_hosts=[server.url])).status_code == 200
            assert (len(server.requests), server.connections) == (2, 1)

    def test_requests_repeats_with_the_timeout_of_the_first_request(self, client: bluejeans.ClientCredentials) -> None:
        with RecordingServer([http_response({}, status=401), never_respond]) as server, requests.Session() as session:
            credentials = another(client, allowed_hosts=[server.url])
            with pytest.raises(requests.ReadTimeout):
                session.get(server.url, auth=credentials, timeout=0.2)

    def test_requests_repeats_with_the_token_that_another_thread_got(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        newer = []

        def refuse(connection: Any) -> None:
            credentials.invalidate()
            newer.append(credentials.get_token().token)
            connection.sendall(http_response({}, status=401, Connection="close"))

        with RecordingServer([refuse, http_response({}, Connection="close")]) as server:
            credentials = another(client, allowed_hosts=[server.url])
            assert requests.get(server.url, auth=credentials).status_code == 200
            assert server.requests[-1].headers["authorization"] == f"Bearer {newer[0]}"
        assert grants(bluejeans_sandbox) == 2

    def test_requests_does_not_repeat_a_streamed_body(self, clock: FakeClock) -> None:
        grant = http_response({"access_token": "a-token", "expires_in": 60})
        with (
            RecordingServer([grant, http_response(status=401)]) as server,
            requesting(server.url, clock) as credentials,
        ):
            body = iter([b"part"])
            answer = requests.post(server.url, data=body, auth=credentials, headers={"Connection": "close"})
            assert answer.status_code == 401

    def test_refusal_of_an_old_token_leaves_the_newer_one(self, client: bluejeans.ClientCredentials) -> None:
        old = client.get_token()
        client.invalidate()
        new = client.get_token()
        client.invalidate(old.token)
        assert client.get_token() is new

    def test_refused_token_is_not_loaded_from_the_store(
        self, client: bluejeans.ClientCredentials, clock: FakeClock
    ) -> None:
        credentials = another(client, store=bluejeans.MemoryTokenStore(), clock=clock)
        old = credentials.get_token()
        credentials.invalidate()
        assert credentials.get_token() != old

    @pytest.mark.fault(
        39, "a refresh token is refused", "not tried again; says who has to sign in", "ReauthenticationRequired"
    )
    def test_refused_refresh_token_is_not_sent_again(
        self, signed_in: bluejeans.RefreshTokenCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        signed_in.invalidate()
        bluejeans_sandbox.reset()
        for _ in range(3):
            with pytest.raises(bluejeans.ReauthenticationRequired, match="has to sign in again") as caught:
                signed_in.get_token()
        assert (grants(bluejeans_sandbox), caught.value.status) == (1, 401)
        assert caught.value.reason == "the refresh token was refused"

    def test_refused_static_token_raises_reauthentication_required(
        self, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
    ) -> None:
        configuration.credentials = bluejeans.StaticToken("canary-token")
        for _ in range(2):
            with pytest.raises(bluejeans.ReauthenticationRequired) as caught:
                get_user(configuration, bluejeans_sandbox)
        said = "(401)\nReason: the token was refused\nIt cannot be refreshed. Create a StaticToken with another one.\n"
        assert str(caught.value) == said
        assert len(bluejeans_sandbox.requests) == 1


def test_call_timeout_includes_the_request_for_a_token(
    configuration: bluejeans.Configuration, clock: FakeClock
) -> None:
    with RecordingServer([never_respond]) as server, requesting(server.url, clock) as credentials:
        configuration.host, configuration.credentials = server.url, credentials
        with bluejeans.ApiClient(configuration) as caller, pytest.raises(bluejeans.ApiTimeoutError):
            caller.call_api("/v1/user/7", "GET", _request_timeout=0.3)
        assert [request.method for request in server.requests] == ["POST"]


class TestHosts:
    @pytest.mark.parametrize(
        "url",
        [
            r"https://evil.example\@{host}",
            r"https://{host}/\evil.example",
            "https://user@{host}",
            "https://{host} /",
            "https://{host}\n.evil.example",
        ],
    )
    def test_ambiguous_url_does_not_get_the_token(self, url: str) -> None:
        token = bluejeans.StaticToken("canary", allowed_hosts=["https://api.example"])
        why = "^A token is not sent to a URL that contains a username, a backslash or a space$"
        with pytest.raises(ValueError, match=why):
            token.authorization_for(url.format(host="api.example"))

    def test_url_without_a_host_does_not_get_the_token(self) -> None:
        with pytest.raises(
            ValueError,
            match="^Refusing to send the token for https://.* to ftp://:0; add ftp://:0 to allowed_hosts to allow it$",
        ):
            bluejeans.StaticToken("canary").authorization_for("ftp:x")

    def test_call_api_sends_the_token_only_in_the_header(
        self, client: bluejeans.ClientCredentials, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
    ) -> None:
        configuration.credentials = client
        get_user(configuration, bluejeans_sandbox)
        assert bluejeans_sandbox.requests[-1].path == f"/v1/user/{bluejeans_sandbox.user_id}"

    def test_credentials_without_an_api_use_the_client_of_the_call(
        self, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
    ) -> None:
        sandbox = bluejeans_sandbox
        configuration.credentials = bluejeans.PasswordCredentials(sandbox.username, sandbox.password)
        assert get_user(configuration, sandbox) == sandbox.user_id

    def test_authorization_header_of_the_caller_is_not_replaced(
        self, client: bluejeans.ClientCredentials, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
    ) -> None:
        configuration.credentials = client
        with bluejeans.ApiClient(configuration) as caller, pytest.raises(bluejeans.UnauthorizedError):
            caller.call_api("/v1/user/7", "GET", header_params={"authorization": "Bearer mine"})
        assert grants(bluejeans_sandbox) == 0

    @pytest.mark.parametrize("get", [requests.get, httpx.get])
    def test_requests_and_httpx_accept_credentials_as_auth(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, get: Callable[..., Any]
    ) -> None:
        url = f"{bluejeans_sandbox.url}/v1/user/{bluejeans_sandbox.user_id}"
        assert get(url, auth=client).status_code == 200

    @pytest.mark.parametrize("get", [requests.get, httpx.get])
    def test_host_of_another_service_does_not_get_the_token(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, get: Callable[..., Any]
    ) -> None:
        with RecordingServer([http_response()]) as other:
            with pytest.raises(
                ValueError, match="^Refusing to send the token for http://127.0.0.1:.* to http://127.0.0.1:"
            ):
                get(other.url, auth=client)
            assert other.requests == []
        assert grants(bluejeans_sandbox) == 0

    def test_allowed_host_gets_the_token(self, client: bluejeans.ClientCredentials, clock: FakeClock) -> None:
        with RecordingServer([http_response()]) as other:
            credentials = another(client, allowed_hosts=[other.url], clock=clock)
            requests.get(other.url, auth=credentials, headers={"Connection": "close"})
            assert other.requests[0].headers["authorization"] == f"Bearer {credentials.get_token().token}"

    @pytest.mark.parametrize(
        ("host", "url"),
        [
            ("https://other.example", "https://OTHER.example:443/x"),
            ("https://other.example:443", "https://other.example/x"),
            ("http://localhost", "http://localhost:80/x"),
        ],
    )
    def test_default_port_of_an_allowed_host_may_be_omitted(self, host: str, url: str) -> None:
        assert bluejeans.StaticToken("t", allowed_hosts=[host]).authorization_for(url) == "Bearer t"

    @pytest.mark.parametrize(
        "url",
        ["http://other.example/x", "https://other.example:444/x", "https://sub.other.example/x", "//other.example"],
    )
    def test_host_that_differs_from_an_allowed_one_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="^Refusing to send the token"):
            bluejeans.StaticToken("t", allowed_hosts=["https://other.example"]).authorization_for(url)

    def test_allowed_host_over_plain_http_is_refused(self) -> None:
        with pytest.raises(ValueError, match="allowed_hosts 'http://api.example' would send secrets in clear text"):
            bluejeans.StaticToken("t", allowed_hosts=["http://api.example"])

    def test_redirect_of_requests_does_not_get_the_token(self, clock: FakeClock) -> None:
        grant = http_response({"access_token": "canary-token", "expires_in": 60})
        with RecordingServer([http_response(status=401)]) as other:
            moved = http_response(status=302, Location=other.url.replace("127.0.0.1", "localhost"), Connection="close")
            with RecordingServer([grant, moved]) as server, requesting(server.url, clock) as credentials:
                assert requests.get(server.url, auth=credentials).status_code == 401
            assert len(other.requests) == 1
            assert "authorization" not in other.requests[0].headers
