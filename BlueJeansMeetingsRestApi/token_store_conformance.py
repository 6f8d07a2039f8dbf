"""What every token store has to do, as tests for pytest: for the stores of this package, and for yours.

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

from .token_stores import StoredToken, TokenStore

KEY, OTHER_KEY = "0123456789abcdef" * 4, "fedcba9876543210" * 4
TOKEN = StoredToken("token", 3600.0, 4102444800.0, 7200.0, "a-boot", "refresh")
LONG = 60.0  # seconds


class TokenStoreConformance:
    """Derive from it, and define a fixture `store` that gives an empty store."""

    def test_what_was_not_written_is_not_there(self, store: TokenStore) -> None:
        assert store.read(KEY) is None
        assert store.load(KEY) is None

    def test_what_was_written_is_read(self, store: TokenStore) -> None:
        text = 'any text: \N{SNOWMAN} \\ " \r\n {}' + "x" * 100_000
        with store.lock(KEY, LONG) as fence:
            assert store.write(KEY, text, LONG, fence) is True
        assert store.read(KEY) == text

    def test_a_text_replaces_another(self, store: TokenStore) -> None:
        for text in ("one", "two"):
            with store.lock(KEY, LONG) as fence:
                store.write(KEY, text, LONG, fence)
        assert store.read(KEY) == "two"

    def test_a_key_does_not_touch_another(self, store: TokenStore) -> None:
        store.write(KEY, "one", LONG, 1)
        store.write(OTHER_KEY, "two", LONG, 1)
        store.remove(OTHER_KEY)
        assert (store.read(KEY), store.read(OTHER_KEY)) == ("one", None)

    def test_what_is_not_there_may_be_removed(self, store: TokenStore) -> None:
        store.remove(KEY)
        assert store.read(KEY) is None

    def test_a_text_is_forgotten_after_its_time(self, store: TokenStore) -> None:
        store.write(KEY, "one", 0.001, 1)
        while store.read(KEY) is not None:
            threading.Event().wait(0.001)

    def test_a_text_without_a_time_is_kept(self, store: TokenStore) -> None:
        store.write(KEY, "one", 0.001, 1)
        store.write(KEY, "two", None, 2)
        store.write(OTHER_KEY, "one", 0.001, 1)
        while store.read(OTHER_KEY) is not None:
            threading.Event().wait(0.001)
        assert store.read(KEY) == "two"

    def test_a_token_is_loaded_as_it_was_saved(self, store: TokenStore) -> None:
        assert store.save(KEY, TOKEN, LONG, 1) is True
        assert store.load(KEY) == TOKEN

    def test_what_is_no_token_is_not_loaded(self, store: TokenStore) -> None:
        for text in ("", "null", "[]", "{}", "no JSON", json.dumps({"key": KEY, "access_token": 7}), "[" * 100_000):
            store.write(KEY, text, LONG, 1)
            assert store.load(KEY) is None

    def test_what_cannot_be_part_of_a_token_is_not_loaded(self, store: TokenStore) -> None:
        numbers: list[Any] = [{"lifetime": "1"}, {"expires_at": math.nan}, {"boot_expires_at": math.inf}]
        texts = [{"access_token": 7}, {"refresh_token": None}, {"boot_id": []}]
        for wrong in [*numbers, *texts, {"access_token": "", "refresh_token": ""}]:
            store.save(KEY, replace(TOKEN, **wrong), LONG, 1)
            assert store.load(KEY) is None, wrong

    def test_another_keys_token_is_not_loaded(self, store: TokenStore) -> None:
        store.save(OTHER_KEY, TOKEN, LONG, 1)
        store.write(KEY, store.read(OTHER_KEY) or "", LONG, 1)
        assert store.load(KEY) is None

    def test_a_lock_is_held_by_one_and_others_wait_no_longer_than_they_say(self, store: TokenStore) -> None:
        refused = []

        def try_it() -> None:
            for seconds in (0.0, 0.01):
                try:
                    with store.lock(KEY, seconds):
                        pass
                except TimeoutError:
                    refused.append(seconds)

        with store.lock(KEY, LONG):
            thread = threading.Thread(target=try_it)
            thread.start()
            thread.join()
        assert refused == [0.0, 0.01]

    def test_a_lock_of_another_key_is_free(self, store: TokenStore) -> None:
        with store.lock(KEY, LONG), store.lock(OTHER_KEY, 1.0):
            pass

    def test_a_lock_is_free_after_an_error_under_it(self, store: TokenStore) -> None:
        with contextlib.suppress(KeyError), store.lock(KEY, LONG):
            raise KeyError(KEY)
        with store.lock(KEY, 1.0):
            pass

    def test_under_the_lock_nothing_is_lost(self, store: TokenStore) -> None:
        def count(_: int) -> None:
            with store.lock(KEY, LONG) as fence:
                store.write(KEY, str(int(store.read(KEY) or "0") + 1), LONG, fence)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(count, range(40)))
        assert store.read(KEY) == "40"

    def test_an_older_holder_does_not_overwrite_a_newer_one(self, store: TokenStore) -> None:
        with store.lock(KEY, LONG) as older:
            pass
        with store.lock(KEY, LONG) as newer:
            store.write(KEY, "newer", LONG, newer)
        assert newer == older == 0 or newer > older
        if newer > older:  # otherwise no holder loses its lock unawares
            assert store.write(KEY, "older", LONG, older) is False
            assert store.read(KEY) == "newer"

    def test_its_text_shows_no_token(self, store: TokenStore) -> None:
        store.save(KEY, TOKEN, LONG, 1)
        assert "refresh" not in f"{store!r} {store}"
