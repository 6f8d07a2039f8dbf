"""The authorization code flow: the URL of the sign-in page, and credentials from the authorization response.

On the user's machine, `AuthorizationCodeFlow.run()` does everything (RFC 8252). A web application redirects the browser
to `authorization_url(...)` and passes the URL of the response to `exchange(...)`.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
import webbrowser
from typing import TYPE_CHECKING, Callable, TypedDict
from urllib.parse import urlencode, urlsplit

from .. import models
from ..api.authentication_api import AUTHORIZATION_PATH, AuthenticationApi, authorization_query
from ..configuration import Configuration
from ..credentials import CredentialsOptions, RefreshTokenCredentials, origin, sign_in_again
from ..exceptions import UnauthorizedError
from ..redaction import leaves_no_variables
from ..transport.urls import split_url
from ..validation import validate_seconds, validate_string
from .callback import AuthorizationResponse, PendingSignIn, parse_response
from .paste import accept_pasted_url, has_terminal

if TYPE_CHECKING:
    from typing_extensions import Unpack

# The sign-in page of the live service has another host than its API.
_LIVE_API, _LIVE_PAGES = ("https", "api.bluejeans.com", 443), "https://bluejeans.com"
_DEFAULT_REDIRECT_URI = "http://127.0.0.1/callback"


def authorization_url(
    client_id: str,
    redirect_uri: str,
    state: str,
    *,
    scope: str | None = None,
    response_type: str = "code",
    app_name: str | None = None,
    app_logo_url: str | None = None,
    configuration: Configuration | None = None,
) -> str:
    """Return the URL of the page on which a user signs in and authorizes an application (RFC 6749 section 4.1.1).

    The page is https://bluejeans.com/oauth2/authorize for the live service, and at `Configuration.host` for any other.

    state: a value that cannot be guessed, which you pass to `exchange` later; `secrets.token_urlsafe()` returns one.
    configuration: settings with the host (default: a new `Configuration`).
    Other parameters: see `AuthenticationApi.get_authorization_code`.

    Raises ValueError if `state` is empty.
    """
    if not state:
        raise ValueError("state must be a value that cannot be guessed; create one with secrets.token_urlsafe()")
    query = authorization_query(
        client_id=client_id,
        redirect_uri=redirect_uri,
        state=state,
        scope=scope,
        response_type=response_type,
        app_name=app_name,
        app_logo_url=app_logo_url,
    )
    host = (configuration or Configuration()).base_url
    pages = _LIVE_PAGES if origin(host) == _LIVE_API and not urlsplit(host).path else host
    return f"{pages}{AUTHORIZATION_PATH}?{urlencode(query)}"


class _RequestParameters(TypedDict):
    scope: str | None
    app_name: str | None
    app_logo_url: str | None


class AuthorizationCodeFlow:
    """Signs a user in with a browser and returns credentials that refresh themselves (RFC 6749 section 4.1).

    client_id, client_secret: the application, as registered with the service.
    redirect_uri: a registered URI, or a URI below a registered one (default: http://127.0.0.1/callback). `run` listens
        on its port of 127.0.0.1, or on a free port if the URI has none.
    scope: requested permissions, separated by commas (default: every registered permission).
    app_name, app_logo_url: shown to the user.
    options: options of `RefreshTokenCredentials`, such as `api=` and `store=`.
    """

    @leaves_no_variables
    def __init__(
        self,
        client_id: str,
        client_secret: str,
        redirect_uri: str | None = None,
        scope: str | None = None,
        app_name: str | None = None,
        app_logo_url: str | None = None,
        **options: Unpack[CredentialsOptions],
    ) -> None:
        self.redirect_uri = redirect_uri or _DEFAULT_REDIRECT_URI
        split_url("redirect_uri", self.redirect_uri.partition("?")[0])
        self._client_id = validate_string("client_id", client_id)
        self._client_secret = validate_string("client_secret", client_secret)
        self._parameters: _RequestParameters = {"scope": scope, "app_name": app_name, "app_logo_url": app_logo_url}
        self._options = options
        self._state = ""

    def __repr__(self) -> str:
        return f"AuthorizationCodeFlow({self._client_id!r}, ..., redirect_uri={self.redirect_uri!r})"

    def authorization_url(self, state: str | None = None) -> str:
        """Return the URL of the sign-in page for this application.

        state: a value that cannot be guessed, which a web application saves in the user's session (default: a new
            value, which the next `exchange` without `state` expects).
        """
        if state is None:
            state = self._state = secrets.token_urlsafe()
        return self._authorization_url(self.redirect_uri, state)

    def _authorization_url(self, redirect_uri: str, state: str) -> str:
        api = self._options.get("api")
        configuration = None if api is None else api.api_client.configuration
        return authorization_url(self._client_id, redirect_uri, state, configuration=configuration, **self._parameters)

    @leaves_no_variables
    def exchange(self, response_url: str, state: str | None = None) -> RefreshTokenCredentials:
        """Return credentials for the code in the URL that the browser was redirected to, at most 30 seconds ago.

        state: `state` of the request, from the user's session (default: the value that `authorization_url()` of this
            object created, which is accepted once).

        Raises ValueError if the URL is not a response to the request, and ReauthenticationRequired if the user denied
        access or the code is refused. Another error or a missing code raises ApiResponseError. The exceptions of
        `get_token_by_code` are raised as well.
        """
        if state is None:
            state, self._state = self._state, ""
        if not state:
            raise ValueError("exchange requires the `state` of the request, which is accepted once")
        return self._credentials_for(parse_response(response_url, state), self.redirect_uri)

    def _credentials_for(self, response: AuthorizationResponse, redirect_uri: str) -> RefreshTokenCredentials:
        if response.error is not None:
            raise response.error
        request = models.GrantRequestCode(
            client_id=self._client_id, client_secret=self._client_secret, code=response.code, redirect_uri=redirect_uri
        )
        api, clock = self._options.get("api"), self._options.get("clock")
        requested_at = time.time() if clock is None else clock.wall()
        # A new API object is closed again because the credentials make their own connections.
        with contextlib.nullcontext(api) if api is not None else AuthenticationApi() as exchange_api:
            try:
                grant = exchange_api.get_token_by_code(request)
            except UnauthorizedError as error:
                raise sign_in_again(error, "the code was refused") from error
        return RefreshTokenCredentials.of_grant(
            self._client_id, self._client_secret, grant, requested_at, **self._options
        )

    @leaves_no_variables
    def run(
        self, timeout: float = 120.0, open_browser: Callable[[str], object] | bool = True
    ) -> RefreshTokenCredentials:
        """Let the user at this machine sign in, and return credentials for that user.

        timeout: seconds to wait for the sign-in.
        open_browser: whether to open the user's browser; or a function that opens the URL that it is called with, in a
            separate thread, and returns False if that is impossible.

        If no browser opens, the URL is printed to standard error. On a terminal, the user may paste the URL that a
        browser on any machine was redirected to. This is the only way if the redirect URI leads to another machine.

        Raises ApiTimeoutError if the user does not sign in before the timeout, and OSError if the port of the redirect
        URI is in use. A redirect URI of another machine raises ValueError if there is no terminal. The exceptions of
        `exchange` are raised as well.
        """
        # Imported here because web applications have a server already.
        from .loopback import LoopbackReceiver, is_loopback_uri

        deadline = time.monotonic() + validate_seconds("timeout", timeout)
        state, redirect_uri = secrets.token_urlsafe(), self.redirect_uri
        is_loopback = is_loopback_uri(redirect_uri)
        if not is_loopback and not has_terminal():
            raise ValueError(
                f"redirect_uri {redirect_uri!r} requires a terminal to paste the response; "
                "without one, use a URI on http://127.0.0.1"
            )
        pending = PendingSignIn(state)
        with contextlib.ExitStack() as stack:
            if is_loopback:
                receiver = stack.enter_context(LoopbackReceiver(redirect_uri, pending, self._parameters["app_name"]))
                redirect_uri = receiver.redirect_uri
            # Entered after the receiver, and thus left before it, so that the receiver can still show the result.
            stack.enter_context(pending)
            url = self._authorization_url(redirect_uri, state)
            if open_browser:
                function = webbrowser.open if open_browser is True else open_browser
                threading.Thread(target=pending.open_browser, args=(function, url), name="browser", daemon=True).start()
            response = pending.wait(deadline) if open_browser and is_loopback else None
            if response is None:
                stack.enter_context(accept_pasted_url(url, pending))
                while response is None:
                    response = pending.wait(deadline)
            return self._credentials_for(response, redirect_uri)
