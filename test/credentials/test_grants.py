"""The kinds of credentials: their grants, parameters, pickles and connections."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.credentials import another, sign_in

pytestmark = pytest.mark.usefixtures("no_token_in_any_log")


class TestGrants:
    def test_client_credentials_request_a_client_grant(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        client.get_token()
        assert bluejeans_sandbox.requests[-1].grant == "client_credentials"

    def test_password_credentials_return_the_token_of_the_user(
        self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi
    ) -> None:
        sandbox = bluejeans_sandbox
        with bluejeans.PasswordCredentials(sandbox.username, sandbox.password, api=api) as credentials:
            token = credentials.get_token().token
        assert api.get_token_info(access_token=token).user == sandbox.user_id

    @pytest.mark.parametrize("passcode", [None, ""])
    def test_meeting_credentials_work_without_a_passcode(
        self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi, passcode: str | None
    ) -> None:
        meeting = bluejeans_sandbox.open_meeting_numeric_id
        assert bluejeans.MeetingCredentials(meeting, passcode, api=api).get_token().token.endswith("@z2")

    def test_meeting_id_and_passcode_may_be_numbers(
        self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi
    ) -> None:
        number, passcode = int(bluejeans_sandbox.meeting_numeric_id), int(bluejeans_sandbox.moderator_passcode)
        assert bluejeans.MeetingCredentials(number, passcode, api=api).get_token()  # type: ignore[arg-type]

    def test_sign_in_token_is_returned_without_another_request(
        self, signed_in: bluejeans.RefreshTokenCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        signed_in.get_token()
        assert [seen.grant for seen in bluejeans_sandbox.requests] == ["authorization_code"]

    def test_static_token_has_no_known_expiry(self) -> None:
        assert bluejeans.StaticToken("a-token").get_token() == bluejeans.AccessToken("a-token", float("inf"))

    @pytest.mark.parametrize(
        ("make", "missing"),
        [
            (lambda: bluejeans.ClientCredentials("", "canary"), "client_id"),
            (lambda: bluejeans.ClientCredentials(None, "canary"), "client_id"),  # type: ignore[arg-type]
            (lambda: bluejeans.ClientCredentials("canary", ""), "client_secret"),
            (lambda: bluejeans.PasswordCredentials("", "canary"), "username"),
            (lambda: bluejeans.PasswordCredentials("canary", ""), "password"),
            (lambda: bluejeans.MeetingCredentials(True, "canary"), "meeting_numeric_id"),  # type: ignore[arg-type]
            (lambda: bluejeans.MeetingCredentials("canary", b"2"), "meeting_passcode"),  # type: ignore[arg-type]
            (lambda: bluejeans.RefreshTokenCredentials("", "canary", "t"), "client_id"),
            (lambda: bluejeans.RefreshTokenCredentials("canary", "", "t"), "client_secret"),
            (lambda: bluejeans.RefreshTokenCredentials("canary", "canary", ""), "refresh_token"),
            (lambda: bluejeans.StaticToken(""), "access_token"),
        ],
    )
    def test_missing_parameter_raises_an_error_without_secrets(self, make: Callable[[], object], missing: str) -> None:
        with pytest.raises(ValueError, match=f"^{missing} must be a non-empty string$") as caught:
            make()
        shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        frames = [frame for frame in shown.stack if "BlueJeansMeetingsRestApi" in frame.filename]
        assert frames
        assert "canary" not in str([frame.locals for frame in frames])

    def test_missing_refresh_token_without_a_store_is_refused(self) -> None:
        with pytest.raises(
            ValueError, match="^Without a store that has a sign-in, refresh_token is required: pass one of them$"
        ):
            bluejeans.RefreshTokenCredentials("id", "secret")

    def test_repr_of_credentials_and_tokens_contains_no_secret(
        self, client: bluejeans.ClientCredentials, signed_in: bluejeans.RefreshTokenCredentials
    ) -> None:
        shown = f"{client} {signed_in} {client.get_token()} {bluejeans.StaticToken('canary')}"
        assert "ClientCredentials('0123456789abcdef0123456789abcdef', ...)" in shown
        secrets = [client.get_token().token, signed_in.get_token().token, "fedcba9876543210", "canary"]
        assert [secret for secret in secrets if secret in shown] == []


class TestPickles:
    @pytest.fixture(params=["alone", "with a store"])
    def credentials(
        self, request: pytest.FixtureRequest, client: bluejeans.ClientCredentials, tmp_path: Path
    ) -> bluejeans.ClientCredentials:
        store = bluejeans.FileTokenStore(tmp_path / "tokens.json") if request.param == "with a store" else None
        return another(client, store=store)

    def test_unpickled_credentials_work_and_contain_no_token(self, credentials: bluejeans.ClientCredentials) -> None:
        token = credentials.get_token().token
        pickled = pickle.dumps(credentials)
        assert token.encode() not in pickled
        with pickle.loads(pickled).api:
            assert pickle.loads(pickled).get_token().token

    def test_credentials_with_log_handlers_can_be_pickled(
        self, configuration: bluejeans.Configuration, client: bluejeans.ClientCredentials, tmp_path: Path
    ) -> None:
        configuration.logger_file = str(tmp_path / "log")
        try:
            assert pickle.loads(pickle.dumps(another(client))).get_token().token
        finally:
            configuration.logger_file = None

    def test_refresh_token_without_a_store_cannot_be_pickled(
        self, signed_in: bluejeans.RefreshTokenCredentials
    ) -> None:
        why = "^A refresh token works once, so two processes cannot have it: RefreshTokenCredentials need a store$"
        with pytest.raises(TypeError, match=why):
            pickle.dumps(signed_in)

    def test_sign_in_with_a_store_can_be_pickled(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, tmp_path: Path
    ) -> None:
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        options: Any = {"api": api, "store": bluejeans.FileTokenStore(tmp_path / "f")}
        credentials = bluejeans.RefreshTokenCredentials.of_grant(*client, sign_in(bluejeans_sandbox, api), **options)
        assert pickle.loads(pickle.dumps(credentials)).get_token().token == credentials.get_token().token

    def test_unpickled_static_token_has_the_same_allowed_hosts(self) -> None:
        copied = pickle.loads(pickle.dumps(bluejeans.StaticToken("a-token", allowed_hosts=["https://other.example"])))
        assert copied.authorization_for("https://other.example/x") == "Bearer a-token"

    def test_unpickled_static_token_has_the_same_host(self) -> None:
        configuration = bluejeans.Configuration()
        configuration.host = "https://own.example"
        api = bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))
        copied = pickle.loads(pickle.dumps(bluejeans.StaticToken("a-token", api=api)))
        assert copied.authorization_for("https://own.example/x") == "Bearer a-token"

    def test_unpickled_credentials_close_their_own_connections(self, client: bluejeans.ClientCredentials) -> None:
        with pickle.loads(pickle.dumps(another(client))) as copied:
            copied.get_token()
            rest = copied.api.api_client.rest_client
            assert len(rest._pools) == 1
        assert rest._pools == {}

    def test_configuration_with_credentials_cannot_be_pickled(self, configuration: bluejeans.Configuration) -> None:
        configuration.credentials = bluejeans.StaticToken("a-token")
        with pytest.raises(TypeError, match="pickle the credentials, and set them"):
            pickle.dumps(configuration)


def test_with_block_closes_only_the_clients_of_the_credentials(
    client: bluejeans.ClientCredentials, monkeypatch: pytest.MonkeyPatch, configuration: bluejeans.Configuration
) -> None:
    closed: list[bluejeans.ApiClient] = []
    monkeypatch.setattr(bluejeans.ApiClient, "close", lambda self: closed.append(self))
    monkeypatch.setattr(bluejeans.Configuration, "_default", configuration)
    with another(client), bluejeans.MeetingCredentials("1") as own:
        own_client = own.api.api_client
    assert closed == [own_client]
