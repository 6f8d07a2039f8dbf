"""`Credentials`: what all kinds share. A kind supplies its identity and requests its grant; see `grants.py`."""

from __future__ import annotations

import abc
import copy
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Callable, TypedDict, TypeVar

from ..api.authentication_api import AuthenticationApi, RequestOptions
from ..api_client import ApiClient
from ..configuration import Configuration, is_warning_due, warn_about_default_host
from ..redaction import leaves_no_variables
from ..token_stores import TokenStore
from .attempt import Refresh
from .http_auth import authorize, check_host, origin, origins
from .refresher import TokenRefresher
from .token import AccessToken, Clock, TokenProvider

if TYPE_CHECKING:
    from typing_extensions import Self

R = TypeVar("R")


class CredentialsOptions(TypedDict, total=False):
    """The keywords that every kind of credentials but StaticToken accepts; `Credentials` describes them."""

    api: AuthenticationApi | None
    store: TokenStore | None
    on_refresh: Callable[[Refresh], object] | None
    allowed_hosts: Iterable[str]
    refresh_in_background: bool
    clock: Clock | None


class Credentials(abc.ABC):
    """A token that stays valid, for many threads and, with a store, for many processes and machines.

    Pass it to `Configuration.credentials`, to `requests` or `httpx` as `auth`, or call `get_token()`. Leaving a `with`
    block closes it. A pickle of it contains its secrets but no access token.

    identity: the parameters of the grant, by name. They contain secrets, and are hashed into the key of the store.
    refresh_token: the refresh token to start with, empty if only the store has it; None for a grant without one.
    api: the operations to call. If None, each client that uses the credentials gets tokens from its own host, and
        `get_token()` uses a default `AuthenticationApi`.
    store: where the token is shared; None to share it with no other process or object.
    on_refresh: is called with the `Refresh` after each one.
    allowed_hosts: URLs of further hosts that the token may be sent to.
    refresh_in_background: refresh a token that is due in a thread, so that no caller waits while it is valid.
    clock: the time that tokens expire by; the system's if None.

    A new kind of credentials is a subclass with a `grant_type` and the method `fetch`.
    """

    grant_type = ""
    # Whether users choose the secret, so that the key of the store needs a slow hash.
    secret_is_guessable = False

    def __init__(
        self,
        identity: Mapping[str, str | None],
        *,
        refresh_token: str | None = None,
        api: AuthenticationApi | None = None,
        store: TokenStore | None = None,
        on_refresh: Callable[[Refresh], object] | None = None,
        allowed_hosts: Iterable[str] = (),
        refresh_in_background: bool = False,
        clock: Clock | None = None,
    ) -> None:
        _check_type("api", api, AuthenticationApi, "AuthenticationApi(ApiClient(configuration))")
        _check_type("store", store, TokenStore, "FileTokenStore(path) or RedisTokenStore(url)")
        _check_type("clock", clock, Clock, "an instance of a subclass of Clock")
        if not isinstance(refresh_in_background, bool):
            kind = type(refresh_in_background).__name__
            raise TypeError(f"refresh_in_background must be a bool, got {kind}; pass True or False")
        if on_refresh is not None and not callable(on_refresh):
            raise TypeError(f"on_refresh must be callable, got {type(on_refresh).__name__}; pass a function")
        self.identity = dict(identity)
        self._first_refresh_token = refresh_token
        self._store, self._on_refresh, self._clock = store, on_refresh, clock
        self._refresh_in_background = refresh_in_background
        self._allowed_hosts = origins("allowed_hosts", allowed_hosts)
        self._open(api)

    def _open(self, api: AuthenticationApi | None) -> None:
        """Create the attributes that a pickle does not contain."""
        self._api = api
        self._own: dict[str, Any] = {}  # what `close` closes
        self._bound: _Bound | None = None
        self._by_host: dict[str, _Bound] = {}

    @abc.abstractmethod
    def fetch(self, api: AuthenticationApi, options: RequestOptions, refresh_token: str) -> Any:
        """Return a grant from the service.

        api: the operations to call. options: keywords to pass to the operation. refresh_token: the newest one.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({next(iter(self.identity.values()), '')!r}, ...)"

    def __getstate__(self) -> dict[str, Any]:
        settings = None
        if self._api is not None:
            # Without these credentials, which are pickled with it.
            settings = copy.copy(self._api.api_client.configuration)
            settings.credentials = None
        state = {**vars(self), "settings": settings}
        for name in ("_api", "_own", "_bound", "_by_host"):
            del state[name]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        settings: Configuration | None = state.pop("settings")
        vars(self).update(state)
        self._open(None if settings is None else AuthenticationApi(ApiClient(settings)))
        if self._api is not None:
            self.own("api", self._api.api_client)

    def own(self, name: str, resource: Any) -> None:
        """Call the method `close` of a resource, if it has one, when these credentials are closed."""
        self._own[name] = resource

    @property
    def api(self) -> AuthenticationApi:
        """The operations that `get_token()` calls."""
        if self._api is not None:
            return self._api
        # Of two threads, one creates it.
        return AuthenticationApi(self._own.get("api") or self._own.setdefault("api", ApiClient()))

    @property
    def refresher(self) -> TokenRefresher:
        """The object that refreshes the token of `get_token()`."""
        if self._bound is None:
            self._bound = self._bind(self.api)
        return self._bound.refresher

    @property
    def store_key(self) -> str:
        """The key of the token in a store."""
        return self._bind(self.api).store_key()

    def get_token(self, timeout: float | None = None) -> AccessToken:
        """Return a valid token.

        timeout: how long this may take, in seconds; `Configuration.call_timeout` if None. A store that does not respond
            takes its own time in addition, as its class describes.

        Raises the `ApiException` of the grant, in each caller that waited for it; ApiTimeoutError if the timeout is
        over; ReauthenticationRequired if only a new sign-in helps. If an early refresh fails, the failure is logged and
        the token is returned as long as it is valid. A log or signal handler that calls this in a thread that is
        refreshing the token gets the valid token or an ApiException at once.
        """
        bound = self._bound
        return (self.refresher if bound is None else bound.refresher).get_token(timeout)

    def invalidate(self, token: str | None = None) -> None:
        """Stop returning this token, because the service refused it; the current token if None."""
        for bound in list(self._by_host.values()):
            bound.refresher.invalidate(token)

    def for_client(self, api_client: ApiClient) -> TokenProvider:
        """Return the provider of tokens for a client.

        With an explicit `api`, that is these credentials. Without one, each host has its own token, which is requested
        through that client.

        Raises ValueError if the client's host must not get the token.
        """
        url = api_client.configuration.base_url
        if self._api is not None or origin(url) in self._allowed_hosts:
            self._check_host(url)
            return self
        return self._bind(AuthenticationApi(api_client)).refresher

    def _bind(self, api: AuthenticationApi) -> _Bound:
        """Return the refresher for the host of `api`, and the latter to send its requests."""
        host = api.api_client.configuration.base_url
        bound = self._by_host.get(host) or self._by_host.setdefault(host, _Bound(self, api))
        bound.api = api
        return bound

    def close(self) -> None:
        """Close the connections that the credentials opened themselves. They remain usable."""
        for resource in list(self._own.values()):
            if hasattr(resource, "close"):
                resource.close()

    @leaves_no_variables
    def revoke(self) -> None:
        """Delete the token, here and in the store. The service can revoke only a sign-in with a browser.

        Raises TokenStoreError if the store cannot be used.
        """
        self.refresher.remove()

    def authorization_for(self, url: str, timeout: float | None = None) -> str:
        """Return the `Authorization` header for a request to `url` (RFC 6750).

        timeout: as for `get_token`.

        Raises ValueError if the host must not get the token, and what `get_token` raises.
        """
        self._check_host(url)
        return f"Bearer {self.get_token(timeout).token}"

    def __call__(self, request: R) -> R:
        """Authorize a request of `requests` or `httpx`, as `BearerAuth` does."""
        return authorize(request, self)

    def _check_host(self, url: str) -> None:
        configuration = self.api.api_client.configuration
        own = origin(configuration.base_url)
        # For requests and httpx; `ApiClient` warns itself.
        if origin(url) == own and is_warning_due(configuration, configuration.base_url):
            warn_about_default_host()
        check_host(url, [own, *self._allowed_hosts])


class _Bound:
    """The refresher of credentials for one host, with the operations that it calls."""

    def __init__(self, credentials: Credentials, api: AuthenticationApi) -> None:
        self._credentials, self.api = credentials, api
        self._host = api.api_client.configuration.base_url
        self._store_key = ""
        self.refresher = TokenRefresher(
            self._fetch,
            credentials._store,
            credentials._clock,
            store_key=self.store_key,
            grant_type=credentials.grant_type,
            refresh_token=credentials._first_refresh_token,
            default_timeout=lambda: self._call_timeout,
            on_refresh=credentials._on_refresh,
            in_background=credentials._refresh_in_background,
        )

    @property
    def _call_timeout(self) -> float:
        return self.api.api_client.configuration.call_timeout

    def _fetch(self, timeout: float) -> Any:
        options: RequestOptions = {}
        # A number also bounds each read, which `Configuration.read_timeout` may limit further.
        if abs(timeout - self._call_timeout) > 0.1:
            options["_request_timeout"] = timeout
        if self.refresher.is_early:
            options["_max_attempts"] = 1  # there is time for another refresh later
        return self._credentials.fetch(self.api, options, self.refresher.refresh_token)

    def store_key(self) -> str:
        """Return the hash of the host and the identity, secrets included."""
        # Callers with another secret must not get the token from the store.
        if not self._store_key:
            import hashlib

            identity = json.dumps([self._host, self._credentials.grant_type, self._credentials.identity]).encode()
            if self._credentials.secret_is_guessable:
                digest = hashlib.scrypt(identity, salt=b"BlueJeansMeetingsRestApi", n=1 << 12, r=8, p=1, dklen=32)
            else:
                digest = hashlib.sha256(identity).digest()
            self._store_key = digest.hex()
        return self._store_key


def _check_type(name: str, value: object, kind: type, example: str) -> None:
    if value is not None and not isinstance(value, kind):
        # Omit the value because it may contain a password.
        raise TypeError(f"{name} must be {kind.__name__} or None, got {type(value).__name__}; pass {name}={example}")
