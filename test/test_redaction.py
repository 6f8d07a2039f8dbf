"""Redaction: which values are secret, and how they are masked."""

from __future__ import annotations

import html
import json
import traceback
from base64 import b64encode
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi import models, redaction
from BlueJeansMeetingsRestApi.models.model import Model, attribute
from support.recording_server import unused_port


def test_model_classes_declare_their_secret_fields() -> None:
    declared = {a.name for cls in vars(models).values() for a in getattr(cls, "attributes", ()) if a.secret}
    assert declared == {"access_token", "client_secret", "code", "meeting_passcode", "password", "refresh_token"}


def test_defining_a_model_does_not_make_its_names_secret_elsewhere() -> None:
    class Safe(Model):
        combination: str | None = attribute(default=None, secret=True, doc="Opens it.")

    assert repr(Safe("canary")) == "{'combination': '***'}"
    assert redaction.redact({"combination": "left, right"}) == {"combination": "left, right"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"password": "x", "n": 1}, {"password": "***", "n": 1}),
        ({"Authorization": "Bearer x"}, {"Authorization": "***"}),
        ([{"a": ({"meetingPasscode": 3691},)}], [{"a": ({"meetingPasscode": "***"},)}]),
        (
            {"refresh_token": "", "access_token": None, "code": b""},
            {"refresh_token": "", "access_token": None, "code": b""},
        ),
    ],
)
def test_data_is_shown_without_secrets(value: Any, shown: Any) -> None:
    assert redaction.redact(value) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@host:1/x", "https://***@host:1/x"),
        ("user:p@ss@host", "***@host"),
        ("https://user:pa/s#w?rd@host:1/x", "https://***@host:1/x"),
        ("https://user:pass\nword@host:1/x", "https://***@host:1/x"),
        ("https://host/x", "https://host/x"),
    ],
)
def test_a_url_is_shown_without_user_and_password(url: str, shown: str) -> None:
    assert redaction.without_userinfo(url) == shown


@pytest.mark.parametrize(
    ("data", "secrets"),
    [
        ({"password": "pw", "username": "u"}, {"pw"}),
        ({"meetingPasscode": 3691}, {"3691"}),
        ([{"a": ({"deep": {"code": "c"}},)}], {"c"}),
        ({"Authorization": "Bearer abc"}, {"Bearer abc", "abc"}),
        ({"password": "three small words"}, {"three small words"}),
        ({"Cookie": "a=one; b=two"}, {"a=one; b=two", "one", "two"}),
        ({"refresh_token": "", "access_token": None}, set()),
        (models.GrantRequestCode(client_id="i", client_secret="s", code="c"), {"s", "c"}),
        ({"grants": [models.GrantPassword(access_token="t")]}, {"t"}),
        (models.GrantClient(scope={"password": "p"}), {"p"}),  # type: ignore[arg-type]
        (models.Error(message="m", code=401), set()),
    ],
)
def test_secrets_are_found_by_their_names(data: Any, secrets: set[str]) -> None:
    assert set(redaction.secrets_in(data)) == secrets


SECRET = 'pä/ss "word" & 50%'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        html.escape(SECRET),
        ascii(SECRET)[1:-1],
        b64encode(SECRET.encode()).decode(),
    ],
    ids=["plain", "JSON", "JSON in JSON", "URL", "lower-case URL", "form", "HTML", "Python", "Base64"],
)
def test_secret_is_masked_in_every_encoding(form: str) -> None:
    assert redaction.scrub(f"before {form} behind", [SECRET]) == "before *** behind"


@given(secret=st.text(min_size=4).filter(lambda text: text.lower() not in redaction._COMMON_WORDS), around=st.text())
def test_any_secret_is_masked_in_any_encoding(secret: str, around: str) -> None:
    for form in (secret, json.dumps(secret), quote(secret, safe=""), quote_plus(secret)):
        shown = redaction.scrub(f"{around} {form} {around}", [secret])
        assert secret not in shown.replace(redaction.MASK, "")


def test_password_in_basic_authorization_is_masked() -> None:
    header = b64encode(b"user:correct horse battery").decode()
    assert redaction.scrub(f"Basic {header} is wrong", ["correct horse battery"]).endswith("*** is wrong")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Wrong passcode 1.", "Wrong passcode ***."),
        ('{"meetingPasscode": "1"}', '{"meetingPasscode": "***"}'),
        ("127.0.0.11:8080", "127.0.0.11:8080"),
        ("(401)", "(401)"),
    ],
)
def test_short_secret_is_masked_as_a_separate_word(text: str, shown: str) -> None:
    assert redaction.scrub(text, ["1"]) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("passcode%3D3691%26x", "passcode%3D***%26x"),
        (r"passcode\n3691\n", r"passcode\n***\n"),
        ("trace 4bf92f3577b34da6a3ce929d03691736", "trace 4bf92f3577b34da6a3ce929d03691736"),
    ],
)
def test_number_is_masked_unless_it_is_part_of_an_identifier(text: str, shown: str) -> None:
    assert redaction.scrub(text, ["3691"]) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Invalid token", "Invalid token"),
        ("The token's owner is unknown", "The token's owner is unknown"),
        ("password=token", "password=***"),
        ("password 'token' is wrong", "password '***' is wrong"),
        (r"{\"password\": \"token\"}", r"{\"password\": \"***\"}"),
        ("token", "***"),
    ],
)
def test_common_word_is_masked_only_if_quoted_or_repeated_exactly(text: str, shown: str) -> None:
    assert redaction.scrub(text, ["token"]) == shown


def test_backslashes_in_a_long_text_take_linear_time() -> None:
    text = "\\" * 200_000  # quadratic time would be hours
    assert redaction.scrub(text, ['a"b\\c/d']) == text


def test_longer_secret_is_masked_within_words() -> None:
    assert redaction.scrub("xabcdx", ["abcd"]) == "x***x"


@pytest.mark.parametrize("secrets", [["inner", "an inner one"], ["an inner one", "inner"], ["azaz", "bazaza"]])
def test_a_secret_within_another_leaves_nothing_of_it(secrets: list[str]) -> None:
    assert redaction.scrub(max(secrets, key=len), secrets) == "***"


def test_request_and_trace_ids_stay_readable() -> None:
    text = "request 564lgo0njiejl9tj85z2cl25b8tzk2hd, trace 0af7651916cd43dd8448eb211c80319c"
    assert redaction.scrub(text, ["another-secret"]) == text


def test_chain_yields_all_causes_and_contexts() -> None:
    error, cause, context, causes_context = (ValueError(n) for n in range(4))
    error.__cause__, error.__context__, cause.__context__ = cause, context, causes_context
    assert list(redaction.chain(error)) == [error, cause, causes_context, context]


class TestTracebacks:
    def variables(self, error: BaseException) -> dict[str, dict[str, str]]:
        """Return the variables in a traceback, by function."""
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        return {frame.name: frame.locals or {} for frame in shown.stack}

    def test_frames_of_a_users_send_keep_their_variables(self, configuration: bluejeans.Configuration) -> None:
        def send(request: object) -> Any:
            mine = "visible"
            raise KeyError(mine)

        client = bluejeans.ApiClient(configuration, send=send)
        request = bluejeans.GrantRequestPassword(username="u", password="canary")
        with pytest.raises(KeyError) as caught:
            bluejeans.AuthenticationApi(client).get_token_by_password(request)
        shown = self.variables(caught.value)
        assert shown["send"]["mine"] == "'visible'"
        assert [shown[name] for name in ("call_api", "_perform", "get_token_by_password")] == [{}, {}, {}]

    def test_library_frames_below_a_users_frame_keep_their_variables(
        self, configuration: bluejeans.Configuration
    ) -> None:
        def send(request: object) -> Any:
            return json.loads("{mine")

        with pytest.raises(json.JSONDecodeError) as caught:
            bluejeans.ApiClient(configuration, send=send).call_api("/x", "GET")
        assert self.variables(caught.value)["raw_decode"]["s"] == "'{mine'"

    def test_frames_of_the_package_and_its_libraries_are_cleared(self) -> None:
        configuration = bluejeans.Configuration()
        configuration.host = f"http://127.0.0.1:{unused_port()}"
        configuration.max_attempts = 1
        with pytest.raises(bluejeans.ApiConnectionError) as caught:
            bluejeans.ApiClient(configuration).call_api("/x", "POST", body={"password": "canary"})
        for error in redaction.chain(caught.value):
            shown = self.variables(error)
            shown.pop("test_frames_of_the_package_and_its_libraries_are_cleared", None)
            assert {name for variables in shown.values() for name in variables} <= {"function", "handled"}
