"""What counts as a secret, and how it is shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from BlueJeansMeetingsRestApi import models, redaction


def test_every_secret_of_a_model_is_known_by_its_name_and_its_json_key() -> None:
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
        ({"refresh_token": "", "access_token": None}, {"refresh_token": "", "access_token": None}),
    ],
)
def test_data_is_shown_without_secrets(value: Any, shown: Any) -> None:
    assert redaction.redact(value) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@host:1/x", "https://***@host:1/x"),
        ("user:p@ss@host", "***@host"),
        ("https://host/a@b", "https://host/a@b"),
    ],
)
def test_a_url_is_shown_without_user_and_password(url: str, shown: str) -> None:
    assert redaction.without_userinfo(url) == shown


@given(secret=st.text(min_size=1).filter(lambda text: text not in "***"), around=st.text())
def test_a_given_secret_does_not_stay_in_a_text(secret: str, around: str) -> None:
    import json
    from urllib.parse import quote, quote_plus

    for form in (secret, json.dumps(secret), quote(secret, safe=""), quote_plus(secret)):
        shown = redaction.scrub(f"{around} {form} {around}", [secret])
        assert secret not in shown.replace(redaction.MASK, "")


def test_what_looks_like_a_token_does_not_either() -> None:
    token = "564lgo0njiejl9tj85z2cl25b8tzk2hd"
    assert redaction.scrub(f"token {token}@z2, or {token}.") == "token ***, or ***."
    assert redaction.scrub("nothing secret") == "nothing secret"
