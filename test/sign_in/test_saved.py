"""The list of saved sign-ins in a token store."""

from __future__ import annotations

from pathlib import Path

import pytest

from BlueJeansMeetingsRestApi.sign_in.saved import SavedSignIn, SavedSignIns, default_store
from BlueJeansMeetingsRestApi.token_stores import FileTokenStore, MemoryTokenStore
from BlueJeansMeetingsRestApi.token_stores.conformance import TOKEN

SIGN_IN = SavedSignIn("https://one.example", "a-client", 7, None, 1_800_000_000, "a-key", "canary-secret")


def test_added_sign_in_is_read_by_another_list_on_the_same_store() -> None:
    store = MemoryTokenStore()
    SavedSignIns(store).add(SIGN_IN)
    assert list(SavedSignIns(store)) == [SIGN_IN]


def test_added_sign_in_replaces_the_one_with_the_same_host_and_client() -> None:
    sign_ins = SavedSignIns(MemoryTokenStore())
    other_client, later = SIGN_IN._replace(client_id="another"), SIGN_IN._replace(user=8)
    for sign_in in (SIGN_IN, other_client, later):
        sign_ins.add(sign_in)
    assert list(sign_ins) == [other_client, later]


def test_find_matches_host_and_client_id() -> None:
    sign_ins = SavedSignIns(MemoryTokenStore())
    other_host = SIGN_IN._replace(host="https://two.example")
    sign_ins.add(SIGN_IN)
    sign_ins.add(other_host)
    assert sign_ins.find(None, None) == [SIGN_IN, other_host]
    assert sign_ins.find("https://two.example", "a-client") == [other_host]
    assert sign_ins.find(None, "another") == []


def test_removed_sign_in_takes_its_tokens_out_of_the_store() -> None:
    store = MemoryTokenStore()
    store.save(SIGN_IN.key, TOKEN, None, 0)
    SavedSignIns(store).add(SIGN_IN)
    SavedSignIns(store).remove(SIGN_IN)
    assert (list(SavedSignIns(store)), store.load(SIGN_IN.key)) == ([], None)


@pytest.mark.parametrize("value", ["not JSON", "7", "[1]", '[{"host": "h"}]', "[" * 100_000])
def test_unreadable_list_of_sign_ins_is_ignored(value: str) -> None:
    store = MemoryTokenStore()
    store.write("sign-ins", value, None, 0)
    assert list(SavedSignIns(store)) == []


def test_repr_of_a_saved_sign_in_contains_no_secret() -> None:
    assert repr(SIGN_IN) == "SavedSignIn(host='https://one.example', client_id='a-client', user=7)"


def test_default_store_is_at_the_location_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BLUEJEANS_TOKEN_STORE", str(tmp_path / "tokens.json"))
    store = default_store()
    assert isinstance(store, FileTokenStore)
    assert store.path == str(tmp_path / "tokens.json")
