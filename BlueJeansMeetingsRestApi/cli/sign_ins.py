"""Which sign-ins are kept, in the store that keeps their tokens."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import NamedTuple

from ..environment import missing, setting
from ..token_stores import TokenStore, store_at

_LIST = "sign-ins"
_LOCKED_FOR = 10.0  # seconds at most


class SignIn(NamedTuple):
    """Who signed in, where and to what. key: of the tokens in the store. client_secret: "" unless it is kept."""

    host: str
    client_id: str
    user: int | None
    scope: str | None
    signed_in_at: int
    key: str
    client_secret: str = ""

    def __repr__(self) -> str:
        return f"SignIn(host={self.host!r}, client_id={self.client_id!r}, user={self.user!r})"


def store_path() -> str:
    """The file that keeps tokens unless BLUEJEANS_TOKEN_STORE names another place; ImportError without the extra."""
    try:
        import platformdirs
    except ImportError as error:
        raise missing("Keeping a sign-in", "platformdirs", "cli") from error
    return os.path.join(platformdirs.user_state_dir("bluejeans-auth", appauthor=False), "tokens.json")


def store() -> TokenStore:
    """The store that keeps tokens and sign-ins."""
    return store_at(setting("TOKEN_STORE") or store_path())


class SignIns:
    """The list of the sign-ins in a store."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    def __iter__(self) -> Iterator[SignIn]:
        try:
            return iter([SignIn(**kept) for kept in json.loads(self._store.read(_LIST) or "[]")])
        except (ValueError, TypeError, RecursionError):
            return iter(())  # as for the store, what cannot be read is not there

    def of(self, host: str | None, client_id: str | None) -> list[SignIn]:
        """Those of a host and of a client, as far as they are given."""
        return [one for one in self if one.host == (host or one.host) and one.client_id == (client_id or one.client_id)]

    def keep(self, sign_in: SignIn) -> None:
        """Add one, in place of an earlier one of that client."""
        self._change(sign_in, [sign_in])

    def forget(self, sign_in: SignIn) -> None:
        """Take one from the list, and its tokens from the store."""
        self._store.remove(sign_in.key)
        self._change(sign_in, [])

    def _change(self, sign_in: SignIn, now: list[SignIn]) -> None:
        with self._store.lock(_LIST, _LOCKED_FOR) as fence:
            others = [one for one in self if one[:2] != sign_in[:2]]
            self._store.write(_LIST, json.dumps([one._asdict() for one in (*others, *now)]), None, fence)
