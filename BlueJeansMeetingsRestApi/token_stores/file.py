"""Token store in a file that the processes of one machine share."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from ..environment import missing
from ..redaction import leaves_no_variables
from .base import EncryptionKey, TokenStore, TokenStoreError, logger, unpickle_store

_FILE_LOCK_TIMEOUT = 2.0  # seconds


class _UntrustedFileError(Exception):
    """The file is ignored; the message contains the reason."""


class FileTokenStore(TokenStore):
    """Stores tokens in a file that only its owner can read, for the processes of one machine.

    path: path of the file. If its folder is missing, it is created with mode 0700. The folder also contains the lock
        files.
    encryption_key: see `TokenStore`.

    A file that belongs to another user, that others can write to, or that is a link is not trusted. Like a file without
    tokens, it is ignored with a warning, and the next token overwrites it. While another process writes to the file, a
    write waits for up to 2 seconds. No file stays open between calls, so `close` does nothing.

    Raises ImportError if the extra `file` is not installed.
    """

    def __init__(self, path: str | os.PathLike[str], *, encryption_key: EncryptionKey | None = None) -> None:
        super().__init__(encryption_key=encryption_key)
        # Check here, so that a missing package is reported before the first token. It is imported only when a lock is
        # needed, not to read a token.
        if importlib.util.find_spec("filelock") is None:
            raise missing("FileTokenStore", "filelock", "file")
        self.path = os.path.abspath(os.path.expanduser(path))

    def __repr__(self) -> str:
        return f"FileTokenStore({self.path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return unpickle_store, (FileTokenStore, self.path, self._keys, {})

    def read(self, key: str) -> str | None:
        entry = self._load_entries().get(key)
        return entry[0] if entry is not None and time.time() < entry[1] else None

    def write(self, key: str, value: str, ttl: float | None, fence: int) -> bool:
        self._update(key, (value, math.inf if ttl is None else time.time() + ttl))
        return True

    def remove(self, key: str) -> None:
        self._update(key, None)

    @contextlib.contextmanager
    def lock(self, key: str, timeout: float) -> Iterator[int]:
        with self._file_lock(f".{key[:16]}", timeout):
            yield 0

    @contextlib.contextmanager
    def _file_lock(self, suffix: str, timeout: float, timeout_error: type[Exception] = TimeoutError) -> Iterator[None]:
        import filelock

        # A new lock object for each use, so that it excludes other threads as well as other processes.
        lock = filelock.FileLock(f"{self.path}{suffix}.lock", mode=0o600)
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            lock.acquire(timeout=timeout, poll_interval=0.02)
        except filelock.Timeout:
            raise timeout_error(f"Timed out waiting for the lock of {self.path}") from None
        except OSError as error:
            raise TokenStoreError(f"{self!r} cannot be locked: {error.strerror}") from error
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                lock.release()

    @leaves_no_variables
    def _load_entries(self) -> dict[str, tuple[str, float]]:
        """Return the value and the expiry of each key."""
        try:
            return self._parse_file()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise TokenStoreError(f"{self!r} cannot be read: {error.strerror}") from error
        except _UntrustedFileError as error:
            logger.warning("Ignoring %r: %s", self, error)
            return {}

    def _parse_file(self) -> dict[str, tuple[str, float]]:
        if os.path.islink(self.path):
            raise _UntrustedFileError("it is a link")
        # O_NONBLOCK: do not wait for the writer of a pipe. O_NOFOLLOW: the file may have been replaced by a link since
        # the check above.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self.path, flags)
        try:
            self._check_owner(descriptor)
            with open(descriptor, "rb", closefd=False) as file:
                entries = json.loads(file.read())["tokens"].items()
            return {key: (str(value), math.inf if end is None else float(end)) for key, (value, end) in entries}
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            raise _UntrustedFileError("it is not a token file") from None
        finally:
            os.close(descriptor)

    def _check_owner(self, descriptor: int) -> None:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _UntrustedFileError("it is not a regular file")
        if not hasattr(os, "getuid"):
            return  # on Windows, the folder determines who may read the file
        if status.st_uid != os.getuid():
            raise _UntrustedFileError("it belongs to another user")
        if status.st_mode & 0o022:
            raise _UntrustedFileError("other users can write to it")
        if status.st_mode & 0o044:
            old_mode = stat.S_IMODE(status.st_mode)
            logger.warning("Other users could read %r (mode %o); changed its mode to 0600", self, old_mode)
            os.fchmod(descriptor, 0o600)

    @leaves_no_variables
    def _update(self, key: str, entry: tuple[str, float] | None) -> None:
        """Replace or delete the entry of `key`, and delete expired entries."""
        now = time.time()
        # The file lock protects the entries of other keys, whose holders write to the same file and finish quickly.
        with self._file_lock("", _FILE_LOCK_TIMEOUT, TokenStoreError):
            entries = {k: e for k, e in self._load_entries().items() if k != key and now < e[1]}
            if entry is not None:
                entries[key] = entry
            content = {k: (value, None if end == math.inf else end) for k, (value, end) in entries.items()}
            try:
                self._replace_file(json.dumps({"version": 1, "tokens": content}).encode("ascii"))
            except OSError as error:
                raise TokenStoreError(f"{self!r} cannot be written: {error.strerror}") from error

    def _replace_file(self, content: bytes) -> None:
        folder, name = os.path.split(self.path)
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.replace(temporary, self.path)
        except BaseException:
            os.unlink(temporary)
            raise
