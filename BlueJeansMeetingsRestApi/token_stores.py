"""Where credentials keep their tokens: in memory, in a file for the processes of one machine, in Redis for machines.

A store holds a text for each key, and has a lock for each key, so that of all who find a token expired one renews it.
To keep tokens elsewhere, derive from `TokenStore`, and run `token_store_conformance.TokenStoreConformance` on it.
"""

from __future__ import annotations

import abc
import contextlib
import importlib.util
import json
import logging
import math
import os
import stat
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Union

from .configuration import PACKAGE_LOGGER
from .environment import missing
from .redaction import MASK, leaves_no_variables

if TYPE_CHECKING:
    import redis

EncryptionKey = Union[str, bytes, Sequence[Union[str, bytes]]]

logger = logging.getLogger(f"{PACKAGE_LOGGER}.token_stores")


class TokenStoreError(Exception):
    """The store cannot be used now. Credentials go on without it; its text shows no secret."""


@dataclass(frozen=True)
class StoredToken:
    """What a grant gave, and until when it is good.

    lifetime: seconds, from when the token was asked for. expires_at: on the wall clock, seconds since 1970.
    boot_expires_at: the same on the clock of the boot that `boot_id` names, which nobody sets; "" where there is none.
    refresh_token: what the next token is got with; "" if that takes none.
    """

    access_token: str
    lifetime: float
    expires_at: float
    boot_expires_at: float
    boot_id: str = ""
    refresh_token: str = ""

    def __repr__(self) -> str:
        return f"StoredToken(access_token={MASK!r}, lifetime={self.lifetime}, expires_at={self.expires_at})"


class TokenStore(abc.ABC):
    """Keeps a text for each key.

    Users call `load`, `save` and the lock; whoever writes a store writes the four abstract methods. Every method may be
    called by many threads at once, and raises TokenStoreError if the store cannot be used now.

    encryption_key: a key of `cryptography.fernet.Fernet`, or several: the first encrypts, all decrypt.
    Raises ImportError where the extra `encryption` is not installed, and ValueError for a key that is none.
    """

    def __init__(self, *, encryption_key: EncryptionKey | None = None) -> None:
        self._keys = encryption_key
        self._fernet = None if encryption_key is None else _fernet(encryption_key)

    @abc.abstractmethod
    def read(self, key: str) -> str | None:
        """The text under the key; None if there is none."""

    @abc.abstractmethod
    def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
        """Keep the text, whole or not at all, and forget it after so many seconds; None keeps it.

        fence: what `lock` gave. False, and nothing is kept, if somebody with a later fence has written before.
        """

    @abc.abstractmethod
    def remove(self, key: str) -> None:
        """Forget what is under the key."""

    @abc.abstractmethod
    def lock(self, key: str, seconds: float) -> contextlib.AbstractContextManager[int]:
        """Hold the key's lock; TimeoutError if others hold it for so many seconds. It ends with its holder's process.

        Gives a number for `write` that grows from holder to holder, where a holder can lose the lock unawares; 0 in
        stores where it cannot. Leaving it raises nothing.
        """

    @leaves_no_variables
    def load(self, key: str) -> StoredToken | None:
        """The token under the key; None if there is none, or what is there cannot be read as one."""
        text = self.read(key)
        if text is not None and self._fernet is not None:
            text = self._decrypted(text)
        try:
            content = json.loads(text or "")
            if content.pop("key") != key:
                return None
            token = StoredToken(**content)
            return token if _is_sound(token) else None
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            return None

    @leaves_no_variables
    def save(self, key: str, token: StoredToken, seconds: float | None, fence: int) -> bool:
        """Keep a token as `write` does."""
        text = json.dumps({"key": key, **asdict(token)})
        if self._fernet is not None:
            text = self._fernet.encrypt(text.encode()).decode("ascii")
        return self.write(key, text, seconds, fence)

    def _decrypted(self, text: str) -> str:
        from cryptography.fernet import InvalidToken

        try:
            return str(self._fernet.decrypt(text.encode()).decode())  # type: ignore[union-attr]
        except (InvalidToken, ValueError):
            logger.warning("%r holds a token that its encryption_key does not open; it counts as none", self)
            return ""


def _fernet(keys: EncryptionKey) -> Any:
    try:
        from cryptography.fernet import Fernet, MultiFernet
    except ImportError as error:
        raise missing("encryption_key", "cryptography", "encryption") from error
    try:
        return MultiFernet([Fernet(key) for key in ([keys] if isinstance(keys, (str, bytes)) else keys)])
    except ValueError:
        # Not with Python's own words, which may hold part of the key.
        raise ValueError("encryption_key is no key that cryptography.fernet.Fernet.generate_key() made") from None


def _is_sound(token: StoredToken) -> bool:
    numbers = (token.lifetime, token.expires_at, token.boot_expires_at)
    texts = (token.access_token, token.boot_id, token.refresh_token)
    return (
        all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers)
        and all(isinstance(text, str) for text in texts)
        and bool(token.access_token or token.refresh_token)
    )


class MemoryTokenStore(TokenStore):
    """Keeps tokens in this process, for all credentials that are given the same store. A pickle of it is empty."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: dict[str, tuple[str, float]] = {}
        self._locks: dict[tuple[int, str], threading.Lock] = {}

    def __repr__(self) -> str:
        return f"MemoryTokenStore() of {len(self._texts)} tokens"

    def __reduce__(self) -> tuple[Any, ...]:
        return MemoryTokenStore, ()

    def read(self, key: str) -> str | None:
        text, until = self._texts.get(key, (None, 0.0))
        return text if time.monotonic() < until else None

    def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
        self._texts[key] = (text, time.monotonic() + (math.inf if seconds is None else seconds))
        return True

    def remove(self, key: str) -> None:
        self._texts.pop(key, None)

    @contextlib.contextmanager
    def lock(self, key: str, seconds: float) -> Iterator[int]:
        # By process, because a lock that another thread held stays locked in a forked child.
        lock = self._locks.setdefault((os.getpid(), key), threading.Lock())
        if not lock.acquire(timeout=min(seconds, threading.TIMEOUT_MAX)):
            raise TimeoutError("the token's lock was not free in time")
        try:
            yield 0
        finally:
            lock.release()


class _NotTrusted(Exception):
    """Why a file counts as none."""


class FileTokenStore(TokenStore):
    """Keeps tokens in a file that only its owner can read, for the processes of one machine.

    Another process that is writing the file is waited for, for up to 2 seconds.

    path: the file. Its folder is made (mode 0700) where it is missing, and holds the files of the locks as well.

    What cannot be trusted (another user's file, one that others may write to, a link) or read (no JSON, another
    program's) counts as no file, with a warning, and the next token replaces it. Raises ImportError where the extra
    `file` is not installed.
    """

    def __init__(self, path: str | os.PathLike[str], *, encryption_key: EncryptionKey | None = None) -> None:
        super().__init__(encryption_key=encryption_key)
        # Here, so that its absence shows before the first token. It is imported for a renewal, and not to read a token.
        if importlib.util.find_spec("filelock") is None:
            raise missing("FileTokenStore", "filelock", "file")
        self.path = os.path.abspath(os.path.expanduser(path))

    def __repr__(self) -> str:
        return f"FileTokenStore({self.path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (FileTokenStore, self.path, self._keys, {})

    def read(self, key: str) -> str | None:
        entry = self._entries().get(key)
        return entry[0] if entry is not None and time.time() < entry[1] else None

    def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
        self._change(key, (text, math.inf if seconds is None else time.time() + seconds))
        return True

    def remove(self, key: str) -> None:
        self._change(key, None)

    @contextlib.contextmanager
    def lock(self, key: str, seconds: float) -> Iterator[int]:
        with self._file_lock(f".{key[:16]}", seconds):
            yield 0

    @contextlib.contextmanager
    def _file_lock(self, suffix: str, seconds: float, if_not_free: type[Exception] = TimeoutError) -> Iterator[None]:
        import filelock

        # One for each use, so that threads exclude each other as processes do.
        lock = filelock.FileLock(f"{self.path}{suffix}.lock", mode=0o600)
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            lock.acquire(timeout=seconds, poll_interval=0.02)
        except filelock.Timeout:
            raise if_not_free(f"the lock of {self.path} was not free in time") from None
        except OSError as error:
            raise TokenStoreError(f"{self!r} cannot be locked: {error.strerror}") from error
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                lock.release()

    @leaves_no_variables
    def _entries(self) -> dict[str, tuple[str, float]]:
        """The text and the end of each key."""
        try:
            return self._content()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise TokenStoreError(f"{self!r} cannot be read: {error.strerror}") from error
        except _NotTrusted as error:
            logger.warning("%r counts as no file: %s", self, error)
            return {}

    def _content(self) -> dict[str, tuple[str, float]]:
        if os.path.islink(self.path):
            raise _NotTrusted("it is a link, and might lead anywhere")
        # Not to wait for a pipe that has no writer; and if the file has become a link just now, not to follow it.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self.path, flags)
        try:
            self._check_owner(descriptor)
            with open(descriptor, "rb", closefd=False) as file:
                kept = json.loads(file.read())["tokens"].items()
            return {key: (str(text), math.inf if until is None else float(until)) for key, (text, until) in kept}
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            raise _NotTrusted("it holds something else") from None
        finally:
            os.close(descriptor)

    def _check_owner(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _NotTrusted("it is no regular file")
        if not hasattr(os, "getuid"):
            return  # Windows: who may read it follows from the folder
        if status.st_uid != os.getuid():
            raise _NotTrusted("it belongs to another user")
        if status.st_mode & 0o022:
            raise _NotTrusted("others may write to it")
        if status.st_mode & 0o044:
            logger.warning("%r could be read by others (mode %o); it is 0600 now", self, stat.S_IMODE(status.st_mode))
            os.fchmod(descriptor, 0o600)

    @leaves_no_variables
    def _change(self, key: str, entry: tuple[str, float] | None) -> None:
        now = time.time()
        # The file has other keys too, whose holders write at the same time, and are soon done.
        with self._file_lock("", 2, TokenStoreError):
            entries = {k: e for k, e in self._entries().items() if k != key and now < e[1]}
            if entry is not None:
                entries[key] = entry
            content = {k: (text, None if until == math.inf else until) for k, (text, until) in entries.items()}
            try:
                self._replace(json.dumps({"version": 1, "tokens": content}).encode("ascii"))
            except OSError as error:
                raise TokenStoreError(f"{self!r} cannot be written: {error.strerror}") from error

    def _replace(self, content: bytes) -> None:
        folder, name = os.path.split(self.path)
        descriptor, beside = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.replace(beside, self.path)
        except BaseException:
            os.unlink(beside)
            raise


def _again(store: Any, where: str, encryption_key: EncryptionKey | None, options: dict[str, float]) -> Any:
    return store(where, encryption_key=encryption_key, **options)


class RedisTokenStore(TokenStore):
    """Keeps tokens in Redis (or Valkey), for the processes of many machines.

    url: such as rediss://user:password@host:6379/0, or a client of redis-py, whose server and credentials are used.
        The host name of a rediss:// URL is verified, unless the URL has `ssl_check_hostname=false`.
    timeout: seconds that Redis has to connect and for each answer.
    lease: seconds after which the lock of a holder that has died is free. One that lives keeps its lease, and one that
        slept past it does not overwrite what came after.

    Raises ImportError where the extra `redis` is not installed, and ValueError for a URL that is none.
    """

    # A token is kept unless one with a later fence is there.
    _WRITE = """
        if tonumber(redis.call('HGET', KEYS[1], 'fence') or '-1') > tonumber(ARGV[1]) then return 0 end
        redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'text', ARGV[2])
        if ARGV[3] == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
        return 1
    """
    # A fence grows, also where the counter was forgotten and the entry is there.
    _FENCE = """
        local last = tonumber(redis.call('HGET', KEYS[2], 'fence') or '0')
        local fence = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), last) + 1
        redis.call('SET', KEYS[1], fence, 'EX', ARGV[1])
        return fence
    """
    _FENCES_LAST = 86400  # seconds, longer than any holder sleeps

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
            pool.connection_class(**pool.connection_kwargs)  # knows the options of the URL, and does not connect yet
        except (ValueError, TypeError):
            # Without Python's own words, which may hold a part of the password.
            example = "rediss://user:password@host:6379/0, with / # ? and @ in a password percent-encoded"
            raise ValueError(f"That is no URL of a Redis, such as {example}") from None
        except AttributeError:
            what = type(url).__name__
            raise TypeError(f"RedisTokenStore takes a URL or a client of one Redis, not a {what}") from None
        # A client of its own, because redis-py by default waits for ever, or tries again for long.
        bounded = {"socket_timeout": timeout, "socket_connect_timeout": timeout, "retry": Retry(NoBackoff(), 0)}
        settings: dict[str, Any] = {**pool.connection_kwargs, **bounded, "retry_on_timeout": False}
        settings.update(decode_responses=True, encoding_errors="replace")
        self._redis = redis.Redis(
            connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **settings)
        )
        self._url, self._timeout, self._lease = url, timeout, lease
        self._write = self._redis.register_script(self._WRITE)
        self._fence = self._redis.register_script(self._FENCE)
        self._name = "{host}:{port}/{db}".format_map({"host": "", "port": "", "db": 0, **pool.connection_kwargs})
        self._name = pool.connection_kwargs.get("path") or self._name

    def __repr__(self) -> str:
        return f"RedisTokenStore at {self._name}"

    def __reduce__(self) -> tuple[Any, ...]:
        if not isinstance(self._url, str):
            raise TypeError("A client of redis-py cannot be pickled: make the RedisTokenStore of a URL")
        return _again, (RedisTokenStore, self._url, self._keys, {"timeout": self._timeout, "lease": self._lease})

    def read(self, key: str) -> str | None:
        with self._errors_told():
            text: Any = self._redis.hget(_in_redis(key), "text")
            return None if text is None else str(text)

    def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
        milliseconds = "" if seconds is None else max(1, round(seconds * 1000))
        with self._errors_told():
            return bool(self._write(keys=[_in_redis(key)], args=[fence, text, milliseconds]))

    def remove(self, key: str) -> None:
        with self._errors_told():
            self._redis.delete(_in_redis(key))

    @contextlib.contextmanager
    def lock(self, key: str, seconds: float) -> Iterator[int]:
        lock = self._redis.lock(_in_redis(key, "lock"), timeout=self._lease, sleep=0.02, thread_local=False)
        with self._errors_told():
            if not lock.acquire(blocking=seconds > 0, blocking_timeout=seconds or None):
                raise TimeoutError(f"the token's lock in {self!r} was not free in time")
            fence = int(self._fence(keys=[_in_redis(key, "fence"), _in_redis(key)], args=[self._FENCES_LAST]))
        released = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(lock, released), name="lease of a token", daemon=True)
        keeper.start()
        try:
            yield fence
        finally:
            released.set()
            keeper.join()
            with contextlib.suppress(TokenStoreError), self._errors_told():
                lock.release()

    def _keep(self, lock: Any, released: threading.Event) -> None:
        """Renew the lease until the lock is released, or lost."""
        from redis.exceptions import LockError

        pause = self._lease / 3
        while not released.wait(pause):
            try:
                with self._errors_told():
                    lock.reacquire()
                pause = self._lease / 3
            except TokenStoreError as error:
                if isinstance(error.__context__, LockError):
                    return
                pause = 0.02  # there is still time to keep it

    @contextlib.contextmanager
    def _errors_told(self) -> Iterator[None]:
        import redis

        try:
            yield
        except (redis.RedisError, OSError) as error:
            if isinstance(error, TimeoutError) and not isinstance(error, redis.RedisError):
                raise  # the lock's
            # Its own words may hold the password of a URL, or what a command was given.
            raise TokenStoreError(f"{self!r} cannot be used: {type(error).__name__}") from None


def _verify_host_name(pool: Any) -> None:
    """Verify the host name of a `rediss://` URL, which redis-py 5 does not, unless the URL has an option against it."""
    import redis

    if issubclass(pool.connection_class, redis.SSLConnection):
        # `ssl` refuses to verify the host name alone.
        verifies = pool.connection_kwargs.get("ssl_cert_reqs") != "none"
        pool.connection_kwargs.setdefault("ssl_check_hostname", verifies)


def _in_redis(key: str, what: str = "") -> str:
    # In braces, so that what splits keys over servers keeps those of a token together: scripts use two of them.
    return f"bluejeans:{{{key}}}{':' if what else ''}{what}"


def store_at(where: str) -> TokenStore:
    """The store that a setting names: by the URL of a Redis, or the path of a file."""
    return RedisTokenStore(where) if "://" in where else FileTokenStore(where)
