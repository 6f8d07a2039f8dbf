"""The sandbox by its rules, as any HTTP client sees them: none of the SDK takes part."""

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


def ask(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and JSON of an answer; None where there is no body."""
    content = json.dumps(body) if isinstance(body, (dict, list)) else body
    headers = {"Content-Type": "application/json", **(headers or {})}
    answer = http.request(method, url, body=content, headers=headers, redirect=False)
    return answer.status, json.loads(answer.data) if answer.data else None


def grant(sandbox: Sandbox, path: str = "/oauth2/token", **body: Any) -> tuple[int, Any]:
    return ask("POST", sandbox.url + path, body)


def of_application(sandbox: Sandbox, **body: Any) -> dict[str, Any]:
    return {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret, **body}


def code_body(sandbox: Sandbox, code: str) -> dict[str, Any]:
    uri = sandbox.redirect_uri
    return of_application(sandbox, grant_type="authorization_code", code=code, redirectUri=uri)


def code_grant(sandbox: Sandbox, scope: str = "") -> dict[str, Any]:
    status, answer = grant(sandbox, **code_body(sandbox, sandbox.authorize(scope)))
    assert status == 200
    return dict(answer)


def refresh(sandbox: Sandbox, refresh_token: str) -> tuple[int, Any]:
    return grant(sandbox, **of_application(sandbox, grant_type="refresh_token", refresh_token=refresh_token))


def revoke(sandbox: Sandbox, token: str) -> tuple[int, Any]:
    return ask("DELETE", f"{sandbox.url}/oauth2/token?Revoke&access_token={token}", of_application(sandbox))


def info(sandbox: Sandbox, token: str) -> tuple[int, Any]:
    return ask("GET", f"{sandbox.url}/oauth2/tokenInfo?access_token={token}")


def password_token(sandbox: Sandbox) -> str:
    _, answer = grant(sandbox, grant_type="password", username=sandbox.username, password=sandbox.password)
    return str(answer["access_token"])


class TestClientGrant:
    def test_gives_a_token_for_the_enterprise(self, sandbox: Sandbox) -> None:
        status, answer = grant(sandbox, **of_application(sandbox, grant_type="client_credentials"))
        assert status == 200
        assert list(answer) == ["access_token", "expires_in", "scope"]
        assert re.fullmatch("[0-9a-f]{32}", answer["access_token"])
        assert answer["scope"] == {
            "enterprise": sandbox.enterprise_id,
            "partitionName": "z2",
            "partition": {"id": 2, "name": "z2"},
        }

    @pytest.mark.parametrize("wrong", ["client_id", "client_secret"])
    def test_refuses_wrong_credentials_in_the_services_words(self, sandbox: Sandbox, wrong: str) -> None:
        body = {**of_application(sandbox, grant_type="client_credentials"), wrong: "wrong"}
        status, answer = grant(sandbox, **body)
        assert (status, list(answer), answer["code"]) == (401, ["code", "message"], 401)


class TestPasswordGrant:
    def test_gives_a_token_for_two_weeks_that_cannot_be_refreshed(self, sandbox: Sandbox) -> None:
        status, answer = grant(sandbox, grant_type="password", username=sandbox.username, password=sandbox.password)
        assert status == 200
        assert re.fullmatch("[0-9a-f]{32}", answer.pop("access_token"))
        assert answer == {
            "expires_in": 1209600,
            "scope": {"user": 1442589, "partitionName": "z2", "partition": {"id": 2, "name": "z2"}},
            "refresh_token": "",
        }

    @pytest.mark.parametrize("wrong", ["username", "password"])
    def test_refuses_wrong_credentials(self, sandbox: Sandbox, wrong: str) -> None:
        right = {"username": sandbox.username, "password": sandbox.password}
        assert grant(sandbox, grant_type="password", **{**right, wrong: "wrong"})[0] == 401

    def test_an_empty_refresh_token_refreshes_nothing(self, sandbox: Sandbox) -> None:
        password_token(sandbox)
        assert refresh(sandbox, "")[0] == 401


class TestMeetingGrant:
    def test_the_moderators_passcode_gives_the_moderators_rights(self, sandbox: Sandbox) -> None:
        number = sandbox.meeting_numeric_id
        passcode = sandbox.moderator_passcode
        status, answer = grant(
            sandbox, grant_type="meeting_passcode", meetingNumericId=number, meetingPasscode=passcode
        )
        assert (status, answer["expires_in"]) == (200, 86400)
        assert re.fullmatch("[0-9a-z]{32}@z2", answer["access_token"])
        assert answer["scope"]["meeting"] == {
            "id": 123,
            "leaderId": sandbox.user_id,
            "meetingNumericId": number,
            "meetingUri": f"/v1/user/{sandbox.user_id}/live_meetings/{number}",
            "isModerator": True,
            "endpointUriSet": [],
            "meetingId": "72660",
        }

    def test_the_attendees_passcode_gives_an_attendees_rights(self, sandbox: Sandbox) -> None:
        body = {"meetingNumericId": sandbox.meeting_numeric_id, "meetingPasscode": sandbox.attendee_passcode}
        _, answer = grant(sandbox, grant_type="meeting_passcode", **body)
        assert answer["scope"]["meeting"]["isModerator"] is False

    @pytest.mark.parametrize("passcode", [{}, {"meetingPasscode": ""}, {"meetingPasscode": None}])
    def test_a_meeting_without_passcode_needs_none(self, sandbox: Sandbox, passcode: dict[str, Any]) -> None:
        body = {"meetingNumericId": sandbox.open_meeting_numeric_id, **passcode}
        assert grant(sandbox, grant_type="meeting_passcode", **body)[0] == 200

    @pytest.mark.parametrize("passcode", ["wrong", ""])
    def test_refuses_a_wrong_passcode(self, sandbox: Sandbox, passcode: str) -> None:
        body = {"meetingNumericId": sandbox.meeting_numeric_id, "meetingPasscode": passcode}
        assert grant(sandbox, grant_type="meeting_passcode", **body)[0] == 401

    def test_refuses_a_passcode_for_a_meeting_that_has_none(self, sandbox: Sandbox) -> None:
        body = {"meetingNumericId": sandbox.open_meeting_numeric_id, "meetingPasscode": sandbox.moderator_passcode}
        assert grant(sandbox, grant_type="meeting_passcode", **body)[0] == 401

    def test_numbers_may_come_as_numbers(self, sandbox: Sandbox) -> None:
        body = {"meetingNumericId": int(sandbox.meeting_numeric_id), "meetingPasscode": int(sandbox.moderator_passcode)}
        assert grant(sandbox, grant_type="meeting_passcode", **body)[0] == 200


class TestCodeGrant:
    def test_gives_tokens_for_the_user_with_what_they_allow(self, sandbox: Sandbox) -> None:
        answer = code_grant(sandbox, ALL_SCOPES)
        assert list(answer) == ["access_token", "refresh_token", "expires_in", "scope"]
        assert answer["expires_in"] == 3600
        own = rf"/v\d+/user/{sandbox.user_id}"
        assert answer["scope"] == {
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

    def test_a_code_works_once(self, sandbox: Sandbox) -> None:
        body = code_body(sandbox, sandbox.authorize())
        assert [grant(sandbox, **body)[0], grant(sandbox, **body)[0]] == [200, 401]

    @pytest.mark.parametrize(("age", "status"), [(29.9, 200), (30, 401)])
    def test_a_code_is_good_for_thirty_seconds(self, sandbox: Sandbox, age: float, status: int) -> None:
        body = code_body(sandbox, sandbox.authorize())
        sandbox.advance(age)
        assert grant(sandbox, **body)[0] == status

    def test_refuses_a_code_that_was_never_given(self, sandbox: Sandbox) -> None:
        assert grant(sandbox, **code_body(sandbox, "made up"))[0] == 401

    @pytest.mark.parametrize("uri", ["http://[", "https://app.example:x/callback", "//", ""])
    def test_a_redirect_uri_that_is_none_is_refused(self, sandbox: Sandbox, uri: str) -> None:
        body = {**code_body(sandbox, sandbox.authorize()), "redirectUri": uri}
        assert grant(sandbox, **body)[0] == 400

    def test_a_wrong_secret_does_not_spend_the_code(self, sandbox: Sandbox) -> None:
        body = code_body(sandbox, sandbox.authorize())
        assert grant(sandbox, **{**body, "client_secret": "wrong"})[0] == 401
        assert grant(sandbox, **body)[0] == 200

    @pytest.mark.parametrize("name", ["redirectUri", "redirect_uri"])
    def test_takes_the_redirect_uri_by_both_names(self, sandbox: Sandbox, name: str) -> None:
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
    def test_the_redirect_uri_is_a_registered_one_or_lies_below(self, sandbox: Sandbox, uri: str, status: int) -> None:
        body = {**code_body(sandbox, sandbox.authorize()), "redirectUri": uri}
        assert grant(sandbox, **body)[0] == status


class TestRefresh:
    def test_gives_other_tokens_for_the_same_scopes(self, sandbox: Sandbox) -> None:
        first = code_grant(sandbox, "user_info")
        status, second = refresh(sandbox, first["refresh_token"])
        assert status == 200
        assert second["access_token"] != first["access_token"]
        assert second["scope"]["bearerPermissions"] == "user_info"
        assert "clientId" not in second["scope"]

    def test_retires_the_old_tokens(self, sandbox: Sandbox) -> None:
        first = code_grant(sandbox)
        refresh(sandbox, first["refresh_token"])
        assert info(sandbox, first["access_token"])[0] == 401
        assert refresh(sandbox, first["refresh_token"])[0] == 401

    def test_a_refreshed_token_can_be_refreshed(self, sandbox: Sandbox) -> None:
        _, second = refresh(sandbox, code_grant(sandbox)["refresh_token"])
        assert refresh(sandbox, second["refresh_token"])[0] == 200

    def test_works_after_the_access_token_has_expired(self, sandbox: Sandbox) -> None:
        first = code_grant(sandbox)
        sandbox.advance(3600)
        assert refresh(sandbox, first["refresh_token"])[0] == 200


class TestRevoke:
    def test_answers_204_and_then_400(self, sandbox: Sandbox) -> None:
        token = code_grant(sandbox)["access_token"]
        assert revoke(sandbox, token) == (204, None)
        assert revoke(sandbox, token)[0] == 400

    def test_ends_the_refresh_token_too(self, sandbox: Sandbox) -> None:
        answer = code_grant(sandbox)
        revoke(sandbox, answer["access_token"])
        assert refresh(sandbox, answer["refresh_token"])[0] == 401

    def test_is_for_tokens_of_the_code_grant_only(self, sandbox: Sandbox) -> None:
        assert revoke(sandbox, password_token(sandbox))[0] == 400

    @pytest.mark.parametrize("token", ["", "made-up"])
    def test_a_token_that_is_none_is_not_taken_for_a_revoked_one(self, sandbox: Sandbox, token: str) -> None:
        assert revoke(sandbox, token)[0] == 401

    def test_an_expired_token_is_not_taken_for_a_revoked_one(self, sandbox: Sandbox) -> None:
        token = code_grant(sandbox)["access_token"]
        sandbox.advance(3600)
        assert revoke(sandbox, token)[0] == 401

    def test_needs_the_applications_secret(self, sandbox: Sandbox) -> None:
        token = code_grant(sandbox)["access_token"]
        url = f"{sandbox.url}/oauth2/token?Revoke&access_token={token}"
        assert ask("DELETE", url, of_application(sandbox, client_secret="wrong"))[0] == 401


class TestTokenInfo:
    def test_knows_the_user_of_a_password_token(self, sandbox: Sandbox) -> None:
        assert info(sandbox, password_token(sandbox)) == (200, {"user": sandbox.user_id})

    def test_knows_the_user_of_a_code_token(self, sandbox: Sandbox) -> None:
        assert info(sandbox, code_grant(sandbox)["access_token"]) == (200, {"user": sandbox.user_id})

    def test_a_client_token_has_no_user(self, sandbox: Sandbox) -> None:
        _, answer = grant(sandbox, **of_application(sandbox, grant_type="client_credentials"))
        assert info(sandbox, answer["access_token"]) == (200, {})

    def test_a_meeting_token_has_no_user(self, sandbox: Sandbox) -> None:
        body = {"grant_type": "meeting_passcode", "meetingNumericId": sandbox.open_meeting_numeric_id}
        assert info(sandbox, grant(sandbox, **body)[1]["access_token"]) == (200, {})

    @pytest.mark.parametrize("token", ["", "made-up"])
    def test_refuses_a_token_that_is_none(self, sandbox: Sandbox, token: str) -> None:
        message = "The access token is invalid or does not have permission."
        assert info(sandbox, token) == (401, {"code": 401, "message": message})

    @pytest.mark.parametrize(("age", "status"), [(1209599, 200), (1209600, 401)])
    def test_a_token_expires_when_it_was_said_to(self, sandbox: Sandbox, age: float, status: int) -> None:
        token = password_token(sandbox)
        sandbox.advance(age)
        assert info(sandbox, token)[0] == status

    @pytest.mark.parametrize("scheme", ["", "Basic "])
    def test_takes_it_there_by_no_other_scheme(self, sandbox: Sandbox, scheme: str) -> None:
        headers = {"Authorization": f"{scheme}{password_token(sandbox)}"}
        assert ask("GET", f"{sandbox.url}/oauth2/tokenInfo", headers=headers)[0] == 401

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_takes_the_token_in_a_header(self, sandbox: Sandbox, scheme: str) -> None:
        headers = {"Authorization": f"{scheme} {password_token(sandbox)}"}
        assert ask("GET", f"{sandbox.url}/oauth2/tokenInfo", headers=headers)[0] == 200

    def test_takes_a_bearer_token_in_the_query(self, sandbox: Sandbox) -> None:
        assert info(sandbox, f"Bearer+{password_token(sandbox)}")[0] == 200


class TestUser:
    def test_tells_of_the_user_to_their_own_token(self, sandbox: Sandbox) -> None:
        headers = {"Authorization": f"Bearer {password_token(sandbox)}"}
        status, answer = ask("GET", f"{sandbox.url}/v1/user/{sandbox.user_id}", headers=headers)
        assert (status, answer["id"], answer["username"]) == (200, sandbox.user_id, sandbox.username)

    def test_needs_a_token(self, sandbox: Sandbox) -> None:
        assert ask("GET", f"{sandbox.url}/v1/user/{sandbox.user_id}")[0] == 401

    @pytest.mark.parametrize(("scope", "status"), [("user_info", 200), ("list_meetings", 403)])
    def test_a_code_token_needs_the_scope(self, sandbox: Sandbox, scope: str, status: int) -> None:
        headers = {"Authorization": f"Bearer {code_grant(sandbox, scope)['access_token']}"}
        assert ask("GET", f"{sandbox.url}/v1/user/{sandbox.user_id}", headers=headers)[0] == status

    def test_there_is_no_other_user(self, sandbox: Sandbox) -> None:
        headers = {"Authorization": f"Bearer {password_token(sandbox)}"}
        assert ask("GET", f"{sandbox.url}/v1/user/1", headers=headers)[0] == 404


class TestBodies:
    @pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/token?client", "/oauth2/token?Meeting"])
    def test_the_body_alone_selects_the_grant(self, sandbox: Sandbox, path: str) -> None:
        body = {"grant_type": "password", "username": sandbox.username, "password": sandbox.password}
        assert grant(sandbox, path, **body)[0] == 200

    def test_a_form_is_taken(self, sandbox: Sandbox) -> None:
        body = urlencode({"grant_type": "password", "username": sandbox.username, "password": sandbox.password})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert ask("POST", f"{sandbox.url}/oauth2/token", body, headers)[0] == 200

    def test_an_empty_field_of_a_form_is_there(self, sandbox: Sandbox) -> None:
        body = urlencode({"grant_type": "password", "username": sandbox.username, "password": ""})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert ask("POST", f"{sandbox.url}/oauth2/token", body, headers)[0] == 401

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
    def test_json_is_taken_whatever_it_calls_itself(self, sandbox: Sandbox, content_type: str) -> None:
        body = {"grant_type": "password", "username": sandbox.username, "password": sandbox.password}
        assert ask("POST", f"{sandbox.url}/oauth2/token", body, {"Content-Type": content_type})[0] == 200

    @pytest.mark.parametrize("body", ["", "{", "[]", "null", "\x00", "[" * 100000, "grant_type=password"])
    def test_what_is_no_object_is_refused(self, sandbox: Sandbox, body: str) -> None:
        assert ask("POST", f"{sandbox.url}/oauth2/token", body) == (
            400,
            {"code": 400, "message": "The body is no JSON object."},
        )

    @pytest.mark.parametrize("grant_type", [None, 1, "", "implicit", ["password"]])
    def test_an_unknown_grant_is_refused(self, sandbox: Sandbox, grant_type: Any) -> None:
        assert grant(sandbox, grant_type=grant_type)[0] == 400

    @pytest.mark.parametrize("value", [None, True, {}, ["x"], 1, 1.5])
    def test_a_field_that_is_no_text_is_named(self, sandbox: Sandbox, value: Any) -> None:
        status, answer = grant(sandbox, grant_type="password", username=sandbox.username, password=value)
        assert (status, answer["message"]) == (400, "password is missing or no text.")

    @pytest.mark.parametrize("name", ["client_id", "client_secret", "code", "redirectUri"])
    def test_half_of_a_surrogate_pair_is_text_that_is_wrong(self, sandbox: Sandbox, name: str) -> None:
        body = {**code_body(sandbox, sandbox.authorize()), name: "\ud800"}
        assert grant(sandbox, **body)[0] in (400, 401)

    def test_a_body_of_more_than_a_mebibyte_is_refused(self, sandbox: Sandbox) -> None:
        assert ask("POST", f"{sandbox.url}/oauth2/token", "x" * ((1 << 20) + 1))[0] == 413


class TestErrors:
    def test_an_unknown_path_is_refused_in_the_services_words(self, sandbox: Sandbox) -> None:
        assert ask("GET", f"{sandbox.url}/nothing") == (404, {"code": 404, "message": "Not Found."})

    def test_a_wrong_method_is_refused_in_the_services_words(self, sandbox: Sandbox) -> None:
        assert ask("PUT", f"{sandbox.url}/oauth2/token") == (405, {"code": 405, "message": "Method Not Allowed."})

    def test_answers_carry_the_services_headers(self, sandbox: Sandbox) -> None:
        answer = http.request("GET", f"{sandbox.url}/oauth2/tokenInfo")
        assert answer.headers["Server"] == "BlueJeans Proxy"
        assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
        assert answer.reason == "Unauthorized"


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

    def test_shows_a_page_that_names_the_application_and_what_it_asks_for(self, sandbox: Sandbox) -> None:
        page = self.show(sandbox, appName="<b>Café</b>", scope="user_info")
        assert page.status == 200
        assert page.headers["Content-Type"].startswith("text/html")
        text = page.data.decode()
        assert "&lt;b&gt;Café&lt;/b&gt; asks" in text
        assert "user_info" in text

    def test_allowing_sends_the_browser_back_with_a_code_and_the_state(self, sandbox: Sandbox) -> None:
        answer = self.decide(sandbox)
        assert answer.status == 302
        target = urlsplit(answer.headers["Location"])
        assert f"{target.scheme}://{target.netloc}{target.path}" == sandbox.redirect_uri
        came = parse_qs(target.query)
        assert came["state"] == ["a&b"]
        assert grant(sandbox, **code_body(sandbox, came["code"][0]))[0] == 200

    def test_a_query_of_the_redirect_uri_is_kept(self, sandbox: Sandbox) -> None:
        target = self.decide(sandbox, redirectUri=f"{sandbox.redirect_uri}?from=bluejeans").headers["Location"]
        assert parse_qs(urlsplit(target).query)["from"] == ["bluejeans"]

    def test_without_a_state_none_comes_back(self, sandbox: Sandbox) -> None:
        assert "state" not in parse_qs(urlsplit(self.decide(sandbox, state="").headers["Location"]).query)

    def test_denying_sends_the_browser_back_with_an_error(self, sandbox: Sandbox) -> None:
        target = urlsplit(self.decide(sandbox, decision="deny").headers["Location"])
        assert parse_qs(target.query) == {
            "error": ["401"],
            "error_description": ["User rejects the grant to client application"],
        }

    def test_a_wrong_password_shows_the_form_again_without_it(self, sandbox: Sandbox) -> None:
        answer = self.decide(sandbox, password="mistyped")
        assert answer.status == 401
        assert b'name="password"' in answer.data
        assert b"mistyped" not in answer.data

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
    def test_a_request_that_must_not_be_answered_is_no_redirect(
        self, sandbox: Sandbox, step: str, wrong: dict[str, str]
    ) -> None:
        answer = getattr(self, step)(sandbox, **wrong)
        assert (answer.status, answer.headers.get("Location")) == (400, None)

    def test_without_scopes_the_usual_ones_are_granted(self, sandbox: Sandbox) -> None:
        assert code_grant(sandbox)["scope"]["bearerPermissions"] == ALL_SCOPES


def page(sandbox: Sandbox, **other: str) -> int:
    query = {"clientId": sandbox.client_id, "redirectUri": sandbox.redirect_uri, **other}
    return int(http.request("GET", f"{sandbox.url}/oauth2/authorize?{urlencode(query)}").status)


def denied_by_nobody(sandbox: Sandbox) -> int:
    fields = {"clientId": sandbox.client_id, "redirectUri": sandbox.redirect_uri, "decision": "deny"}
    return int(http.request("POST", f"{sandbox.url}/oauth2/authorize", body=urlencode(fields), redirect=False).status)


def client_grant(sandbox: Sandbox) -> Any:
    return grant(sandbox, **of_application(sandbox, grant_type="client_credentials"))[1]


def user(sandbox: Sandbox, token: str, user_id: int | None = None) -> tuple[int, Any]:
    return ask("GET", f"{sandbox.url}/v1/user/{user_id or sandbox.user_id}?access_token={token}")


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


REFUSED = (418, "in other words")
REFUSED_SO = (418, {"code": 418, "message": "in other words"})
# By name: another value, what to ask the sandbox then, and what it answers because of the value.
OTHERWISE: dict[str, tuple[Any, Callable[[Sandbox], Any], Any]] = {
    "CLIENT_LIFETIME": (60, lambda s: client_grant(s)["expires_in"], 60),
    "REFRESH_LIFETIME": (86400, refresh_after_a_day, 401),
    "REFRESH_ROTATES": (False, refresh_after_refresh, 200),
    "REVOKE_ENDS_REFRESH_TOKEN": (False, refresh_after_revoke, 200),
    "LOOPBACK_TAKES_ANY_PORT": (False, code_on_another_port, 400),
    "DENYING_NEEDS_SIGN_IN": (True, denied_by_nobody, 401),
    "AUTHORIZE_REFUSED": (418, lambda s: page(s, scope="everything"), 418),
    "INCOMPLETE_BODY": (418, lambda s: grant(s, grant_type="password")[0], 418),
    "WRONG_CREDENTIALS": (REFUSED, lambda s: grant(s, grant_type="password", username="", password=""), REFUSED_SO),
    "WRONG_CODE": (REFUSED, lambda s: grant(s, **code_body(s, "made up")), REFUSED_SO),
    "WRONG_REFRESH_TOKEN": (REFUSED, lambda s: refresh(s, "made up"), REFUSED_SO),
    "UNKNOWN_GRANT": (REFUSED, lambda s: grant(s, grant_type="implicit"), REFUSED_SO),
    "REVOKED_BEFORE": (REFUSED, revoke_twice, REFUSED_SO),
    "NOT_REVOCABLE": (REFUSED, lambda s: revoke(s, password_token(s)), REFUSED_SO),
    "REDIRECT_NOT_REGISTERED": (REFUSED, lambda s: page(s, redirectUri="https://evil.example/"), 418),
    "NOT_ALLOWED": (REFUSED, lambda s: user(s, code_grant(s, "list_meetings")["access_token"]), REFUSED_SO),
    "NOT_FOUND": (REFUSED, lambda s: user(s, password_token(s), 1), REFUSED_SO),
    "SCOPES_IF_NONE_ASKED": (("user_info",), lambda s: code_grant(s)["scope"]["bearerPermissions"], "user_info"),
    "INFO_WITHOUT_USER": ({"user": None}, lambda s: info(s, client_grant(s)["access_token"])[1], {"user": None}),
    "GRANTS_THAT_READ_USERS": ((), lambda s: user(s, password_token(s))[0], 403),
    "USER_FIELDS": (("id",), lambda s: user(s, password_token(s))[1], {"id": 1442589}),
}


def in_words() -> Iterator[tuple[str, str]]:
    """The assumptions that can be read: numbers, the status of refusals, names, JSON."""
    for name in OTHERWISE:
        value = getattr(Assumptions, name)
        if isinstance(value, tuple):
            yield name, str(value[0]) if isinstance(value[0], int) else ", ".join(value)
        elif type(value) in (int, dict):
            yield name, str(value)


class TestAssumptions:
    """What nobody knows is decided in `Assumptions`, and docs/SANDBOX.md tells it as it is."""

    RULES = re.findall(
        r"^\| (.+) \| ((?:seen|said|used|assumed)\b.*) \|$",
        (Path(__file__).parent.parent / "docs" / "SANDBOX.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )

    @pytest.mark.parametrize("name", OTHERWISE)
    def test_another_value_makes_another_sandbox(
        self, sandbox: Sandbox, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        value, asked, answered = OTHERWISE[name]
        assert asked(sandbox) != answered
        monkeypatch.setattr(Assumptions, name, value)
        assert asked(sandbox) == answered

    def test_no_assumption_is_left_out(self) -> None:
        assert set(OTHERWISE) == {name for name in vars(Assumptions) if name.isupper()}

    def test_the_page_says_of_each_rule_how_it_is_known(self) -> None:
        marks = [
            mark for _, mark in self.RULES if not re.fullmatch(r"assumed: `\w+`|(seen|said|used)(, used|, said)*", mark)
        ]
        assert (marks, len(self.RULES) > len(OTHERWISE)) == ([], True)

    def test_the_page_names_each_assumption_once(self) -> None:
        assert sorted(re.findall(r"assumed: `(\w+)`", str(self.RULES))) == sorted(OTHERWISE)

    @pytest.mark.parametrize(("name", "said"), list(in_words()))
    def test_the_page_says_what_is_assumed(self, name: str, said: str) -> None:
        assert [rule for rule, mark in self.RULES if f"`{name}`" in mark and said in rule]
