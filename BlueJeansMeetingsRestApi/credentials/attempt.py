"""Attempts to refresh a token, their outcomes, and the primitives that coordinate their threads."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from ..exceptions import ApiException
from .token import HeldToken


class Refresh(NamedTuple):
    """A successful refresh, as passed to `on_refresh`.

    grant: its grant type. seconds: how long it took. expires_at: when the token expires, as a Unix timestamp.
    """

    grant: str
    seconds: float
    expires_at: float


class Threads:
    """The primitives that a refresher uses to coordinate threads. A deterministic scheduler can replace them."""

    lock = staticmethod(threading.Lock)
    event = staticmethod(threading.Event)
    current = staticmethod(threading.get_ident)
    monotonic = staticmethod(time.monotonic)

    @staticmethod
    def start(target: Callable[[], object]) -> None:
        """Run `target` in a daemon thread. Raises RuntimeError if the system has no thread left."""
        threading.Thread(target=target, name="token refresh", daemon=True).start()


class Attempt:
    """A refresh and its outcome: a token, an error, or neither if it was interrupted."""

    def __init__(self, done: threading.Event) -> None:
        self.done = done
        self.number = 0  # 0 until it starts
        self.before: HeldToken | None = None  # the token that is still valid, if the refresh is early
        self.only_saves = self.is_overdue = False
        self.timeout = self.deadline = 0.0
        self.token: HeldToken | None = None
        self.error: Exception | None = None
        self.timed_out = False
        self.shared_until = 0.0
        self.received_by: set[int] = set()  # the threads that got the error
        self.refresh: Refresh | None = None


def copy_of(error: Exception) -> Exception:
    """Return a copy of the error for another thread: raising one error in two threads would mix their tracebacks."""
    copied = copy.copy(error)
    # The original of an unexpected error has the traceback that leads to the mistake.
    copied.__cause__ = error.__cause__ or (None if isinstance(error, ApiException) else error)
    return copied
