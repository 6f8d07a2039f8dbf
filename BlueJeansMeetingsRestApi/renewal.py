"""One renewal, however many ask: who gets a token at once, who renews it, and who waits for whom."""

from __future__ import annotations

import abc
import atexit
import contextlib
import copy
import logging
import os
import random
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .api.authentication_api import AuthenticationApi, RequestOptions
from .configuration import PACKAGE_LOGGER, seconds
from .exceptions import ApiConnectionError, ApiException, ApiTimeoutError, ReauthenticationRequired
from .redaction import leaves_no_variables
from .token_life import AccessToken, Clock, Token, pause_after, renewal_due, token_of
from .token_stores import StoredToken, TokenStore, TokenStoreError

logger = logging.getLogger(f"{PACKAGE_LOGGER}.credentials")

# Seconds that the wall clock alone is trusted for after a look at both.
_BETWEEN_LOOKS = 1.0

# Seconds that the clocks of two machines may differ by.
_SKEW = 60.0

# Seconds that a token which is still good may keep the one who renews it.
_EARLY_TAKES = 5.0

# Seconds after its end from which on a renewal is taken for one whose thread is gone.
_IS_LOST = 10.0

# Seconds that a program's end waits for a renewal in the background: the refresh token that it brings would be lost.
_AT_EXIT = 0.9

# Seconds that a store goes on to keep a sign-in which the service has refused.
_REFUSED_IS_KEPT = 30 * 24 * 3600.0

# Seconds that a failure is held back for, so that threads which ask at the same time share it, and do not ask again.
_ASKED_AT_ONCE = 0.05


class Renewal(NamedTuple):
    """What is told of a renewal. grant: its grant_type. seconds: how long it took. expires_at: seconds since 1970."""

    grant: str
    seconds: float
    expires_at: float


class _Attempt:
    """A renewal that is under way, and what came of it: a token, an error, or neither where it was interrupted.

    early: the token was still good. ends: when its leader's time is over, on the monotonic clock. ran_out: whether that
    was what ended it.
    """

    def __init__(self, early: bool, ends: float) -> None:
        self.early, self.ends = early, ends
        self.done = threading.Event()
        self.token: AccessToken | None = None
        self.error: Exception | None = None
        self.ran_out = False
        self.renewal: Renewal | None = None
        self.at_end: Callable[[], object] = lambda: None

    def left(self) -> float:
        """Seconds that it may take."""
        return max(self.ends - time.monotonic(), 0.0)


class _RenewedElsewhere(ApiTimeoutError):
    """Another process holds the lock of the store."""


class _Process:
    """What a process does not share with one that was forked from it, whose threads it does not have."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.under_way: _Attempt | None = None
        self.chance = random.random()
        self.held: Token | None = None
        self.failures = 0
        self.due = 0.0

    def due_of(self, held: Token) -> float:
        """Seconds before its end at which this process renews the token, or tries again to."""
        if held is not self.held:
            self.held, self.failures, self.due = held, 0, renewal_due(held.lifetime, self.chance)
        return self.due

    def note_failure(self, left: float) -> None:
        if self.held is not None:
            self.failures += 1
            self.due = max(left - pause_after(self.failures, self.held.lifetime), 0.0)


class RenewedToken(abc.ABC):
    """A token that is renewed when it is due. What grant it comes from is for `Credentials` to say."""

    grant_type = ""
    _refresh_token = ""

    def __init__(
        self,
        store: TokenStore | None,
        renew_in_background: bool,
        on_renewal: Callable[[Renewal], object] | None,
        clock: Clock,
    ) -> None:
        self._store = store
        self._renews_in_background = renew_in_background
        self._on_renewal = on_renewal
        self._clock = clock
        self._held: Token | None = None
        # What `get_token` returns at once, and from when to when on the wall clock.
        self._given = AccessToken("", 0.0)
        self._from = self._until = 0.0
        self._refused = ""
        self._is_kept = True  # whether the store has the refresh token that is held
        self._processes: dict[int, _Process] = {}

    def get_token(self, timeout: float | None = None) -> AccessToken:
        """A token that is good now.

        timeout: seconds that this may take; `Configuration.call_timeout` if None. A store that does not answer takes
        its own time beside that, as its class says.

        Raises the kinds of `ApiException` that getting a token does, to all that waited for it; ApiTimeoutError where
        the time is over; ReauthenticationRequired where only a new sign-in helps. A token that cannot be renewed in
        time is given as long as it is good, and the failure is logged.
        """
        # To read both clocks here would take as long as all the rest, twice. The wall clock leads out of this span when
        # it goes on, and when it is set.
        if self._from <= time.time() < self._until:
            return self._given
        return self._look(timeout)

    def invalidate(self, token: str | None = None) -> None:
        """Do not give this token again, because the service refused it; the one that is held now if None."""
        with self._process.lock:
            held = self._held
            if held is not None and token in (None, held.access.token):
                self._until = 0.0
                self._held, self._refused = None, held.access.token

    @property
    def _process(self) -> _Process:
        return self._processes.setdefault(os.getpid(), _Process())

    @leaves_no_variables
    def _look(self, timeout: float | None) -> AccessToken:
        """Look at both clocks and, where the token is due or expired, renew it or wait for who does."""
        allowed = self.api.api_client.configuration.call_timeout if timeout is None else seconds("timeout", timeout)
        ends = time.monotonic() + allowed
        process = self._process
        while True:
            with process.lock:
                held = self._held
                left = held.left(self._clock) if held is not None else 0.0
                if held is not None and left > process.due_of(held):
                    return self._give(held, min(left - process.due, _BETWEEN_LOOKS))
                now, attempt = time.monotonic(), process.under_way
                is_mine = attempt is None or now > attempt.ends + _IS_LOST
                if attempt is None or is_mine:
                    until = min(ends, now + _EARLY_TAKES) if left > 0 else ends
                    attempt = process.under_way = _Attempt(left > 0, until)
            may_be_in_background = is_mine and attempt.early and self._renews_in_background
            in_background = may_be_in_background and self._renew_in_background(process, attempt)
            if is_mine and not in_background:
                self._renew(process, attempt)
            if held is not None and left > 0 and (in_background or not is_mine):
                return held.access
            if not attempt.done.wait(max(ends - time.monotonic(), 0.0)):
                raise ApiTimeoutError(0, f"another thread's renewal of the token did not end in {allowed:g} seconds")
            if attempt.token is not None:
                return attempt.token
            too_short = attempt.ran_out and time.monotonic() < ends
            # An attempt that was early, interrupted, or shorter than this thread's time says nothing final.
            if not (attempt.early or attempt.error is None or too_short):
                raise attempt.error if is_mine else copy_of(attempt.error)

    def _renew_in_background(self, process: _Process, attempt: _Attempt) -> bool:
        """Renew in a thread; False if the system gives none."""
        wait = attempt.done.wait
        attempt.at_end = lambda: atexit.unregister(wait)
        # Before it starts: it might end at once, and stay registered.
        atexit.register(wait, _AT_EXIT)
        try:
            threading.Thread(
                target=self._renew, args=(process, attempt), name="renewal of a token", daemon=True
            ).start()
        except RuntimeError:
            return False
        return True

    def _give(self, held: Token, span: float) -> AccessToken:
        """Let `get_token` return the token at once for so many seconds."""
        if type(self._clock) is Clock:  # another one is asked each time
            # In this order: what another thread reads in between is a token that is good.
            self._given = held.access
            self._from = time.time()
            self._until = self._from + span
        return held.access

    def _renew(self, process: _Process, attempt: _Attempt) -> None:
        """Get another token, hold it, and tell who waits."""
        try:
            before = self._held
            held = self._obtained(before, attempt)
            with process.lock:
                self._held = held
            attempt.token = held.access
        except Exception as error:
            attempt.error, attempt.ran_out = error, time.monotonic() >= attempt.ends
            if attempt.early and before is not None:
                self._forgive(process, before, error)
            else:
                time.sleep(_ASKED_AT_ONCE)  # who asks alone waits for nobody, but a failure has time
        finally:
            with process.lock:
                if process.under_way is attempt:
                    process.under_way = None
            attempt.done.set()
            attempt.at_end()
        # When others no longer wait: what it calls may ask for the token.
        if attempt.renewal is not None:
            self._tell(attempt.renewal)

    def _forgive(self, process: _Process, held: Token, error: Exception) -> None:
        """Go on with a token that could not be renewed before its end."""
        left = held.left(self._clock)
        with process.lock:
            process.note_failure(left)
            first = process.failures == 1 and not isinstance(error, _RenewedElsewhere)
        level = logging.WARNING if first else logging.DEBUG
        why = " ".join(str(error).split())
        logger.log(level, "The %s token could not be renewed and is good for %.0f s: %s", self.grant_type, left, why)

    def _obtained(self, before: Token | None, attempt: _Attempt) -> Token:
        """Another token: from the store, where somebody has put one, or from the service."""
        if self._store is None:
            return self._request(self._refresh_token, attempt)
        store, key = self._store, self._key
        with contextlib.ExitStack() as leaving:
            fence, trouble = 0, None
            try:
                if (held := self._usable(self._loaded(store, key), before, attempt.early)) is not None:
                    return held
                fence = leaving.enter_context(store.lock(key, 0.0 if attempt.early else attempt.left()))
                # Who held the lock may have put one there.
                if (held := self._usable(self._loaded(store, key), before, attempt.early)) is not None:
                    return held
            except TimeoutError:
                kind = _RenewedElsewhere if attempt.early else ApiTimeoutError
                raise kind(0, "another process's renewal of the token did not end in time") from None
            except TokenStoreError as error:
                trouble = error
                logger.warning("The token is renewed without its store: %s", error)
            if trouble is not None and self.grant_type == "refresh_token" and not self._refresh_token:
                raise ApiConnectionError(0, f"the sign-in is in a store that cannot be used now: {trouble}")
            held = self._requested_or_found(store, key, before, attempt, fence)
            try:
                if not self._keep(store, key, held, fence):
                    # This process slept while it held the lock, and another one has renewed.
                    return self._usable(self._loaded(store, key), before, attempt.early) or held
            except TokenStoreError as error:
                logger.warning("The token is not kept: %s", error)
            return held

    def _requested_or_found(
        self, store: TokenStore, key: str, before: Token | None, attempt: _Attempt, fence: int
    ) -> Token:
        """A token of the service; where the refresh token is spent, that of whoever has spent it."""
        sent = self._refresh_token
        try:
            return self._request(sent, attempt)
        except ReauthenticationRequired:
            self._is_kept = True
            found = None
            with contextlib.suppress(TokenStoreError):
                found = self._loaded(store, key)
                if found is not None and found.refresh_token == sent:
                    # Kept for a while, should the service have been wrong; but not for ever.
                    store.save(key, found, _REFUSED_IS_KEPT, fence)
            if found is None or found.refresh_token in ("", sent):
                raise
        return self._usable(found, before, attempt.early) or self._request(found.refresh_token, attempt)

    def _loaded(self, store: TokenStore, key: str) -> StoredToken | None:
        """What the store has. Its refresh token is the newest one, unless ours could not be kept."""
        found = store.load(key)
        if found is not None and found.refresh_token and self._is_kept:
            self._refresh_token = found.refresh_token
        return found

    def _keep(self, store: TokenStore, key: str, held: Token, fence: int) -> bool:
        """Put a token into the store, with what the next one is got with."""
        token, boot_id = held.access, self._clock.boot_id
        to_store = StoredToken(
            token.token, held.lifetime, token.expires_at, held.boot_expires_at, boot_id, self._refresh_token
        )
        self._is_kept = False
        # An entry that can be refreshed outlives its access token.
        kept = store.save(key, to_store, None if self._refresh_token else held.left(self._clock), fence)
        self._is_kept = True
        return kept

    def _usable(self, found: StoredToken | None, before: Token | None, early: bool) -> Token | None:
        """What the store has, if it is better than what is held."""
        if found is None or found.access_token == self._refused:
            return None
        boot = self._clock.boot()
        boot_expires_at = found.boot_expires_at
        if not found.boot_id or found.boot_id != self._clock.boot_id:
            left = found.expires_at - self._clock.wall()
            # Longer than it has at all, but for machines whose clocks differ: somebody has set this one back.
            boot_expires_at = boot + (min(left, found.lifetime) if left < found.lifetime + _SKEW else 0.0)
        held = Token(AccessToken(found.access_token, found.expires_at), found.lifetime, boot_expires_at)
        at_least = before.left(self._clock) if early and before is not None else 0.0
        return held if held.left(self._clock) > at_least else None

    def _request(self, refresh_token: str, attempt: _Attempt) -> Token:
        """A token of the service. What is left of its life counts from before it was asked for."""
        options: RequestOptions = {}
        left = attempt.left()
        # A number bounds silence too, which `Configuration.read_timeout` may bound closer.
        if abs(left - self.api.api_client.configuration.call_timeout) > 0.1:
            options["_request_timeout"] = max(left, 0.001)
        if attempt.early:
            options["_max_attempts"] = 1  # there is time for another renewal
        wall, boot = self._clock.wall(), self._clock.boot()
        grant = self._granted(refresh_token, options)
        self._refresh_token = self._next_refresh_token(grant, refresh_token)
        held = token_of(grant, wall, boot)
        attempt.renewal = Renewal(self.grant_type, self._clock.boot() - boot, held.access.expires_at)
        return held

    def _tell(self, renewal: Renewal) -> None:
        left = renewal.expires_at - self._clock.wall()
        logger.info("The %s token was renewed in %.2f s and is good for %.0f s", renewal.grant, renewal.seconds, left)
        if self._on_renewal is not None:
            try:
                self._on_renewal(renewal)
            except Exception:
                logger.exception("on_renewal failed")

    @property
    @abc.abstractmethod
    def api(self) -> AuthenticationApi:
        """The operations that tokens are got with."""

    @property
    @abc.abstractmethod
    def _key(self) -> str:
        """The token's key in a store."""

    @abc.abstractmethod
    def _granted(self, refresh_token: str, options: RequestOptions) -> Any:
        """The grant of the service."""

    def _next_refresh_token(self, grant: Any, refresh_token: str) -> str:
        """What the token after this one is got with."""
        return ""


def copy_of(error: Exception) -> Exception:
    """The error for another thread: raised in two at once, one would write into the other's traceback."""
    copied = copy.copy(error)
    copied.__cause__ = error.__cause__ if isinstance(error, ApiException) else error
    return copied
