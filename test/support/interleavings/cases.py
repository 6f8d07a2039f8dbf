"""The cases: small ones for every run of the tests, and large ones for `tox -e interleavings`."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from BlueJeansMeetingsRestApi.token_stores import FileTokenStore, RedisTokenStore, TokenStore
from support.interleavings.world import Case

REFRESH: dict[str, Any] = {"grant": "refresh", "token": "expired"}
LONG = (100_000.0,)  # seconds, longer than any jump of the clock

SMALL = (
    Case("no token"),
    Case("no token, two calls each", calls=2),
    Case("no token, failure", outcomes=("failure",)),
    Case("no token, refusal", outcomes=("refusal",), grant="refresh"),
    Case("no token, timeout", outcomes=("timeout",)),
    Case("no token, timeout, one caller has more time", outcomes=("timeout",), timeouts=(30.0, 60.0)),
    Case("no token, Ctrl-C", outcomes=("interrupt",)),
    Case("due token", token="due"),
    Case("due token, failure", token="due", outcomes=("failure",)),
    Case("due token, timeout", token="due", outcomes=("timeout",)),
    Case("due token, refresh in the background", token="due", background=True),
    Case("due token that expires at any point", token="due", jumps=(150.0,), timeouts=LONG),
    Case("new token that expires at any point", jumps=(4000.0,), timeouts=LONG),
    Case("fresh token that is refused", token="fresh", invalidate=True),
    Case("3 threads, no token", (3,)),
    Case("3 threads, failure", (3,), outcomes=("failure",)),
    Case("3 threads, timeout", (3,), outcomes=("timeout",)),
    Case("3 threads, Ctrl-C", (3,), outcomes=("interrupt",)),
    Case("3 threads, due token", (3,), token="due"),
    Case("2 processes, no token", (1, 1), store="memory"),
    Case("2 processes, failure", (1, 1), store="memory", outcomes=("failure",)),
    Case("2 processes, due refresh token", (1, 1), store="memory", grant="refresh", token="due"),
    Case("2 processes, refresh token", (1, 1), store="memory", **REFRESH),
    Case("2 processes, refusal", (1, 1), store="memory", outcomes=("refusal",), **REFRESH),
    Case("2 processes, one crash", (1, 1), store="memory", crashes=1, **REFRESH),
    Case("2 processes, one failed write", (1, 1), store="memory", failed_writes=1, **REFRESH),
    Case("2 processes, one lost lease", (1, 1), store="lease", lost_leases=1, **REFRESH),
)

LARGE = (
    Case("2 threads, expired token that is refused", token="expired", invalidate=True),
    Case("2 threads, due token that is refused", token="due", invalidate=True),
    Case("3 threads, due token, failure", (3,), token="due", outcomes=("failure",)),
    *(
        Case(
            f"2 processes of 2 threads, {grant} grant, {token} token, {outcome}",
            (2, 2),
            1,
            token,
            (outcome,),
            grant,
            "memory",
        )
        for grant, token, outcome in itertools.product(
            ("client", "refresh"), ("expired", "due"), ("success", "refusal", "timeout")
        )
    ),
    Case("2 processes of 2 threads, one crash", (2, 2), store="memory", crashes=1, **REFRESH),
    Case("2 processes of 2 threads, one failed write", (2, 2), store="memory", failed_writes=1, **REFRESH),
    Case("2 processes of 2 threads, one lost lease", (2, 2), store="lease", lost_leases=1, **REFRESH),
    Case("2 processes, a crash and a failed write", (1, 1), store="memory", crashes=1, failed_writes=1, **REFRESH),
    Case(
        "2 processes, a lost lease and a failed write", (1, 1), store="lease", lost_leases=1, failed_writes=1, **REFRESH
    ),
    Case(
        "2 processes, two calls each, the token expires",
        (1, 1),
        2,
        store="memory",
        jumps=(4000.0,),
        timeouts=LONG,
        **REFRESH,
    ),
)

BOUNDED = (
    Case("3 threads, new token that expires at any point", (3,), jumps=(4000.0,), timeouts=LONG),
    Case("3 threads, fresh token that is refused", (3,), token="fresh", invalidate=True),
    Case("4 threads, no token", (4,)),
    Case("4 threads, failure", (4,), outcomes=("failure",)),
    Case("4 threads, due token that expires at any point", (4,), token="due", jumps=(150.0,), timeouts=LONG),
    Case("3 processes, refresh token", (1, 1, 1), store="memory", **REFRESH),
    Case("3 processes, one crash", (1, 1, 1), store="memory", crashes=1, **REFRESH),
    Case("3 processes, one lost lease", (1, 1, 1), store="lease", lost_leases=1, **REFRESH),
)

RANDOM = (
    Case("8 threads, two calls each, the token expires", (8,), 2, token="due", jumps=(4000.0,), timeouts=LONG),
    Case(
        "4 processes of 2 threads, crash and failed write",
        (2, 2, 2, 2),
        store="memory",
        crashes=1,
        failed_writes=1,
        **REFRESH,
    ),
    Case("4 processes of 2 threads, two lost leases", (2, 2, 2, 2), store="lease", lost_leases=2, **REFRESH),
)

REAL_STORES = (
    Case("2 processes, no token", (1, 1), store="real"),
    Case("2 processes of 2 threads, refresh token", (2, 2), store="real", **REFRESH),
    Case("2 processes, one crash", (1, 1), store="real", crashes=1, **REFRESH),
    Case("2 processes, one failed write", (1, 1), store="real", failed_writes=1, **REFRESH),
)


@contextlib.contextmanager
def file_stores() -> Iterator[Callable[[str], TokenStore | None]]:
    """Return a function that returns an empty `FileTokenStore`."""
    with tempfile.TemporaryDirectory() as folder:
        numbers = itertools.count()
        yield lambda _: FileTokenStore(Path(folder) / f"{next(numbers)}.json")


class ExpirableRedisStore(RedisTokenStore):
    """A Redis store whose holder can lose its lease at once, as if it had slept for longer than that."""

    def expire(self, key: str) -> None:
        self._redis.delete(f"bluejeans:{{{key}}}:lock")


@contextlib.contextmanager
def redis_stores(url: str) -> Iterator[Callable[[str], TokenStore | None]]:
    """Return a function that empties the Redis and returns its store."""
    store = ExpirableRedisStore(url, timeout=10.0, lease=10.0)

    def empty(_: str) -> TokenStore:
        store._redis.flushall()
        return store

    yield empty
    store._redis.connection_pool.disconnect()
