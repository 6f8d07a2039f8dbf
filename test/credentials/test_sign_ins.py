"""Refresh tokens: each is used once, and its successor is never lost."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.credentials.attempt import Threads
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from BlueJeansMeetingsRestApi.token_stores import StoredToken, TokenStore
from support.credentials import LIFETIME, SIGN_IN_AGAIN, WINDOW, UnavailableStore, grants, requesting, sign_in
from support.fake_clock import FakeClock
from support.recording_server import RecordingServer, http_response

pytestmark = pytest.mark.usefixtures("no_token_in_any_log")


class TestSignIns:
    @pytest.fixture
    def shared(self, tmp_path: Path) -> TokenStore:
        return bluejeans.FileTokenStore(tmp_path / "tokens.json")

    def test_each_refresh_uses_the_newest_refresh_token(
        self, signed_in: bluejeans.RefreshTokenCredentials, clock: FakeClock, bluejeans_sandbox: Sandbox
    ) -> None:
        tokens = set()
        for _ in range(3):
            tokens.add(signed_in.get_token())
            clock.forward(LIFETIME)
        assert (len(tokens), grants(bluejeans_sandbox)) == (3, 3)

    def test_old_refresh_token_is_used_if_the_response_has_none(self, clock: FakeClock) -> None:
        with RecordingServer([http_response({"access_token": "a-token", "expires_in": 60})]) as server:
            api = requesting(server.url, clock).api
            credentials = bluejeans.RefreshTokenCredentials("id", "secret", "first", api=api, clock=clock)
            for _ in range(2):
                credentials.get_token()
                clock.forward(60)
            assert [request.json["refresh_token"] for request in server.requests] == ["first", "first"]

    def test_successor_is_stored_before_the_access_token_is_returned(
        self,
        signed_in: bluejeans.RefreshTokenCredentials,
        api: bluejeans.AuthenticationApi,
        bluejeans_sandbox: Sandbox,
        clock: FakeClock,
        shared: TokenStore,
    ) -> None:
        of_client = {"client_id": bluejeans_sandbox.client_id, "client_secret": bluejeans_sandbox.client_secret}
        first = signed_in.refresher.refresh_token

        def process() -> bluejeans.RefreshTokenCredentials:
            return bluejeans.RefreshTokenCredentials(
                **of_client, refresh_token=first, api=api, store=shared, clock=clock
            )

        for _ in range(3):  # each is started with the first refresh token, which was used long ago
            assert process().get_token().token
            clock.forward(LIFETIME)
        assert grants(bluejeans_sandbox) == 4

    def test_sign_in_is_stored_for_the_next_process(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, shared: TokenStore, clock: FakeClock
    ) -> None:
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        grant = sign_in(bluejeans_sandbox, api)
        bluejeans.RefreshTokenCredentials.of_grant(*client, grant, api=api, store=shared, clock=clock)
        later = bluejeans.RefreshTokenCredentials(*client, api=api, store=shared, clock=clock)
        assert later.get_token().token == grant.access_token
        clock.forward(LIFETIME * 24 * 90)
        assert later.get_token().token != grant.access_token

    def test_refused_sign_in_is_stored_for_30_days(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        written = []

        class Watched(bluejeans.MemoryTokenStore):
            @contextlib.contextmanager
            def lock(self, key: str, seconds: float) -> Iterator[int]:
                with super().lock(key, seconds):
                    yield 7

            def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
                written.append((key, seconds, fence))
                return super().write(key, text, seconds, fence)

        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        credentials = bluejeans.RefreshTokenCredentials.of_grant(
            *client, sign_in(bluejeans_sandbox, api), api=api, store=Watched(), clock=clock
        )
        bluejeans_sandbox.revoke_tokens()
        clock.forward(LIFETIME)
        with pytest.raises(bluejeans.ReauthenticationRequired):
            credentials.get_token()
        assert written == [(credentials.store_key, None, 7), (credentials.store_key, 30 * 24 * 3600, 7)]

    @pytest.mark.parametrize(("expires_in", "asked"), [(LIFETIME, ["ours"]), (0, ["ours", "theirs"])])
    def test_used_refresh_token_leads_to_its_stored_successor(
        self, clock: FakeClock, expires_in: float, asked: list[str]
    ) -> None:
        store = bluejeans.MemoryTokenStore()

        def answer_after_another(connection: socket.socket) -> None:
            ends = clock.wall() + expires_in, clock.boot() + expires_in
            theirs = StoredToken("their token", LIFETIME, *ends, clock.boot_id, "theirs")
            store.save(credentials.store_key, theirs, None, 0)
            connection.sendall(http_response({"message": "It was used."}, status=401))

        with RecordingServer(
            [answer_after_another, http_response({"access_token": "its next", "expires_in": 60})]
        ) as server:
            api = requesting(server.url, clock).api
            credentials = bluejeans.RefreshTokenCredentials("id", "s", "ours", api=api, store=store, clock=clock)
            token = credentials.get_token().token
        assert token == ("their token" if expires_in else "its next")
        assert [request.json["refresh_token"] for request in server.requests] == asked

    def test_refusal_is_raised_even_if_the_store_fails(self, clock: FakeClock) -> None:
        store = UnavailableStore()

        def answer_and_break(connection: socket.socket) -> None:
            store.cannot = {"read"}
            connection.sendall(http_response(status=401))

        with RecordingServer([answer_and_break]) as server:
            api = requesting(server.url, clock).api
            credentials = bluejeans.RefreshTokenCredentials("id", "s", "ours", api=api, store=store, clock=clock)
            with pytest.raises(bluejeans.ReauthenticationRequired, match="refresh token was refused"):
                credentials.get_token()

    def test_unsaved_refresh_token_is_not_replaced_by_an_older_one(
        self, clock: FakeClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = UnavailableStore()
        grant = bluejeans.GrantCode(access_token="first", expires_in=60, refresh_token="newer")
        with RecordingServer(
            [http_response({"access_token": "second", "expires_in": 60, "refresh_token": "newest"})]
        ) as server:
            options: Any = {"api": requesting(server.url, clock).api, "store": store, "clock": clock}
            older = bluejeans.GrantCode(access_token="old", expires_in=60, refresh_token="older")
            bluejeans.RefreshTokenCredentials.of_grant("id", "s", older, **options)
            store.cannot = {"write"}
            credentials = bluejeans.RefreshTokenCredentials.of_grant("id", "s", grant, **options)
            assert caplog.messages == ["The sign-in is not stored: it is down"]
            store.cannot = set()
            clock.forward(60)
            credentials.get_token()
        assert server.requests[0].json["refresh_token"] == "newer"

    def test_two_processes_continue_with_each_others_refresh_tokens(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, shared: TokenStore, clock: FakeClock
    ) -> None:
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        options: Any = {"api": api, "store": shared, "clock": clock}
        one = bluejeans.RefreshTokenCredentials.of_grant(*client, sign_in(bluejeans_sandbox, api), **options)
        other = bluejeans.RefreshTokenCredentials(*client, **options)
        for credentials in (one, other, one, one, other):
            clock.forward(LIFETIME)
            assert credentials.get_token().token
        assert [seen.status for seen in bluejeans_sandbox.requests] == 6 * [200]  # with the sign-in's own

    def test_new_sign_in_replaces_a_refused_refresh_token(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        store = UnavailableStore()
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        options: Any = {"api": api, "store": store, "clock": clock}
        credentials = bluejeans.RefreshTokenCredentials.of_grant(*client, sign_in(bluejeans_sandbox, api), **options)
        store.cannot = {"write"}
        clock.forward(LIFETIME)
        credentials.get_token()  # its refresh token could not be stored
        bluejeans_sandbox.revoke_tokens()
        store.cannot = set()
        again = bluejeans.RefreshTokenCredentials.of_grant(*client, sign_in(bluejeans_sandbox, api), **options)
        store.cannot = {"read"}
        with pytest.raises(bluejeans.ReauthenticationRequired):  # which it could not see yet
            _ = credentials.invalidate() or credentials.get_token()
        store.cannot = set()
        assert credentials.get_token() == again.get_token()

    def test_unsaved_refresh_token_is_saved_by_the_next_refresh(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        store = UnavailableStore()
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        credentials = bluejeans.RefreshTokenCredentials.of_grant(
            *client, sign_in(bluejeans_sandbox, api), api=api, store=store, clock=clock
        )
        store.cannot = {"write"}
        clock.forward(LIFETIME)
        credentials.get_token()
        store.cannot = set()
        clock.forward(LIFETIME)
        token = credentials.get_token()
        later = bluejeans.RefreshTokenCredentials(*client, api=api, store=store, clock=clock)
        assert later.get_token() == token

    def test_unsaved_refresh_token_is_saved_once_the_store_works(
        self,
        api: bluejeans.AuthenticationApi,
        bluejeans_sandbox: Sandbox,
        clock: FakeClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        store = UnavailableStore()
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        credentials = bluejeans.RefreshTokenCredentials.of_grant(
            *client, sign_in(bluejeans_sandbox, api), api=api, store=store, clock=clock
        )
        clock.forward(LIFETIME)
        store.cannot = {"write"}
        token = credentials.get_token()
        before, now = grants(bluejeans_sandbox), time.monotonic()
        for seconds in (10, 20):  # the store fails once more, and then works
            monkeypatch.setattr(Threads, "monotonic", staticmethod(lambda seconds=seconds: now + seconds))
            clock.forward(2)
            assert credentials.get_token() == token
            store.cannot = set()
        stored = store.load(credentials.store_key)
        assert stored is not None
        assert (stored.access_token, stored.refresh_token) == (token.token, credentials.refresher.refresh_token)
        assert grants(bluejeans_sandbox) == before

    def test_early_refresh_waits_until_the_store_works(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        store = UnavailableStore()
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        credentials = bluejeans.RefreshTokenCredentials.of_grant(
            *client, sign_in(bluejeans_sandbox, api), api=api, store=store, clock=clock
        )
        token = credentials.get_token()
        store.cannot = {"lock", "read", "write"}
        clock.forward(LIFETIME - 100)
        assert credentials.get_token() == token
        assert grants(bluejeans_sandbox) == 1
        store.cannot = set()
        clock.forward(90)
        assert credentials.get_token() != token

    def test_successor_is_stored_again_if_the_lease_was_lost(self, clock: FakeClock) -> None:
        class LosesItsLease(bluejeans.MemoryTokenStore):
            fence = 0

            @contextlib.contextmanager
            def lock(self, key: str, seconds: float) -> Iterator[int]:
                with super().lock(key, seconds):
                    self.fence += 1
                    yield self.fence

            def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
                return fence == 2 and super().write(key, text, seconds, fence)

        store = LosesItsLease()
        grant = {"access_token": "a-token", "expires_in": 60, "refresh_token": "successor"}
        with RecordingServer([http_response(grant)]) as server:
            api = requesting(server.url, clock).api
            credentials = bluejeans.RefreshTokenCredentials("id", "s", "first", api=api, store=store, clock=clock)
            assert credentials.get_token().token == "a-token"
        stored = store.load(credentials.store_key)
        assert stored is not None
        assert stored.refresh_token == "successor"

    def test_revoke_of_a_refused_sign_in_deletes_it_from_the_store(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, shared: TokenStore, clock: FakeClock
    ) -> None:
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        credentials = bluejeans.RefreshTokenCredentials.of_grant(
            *client, sign_in(bluejeans_sandbox, api), api=api, store=shared, clock=clock
        )
        bluejeans_sandbox.revoke_tokens()
        clock.forward(LIFETIME)
        with pytest.raises(bluejeans.ReauthenticationRequired):
            credentials.revoke()
        assert shared.load(credentials.store_key) is None

    def test_sign_in_works_without_its_store(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        store = UnavailableStore({"lock", "read", "write"})
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        credentials = bluejeans.RefreshTokenCredentials.of_grant(
            *client, sign_in(bluejeans_sandbox, api), api=api, store=store, clock=clock
        )
        assert credentials.get_token().token
        clock.forward(LIFETIME)
        assert credentials.get_token().token

    def test_loading_a_token_also_loads_its_refresh_token(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        first_store, second_store = UnavailableStore(), UnavailableStore()
        second_store.texts = first_store.texts
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        spent = str(sign_in(bluejeans_sandbox, api).refresh_token)
        options: Any = {"refresh_token": spent, "api": api, "clock": clock}
        first = bluejeans.RefreshTokenCredentials(*client, store=first_store, **options)
        second = bluejeans.RefreshTokenCredentials(*client, store=second_store, **options)
        assert first.get_token() == second.get_token()
        second_store.cannot = {"lock", "read", "write"}
        clock.forward(LIFETIME)
        assert second.get_token().token

    def test_unavailable_store_does_not_require_a_new_sign_in(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox
    ) -> None:
        credentials = bluejeans.RefreshTokenCredentials(
            "id", "secret", api=api, store=UnavailableStore({"lock", "read", "write"})
        )
        with pytest.raises(bluejeans.ApiConnectionError) as caught:
            credentials.get_token()
        assert str(caught.value) == "(0)\nReason: the sign-in is in a store that cannot be used now: it is down\n"
        assert bluejeans_sandbox.requests == []

    def test_store_without_a_sign_in_requires_one(
        self, api: bluejeans.AuthenticationApi, shared: TokenStore, bluejeans_sandbox: Sandbox
    ) -> None:
        credentials = bluejeans.RefreshTokenCredentials("id", "secret", api=api, store=shared)
        with pytest.raises(bluejeans.ReauthenticationRequired) as caught:
            credentials.get_token()
        assert str(caught.value) == f"(0)\nReason: the store has no sign-in of this client\n{SIGN_IN_AGAIN}\n"
        assert bluejeans_sandbox.requests == []

    @pytest.mark.parametrize(
        ("credentials", "key"),
        [
            (
                lambda api: bluejeans.ClientCredentials("id", "secret", api=api),
                "1a152b82a0ce2c9cbad0dbe59a61fdc6598fa86d2c569c9cca6e7de5c371d6c7",
            ),
            (
                lambda api: bluejeans.PasswordCredentials("user", "password", api=api),
                "3b84fedf71d0d070451176e8538a41c9b5c5c8c635858324bfbe09681ae41bc9",
            ),
            (
                lambda api: bluejeans.MeetingCredentials("1", "2", api=api),
                "decd22fce81bd999bd7c3364c0420e40cdf8c1f5840e0547cfddc35b5801b1e7",
            ),
            (
                lambda api: bluejeans.RefreshTokenCredentials("id", "secret", "token", api=api),
                "80a2ae9ba58016d92846d0f2c940383dbdb72f416c3483120171f3abb9697f73",
            ),
        ],
    )
    def test_store_keys_do_not_change_between_versions(
        self, credentials: Callable[[bluejeans.AuthenticationApi], bluejeans.Credentials], key: str
    ) -> None:
        configuration = bluejeans.Configuration()
        configuration.host = "https://api.example"
        assert credentials(bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))).store_key == key

    def test_two_users_of_one_client_have_separate_tokens(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, shared: TokenStore
    ) -> None:
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        ann, bob = (
            bluejeans.RefreshTokenCredentials(
                *client, str(sign_in(bluejeans_sandbox, api).refresh_token), api=api, store=shared
            )
            for _ in range(2)
        )
        assert ann.get_token() != bob.get_token()

    def test_revoke_ends_the_sign_in_at_the_service_and_in_the_store(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, shared: TokenStore
    ) -> None:
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        grant = sign_in(bluejeans_sandbox, api)
        credentials = bluejeans.RefreshTokenCredentials.of_grant(*client, grant, api=api, store=shared)
        credentials.revoke()
        with pytest.raises(bluejeans.UnauthorizedError):
            api.get_token_info(access_token=grant.access_token)
        for spent in (credentials, bluejeans.RefreshTokenCredentials(*client, api=api, store=shared)):
            with pytest.raises(bluejeans.ReauthenticationRequired):
                spent.get_token()

    def test_revoked_refresh_token_is_not_sent_again(
        self, signed_in: bluejeans.RefreshTokenCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        signed_in.revoke()
        before = grants(bluejeans_sandbox)
        with pytest.raises(bluejeans.ReauthenticationRequired) as caught:
            signed_in.get_token()
        assert str(caught.value) == f"(0)\nReason: the sign-in was revoked\n{SIGN_IN_AGAIN}\n"
        assert grants(bluejeans_sandbox) == before

    @pytest.mark.parametrize(("asked_before", "counts"), [(None, 0), (0, 0), (2000, 2000), (-50, 0)])
    def test_token_of_a_sign_in_expires_from_the_time_of_its_request(
        self,
        api: bluejeans.AuthenticationApi,
        bluejeans_sandbox: Sandbox,
        clock: FakeClock,
        asked_before: float | None,
        counts: float,
    ) -> None:
        asked_at = None if asked_before is None else clock.wall() - asked_before
        credentials = bluejeans.RefreshTokenCredentials.of_grant(
            bluejeans_sandbox.client_id,
            bluejeans_sandbox.client_secret,
            sign_in(bluejeans_sandbox, api),
            asked_at,
            api=api,
            clock=clock,
        )
        first = credentials.get_token()
        assert first.expires_at == clock.wall() + LIFETIME - counts
        clock.set_wall(-86400)  # so that it expires only by the time since boot
        clock.forward(LIFETIME - counts - WINDOW - 1)
        assert credentials.get_token() == first
        clock.forward(WINDOW + 1)
        assert credentials.get_token() != first

    def test_grant_without_a_refresh_token_is_refused(self, shared: TokenStore) -> None:
        grant = bluejeans.GrantCode(access_token="t", expires_in=3600)
        with pytest.raises(bluejeans.ApiResponseError) as caught:
            bluejeans.RefreshTokenCredentials.of_grant("id", "secret", grant, store=shared)
        why = "the grant has no refresh token, and its code is used"
        assert str(caught.value) == f"(0)\nReason: {why}\n"

    def test_tokens_are_stored_with_the_fence_of_the_lock(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        fences = []

        class Fenced(bluejeans.MemoryTokenStore):
            @contextlib.contextmanager
            def lock(self, key: str, seconds: float) -> Iterator[int]:
                with super().lock(key, seconds):
                    yield len(fences) + 7

            def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
                fences.append(fence)
                return super().write(key, text, seconds, fence)

        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        grant, options = sign_in(bluejeans_sandbox, api), {"api": api, "store": Fenced(), "clock": clock}
        credentials = bluejeans.RefreshTokenCredentials.of_grant(*client, grant, **options)
        clock.forward(LIFETIME)
        credentials.get_token()
        assert fences == [7, 8]
