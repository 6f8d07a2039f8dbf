"""Tests for pytest that every token store has to pass: the stores of this package and your own.

class TestMyStore(TokenStoreConformance):
    @pytest.fixture
    def store(self):
        return MyStore()
"""

from __future__ import annotations

import contextlib
import json
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from .base import StoredToken, TokenStore

KEY, OTHER_KEY = "0123456789abcdef" * 4, "fedcba9876543210" * 4
TOKEN = StoredToken("token", 3600.0, 4102444800.0, 7200.0, "a-boot", "refresh")
LONG = 60.0  # seconds


class TokenStoreConformance:
    """Base class for the tests of a token store.

    Derive from it and define a fixture `store` that returns an empty store.
    """

    def test_missing_key_reads_as_none(self, store: TokenStore) -> None:
        assert store.read(KEY) is None
        assert store.load(KEY) is None

    def test_written_value_is_read_unchanged(self, store: TokenStore) -> None:
        value = 'any text: \N{SNOWMAN} \\ " \r\n {}' + "x" * 100_000
        with store.lock(KEY, LONG) as fence:
            assert store.write(KEY, value, LONG, fence) is True
        assert store.read(KEY) == value

    def test_second_write_replaces_the_first_value(self, store: TokenStore) -> None:
        for value in ("one", "two"):
            with store.lock(KEY, LONG) as fence:
                store.write(KEY, value, LONG, fence)
        assert store.read(KEY) == "two"

    def test_remove_does_not_change_other_keys(self, store: TokenStore) -> None:
        store.write(KEY, "one", LONG, 1)
        store.write(OTHER_KEY, "two", LONG, 1)
        store.remove(OTHER_KEY)
        assert (store.read(KEY), store.read(OTHER_KEY)) == ("one", None)

    def test_remove_accepts_a_missing_key(self, store: TokenStore) -> None:
        store.remove(KEY)
        assert store.read(KEY) is None

    def test_value_expires_after_its_ttl(self, store: TokenStore) -> None:
        store.write(KEY, "one", 0.001, 1)
        while store.read(KEY) is not None:
            threading.Event().wait(0.001)

    def test_value_without_ttl_does_not_expire(self, store: TokenStore) -> None:
        store.write(KEY, "one", 0.001, 1)
        store.write(KEY, "two", None, 2)
        store.write(OTHER_KEY, "one", 0.001, 1)
        while store.read(OTHER_KEY) is not None:
            threading.Event().wait(0.001)
        assert store.read(KEY) == "two"

    def test_saved_token_is_loaded_unchanged(self, store: TokenStore) -> None:
        assert store.save(KEY, TOKEN, LONG, 1) is True
        assert store.load(KEY) == TOKEN

    def test_load_ignores_values_that_are_not_tokens(self, store: TokenStore) -> None:
        for value in ("", "null", "[]", "{}", "no JSON", json.dumps({"key": KEY, "access_token": 7}), "[" * 100_000):
            store.write(KEY, value, LONG, 1)
            assert store.load(KEY) is None

    def test_load_ignores_tokens_with_invalid_fields(self, store: TokenStore) -> None:
        numbers: list[Any] = [{"lifetime": "1"}, {"expires_at": math.nan}, {"boot_expires_at": math.inf}]
        strings = [{"access_token": 7}, {"refresh_token": None}, {"boot_id": []}]
        for invalid in [*numbers, *strings, {"access_token": "", "refresh_token": ""}]:
            store.save(KEY, replace(TOKEN, **invalid), LONG, 1)
            assert store.load(KEY) is None, invalid

    def test_load_ignores_the_token_of_another_key(self, store: TokenStore) -> None:
        store.save(OTHER_KEY, TOKEN, LONG, 1)
        store.write(KEY, store.read(OTHER_KEY) or "", LONG, 1)
        assert store.load(KEY) is None

    def test_lock_times_out_while_another_thread_holds_it(self, store: TokenStore) -> None:
        timed_out = []

        def try_to_lock() -> None:
            for timeout in (0.0, 0.01):
                try:
                    with store.lock(KEY, timeout):
                        pass
                except TimeoutError:
                    timed_out.append(timeout)

        with store.lock(KEY, LONG):
            thread = threading.Thread(target=try_to_lock)
            thread.start()
            thread.join()
        assert timed_out == [0.0, 0.01]

    def test_locks_of_two_keys_are_independent(self, store: TokenStore) -> None:
        with store.lock(KEY, LONG), store.lock(OTHER_KEY, 1.0):
            pass

    def test_lock_is_released_after_an_error(self, store: TokenStore) -> None:
        with contextlib.suppress(KeyError), store.lock(KEY, LONG):
            raise KeyError(KEY)
        with store.lock(KEY, 1.0):
            pass

    def test_concurrent_updates_with_the_lock_are_not_lost(self, store: TokenStore) -> None:
        def count(_: int) -> None:
            with store.lock(KEY, LONG) as fence:
                store.write(KEY, str(int(store.read(KEY) or "0") + 1), LONG, fence)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(count, range(40)))
        assert store.read(KEY) == "40"

    def test_earlier_holder_does_not_overwrite_a_later_one(self, store: TokenStore) -> None:
        with store.lock(KEY, LONG) as earlier:
            pass
        with store.lock(KEY, LONG) as later:
            store.write(KEY, "later", LONG, later)
        assert later == earlier == 0 or later > earlier
        if later > earlier:  # otherwise, a holder cannot lose its lock without noticing
            assert store.write(KEY, "earlier", LONG, earlier) is False
            assert store.read(KEY) == "later"

    def test_repr_of_the_store_contains_no_token(self, store: TokenStore) -> None:
        store.save(KEY, TOKEN, LONG, 1)
        assert "refresh" not in f"{store!r} {store}"

    def test_close_may_be_called_twice(self, store: TokenStore) -> None:
        with store as entered:
            assert entered is store
            store.write(KEY, "one", LONG, 1)
        store.close()
