"""`TokenStore`, the interface of token stores, and `StoredToken`, an access token with its refresh token."""

from __future__ import annotations

import abc
import contextlib
import json
import logging
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Union

from ..configuration import PACKAGE_LOGGER
from ..environment import missing
from ..redaction import MASK, leaves_no_variables

if TYPE_CHECKING:
    from typing_extensions import Self

EncryptionKey = Union[str, bytes, Sequence[Union[str, bytes]]]

logger = logging.getLogger(f"{PACKAGE_LOGGER}.token_stores")


class TokenStoreError(Exception):
    """The store cannot be used at the moment.

    Credentials then continue without the store. The message contains no secret.
    """


@dataclass(frozen=True)
class StoredToken:
    """An access token, its expiry, and the refresh token.

    lifetime: lifetime in seconds, counted from when the token was requested.
    expires_at: expiry by the wall clock, as a Unix timestamp.
    boot_expires_at: expiry by the clock of the boot that `boot_id` identifies, which cannot be set.
    boot_id: ID of the boot; "" on systems without one.
    refresh_token: refresh token for the next refresh; "" for grants without one.
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
    """Base class of token stores, which map a key to a string.

    A subclass implements the four abstract methods, and `close` if it keeps connections or files open. Users of a store
    call `load`, `save`, `lock` and `close`, or use it as a context manager. Every method is thread-safe, and raises
    TokenStoreError if the store cannot be used at the moment.

    encryption_key: key for `cryptography.fernet.Fernet`, or a sequence of keys: the first one encrypts, all decrypt.

    Raises ImportError if the extra `encryption` is not installed, and ValueError if a key is invalid.
    """

    def __init__(self, *, encryption_key: EncryptionKey | None = None) -> None:
        self._keys = encryption_key
        self._fernet = None if encryption_key is None else _make_fernet(encryption_key)

    @abc.abstractmethod
    def read(self, key: str) -> str | None:
        """Return the value stored under `key`, or None."""

    @abc.abstractmethod
    def write(self, key: str, value: str, ttl: float | None, fence: int) -> bool:
        """Store `value` atomically and return True.

        ttl: seconds after which the value expires; None stores it indefinitely.
        fence: fencing token from `lock`.

        If a holder of the lock with a later fencing token has written already, store nothing and return False.
        """

    @abc.abstractmethod
    def remove(self, key: str) -> None:
        """Delete the value stored under `key`, if any."""

    @abc.abstractmethod
    def lock(self, key: str, timeout: float) -> contextlib.AbstractContextManager[int]:
        """Return a context manager that holds the lock of `key` and provides a fencing token for `write`.

        timeout: seconds to wait for the lock.

        Raises TimeoutError if the lock is not acquired before the timeout. The lock is released if the process of its
        holder exits. Leaving the context raises nothing. If a holder can lose the lock without noticing, fencing tokens
        increase from holder to holder; otherwise the fencing token is 0.
        """

    def close(self) -> None:  # noqa: B027  stores without open connections or files need no `close`
        """Close the connections and files that the store keeps open.

        The default implementation does nothing. A closed store may be used again: it reconnects.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @leaves_no_variables
    def load(self, key: str) -> StoredToken | None:
        """Return the token stored under `key`, or None if there is no valid one."""
        value = self.read(key)
        if value is not None and self._fernet is not None:
            value = self._decrypt(value)
        try:
            content = json.loads(value or "")
            if content.pop("key") != key:
                return None
            token = StoredToken(**content)
            return token if _is_valid(token) else None
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            return None

    @leaves_no_variables
    def save(self, key: str, token: StoredToken, ttl: float | None, fence: int) -> bool:
        """Store a token; parameters and result are as in `write`."""
        value = json.dumps({"key": key, **asdict(token)})
        if self._fernet is not None:
            value = self._fernet.encrypt(value.encode()).decode("ascii")
        return self.write(key, value, ttl, fence)

    def _decrypt(self, value: str) -> str:
        from cryptography.fernet import InvalidToken

        try:
            return str(self._fernet.decrypt(value.encode()).decode())  # type: ignore[union-attr]
        except (InvalidToken, ValueError):
            logger.warning("%r contains a token that its encryption_key cannot decrypt; ignoring the token", self)
            return ""


def _make_fernet(keys: EncryptionKey) -> Any:
    try:
        from cryptography.fernet import Fernet, MultiFernet
    except ImportError as error:
        raise missing("encryption_key", "cryptography", "encryption") from error
    try:
        return MultiFernet([Fernet(key) for key in ([keys] if isinstance(keys, (str, bytes)) else keys)])
    except ValueError:
        # Omit the original message because it may contain a part of the key.
        raise ValueError(
            "encryption_key is not a valid Fernet key; create one with cryptography.fernet.Fernet.generate_key()"
        ) from None


def _is_valid(token: StoredToken) -> bool:
    numbers = (token.lifetime, token.expires_at, token.boot_expires_at)
    strings = (token.access_token, token.boot_id, token.refresh_token)
    return (
        all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers)
        and all(isinstance(string, str) for string in strings)
        and bool(token.access_token or token.refresh_token)
    )


def unpickle_store(
    store_class: Any, location: str, encryption_key: EncryptionKey | None, options: dict[str, float]
) -> Any:
    """Return a store with the constructor arguments that its pickle contains."""
    return store_class(location, encryption_key=encryption_key, **options)
