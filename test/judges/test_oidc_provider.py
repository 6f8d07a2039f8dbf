"""This client works with oidc-provider, a certified OAuth server on Node.js.

A proxy translates between RFC 6749 and the dialect of the service.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from support.judges_browser import Browser
from support.node import Node
from support.protocol_shims import ServiceDialectProxy
from support.recording_server import RecordingServer, http_response

PATHS = {"authorize": "/auth", "token": "/token", "revoke": "/token/revocation", "introspect": "/token/introspection"}
USER = 1442589
SCOPES = "list_meetings,user_info"


@pytest.fixture(scope="module")
def client() -> dict[str, str]:
    """Return the credentials of a client that is registered with oidc-provider."""
    return {"client_id": "an-application", "client_secret": secrets.token_hex(16)}


@pytest.fixture(scope="module")
def provider(node: Node, client: dict[str, str]) -> Iterator[str]:
    """Yield the URL of oidc-provider for clients that use the dialect of the service."""
    settings = {"ISSUER": "http://127.0.0.1", **{name.upper(): value for name, value in client.items()}}
    with node.serve("node", "provider.mjs", **settings) as url, ServiceDialectProxy(url, **client, **PATHS) as proxy:
        yield proxy.url


@pytest.fixture
def api(provider: str) -> Iterator[bluejeans.AuthenticationApi]:
    """Yield the operations, configured for oidc-provider."""
    configuration = bluejeans.Configuration()
    configuration.host = provider
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        yield api


@pytest.fixture
def browser() -> Browser:
    """Return a browser; oidc-provider uses the username as user ID and accepts any password."""
    return Browser(str(USER), "any")


@pytest.fixture
def redirect_uri() -> Iterator[str]:
    """Yield a redirect URI of an application that accepts every callback."""
    with RecordingServer([http_response({})]) as application:
        yield f"{application.url}/callback"


@pytest.fixture
def authorization_url(provider: str, client: dict[str, str], redirect_uri: str) -> str:
    query = {"clientId": client["client_id"], "redirectUri": redirect_uri, "state": "a&b", "scope": SCOPES}
    return f"{provider}/oauth2/authorize?{urlencode(query)}"


@pytest.fixture
def code_request(
    browser: Browser, authorization_url: str, client: dict[str, str], redirect_uri: str
) -> bluejeans.GrantRequestCode:
    """Return the request that exchanges a new code of the user."""
    code = callback_parameters(browser.sign_in(authorization_url).url)["code"]
    return bluejeans.GrantRequestCode(**client, redirect_uri=redirect_uri, code=code)


@pytest.fixture
def grant(api: bluejeans.AuthenticationApi, code_request: bluejeans.GrantRequestCode) -> bluejeans.GrantCode:
    return api.get_token_by_code(code_request)


def callback_parameters(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


class TestClientGrant:
    def test_client_grant_returns_a_token_from_oidc_provider(
        self, api: bluejeans.AuthenticationApi, client: dict[str, str]
    ) -> None:
        grant = api.get_token_by_client(bluejeans.GrantRequestClient(**client))
        assert (len(grant.access_token or ""), grant.expires_in) == (43, 600)

    def test_client_grant_with_a_wrong_secret_raises_unauthorized_error(
        self, api: bluejeans.AuthenticationApi, client: dict[str, str]
    ) -> None:
        request = bluejeans.GrantRequestClient(client_id=client["client_id"], client_secret="wrong")
        with pytest.raises(bluejeans.UnauthorizedError, match="client authentication failed"):
            api.get_token_by_client(request)


class TestCodeGrant:
    def test_oidc_provider_returns_the_state(self, browser: Browser, authorization_url: str) -> None:
        assert callback_parameters(browser.sign_in(authorization_url).url)["state"] == "a&b"

    def test_denied_access_returns_the_error_of_the_service(self, browser: Browser, authorization_url: str) -> None:
        parameters = callback_parameters(browser.sign_in(authorization_url, allow=False).url)
        assert parameters == {"error": "401", "error_description": "User rejects the grant to client application"}

    def test_code_grant_returns_user_tokens_with_the_requested_scopes(
        self, api: bluejeans.AuthenticationApi, grant: bluejeans.GrantCode
    ) -> None:
        assert grant.expires_in == 3600
        assert grant.scope is not None
        assert grant.scope.bearer_permissions == SCOPES
        assert api.get_token_info(access_token=grant.access_token).user == USER

    def test_oidc_provider_accepts_a_code_only_once(
        self, api: bluejeans.AuthenticationApi, code_request: bluejeans.GrantRequestCode
    ) -> None:
        api.get_token_by_code(code_request)
        with pytest.raises(bluejeans.UnauthorizedError):
            api.get_token_by_code(code_request)

    def test_code_grant_with_another_redirect_uri_raises_unauthorized_error(
        self, api: bluejeans.AuthenticationApi, code_request: bluejeans.GrantRequestCode
    ) -> None:
        code_request.redirect_uri = "http://127.0.0.1/callback"
        with pytest.raises(bluejeans.UnauthorizedError):
            api.get_token_by_code(code_request)


class TestSignIn:
    """`AuthorizationCodeFlow`, which makes the `state` and receives the callback."""

    @pytest.fixture
    def flow(self, api: bluejeans.AuthenticationApi, client: dict[str, str]) -> bluejeans.AuthorizationCodeFlow:
        return bluejeans.AuthorizationCodeFlow(**client, scope=SCOPES, api=api)

    def test_credentials_of_the_flow_refresh_their_token(
        self, api: bluejeans.AuthenticationApi, flow: bluejeans.AuthorizationCodeFlow, browser: Browser
    ) -> None:
        credentials = flow.run(open_browser=browser.sign_in)
        first = credentials.get_token().token
        assert api.get_token_info(access_token=first).user == USER
        credentials.invalidate()
        assert api.get_token_info(access_token=credentials.get_token().token).user == USER

    def test_flow_raises_reauthentication_required_if_the_user_denies(
        self, flow: bluejeans.AuthorizationCodeFlow, browser: Browser
    ) -> None:
        with pytest.raises(bluejeans.ReauthenticationRequired, match="access was denied"):
            flow.run(open_browser=lambda url: browser.sign_in(url, allow=False))

    def test_flow_refuses_a_callback_with_another_state(
        self, flow: bluejeans.AuthorizationCodeFlow, browser: Browser, redirect_uri: str
    ) -> None:
        flow.redirect_uri = redirect_uri
        callback = browser.sign_in(flow.authorization_url("another state"), allow=True).url
        with pytest.raises(ValueError, match="`state` is missing or different"):
            flow.exchange(callback, state="the state that was sent")

    def test_revoked_credentials_require_reauthentication(
        self, flow: bluejeans.AuthorizationCodeFlow, browser: Browser
    ) -> None:
        credentials = flow.run(open_browser=browser.sign_in)
        credentials.revoke()
        with pytest.raises(bluejeans.ReauthenticationRequired):
            credentials.get_token()


class TestRefresh:
    @pytest.fixture
    def refresh_request(self, client: dict[str, str], grant: bluejeans.GrantCode) -> bluejeans.GrantRequestRefresh:
        return bluejeans.GrantRequestRefresh(**client, refresh_token=grant.refresh_token)

    def test_refresh_grant_returns_new_tokens_with_the_same_scopes(
        self,
        api: bluejeans.AuthenticationApi,
        grant: bluejeans.GrantCode,
        refresh_request: bluejeans.GrantRequestRefresh,
    ) -> None:
        second = api.get_token_by_refresh(refresh_request)
        assert second.scope is not None
        assert second.scope.bearer_permissions == SCOPES
        assert len({grant.access_token, grant.refresh_token, second.access_token, second.refresh_token}) == 4

    def test_oidc_provider_accepts_a_refresh_token_only_once(
        self, api: bluejeans.AuthenticationApi, refresh_request: bluejeans.GrantRequestRefresh
    ) -> None:
        api.get_token_by_refresh(refresh_request)
        with pytest.raises(bluejeans.UnauthorizedError):
            api.get_token_by_refresh(refresh_request)


class TestRevoke:
    def test_revoked_token_is_refused_by_oidc_provider(
        self, api: bluejeans.AuthenticationApi, client: dict[str, str], grant: bluejeans.GrantCode
    ) -> None:
        request = bluejeans.GrantRequestRevoke(**client)
        api.revoke_access_token(request, access_token=grant.access_token)
        with pytest.raises(bluejeans.UnauthorizedError):
            api.get_token_info(access_token=grant.access_token)
        with pytest.raises(bluejeans.BadRequestError):
            api.revoke_access_token(request, access_token=grant.access_token)
