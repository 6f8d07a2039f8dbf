"""Token store in the memory of the process."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

from .base import TokenStore


class MemoryTokenStore(TokenStore):
    """Stores tokens in this process, for all credentials that share the store.

    A pickle of it contains no tokens.
    """

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, tuple[str, float]] = {}
        self._locks: dict[tuple[int, str], threading.Lock] = {}

    def __repr__(self) -> str:
        return f"MemoryTokenStore() of {len(self._values)} tokens"

    def __reduce__(self) -> tuple[Any, ...]:
        return MemoryTokenStore, ()

    def read(self, key: str) -> str | None:
        value, expires_at = self._values.get(key, (None, 0.0))
        return value if time.monotonic() < expires_at else None

    def write(self, key: str, value: str, ttl: float | None, fence: int) -> bool:
        self._values[key] = (value, time.monotonic() + (math.inf if ttl is None else ttl))
        return True

    def remove(self, key: str) -> None:
        self._values.pop(key, None)

    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[int]:
        # Each process has its own locks: if another thread has acquired a lock during a fork, it stays locked in the
        # child process.
        lock = self._locks.setdefault((os.getpid(), key), threading.Lock())
        if not lock.acquire(timeout=min(timeout, threading.TIMEOUT_MAX)):
            raise TimeoutError("Timed out waiting for the lock of the token")
        try:
            yield 0
        finally:
            lock.release()
