"""MemoryTokenStore: the conformance suite, pickling and forking."""

from __future__ import annotations

import os
import pickle
import threading

import pytest

from BlueJeansMeetingsRestApi.token_stores import MemoryTokenStore, TokenStore
from BlueJeansMeetingsRestApi.token_stores.conformance import KEY, LONG, TOKEN, TokenStoreConformance


class TestMemory(TokenStoreConformance):
    @pytest.fixture
    def store(self) -> TokenStore:
        return MemoryTokenStore()


def test_pickle_of_a_memory_store_contains_no_tokens() -> None:
    store = MemoryTokenStore()
    store.save(KEY, TOKEN, LONG, 1)
    assert pickle.loads(pickle.dumps(store)).load(KEY) is None


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_lock_that_a_thread_holds_during_a_fork_is_free_in_the_child() -> None:
    store = MemoryTokenStore()
    acquired, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store.lock(KEY, LONG):
            acquired.set()
            leave.wait(LONG)

    thread = threading.Thread(target=hold)
    thread.start()
    acquired.wait(LONG)
    pid = os.fork()
    if pid == 0:
        with store.lock(KEY, 5):
            os._exit(0)
    leave.set()
    thread.join()
    assert os.waitpid(pid, 0)[1] == 0
