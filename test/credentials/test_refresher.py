"""Single-flight refresh, early refresh and expiry, by the sandbox's count of requests and a fake clock."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.credentials.attempt import Attempt, Refresh
from BlueJeansMeetingsRestApi.credentials.token import Clock, refresh_due
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.credentials import LIFETIME, TIMEOUT, WINDOW, another, at_once, grants, requesting
from support.fake_clock import FakeClock
from support.recording_server import RecordingServer, SilentResponse, http_response, never_respond, unused_port

pytestmark = pytest.mark.usefixtures("no_token_in_any_log")


class TestSingleFlight:
    """Many threads that find no valid token."""

    @pytest.mark.fault(34, "64 threads ask, and there is no token yet", "one request, and all get its token")
    def test_64_threads_without_a_token_send_one_request(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        tokens = at_once(64, client.get_token)
        assert (grants(bluejeans_sandbox), len(set(tokens))) == (1, 1)

    @pytest.mark.fault(34, "64 threads find the token expired", "one request, and all get its token")
    def test_64_threads_with_an_expired_token_send_one_request(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        old = client.get_token()
        clock.forward(LIFETIME)
        tokens = at_once(64, client.get_token)
        assert (grants(bluejeans_sandbox), len(set(tokens))) == (2, 1)
        assert tokens[0] != old

    @pytest.mark.fault(34, "the one request fails", "all who waited get its error", "BadRequestError")
    def test_64_threads_share_the_error_of_one_request(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        bluejeans_sandbox.fail_next(64, status=400)
        errors = at_once(64, client.get_token)
        assert Counter(type(error) for error in errors) == {bluejeans.BadRequestError: 64}
        assert grants(bluejeans_sandbox) == 1
        assert len({id(error) for error in errors}) == 64

    def test_shared_errors_have_the_cause_of_the_first(self, clock: FakeClock) -> None:
        with requesting(f"http://127.0.0.1:{unused_port()}", clock) as credentials:
            causes = {error.__cause__ for error in at_once(8, credentials.get_token)}
        assert [type(cause).__module__ for cause in causes] == ["urllib3.exceptions"]

    def test_unexpected_error_is_the_cause_of_its_shared_copies(
        self, client: bluejeans.ClientCredentials, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mistake = RuntimeError("a mistake")

        def fetch(*_: Any) -> Any:
            raise mistake

        monkeypatch.setattr(client, "fetch", fetch)
        errors = at_once(8, client.get_token)
        assert [type(error) for error in errors] == [RuntimeError] * 8
        assert {error.__cause__ for error in errors if error is not mistake} == {mistake}

    def test_same_thread_may_try_again_at_once_after_a_failure(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        bluejeans_sandbox.fail_next(status=400)
        with pytest.raises(bluejeans.BadRequestError):
            client.get_token()
        assert client.get_token().token

    @pytest.mark.fault(34, "the one request gets no answer", "all who waited get the error", "ApiTimeoutError")
    def test_64_threads_share_a_timeout_of_one_request(self, clock: FakeClock) -> None:
        with RecordingServer([never_respond]) as server, requesting(server.url, clock, read_timeout=0.3) as credentials:
            errors = at_once(64, credentials.get_token)
            assert {type(error) for error in errors} == {bluejeans.ApiTimeoutError}
            assert len(server.requests) == 1

    @pytest.mark.fault(
        34, "a thread that waits for another's refresh has less time", "it stops at its own timeout", "ApiTimeoutError"
    )
    def test_waiting_thread_raises_after_its_timeout(self, clock: FakeClock) -> None:
        silence = SilentResponse()
        with RecordingServer([silence]) as server, ThreadPoolExecutor(1) as pool:
            credentials = requesting(server.url, clock)
            leader = pool.submit(credentials.get_token, 1)
            assert silence.requested.wait(TIMEOUT)
            with pytest.raises(bluejeans.ApiTimeoutError, match=r"did not finish in 0\.1 seconds") as caught:
                credentials.get_token(timeout=0.1)
            assert caught.value.status == 0
            assert isinstance(leader.exception(TIMEOUT), bluejeans.ApiTimeoutError)

    @pytest.mark.fault(34, "the refreshing thread has less time than a waiting one", "the waiting thread refreshes")
    def test_waiting_thread_with_a_longer_timeout_tries_again(self, clock: FakeClock) -> None:
        silence = SilentResponse()
        granted = http_response({"access_token": "a-token", "expires_in": 60})
        with RecordingServer([silence, granted]) as server, ThreadPoolExecutor(1) as pool:
            credentials = requesting(server.url, clock)
            leader = pool.submit(credentials.get_token, 0.3)
            assert silence.requested.wait(TIMEOUT)
            assert credentials.get_token(timeout=TIMEOUT).token == "a-token"
            assert isinstance(leader.exception(TIMEOUT), bluejeans.ApiTimeoutError)

    def test_timeout_limits_a_refresh_token_grant(self, clock: FakeClock) -> None:
        with RecordingServer([never_respond]) as server:
            api = requesting(server.url, clock, call_timeout=TIMEOUT, read_timeout=TIMEOUT).api
            credentials = bluejeans.RefreshTokenCredentials("id", "canary-secret", "canary-refresh", api=api)
            with pytest.raises(bluejeans.ApiTimeoutError):
                credentials.get_token(timeout=0.1)

    @pytest.mark.fault(9, "Ctrl-C in the refreshing thread", "the others get the token")
    def test_interrupted_refresh_is_continued_by_a_waiting_thread(self, clock: FakeClock) -> None:
        class Interrupted(BaseException):
            """As a Ctrl-C, which only a main thread gets."""

        granted = http_response({"access_token": "a-token", "expires_in": 60})
        with RecordingServer([granted]) as server, requesting(server.url, clock) as credentials:
            interrupted = threading.Event()
            request = credentials.fetch

            def interrupt(*args: Any) -> Any:
                if not interrupted.is_set():
                    interrupted.set()
                    raise Interrupted
                return request(*args)

            credentials.fetch = interrupt  # type: ignore[method-assign]
            with ThreadPoolExecutor(8) as pool:
                outcomes = [pool.submit(credentials.get_token) for _ in range(8)]
                errors = [outcome.exception(TIMEOUT) for outcome in outcomes]
            assert Counter(type(error) for error in errors) == {Interrupted: 1, type(None): 7}
            assert len(server.requests) == 1

    def test_abandoned_refresh_is_taken_over(self, client: bluejeans.ClientCredentials) -> None:
        abandoned = Attempt(threading.Event())
        abandoned.number, abandoned.deadline, abandoned.is_overdue = 1, time.monotonic() - 11, True
        client.refresher._process.in_flight = abandoned
        assert client.get_token().token

    def test_negative_timeout_raises_value_error(self, client: bluejeans.ClientCredentials) -> None:
        with pytest.raises(ValueError, match="timeout must be a positive number of seconds, not -1"):
            client.get_token(-1)


class TestLifetime:
    """Fresh, due, expired."""

    def test_fresh_token_is_returned_without_a_request(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        token = client.get_token()
        clock.forward(LIFETIME - WINDOW - 1)
        assert client.get_token() is token
        assert grants(bluejeans_sandbox) == 1

    def test_cached_token_is_returned_without_reading_the_boot_clock(
        self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        credentials = bluejeans.ClientCredentials(bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret, api=api)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now)
        token = credentials.get_token()
        assert credentials.get_token() is token
        monkeypatch.delattr(Clock, "boot")
        assert credentials.get_token() is token

    def test_cached_token_is_not_returned_once_it_is_due(
        self, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now)
        monkeypatch.setattr(Clock, "boot", lambda _: now)
        old, new = (http_response({"access_token": token, "expires_in": 10}) for token in ("old", "new"))
        with RecordingServer([old, new]) as server:
            identity = ("id", "canary-secret")
            credentials = bluejeans.ClientCredentials(*identity, api=requesting(server.url, clock).api)
            tokens = []
            for seconds in (0, 8.9, 0.7):  # it is due half a second to a second before its expiry
                now += seconds
                tokens.append(credentials.get_token().token)
        assert tokens == ["old", "old", "new"]

    @pytest.mark.fault(35, "the token is in its last tenth, at most five minutes", "one caller refreshes it")
    def test_due_token_is_refreshed_by_its_caller(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        token = client.get_token()
        clock.forward(LIFETIME - WINDOW / 2 + 1)
        assert client.get_token() != token
        assert grants(bluejeans_sandbox) == 2

    def test_processes_refresh_at_different_times(self) -> None:
        due = [refresh_due(LIFETIME, chance) for chance in (0.0, 0.5, 1.0)]
        assert due == [WINDOW, WINDOW * 0.75, WINDOW * 0.5]

    @pytest.mark.fault(35, "a token is being refreshed early", "the others get the valid token, without waiting")
    def test_other_callers_get_the_valid_token_during_an_early_refresh(self, clock: FakeClock) -> None:
        asked, go_on = threading.Event(), threading.Event()

        def answer_later(connection: Any) -> None:
            asked.set()
            go_on.wait(TIMEOUT)
            connection.sendall(http_response({"access_token": "new", "expires_in": LIFETIME}, Connection="close"))

        old = http_response({"access_token": "old", "expires_in": LIFETIME})
        with RecordingServer([old, answer_later]) as server, requesting(server.url, clock) as credentials:
            credentials.get_token()
            clock.forward(LIFETIME - WINDOW / 2 + 1)
            with ThreadPoolExecutor(1) as pool:
                refreshed = pool.submit(credentials.get_token)
                assert asked.wait(TIMEOUT)
                assert {credentials.get_token().token for _ in range(100)} == {"old"}
                go_on.set()
                assert refreshed.result(TIMEOUT).token == "new"
            assert credentials.get_token().token == "new"
            assert len(server.requests) == 2

    def test_refresh_in_background_runs_in_another_thread(
        self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi, clock: FakeClock
    ) -> None:
        refreshed = threading.Semaphore(0)
        credentials = bluejeans.ClientCredentials(
            bluejeans_sandbox.client_id,
            bluejeans_sandbox.client_secret,
            api=api,
            clock=clock,
            refresh_in_background=True,
            on_refresh=lambda _: refreshed.release(),
        )
        old = credentials.get_token()
        assert refreshed.acquire(timeout=TIMEOUT)
        clock.forward(LIFETIME - WINDOW / 2 + 1)
        assert credentials.get_token() == old
        assert refreshed.acquire(timeout=TIMEOUT)
        assert credentials.get_token() != old
        assert grants(bluejeans_sandbox) == 2

    def test_finished_background_refresh_leaves_no_exit_handler(
        self, client: bluejeans.ClientCredentials, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_end: list[Any] = []
        functions = SimpleNamespace(register=lambda wait, _: at_end.append(wait), unregister=at_end.remove)
        monkeypatch.setattr("BlueJeansMeetingsRestApi.credentials.refresher.atexit", functions)
        refreshed = threading.Semaphore(0)
        credentials = another(client, refresh_in_background=True, clock=clock, on_refresh=lambda _: refreshed.release())
        for _ in range(3):
            credentials.get_token()
            assert refreshed.acquire(timeout=TIMEOUT)
            assert at_end == []
            clock.forward(LIFETIME - WINDOW / 2 + 1)

    @pytest.mark.fault(35, "an early refresh fails", "logged once, and not raised while the token is valid")
    def test_failed_early_refresh_is_logged_once_and_not_raised(
        self,
        client: bluejeans.ClientCredentials,
        bluejeans_sandbox: Sandbox,
        clock: FakeClock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        token = client.get_token()
        clock.forward(LIFETIME - WINDOW / 2 + 1)
        bluejeans_sandbox.fail_next(100, status=503)
        for _ in range(100):
            assert client.get_token() == token
        assert grants(bluejeans_sandbox) == 2
        assert [record.levelname for record in caplog.records if "could not be refreshed" in record.message] == [
            "WARNING"
        ]

    @pytest.mark.fault(35, "100,000 calls while refreshes fail", "at most 4 requests, with backoff")
    def test_failed_early_refreshes_are_repeated_with_backoff(
        self,
        client: bluejeans.ClientCredentials,
        bluejeans_sandbox: Sandbox,
        clock: FakeClock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        client.get_token()
        clock.forward(LIFETIME - WINDOW)
        bluejeans_sandbox.fail_next(1000, status=503)
        for _ in range(WINDOW):
            for _ in range(333):
                client.get_token()
            clock.forward(0.999)
        failures = grants(bluejeans_sandbox) - 1
        assert 2 <= failures <= 4
        told = [record for record in caplog.records if "could not be refreshed" in record.message]
        assert [record.levelname for record in told] == ["WARNING", *["DEBUG"] * (failures - 1)]
        for record in told:
            assert record.message.startswith("The client_credentials token could not be refreshed and is valid for ")
            assert "s: (503) Reason: Service Unavailable POST http" in record.message

    @pytest.mark.parametrize("kind", ["client", "user", "meeting", "sign-in"])
    def test_early_refresh_makes_a_single_attempt(
        self, kind: str, request: pytest.FixtureRequest, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        """There is time for another one later."""
        sandbox, options = bluejeans_sandbox, {"api": request.getfixturevalue("api"), "clock": clock}
        credentials: bluejeans.Credentials = {
            "client": lambda: request.getfixturevalue("client"),
            "user": lambda: bluejeans.PasswordCredentials(sandbox.username, sandbox.password, **options),
            "meeting": lambda: bluejeans.MeetingCredentials(sandbox.open_meeting_numeric_id, **options),
            "sign-in": lambda: request.getfixturevalue("signed_in"),
        }[kind]()
        token = credentials.get_token()
        clock.forward(token.expires_at - clock.wall() - 100)
        sandbox.fail_next(10, status=503)
        before = grants(sandbox)
        assert credentials.get_token() == token
        assert grants(sandbox) == before + 1

    @pytest.mark.fault(35, "refreshes fail until the expiry", "the error, and never an expired token", "ServiceError")
    def test_expired_token_is_not_returned_however_long_refreshes_fail(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        token = client.get_token()
        bluejeans_sandbox.fail_next(1000, status=500)
        clock.forward(LIFETIME - 140)
        while clock.wall() < token.expires_at:
            assert client.get_token() == token
            clock.forward(7)
        with pytest.raises(bluejeans.ServiceError):
            client.get_token()

    def test_caller_refreshes_if_no_thread_can_be_started(
        self, client: bluejeans.ClientCredentials, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        credentials = another(client, refresh_in_background=True, clock=clock)
        token = credentials.get_token()
        clock.forward(LIFETIME - WINDOW / 2 + 1)
        monkeypatch.setattr(threading.Thread, "start", none)
        assert credentials.get_token() != token

    def test_failed_refresh_of_an_expired_token_is_raised(
        self,
        client: bluejeans.ClientCredentials,
        bluejeans_sandbox: Sandbox,
        clock: FakeClock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        client.get_token()
        clock.forward(LIFETIME)
        bluejeans_sandbox.fail_next(status=400)
        with pytest.raises(bluejeans.BadRequestError):
            client.get_token()
        assert "could not be refreshed" not in caplog.text  # it is the caller's, and told once

    @pytest.mark.parametrize("grant", [{"expires_in": 0}, {}, {"expires_in": None}])
    def test_token_without_expires_in_is_used_once(self, clock: FakeClock, grant: dict[str, Any]) -> None:
        with (
            RecordingServer([http_response({"access_token": "a-token", **grant})]) as server,
            requesting(server.url, clock) as credentials,
        ):
            assert [credentials.get_token().token for _ in range(3)] == ["a-token"] * 3
            assert len(server.requests) == 3

    def test_lifetime_counts_from_before_the_request(self, clock: FakeClock) -> None:
        asked_at = clock.wall()

        def answer_late(connection: Any) -> None:
            clock.forward(7)
            connection.sendall(http_response({"access_token": "a-token", "expires_in": 60}))

        with RecordingServer([answer_late]) as server, requesting(server.url, clock) as credentials:
            assert credentials.get_token().expires_at == asked_at + 60


class TestClocks:
    @pytest.mark.fault(37, "the wall clock is set back a day", "the time since boot ends the token")
    def test_token_expires_by_the_boot_clock_if_the_wall_clock_is_set_back(
        self, client: bluejeans.ClientCredentials, clock: FakeClock
    ) -> None:
        token = client.get_token()
        clock.set_wall(-86400)
        assert client.get_token() is token
        clock.forward(LIFETIME)
        assert client.get_token() != token

    @pytest.mark.fault(37, "the wall clock is set forward a day", "the token is refreshed")
    def test_token_is_refreshed_if_the_wall_clock_is_set_forward(
        self, client: bluejeans.ClientCredentials, clock: FakeClock
    ) -> None:
        token = client.get_token()
        clock.set_wall(86400)
        assert client.get_token() != token

    def test_system_wall_clock_is_read_for_each_call(
        self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        credentials = bluejeans.ClientCredentials(bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret, api=api)
        tokens = [credentials.get_token() for _ in range(3)]
        for set_to in (time.time() - 86400, time.time() + 86400):
            monkeypatch.setattr(time, "time", lambda set_to=set_to: set_to)
            tokens += [credentials.get_token(), credentials.get_token()]
        assert [len(set(tokens[:5])), len(set(tokens[5:])), len(set(tokens))] == [1, 1, 2]

    @pytest.mark.parametrize("shared", ["memory", "file"])
    def test_stored_token_does_not_last_longer_if_the_clock_is_set_back(
        self, client: bluejeans.ClientCredentials, clock: FakeClock, shared: str, tmp_path: Path
    ) -> None:
        store = bluejeans.MemoryTokenStore() if shared == "memory" else bluejeans.FileTokenStore(tmp_path / "f")
        first, second = (another(client, store=store, clock=clock) for _ in range(2))
        token = first.get_token()
        clock.forward(LIFETIME - 60)
        clock.set_wall(-1800)
        assert second.get_token() == token
        clock.forward(60)
        assert another(client, store=store, clock=clock).get_token() != token

    def test_stored_token_of_another_boot_expires_by_the_wall_clock(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        store = bluejeans.MemoryTokenStore()
        token = another(client, store=store, clock=FakeClock(bluejeans_sandbox, "a boot")).get_token()
        other = FakeClock(bluejeans_sandbox, "another boot")
        assert another(client, store=store, clock=other).get_token() == token
        other.set_wall(-86400)  # before the token was made
        assert another(client, store=store, clock=other).get_token() != token


class TestRefreshEvents:
    def test_each_refresh_logs_a_line_without_the_token(
        self, client: bluejeans.ClientCredentials, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        token = client.get_token()
        [line] = [r.getMessage() for r in caplog.records if r.name == "BlueJeansMeetingsRestApi.credentials"]
        assert line.startswith("The client_credentials token was refreshed in 0.")
        assert line.endswith(" s and is valid for 3600 s")
        assert token.token not in caplog.text

    def test_lifetime_beyond_any_calendar_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        with RecordingServer([http_response({"access_token": "t", "expires_in": 10**17})]) as server:
            configuration = bluejeans.Configuration()
            configuration.host = server.url
            with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
                assert bluejeans.ClientCredentials("id", "secret", api=api).get_token().token == "t"
        assert "is valid for 1000000000000000" in caplog.text

    def test_on_refresh_gets_each_refresh(self, client: bluejeans.ClientCredentials, clock: FakeClock) -> None:
        told: list[Refresh] = []
        credentials = another(client, on_refresh=told.append, clock=clock)
        token = credentials.get_token()
        assert told == [Refresh("client_credentials", 0.0, token.expires_at)]

    def test_on_refresh_may_call_get_token(self, client: bluejeans.ClientCredentials) -> None:
        told: list[Any] = []
        credentials = another(client, on_refresh=lambda _: told.append(credentials.get_token()))
        assert credentials.get_token() == told[0]

    def test_error_in_on_refresh_is_logged(
        self, client: bluejeans.ClientCredentials, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(_: Refresh) -> None:
            raise RuntimeError("metrics are down")

        assert another(client, on_refresh=fail).get_token().token
        assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
            "on_refresh failed"
        ]
