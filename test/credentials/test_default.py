"""The credentials that environment variables specify."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox

pytestmark = pytest.mark.usefixtures("no_token_in_any_log")


class TestDefaultCredentials:
    @pytest.fixture(autouse=True)
    def own_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in os.environ if name.startswith("BLUEJEANS_")]:
            monkeypatch.delenv(name)
        self.monkeypatch = monkeypatch

    def found(self, *, environment: dict[str, str], **options: Any) -> bluejeans.Credentials:
        for name, value in environment.items():
            self.monkeypatch.setenv(f"BLUEJEANS_{name}", value)
        return bluejeans.default_credentials(**options)

    @pytest.mark.parametrize(
        ("environment", "shown"),
        [
            ({"ACCESS_TOKEN": "t", "CLIENT_ID": "id", "CLIENT_SECRET": "s"}, "StaticToken(...)"),
            ({"CLIENT_ID": "id", "CLIENT_SECRET": "s", "USERNAME": "u"}, "ClientCredentials('id', ...)"),
            ({"USERNAME": "u", "PASSWORD": "p", "MEETING_ID": "1"}, "PasswordCredentials('u', ...)"),
            ({"MEETING_ID": "1"}, "MeetingCredentials('1', ...)"),
            ({"MEETING_ID": "1", "MEETING_PASSCODE": "2"}, "MeetingCredentials('1', ...)"),
        ],
    )
    def test_first_credentials_in_the_environment_are_used(self, environment: dict[str, str], shown: str) -> None:
        assert repr(self.found(environment=environment)) == shown

    def test_host_variable_selects_the_service(self, bluejeans_sandbox: Sandbox) -> None:
        sandbox = bluejeans_sandbox
        environment = {"HOST": sandbox.url, "CLIENT_ID": sandbox.client_id, "CLIENT_SECRET": sandbox.client_secret}
        with self.found(environment=environment) as credentials:
            assert credentials.get_token().token
            connections = credentials.api.api_client.rest_client._pools
        assert connections == {}

    def test_host_variable_does_not_override_a_default_configuration(
        self, configuration: bluejeans.Configuration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bluejeans.Configuration, "_default", configuration)
        found = self.found(environment={"HOST": "https://elsewhere.example", "ACCESS_TOKEN": "t"})
        assert found.api.api_client.configuration.host == configuration.host

    def test_token_variable_is_bound_to_the_host_variable(self, bluejeans_sandbox: Sandbox) -> None:
        found = self.found(environment={"HOST": bluejeans_sandbox.url, "ACCESS_TOKEN": "t"})
        assert found.authorization_for(bluejeans_sandbox.url) == "Bearer t"
        assert found.api.api_client.configuration.host == bluejeans_sandbox.url
        with pytest.raises(ValueError, match="^Refusing to send the token for .* to https://api.bluejeans.com:443;"):
            found.authorization_for("https://api.bluejeans.com/v1")

    def test_meeting_passcode_variable_is_used(self) -> None:
        found = self.found(environment={"MEETING_ID": "1", "MEETING_PASSCODE": "2"})
        assert found.identity == {"meeting_numeric_id": "1", "meeting_passcode": "2"}

    @pytest.mark.parametrize(
        "environment",
        [
            {"ACCESS_TOKEN": "t"},
            {"CLIENT_ID": "id", "CLIENT_SECRET": "s"},
            {"USERNAME": "u", "PASSWORD": "p"},
            {"MEETING_ID": "1"},
        ],
    )
    def test_parameters_override_the_environment(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, environment: dict[str, str]
    ) -> None:
        elsewhere = {"HOST": "https://elsewhere.example", "TOKEN_STORE": "/elsewhere"}
        store = bluejeans.MemoryTokenStore()
        options: Any = {"api": api, "store": store, "allowed_hosts": ["https://allowed.example"]}
        found = self.found(environment={**environment, **elsewhere}, **options)
        assert found.api.api_client is api.api_client
        assert found._allowed_hosts == (("https", "allowed.example", 443),)
        assert found._store is (None if "ACCESS_TOKEN" in environment else store)

    def test_variable_may_name_a_file_with_the_value(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("from a file\n")
        environment = {"CLIENT_ID": "id", "CLIENT_SECRET_FILE": str(tmp_path / "secret")}
        assert self.found(environment=environment).identity["client_secret"] == "from a file"

    def test_token_store_variable_is_a_path_or_a_redis_url(self, tmp_path: Path) -> None:
        stores = [
            self.found(environment={"MEETING_ID": "1", "TOKEN_STORE": where})._store
            for where in (str(tmp_path / "tokens.json"), "redis://127.0.0.1:6379/0")
        ]
        assert [type(store) for store in stores] == [bluejeans.FileTokenStore, bluejeans.RedisTokenStore]

    @pytest.mark.parametrize(
        ("environment", "message"),
        [
            (
                {},
                "^There are no credentials in the environment: set one of BLUEJEANS_ACCESS_TOKEN, BLUEJEANS_CLIENT_ID, "
                r"BLUEJEANS_USERNAME, BLUEJEANS_MEETING_ID \(or BLUEJEANS_ACCESS_TOKEN_FILE …\)$",
            ),
            ({"CLIENT_ID": "id"}, "BLUEJEANS_CLIENT_ID is set and BLUEJEANS_CLIENT_SECRET is not: set both"),
            ({"PASSWORD": "canary"}, "BLUEJEANS_PASSWORD is set and BLUEJEANS_USERNAME is not: set both"),
            (
                {"ACCESS_TOKEN_FILE": "/no/such"},
                "BLUEJEANS_ACCESS_TOKEN_FILE names a file that cannot be read: No such file or directory",
            ),
            ({"ACCESS_TOKEN": "canary", "ACCESS_TOKEN_FILE": "f"}, "are both set: unset one of them"),
            ({"HOST": "no-url", "MEETING_ID": "1"}, "BLUEJEANS_HOST 'no-url' must start with https://"),
        ],
    )
    def test_wrong_environment_raises_an_error_without_secrets(self, environment: dict[str, str], message: str) -> None:
        with pytest.raises(ValueError, match=message) as caught:
            self.found(environment=environment)
        assert "canary" not in str(caught.value)
