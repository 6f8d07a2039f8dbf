"""`AuthenticationApi`: the eight OAuth2 endpoints of the service, a method each.

A method describes its endpoint; the decorator `operation` makes the description a call, and `with_http_info` makes it
the method's twin that also returns status and headers.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Callable, Generic, Optional, TypedDict, TypeVar

from .. import models
from ..api_client import ApiClient
from ..redaction import leaves_no_variables
from ..rest import RequestTimeout

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec, Unpack
    from urllib3 import HTTPHeaderDict

    P = ParamSpec("P")

T = TypeVar("T")
Json = Mapping[str, Any]
_TOKEN = ("access_token",)
_TWIN = "_with_http_info"

# Written as a call because one of the names has become a keyword of the language.
RequestOptions = TypedDict(
    "RequestOptions",
    {
        "async_req": bool,
        "async": bool,
        "_return_http_data_only": bool,
        "_preload_content": bool,
        "_request_timeout": RequestTimeout,
        "_max_attempts": Optional[int],
    },
    total=False,
)
"""What every operation takes beside its own parameters, as `ApiClient.call_api` has it; `async` is an old name."""


class Endpoint(Generic[T]):
    """An unsent call, with its type `T` of answer: what the caller asked for, and arguments of `ApiClient.call_api`."""

    def __init__(
        self,
        options: RequestOptions,
        method: str,
        path: str,
        response_type: type[T] | None = None,
        query_params: Json | None = None,
        path_params: Json | None = None,
        **arguments: Any,
    ) -> None:
        self.options = options
        self.method, self.path = method, path
        self.path_params, self.query_params = path_params or {}, query_params or {}
        self.headers = {"Accept": "application/json", "Content-Type": "application/json"}
        name = response_type and response_type.__name__
        self.arguments: dict[str, Any] = {"response_type": name, "auth_settings": (), **arguments}


def operation(describe: Callable[Concatenate[Any, P], Endpoint[T]]) -> Callable[Concatenate[Any, P], T]:
    """Make a method that describes an endpoint one that calls it, by way of its twin, and returns the data."""
    name = f"{describe.__name__}{_TWIN}"

    @functools.wraps(describe)
    @leaves_no_variables
    def call(self: AuthenticationApi, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, name)(*args, **{**kwargs, "_return_http_data_only": True})

    return call  # type: ignore[return-value]


def with_http_info(
    method: Callable[Concatenate[Any, P], T],
) -> Callable[Concatenate[Any, P], tuple[T, int, HTTPHeaderDict]]:
    """The twin of an operation that returns the data, the HTTP status and the headers."""
    describe = method.__wrapped__  # type: ignore[attr-defined]
    name, code = describe.__name__, describe.__code__
    required = code.co_varnames[1] if code.co_argcount == 2 else None  # the one parameter that is given by position

    @functools.wraps(describe)
    @leaves_no_variables
    def call(self: AuthenticationApi, *args: Any, **kwargs: Any) -> Any:
        if required and (args[0] if args else kwargs.get(required)) is None:
            raise ValueError(f"Missing the required parameter `{required}` when calling `{name}`")
        endpoint = describe(self, *args, **kwargs)
        for option in endpoint.options:
            if option not in RequestOptions.__annotations__:
                raise TypeError(f"Got an unexpected keyword argument '{option}' to method {name}")
        call_api = self.api_client.call_api
        arguments = {**endpoint.arguments, **endpoint.options}
        if getattr(call_api, "__func__", None) is not ApiClient.call_api:
            arguments = _that_are_taken(call_api, arguments)
        # By position as in the 2019 SDK, whose users have written clients with a `call_api` of their own.
        where = (endpoint.path, endpoint.method, endpoint.path_params, endpoint.query_params, endpoint.headers)
        return call_api(*where, **arguments)

    call.__name__ = f"{name}{_TWIN}"
    return call  # type: ignore[return-value]


def _that_are_taken(call_api: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments, without those that a `call_api` as the 2019 SDK had it does not take."""
    import inspect

    parameters = inspect.signature(call_api).parameters
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    new = {"idempotent", "redirect_is_answer", "_max_attempts"}
    return {name: value for name, value in arguments.items() if takes_all or name in parameters or name not in new}


class AuthenticationApi:
    """The OAuth2 endpoints. Every method has a twin that ends in `_with_http_info` and returns status and headers too.

    api_client: the client to call with; one with the default `Configuration` if None. A `with` block closes it.

    Every method raises the kinds of `ApiException`, and takes these keywords as well:
    async_req: run in a thread, and return an object whose `get()` gives or raises what the call does.
    _preload_content: False for urllib3's unread response in place of the data.
    _request_timeout: seconds for the whole call, or a pair: to connect, and of silence while reading.
    _max_attempts: the maximum number of attempts; `Configuration.max_attempts` if None.
    """

    def __init__(self, api_client: ApiClient | None = None) -> None:
        self.api_client = ApiClient() if api_client is None else api_client

    def __enter__(self) -> AuthenticationApi:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.api_client.close()

    @operation
    def get_authorization_code(
        self,
        *,
        client_id: str | None = None,
        redirect_uri: str | None = None,
        state: str | None = None,
        scope: str | None = None,
        response_type: str | None = None,
        app_name: str | None = None,
        app_logo_url: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Endpoint[None]:
        """Fetch the page on which a user approves an application (RFC 6749 section 4.1.1).

        The page is meant for the user's browser, at https://bluejeans.com/oauth2/authorize. The service sends the
        browser on to `redirect_uri` with a `code`, which `get_token_by_code` has to exchange within 30 seconds. Here,
        an answer that redirects is a success, and nothing is fetched from where it points.

        client_id: The id under which the application is registered, 32 characters.
        redirect_uri: Where the browser goes with the code: a URL registered for the application, or one below it.
        state: A value of the application's own that comes back with the code, so that it knows its own requests.
        scope: The permissions asked for, comma-delimited: `list_meetings`, `modify_meetings`, `user_info`.
        response_type: `code`, the one that the service knows.
        app_name: The application's name, shown to the user.
        app_logo_url: The application's logo, an image of 84 by 84 pixels, shown to the user.
        """
        query = {"clientId": client_id, "redirectUri": redirect_uri, "state": state, "scope": scope}
        query |= {"responseType": response_type, "appName": app_name, "appLogoUrl": app_logo_url}
        return Endpoint(options, "GET", "/oauth2/authorize", query_params=query, redirect_is_answer=True)

    get_authorization_code_with_http_info = with_http_info(get_authorization_code)

    @operation
    def get_token_by_client(
        self, grant_request_client: models.GrantRequestClient | Json, **options: Unpack[RequestOptions]
    ) -> Endpoint[models.GrantClient]:
        """Get a token for an enterprise (RFC 6749 section 4.4).

        This is the grant of services that work without a user. An administrator of the enterprise makes the client id
        and the secret in the BlueJeans administration console. Wrong ones raise `UnauthorizedError`.

        grant_request_client: The client's id and secret.
        """
        body = grant_request_client
        return Endpoint(options, "POST", "/oauth2/token?Client", models.GrantClient, body=body, idempotent=True)

    get_token_by_client_with_http_info = with_http_info(get_token_by_client)

    @operation
    def get_token_by_code(
        self, grant_request_code: models.GrantRequestCode | Json, **options: Unpack[RequestOptions]
    ) -> Endpoint[models.GrantCode]:
        """Exchange an authorization code for tokens (RFC 6749 section 4.1.3).

        This ends the sign-in that `get_authorization_code` begins. A code is good once and for 30 seconds; one that is
        wrong, used or older raises `UnauthorizedError`. It is never sent twice.

        grant_request_code: The code, the redirect URI, and the application's id and secret.
        """
        return Endpoint(options, "POST", "/oauth2/token?Code", models.GrantCode, body=grant_request_code)

    get_token_by_code_with_http_info = with_http_info(get_token_by_code)

    @operation
    def get_token_by_meeting(
        self, grant_request_meeting: models.GrantRequestMeeting | Json, **options: Unpack[RequestOptions]
    ) -> Endpoint[models.GrantMeeting]:
        """Get a token that is good for one meeting.

        The moderator's passcode gives a moderator's rights, the attendees' passcode an attendee's. A meeting that has
        no passcode is asked for without one.

        grant_request_meeting: The meeting's numeric id, and its passcode if it has one.
        """
        body = grant_request_meeting
        return Endpoint(options, "POST", "/oauth2/token?Meeting", models.GrantMeeting, body=body, idempotent=True)

    get_token_by_meeting_with_http_info = with_http_info(get_token_by_meeting)

    @operation
    def get_token_by_password(
        self, grant_request_password: models.GrantRequestPassword | Json, **options: Unpack[RequestOptions]
    ) -> Endpoint[models.GrantPassword]:
        """Get a token for a user by name and password (RFC 6749 section 4.3).

        It holds for two weeks and cannot be refreshed. Wrong credentials raise `UnauthorizedError`.

        grant_request_password: The user's name and password.
        """
        body = grant_request_password
        return Endpoint(options, "POST", "/oauth2/token?Password", models.GrantPassword, body=body, idempotent=True)

    get_token_by_password_with_http_info = with_http_info(get_token_by_password)

    @operation
    def get_token_by_refresh(
        self, grant_request_refresh: models.GrantRequestRefresh | Json, **options: Unpack[RequestOptions]
    ) -> Endpoint[models.GrantRefresh]:
        """Exchange a refresh token for the next tokens (RFC 6749 section 6).

        Only tokens that came from `get_token_by_code` can be refreshed. Keep the refresh token of the answer: the one
        that was sent may be spent, which is why it is never sent twice.

        grant_request_refresh: The refresh token, and the application's id and secret.
        """
        body = grant_request_refresh
        return Endpoint(options, "POST", "/oauth2/token?Refresh", models.GrantRefresh, body=body, auth_settings=_TOKEN)

    get_token_by_refresh_with_http_info = with_http_info(get_token_by_refresh)

    @operation
    def get_token_info(
        self, *, access_token: str | None = None, **options: Unpack[RequestOptions]
    ) -> Endpoint[models.InlineResponse200]:
        """Tell whether a token is valid, and whose it is.

        A token that is not, or no longer, raises `UnauthorizedError`.

        access_token: The token to look at.
        """
        query = {"access_token": access_token}
        return Endpoint(options, "GET", "/oauth2/tokenInfo", models.InlineResponse200, query_params=query)

    get_token_info_with_http_info = with_http_info(get_token_info)

    @operation
    def revoke_access_token(
        self,
        grant_request_revoke: models.GrantRequestRevoke | Json,
        *,
        access_token: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> Endpoint[None]:
        """Take back a token that came from `get_token_by_code` (compare RFC 7009).

        A token that was revoked before raises `BadRequestError`.

        grant_request_revoke: The application's id and secret.
        access_token: The token to revoke; the one in `Configuration.api_key` if None.
        """
        query, body = {"access_token": access_token}, grant_request_revoke
        return Endpoint(options, "DELETE", "/oauth2/token?Revoke", query_params=query, body=body, auth_settings=_TOKEN)

    revoke_access_token_with_http_info = with_http_info(revoke_access_token)
