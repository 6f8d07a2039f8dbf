"""Schemathesis makes valid and invalid requests from docs/openapi.yaml and checks the responses of the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
# The sandbox may refuse a request that is valid by the document: the document lists no registered clients or tokens.
MAY_BE_REFUSED = {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401"]}}
# The form of the sandbox is sent to this path too. The form of the service is not part of the API.
HAS_A_FORM = {"unsupported_method": {"enabled": False}, "allow_header_conformance": {"enabled": False}}
EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def document(*operations: dict[str, Any], **generation: Any) -> Any:
    config = {"generation": {"deterministic": True, **generation}, "operations": list(operations)}
    return schemathesis.openapi.from_path(DOCUMENT, config=SchemathesisConfig.from_dict(config))


as_generated = document(
    {"include-operation-id": "get_authorization_code", "checks": {**MAY_BE_REFUSED, **HAS_A_FORM}},
    {"include-operation-id": ["get_token", "revoke_access_token"], "checks": MAY_BE_REFUSED},
)
with_credentials = document(
    {"include-operation-id": "get_authorization_code", "checks": HAS_A_FORM},
    mode="positive",
    **{"with-security-parameters": False},
)


@as_generated.parametrize()
@EXAMPLES
def test_generated_requests_get_documented_responses(case: Case, sandbox: Sandbox) -> None:
    case.call_and_validate(base_url=sandbox.url)


class TestWithValidCredentials:
    succeeded: ClassVar[set[tuple[str, str]]] = set()

    @with_credentials.parametrize()
    @EXAMPLES
    def test_requests_with_valid_credentials_get_documented_responses(
        self, case: Case, sandbox: Sandbox, tokens: Tokens
    ) -> None:
        tokens.put_into(case)
        bearer = {"Authorization": f"Bearer {tokens.grant().access_token}"}
        if case.call_and_validate(base_url=sandbox.url, headers=bearer).status_code < 300:
            grant = case.body.get("grant_type", "") if isinstance(case.body, dict) else ""
            self.succeeded.add((operation_of(case), grant))

    def test_valid_requests_succeeded_for_each_operation_and_grant(self) -> None:
        assert self.succeeded == {
            ("get_authorization_code", ""),
            ("get_token", "client_credentials"),
            ("get_token", "authorization_code"),
            ("get_token", "meeting_passcode"),
            ("get_token", "password"),
            ("get_token", "refresh_token"),
            ("revoke_access_token", ""),
            ("get_token_info", ""),
            ("get_user", ""),
        }


def operation_of(case: Case) -> str:
    return str(case.operation.definition.raw["operationId"])


class Tokens:
    """Replaces generated credentials with valid ones of the sandbox."""

    def __init__(self, sandbox: Sandbox, api: bluejeans.AuthenticationApi) -> None:
        self.sandbox, self.api = sandbox, api
        self.application = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}

    def put_into(self, case: Case) -> None:
        operation = operation_of(case)
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


@pytest.fixture(scope="module")
def tokens(sandbox: Sandbox) -> Iterator[Tokens]:
    configuration = bluejeans.Configuration()
    configuration.host = sandbox.url
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        yield Tokens(sandbox, api)
