"""A program that uses every public name, for type checkers, which must find the intended mistakes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.rest import ApiException, RESTClientObject, RESTResponse
from BlueJeansMeetingsRestApi.sandbox import Accounts, Sandbox

if TYPE_CHECKING:
    from typing_extensions import assert_type


def operations(api: bluejeans.AuthenticationApi) -> None:
    client = bluejeans.GrantRequestClient(client_id="id", client_secret="secret")
    assert_type(api.get_token_by_client(client), bluejeans.GrantClient)
    assert_type(api.get_token_by_client({"client_id": "id"}, _request_timeout=(1, 2.5)), bluejeans.GrantClient)
    assert_type(api.get_token_by_code(bluejeans.GrantRequestCode(code="c")), bluejeans.GrantCode)
    assert_type(
        api.get_token_by_meeting(bluejeans.GrantRequestMeeting("meeting_passcode", "1")), bluejeans.GrantMeeting
    )
    assert_type(api.get_token_by_password(bluejeans.GrantRequestPassword(username="u")), bluejeans.GrantPassword)
    assert_type(api.get_token_by_refresh(bluejeans.GrantRequestRefresh(refresh_token="r")), bluejeans.GrantRefresh)
    assert_type(api.get_token_info(access_token="t"), bluejeans.InlineResponse200)
    api.revoke_access_token(bluejeans.GrantRequestRevoke("id", "secret"), access_token="t", _preload_content=True)
    api.get_authorization_code(client_id="id", redirect_uri="https://app.example", state="s", scope="user_info")


def asynchronous_operations(api: bluejeans.AuthenticationApi) -> None:
    client = bluejeans.GrantRequestClient(client_id="id", client_secret="secret")
    assert_type(api.get_token_by_client(client, async_req=True).get(), bluejeans.GrantClient)
    assert_type(api.get_token_info(access_token="t", async_req=True).get(timeout=5), bluejeans.InlineResponse200)
    assert_type(api.get_token_by_client(client, async_req=False), bluejeans.GrantClient)
    data, status, _ = api.get_token_by_client_with_http_info(client, async_req=True).get()
    assert_type(data, bluejeans.GrantClient)
    assert_type(status, int)


def variants_with_http_info(api: bluejeans.AuthenticationApi) -> None:
    data, status, headers = api.get_token_by_client_with_http_info(bluejeans.GrantRequestClient())
    assert_type(data, bluejeans.GrantClient)
    assert_type(status, int)
    assert_type(headers, urllib3.HTTPHeaderDict)
    assert_type(
        api.get_token_info_with_http_info(access_token="t"),
        "tuple[bluejeans.InlineResponse200, int, urllib3.HTTPHeaderDict]",
    )
    api.get_authorization_code_with_http_info(client_id="id")
    api.get_token_by_code_with_http_info({"code": "c"})
    api.get_token_by_meeting_with_http_info({"meetingNumericId": "1"})
    api.get_token_by_password_with_http_info({"username": "u"})
    api.get_token_by_refresh_with_http_info({"refresh_token": "r"})
    api.revoke_access_token_with_http_info({"client_id": "id"})


def mistakes(api: bluejeans.AuthenticationApi) -> None:
    api.get_token_by_client(bluejeans.GrantRequestPassword())  # type: ignore[call-overload]
    api.get_token_by_client()  # type: ignore[call-overload]
    api.get_token_info(token="t")  # type: ignore[call-overload]
    api.get_token_info("t")  # type: ignore[call-overload]
    api.get_token_info(_request_timeout="soon")  # type: ignore[call-overload]
    print(api.get_token_info(async_req=True).user)  # type: ignore[attr-defined]
    bluejeans.GrantRequestClient(client="id")  # type: ignore[call-arg]
    bluejeans.Partition(id="text")  # type: ignore[arg-type]
    bluejeans.Configuration().call_timeout = "soon"  # type: ignore[assignment]


def responses(
    grant: bluejeans.GrantCode,
    meeting: bluejeans.GrantMeeting,
    client: bluejeans.GrantClient,
    user: bluejeans.GrantPassword,
) -> None:
    assert_type(grant.access_token, "str | None")
    assert_type(grant.expires_in, "int | None")
    if grant.scope is not None and meeting.scope is not None and client.scope is not None and user.scope is not None:
        assert_type(grant.scope, bluejeans.GrantCodeScope)
        assert_type(grant.scope.app_permissions, "list[bluejeans.GrantCodeScopeAppPermissions] | None")
        assert_type(meeting.scope, bluejeans.GrantMeetingScope)
        assert_type(meeting.scope.meeting, "bluejeans.GrantMeetingScopeMeeting | None")
        assert_type(client.scope, bluejeans.GrantClientScope)
        assert_type(client.scope.partition, "bluejeans.Partition | None")
        assert_type(user.scope, bluejeans.GrantPasswordScope)
    assert_type(bluejeans.GrantRefresh().scope, "bluejeans.GrantRefreshScope | None")
    assert_type(grant.additional_properties, "dict[str, Any]")
    assert_type(grant.to_dict(), "dict[str, Any]")
    assert_type(grant.to_str(), str)
    assert_type(bluejeans.GrantCode.swagger_types, "dict[str, str]")
    assert_type(bluejeans.GrantCode.attribute_map, "dict[str, str]")


def failures(api: bluejeans.AuthenticationApi) -> float | None:
    try:
        api.get_token_info(access_token="t")
    except (bluejeans.BadRequestError, bluejeans.UnauthorizedError, bluejeans.ForbiddenError) as error:
        assert_type(error.error, "bluejeans.Error | None")
    except (bluejeans.NotFoundError, bluejeans.ConflictError, bluejeans.UnprocessableEntityError) as error:
        assert_type(error.body, "str | None")
    except (bluejeans.RateLimitError, bluejeans.ServiceError) as error:
        return error.retry_after if error.retryable and error.attempts < 3 else None
    except (bluejeans.RedirectError, bluejeans.ApiStatusError) as error:
        print(error.status)
    except (bluejeans.ApiTimeoutError, bluejeans.ApiTLSError, bluejeans.ApiProxyError) as error:
        assert_type(error.reason, str)
    except (bluejeans.ApiConnectionError, bluejeans.ApiResponseError, bluejeans.ReauthenticationRequired):
        raise
    except ApiException as error:
        assert_type(error, bluejeans.ApiException)
    return None


def tokens_that_stay_valid(api: bluejeans.AuthenticationApi, told: list[bluejeans.Refresh]) -> None:
    store: bluejeans.TokenStore = bluejeans.MemoryTokenStore()
    store = bluejeans.FileTokenStore("tokens.json", encryption_key=b"key")
    store = bluejeans.RedisTokenStore("redis://localhost", timeout=0.5, lease=1.5)
    client = bluejeans.ClientCredentials("id", "secret", api=api, store=store, on_refresh=told.append)
    assert_type(client.get_token(), bluejeans.AccessToken)
    assert_type(client.get_token(timeout=1.5).token, str)
    assert_type(told[0].expires_at, float)
    client.invalidate("token")
    client.revoke()
    with bluejeans.PasswordCredentials("user", "password", refresh_in_background=True) as user:
        assert_type(user, bluejeans.PasswordCredentials)
        assert_type(user(api), bluejeans.AuthenticationApi)
    meeting = bluejeans.MeetingCredentials("1", allowed_hosts=["https://other.example"])
    signed_in = bluejeans.RefreshTokenCredentials("id", "secret", "refresh", api=api)
    credentials: list[bluejeans.Credentials] = [client, meeting, signed_in, bluejeans.StaticToken("token")]
    configuration = bluejeans.Configuration()
    configuration.credentials = credentials[0]
    configuration.credentials = bluejeans.default_credentials(store=store)
    configuration.credentials = "token"  # type: ignore[assignment]
    bluejeans.ClientCredentials("id")  # type: ignore[call-arg]
    bluejeans.ClientCredentials("id", "secret", stores=store)  # type: ignore[call-arg]
    raise bluejeans.TokenStoreError


def client() -> Any:
    with Sandbox(tls=True, accounts=Accounts(password="p"), lifetime=60) as sandbox:
        sandbox.expire_tokens()
        sandbox.revoke_tokens()
        sandbox.reject_next_refresh(2)
        sandbox.fail_next(status=None, delay=0.1, drip=0.5)
        configuration = bluejeans.Configuration()
        configuration.host = sandbox.url
        configuration.ssl_ca_cert = sandbox.ca_cert
        configuration.api_key["access_token"] = sandbox.authorize()
        bluejeans.Configuration.set_default(configuration)
        with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration, "X-Mine", "1", cookie="a=b")) as api:
            response = api.api_client.last_response
            assert isinstance(response, RESTResponse)
            assert_type(response.data, str)
            assert_type(api.api_client.rest_client, RESTClientObject)
            api.api_client.call_api("/x", "POST", files={"a": Path("a.txt"), "b": [b"content", io.StringIO("text")]})
            api.api_client.call_api("/x", "POST", files={"a": ("a.txt", io.BytesIO(), "text/plain"), "b": None})
            api.api_client.call_api("/x", "POST", files={"a": 7})  # type: ignore[dict-item]
            return api.api_client.call_api("/v1/user/{id}", "GET", {"id": 1}, response_type=dict, _request_timeout=5)


def sign_in() -> bluejeans.RefreshTokenCredentials:
    url = bluejeans.authorization_url("id", "https://app.example", "s", scope="user_info", app_name="Example")
    assert_type(url, str)
    store = bluejeans.MemoryTokenStore()
    flow = bluejeans.AuthorizationCodeFlow("id", "secret", "https://app.example", scope="user_info", store=store)
    assert_type(flow.authorization_url(), str)
    assert_type(flow.exchange("https://app.example?code=c&state=s", state="s"), bluejeans.RefreshTokenCredentials)
    flow.run(open_browser="firefox")  # type: ignore[arg-type]
    bluejeans.AuthorizationCodeFlow("id", "secret", file="tokens.json")  # type: ignore[call-arg]
    return flow.run(timeout=30, open_browser=lambda url: print(url))


print(bluejeans.__version__)
