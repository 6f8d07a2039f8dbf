"""Prism serves docs/openapi.yaml: this client works with it, and it refuses the same bodies as the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.node import Node

DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
OPERATION = DOCUMENT["paths"]["/oauth2/token"]["post"]
BODIES = {
    name: example["value"]
    for name, example in OPERATION["requestBody"]["content"]["application/json"]["examples"].items()
}
RESPONSES = OPERATION["responses"]["200"]["content"]["application/json"]["examples"]
APPLICATION = {name: BODIES["Code"][name] for name in ("client_id", "client_secret")}
OMITTED = "omitted"


@pytest.fixture(scope="module")
def prism(node: Node, document: Path) -> Iterator[str]:
    with node.serve("node_modules/.bin/prism", "mock", "--port=0", str(document)) as url:
        yield url


@pytest.fixture
def api(prism: str) -> Iterator[bluejeans.AuthenticationApi]:
    configuration = bluejeans.Configuration()
    configuration.host = prism
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        yield api


class TestOperations:
    @pytest.mark.parametrize("grant", BODIES)
    def test_grant_operation_returns_the_example_of_prism(self, api: bluejeans.AuthenticationApi, grant: str) -> None:
        api.api_client.set_default_header("Prefer", f"example={grant}")  # selects a response of Prism
        attributes = getattr(bluejeans, f"GrantRequest{grant}").attribute_map
        fields = {name: BODIES[grant][key] for name, key in attributes.items()}
        request = getattr(bluejeans, f"GrantRequest{grant}")(**fields)
        response = getattr(api, f"get_token_by_{grant.lower()}")(request)
        assert type(response).__name__ == f"Grant{grant}"
        assert api.api_client.sanitize_for_serialization(response) == RESPONSES[grant]["value"]

    def test_token_info_operation_returns_the_example_of_prism(self, api: bluejeans.AuthenticationApi) -> None:
        assert api.get_token_info(access_token="4d186321c1a7f0f354b297e8914ab240").user == 1442589

    def test_prism_accepts_a_token_in_the_header(self, api: bluejeans.AuthenticationApi) -> None:
        bearer = {"Authorization": "Bearer 4d186321c1a7f0f354b297e8914ab240"}
        response = api.api_client.call_api("/oauth2/tokenInfo", "GET", header_params=bearer, response_type="object")
        assert response[0] == {"user": 1442589}

    def test_revoke_operation_returns_204_from_prism(self, api: bluejeans.AuthenticationApi) -> None:
        request = bluejeans.GrantRequestRevoke(**APPLICATION)
        assert api.revoke_access_token_with_http_info(request, access_token="4d186321c1a7f0f3")[1] == 204

    def test_authorization_operation_returns_302_from_prism(self, api: bluejeans.AuthenticationApi) -> None:
        api.api_client.set_default_header("Prefer", "code=302")
        arguments = {"client_id": BODIES["Code"]["client_id"], "redirect_uri": BODIES["Code"]["redirectUri"]}
        assert api.get_authorization_code_with_http_info(**arguments, scope="user_info", state="s")[1] == 302

    def test_prism_requires_a_token_for_token_info(self, api: bluejeans.AuthenticationApi) -> None:
        with pytest.raises(bluejeans.UnauthorizedError, match="invalid or does not have permission"):
            api.get_token_info()


@pytest.fixture(scope="module")
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager() as http:
        yield http


REQUESTS = [("POST", body) for body in BODIES.values()] + [("DELETE", APPLICATION)]


@pytest.mark.parametrize("value", [OMITTED, None, True, 7, 7.5, ["text"], {"text": "text"}], ids=repr)
@pytest.mark.parametrize(
    ("method", "body", "name"), [(method, body, name) for method, body in REQUESTS for name in body]
)
def test_prism_and_the_sandbox_refuse_the_same_bodies(
    http: urllib3.PoolManager, prism: str, sandbox: Sandbox, method: str, body: dict[str, Any], name: str, value: Any
) -> None:
    sent = {**body, name: value}
    if value == OMITTED:
        del sent[name]

    def is_refused(url: str) -> bool:
        return bool(http.request(method, f"{url}/oauth2/token?access_token=x", json=sent).status == 400)

    assert is_refused(prism) == is_refused(sandbox.url)
