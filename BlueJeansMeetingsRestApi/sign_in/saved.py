"""The list of the sign-ins that `bluejeans-auth login` saves, in the same store as their tokens."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import NamedTuple

from ..environment import missing, setting
from ..token_stores import TokenStore, store_at

_LIST_KEY = "sign-ins"
_LOCK_TIMEOUT = 10.0  # seconds


class SavedSignIn(NamedTuple):
    """A saved sign-in.

    user: ID of the user.
    scope: requested scope; None for every scope that the client is registered for.
    signed_in_at: time of the sign-in, as a Unix timestamp.
    key: key of the tokens in the store.
    client_secret: client secret; "" unless the user chose to save it.
    """

    host: str
    client_id: str
    user: int | None
    scope: str | None
    signed_in_at: int
    key: str
    client_secret: str = ""

    def __repr__(self) -> str:
        return f"SavedSignIn(host={self.host!r}, client_id={self.client_id!r}, user={self.user!r})"


def default_store_path() -> str:
    """Return the path of the token file that is used unless BLUEJEANS_TOKEN_STORE is set.

    Raises ImportError if the extra `cli` is not installed.
    """
    try:
        import platformdirs
    except ImportError as error:
        raise missing("Saving a sign-in", "platformdirs", "cli") from error
    return os.path.join(platformdirs.user_state_dir("bluejeans-auth", appauthor=False), "tokens.json")


def default_store() -> TokenStore:
    """Return the store that contains the tokens and the sign-ins."""
    return store_at(setting("TOKEN_STORE") or default_store_path())


class SavedSignIns:
    """The sign-ins in a store."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    def __iter__(self) -> Iterator[SavedSignIn]:
        try:
            return iter([SavedSignIn(**fields) for fields in json.loads(self._store.read(_LIST_KEY) or "[]")])
        except (ValueError, TypeError, RecursionError):
            return iter(())  # an unreadable list is ignored, as the store ignores unreadable tokens

    def find(self, host: str | None, client_id: str | None) -> list[SavedSignIn]:
        """Return the sign-ins with this host and client ID; None matches every value."""
        return [one for one in self if one.host == (host or one.host) and one.client_id == (client_id or one.client_id)]

    def add(self, sign_in: SavedSignIn) -> None:
        """Add a sign-in; it replaces an earlier one with the same host and client ID."""
        self._replace(sign_in, [sign_in])

    def remove(self, sign_in: SavedSignIn) -> None:
        """Remove a sign-in from the list, and its tokens from the store."""
        self._store.remove(sign_in.key)
        self._replace(sign_in, [])

    def _replace(self, sign_in: SavedSignIn, replacement: list[SavedSignIn]) -> None:
        with self._store.lock(_LIST_KEY, _LOCK_TIMEOUT) as fence:
            others = [one for one in self if one[:2] != sign_in[:2]]
            sign_ins = [one._asdict() for one in (*others, *replacement)]
            self._store.write(_LIST_KEY, json.dumps(sign_ins), None, fence)
