"""`AuthenticationApi`: the eight OAuth 2.0 endpoints of the service, one method each."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Literal, Optional, Protocol, TypedDict, TypeVar, overload

from .. import models
from ..api_client import ApiClient
from ..redaction import leaves_no_variables
from ..rest import RequestTimeout

T = TypeVar("T")
Json = Mapping[str, Any]
_VARIANT = "_with_http_info"
_TOKEN = ("access_token",)
AUTHORIZATION_PATH = "/oauth2/authorize"

# A call instead of a class, because `async` has become a keyword of the language.
RequestOptions = TypedDict(
    "RequestOptions",
    {
        "async_req": Literal[False, None],
        "async": bool,
        "_return_http_data_only": bool,
        "_preload_content": bool,
        "_request_timeout": RequestTimeout,
        "_max_attempts": Optional[int],
    },
    total=False,
)
"""Options that every operation accepts, see `ApiClient.call_api`."""

if TYPE_CHECKING:
    from multiprocessing.pool import AsyncResult

    from typing_extensions import Concatenate, ParamSpec, Unpack
    from urllib3 import HTTPHeaderDict

    P = ParamSpec("P")

    class Operation(Protocol[P, T]):
        """A method that returns its result, or with `async_req=True` an object whose `get()` returns it."""

        @overload
        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T: ...
        @overload
        def __call__(self, *args: Any, async_req: Literal[True], **kwargs: Any) -> AsyncResult[T]: ...


def operation(method: Callable[Concatenate[Any, P], T]) -> Operation[P, T]:
    """Declare the overload with `async_req=True`, and clear secrets from tracebacks. The method itself is what runs.

    A subclass or mock that replaces the `..._with_http_info` variant is called, as in the 2019 SDK.
    """
    name = f"{method.__name__}{_VARIANT}"

    @functools.wraps(method)
    @leaves_no_variables
    def call(self: AuthenticationApi, *args: Any, **options: Any) -> Any:
        options["_return_http_data_only"] = True
        variant = getattr(self, name)
        is_replaced = getattr(getattr(variant, "__func__", None), "__wrapped__", None) is not method
        return variant(*args, **options) if is_replaced else method(self, *args, **options)

    return call  # type: ignore[return-value]  # it also serves the second overload, through `call_api`


def with_http_info(operation: Operation[P, T]) -> Operation[P, tuple[T, int, HTTPHeaderDict]]:
    """Return the variant of an operation that returns the data, the HTTP status and the headers."""
    method = operation.__wrapped__  # type: ignore[attr-defined]

    @functools.wraps(method)
    @leaves_no_variables
    def call(self: AuthenticationApi, *args: Any, **options: Any) -> Any:
        return method(self, *args, **options)

    call.__name__ = f"{method.__name__}{_VARIANT}"
    return call  # type: ignore[return-value]


def authorization_query(**parameters: str | None) -> list[tuple[str, str]]:
    """Return the query of the authorization page for the parameters of `get_authorization_code`."""
    return [(re.sub("_(.)", lambda m: m[1].upper(), name), v) for name, v in parameters.items() if v is not None]


class AuthenticationApi:
    """The OAuth 2.0 endpoints. The `..._with_http_info` variant of each method also returns status and headers.

    api_client: the client that sends the requests, with the default `Configuration` if None. A `with` block closes it.

    Every method raises kinds of `ApiException`, and also accepts these keywords:
    async_req: call in a thread, and return an object whose `get()` returns or raises the result.
    _preload_content: False for urllib3's unread response instead of the data.
    _request_timeout: seconds for the whole call, or a pair: to connect, and to wait for data.
    _max_attempts: the maximum number of attempts; `Configuration.max_attempts` if None.
    """

    def __init__(self, api_client: ApiClient | None = None) -> None:
        self.api_client = ApiClient() if api_client is None else api_client

    def __enter__(self) -> AuthenticationApi:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.api_client.close()

    def _call(
        self,
        name: str,
        options: RequestOptions,
        method: str,
        path: str,
        response_type: type[T],
        query_params: Sequence[tuple[str, Any]] = (),
        *,
        required: tuple[str, Any] | None = None,
        path_params: Json | None = None,
        auth_settings: Sequence[str] | None = (),
        **arguments: Any,
    ) -> T:
        """Call an endpoint with all the arguments that the 2019 SDK passed to `call_api`.

        name: the operation, for errors. response_type: the model, or `type(None)`.
        required: the name of the parameter that is sent as the body, and its value.
        auth_settings: as in `call_api`; by default the call is not authorized. arguments: others of `call_api`.
        """
        for option in options:
            if option not in RequestOptions.__annotations__:
                raise TypeError(f"Got an unexpected keyword argument '{option}' to method {name}")
        parameter, body = required or ("", None)
        if required and body is None:
            raise ValueError(f"Missing the required parameter `{parameter}` when calling `{name}`")
        call_api: Any = self.api_client.call_api
        if getattr(call_api, "__func__", None) is not ApiClient.call_api:
            from .. import legacy

            call_api = functools.partial(legacy.call_api, call_api)
        result: T = call_api(
            path,
            method,
            dict(path_params or {}),
            [(key, value) for key, value in query_params if value is not None],
            {"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            post_params=[],
            files={},
            response_type=None if response_type is type(None) else response_type.__name__,
            auth_settings=auth_settings and list(auth_settings),
            collection_formats={},
            **arguments,
            **options,
        )
        return result

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
    ) -> None:
        """Fetch the page on which a user approves an application (RFC 6749 section 4.1.1).

        The page is meant for the user's browser, at https://bluejeans.com/oauth2/authorize. The service redirects the
        browser to `redirect_uri` with a `code`, which `get_token_by_code` must exchange within 30 seconds. Here, a
        redirect is a success and is not followed.

        client_id: The client ID of the application, 32 characters.
        redirect_uri: Where the browser is redirected with the code: a URL registered for the application, or below one.
        state: A value that is returned with the code, so that the application recognizes its own requests.
        scope: The requested permissions, comma-delimited: `list_meetings`, `modify_meetings`, `user_info`.
        response_type: `code`, the only value that the service supports.
        app_name: The application's name, shown to the user.
        app_logo_url: The application's logo, an image of 84 by 84 pixels, shown to the user.
        """
        query = authorization_query(
            client_id=client_id, redirect_uri=redirect_uri, state=state, scope=scope, response_type=response_type,
            app_name=app_name, app_logo_url=app_logo_url,
        )  # fmt: skip
        name, endpoint = "get_authorization_code", ("GET", AUTHORIZATION_PATH, type(None), query)
        return self._call(name, options, *endpoint, redirect_is_answer=True)

    get_authorization_code_with_http_info = with_http_info(get_authorization_code)

    @operation
    def get_token_by_client(
        self, grant_request_client: models.GrantRequestClient | Json, **options: Unpack[RequestOptions]
    ) -> models.GrantClient:
        """Get a token for an enterprise (RFC 6749 section 4.4).

        This grant is for services that run without a user. An administrator of the enterprise creates the client ID
        and the client secret in the BlueJeans administration console. Invalid ones raise `UnauthorizedError`.

        grant_request_client: The client ID and the client secret.
        """
        name, required = "get_token_by_client", ("grant_request_client", grant_request_client)
        endpoint = ("POST", "/oauth2/token?Client", models.GrantClient)
        return self._call(name, options, *endpoint, required=required, idempotent=True)

    get_token_by_client_with_http_info = with_http_info(get_token_by_client)

    @operation
    def get_token_by_code(
        self, grant_request_code: models.GrantRequestCode | Json, **options: Unpack[RequestOptions]
    ) -> models.GrantCode:
        """Exchange an authorization code for tokens (RFC 6749 section 4.1.3).

        This completes the sign-in that `get_authorization_code` starts. A code is valid once and for 30 seconds. One
        that is invalid, used or expired raises `UnauthorizedError`. It is never sent twice.

        grant_request_code: The code, the redirect URI, the client ID and the client secret.
        """
        name, required = "get_token_by_code", ("grant_request_code", grant_request_code)
        return self._call(name, options, "POST", "/oauth2/token?Code", models.GrantCode, required=required)

    get_token_by_code_with_http_info = with_http_info(get_token_by_code)

    @operation
    def get_token_by_meeting(
        self, grant_request_meeting: models.GrantRequestMeeting | Json, **options: Unpack[RequestOptions]
    ) -> models.GrantMeeting:
        """Get a token that is valid for one meeting.

        The moderator passcode grants moderator rights, the attendee passcode attendee rights. For a meeting without a
        passcode, omit it.

        grant_request_meeting: The meeting's numeric ID, and its passcode if it has one.
        """
        name, required = "get_token_by_meeting", ("grant_request_meeting", grant_request_meeting)
        endpoint = ("POST", "/oauth2/token?Meeting", models.GrantMeeting)
        return self._call(name, options, *endpoint, required=required, idempotent=True)

    get_token_by_meeting_with_http_info = with_http_info(get_token_by_meeting)

    @operation
    def get_token_by_password(
        self, grant_request_password: models.GrantRequestPassword | Json, **options: Unpack[RequestOptions]
    ) -> models.GrantPassword:
        """Get a token for a user by username and password (RFC 6749 section 4.3).

        The token is valid for two weeks and cannot be refreshed. Invalid credentials raise `UnauthorizedError`.

        grant_request_password: The username and the password.
        """
        name, required = "get_token_by_password", ("grant_request_password", grant_request_password)
        endpoint = ("POST", "/oauth2/token?Password", models.GrantPassword)
        return self._call(name, options, *endpoint, required=required, idempotent=True)

    get_token_by_password_with_http_info = with_http_info(get_token_by_password)

    @operation
    def get_token_by_refresh(
        self, grant_request_refresh: models.GrantRequestRefresh | Json, **options: Unpack[RequestOptions]
    ) -> models.GrantRefresh:
        """Exchange a refresh token for new tokens (RFC 6749 section 6).

        Only tokens from `get_token_by_code` can be refreshed. Store the refresh token of the response: the one that was
        sent may have been used, and is therefore never sent twice.

        grant_request_refresh: The refresh token, the client ID and the client secret.
        """
        name, required = "get_token_by_refresh", ("grant_request_refresh", grant_request_refresh)
        endpoint = ("POST", "/oauth2/token?Refresh", models.GrantRefresh)
        return self._call(name, options, *endpoint, required=required, auth_settings=_TOKEN)

    get_token_by_refresh_with_http_info = with_http_info(get_token_by_refresh)

    @operation
    def get_token_info(
        self, *, access_token: str | None = None, **options: Unpack[RequestOptions]
    ) -> models.InlineResponse200:
        """Return the owner of a token, if the token is valid.

        A token that is invalid or has expired raises `UnauthorizedError`.

        access_token: The token to check.
        """
        query = [("access_token", access_token)]
        return self._call("get_token_info", options, "GET", "/oauth2/tokenInfo", models.InlineResponse200, query)

    get_token_info_with_http_info = with_http_info(get_token_info)

    @operation
    def revoke_access_token(
        self,
        grant_request_revoke: models.GrantRequestRevoke | Json,
        *,
        access_token: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> None:
        """Revoke a token from `get_token_by_code` (compare RFC 7009).

        A token that was revoked before raises `BadRequestError`.

        grant_request_revoke: The client ID and the client secret.
        access_token: The token to revoke; the token in `Configuration.api_key` if None.
        """
        name, required = "revoke_access_token", ("grant_request_revoke", grant_request_revoke)
        endpoint = ("DELETE", "/oauth2/token?Revoke", type(None), [("access_token", access_token)])
        return self._call(name, options, *endpoint, required=required, auth_settings=_TOKEN)

    revoke_access_token_with_http_info = with_http_info(revoke_access_token)
