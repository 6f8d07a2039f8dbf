"""The client that openapi-generator makes from docs/openapi.yaml works against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from BlueJeansMeetingsRestApi.sandbox import Sandbox


class TestAgainstTheSandbox:
    @pytest.fixture
    def configuration(self, generated: Any, sandbox: Sandbox) -> Any:
        return generated.Configuration(host=sandbox.url)

    @pytest.fixture
    def api(self, generated: Any, configuration: Any) -> Iterator[Any]:
        with generated.ApiClient(configuration) as client:
            yield generated.AuthenticationApi(client)

    def grant(self, generated: Any, api: Any, **body: str) -> Any:
        return api.get_token(generated.GrantRequest.from_dict(body)).actual_instance

    def application(self, sandbox: Sandbox, **body: str) -> dict[str, str]:
        return {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret, **body}

    def code_grant(self, generated: Any, api: Any, sandbox: Sandbox) -> Any:
        code = {"code": sandbox.authorize(), "redirectUri": sandbox.redirect_uri}
        return self.grant(generated, api, **self.application(sandbox, grant_type="authorization_code", **code))

    def test_generated_client_gets_a_token_for_an_enterprise(self, generated: Any, api: Any, sandbox: Sandbox) -> None:
        response = self.grant(generated, api, **self.application(sandbox, grant_type="client_credentials"))
        assert (len(response.access_token), response.expires_in, response.scope.enterprise) == (32, 3600, 12345)

    def test_generated_client_gets_a_token_for_a_meeting(self, generated: Any, api: Any, sandbox: Sandbox) -> None:
        meeting = {"meetingNumericId": sandbox.meeting_numeric_id, "meetingPasscode": sandbox.moderator_passcode}
        assert self.grant(generated, api, grant_type="meeting_passcode", **meeting).scope.meeting.is_moderator

    def test_generated_client_gets_a_token_for_a_user(
        self, generated: Any, api: Any, configuration: Any, sandbox: Sandbox
    ) -> None:
        response = self.grant(
            generated, api, grant_type="password", username=sandbox.username, password=sandbox.password
        )
        configuration.access_token = response.access_token.get_secret_value()
        assert api.get_token_info().user == sandbox.user_id

    def test_generated_client_refreshes_a_token(self, generated: Any, api: Any, sandbox: Sandbox) -> None:
        first = self.code_grant(generated, api, sandbox)
        token = first.refresh_token.get_secret_value()
        refresh = self.application(sandbox, grant_type="refresh_token", refresh_token=token)
        assert self.grant(generated, api, **refresh).access_token != first.access_token

    def test_generated_client_revokes_a_token(
        self, generated: Any, api: Any, configuration: Any, sandbox: Sandbox
    ) -> None:
        configuration.api_key["access_token"] = self.code_grant(generated, api, sandbox).access_token.get_secret_value()
        application = generated.GrantRequestRevoke(**self.application(sandbox))
        assert api.revoke_access_token_with_http_info(application).status_code == 204
        with pytest.raises(generated.exceptions.UnauthorizedException):
            api.get_token_info()
