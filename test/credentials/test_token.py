"""How long a token lives, and when on the way to its end it is renewed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from BlueJeansMeetingsRestApi import GrantClient
from BlueJeansMeetingsRestApi.credentials.token import (
    AccessToken,
    Clock,
    HeldToken,
    backoff,
    refresh_due,
    refresh_window,
    held_token,
)


@pytest.mark.parametrize(
    ("lifetime", "window"), [(60, 6), (2000, 200), (3000, 300), (3600, 300), (1209600, 300), (0, 0)]
)
def test_a_token_may_be_renewed_in_its_last_tenth_at_most_five_minutes(lifetime: float, window: float) -> None:
    assert refresh_window(lifetime) == window


@pytest.mark.parametrize(("chance", "due"), [(0, 200), (0.5, 150), (1, 100)])
def test_processes_renew_it_one_after_another_in_the_first_half_of_that(chance: float, due: float) -> None:
    assert refresh_due(2000, chance) == due


@pytest.mark.parametrize(("failures", "pause"), [(1, 25), (2, 50), (3, 100), (4, 200)])
def test_a_pause_after_a_failure_is_an_eighth_of_it_and_doubles(failures: int, pause: float) -> None:
    assert backoff(failures, 2000) == pause


class TestBoot:
    @pytest.mark.skipif(not os.path.exists("/proc/sys/kernel/random/boot_id"), reason="this system tells no boot's id")
    def test_has_the_id_that_linux_gives_it(self) -> None:
        assert Clock().boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip() != ""

    def test_has_none_where_nobody_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_token_ends_at_the_earlier_of_what_two_clocks_say(wall: float, boot: float, left: float) -> None:
    assert HeldToken(AccessToken("t", 1010), 3600, 60).left(Stopped(wall, boot)) == left


@pytest.mark.parametrize(("expires_in", "lifetime"), [(3600, 3600), ("3600", 3600), (0, 0), (None, 0), (-5, 0)])
def test_a_grants_token_ends_that_many_seconds_after_it_was_asked_for(expires_in: Any, lifetime: float) -> None:
    grant = GrantClient(access_token="t", expires_in=expires_in)
    assert held_token(grant, 1000, 50) == HeldToken(AccessToken("t", 1000 + lifetime), lifetime, 50 + lifetime)


def test_its_text_does_not_show_it() -> None:
    token = HeldToken(AccessToken("a-token", 1010), 3600, 60)
    assert repr(token) == repr(token.access) == "AccessToken(token='***', expires_at=1010)"


class TestClock:
    @pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="the system has no clock that goes on in sleep")
    def test_the_time_since_boot_goes_on_in_sleep(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(time, "clock_gettime", {time.CLOCK_BOOTTIME: 1234.5}.__getitem__)
        assert Clock().boot() == 1234.5

    def test_where_no_clock_does_it_is_the_monotonic_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
        monkeypatch.setattr(time, "monotonic", lambda: 99)
        assert Clock().boot() == 99.0

    def test_the_time_of_day_is_in_seconds_since_1970(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(time, "time", lambda: 1800000000.5)
        assert Clock().wall() == 1800000000.5

    def test_a_boot_has_one_name(self) -> None:
        assert Clock().boot_id == Clock().boot_id
