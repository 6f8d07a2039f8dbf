"""Single-flight refresh: which caller requests a token, and which callers wait for it.

A token is fresh, then due, then expired. Fresh: callers get it at once. Due (in its last tenth, at most five minutes):
one caller refreshes it early, and the others get the token that is still valid. Expired: one caller refreshes it, and
the others wait for its result.

Attempts are numbered. A caller reads the number of the last finished attempt before anything that may block, so it
knows which attempts overlapped with its call:

    caller A             caller B                       attempt
    reads number 0       reads number 0
    takes the lock                                      1 starts
    requests a token     (waits for the processor)
    raises the error                                    1 finishes with an error
                         takes the lock, finds that
                         attempt 1 is newer than 0,
                         raises the same error
"""

from __future__ import annotations

import atexit
import logging
import os
import random
import weakref
from collections.abc import Callable
from typing import Any

from ..configuration import PACKAGE_LOGGER
from ..exceptions import ApiException, ApiTimeoutError, ReauthenticationRequired
from ..redaction import leaves_no_variables
from ..token_stores import TokenStore
from ..validation import validate_seconds
from .attempt import Attempt, Refresh, Threads, copy_of
from .shared_token import LockedElsewhere, SharedToken
from .token import AccessToken, Clock, HeldToken, backoff, held_token, refresh_due

logger = logging.getLogger(f"{PACKAGE_LOGGER}.credentials")

# How long the wall clock alone is trusted after both clocks were read, in seconds.
_TRUST_WALL_CLOCK = 1.0

# How long an early refresh may take, in seconds. Its caller waits for it, although its token is still valid.
_EARLY_TIMEOUT = 5.0

# How long an attempt may exceed its deadline, in seconds, before it counts as abandoned: its thread does not exist, or
# `fetch` ignores its timeout.
_ABANDONED_AFTER = 10.0

# How long the exit of the program waits for a refresh in the background, in seconds: the successor of a refresh token
# would be lost.
_EXIT_TIMEOUT = 0.9

# Timeouts that differ by less than this factor count as equal: a caller does not repeat an attempt that timed out just
# because its own deadline is a moment later.
_LONGER = 1.1

# How long other threads get the error of a failed attempt instead of repeating it, in seconds. On a busy machine, one
# of several threads that call at the same time can be that late. A thread that got the error can try again at once.
_SHARE_FAILURE = 1.0

# A token with a shorter lifetime, in seconds, may have expired when its response arrives.
_SHORT_LIFETIME = 60.0


class _PerProcess:
    """Per-process state, recreated after a fork: a child does not have the threads of its parent."""

    def __init__(self, threads: Threads) -> None:
        self.lock = threads.lock()
        self.inside: set[int] = set()  # the threads that are in a call of this refresher
        self.jitter = random.random()
        self.started = 0
        self.in_flight: Attempt | None = None
        self.last = Attempt(threads.event())
        self.due_of: HeldToken | None = None
        self.due = 0.0
        self.failures = 0


_refreshers: weakref.WeakSet[TokenRefresher] = weakref.WeakSet()


def _recreate_after_fork() -> None:
    for refresher in list(_refreshers):
        refresher.recreate()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_recreate_after_fork)


class TokenRefresher:
    """A token that many threads share, and with a store also processes. It is a `TokenProvider`.

    fetch: requests a grant from the service within a timeout in seconds; its errors go to all callers that wait.
    store: where the token is shared; None to share it with no other process.
    clock: the time that tokens expire by; the system's if None.
    store_key: returns the token's key in the store.
    grant_type: the name of the grant in logs.
    refresh_token: the newest refresh token, empty if only the store has it; None if `fetch` does not use one.
    default_timeout: returns the limit of `get_token` in seconds.
    on_refresh: is called with the `Refresh` after each one.
    in_background: refresh early in a thread, so that no caller waits.
    threads: the primitives that coordinate threads.
    """

    def __init__(
        self,
        fetch: Callable[[float], Any],
        store: TokenStore | None = None,
        clock: Clock | None = None,
        *,
        store_key: Callable[[], str] = lambda: "token",
        grant_type: str = "",
        refresh_token: str | None = None,
        default_timeout: Callable[[], float] = lambda: 35.0,
        on_refresh: Callable[[Refresh], object] | None = None,
        in_background: bool = False,
        threads: Threads | None = None,
    ) -> None:
        self._clock = clock or Clock()
        self._grant_type, self._default_timeout = grant_type, default_timeout
        self._on_refresh, self._in_background = on_refresh, in_background
        self._threads = threads or Threads()
        # The token with the span of the wall clock in which `get_token` returns it at once. One tuple, so that a thread
        # without the lock never combines the values of two tokens.
        self._cached = (AccessToken("", 0.0), 0.0, 0.0)
        self._held: HeldToken | None = None
        self._refused: AccessToken | None = None
        self._shared = SharedToken(
            fetch,
            store,
            self._clock,
            store_key=store_key,
            grant_type=grant_type,
            refresh_token=refresh_token,
            is_refused=self._was_refused,
            threads=self._threads,
        )
        self.recreate()
        _refreshers.add(self)

    def recreate(self) -> None:
        """Recreate the per-process state, in the child after a fork."""
        self._process = _PerProcess(self._threads)

    @property
    def refresh_token(self) -> str:
        """The newest refresh token, for `fetch`; empty if there is none."""
        return self._shared.refresh_token

    @property
    def is_early(self) -> bool:
        """Whether `fetch` is called for an early refresh: there is time for another one later."""
        return self._shared.is_early

    def get_token(self, timeout: float | None = None) -> AccessToken:
        """Return a valid token.

        timeout: how long this may take, in seconds; None for the default. A store that does not respond takes its own
            time in addition.

        Raises the `ApiException` of the refresh, in each caller that waited for it; ApiTimeoutError if the timeout is
        over; ReauthenticationRequired if only a new sign-in helps. In a thread that is already refreshing the token (a
        log or signal handler), it raises an ApiException at once unless a valid token is left.
        """
        # Reading both clocks would take as long as everything else, twice. The wall clock leaves this span when time
        # passes, and when it is set.
        token, start, end = self._cached
        if start <= self._clock.wall() < end and token is not self._refused:
            return token
        return self._get_token(self._process.last.number, timeout)

    def invalidate(self, token: str | None = None) -> None:
        """Stop returning this token, because the service refused it; the current token if None."""
        # Without the lock, which the thread of a signal handler may have acquired. Every reader compares the token that
        # it found with this attribute, so that no order of steps returns a token after its refusal.
        held = self._held
        if held is not None and token in (None, held.access.token):
            self._refused = held.access
        self._process.last.shared_until = 0.0

    @leaves_no_variables
    def _get_token(self, observed: int, timeout: float | None) -> AccessToken:
        allowed = self._default_timeout() if timeout is None else validate_seconds("timeout", timeout)
        thread, inside = self._threads.current(), self._process.inside
        if thread in inside:
            return self._token_without_waiting()
        try:
            inside.add(thread)
            deadline = self._threads.monotonic() + allowed
            while (token := self._refresh_or_join(observed, allowed, deadline)) is None:
                pass  # no attempt had an outcome for this caller yet
            return token
        finally:
            inside.discard(thread)

    def _token_without_waiting(self) -> AccessToken:
        held, _ = self._valid()
        if held is None:
            why = "get_token() was called again in the thread that is refreshing the token"
            raise ApiException(0, why, detail="No valid token is left, and a thread cannot wait for itself.")
        return held.access

    def _refresh_or_join(self, observed: int, allowed: float, deadline: float) -> AccessToken | None:
        """Return the token that is held or that an attempt results in; None if the caller has to look again."""
        own, runs_here = Attempt(self._threads.event()), True
        try:
            with self._process.lock:
                now = self._clock.wall()
                held, left = self._valid()
                is_due = held is None or left <= self._due(held)
                if held is not None and not is_due and not self._shared.is_save_due():
                    return self._publish(held, left, now)
                if held is None and self._is_shared(self._process.last, observed):
                    token = self._outcome(self._process.last, allowed, deadline)
                    if token is not None:
                        return token
                attempt = self._start_or_join(own, held, allowed, deadline)
                own.only_saves = not is_due
            if attempt is not own:
                return held.access if held is not None else self._wait_for(attempt, allowed, deadline)
            if held is not None and self._in_background and self._run_in_background(own):
                runs_here = False
                return held.access
            return self._run(own)
        finally:
            # Even if Ctrl-C interrupts this thread, at any point, the others do not wait for it.
            if runs_here:
                self._finish(own)

    def _valid(self) -> tuple[HeldToken | None, float]:
        """Return the token that is held and how long it remains valid; None and 0.0 if it does not."""
        held = self._held
        if held is None or held.access is self._refused:
            return None, 0.0
        left = held.left(self._clock)
        return (held, left) if left > 0 else (None, 0.0)

    def _due(self, held: HeldToken) -> float:
        """Return how long before its expiry this process refreshes the token, or tries to again, in seconds."""
        process = self._process
        if held is not process.due_of:
            process.due_of, process.failures = held, 0
            process.due = refresh_due(held.lifetime, process.jitter)
        return process.due

    def _publish(self, held: HeldToken, left: float, now: float) -> AccessToken:
        """Let `get_token` return the token at once for a moment. `now` was read before `left`."""
        span = min(left - self._process.due, _TRUST_WALL_CLOCK)
        self._cached = (held.access, now, now + span)
        return held.access

    def _start_or_join(self, own: Attempt, held: HeldToken | None, allowed: float, deadline: float) -> Attempt:
        process, now = self._process, self._threads.monotonic()
        in_flight = process.in_flight
        if in_flight is not None:
            if now <= in_flight.deadline + _ABANDONED_AFTER:
                return in_flight
            if not in_flight.is_overdue:
                # The whole process may have been stopped: give the thread time to finish.
                in_flight.is_overdue, in_flight.deadline = True, now
                return in_flight
        own.before, own.timeout = held, allowed
        own.deadline = deadline if held is None else min(deadline, now + _EARLY_TIMEOUT)
        process.started = own.number = process.started + 1
        process.in_flight = own
        return own

    def _is_shared(self, last: Attempt, observed: int) -> bool:
        """Return whether a call that began after attempt `observed` shares the outcome of the last one."""
        if last.number > observed:
            return True
        return self._threads.monotonic() < last.shared_until and self._threads.current() not in last.received_by

    def _wait_for(self, attempt: Attempt, allowed: float, deadline: float) -> AccessToken | None:
        if not attempt.done.wait(max(deadline - self._threads.monotonic(), 0.0)):
            raise ApiTimeoutError(0, f"another thread's refresh of the token did not finish in {allowed:g} seconds")
        return self._outcome(attempt, allowed, deadline)

    def _outcome(self, attempt: Attempt, allowed: float, deadline: float) -> AccessToken | None:
        """Return or raise the outcome of another thread's attempt; None if the caller has to look again."""
        if attempt.token is not None:
            return self._unless_refused(attempt.token)
        # A failure before the expiry is not final, and an interrupted attempt failed only for its own thread.
        if attempt.error is None or attempt.before is not None:
            return None
        has_more_time = allowed > attempt.timeout * _LONGER and deadline > self._threads.monotonic()
        if attempt.timed_out and has_more_time:
            return None
        attempt.received_by.add(self._threads.current())
        raise copy_of(attempt.error)

    def _was_refused(self, token: str) -> bool:
        refused = self._refused  # read once, because `invalidate` sets it without the lock
        return refused is not None and token == refused.token

    def _unless_refused(self, token: HeldToken) -> AccessToken | None:
        """Return the token; None if it was refused, or expired before this thread got it."""
        # The callers that waited for a short-lived token get it, even if it expired on the way.
        has_expired = token.lifetime > _SHORT_LIFETIME and token.left(self._clock) <= 0
        return None if has_expired or token.access is self._refused else token.access

    def _run(self, attempt: Attempt) -> AccessToken | None:
        """Refresh the token, and tell the callers that wait. Raises nothing if the old one was valid."""
        try:
            attempt.token = self._shared.obtain(attempt)
        except Exception as error:
            attempt.timed_out = self._threads.monotonic() >= attempt.deadline
            attempt.error = copy_of(error)
            if attempt.before is None:
                attempt.received_by.add(self._threads.current())
                attempt.shared_until = self._threads.monotonic() + _SHARE_FAILURE
                raise
        finally:
            self._finish(attempt)
        if attempt.error is not None:
            self._log_failure(attempt.error)
        if attempt.refresh is not None:
            self._tell(attempt.refresh)
        return None if attempt.token is None else self._unless_refused(attempt.token)

    def _finish(self, attempt: Attempt) -> None:
        """Publish the outcome of an attempt. Does nothing if it has not started, or has finished."""
        if attempt.number == 0 or attempt.done.is_set():
            return
        process = self._process
        with process.lock:
            if process.in_flight is attempt:
                process.in_flight = None
            # Otherwise another thread took over, and its outcome is newer.
            if attempt.number > process.last.number:
                process.last = attempt
                self._held = attempt.token or self._held
            if attempt.error is not None and attempt.before is not None and not attempt.only_saves:
                left, lifetime = attempt.before.left(self._clock), attempt.before.lifetime
                process.failures += 1
                process.due = max(left - backoff(process.failures, lifetime), 0.0)
        attempt.done.set()

    def _run_in_background(self, attempt: Attempt) -> bool:
        """Refresh in a thread. Returns False if the system has no thread left."""
        wait = attempt.done.wait

        def run() -> None:
            thread, inside = self._threads.current(), self._process.inside
            try:
                inside.add(thread)
                self._run(attempt)
            finally:
                inside.discard(thread)
                self._finish(attempt)
                atexit.unregister(wait)

        # Before it starts: it could finish at once, and stay registered.
        atexit.register(wait, _EXIT_TIMEOUT)
        try:
            self._threads.start(run)
        except RuntimeError:
            atexit.unregister(wait)
            return False
        return True

    def _log_failure(self, error: Exception) -> None:
        """Log that the refresh of a token that is still valid failed."""
        _, left = self._valid()
        is_first = self._process.failures == 1 and not isinstance(error, LockedElsewhere)
        level = logging.WARNING if is_first else logging.DEBUG
        why = " ".join(str(error).split())
        logger.log(
            level, "The %s token could not be refreshed and is valid for %.0f s: %s", self._grant_type, left, why
        )

    def _tell(self, refresh: Refresh) -> None:
        left = refresh.expires_at - self._clock.wall()
        logger.info(
            "The %s token was refreshed in %.2f s and is valid for %.0f s", refresh.grant, refresh.seconds, left
        )
        if self._on_refresh is not None:
            try:
                self._on_refresh(refresh)
            except Exception:
                logger.exception("on_refresh failed")

    def adopt(self, grant: Any, requested_at: float | None = None) -> None:
        """Start with the grant of a new sign-in, and store it.

        requested_at: when it was requested, as a Unix timestamp; now if None.
        """
        wall, boot = self._clock.wall(), self._clock.boot()
        age = 0.0 if requested_at is None else max(wall - requested_at, 0.0)
        self._held = token = held_token(grant, wall - age, boot - age)
        self._shared.adopt(token, grant.refresh_token or "", self._default_timeout())

    def remove(self, error: ReauthenticationRequired | None = None) -> None:
        """Delete the token, here and in the store.

        error: is raised instead of sending the refresh token again.

        Raises TokenStoreError if the store cannot be used.
        """
        self.invalidate()
        self._shared.remove(error)
