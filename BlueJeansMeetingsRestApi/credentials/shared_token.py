"""The token in its store, and its refresh token: how processes share one sign-in.

The service may accept a refresh token only once. Processes therefore refresh one after the other, under the lock of the
store, and each stores the successor before it returns the access token. A successor that could not be stored is held,
counts as newer than the stored one, and is stored later.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any

from ..configuration import PACKAGE_LOGGER
from ..exceptions import ApiConnectionError, ApiTimeoutError, ReauthenticationRequired
from ..token_stores import StoredToken, TokenStore, TokenStoreError
from .attempt import Attempt, Refresh, Threads, copy_of
from .token import AccessToken, Clock, HeldToken, held_token

logger = logging.getLogger(f"{PACKAGE_LOGGER}.credentials")

# How much the clocks of two machines may differ, in seconds.
_CLOCK_SKEW = 60.0

# How long a refused sign-in remains in a store, in seconds.
_KEEP_REFUSED = 30 * 24 * 3600.0

# The pause between two attempts to store a refresh token, in seconds.
_SAVE_AGAIN_AFTER = 10.0


class LockedElsewhere(ApiTimeoutError):
    """Another process holds the lock of the store."""


class SharedToken:
    """A token that processes share through a store. It is not thread-safe: `TokenRefresher` coordinates the threads.

    fetch, store, clock, store_key, grant_type, refresh_token, threads: as for `TokenRefresher`.
    is_refused: returns whether the service refused this access token.
    """

    def __init__(
        self,
        fetch: Callable[[float], Any],
        store: TokenStore | None,
        clock: Clock,
        *,
        store_key: Callable[[], str],
        grant_type: str,
        refresh_token: str | None,
        is_refused: Callable[[str], bool],
        threads: Threads,
    ) -> None:
        self._fetch, self._store, self._store_key = fetch, store, store_key
        self._clock, self._grant_type, self._threads = clock, grant_type, threads
        self._is_refused = is_refused
        self._refresh_token = refresh_token
        self._refused_refresh: tuple[str, ReauthenticationRequired] | None = None
        # Whether the store lacks the refresh token that is held, and which one it has instead; None for any.
        self._is_unsaved = False
        self._predecessor: str | None = None
        self._save_at = 0.0
        self._early = False

    @property
    def refresh_token(self) -> str:
        """The newest refresh token; empty if there is none."""
        return self._refresh_token or ""

    @property
    def is_early(self) -> bool:
        """Whether `fetch` is called for an early refresh."""
        return self._early

    def is_save_due(self) -> bool:
        """Return whether it is time to store a refresh token that could not be stored."""
        return self._is_unsaved and self._threads.monotonic() >= self._save_at

    def obtain(self, attempt: Attempt) -> HeldToken:
        """Return another token: from the store, if another process put one there, or from the service."""
        if self._store is None:
            return self._request(attempt)
        store, key = self._store, self._store_key()
        with contextlib.ExitStack() as stack:
            fence = 0
            try:
                if (found := self._usable(self._load(store, key), attempt)) is not None:
                    return found
                fence = stack.enter_context(store.lock(key, 0.0 if attempt.before else self._left(attempt)))
                # The previous holder of the lock may have put one there.
                if (found := self._usable(self._load(store, key), attempt)) is not None:
                    return found
                if attempt.before is not None and self._is_unsaved:
                    self._save_pending(store, key, attempt.before, fence)
                if attempt.before is not None and attempt.only_saves:
                    return attempt.before
            except TimeoutError:
                kind = LockedElsewhere if attempt.before else ApiTimeoutError
                raise kind(0, "another process's refresh of the token did not finish in time") from None
            except TokenStoreError as error:
                self._continue_without_store(attempt, error)
            token = self._request_or_find(store, key, attempt, fence)
            token = self._save_or_find(store, key, token, attempt, fence)
        if self.is_save_due():
            self._save_again(store, key, token, attempt)
        return token

    def _left(self, attempt: Attempt) -> float:
        return max(attempt.deadline - self._threads.monotonic(), 0.0)

    def _load(self, store: TokenStore, key: str) -> StoredToken | None:
        """Return the stored token. Its refresh token is the newest one, unless ours could not be stored."""
        found = store.load(key)
        if found is not None and found.refresh_token and self._refresh_token is not None and not self._is_unsaved:
            self._refresh_token = found.refresh_token
        return found

    def _usable(self, found: StoredToken | None, attempt: Attempt) -> HeldToken | None:
        """Return the stored token if it is valid, for longer than the one that is held."""
        if found is None or self._is_refused(found.access_token):
            return None
        boot = self._clock.boot()
        boot_expires_at = found.boot_expires_at
        if not found.boot_id or found.boot_id != self._clock.boot_id:
            left = found.expires_at - self._clock.wall()
            # More than its lifetime, but for clocks that differ: the wall clock was set back.
            boot_expires_at = boot + (min(left, found.lifetime) if left < found.lifetime + _CLOCK_SKEW else 0.0)
        held = HeldToken(AccessToken(found.access_token, found.expires_at), found.lifetime, boot_expires_at)
        at_least = attempt.before.left(self._clock) if attempt.before is not None else 0.0
        return held if held.left(self._clock) > at_least else None

    def _continue_without_store(self, attempt: Attempt, error: TokenStoreError) -> None:
        """Log that the store cannot be used. Raises an ApiConnectionError if the refresh has to wait for it."""
        if self._refresh_token is not None and attempt.before is not None:
            # The successor of the refresh token could not be stored, and there is time left.
            raise ApiConnectionError(0, f"the refresh waits for the store: {error}") from None
        if self._refresh_token == "":
            raise ApiConnectionError(0, f"the sign-in is in a store that cannot be used now: {error}")
        logger.warning("The token is refreshed without its store: %s", error)

    def _request(self, attempt: Attempt) -> HeldToken:
        """Return a token from the service. Its lifetime counts from before the request."""
        sent = self._refresh_token
        if self._refused_refresh is not None and self._refused_refresh[0] == sent:
            raise copy_of(self._refused_refresh[1])
        wall, boot = self._clock.wall(), self._clock.boot()
        self._early = attempt.before is not None
        try:
            grant = self._fetch(max(self._left(attempt), 0.001))
        except ReauthenticationRequired as error:
            if sent:
                self._refused_refresh = (sent, error.with_traceback(None))
            raise
        if sent is not None:
            self._succeed(sent, grant.refresh_token or sent)
        token = held_token(grant, wall, boot)
        attempt.refresh = Refresh(self._grant_type, self._clock.boot() - boot, token.access.expires_at)
        return token

    def _succeed(self, sent: str, successor: str) -> None:
        """Hold the successor of a refresh token that was used. From now on the store must not replace it."""
        if self._store is not None:
            if not self._is_unsaved:
                self._predecessor = sent
            self._is_unsaved, self._save_at = True, 0.0
        self._refresh_token = successor

    def _request_or_find(self, store: TokenStore, key: str, attempt: Attempt, fence: int) -> HeldToken:
        """Return a token from the service; if the refresh token was used before, that of the process that used it."""
        sent = self.refresh_token
        try:
            return self._request(attempt)
        except ReauthenticationRequired:
            self._is_unsaved = False
            found = None
            with contextlib.suppress(TokenStoreError):
                found = self._load(store, key)
                if found is not None and found.refresh_token == sent:
                    # Store it for a while, in case the service was wrong, but not indefinitely.
                    store.save(key, found, _KEEP_REFUSED, fence)
            if found is None or found.refresh_token in ("", sent):
                raise
        return self._usable(found, attempt) or self._request(attempt)

    def _save_or_find(self, store: TokenStore, key: str, token: HeldToken, attempt: Attempt, fence: int) -> HeldToken:
        """Store the token. If this process lost its lease meanwhile, return the token of the process that has it."""
        try:
            if self._save(store, key, token, fence):
                return token
            found = store.load(key)
        except TokenStoreError as error:
            self._save_at = self._threads.monotonic() + _SAVE_AGAIN_AFTER
            logger.warning("The token is not stored: %s", error)
            return token
        if self._refresh_token is not None:
            if found is None or found.refresh_token in ("", self._predecessor):
                return token  # ours is the successor, and is stored once the lock is free
            self._refresh_token, self._is_unsaved = found.refresh_token, False
        return self._usable(found, attempt) or token

    def _save(self, store: TokenStore, key: str, token: HeldToken, fence: int) -> bool:
        """Store a token, with the refresh token. Returns False if another process holds the lock."""
        access, boot_id = token.access, self._clock.boot_id
        stored = StoredToken(
            access.token, token.lifetime, access.expires_at, token.boot_expires_at, boot_id, self.refresh_token
        )
        # An entry with a refresh token is stored longer than its access token lasts.
        is_saved = store.save(key, stored, None if self._refresh_token else token.left(self._clock), fence)
        self._is_unsaved = self._is_unsaved and not is_saved
        return is_saved

    def _save_pending(self, store: TokenStore, key: str, token: HeldToken, fence: int) -> None:
        """Store a refresh token that could not be stored before. Raises TokenStoreError if it still cannot be."""
        self._save_at = self._threads.monotonic() + _SAVE_AGAIN_AFTER
        found = store.load(key)
        # Do not overwrite a new sign-in. None: this is one.
        if found is None or self._predecessor is None or found.refresh_token in ("", self._predecessor):
            self._save(store, key, token, fence)

    def _save_again(self, store: TokenStore, key: str, token: HeldToken, attempt: Attempt) -> None:
        """Store the refresh token under a new lock, because this process has lost its lease."""
        try:
            with store.lock(key, self._left(attempt)) as fence:
                self._save_pending(store, key, token, fence)
        except (TokenStoreError, TimeoutError) as error:
            self._save_at = self._threads.monotonic() + _SAVE_AGAIN_AFTER
            logger.warning("The token is not stored: %s", error)

    def adopt(self, token: HeldToken, refresh_token: str, timeout: float) -> None:
        """Use the refresh token of a new sign-in, and store it with its access token.

        timeout: how long to wait for the lock of the store, in seconds.
        """
        self._refresh_token = refresh_token
        if self._store is None:
            return
        self._is_unsaved, self._predecessor, self._save_at = True, None, 0.0
        try:
            key = self._store_key()
            with self._store.lock(key, timeout) as fence:
                self._save(self._store, key, token, fence)
        except (TokenStoreError, TimeoutError) as error:
            # The code is used: the sign-in is valid in this process, and is stored later.
            self._save_at = self._threads.monotonic() + _SAVE_AGAIN_AFTER
            logger.warning("The sign-in is not stored: %s", error)

    def remove(self, error: ReauthenticationRequired | None) -> None:
        """Delete the token in the store. Raises TokenStoreError if the store cannot be used.

        error: is raised instead of sending the refresh token again.
        """
        if error is not None:
            self._refused_refresh = (self.refresh_token, error)
        if self._store is not None:
            self._store.remove(self._store_key())
