"""Access tokens, their lifetimes, and when they are refreshed."""

from __future__ import annotations

import copy
import json
import os
import pickle
import time
import traceback
import types
from pathlib import Path
from typing import Any

import pytest

from BlueJeansMeetingsRestApi import GrantClient, StaticToken, TokenProvider
from BlueJeansMeetingsRestApi.credentials.token import (
    AccessToken,
    Clock,
    HeldToken,
    backoff,
    held_token,
    refresh_due,
    refresh_window,
)


@pytest.mark.parametrize(
    ("lifetime", "window"), [(60, 6), (2000, 200), (3000, 300), (3600, 300), (1209600, 300), (0, 0)]
)
def test_token_may_be_refreshed_in_its_last_tenth_but_at_most_five_minutes(lifetime: float, window: float) -> None:
    assert refresh_window(lifetime) == window


@pytest.mark.parametrize(("chance", "due"), [(0, 200), (0.5, 150), (1, 100)])
def test_jitter_spreads_refreshes_over_half_the_window(chance: float, due: float) -> None:
    assert refresh_due(2000, chance) == due


@pytest.mark.parametrize(("failures", "pause"), [(1, 25), (2, 50), (3, 100), (4, 200)])
def test_backoff_starts_at_an_eighth_of_the_window_and_doubles(failures: int, pause: float) -> None:
    assert backoff(failures, 2000) == pause


class TestBootId:
    @pytest.mark.skipif(not os.path.exists("/proc/sys/kernel/random/boot_id"), reason="this system has no boot ID")
    def test_boot_id_is_the_one_of_linux(self) -> None:
        assert Clock().boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip() != ""

    def test_boot_id_is_empty_if_the_system_has_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def cannot(*_: Any, **__: Any) -> Any:
            raise FileNotFoundError

        monkeypatch.setattr("builtins.open", cannot)
        assert Clock().boot_id == ""


class Stopped(Clock):
    def __init__(self, wall: float, boot: float) -> None:
        self._times = wall, boot

    def wall(self) -> float:
        return self._times[0]

    def boot(self) -> float:
        return self._times[1]


@pytest.mark.parametrize(("wall", "boot", "left"), [(1000, 50, 10), (1004, 50, 6), (1000, 57, 3), (0, 57, 3)])
def test_token_expires_by_the_earlier_of_two_clocks(wall: float, boot: float, left: float) -> None:
    assert HeldToken(AccessToken("t", 1010), 3600, 60).left(Stopped(wall, boot)) == left


@pytest.mark.parametrize(("expires_in", "lifetime"), [(3600, 3600), ("3600", 3600), (0, 0), (None, 0), (-5, 0)])
def test_lifetime_of_a_grant_counts_from_its_request(expires_in: Any, lifetime: float) -> None:
    grant = GrantClient(access_token="t", expires_in=expires_in)
    assert held_token(grant, 1000, 50) == HeldToken(AccessToken("t", 1000 + lifetime), lifetime, 50 + lifetime)


class TestAccessToken:
    TOKEN = AccessToken("canary", 1010.0)

    def test_no_text_of_an_access_token_shows_it(self) -> None:
        expected = "<AccessToken: use .token>"
        assert {repr(self.TOKEN), str(self.TOKEN), f"{self.TOKEN}", f"{self.TOKEN!s}"} == {expected}
        assert f"{self.TOKEN:>30}" == expected.rjust(30)
        assert "canary" not in repr(HeldToken(self.TOKEN, 3600, 60))

    def test_access_token_cannot_be_iterated_or_written_as_json(self) -> None:
        for convert in (list, vars, json.dumps, lambda token: json.dumps(token, default=vars)):
            with pytest.raises(TypeError):
                convert(self.TOKEN)
        assert json.dumps(self.TOKEN, default=str) == '"<AccessToken: use .token>"'
        assert "canary" not in traceback_with_locals(self.TOKEN)

    def test_access_token_cannot_be_changed(self) -> None:
        for change in (lambda: setattr(self.TOKEN, "token", "x"), lambda: delattr(self.TOKEN, "expires_at")):
            with pytest.raises(AttributeError, match="^AccessToken is immutable: cannot (set|delete) "):
                change()

    def test_access_tokens_with_equal_attributes_are_equal(self) -> None:
        same, other = AccessToken("canary", 1010.0), AccessToken("canary", 1011.0)
        assert self.TOKEN == same != other
        assert len({self.TOKEN, same, other}) == 2
        assert self.TOKEN != ("canary", 1010.0)

    def test_pickled_access_token_contains_the_token(self) -> None:
        for copied in (pickle.loads(pickle.dumps(self.TOKEN)), copy.copy(self.TOKEN), copy.deepcopy(self.TOKEN)):
            assert copied == self.TOKEN


def traceback_with_locals(token: AccessToken) -> str:
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 / 0
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "token" in (shown.stack[0].locals or {})
    return str([frame.locals for frame in shown.stack])


@pytest.mark.parametrize(
    ("provider", "is_one"),
    [
        (StaticToken("t"), True),
        (types.SimpleNamespace(get_token=lambda timeout=None: None, invalidate=lambda token=None: None), True),
        (types.SimpleNamespace(get_token=lambda timeout=None: None), False),
        ("a token", False),
    ],
)
def test_token_provider_is_any_object_with_both_methods(provider: object, is_one: bool) -> None:
    assert isinstance(provider, TokenProvider) is is_one


class TestClock:
    @pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="the system has no clock that includes sleep")
    def test_boot_clock_includes_sleep(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(time, "clock_gettime", {time.CLOCK_BOOTTIME: 1234.5}.__getitem__)
        assert Clock().boot() == 1234.5

    def test_boot_clock_is_the_monotonic_one_if_there_is_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
        monkeypatch.setattr(time, "monotonic", lambda: 99)
        assert Clock().boot() == 99.0

    def test_wall_clock_is_a_unix_timestamp(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(time, "time", lambda: 1800000000.5)
        assert Clock().wall() == 1800000000.5

    def test_boot_id_is_stable_within_a_boot(self) -> None:
        assert Clock().boot_id == Clock().boot_id
