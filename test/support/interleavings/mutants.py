"""Variants of the refresher that each break an invariant. The exploration has to find every one of them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock

from BlueJeansMeetingsRestApi.credentials.refresher import TokenRefresher
from BlueJeansMeetingsRestApi.credentials.shared_token import SharedToken
from BlueJeansMeetingsRestApi.credentials.token import AccessToken
from BlueJeansMeetingsRestApi.exceptions import ServiceError
from support.interleavings.world import Case

_start_or_join, _finish, _outcome = TokenRefresher._start_or_join, TokenRefresher._finish, TokenRefresher._outcome
_load, _save, _save_or_find = SharedToken._load, SharedToken._save, SharedToken._save_or_find


@dataclass(frozen=True)
class Mutant:
    """A wrong method of `owner`, the case in which it shows, and a part of the violation's text."""

    name: str
    method: str
    replacement: Callable[..., Any]
    case: Case
    violation: str
    owner: type = TokenRefresher

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Use the wrong method."""
        with mock.patch.object(self.owner, self.method, self.replacement):
            yield


def start_always(self: Any, own: Any, held: Any, allowed: float, deadline: float) -> Any:
    self._process.in_flight = None
    return _start_or_join(self, own, held, allowed, deadline)


def finish_without_waking(self: Any, attempt: Any) -> None:
    with mock.patch.object(type(attempt.done), "set"):
        _finish(self, attempt)


def wait_without_timeout(self: Any, attempt: Any, allowed: float, deadline: float) -> Any:
    attempt.done.wait(None)
    return self._outcome(attempt, allowed, deadline)


def return_cached_although_refused(self: Any, timeout: float | None = None) -> Any:
    token, start, end = self._cached
    if start <= self._clock.wall() < end:
        return token
    return self._get_token(self._process.last.number, timeout)


def valid_although_refused(self: Any) -> Any:
    held = self._held
    left = 0.0 if held is None else held.left(self._clock)
    return (held, left) if left > 0 else (None, 0.0)


def valid_although_expired(self: Any) -> Any:
    held = self._held
    return (None, 0.0) if held is None or held.access is self._refused else (held, 1000.0)


def usable_although_expired(self: Any, token: Any) -> Any:
    return None if token.access is self._refused else token.access


def retry_after_errors(self: Any, attempt: Any, allowed: float, deadline: float) -> Any:
    return None if attempt.token is None else _outcome(self, attempt, allowed, deadline)


def raise_another_error(self: Any, attempt: Any, allowed: float, deadline: float) -> Any:
    if attempt.token is None:
        raise ServiceError(503, "another error")
    return _outcome(self, attempt, allowed, deadline)


def return_another_token(self: Any, attempt: Any, allowed: float, deadline: float) -> Any:
    attempt.done.wait(deadline)
    return AccessToken("another token", math.inf)


def load_only_before_the_lock(self: Any, store: Any, key: str) -> Any:
    return None if store._world.holder == store._process else _load(self, store, key)


def pretend_to_save(self: Any, store: Any, key: str, token: Any, fence: int) -> bool:
    self._is_unsaved = False
    return True


def forget_that_a_write_failed(self: Any, store: Any, key: str, token: Any, attempt: Any, fence: int) -> Any:
    token = _save_or_find(self, store, key, token, attempt, fence)
    self._is_unsaved = False
    _load(self, store, key)
    return token


def save_with_any_fence(self: Any, store: Any, key: str, token: Any, fence: int) -> bool:
    return _save(self, store, key, token, 10**9)


def succeed_without_a_mark(self: Any, sent: str, successor: str) -> None:
    self._refresh_token = successor


REFRESH: dict[str, Any] = {"grant": "refresh", "token": "expired"}
MUTANTS = (
    Mutant("every caller requests a token", "_start_or_join", start_always, Case("m"), "2 requests in place of one"),
    Mutant(
        "callers share no error of an attempt that has finished",
        "_is_shared",
        lambda *_: False,
        Case("m", outcomes=("failure", "failure")),
        "2 requests in place of one",
    ),
    Mutant(
        "the threads that wait are not woken", "_finish", finish_without_waking, Case("m"), "waits although no request"
    ),
    Mutant(
        "callers wait without a timeout",
        "_wait_for",
        wait_without_timeout,
        Case("m", outcomes=("timeout",), timeouts=(60.0, 30.0)),
        "longer than its timeout",
    ),
    Mutant(
        "a cached token is returned although it was refused",
        "get_token",
        return_cached_although_refused,
        Case("m", token="fresh", calls=2, threads=(1,), invalidate=True),
        "token that was refused",
    ),
    Mutant(
        "a refused token counts as valid",
        "_valid",
        valid_although_refused,
        Case("m", token="fresh", threads=(1,), calls=2, invalidate=True),
        "token that was refused",
    ),
    Mutant(
        "an expired token counts as valid",
        "_valid",
        valid_although_expired,
        Case("m", token="expired"),
        "expired token",
    ),
    Mutant(
        "a thread that was woken late returns an expired token",
        "_unless_refused",
        usable_although_expired,
        Case("m", jumps=(4000.0,), timeouts=(10_000.0,)),
        "expired token",
    ),
    Mutant(
        "a caller that waited repeats a failed attempt",
        "_outcome",
        retry_after_errors,
        Case("m", outcomes=("failure", "success")),
        "2 requests in place of one",
    ),
    Mutant(
        "a caller that waited gets another error",
        "_outcome",
        raise_another_error,
        Case("m", outcomes=("refusal",), grant="refresh"),
        "error of the attempt that it joined",
    ),
    Mutant(
        "a caller that waited gets another token",
        "_wait_for",
        return_another_token,
        Case("m", token="expired"),
        "token of the attempt that it joined",
    ),
    Mutant(
        "the store is not read again under its lock",
        "_load",
        load_only_before_the_lock,
        Case("m", threads=(1, 1), store="memory", **REFRESH),
        "is sent twice",
        SharedToken,
    ),
    Mutant(
        "the token is returned without storing its refresh token",
        "_save",
        pretend_to_save,
        Case("m", threads=(1, 1), store="memory", **REFRESH),
        "before its refresh token was stored",
        SharedToken,
    ),
    Mutant(
        "after a failed write the store counts as newer",
        "_save_or_find",
        forget_that_a_write_failed,
        Case("m", threads=(1, 1), store="memory", failed_writes=1, **REFRESH),
        "is lost",
        SharedToken,
    ),
    Mutant(
        "after a lost lease the store counts as newer",
        "_save_or_find",
        forget_that_a_write_failed,
        Case("m", threads=(1, 1), store="lease", lost_leases=1, **REFRESH),
        "is lost",
        SharedToken,
    ),
    Mutant(
        "a process writes with another fence than that of its lock",
        "_save",
        save_with_any_fence,
        Case("m", threads=(1, 1), store="lease", lost_leases=1, **REFRESH),
        "overwritten a newer token",
        SharedToken,
    ),
    Mutant(
        "the successor of a refresh token does not count as unsaved",
        "_succeed",
        succeed_without_a_mark,
        Case("m", (1,), 2, store="memory", failed_writes=1, jumps=(4000.0,), timeouts=(10_000.0,), **REFRESH),
        "is sent twice",
        SharedToken,
    ),
)
