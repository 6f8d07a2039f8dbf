"""The client against oidc-provider, a certified OAuth server on Node.js, by way of a proxy that makes RFC 6749 the
service's dialect.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from browser import Browser
from recorder import Recorder, reply

import BlueJeansMeetingsRestApi as bluejeans

USER = 1442589
SCOPES = "list_meetings,user_info"


@pytest.fixture
def browser() -> Browser:
    """At oidc-provider, who gives a name is the user with that id, whatever the password."""
    return Browser(str(USER), "any")


@pytest.fixture
def redirect_uri() -> Iterator[str]:
    """An address of the application, where it takes whatever answer comes."""
    with Recorder([reply({})]) as application:
        yield f"{application.url}/callback"


@pytest.fixture
def authorization_url(provider: str, client: dict[str, str], redirect_uri: str) -> str:
    asked = {"clientId": client["client_id"], "redirectUri": redirect_uri, "state": "a&b", "scope": SCOPES}
    return f"{provider}/oauth2/authorize?{urlencode(asked)}"


@pytest.fixture
def code_request(
    browser: Browser, authorization_url: str, client: dict[str, str], redirect_uri: str
) -> bluejeans.GrantRequestCode:
    """The exchange of a code that a user has just given."""
    code = answered(browser.sign_in(authorization_url).url)["code"]
    return bluejeans.GrantRequestCode(**client, redirect_uri=redirect_uri, code=code)


@pytest.fixture
def grant(provider_api: bluejeans.AuthenticationApi, code_request: bluejeans.GrantRequestCode) -> bluejeans.GrantCode:
    return provider_api.get_token_by_code(code_request)


def answered(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


class TestClientGrant:
    def test_a_token(self, provider_api: bluejeans.AuthenticationApi, client: dict[str, str]) -> None:
        grant = provider_api.get_token_by_client(bluejeans.GrantRequestClient(**client))
        assert (len(grant.access_token or ""), grant.expires_in) == (43, 600)

    def test_a_wrong_secret(self, provider_api: bluejeans.AuthenticationApi, client: dict[str, str]) -> None:
        request = bluejeans.GrantRequestClient(client_id=client["client_id"], client_secret="wrong")
        with pytest.raises(bluejeans.UnauthorizedError, match="client authentication failed"):
            provider_api.get_token_by_client(request)


class TestCodeGrant:
    def test_the_state_comes_back(self, browser: Browser, authorization_url: str) -> None:
        assert answered(browser.sign_in(authorization_url).url)["state"] == "a&b"

    def test_a_user_may_deny(self, browser: Browser, authorization_url: str) -> None:
        came = answered(browser.sign_in(authorization_url, allow=False).url)
        assert came == {"error": "401", "error_description": "User rejects the grant to client application"}

    def test_tokens_of_the_user_for_what_was_asked(
        self, provider_api: bluejeans.AuthenticationApi, grant: bluejeans.GrantCode
    ) -> None:
        assert grant.expires_in == 3600
        assert grant.scope is not None
        assert grant.scope.bearer_permissions == SCOPES
        assert provider_api.get_token_info(access_token=grant.access_token).user == USER

    def test_a_code_works_once(
        self, provider_api: bluejeans.AuthenticationApi, code_request: bluejeans.GrantRequestCode
    ) -> None:
        provider_api.get_token_by_code(code_request)
        with pytest.raises(bluejeans.UnauthorizedError):
            provider_api.get_token_by_code(code_request)

    def test_the_redirect_uri_is_sent(
        self, provider_api: bluejeans.AuthenticationApi, code_request: bluejeans.GrantRequestCode
    ) -> None:
        code_request.redirect_uri = "http://127.0.0.1/callback"
        with pytest.raises(bluejeans.UnauthorizedError):
            provider_api.get_token_by_code(code_request)


class TestRefresh:
    @pytest.fixture
    def refresh_request(self, client: dict[str, str], grant: bluejeans.GrantCode) -> bluejeans.GrantRequestRefresh:
        return bluejeans.GrantRequestRefresh(**client, refresh_token=grant.refresh_token)

    def test_other_tokens_for_the_same(
        self,
        provider_api: bluejeans.AuthenticationApi,
        grant: bluejeans.GrantCode,
        refresh_request: bluejeans.GrantRequestRefresh,
    ) -> None:
        second = provider_api.get_token_by_refresh(refresh_request)
        assert second.scope is not None
        assert second.scope.bearer_permissions == SCOPES
        assert len({grant.access_token, grant.refresh_token, second.access_token, second.refresh_token}) == 4

    def test_a_refresh_token_works_once(
        self, provider_api: bluejeans.AuthenticationApi, refresh_request: bluejeans.GrantRequestRefresh
    ) -> None:
        provider_api.get_token_by_refresh(refresh_request)
        with pytest.raises(bluejeans.UnauthorizedError):
            provider_api.get_token_by_refresh(refresh_request)


class TestRevoke:
    def test_a_revoked_token_is_not_valid(
        self, provider_api: bluejeans.AuthenticationApi, client: dict[str, str], grant: bluejeans.GrantCode
    ) -> None:
        request = bluejeans.GrantRequestRevoke(**client)
        provider_api.revoke_access_token(request, access_token=grant.access_token)
        with pytest.raises(bluejeans.UnauthorizedError):
            provider_api.get_token_info(access_token=grant.access_token)
        with pytest.raises(bluejeans.BadRequestError):
            provider_api.revoke_access_token(request, access_token=grant.access_token)
