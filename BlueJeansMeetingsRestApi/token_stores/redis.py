"""Token store and its lock in Redis or Valkey, shared by the processes of several machines."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..environment import missing
from .base import EncryptionKey, TokenStore, TokenStoreError, unpickle_store

if TYPE_CHECKING:
    import redis

_POLL_INTERVAL = 0.02  # seconds between two attempts to acquire a lock or to extend a lease


class RedisTokenStore(TokenStore):
    """Stores tokens in Redis or Valkey, for the processes of several machines.

    url: URL such as rediss://user:password@host:6379/0, or a client of redis-py. The store copies the settings of the
        client and makes its own connections, which `close` closes; the client stays open. The host name of a
        rediss:// URL is verified, unless the URL has `ssl_check_hostname=false`.
    encryption_key: see `TokenStore`.
    timeout: seconds to wait for a connection and for each response.
    lease: seconds after which the lock of a crashed holder is released. A live holder extends its lease. A holder that
        was suspended for longer than its lease cannot overwrite the value of a later holder.

    Raises ImportError if the extra `redis` is not installed, and ValueError for an invalid URL.
    """

    # Store the value unless a value with a later fencing token is stored.
    _WRITE = """
        if tonumber(redis.call('HGET', KEYS[1], 'fence') or '-1') > tonumber(ARGV[1]) then return 0 end
        redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'text', ARGV[2])
        if ARGV[3] == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
        return 1
    """
    # The fencing token increases even if the counter has expired and the entry still exists.
    _FENCE = """
        local last = tonumber(redis.call('HGET', KEYS[2], 'fence') or '0')
        local fence = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), last) + 1
        redis.call('SET', KEYS[1], fence, 'EX', ARGV[1])
        return fence
    """
    _FENCE_TTL = 86400  # seconds; longer than any holder is suspended

    def __init__(
        self,
        url: str | redis.Redis,
        *,
        encryption_key: EncryptionKey | None = None,
        timeout: float = 0.5,
        lease: float = 1.5,
    ) -> None:
        super().__init__(encryption_key=encryption_key)
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError as error:
            raise missing("RedisTokenStore", "redis", "redis") from error
        try:
            pool = redis.ConnectionPool.from_url(url) if isinstance(url, str) else url.connection_pool
            if isinstance(url, str):
                _verify_host_name(pool)
            # Check the options of the URL; this does not connect yet.
            pool.connection_class(**pool.connection_kwargs)
        except (ValueError, TypeError):
            # Omit the original message because it may contain a part of the password.
            raise ValueError(
                "Invalid Redis URL; expected for example rediss://user:password@host:6379/0, "
                "with / # ? and @ in a password percent-encoded"
            ) from None
        except AttributeError:
            raise TypeError(
                f"RedisTokenStore requires a URL or a client of redis-py for a single server, not {type(url).__name__}"
            ) from None
        # The store has its own client because, by default, redis-py waits indefinitely or retries for a long time.
        bounded = {"socket_timeout": timeout, "socket_connect_timeout": timeout, "retry": Retry(NoBackoff(), 0)}
        settings: dict[str, Any] = {**pool.connection_kwargs, **bounded, "retry_on_timeout": False}
        settings.update(decode_responses=True, encoding_errors="replace")
        self._redis = redis.Redis(
            connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **settings)
        )
        self._url, self._timeout, self._lease = url, timeout, lease
        self._write_script = self._redis.register_script(self._WRITE)
        self._fence_script = self._redis.register_script(self._FENCE)
        self._location = "{host}:{port}/{db}".format_map({"host": "", "port": "", "db": 0, **pool.connection_kwargs})
        self._location = pool.connection_kwargs.get("path") or self._location

    def __repr__(self) -> str:
        return f"RedisTokenStore at {self._location}"

    def __reduce__(self) -> tuple[Any, ...]:
        if not isinstance(self._url, str):
            raise TypeError("A RedisTokenStore that was created with a client cannot be pickled; create it with a URL")
        options = {"timeout": self._timeout, "lease": self._lease}
        return unpickle_store, (RedisTokenStore, self._url, self._keys, options)

    def close(self) -> None:
        """Close the idle connections of the store.

        A call in flight in another thread finishes on its connection. A client that was passed as `url` stays open.
        """
        # Closing a connection in use could interrupt a write, and thus lose a new refresh token.
        self._redis.connection_pool.disconnect(inuse_connections=False)

    def read(self, key: str) -> str | None:
        with self._wrapped_errors():
            value: Any = self._redis.hget(_redis_key(key), "text")
            return None if value is None else str(value)

    def write(self, key: str, value: str, ttl: float | None, fence: int) -> bool:
        milliseconds = "" if ttl is None else max(1, round(ttl * 1000))
        with self._wrapped_errors():
            return bool(self._write_script(keys=[_redis_key(key)], args=[fence, value, milliseconds]))

    def remove(self, key: str) -> None:
        with self._wrapped_errors():
            self._redis.delete(_redis_key(key))

    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[int]:
        lock_key, fence_key = _redis_key(key, "lock"), _redis_key(key, "fence")
        lock = self._redis.lock(lock_key, timeout=self._lease, sleep=_POLL_INTERVAL, thread_local=False)
        with self._wrapped_errors():
            if not lock.acquire(blocking=timeout > 0, blocking_timeout=timeout or None):
                raise TimeoutError(f"Timed out waiting for the lock of the token in {self!r}")
            fence = int(self._fence_script(keys=[fence_key, _redis_key(key)], args=[self._FENCE_TTL]))
        released = threading.Event()
        thread = threading.Thread(target=self._extend_lease, args=(lock, released), name="token lease", daemon=True)
        thread.start()
        try:
            yield fence
        finally:
            released.set()
            thread.join()
            with contextlib.suppress(TokenStoreError), self._wrapped_errors():
                lock.release()

    def _extend_lease(self, lock: Any, released: threading.Event) -> None:
        """Extend the lease until the lock is released or lost."""
        from redis.exceptions import LockError

        pause = self._lease / 3
        while not released.wait(pause):
            try:
                with self._wrapped_errors():
                    lock.reacquire()
                pause = self._lease / 3
            except TokenStoreError as error:
                if isinstance(error.__context__, LockError):
                    return
                pause = _POLL_INTERVAL  # retry while the lease is still valid

    @contextlib.contextmanager
    def _wrapped_errors(self) -> Iterator[None]:
        """Raise errors of redis-py and of the socket as TokenStoreError."""
        import redis

        try:
            yield
        except (redis.RedisError, OSError) as error:
            if isinstance(error, TimeoutError) and not isinstance(error, redis.RedisError):
                raise  # the timeout of the lock
            # Omit the original message because it may contain the password of a URL or the arguments of a command.
            raise TokenStoreError(f"{self!r} cannot be used: {type(error).__name__}") from None


def _verify_host_name(pool: Any) -> None:
    """Verify the host name of a `rediss://` URL by default, which redis-py 5 does not do."""
    import redis

    if issubclass(pool.connection_class, redis.SSLConnection):
        # The module `ssl` cannot verify the host name without the certificate.
        verifies = pool.connection_kwargs.get("ssl_cert_reqs") != "none"
        pool.connection_kwargs.setdefault("ssl_check_hostname", verifies)


def _redis_key(key: str, suffix: str = "") -> str:
    # The braces are a hash tag: they keep all keys of a token in one hash slot, which the scripts require.
    return f"bluejeans:{{{key}}}{':' if suffix else ''}{suffix}"
