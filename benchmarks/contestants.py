"""Clients that get a token, each used as its documentation shows: this SDK and its alternatives."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, Callable

from .measuring import NotMeasured
from .server import Server

CLIENT = {"client_id": "an-application", "client_secret": "0123456789abcdef0123456789abcdef"}
BODY = {"grant_type": "client_credentials", **CLIENT}
HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}


@dataclass
class Client:
    """A client that is ready to use: `get_token` sends a request each time, `cached` returns a cached token."""

    get_token: Callable[[], Any]
    close: Callable[[], object] = lambda: None
    cached: Callable[[], Any] | None = None


def ours(server: Server, path: str = "", threads: int = 1) -> Client:
    from BlueJeansMeetingsRestApi import ApiClient, AuthenticationApi, Configuration, GrantRequestClient

    configuration = Configuration()
    configuration.host = server.url + path
    configuration.ssl_ca_cert = server.authority
    configuration.max_response_bytes = 1 << 24
    configuration.connection_pool_maxsize = threads
    client = ApiClient(configuration)
    api, request = AuthenticationApi(client), GrantRequestClient(**CLIENT)
    return Client(lambda: api.get_token_by_client(request).access_token, client.close)


def urllib3(server: Server, path: str = "", threads: int = 1) -> Client:
    from urllib3 import PoolManager

    trusted: Any = {"ca_certs": server.authority} if server.authority else {}
    manager = PoolManager(maxsize=threads, **trusted)
    url = f"{server.url}{path}/oauth2/token?Client"

    def get_token() -> Any:
        response = manager.request("POST", url, body=json.dumps(BODY).encode(), headers=HEADERS)
        return json.loads(response.data)["access_token"]

    return Client(get_token, manager.clear)


def requests(server: Server, path: str = "", threads: int = 1) -> Client:
    from requests import Session
    from requests.adapters import HTTPAdapter

    session = Session()
    session.trust_env = False
    session.verify = server.authority or True
    session.mount(server.url, HTTPAdapter(pool_maxsize=max(threads, 10)))
    url = f"{server.url}{path}/oauth2/token?Client"
    return Client(lambda: session.post(url, json=BODY).json()["access_token"], session.close)


def httpx(server: Server, path: str = "", threads: int = 1) -> Client:
    import ssl

    from httpx import Client as Session

    verify: Any = ssl.create_default_context(cafile=server.authority) if server.authority else False
    session = Session(verify=verify, trust_env=False)
    url = f"{server.url}{path}/oauth2/token?Client"
    return Client(lambda: session.post(url, json=BODY).json()["access_token"], session.close)


def requests_oauthlib(server: Server) -> Client:
    from oauthlib.oauth2 import BackendApplicationClient
    from requests_oauthlib import OAuth2Session

    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # required for http://
    session = OAuth2Session(client=BackendApplicationClient(client_id=CLIENT["client_id"]))
    session.trust_env = False
    session.verify = server.authority or True
    options = {"token_url": f"{server.url}/rfc6749/token", "client_secret": CLIENT["client_secret"]}
    return Client(lambda: session.fetch_token(**options)["access_token"], session.close)


def authlib(server: Server) -> Client:
    from authlib.integrations.requests_client import OAuth2Session

    url = f"{server.url}/rfc6749/token"
    session = OAuth2Session(**CLIENT, token_endpoint=url, grant_type="client_credentials")
    session.trust_env = False
    session.verify = server.authority or True

    def get_token() -> Any:
        return session.fetch_token(url)["access_token"]

    def cached() -> Any:
        session.ensure_active_token(session.token)
        return session.token["access_token"]

    return Client(get_token, session.close, cached)


def google_auth(server: Server) -> Client:
    from google.auth.transport.requests import Request
    from google.oauth2.credentials import Credentials
    from requests import Session

    session = Session()
    session.trust_env = False
    session.verify = server.authority or True
    transport = Request(session)
    # google-auth has no client credentials grant; the refresh grant is the closest one.
    url = f"{server.url}/rfc6749/token"
    credentials: Any = Credentials(None, refresh_token="none", token_uri=url, **CLIENT)  # type: ignore[no-untyped-call]

    def get_token() -> Any:
        credentials.refresh(transport)
        return credentials.token

    def cached() -> Any:
        if not credentials.valid:
            credentials.refresh(transport)
        return credentials.token

    return Client(get_token, session.close, cached)


def msal(server: Server) -> Client:
    from msal import ConfidentialClientApplication
    from requests import Session

    if server.authority is None:
        raise NotMeasured("MSAL supports only https://")
    session = Session()
    session.trust_env = False
    session.verify = server.authority
    application = ConfidentialClientApplication(
        CLIENT["client_id"],
        client_credential=CLIENT["client_secret"],
        authority=f"{server.url}/tenant",
        instance_discovery=False,
        http_client=session,
    )

    def cached() -> Any:
        return application.acquire_token_for_client(["scope"])["access_token"]

    def get_token() -> Any:
        application.remove_tokens_for_client()
        return cached()

    return Client(get_token, session.close, cached)


def azure_identity(server: Server) -> Client:
    from azure.identity import ClientSecretCredential

    if server.authority is None:
        raise NotMeasured("azure-identity supports only https://")
    credential = ClientSecretCredential(
        "tenant",
        **CLIENT,
        authority=server.url,
        disable_instance_discovery=True,
        connection_verify=server.authority,
        use_env_settings=False,
    )

    def cached() -> Any:
        return credential.get_token("scope").token

    return Client(cached, credential.close, cached)


def credentials(server: Server, path: str = "", **options: Any) -> Any:
    """Return `ClientCredentials` of this SDK and the client that sends their requests."""
    from BlueJeansMeetingsRestApi import ApiClient, AuthenticationApi, ClientCredentials, Configuration

    configuration = Configuration()
    configuration.host = server.url + path
    configuration.ssl_ca_cert = server.authority
    client = ApiClient(configuration)
    return ClientCredentials(**{**CLIENT, "api": AuthenticationApi(client), **options}), client


def ours_cached(server: Server) -> Client:
    sdk_credentials, client = credentials(server)
    return Client(lambda: sdk_credentials.get_token().token, client.close, lambda: sdk_credentials.get_token())


HTTP_CLIENTS = {"urllib3": urllib3, "this SDK": ours, "requests": requests, "httpx": httpx}
OAUTH_CLIENTS = {"requests-oauthlib": requests_oauthlib, "Authlib": authlib, "google-auth": google_auth, "MSAL": msal}
ALL = {**HTTP_CLIENTS, **OAUTH_CLIENTS}
WITH_A_CACHE = {
    "this SDK": ours_cached,
    "Authlib": authlib,
    "google-auth": google_auth,
    "MSAL": msal,
    "azure-identity": azure_identity,
}
