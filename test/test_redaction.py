"""What counts as a secret, and how it is shown."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from BlueJeansMeetingsRestApi import models, redaction


def test_model_classes_declare_their_secret_fields() -> None:
    declared = {
        name.lower()
        for cls in vars(models).values()
        for a in getattr(cls, "attributes", ())
        if a.secret
        for name in (a.name, a.key)
    }
    assert declared == {
        "access_token",
        "client_secret",
        "code",
        "meeting_passcode",
        "meetingpasscode",
        "password",
        "refresh_token",
    }
    assert declared <= redaction.SECRET_NAMES


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
        ({"password": "three small words"}, {"three small words", "small words"}),
        ({"password": "with\ttab"}, {"with\ttab"}),
        ({"refresh_token": "", "access_token": None}, set()),
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
        quote_plus(SECRET),
    ],
    ids=["as it is", "in JSON", "in JSON within JSON", "in a URL", "in a form"],
)
def test_secret_is_masked_in_every_encoding(form: str) -> None:
    assert redaction.scrub(f"before {form} behind", [SECRET]) == "before *** behind"


@given(secret=st.text(min_size=4), around=st.text())
def test_any_secret_is_masked_in_any_encoding(secret: str, around: str) -> None:
    for form in (secret, json.dumps(secret), quote(secret, safe=""), quote_plus(secret)):
        shown = redaction.scrub(f"{around} {form} {around}", [secret])
        assert secret not in shown.replace(redaction.MASK, "")


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


def test_longer_secret_is_masked_within_words() -> None:
    assert redaction.scrub("xabcdx", ["abcd"]) == "x***x"


@pytest.mark.parametrize("secrets", [["inner", "an inner one"], ["an inner one", "inner"], ["azaz", "bazaza"]])
def test_a_secret_within_another_leaves_nothing_of_it(secrets: list[str]) -> None:
    assert redaction.scrub(max(secrets, key=len), secrets) == "***"


def test_request_and_trace_ids_stay_readable() -> None:
    token = "564lgo0njiejl9tj85z2cl25b8tzk2hd"
    assert redaction.scrub(f"token {token}@z2, or {token}.") == "token ***, or ***."
    assert redaction.scrub("nothing secret") == "nothing secret"


def test_a_chain_has_every_error_that_an_error_comes_with() -> None:
    error, cause, context, causes_context = (ValueError(n) for n in range(4))
    error.__cause__, error.__context__, cause.__context__ = cause, context, causes_context
    assert list(redaction.chain(error)) == [error, cause, causes_context, context]
