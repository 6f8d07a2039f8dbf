"""Tokens that stay valid: `get_token()` gives one that works now, and asks the service only when it has to.

Credentials
├── ClientCredentials        an enterprise's, by client id and secret
├── PasswordCredentials      a user's, by name and password
├── MeetingCredentials       one meeting's, by number and passcode
├── RefreshTokenCredentials  a user's who signed in with a browser
└── StaticToken              a token from elsewhere, which cannot be renewed

A token is fresh, then due, then expired. Fresh: it is given at once. Due (in its last tenth, at most five minutes): one
caller renews it and the others get it as it is. Expired: one caller renews it and the others wait for what comes.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Callable, TypedDict, TypeVar
from urllib.parse import urlsplit

from . import models
from .api.authentication_api import AuthenticationApi, RequestOptions
from .api_client import ApiClient
from .configuration import Configuration, base_url, is_warning_due, text, warn_about_default_host
from .environment import setting, setting_name
from .exceptions import ApiException, ApiResponseError, BadRequestError, ReauthenticationRequired, UnauthorizedError
from .redaction import leaves_no_variables
from .renewal import Renewal, RenewedToken, copy_of, logger
from .token_life import AccessToken, Clock, token_of
from .token_stores import MemoryTokenStore, TokenStore, TokenStoreError, store_at

if TYPE_CHECKING:
    from typing_extensions import Unpack

R = TypeVar("R")


class CredentialsOptions(TypedDict, total=False):
    """What all credentials but StaticToken take beside their own.

    api: the operations to call; those of the client that uses the credentials if None, else of a default one.
    store: where tokens are kept and shared; None for this object alone.
    renew_in_background: renew a token that is due in a thread, so that no caller waits while the old one is good.
    on_renewal: called with the `Renewal` after each.
    allowed_hosts: URLs of other hosts than the service's that the token may be sent to.
    clock: what tells the time.
    """

    api: AuthenticationApi | None
    store: TokenStore | None
    renew_in_background: bool
    on_renewal: Callable[[Renewal], object] | None
    allowed_hosts: Iterable[str]
    clock: Clock | None


class Credentials(RenewedToken):
    """A token that stays valid, for many threads and, with a store, processes and machines at once.

    Give it to `Configuration.credentials`, to `requests` or `httpx` as `auth`, or call `get_token()`. Leaving a `with`
    block closes it. A pickle of it gives credentials that work and holds no access token.
    """

    # A person has chosen it; the others are 32 digits by chance.
    _secret_can_be_guessed = False

    def __init__(self, identity: Mapping[str, str | None], **options: Unpack[CredentialsOptions]) -> None:
        """identity: whose token it is, by the names of the constructor's parameters."""
        self._identity, self._options = identity, options
        self._api, self._own_api = options.get("api"), False
        allowed = options.get("allowed_hosts", ())
        self._allowed_hosts = frozenset(origin(base_url("allowed_hosts", host)) for host in allowed)
        self._store_key = ""
        in_background, on_renewal = options.get("renew_in_background", False), options.get("on_renewal")
        super().__init__(options.get("store"), in_background, on_renewal, options.get("clock") or Clock())

    def __enter__(self: R) -> R:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({next(iter(self._identity.values()))!r}, ...)"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self._identity, {**self._options, "api": None}, self._settings())

    def _settings(self) -> Configuration | None:
        """What the API is configured with, for a pickle, which must not hold these credentials within themselves."""
        settings = copy.copy(self._api.api_client.configuration) if self._api is not None else None
        if settings is not None:
            settings.credentials = None
        return settings

    @property
    def api(self) -> AuthenticationApi:
        """The operations that tokens are got with."""
        if self._api is None:
            self._api, self._own_api = AuthenticationApi(), True
        return self._api

    def use(self, client: ApiClient) -> None:
        """Get tokens by way of this client, unless an `api` was given or used before."""
        if self._api is None:
            self._api = AuthenticationApi(client)

    def close(self) -> None:
        """Close the connections, unless they are those of an `api` or a client that was given. It stays usable."""
        if self._own_api:
            self.api.api_client.close()

    @leaves_no_variables
    def revoke(self) -> None:
        """Forget the token, here and in the store. The service itself can take back a browser sign-in's alone.

        Raises TokenStoreError if the store cannot be used.
        """
        self.invalidate()
        if self._store is not None:
            self._store.remove(self._key)

    def authorization_for(self, url: str, timeout: float | None = None) -> str:
        """The `Authorization` header for a request to `url` (RFC 6750); ValueError if its host may not have it.

        timeout, and what else is raised: as for `get_token`.
        """
        self._check_host(url)
        return f"Bearer {self.get_token(timeout).token}"

    @leaves_no_variables
    def __call__(self, request: R) -> R:
        """Authorize a request of `requests` or `httpx`. One of `requests` that is refused (401) is sent once more."""
        authorized: Any = request
        authorized.headers["Authorization"] = self.authorization_for(str(authorized.url))
        if hasattr(authorized, "register_hook"):
            authorized.register_hook("response", self._send_again_if_refused)
        return request

    @leaves_no_variables
    def _send_again_if_refused(self, response: Any, **options: Any) -> Any:
        request = response.request
        # What was redirected elsewhere went there without the token; and a stream cannot be sent twice.
        sent = request.headers.get("Authorization", "").partition(" ")[2]
        if response.status_code != 401 or not sent or not isinstance(request.body, (str, bytes, type(None))):
            return response
        self.invalidate(sent)
        again = request.copy()
        again.headers["Authorization"] = self.authorization_for(request.url)
        _ = response.content  # the connection is free once it is read
        answer = response.connection.send(again, **options)
        answer.history.append(response)
        answer.request = again
        return answer

    def _check_host(self, url: str) -> None:
        configuration = self.api.api_client.configuration
        own = origin(configuration.base_url)
        if origin(url) == own and is_warning_due(configuration, configuration.base_url):
            warn_about_default_host()
        if origin(url) not in {own, *self._allowed_hosts}:
            shown, asked = ("{}://{}:{}".format(*origin) for origin in (own, origin(url)))
            raise ValueError(f"The token is for {shown} and not sent to {asked}, unless allowed_hosts names that")

    @property
    def _key(self) -> str:
        # The secret is part of it: who has a wrong one must not be given the right one's token.
        if not self._store_key:
            import hashlib

            whose = json.dumps([self.api.api_client.configuration.base_url, self.grant_type, self._identity]).encode()
            if self._secret_can_be_guessed:  # which is slow with this one
                digest = hashlib.scrypt(whose, salt=b"BlueJeansMeetingsRestApi", n=1 << 12, r=8, p=1, dklen=32)
            else:
                digest = hashlib.sha256(whose).digest()
            self._store_key = digest.hex()
        return self._store_key


def _rebuilt(
    kind: type[Credentials], identity: dict[str, Any], options: dict[str, Any], configuration: Configuration | None
) -> Credentials:
    return _with_settings(kind(**identity, **options), configuration)


def _with_settings(credentials: Credentials, configuration: Configuration | None) -> Credentials:
    if configuration is not None:
        credentials._api, credentials._own_api = AuthenticationApi(ApiClient(configuration)), True
    return credentials


class ClientCredentials(Credentials):
    """An enterprise's token, by the client id and secret that its administrator made (RFC 6749 section 4.4)."""

    grant_type = "client_credentials"

    @leaves_no_variables
    def __init__(self, client_id: str, client_secret: str, **options: Unpack[CredentialsOptions]) -> None:
        identity = {"client_id": text("client_id", client_id), "client_secret": text("client_secret", client_secret)}
        super().__init__(identity, **options)

    def _granted(self, refresh_token: str, options: RequestOptions) -> models.GrantClient:
        return self.api.get_token_by_client(models.GrantRequestClient(**self._identity), **options)


class PasswordCredentials(Credentials):
    """A user's token, by name and password (RFC 6749 section 4.3)."""

    grant_type = "password"
    _secret_can_be_guessed = True

    @leaves_no_variables
    def __init__(self, username: str, password: str, **options: Unpack[CredentialsOptions]) -> None:
        super().__init__({"username": text("username", username), "password": text("password", password)}, **options)

    def _granted(self, refresh_token: str, options: RequestOptions) -> models.GrantPassword:
        return self.api.get_token_by_password(models.GrantRequestPassword(**self._identity), **options)


class MeetingCredentials(Credentials):
    """One meeting's token, by its number and, where it has one, a passcode: the moderator's or the attendees'."""

    grant_type = "meeting_passcode"
    _secret_can_be_guessed = True

    @leaves_no_variables
    def __init__(
        self, meeting_numeric_id: str, meeting_passcode: str | None = None, **options: Unpack[CredentialsOptions]
    ) -> None:
        passcode = text("meeting_passcode", meeting_passcode) if meeting_passcode else None  # as for the service
        meeting = text("meeting_numeric_id", meeting_numeric_id)
        super().__init__({"meeting_numeric_id": meeting, "meeting_passcode": passcode}, **options)

    def _granted(self, refresh_token: str, options: RequestOptions) -> models.GrantMeeting:
        return self.api.get_token_by_meeting(models.GrantRequestMeeting(**self._identity), **options)


class RefreshTokenCredentials(Credentials):
    """The token of a user who signed in with a browser (RFC 6749 section 6).

    refresh_token: from `get_token_by_code`. None, with a store, for the sign-in that is kept there for this client.

    A refresh token works once, and the next one comes with the answer. Programs that are started again, or have several
    processes, need a store to keep it in; the refresh token they are started with leads to what it has become.
    """

    grant_type = "refresh_token"

    @leaves_no_variables
    def __init__(
        self,
        client_id: str,
        client_secret: str,
        refresh_token: str | None = None,
        **options: Unpack[CredentialsOptions],
    ) -> None:
        if refresh_token is None and options.get("store") is None:
            raise ValueError("refresh_token may be left out only where a store has a sign-in: give one of them")
        identity = {
            "client_id": text("client_id", client_id),
            "client_secret": text("client_secret", client_secret),
            "refresh_token": None if refresh_token is None else text("refresh_token", refresh_token),
        }
        self._refresh_token = refresh_token or ""
        self._refused_refresh: tuple[str, ReauthenticationRequired] | None = None
        super().__init__(identity, **options)

    @classmethod
    @leaves_no_variables
    def of_grant(
        cls,
        client_id: str,
        client_secret: str,
        grant: models.GrantCode,
        asked_at: float | None = None,
        **options: Unpack[CredentialsOptions],
    ) -> RefreshTokenCredentials:
        """Credentials that begin with the token of a sign-in; a store keeps it as the sign-in of this client.

        asked_at: when the grant was asked for, in seconds since 1970; now if None.

        Raises ApiResponseError for a grant without a refresh token.
        """
        if not grant.refresh_token:
            raise ApiResponseError(0, "the grant has no refresh token, and the code that it was got with is spent")
        first = None if options.get("store") is not None else grant.refresh_token
        credentials = cls(client_id, client_secret, first, **options)
        credentials._begin(grant, asked_at)
        return credentials

    def _begin(self, grant: models.GrantCode, asked_at: float | None) -> None:
        wall, boot = self._clock.wall(), self._clock.boot()
        age = 0.0 if asked_at is None else max(wall - asked_at, 0.0)
        self._refresh_token = grant.refresh_token or ""
        self._held = token_of(grant, wall - age, boot - age)
        if self._store is not None:
            try:
                with self._store.lock(self._key, self.api.api_client.configuration.call_timeout) as fence:
                    self._keep(self._store, self._key, self._held, fence)
            except (TokenStoreError, TimeoutError) as error:
                # The code is spent: the sign-in is good here, and is kept with the next token.
                self._is_kept = False
                logger.warning("The sign-in is not kept: %s", error)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._store is None or isinstance(self._store, MemoryTokenStore):
            raise TypeError(
                "A refresh token works once, and not in two processes: RefreshTokenCredentials needs a store"
            )
        return super().__reduce__()

    @leaves_no_variables
    def revoke(self) -> None:
        """Take the sign-in back at the service, and forget it here and in the store."""
        token = self.get_token().token
        identity = {name: self._identity[name] for name in ("client_id", "client_secret")}
        self.api.revoke_access_token(models.GrantRequestRevoke(**identity), access_token=token)
        revoked = ReauthenticationRequired(0, "the sign-in was revoked", detail=_SIGN_IN_AGAIN)
        self._refused_refresh = (self._refresh_token, revoked)
        super().revoke()

    def _granted(self, refresh_token: str, options: RequestOptions) -> models.GrantRefresh:
        if not refresh_token:
            raise ReauthenticationRequired(0, "the store has no sign-in of this client", detail=_SIGN_IN_AGAIN)
        if self._refused_refresh is not None and self._refused_refresh[0] == refresh_token:
            raise copy_of(self._refused_refresh[1])
        request = models.GrantRequestRefresh(**{**self._identity, "refresh_token": refresh_token})
        try:
            return self.api.get_token_by_refresh(request, **options)
        except (BadRequestError, UnauthorizedError) as error:
            required = sign_in_again(error, "the refresh token was refused")
            self._refused_refresh = (refresh_token, required)
            raise required from error

    def _next_refresh_token(self, grant: Any, refresh_token: str) -> str:
        return grant.refresh_token or refresh_token


_SIGN_IN_AGAIN = "The user has to sign in again, with AuthorizationCodeFlow.run() or the command bluejeans-auth login."


def sign_in_again(error: ApiException, why: str) -> ReauthenticationRequired:
    """What the service's refusal means where only the user can help."""
    required = ReauthenticationRequired(error.status, why, detail=f"{error.detail}\n{_SIGN_IN_AGAIN}")
    required.body, required.headers = error.body, error.headers
    return required


class StaticToken(Credentials):
    """A token that came from elsewhere. Nothing renews it: once it is refused, ReauthenticationRequired is raised."""

    @leaves_no_variables
    def __init__(self, access_token: str, *, allowed_hosts: Iterable[str] = ()) -> None:
        self._access_token = text("access_token", access_token)
        super().__init__({}, allowed_hosts=allowed_hosts)

    def __repr__(self) -> str:
        return "StaticToken(...)"

    def __reduce__(self) -> tuple[Any, ...]:
        # Here the token is the credentials.
        return _static, (self._access_token, self._options.get("allowed_hosts", ()), self._settings())

    def get_token(self, timeout: float | None = None) -> AccessToken:
        """The token. When it ends is not known: `expires_at` is infinite."""
        if self._refused:
            raise ReauthenticationRequired(
                401, "the token was refused", detail="It cannot be renewed: get another one."
            )
        return AccessToken(self._access_token, math.inf)

    def invalidate(self, token: str | None = None) -> None:
        """Do not give the token again, because the service refused it."""
        if token in (None, self._access_token):
            self._refused = self._access_token

    def _granted(self, refresh_token: str, options: RequestOptions) -> Any:
        raise NotImplementedError  # get_token does not come here


def _static(access_token: str, allowed_hosts: Iterable[str], configuration: Configuration | None) -> Credentials:
    return _with_settings(StaticToken(access_token, allowed_hosts=allowed_hosts), configuration)


@leaves_no_variables
def default_credentials(**options: Unpack[CredentialsOptions]) -> Credentials:
    """The credentials that the environment has: the first of a token, a client, a user and a meeting that is there.

    BLUEJEANS_ACCESS_TOKEN; BLUEJEANS_CLIENT_ID with BLUEJEANS_CLIENT_SECRET; BLUEJEANS_USERNAME with
    BLUEJEANS_PASSWORD; BLUEJEANS_MEETING_ID, with BLUEJEANS_MEETING_PASSCODE where it has one. BLUEJEANS_TOKEN_STORE
    is a file's path or a Redis's URL. Each may end in `_FILE` and specify a file that contains the value. Tokens are
    requested from the host of `api`, or of the client that uses the credentials; otherwise of a new `Configuration`,
    which reads BLUEJEANS_HOST.

    Raises ValueError that says what is missing.
    """

    def pair(first: str, second: str) -> tuple[str, str] | None:
        values = [setting(first), setting(second)]
        if all(values):
            return str(values[0]), str(values[1])
        if any(values):
            missing, there = (first, second) if values[1] else (second, first)
            raise ValueError(f"{setting_name(there)} is set and {setting_name(missing)} is not: set both")
        return None

    if options.get("api") is None:
        Configuration().check()  # report an invalid BLUEJEANS_HOST here instead of at the first request
    if token := setting("ACCESS_TOKEN"):
        static = StaticToken(token, allowed_hosts=options.get("allowed_hosts", ()))
        if (api := options.get("api")) is not None:
            static.use(api.api_client)
        return static
    where = setting("TOKEN_STORE")
    if where and options.get("store") is None:
        options["store"] = store_at(where)
    if client := pair("CLIENT_ID", "CLIENT_SECRET"):
        return ClientCredentials(*client, **options)
    if user := pair("USERNAME", "PASSWORD"):
        return PasswordCredentials(*user, **options)
    if meeting := setting("MEETING_ID"):
        return MeetingCredentials(meeting, setting("MEETING_PASSCODE"), **options)
    names = [setting_name(name) for name in ("ACCESS_TOKEN", "CLIENT_ID", "USERNAME", "MEETING_ID")]
    raise ValueError(
        f"There are no credentials in the environment: set one of {', '.join(names)} (or {names[0]}_FILE …)"
    )


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454); ValueError where another program could read another host in it."""
    parts = urlsplit(url)
    if any(c <= " " or c == "\\" for c in url) or "@" in parts.netloc:
        raise ValueError("a token is not sent to a URL with a user name, a backslash or a space in it")
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
