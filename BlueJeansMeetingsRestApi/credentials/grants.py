"""The kinds of credentials: each supplies its identity and requests its grant.

Credentials
├── ClientCredentials        an enterprise's token, by client ID and secret
├── PasswordCredentials      a user's token, by username and password
├── MeetingCredentials       a meeting's token, by meeting ID and passcode
├── RefreshTokenCredentials  the token of a user who signed in with a browser
└── StaticToken              an existing token, which cannot be refreshed
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Callable

from .. import models
from ..api.authentication_api import AuthenticationApi, RequestOptions
from ..api_client import ApiClient
from ..exceptions import ApiException, ApiResponseError, BadRequestError, ReauthenticationRequired, UnauthorizedError
from ..redaction import leaves_no_variables
from ..token_stores import MemoryTokenStore, TokenStore
from ..validation import validate_string
from .attempt import Refresh
from .base import Credentials
from .token import AccessToken, Clock, TokenProvider

_SIGN_IN_AGAIN = "The user has to sign in again, with AuthorizationCodeFlow.run() or the command bluejeans-auth login."


class ClientCredentials(Credentials):
    """An enterprise's token, by the client ID and secret that its administrator created (RFC 6749 section 4.4).

    The other parameters are described in `Credentials`.
    """

    grant_type = "client_credentials"

    @leaves_no_variables
    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        api: AuthenticationApi | None = None,
        store: TokenStore | None = None,
        on_refresh: Callable[[Refresh], object] | None = None,
        allowed_hosts: Iterable[str] = (),
        refresh_in_background: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            {
                "client_id": validate_string("client_id", client_id),
                "client_secret": validate_string("client_secret", client_secret),
            },
            api=api,
            store=store,
            on_refresh=on_refresh,
            allowed_hosts=allowed_hosts,
            refresh_in_background=refresh_in_background,
            clock=clock,
        )

    def fetch(self, api: AuthenticationApi, options: RequestOptions, refresh_token: str) -> models.GrantClient:
        """Request a client credentials grant."""
        return api.get_token_by_client(models.GrantRequestClient(**self.identity), **options)


class PasswordCredentials(Credentials):
    """A user's token, by username and password (RFC 6749 section 4.3).

    The other parameters are described in `Credentials`.
    """

    grant_type = "password"
    secret_is_guessable = True

    @leaves_no_variables
    def __init__(
        self,
        username: str,
        password: str,
        *,
        api: AuthenticationApi | None = None,
        store: TokenStore | None = None,
        on_refresh: Callable[[Refresh], object] | None = None,
        allowed_hosts: Iterable[str] = (),
        refresh_in_background: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            {"username": validate_string("username", username), "password": validate_string("password", password)},
            api=api,
            store=store,
            on_refresh=on_refresh,
            allowed_hosts=allowed_hosts,
            refresh_in_background=refresh_in_background,
            clock=clock,
        )

    def fetch(self, api: AuthenticationApi, options: RequestOptions, refresh_token: str) -> models.GrantPassword:
        """Request a password grant."""
        return api.get_token_by_password(models.GrantRequestPassword(**self.identity), **options)


class MeetingCredentials(Credentials):
    """A meeting's token, by its numeric ID and, if it has one, the passcode of its moderator or attendees.

    The other parameters are described in `Credentials`.
    """

    grant_type = "meeting_passcode"
    secret_is_guessable = True

    @leaves_no_variables
    def __init__(
        self,
        meeting_numeric_id: str,
        meeting_passcode: str | None = None,
        *,
        api: AuthenticationApi | None = None,
        store: TokenStore | None = None,
        on_refresh: Callable[[Refresh], object] | None = None,
        allowed_hosts: Iterable[str] = (),
        refresh_in_background: bool = False,
        clock: Clock | None = None,
    ) -> None:
        # The service treats an empty passcode as none.
        passcode = validate_string("meeting_passcode", meeting_passcode) if meeting_passcode else None
        meeting = validate_string("meeting_numeric_id", meeting_numeric_id)
        super().__init__(
            {"meeting_numeric_id": meeting, "meeting_passcode": passcode},
            api=api,
            store=store,
            on_refresh=on_refresh,
            allowed_hosts=allowed_hosts,
            refresh_in_background=refresh_in_background,
            clock=clock,
        )

    def fetch(self, api: AuthenticationApi, options: RequestOptions, refresh_token: str) -> models.GrantMeeting:
        """Request a meeting grant."""
        return api.get_token_by_meeting(models.GrantRequestMeeting(**self.identity), **options)


class RefreshTokenCredentials(Credentials):
    """The token of a user who signed in with a browser (RFC 6749 section 6).

    refresh_token: from `get_token_by_code`. None, with a store, for the sign-in that the store has for this client.

    A refresh token works once; the response contains the next one. Programs that restart, or that have several
    processes, need a store for it: the refresh token that they start with leads to its newest successor.
    The other parameters are described in `Credentials`.
    """

    grant_type = "refresh_token"

    @leaves_no_variables
    def __init__(
        self,
        client_id: str,
        client_secret: str,
        refresh_token: str | None = None,
        *,
        api: AuthenticationApi | None = None,
        store: TokenStore | None = None,
        on_refresh: Callable[[Refresh], object] | None = None,
        allowed_hosts: Iterable[str] = (),
        refresh_in_background: bool = False,
        clock: Clock | None = None,
    ) -> None:
        if refresh_token is None and store is None:
            raise ValueError("Without a store that has a sign-in, refresh_token is required: pass one of them")
        identity = {
            "client_id": validate_string("client_id", client_id),
            "client_secret": validate_string("client_secret", client_secret),
            "refresh_token": None if refresh_token is None else validate_string("refresh_token", refresh_token),
        }
        super().__init__(
            identity,
            refresh_token=identity["refresh_token"] or "",
            api=api,
            store=store,
            on_refresh=on_refresh,
            allowed_hosts=allowed_hosts,
            refresh_in_background=refresh_in_background,
            clock=clock,
        )

    @classmethod
    @leaves_no_variables
    def of_grant(
        cls,
        client_id: str,
        client_secret: str,
        grant: models.GrantCode,
        requested_at: float | None = None,
        *,
        api: AuthenticationApi | None = None,
        store: TokenStore | None = None,
        on_refresh: Callable[[Refresh], object] | None = None,
        allowed_hosts: Iterable[str] = (),
        refresh_in_background: bool = False,
        clock: Clock | None = None,
    ) -> RefreshTokenCredentials:
        """Return credentials that start with the token of a sign-in. A store keeps it as the sign-in of this client.

        requested_at: when the grant was requested, as a Unix timestamp; now if None.

        Raises ApiResponseError for a grant without a refresh token.
        """
        if not grant.refresh_token:
            raise ApiResponseError(0, "the grant has no refresh token, and its code is used")
        credentials = cls(
            client_id,
            client_secret,
            None if store is not None else grant.refresh_token,
            api=api,
            store=store,
            on_refresh=on_refresh,
            allowed_hosts=allowed_hosts,
            refresh_in_background=refresh_in_background,
            clock=clock,
        )
        credentials.refresher.adopt(grant, requested_at)
        return credentials

    def __getstate__(self) -> dict[str, Any]:
        if self._store is None or isinstance(self._store, MemoryTokenStore):
            raise TypeError(
                "A refresh token works once, so two processes cannot have it: RefreshTokenCredentials need a store"
            )
        return super().__getstate__()

    @leaves_no_variables
    def revoke(self) -> None:
        """Revoke the sign-in at the service, and delete it here and in the store.

        A sign-in that the service does not accept is deleted, too. Then the service's error is raised.
        """
        revoked = ReauthenticationRequired(0, "the sign-in was revoked", detail=_SIGN_IN_AGAIN)
        try:
            token = self.get_token().token
            client = {name: self.identity[name] for name in ("client_id", "client_secret")}
            self.api.revoke_access_token(models.GrantRequestRevoke(**client), access_token=token)
        except (ReauthenticationRequired, BadRequestError, UnauthorizedError):
            self.refresher.remove(revoked)
            raise
        self.refresher.remove(revoked)

    def fetch(self, api: AuthenticationApi, options: RequestOptions, refresh_token: str) -> models.GrantRefresh:
        """Request a refresh token grant. Raises ReauthenticationRequired if the refresh token is refused."""
        if not refresh_token:
            raise ReauthenticationRequired(0, "the store has no sign-in of this client", detail=_SIGN_IN_AGAIN)
        request = models.GrantRequestRefresh(**{**self.identity, "refresh_token": refresh_token})
        try:
            return api.get_token_by_refresh(request, **options)
        except (BadRequestError, UnauthorizedError) as error:
            raise sign_in_again(error, "the refresh token was refused") from error


def sign_in_again(error: ApiException, why: str) -> ReauthenticationRequired:
    """Return the error that replaces the service's refusal if only a new sign-in helps."""
    required = ReauthenticationRequired(error.status, why, detail=f"{error.detail}\n{_SIGN_IN_AGAIN}")
    required.body, required.headers = error.body, error.headers
    return required


class StaticToken(Credentials):
    """An existing token, which cannot be refreshed: if it is refused, ReauthenticationRequired is raised.

    api, allowed_hosts: as in `Credentials`.
    """

    @leaves_no_variables
    def __init__(
        self, access_token: str, *, api: AuthenticationApi | None = None, allowed_hosts: Iterable[str] = ()
    ) -> None:
        self._access = AccessToken(validate_string("access_token", access_token), math.inf)
        self._is_refused = False
        super().__init__({}, api=api, allowed_hosts=allowed_hosts)

    def __repr__(self) -> str:
        return "StaticToken(...)"

    def get_token(self, timeout: float | None = None) -> AccessToken:
        """Return the token. Its expiry is unknown: `expires_at` is infinite."""
        if self._is_refused:
            detail = "It cannot be refreshed. Create a StaticToken with another one."
            raise ReauthenticationRequired(401, "the token was refused", detail=detail)
        return self._access

    def invalidate(self, token: str | None = None) -> None:
        """Stop returning the token, because the service refused it."""
        if token in (None, self._access.token):
            self._is_refused = True

    def for_client(self, api_client: ApiClient) -> TokenProvider:
        """Return these credentials. Raises ValueError if they have an `api` and the client has another host."""
        if self._api is not None:
            self._check_host(api_client.configuration.base_url)
        return self

    @leaves_no_variables
    def revoke(self) -> None:
        """Stop returning the token. The service does not revoke it."""
        self.invalidate()

    def fetch(self, api: AuthenticationApi, options: RequestOptions, refresh_token: str) -> Any:
        """Raise an error: the token cannot be refreshed."""
        raise NotImplementedError("StaticToken does not request tokens")
