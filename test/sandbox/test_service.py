"""The endpoints of the sandbox, tested with a plain HTTP client and without the SDK."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

from BlueJeansMeetingsRestApi.sandbox import Sandbox
from BlueJeansMeetingsRestApi.sandbox.service import Assumptions

http = urllib3.PoolManager()
ALL_SCOPES = "list_meetings,modify_meetings,user_info"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox
    http.clear()


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.reset()
    return running


def send_request(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Send a request and return the status and the JSON of the response, or None if it has no body."""
    content = json.dumps(body) if isinstance(body, (dict, list)) else body
    headers = {"Content-Type": "application/json", **(headers or {})}
    response = http.request(method, url, body=content, headers=headers, redirect=False)
    return response.status, json.loads(response.data) if response.data else None


def grant(sandbox: Sandbox, path: str = "/oauth2/token", **body: Any) -> tuple[int, Any]:
    return send_request("POST", sandbox.url + path, body)


def with_client(sandbox: Sandbox, **body: Any) -> dict[str, Any]:
    return {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret, **body}


def code_body(sandbox: Sandbox, code: str) -> dict[str, Any]:
    uri = sandbox.redirect_uri
    return with_client(sandbox, grant_type="authorization_code", code=code, redirectUri=uri)


def code_grant(sandbox: Sandbox, scope: str = "") -> dict[str, Any]:
    status, response = grant(sandbox, **code_body(sandbox, sandbox.authorize(scope)))
    assert status == 200
    return dict(response)


def refresh(sandbox: Sandbox, refresh_token: str) -> tuple[int, Any]:
    return grant(sandbox, **with_client(sandbox, grant_type="refresh_token", refresh_token=refresh_token))


def revoke(sandbox: Sandbox, token: str) -> tuple[int, Any]:
    return send_request("DELETE", f"{sandbox.url}/oauth2/token?Revoke&access_token={token}", with_client(sandbox))


def info(sandbox: Sandbox, token: str) -> tuple[int, Any]:
    return send_request("GET", f"{sandbox.url}/oauth2/tokenInfo?access_token={token}")


def password_token(sandbox: Sandbox) -> str:
    _, response = grant(sandbox, grant_type="password", username=sandbox.username, password=sandbox.password)
    return str(response["access_token"])


class TestClientGrant:
    def test_client_grant_returns_an_enterprise_token(self, sandbox: Sandbox) -> None:
        status, response = grant(sandbox, **with_client(sandbox, grant_type="client_credentials"))
        assert status == 200
        assert list(response) == ["access_token", "expires_in", "scope"]
        assert re.fullmatch("[0-9a-f]{32}", response["access_token"])
        assert response["scope"] == {
            "enterprise": sandbox.enterprise_id,
            "partitionName": "z2",
            "partition": {"id": 2, "name": "z2"},
        }

    @pytest.mark.parametrize("wrong", ["client_id", "client_secret"])
    def test_client_grant_refuses_wrong_credentials_with_a_service_error(self, sandbox: Sandbox, wrong: str) -> None:
        body = {**with_client(sandbox, grant_type="client_credentials"), wrong: "wrong"}
        status, response = grant(sandbox, **body)
        assert (status, list(response), response["code"]) == (401, ["code", "message"], 401)


class TestPasswordGrant:
    def test_password_grant_returns_a_two_week_token_without_refresh_token(self, sandbox: Sandbox) -> None:
        status, response = grant(sandbox, grant_type="password", username=sandbox.username, password=sandbox.password)
        assert status == 200
        assert re.fullmatch("[0-9a-f]{32}", response.pop("access_token"))
        assert response == {
            "expires_in": 1209600,
            "scope": {"user": 1442589, "partitionName": "z2", "partition": {"id": 2, "name": "z2"}},
            "refresh_token": "",
        }

    @pytest.mark.parametrize("wrong", ["username", "password"])
    def test_password_grant_refuses_wrong_credentials(self, sandbox: Sandbox, wrong: str) -> None:
        right = {"username": sandbox.username, "password": sandbox.password}
        assert grant(sandbox, grant_type="password", **{**right, wrong: "wrong"})[0] == 401

    def test_refresh_grant_refuses_an_empty_refresh_token(self, sandbox: Sandbox) -> None:
        password_token(sandbox)
        assert refresh(sandbox, "")[0] == 401


class TestMeetingGrant:
    def test_moderator_passcode_returns_a_moderator_token(self, sandbox: Sandbox) -> None:
        number = sandbox.meeting_numeric_id
        passcode = sandbox.moderator_passcode
        status, response = grant(
            sandbox, grant_type="meeting_passcode", meetingNumericId=number, meetingPasscode=passcode
        )
        assert (status, response["expires_in"]) == (200, 86400)
        assert re.fullmatch("[0-9a-z]{32}@z2", response["access_token"])
        assert response["scope"]["meeting"] == {
            "id": 123,
            "leaderId": sandbox.user_id,
            "meetingNumericId": number,
            "meetingUri": f"/v1/user/{sandbox.user_id}/live_meetings/{number}",
            "isModerator": True,
            "endpointUriSet": [],
            "meetingId": "72660",
        }

    def test_attendee_passcode_returns_an_attendee_token(self, sandbox: Sandbox) -> None:
        body = {"meetingNumericId": sandbox.meeting_numeric_id, "meetingPasscode": sandbox.attendee_passcode}
        _, response = grant(sandbox, grant_type="meeting_passcode", **body)
        assert response["scope"]["meeting"]["isModerator"] is False

    @pytest.mark.parametrize("passcode", [{}, {"meetingPasscode": ""}, {"meetingPasscode": None}])
    def test_meeting_grant_needs_no_passcode_for_an_open_meeting(
        self, sandbox: Sandbox, passcode: dict[str, Any]
    ) -> None:
        body = {"meetingNumericId": sandbox.open_meeting_numeric_id, **passcode}
        assert grant(sandbox, grant_type="meeting_passcode", **body)[0] == 200

    @pytest.mark.parametrize("passcode", ["wrong", ""])
    def test_meeting_grant_refuses_a_wrong_passcode(self, sandbox: Sandbox, passcode: str) -> None:
        body = {"meetingNumericId": sandbox.meeting_numeric_id, "meetingPasscode": passcode}
        assert grant(sandbox, grant_type="meeting_passcode", **body)[0] == 401

    def test_meeting_grant_refuses_a_passcode_for_an_open_meeting(self, sandbox: Sandbox) -> None:
        body = {"meetingNumericId": sandbox.open_meeting_numeric_id, "meetingPasscode": sandbox.moderator_passcode}
        assert grant(sandbox, grant_type="meeting_passcode", **body)[0] == 401

    def test_meeting_grant_accepts_integers_for_id_and_passcode(self, sandbox: Sandbox) -> None:
        body = {"meetingNumericId": int(sandbox.meeting_numeric_id), "meetingPasscode": int(sandbox.moderator_passcode)}
        assert grant(sandbox, grant_type="meeting_passcode", **body)[0] == 200


class TestCodeGrant:
    def test_code_grant_returns_user_tokens_with_their_permissions(self, sandbox: Sandbox) -> None:
        response = code_grant(sandbox, ALL_SCOPES)
        assert list(response) == ["access_token", "refresh_token", "expires_in", "scope"]
        assert response["expires_in"] == 3600
        own = rf"/v\d+/user/{sandbox.user_id}"
        assert response["scope"] == {
            "user": sandbox.user_id,
            "appPermissions": [
                {"method": "GET", "allowedRegex": f"{own}/personal_meeting.*"},
                {"method": "GET", "allowedRegex": f"{own}/scheduled_meeting.*"},
                {"method": "PUT", "allowedRegex": f"{own}/personal_meeting.*"},
                {"method": "POST", "allowedRegex": f"{own}/scheduled_meeting.*"},
                {"method": "PUT", "allowedRegex": f"{own}/scheduled_meeting.*"},
                {"method": "DELETE", "allowedRegex": f"{own}/scheduled_meeting.*"},
                {"method": "GET", "allowedRegex": f"{own}/billing.*"},
                {"method": "GET", "allowedRegex": f"{own}/room.*"},
                {"method": "GET", "allowedRegex": f"{own}/?"},
            ],
            "partitionName": "z2",
            "partition": {"id": 2, "name": "z2"},
            "bearerPermissions": ALL_SCOPES,
            "clientId": sandbox.client_id,
        }

    def test_authorization_code_works_only_once(self, sandbox: Sandbox) -> None:
        body = code_body(sandbox, sandbox.authorize())
        assert [grant(sandbox, **body)[0], grant(sandbox, **body)[0]] == [200, 401]

    @pytest.mark.parametrize(("age", "status"), [(29.9, 200), (30, 401)])
    def test_authorization_code_expires_after_30_seconds(self, sandbox: Sandbox, age: float, status: int) -> None:
        body = code_body(sandbox, sandbox.authorize())
        sandbox.advance(age)
        assert grant(sandbox, **body)[0] == status

    def test_code_grant_refuses_an_unknown_code(self, sandbox: Sandbox) -> None:
        assert grant(sandbox, **code_body(sandbox, "made up"))[0] == 401

    @pytest.mark.parametrize("uri", ["http://[", "https://app.example:x/callback", "//", ""])
    def test_code_grant_refuses_an_invalid_redirect_uri(self, sandbox: Sandbox, uri: str) -> None:
        body = {**code_body(sandbox, sandbox.authorize()), "redirectUri": uri}
        assert grant(sandbox, **body)[0] == 400

    def test_wrong_client_secret_does_not_consume_the_code(self, sandbox: Sandbox) -> None:
        body = code_body(sandbox, sandbox.authorize())
        assert grant(sandbox, **{**body, "client_secret": "wrong"})[0] == 401
        assert grant(sandbox, **body)[0] == 200

    @pytest.mark.parametrize("name", ["redirectUri", "redirect_uri"])
    def test_code_grant_accepts_both_names_of_the_redirect_uri(self, sandbox: Sandbox, name: str) -> None:
        body = code_body(sandbox, sandbox.authorize())
        body[name] = body.pop("redirectUri")
        assert grant(sandbox, **body)[0] == 200

    @pytest.mark.parametrize(
        ("uri", "status"),
        [
            ("https://app.example/callback", 200),
            ("https://app.example/callback/below?x=1", 200),
            ("http://127.0.0.1:5000/callback", 200),
            ("https://app.example/callback.evil", 400),
            ("https://app.example/callback/../other", 400),
            ("https://app.example/callback/%2e%2e/other", 400),
            ("https://app.example/callback/%252e%252e/other", 400),
            ("https://app.example:444/callback", 400),
            ("https://app.example@evil.example/callback", 400),
            ("https://user@app.example/callback", 400),
            ("https://app.example/callback#fragment", 400),
            ("http://app.example/callback", 400),
            ("http://127.0.0.1.evil.example/callback", 400),
            ("https://evil.example/callback", 400),
        ],
    )
    def test_code_grant_accepts_only_registered_redirect_uris_and_their_subpaths(
        self, sandbox: Sandbox, uri: str, status: int
    ) -> None:
        body = {**code_body(sandbox, sandbox.authorize()), "redirectUri": uri}
        assert grant(sandbox, **body)[0] == status


class TestRefresh:
    def test_refresh_returns_new_tokens_with_the_same_scopes(self, sandbox: Sandbox) -> None:
        first = code_grant(sandbox, "user_info")
        status, second = refresh(sandbox, first["refresh_token"])
        assert status == 200
        assert second["access_token"] != first["access_token"]
        assert second["scope"]["bearerPermissions"] == "user_info"
        assert "clientId" not in second["scope"]

    def test_refresh_invalidates_the_old_tokens(self, sandbox: Sandbox) -> None:
        first = code_grant(sandbox)
        refresh(sandbox, first["refresh_token"])
        assert info(sandbox, first["access_token"])[0] == 401
        assert refresh(sandbox, first["refresh_token"])[0] == 401

    def test_refreshed_token_can_be_refreshed_again(self, sandbox: Sandbox) -> None:
        _, second = refresh(sandbox, code_grant(sandbox)["refresh_token"])
        assert refresh(sandbox, second["refresh_token"])[0] == 200

    def test_refresh_works_after_the_access_token_expired(self, sandbox: Sandbox) -> None:
        first = code_grant(sandbox)
        sandbox.advance(3600)
        assert refresh(sandbox, first["refresh_token"])[0] == 200


class TestRevoke:
    def test_revoke_returns_204_and_then_400_for_a_revoked_token(self, sandbox: Sandbox) -> None:
        token = code_grant(sandbox)["access_token"]
        assert revoke(sandbox, token) == (204, None)
        assert revoke(sandbox, token)[0] == 400

    def test_revoke_invalidates_the_refresh_token_too(self, sandbox: Sandbox) -> None:
        response = code_grant(sandbox)
        revoke(sandbox, response["access_token"])
        assert refresh(sandbox, response["refresh_token"])[0] == 401

    def test_revoke_accepts_only_tokens_of_the_code_grant(self, sandbox: Sandbox) -> None:
        assert revoke(sandbox, password_token(sandbox))[0] == 400

    @pytest.mark.parametrize("token", ["", "made-up"])
    def test_revoke_returns_401_for_an_unknown_token(self, sandbox: Sandbox, token: str) -> None:
        assert revoke(sandbox, token)[0] == 401

    def test_revoke_returns_401_for_an_expired_token(self, sandbox: Sandbox) -> None:
        token = code_grant(sandbox)["access_token"]
        sandbox.advance(3600)
        assert revoke(sandbox, token)[0] == 401

    def test_revoke_requires_the_client_secret(self, sandbox: Sandbox) -> None:
        token = code_grant(sandbox)["access_token"]
        url = f"{sandbox.url}/oauth2/token?Revoke&access_token={token}"
        assert send_request("DELETE", url, with_client(sandbox, client_secret="wrong"))[0] == 401


class TestTokenInfo:
    def test_token_info_returns_the_user_of_a_password_token(self, sandbox: Sandbox) -> None:
        assert info(sandbox, password_token(sandbox)) == (200, {"user": sandbox.user_id})

    def test_token_info_returns_the_user_of_a_code_token(self, sandbox: Sandbox) -> None:
        assert info(sandbox, code_grant(sandbox)["access_token"]) == (200, {"user": sandbox.user_id})

    def test_token_info_of_a_client_token_has_no_user(self, sandbox: Sandbox) -> None:
        _, response = grant(sandbox, **with_client(sandbox, grant_type="client_credentials"))
        assert info(sandbox, response["access_token"]) == (200, {})

    def test_token_info_of_a_meeting_token_has_no_user(self, sandbox: Sandbox) -> None:
        body = {"grant_type": "meeting_passcode", "meetingNumericId": sandbox.open_meeting_numeric_id}
        assert info(sandbox, grant(sandbox, **body)[1]["access_token"]) == (200, {})

    @pytest.mark.parametrize("token", ["", "made-up"])
    def test_token_info_refuses_an_unknown_token(self, sandbox: Sandbox, token: str) -> None:
        message = "The access token is invalid or does not have permission."
        assert info(sandbox, token) == (401, {"code": 401, "message": message})

    @pytest.mark.parametrize(("age", "status"), [(1209599, 200), (1209600, 401)])
    def test_token_info_refuses_a_token_once_expires_in_has_passed(
        self, sandbox: Sandbox, age: float, status: int
    ) -> None:
        token = password_token(sandbox)
        sandbox.advance(age)
        assert info(sandbox, token)[0] == status

    @pytest.mark.parametrize("scheme", ["", "Basic "])
    def test_token_info_accepts_only_the_bearer_scheme_in_the_header(self, sandbox: Sandbox, scheme: str) -> None:
        headers = {"Authorization": f"{scheme}{password_token(sandbox)}"}
        assert send_request("GET", f"{sandbox.url}/oauth2/tokenInfo", headers=headers)[0] == 401

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_token_info_ignores_the_case_of_the_bearer_scheme(self, sandbox: Sandbox, scheme: str) -> None:
        headers = {"Authorization": f"{scheme} {password_token(sandbox)}"}
        assert send_request("GET", f"{sandbox.url}/oauth2/tokenInfo", headers=headers)[0] == 200

    def test_token_info_accepts_a_bearer_prefix_in_the_query(self, sandbox: Sandbox) -> None:
        assert info(sandbox, f"Bearer+{password_token(sandbox)}")[0] == 200


class TestUser:
    def test_user_endpoint_returns_the_owner_of_the_token(self, sandbox: Sandbox) -> None:
        headers = {"Authorization": f"Bearer {password_token(sandbox)}"}
        status, response = send_request("GET", f"{sandbox.url}/v1/user/{sandbox.user_id}", headers=headers)
        assert (status, response["id"], response["username"]) == (200, sandbox.user_id, sandbox.username)

    def test_user_endpoint_requires_a_token(self, sandbox: Sandbox) -> None:
        assert send_request("GET", f"{sandbox.url}/v1/user/{sandbox.user_id}")[0] == 401

    @pytest.mark.parametrize(("scope", "status"), [("user_info", 200), ("list_meetings", 403)])
    def test_user_endpoint_requires_the_user_info_scope_of_a_code_token(
        self, sandbox: Sandbox, scope: str, status: int
    ) -> None:
        headers = {"Authorization": f"Bearer {code_grant(sandbox, scope)['access_token']}"}
        assert send_request("GET", f"{sandbox.url}/v1/user/{sandbox.user_id}", headers=headers)[0] == status

    def test_user_endpoint_returns_404_for_an_unknown_user(self, sandbox: Sandbox) -> None:
        headers = {"Authorization": f"Bearer {password_token(sandbox)}"}
        assert send_request("GET", f"{sandbox.url}/v1/user/1", headers=headers)[0] == 404


class TestBodies:
    @pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/token?client", "/oauth2/token?Meeting"])
    def test_token_endpoint_selects_the_grant_by_the_body_alone(self, sandbox: Sandbox, path: str) -> None:
        body = {"grant_type": "password", "username": sandbox.username, "password": sandbox.password}
        assert grant(sandbox, path, **body)[0] == 200

    def test_token_endpoint_accepts_a_form(self, sandbox: Sandbox) -> None:
        body = urlencode({"grant_type": "password", "username": sandbox.username, "password": sandbox.password})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert send_request("POST", f"{sandbox.url}/oauth2/token", body, headers)[0] == 200

    def test_empty_form_field_counts_as_present(self, sandbox: Sandbox) -> None:
        body = urlencode({"grant_type": "password", "username": sandbox.username, "password": ""})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert send_request("POST", f"{sandbox.url}/oauth2/token", body, headers)[0] == 401

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
    def test_token_endpoint_accepts_json_with_another_content_type(self, sandbox: Sandbox, content_type: str) -> None:
        body = {"grant_type": "password", "username": sandbox.username, "password": sandbox.password}
        assert send_request("POST", f"{sandbox.url}/oauth2/token", body, {"Content-Type": content_type})[0] == 200

    @pytest.mark.parametrize("body", ["", "{", "[]", "null", "\x00", "[" * 100000, "grant_type=password"])
    def test_body_that_is_not_a_json_object_is_refused(self, sandbox: Sandbox, body: str) -> None:
        assert send_request("POST", f"{sandbox.url}/oauth2/token", body) == (
            400,
            {"code": 400, "message": "The body is not a JSON object."},
        )

    @pytest.mark.parametrize("grant_type", [None, 1, "", "implicit", ["password"]])
    def test_unknown_grant_type_is_refused(self, sandbox: Sandbox, grant_type: Any) -> None:
        assert grant(sandbox, grant_type=grant_type)[0] == 400

    @pytest.mark.parametrize("value", [None, True, {}, ["x"], 1, 1.5])
    def test_error_identifies_a_field_that_is_not_a_string(self, sandbox: Sandbox, value: Any) -> None:
        status, response = grant(sandbox, grant_type="password", username=sandbox.username, password=value)
        assert (status, response["message"]) == (400, "password is missing or not a string.")

    @pytest.mark.parametrize("name", ["client_id", "client_secret", "code", "redirectUri"])
    def test_lone_surrogate_in_a_field_is_refused(self, sandbox: Sandbox, name: str) -> None:
        body = {**code_body(sandbox, sandbox.authorize()), name: "\ud800"}
        assert grant(sandbox, **body)[0] in (400, 401)

    def test_body_larger_than_one_mebibyte_is_refused(self, sandbox: Sandbox) -> None:
        assert send_request("POST", f"{sandbox.url}/oauth2/token", "x" * ((1 << 20) + 1))[0] == 413


class TestErrors:
    def test_unknown_path_returns_a_404_in_the_service_format(self, sandbox: Sandbox) -> None:
        assert send_request("GET", f"{sandbox.url}/nothing") == (404, {"code": 404, "message": "Not Found."})

    def test_wrong_method_returns_a_405_in_the_service_format(self, sandbox: Sandbox) -> None:
        assert send_request("PUT", f"{sandbox.url}/oauth2/token") == (
            405,
            {"code": 405, "message": "Method Not Allowed."},
        )

    def test_responses_have_the_headers_of_the_service(self, sandbox: Sandbox) -> None:
        response = http.request("GET", f"{sandbox.url}/oauth2/tokenInfo")
        assert response.headers["Server"] == "BlueJeans Proxy"
        assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
        assert response.reason == "Unauthorized"


class TestAuthorize:
    def query(self, sandbox: Sandbox, **other: str) -> dict[str, str]:
        return {"clientId": sandbox.client_id, "redirectUri": sandbox.redirect_uri, "state": "a&b", **other}

    def show(self, sandbox: Sandbox, **other: str) -> Any:
        return http.request("GET", f"{sandbox.url}/oauth2/authorize?{urlencode(self.query(sandbox, **other))}")

    def decide(self, sandbox: Sandbox, **other: str) -> Any:
        fields = {"username": sandbox.username, "password": sandbox.password, "decision": "allow"}
        return http.request(
            "POST",
            f"{sandbox.url}/oauth2/authorize",
            body=urlencode({**self.query(sandbox), **fields, **other}),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            redirect=False,
        )

    def test_authorization_page_shows_the_application_and_its_scopes(self, sandbox: Sandbox) -> None:
        page = self.show(sandbox, appName="<b>Café</b>", scope="user_info")
        assert page.status == 200
        assert page.headers["Content-Type"].startswith("text/html")
        text = page.data.decode()
        assert "&lt;b&gt;Café&lt;/b&gt; asks" in text
        assert "user_info" in text

    def test_allowing_redirects_with_a_code_and_the_state(self, sandbox: Sandbox) -> None:
        response = self.decide(sandbox)
        assert response.status == 302
        target = urlsplit(response.headers["Location"])
        assert f"{target.scheme}://{target.netloc}{target.path}" == sandbox.redirect_uri
        returned = parse_qs(target.query)
        assert returned["state"] == ["a&b"]
        assert grant(sandbox, **code_body(sandbox, returned["code"][0]))[0] == 200

    def test_redirect_preserves_the_query_of_the_redirect_uri(self, sandbox: Sandbox) -> None:
        target = self.decide(sandbox, redirectUri=f"{sandbox.redirect_uri}?from=bluejeans").headers["Location"]
        assert parse_qs(urlsplit(target).query)["from"] == ["bluejeans"]

    def test_redirect_has_no_state_if_the_request_has_none(self, sandbox: Sandbox) -> None:
        assert "state" not in parse_qs(urlsplit(self.decide(sandbox, state="").headers["Location"]).query)

    def test_denying_redirects_with_an_error(self, sandbox: Sandbox) -> None:
        target = urlsplit(self.decide(sandbox, decision="deny").headers["Location"])
        assert parse_qs(target.query) == {
            "error": ["401"],
            "error_description": ["User rejects the grant to client application"],
        }

    def test_wrong_password_shows_the_form_again_without_the_password(self, sandbox: Sandbox) -> None:
        response = self.decide(sandbox, password="mistyped")
        assert response.status == 401
        assert b'name="password"' in response.data
        assert b"mistyped" not in response.data

    @pytest.mark.parametrize(
        "wrong",
        [
            {"clientId": "unknown"},
            {"redirectUri": "https://evil.example/"},
            {"redirectUri": ""},
            {"responseType": "token"},
            {"scope": "user_info,everything"},
        ],
    )
    @pytest.mark.parametrize("step", ["show", "decide"])
    def test_invalid_authorization_request_is_refused_without_a_redirect(
        self, sandbox: Sandbox, step: str, wrong: dict[str, str]
    ) -> None:
        response = getattr(self, step)(sandbox, **wrong)
        assert (response.status, response.headers.get("Location")) == (400, None)

    def test_authorization_without_a_scope_grants_the_default_scopes(self, sandbox: Sandbox) -> None:
        assert code_grant(sandbox)["scope"]["bearerPermissions"] == ALL_SCOPES


def page(sandbox: Sandbox, **other: str) -> int:
    query = {"clientId": sandbox.client_id, "redirectUri": sandbox.redirect_uri, **other}
    return int(http.request("GET", f"{sandbox.url}/oauth2/authorize?{urlencode(query)}").status)


def deny_without_sign_in(sandbox: Sandbox) -> int:
    fields = {"clientId": sandbox.client_id, "redirectUri": sandbox.redirect_uri, "decision": "deny"}
    return int(http.request("POST", f"{sandbox.url}/oauth2/authorize", body=urlencode(fields), redirect=False).status)


def client_grant(sandbox: Sandbox) -> Any:
    return grant(sandbox, **with_client(sandbox, grant_type="client_credentials"))[1]


def user(sandbox: Sandbox, token: str, user_id: int | None = None) -> tuple[int, Any]:
    return send_request("GET", f"{sandbox.url}/v1/user/{user_id or sandbox.user_id}?access_token={token}")


def code_on_another_port(sandbox: Sandbox) -> int:
    body = code_body(sandbox, sandbox.authorize())
    return grant(sandbox, **{**body, "redirectUri": "http://127.0.0.1:5000/callback"})[0]


def refresh_after_refresh(sandbox: Sandbox) -> int:
    token = code_grant(sandbox)["refresh_token"]
    refresh(sandbox, token)
    return refresh(sandbox, token)[0]


def refresh_after_revoke(sandbox: Sandbox) -> int:
    tokens = code_grant(sandbox)
    revoke(sandbox, tokens["access_token"])
    return refresh(sandbox, tokens["refresh_token"])[0]


def refresh_after_a_day(sandbox: Sandbox) -> int:
    token = code_grant(sandbox)["refresh_token"]
    sandbox.advance(86400)
    return refresh(sandbox, token)[0]


def revoke_twice(sandbox: Sandbox) -> tuple[int, Any]:
    token = code_grant(sandbox)["access_token"]
    revoke(sandbox, token)
    return revoke(sandbox, token)


CUSTOM_ERROR = (418, "in other words")
CUSTOM_ERROR_RESPONSE = (418, {"code": 418, "message": "in other words"})
# For each assumption: another value, a probe of the sandbox, and what the probe returns with that value.
ALTERNATIVES: dict[str, tuple[Any, Callable[[Sandbox], Any], Any]] = {
    "CLIENT_LIFETIME": (60, lambda s: client_grant(s)["expires_in"], 60),
    "REFRESH_LIFETIME": (86400, refresh_after_a_day, 401),
    "REFRESH_ROTATES": (False, refresh_after_refresh, 200),
    "REVOKE_ENDS_REFRESH_TOKEN": (False, refresh_after_revoke, 200),
    "LOOPBACK_TAKES_ANY_PORT": (False, code_on_another_port, 400),
    "DENYING_NEEDS_SIGN_IN": (True, deny_without_sign_in, 401),
    "AUTHORIZE_REFUSED": (418, lambda s: page(s, scope="everything"), 418),
    "INCOMPLETE_BODY": (418, lambda s: grant(s, grant_type="password")[0], 418),
    "WRONG_CREDENTIALS": (
        CUSTOM_ERROR,
        lambda s: grant(s, grant_type="password", username="", password=""),
        CUSTOM_ERROR_RESPONSE,
    ),
    "WRONG_CODE": (CUSTOM_ERROR, lambda s: grant(s, **code_body(s, "made up")), CUSTOM_ERROR_RESPONSE),
    "WRONG_REFRESH_TOKEN": (CUSTOM_ERROR, lambda s: refresh(s, "made up"), CUSTOM_ERROR_RESPONSE),
    "UNKNOWN_GRANT": (CUSTOM_ERROR, lambda s: grant(s, grant_type="implicit"), CUSTOM_ERROR_RESPONSE),
    "REVOKED_BEFORE": (CUSTOM_ERROR, revoke_twice, CUSTOM_ERROR_RESPONSE),
    "NOT_REVOCABLE": (CUSTOM_ERROR, lambda s: revoke(s, password_token(s)), CUSTOM_ERROR_RESPONSE),
    "REDIRECT_NOT_REGISTERED": (CUSTOM_ERROR, lambda s: page(s, redirectUri="https://evil.example/"), 418),
    "NOT_ALLOWED": (
        CUSTOM_ERROR,
        lambda s: user(s, code_grant(s, "list_meetings")["access_token"]),
        CUSTOM_ERROR_RESPONSE,
    ),
    "NOT_FOUND": (CUSTOM_ERROR, lambda s: user(s, password_token(s), 1), CUSTOM_ERROR_RESPONSE),
    "SCOPES_IF_NONE_ASKED": (("user_info",), lambda s: code_grant(s)["scope"]["bearerPermissions"], "user_info"),
    "INFO_WITHOUT_USER": ({"user": None}, lambda s: info(s, client_grant(s)["access_token"])[1], {"user": None}),
    "GRANTS_THAT_READ_USERS": ((), lambda s: user(s, password_token(s))[0], 403),
    "USER_FIELDS": (("id",), lambda s: user(s, password_token(s))[1], {"id": 1442589}),
}


def readable_values() -> Iterator[tuple[str, str]]:
    """Yield the assumptions with a readable value: numbers, error statuses, names and JSON."""
    for name in ALTERNATIVES:
        value = getattr(Assumptions, name)
        if isinstance(value, tuple):
            yield name, str(value[0]) if isinstance(value[0], int) else ", ".join(value)
        elif type(value) in (int, dict):
            yield name, str(value)


class TestAssumptions:
    """`Assumptions` decides the undocumented behavior of the service; docs/SANDBOX.md lists its values."""

    RULES = re.findall(
        r"^\| (.+) \| ((?:seen|said|used|assumed)\b.*) \|$",
        (Path(__file__).parents[2] / "docs" / "SANDBOX.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )

    @pytest.mark.parametrize("name", ALTERNATIVES)
    def test_changed_assumption_changes_the_response(
        self, sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        value, probe, expected = ALTERNATIVES[name]
        assert probe(sandbox) != expected
        monkeypatch.setattr(Assumptions, name, value)
        assert probe(sandbox) == expected

    def test_every_assumption_has_a_changed_value_to_test(self) -> None:
        assert set(ALTERNATIVES) == {name for name in vars(Assumptions) if name.isupper()}

    def test_sandbox_page_states_the_source_of_each_rule(self) -> None:
        marks = [
            mark for _, mark in self.RULES if not re.fullmatch(r"assumed: `\w+`|(seen|said|used)(, used|, said)*", mark)
        ]
        assert (marks, len(self.RULES) > len(ALTERNATIVES)) == ([], True)

    def test_sandbox_page_lists_each_assumption_once(self) -> None:
        assert sorted(re.findall(r"assumed: `(\w+)`", str(self.RULES))) == sorted(ALTERNATIVES)

    @pytest.mark.parametrize(("name", "text"), list(readable_values()))
    def test_sandbox_page_shows_the_value_of_each_assumption(self, name: str, text: str) -> None:
        assert [rule for rule, mark in self.RULES if f"`{name}`" in mark and text in rule]
