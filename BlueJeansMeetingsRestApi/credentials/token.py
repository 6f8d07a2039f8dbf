"""Access tokens: the value that callers get, when it expires, and when it is due for a refresh."""

from __future__ import annotations

import contextlib
import functools
import time
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


class AccessToken:
    """An access token. Only the attribute `token` shows it, so that logs and crash reports do not.

    token: the token itself, for the `Authorization` header.
    expires_at: when it expires, as a Unix timestamp; infinite if that is unknown.

    It is immutable, and equal to another with the same attributes. A pickle of it contains the token.
    """

    __slots__ = ("expires_at", "token")

    token: str
    expires_at: float

    def __init__(self, token: str, expires_at: float) -> None:
        object.__setattr__(self, "token", token)
        object.__setattr__(self, "expires_at", expires_at)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"AccessToken is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"AccessToken is immutable: cannot delete {name!r}")

    def __repr__(self) -> str:
        return "<AccessToken: use .token>"

    def __format__(self, format_spec: str) -> str:
        return format(repr(self), format_spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AccessToken):
            return NotImplemented
        return (self.token, self.expires_at) == (other.token, other.expires_at)

    def __hash__(self) -> int:
        return hash((self.token, self.expires_at))

    def __reduce__(self) -> tuple[Any, ...]:
        return AccessToken, (self.token, self.expires_at)


@runtime_checkable
class TokenProvider(Protocol):
    """Provides access tokens: any object with these two methods can be `Configuration.credentials`."""

    def get_token(self, timeout: float | None = None) -> AccessToken:
        """Return a valid token.

        timeout: how long this may take, in seconds; None for the provider's own limit.
        """
        ...

    def invalidate(self, token: str | None = None) -> None:
        """Stop returning this token, because the service refused it; the current token if None."""


class Clock:
    """The wall clock, which can be set, and the time since boot, which includes sleep and cannot be set."""

    def wall(self) -> float:
        """Return the time of day as a Unix timestamp."""
        return time.time()

    def boot(self) -> float:
        """Return the time since boot in seconds."""
        # CLOCK_MONOTONIC, which every system has, stops during sleep on Linux.
        return float(time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic())

    @functools.cached_property
    def boot_id(self) -> str:
        """The ID of the boot that `boot` counts from; empty if the system has none."""
        with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
        return ""


@dataclass(frozen=True)
class HeldToken:
    """A token with its expiry on both clocks. The earlier one counts.

    lifetime: seconds from the request to the expiry; 0 if the service did not specify it.
    """

    access: AccessToken
    lifetime: float
    boot_expires_at: float

    def left(self, clock: Clock) -> float:
        """Return how long the token remains valid, in seconds."""
        return min(self.access.expires_at - clock.wall(), self.boot_expires_at - clock.boot())


def refresh_window(lifetime: float) -> float:
    """Return how long before its expiry a token may be refreshed, in seconds."""
    return min(300.0, lifetime / 10)


def refresh_due(lifetime: float, jitter: float) -> float:
    """Return how long before its expiry a process refreshes a token, in seconds.

    jitter: the process's own number from 0 to 1. It spreads the refreshes of processes that were started at the same
        time over half the window.
    """
    return refresh_window(lifetime) * (1 - jitter / 2)


def backoff(failures: int, lifetime: float) -> float:
    """Return the pause after so many failed refreshes of a token that is still valid, in seconds."""
    return refresh_window(lifetime) / 8 * 2.0 ** (failures - 1)


def held_token(grant: Any, wall: float, boot: float) -> HeldToken:
    """Return the token of a grant that was requested at these times.

    Without `expires_in` the token counts as expired at once: only callers that waited for it get it.
    """
    lifetime = max(float(grant.expires_in or 0), 0.0)
    return HeldToken(AccessToken(grant.access_token, wall + lifetime), lifetime, boot + lifetime)
