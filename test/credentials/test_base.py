"""Features of all kinds of credentials: validation, the hosts that they serve, new kinds, closing."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.credentials import BearerAuth, TokenProvider
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.credentials import another, at_once, get_user, grants
from support.recording_server import RecordingServer, http_response

KINDS: list[Callable[..., Any]] = [
    lambda **options: bluejeans.ClientCredentials("id", "canary", **options),
    lambda **options: bluejeans.PasswordCredentials("user", "canary", **options),
    lambda **options: bluejeans.MeetingCredentials("1", "canary", **options),
    lambda **options: bluejeans.RefreshTokenCredentials("id", "secret", "canary", **options),
    lambda **options: bluejeans.default_credentials(**options),
]


@pytest.fixture(params=KINDS, ids=["client", "password", "meeting", "refresh token", "default"])
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    for name in [name for name in os.environ if name.startswith("BLUEJEANS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BLUEJEANS_MEETING_ID", "1")
    kind: Callable[..., Any] = request.param
    return kind


class TestParameters:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                {"store": "redis://user:canary@host"},
                r"^store must be TokenStore or None, got str; pass store=FileTokenStore\(path\) or RedisTokenStore",
            ),
            (
                {"api": bluejeans.Configuration()},
                r"^api must be AuthenticationApi or None, got Configuration; pass api=AuthenticationApi\(ApiClient\(",
            ),
            (
                {"allowed_hosts": "https://api.example"},
                r"^allowed_hosts must be a list of URLs, got str; pass allowed_hosts=\[url\]$",
            ),
            ({"allowed_hosts": 7}, "^allowed_hosts must be a list of URLs, got int"),
            ({"on_refresh": "x"}, "^on_refresh must be callable, got str; pass a function$"),
            ({"refresh_in_background": "no"}, "^refresh_in_background must be a bool, got str; pass True or False$"),
            ({"clock": 7}, "^clock must be Clock or None, got int"),
            ({"stores": None}, "unexpected keyword argument 'stores'"),
            ({"on_renewal": print}, "unexpected keyword argument 'on_renewal'"),
        ],
    )
    def test_wrong_parameter_is_a_type_error(
        self, make: Callable[..., Any], options: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(TypeError, match=message) as caught:
            make(**options)
        assert "canary" not in str(caught.value)

    def test_static_token_has_no_store(self) -> None:
        with pytest.raises(TypeError, match="unexpected keyword argument 'store'"):
            bluejeans.StaticToken("t", store=bluejeans.MemoryTokenStore())  # type: ignore[call-arg]


class TestClients:
    """Which host `Configuration.credentials` get their tokens from."""

    @pytest.fixture
    def other(self) -> Iterator[RecordingServer]:
        grant = http_response({"access_token": "other-token", "expires_in": 3600})
        with RecordingServer([grant, http_response({"id": 7})]) as server:
            yield server

    def test_shared_credentials_have_a_token_for_each_host(
        self, bluejeans_sandbox: Sandbox, configuration: bluejeans.Configuration, other: RecordingServer
    ) -> None:
        sandbox = bluejeans_sandbox
        credentials = bluejeans.ClientCredentials(sandbox.client_id, sandbox.client_secret)
        elsewhere = copy.copy(configuration)
        elsewhere.host = other.url
        configuration.credentials = elsewhere.credentials = credentials
        with bluejeans.ApiClient(configuration) as here, bluejeans.ApiClient(elsewhere) as there:
            assert credentials.for_client(here) is not credentials.for_client(there)
            assert credentials.for_client(here) is credentials.for_client(here)
            there.call_api("/v1/user/7", "GET")
            here.call_api("/v1/user/{id}", "GET", {"id": sandbox.user_id})
            there.call_api("/v1/user/7", "GET")
        assert {request.headers.get("authorization") for request in other.requests[1:]} == {"Bearer other-token"}
        assert (len(other.requests), grants(sandbox)) == (3, 1)

    def test_client_that_is_closed_is_not_used_again(
        self, bluejeans_sandbox: Sandbox, configuration: bluejeans.Configuration
    ) -> None:
        sandbox = bluejeans_sandbox
        credentials = bluejeans.ClientCredentials(sandbox.client_id, sandbox.client_secret)
        configuration.credentials = credentials
        with bluejeans.ApiClient(configuration) as first:
            get_user(configuration, sandbox)
        credentials.invalidate()
        get_user(configuration, sandbox)
        assert first.rest_client._pools == {}
        assert grants(sandbox) == 2

    def test_explicit_api_refuses_clients_of_another_host(
        self, client: bluejeans.ClientCredentials, configuration: bluejeans.Configuration, other: RecordingServer
    ) -> None:
        own, url = client.api.api_client.configuration.base_url, other.url
        configuration = copy.copy(configuration)
        configuration.host = url
        with bluejeans.ApiClient(configuration) as caller:
            configuration.credentials = client
            message = f"^Refusing to send the token for {own} to {url}; add {url} to allowed_hosts to allow it$"
            with pytest.raises(ValueError, match=message):
                caller.call_api("/v1/user/7", "GET")
            assert other.requests == []
            allowed = another(client, allowed_hosts=[url])
            assert allowed.for_client(caller) is allowed
        assert client.for_client(client.api.api_client) is client

    def test_configuration_accepts_any_token_provider(
        self, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi
    ) -> None:
        class Provider:
            refused: list[str | None] = []

            def get_token(self, timeout: float | None = None) -> bluejeans.AccessToken:
                grant = api.get_token_by_client(
                    {
                        "grant_type": "client_credentials",
                        "client_id": bluejeans_sandbox.client_id,
                        "client_secret": bluejeans_sandbox.client_secret,
                    }
                )
                return bluejeans.AccessToken(str(grant.access_token), 0.0)

            def invalidate(self, token: str | None = None) -> None:
                self.refused.append(token)

        provider: TokenProvider = Provider()
        configuration.credentials = provider
        assert get_user(configuration, bluejeans_sandbox) == bluejeans_sandbox.user_id
        user = f"{bluejeans_sandbox.url}/v1/user/{bluejeans_sandbox.user_id}"
        auth = BearerAuth(provider, [bluejeans_sandbox.url])
        assert requests.get(user, auth=auth, headers={"Connection": "close"}).status_code == 200
        with pytest.raises(ValueError, match="^Refusing to send the token"):
            requests.get("https://other.example", auth=auth)
        with RecordingServer([http_response({}, status=401), http_response({}, Connection="close")]) as server:
            requests.get(server.url, auth=BearerAuth(provider, [server.url]), headers={"Connection": "close"})
        assert len(Provider.refused) == 1

    def test_bearer_auth_refuses_an_object_without_the_methods(self) -> None:
        with pytest.raises(TypeError, match="^provider must have the methods get_token and invalidate, got str$"):
            BearerAuth("a-token")  # type: ignore[arg-type]


class DeviceCredentials(bluejeans.Credentials):
    """A new kind of credentials: one public class."""

    grant_type = "device"

    def __init__(self, device_id: str, **options: Any) -> None:
        assert not getattr(self, "is_copy", False)
        super().__init__({"device_id": device_id}, **options)

    def fetch(self, api: bluejeans.AuthenticationApi, options: Any, refresh_token: str) -> Any:
        return api.api_client.call_api(
            "/device", "POST", body=self.identity, response_type="GrantClient", _return_http_data_only=True, **options
        )


class TestNewKind:
    @pytest.fixture
    def device(self, configuration: bluejeans.Configuration) -> Iterator[DeviceCredentials]:
        with RecordingServer([http_response({"access_token": "device-token", "expires_in": 60})]) as server:
            configuration.host = server.url
            with bluejeans.ApiClient(configuration) as client:
                yield DeviceCredentials("7", api=bluejeans.AuthenticationApi(client))

    def test_new_kind_needs_an_identity_and_fetch(self, device: DeviceCredentials) -> None:
        assert {token.token for token in at_once(8, device.get_token)} == {"device-token"}
        assert repr(device) == "DeviceCredentials('7', ...)"

    def test_copy_of_a_subclass_does_not_call_its_constructor(self, device: DeviceCredentials) -> None:
        device.is_copy = True  # type: ignore[attr-defined]
        with copy.copy(device) as copied:
            assert copied.get_token().token == "device-token"
            assert copied.api.api_client is not device.api.api_client


class TestClosing:
    class ClosableStore(bluejeans.MemoryTokenStore):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    def test_store_of_the_caller_is_not_closed(self) -> None:
        store = self.ClosableStore()
        with bluejeans.MeetingCredentials("1", store=store):
            pass
        assert store.closed == 0

    def test_store_of_default_credentials_is_closed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        store = self.ClosableStore()
        monkeypatch.setattr("BlueJeansMeetingsRestApi.credentials.default.store_at", lambda _: store)
        monkeypatch.setenv("BLUEJEANS_MEETING_ID", "1")
        monkeypatch.setenv("BLUEJEANS_TOKEN_STORE", "a path")
        with bluejeans.default_credentials():
            pass
        assert store.closed == 1


@pytest.mark.slow
@pytest.mark.usefixtures("no_token_in_any_log")
@pytest.mark.fault(34, "the one request fails on a busy machine", "one request, 20 times in a row", "ServiceError")
@pytest.mark.parametrize("status", [400, 503])
def test_64_threads_share_one_failure_on_a_busy_machine(
    bluejeans_sandbox: Sandbox, configuration: bluejeans.Configuration, status: int
) -> None:
    configuration.max_attempts = 1
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range((os.cpu_count() or 1) * 2)]
    try:
        requests_of_rounds = Counter(_requests_of_a_round(bluejeans_sandbox, configuration, status) for _ in range(20))
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert requests_of_rounds == {1: 20}


def _requests_of_a_round(sandbox: Sandbox, configuration: bluejeans.Configuration, status: int) -> int:
    sandbox.reset()
    sandbox.fail_next(64, status=status)
    with bluejeans.ApiClient(configuration) as client:
        api = bluejeans.AuthenticationApi(client)
        credentials = bluejeans.ClientCredentials(sandbox.client_id, sandbox.client_secret, api=api)
        errors = at_once(64, credentials.get_token)
    assert {type(error).__name__ for error in errors} <= {"BadRequestError", "ServiceError"}
    return grants(sandbox)


def test_other_threads_share_a_failure_and_its_own_thread_tries_again(
    client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
) -> None:
    bluejeans_sandbox.fail_next(status=400)
    with pytest.raises(bluejeans.BadRequestError):
        client.get_token()
    shared: list[Any] = []
    late = threading.Thread(target=lambda: shared.extend(at_once(1, client.get_token)))
    late.start()
    late.join()
    assert [type(error) for error in shared] == [bluejeans.BadRequestError]
    assert grants(bluejeans_sandbox) == 1
    assert client.get_token().token
