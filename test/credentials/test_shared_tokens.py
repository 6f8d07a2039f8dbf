"""Credentials that share their token in a store."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from BlueJeansMeetingsRestApi.token_stores import StoredToken, TokenStore
from support.credentials import LIFETIME, TIMEOUT, WINDOW, UnavailableStore, another, grants, sign_in
from support.fake_clock import FakeClock

pytestmark = pytest.mark.usefixtures("no_token_in_any_log")


class TestSharedTokens:
    @pytest.fixture(params=["memory", "file", "encrypted file"])
    def store(self, request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore:
        from cryptography.fernet import Fernet

        key = Fernet.generate_key() if "encrypted" in request.param else None
        if request.param == "memory":
            return bluejeans.MemoryTokenStore()
        return bluejeans.FileTokenStore(tmp_path / "tokens.json", encryption_key=key)

    def test_credentials_with_one_store_share_a_token(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, store: TokenStore
    ) -> None:
        tokens = {another(client, store=store).get_token().token for _ in range(3)}
        assert (len(tokens), grants(bluejeans_sandbox)) == (1, 1)

    def test_early_refresh_is_shared_through_the_store(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, store: TokenStore, clock: FakeClock
    ) -> None:
        first, second = (another(client, store=store, clock=clock) for _ in range(2))
        old = (first.get_token(), second.get_token())
        clock.forward(LIFETIME - WINDOW / 2 + 1)
        new = (first.get_token(), second.get_token())
        assert (old[0].token == old[1].token, new[0].token == new[1].token) == (True, True)
        assert (new[0] != old[0], grants(bluejeans_sandbox)) == (True, 2)

    def test_early_refresh_does_not_wait_for_another_process(
        self,
        client: bluejeans.ClientCredentials,
        bluejeans_sandbox: Sandbox,
        store: TokenStore,
        clock: FakeClock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        credentials = another(client, store=store, clock=clock)
        token = credentials.get_token()
        clock.forward(LIFETIME - WINDOW / 2 + 1)
        with store.lock(credentials.store_key, TIMEOUT):
            assert credentials.get_token() == token
        assert grants(bluejeans_sandbox) == 1
        assert [record for record in caplog.records if record.levelname == "WARNING"] == []

    def test_expired_stored_token_is_not_used(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, store: TokenStore, clock: FakeClock
    ) -> None:
        credentials = another(client, store=store, clock=clock)
        credentials.get_token()
        stored = store.load(credentials.store_key)
        assert stored is not None
        later = {"expires_at": stored.expires_at + 5, "boot_expires_at": stored.boot_expires_at + 5}
        store.save(credentials.store_key, replace(stored, access_token="ended", **later), None, 0)
        clock.forward(LIFETIME + 10)
        assert credentials.get_token().token != "ended"
        assert grants(bluejeans_sandbox) == 2

    def test_stored_token_is_used_until_its_expiry(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, store: TokenStore, clock: FakeClock
    ) -> None:
        token = another(client, store=store, clock=clock).get_token()
        clock.forward(LIFETIME - 0.5)
        assert another(client, store=store, clock=clock).get_token() == token
        assert grants(bluejeans_sandbox) == 1

    def test_credentials_with_another_secret_do_not_get_the_stored_token(
        self,
        client: bluejeans.ClientCredentials,
        bluejeans_sandbox: Sandbox,
        api: bluejeans.AuthenticationApi,
        store: TokenStore,
    ) -> None:
        another(client, store=store).get_token()
        with pytest.raises(bluejeans.UnauthorizedError):
            bluejeans.ClientCredentials(bluejeans_sandbox.client_id, "wrong", api=api, store=store).get_token()

    def test_lock_held_by_another_process_raises_a_timeout(
        self, client: bluejeans.ClientCredentials, store: TokenStore
    ) -> None:
        credentials = another(client, store=store)
        with store.lock(credentials.store_key, TIMEOUT), pytest.raises(bluejeans.ApiTimeoutError) as caught:
            credentials.get_token(timeout=0.2)
        said = "(0)\nReason: another process's refresh of the token did not finish in time\n"
        assert str(caught.value) == said

    def test_waiting_for_the_lock_returns_the_token_that_its_holder_stored(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        waits = threading.Event()

        class Watched(bluejeans.MemoryTokenStore):
            def lock(self, key: str, seconds: float) -> contextlib.AbstractContextManager[int]:
                if held.is_set():
                    waits.set()
                return super().lock(key, seconds)

        held, store = threading.Event(), Watched()
        waiting = another(client, store=store, clock=clock)
        with ThreadPoolExecutor(1) as pool:
            with store.lock(waiting.store_key, TIMEOUT) as fence:
                held.set()
                asked = pool.submit(waiting.get_token)
                assert waits.wait(TIMEOUT)
                end, boot_end = clock.wall() + LIFETIME, clock.boot() + LIFETIME
                store.save(
                    waiting.store_key, StoredToken("stored", LIFETIME, end, boot_end, clock.boot_id), None, fence
                )
            assert asked.result(TIMEOUT).token == "stored"
            waits.clear()
            assert another(client, store=store, clock=clock).get_token().token == "stored"
        assert (grants(bluejeans_sandbox), waits.is_set()) == (0, False)  # what is good is taken without the lock

    def test_process_that_lost_its_lease_uses_the_newer_token(
        self, client: bluejeans.ClientCredentials, clock: FakeClock
    ) -> None:
        class Overtaken(bluejeans.MemoryTokenStore):
            """Another process has taken the lock and stored a token."""

            def save(self, key: str, token: StoredToken, seconds: float | None, fence: int) -> bool:
                return not super().save(key, replace(token, access_token="newer"), seconds, fence)

        class Emptied(bluejeans.MemoryTokenStore):
            """And forgotten it again."""

            def save(self, key: str, token: StoredToken, seconds: float | None, fence: int) -> bool:
                return False

        assert another(client, store=Overtaken(), clock=clock).get_token().token == "newer"
        assert len(another(client, store=Emptied(), clock=clock).get_token().token) == 32

    def test_only_entries_with_a_refresh_token_outlive_the_access_token(
        self,
        client: bluejeans.ClientCredentials,
        api: bluejeans.AuthenticationApi,
        bluejeans_sandbox: Sandbox,
        clock: FakeClock,
    ) -> None:
        kept_for = []

        class Watched(bluejeans.MemoryTokenStore):
            def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
                kept_for.append(seconds)
                return super().write(key, text, seconds, fence)

        another(client, store=Watched(), clock=clock).get_token()
        refresh_token = str(sign_in(bluejeans_sandbox, api).refresh_token)
        identity = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret, refresh_token)
        bluejeans.RefreshTokenCredentials(*identity, api=api, store=Watched(), clock=clock).get_token()
        assert kept_for == [LIFETIME, None]

    def test_without_the_lock_tokens_are_stored_with_fence_0(
        self, client: bluejeans.ClientCredentials, clock: FakeClock
    ) -> None:
        fences = []

        class Watched(UnavailableStore):
            def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
                fences.append(fence)
                return super().write(key, text, seconds, fence)

        another(client, store=Watched({"lock"}), clock=clock).get_token()
        assert fences == [0]

    @pytest.mark.fault(36, "the store cannot be used", "the service is asked, and a warning logged")
    def test_unavailable_store_does_not_prevent_a_refresh(
        self,
        client: bluejeans.ClientCredentials,
        bluejeans_sandbox: Sandbox,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        (tmp_path / "file").write_text("")
        credentials = another(client, store=bluejeans.FileTokenStore(tmp_path / "file" / "tokens.json"))
        assert credentials.get_token() is credentials.get_token()
        assert grants(bluejeans_sandbox) == 1
        store = credentials._store
        assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
            f"The token is refreshed without its store: {store!r} cannot be read: Not a directory",
            f"The token is not stored: {store!r} cannot be locked: File exists",
        ]

    def test_revoke_deletes_the_stored_token(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, store: TokenStore
    ) -> None:
        credentials = another(client, store=store)
        credentials.get_token()
        credentials.revoke()
        another(client, store=store).get_token()
        assert grants(bluejeans_sandbox) == 2
