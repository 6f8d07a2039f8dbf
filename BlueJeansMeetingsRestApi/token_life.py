"""How long a token lives: its end on two clocks, and when on the way there it is renewed."""

from __future__ import annotations

import contextlib
import functools
import time
from typing import Any, NamedTuple

from .redaction import MASK


class AccessToken(NamedTuple):
    """A token, and when it ends: seconds since 1970. Its text does not show the token."""

    token: str
    expires_at: float

    def __repr__(self) -> str:
        return f"AccessToken(token={MASK!r}, expires_at={self.expires_at!r})"


class Clock:
    """The time of day, which may be set, and the time since boot, which goes on in sleep and cannot be set."""

    def wall(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def boot(self) -> float:
        """Seconds since boot. CLOCK_MONOTONIC, which there is everywhere, stops in sleep on Linux."""
        return float(time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic())

    @functools.cached_property
    def boot_id(self) -> str:
        """Which boot `boot` counts from; "" where nobody says."""
        with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
        return ""


def renewal_window(lifetime: float) -> float:
    """Seconds before a token's end from which on it may be renewed."""
    return min(300.0, lifetime / 10)


def renewal_due(lifetime: float, chance: float) -> float:
    """Seconds before a token's end at which a process renews it. `chance` is the process's own, from 0 to 1.

    It spreads the renewals of processes that were started at once over half the window.
    """
    return renewal_window(lifetime) * (1 - chance / 2)


def pause_after(failures: int, lifetime: float) -> float:
    """Seconds until a token that is still good is renewed again, after so many renewals that failed."""
    return renewal_window(lifetime) / 8 * 2.0 ** (failures - 1)


class Token(NamedTuple):
    """A token with its end on both clocks. Whichever comes first counts."""

    access: AccessToken
    lifetime: float
    boot_expires_at: float

    def left(self, clock: Clock) -> float:
        """Seconds for which it is good."""
        return min(self.access.expires_at - clock.wall(), self.boot_expires_at - clock.boot())

    def __repr__(self) -> str:
        return repr(self.access)


def token_of(grant: Any, wall: float, boot: float) -> Token:
    """The token of a grant that was asked for at those times. One that does not say how long it lasts is used once."""
    lifetime = max(float(grant.expires_in or 0), 0.0)
    return Token(AccessToken(grant.access_token, wall + lifetime), lifetime, boot + lifetime)
