"""Schemathesis makes requests from the document, right ones and wrong ones, and judges the sandbox's answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
# A request that is right by the document may still be refused: nobody can tell from it what is registered, or revoked.
MAY_BE_REFUSED = {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401"]}}
# The sandbox's page sends its form here. How the service's page does is not part of the API.
HAS_A_FORM = {"unsupported_method": {"enabled": False}, "allow_header_conformance": {"enabled": False}}
EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def document(*operations: dict[str, Any], **generation: Any) -> Any:
    config = {"generation": {"deterministic": True, **generation}, "operations": list(operations)}
    return schemathesis.openapi.from_path(DOCUMENT, config=SchemathesisConfig.from_dict(config))


as_generated = document(
    {"include-operation-id": "get_authorization_code", "checks": {**MAY_BE_REFUSED, **HAS_A_FORM}},
    {"include-operation-id": ["get_token", "revoke_access_token"], "checks": MAY_BE_REFUSED},
)
known = document(
    {"include-operation-id": "get_authorization_code", "checks": HAS_A_FORM},
    mode="positive",
    **{"with-security-parameters": False},
)


@as_generated.parametrize()
@EXAMPLES
def test_requests_as_generated(case: Case, sandbox: Sandbox) -> None:
    case.call_and_validate(base_url=sandbox.url)


class TestWithWhatTheSandboxKnows:
    @known.parametrize()
    @EXAMPLES
    def test_requests_that_are_right(self, case: Case, sandbox: Sandbox, tokens: Tokens) -> None:
        tokens.put_into(case)
        bearer = {"Authorization": f"Bearer {tokens.grant().access_token}"}
        case.call_and_validate(base_url=sandbox.url, headers=bearer)

    def test_each_operation_and_grant_has_succeeded(self, sandbox: Sandbox) -> None:
        succeeded = {
            f"{seen.method} {re.sub('[?].*', '', seen.path)} {seen.grant or ''}".strip()
            for seen in sandbox.requests
            if seen.status < 300
        }
        assert succeeded >= {
            "GET /oauth2/authorize",
            "POST /oauth2/token client_credentials",
            "POST /oauth2/token authorization_code",
            "POST /oauth2/token meeting_passcode",
            "POST /oauth2/token password",
            "POST /oauth2/token refresh_token",
            "DELETE /oauth2/token",
            "GET /oauth2/tokenInfo",
            f"GET /v1/user/{sandbox.user_id}",
        }


@pytest.fixture(scope="module")
def tokens(sandbox: Sandbox) -> Iterator[Tokens]:
    with Tokens(sandbox) as tokens:
        yield tokens


class Tokens:
    """Puts what the sandbox knows in the place of what was generated."""

    def __init__(self, sandbox: Sandbox) -> None:
        configuration = bluejeans.Configuration()
        configuration.host = sandbox.url
        self.sandbox = sandbox
        self.application = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
        self.api = bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))

    def __enter__(self) -> Tokens:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.api.__exit__(*exc_info)

    def put_into(self, case: Case) -> None:
        operation = case.operation.definition.raw["operationId"]
        if operation == "get_authorization_code":
            case.query.update(clientId=self.sandbox.client_id, redirectUri=self.sandbox.redirect_uri)
        elif operation == "get_token":
            case.body = {**case.body, **self.credentials(case.body["grant_type"])}
        elif operation == "revoke_access_token":
            case.body = {**case.body, **self.application}
        elif operation == "get_user":
            case.path_parameters["id"] = self.sandbox.user_id

    def grant(self) -> bluejeans.GrantCode:
        return self.api.get_token_by_code(self.credentials("authorization_code"))

    def credentials(self, grant_type: str) -> dict[str, str]:
        s = self.sandbox
        if grant_type == "password":
            return {"username": s.username, "password": s.password}
        if grant_type == "meeting_passcode":
            return {"meetingNumericId": s.meeting_numeric_id, "meetingPasscode": s.attendee_passcode}
        if grant_type == "refresh_token":
            return {**self.application, "refresh_token": self.grant().refresh_token or ""}
        code = {"code": s.authorize(), "redirectUri": s.redirect_uri} if grant_type == "authorization_code" else {}
        return {**self.application, "grant_type": grant_type, **code}
