"""Tokens that stay valid, by the sandbox's own count of requests, with a clock that the tests set."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import socket
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import requests

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.renewal import Renewal, _Attempt
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from BlueJeansMeetingsRestApi.token_life import Clock, renewal_due
from BlueJeansMeetingsRestApi.token_stores import StoredToken, TokenStore
from support.fake_clock import FakeClock
from support.recording_server import RecordingServer, SilentResponse, http_response, never_respond, unused_port

pytestmark = pytest.mark.usefixtures("no_token_in_any_log")
TIMEOUT = 60  # seconds after which a test gives up
LIFETIME = 3600  # seconds, of a client's token in the sandbox
WINDOW = 300  # seconds before its end


@pytest.fixture
def clock(bluejeans_sandbox: Sandbox) -> FakeClock:
    return FakeClock(bluejeans_sandbox)


@pytest.fixture
def client(
    bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi, clock: FakeClock
) -> bluejeans.ClientCredentials:
    """Credentials of the sandbox's client."""
    sandbox = bluejeans_sandbox
    return bluejeans.ClientCredentials(sandbox.client_id, sandbox.client_secret, api=api, clock=clock)


@pytest.fixture
def signed_in(
    bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi, clock: FakeClock
) -> bluejeans.RefreshTokenCredentials:
    """Credentials of a user who signed in."""
    return bluejeans.RefreshTokenCredentials.of_grant(
        bluejeans_sandbox.client_id,
        bluejeans_sandbox.client_secret,
        sign_in(bluejeans_sandbox, api),
        api=api,
        clock=clock,
    )


def sign_in(sandbox: Sandbox, api: bluejeans.AuthenticationApi) -> bluejeans.GrantCode:
    grant = api.get_token_by_code(
        {
            "grant_type": "authorization_code",
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "redirectUri": sandbox.redirect_uri,
            "code": sandbox.authorize(),
        }
    )
    assert isinstance(grant, bluejeans.GrantCode)
    return grant


def grants(sandbox: Sandbox) -> int:
    """How many tokens the sandbox was asked for."""
    return sum(seen.path.startswith("/oauth2/token?") for seen in sandbox.requests)


def at_once(threads: int, do: Callable[[], Any]) -> list[Any]:
    """What came of calls that were made at once: values and exceptions."""
    barrier = threading.Barrier(threads)

    def call(_: int) -> Any:
        barrier.wait(TIMEOUT)
        try:
            return do()
        except Exception as error:
            return error

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(call, range(threads)))


class TestKinds:
    def test_a_clients_token(self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox) -> None:
        client.get_token()
        assert bluejeans_sandbox.requests[-1].grant == "client_credentials"

    def test_a_users_token(self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi) -> None:
        sandbox = bluejeans_sandbox
        with bluejeans.PasswordCredentials(sandbox.username, sandbox.password, api=api) as credentials:
            token = credentials.get_token().token
        assert api.get_token_info(access_token=token).user == sandbox.user_id

    @pytest.mark.parametrize("passcode", [None, ""])
    def test_a_token_of_a_meeting_without_a_passcode(
        self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi, passcode: str | None
    ) -> None:
        meeting = bluejeans_sandbox.open_meeting_numeric_id
        assert bluejeans.MeetingCredentials(meeting, passcode, api=api).get_token().token.endswith("@z2")

    def test_a_token_of_a_meeting_with_numbers_for_texts(
        self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi
    ) -> None:
        number, passcode = int(bluejeans_sandbox.meeting_numeric_id), int(bluejeans_sandbox.moderator_passcode)
        assert bluejeans.MeetingCredentials(number, passcode, api=api).get_token()  # type: ignore[arg-type]

    def test_a_token_of_a_sign_in(
        self, signed_in: bluejeans.RefreshTokenCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        signed_in.get_token()
        assert [seen.grant for seen in bluejeans_sandbox.requests] == ["authorization_code"]

    def test_a_token_from_elsewhere(self) -> None:
        assert bluejeans.StaticToken("a-token").get_token() == ("a-token", float("inf"))

    @pytest.mark.parametrize(
        ("make", "missing"),
        [
            (lambda: bluejeans.ClientCredentials("", "canary"), "client_id"),
            (lambda: bluejeans.ClientCredentials(None, "canary"), "client_id"),  # type: ignore[arg-type]
            (lambda: bluejeans.ClientCredentials("canary", ""), "client_secret"),
            (lambda: bluejeans.PasswordCredentials("", "canary"), "username"),
            (lambda: bluejeans.PasswordCredentials("canary", ""), "password"),
            (lambda: bluejeans.MeetingCredentials(True, "canary"), "meeting_numeric_id"),  # type: ignore[arg-type]
            (lambda: bluejeans.MeetingCredentials("canary", b"2"), "meeting_passcode"),  # type: ignore[arg-type]
            (lambda: bluejeans.RefreshTokenCredentials("", "canary", "t"), "client_id"),
            (lambda: bluejeans.RefreshTokenCredentials("canary", "", "t"), "client_secret"),
            (lambda: bluejeans.RefreshTokenCredentials("canary", "canary", ""), "refresh_token"),
            (lambda: bluejeans.StaticToken(""), "access_token"),
        ],
    )
    def test_what_is_missing_is_named_and_secrets_are_not_shown(self, make: Callable[[], object], missing: str) -> None:
        with pytest.raises(ValueError, match=f"^{missing} must be a non-empty string$") as caught:
            make()
        shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        frames = [frame for frame in shown.stack if "BlueJeansMeetingsRestApi" in frame.filename]
        assert frames
        assert "canary" not in str([frame.locals for frame in frames])

    def test_a_refresh_token_is_left_out_only_with_a_store(self) -> None:
        with pytest.raises(
            ValueError, match="^refresh_token may be left out only where a store has a sign-in: give one of them$"
        ):
            bluejeans.RefreshTokenCredentials("id", "secret")

    def test_no_text_shows_a_secret(
        self, client: bluejeans.ClientCredentials, signed_in: bluejeans.RefreshTokenCredentials
    ) -> None:
        shown = f"{client} {signed_in} {client.get_token()} {bluejeans.StaticToken('canary')}"
        assert "ClientCredentials('0123456789abcdef0123456789abcdef', ...)" in shown
        secrets = [client.get_token().token, signed_in.get_token().token, "fedcba9876543210", "canary"]
        assert [secret for secret in secrets if secret in shown] == []


class TestOneRequest:
    """However many threads find that there is no token that is good."""

    @pytest.mark.fault(34, "64 threads ask, and there is no token yet", "one request, and all get its token")
    def test_64_threads_without_a_token(self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox) -> None:
        tokens = at_once(64, client.get_token)
        assert (grants(bluejeans_sandbox), len(set(tokens))) == (1, 1)

    @pytest.mark.fault(34, "64 threads find the token expired", "one request, and all get its token")
    def test_64_threads_with_an_expired_token(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        old = client.get_token()
        clock.forward(LIFETIME)
        tokens = at_once(64, client.get_token)
        assert (grants(bluejeans_sandbox), len(set(tokens))) == (2, 1)
        assert tokens[0] != old

    @pytest.mark.fault(34, "the one request fails", "all who waited get its error", "BadRequestError")
    def test_64_threads_whose_request_fails(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        bluejeans_sandbox.fail_next(64, status=400)
        errors = at_once(64, client.get_token)
        assert Counter(type(error) for error in errors) == {bluejeans.BadRequestError: 64}
        assert grants(bluejeans_sandbox) == 1
        assert len({id(error) for error in errors}) == 64

    def test_each_error_has_the_cause_of_the_one(self, clock: FakeClock) -> None:
        with asking(f"http://127.0.0.1:{unused_port()}", clock) as credentials:
            causes = {error.__cause__ for error in at_once(8, credentials.get_token)}
        assert [type(cause).__module__ for cause in causes] == ["urllib3.exceptions"]

    def test_a_mistake_of_ours_is_the_cause_where_it_is_no_failure_of_a_call(
        self, client: bluejeans.ClientCredentials, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mistake = RuntimeError("a mistake")

        def granted(*_: Any) -> Any:
            raise mistake

        monkeypatch.setattr(client, "_granted", granted)
        errors = at_once(8, client.get_token)
        assert [type(error) for error in errors] == [RuntimeError] * 8
        assert {error.__cause__ for error in errors if error is not mistake} == {mistake}

    def test_after_a_failure_the_next_asks_again(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        bluejeans_sandbox.fail_next(status=400)
        with pytest.raises(bluejeans.BadRequestError):
            client.get_token()
        assert client.get_token().token

    @pytest.mark.fault(34, "the one request gets no answer", "all who waited get the error", "ApiTimeoutError")
    def test_64_threads_whose_request_gets_no_answer(self, clock: FakeClock) -> None:
        with RecordingServer([never_respond]) as server, asking(server.url, clock, read_timeout=0.3) as credentials:
            errors = at_once(64, credentials.get_token)
            assert {type(error) for error in errors} == {bluejeans.ApiTimeoutError}
            assert len(server.requests) == 1

    @pytest.mark.fault(
        34, "who waits for another thread's renewal has less time", "it ends in its own", "ApiTimeoutError"
    )
    def test_each_waits_for_as_long_as_it_wants(self, clock: FakeClock) -> None:
        silence = SilentResponse()
        with RecordingServer([silence]) as server, ThreadPoolExecutor(1) as pool:
            credentials = asking(server.url, clock)
            leader = pool.submit(credentials.get_token, 1)
            assert silence.requested.wait(TIMEOUT)
            with pytest.raises(bluejeans.ApiTimeoutError, match=r"did not end in 0\.1 seconds") as caught:
                credentials.get_token(timeout=0.1)
            assert caught.value.status == 0
            assert isinstance(leader.exception(TIMEOUT), bluejeans.ApiTimeoutError)

    @pytest.mark.fault(34, "who renews has less time than who waits", "one who waits renews then")
    def test_who_has_more_time_tries_again(self, clock: FakeClock) -> None:
        silence = SilentResponse()
        granted = http_response({"access_token": "a-token", "expires_in": 60})
        with RecordingServer([silence, granted]) as server, ThreadPoolExecutor(1) as pool:
            credentials = asking(server.url, clock)
            leader = pool.submit(credentials.get_token, 0.3)
            assert silence.requested.wait(TIMEOUT)
            assert credentials.get_token(timeout=TIMEOUT).token == "a-token"
            assert isinstance(leader.exception(TIMEOUT), bluejeans.ApiTimeoutError)

    def test_a_sign_in_has_the_time_that_it_is_given(self, clock: FakeClock) -> None:
        with RecordingServer([never_respond]) as server:
            api = asking(server.url, clock, call_timeout=TIMEOUT, read_timeout=TIMEOUT).api
            credentials = bluejeans.RefreshTokenCredentials("id", "canary-secret", "canary-refresh", api=api)
            with pytest.raises(bluejeans.ApiTimeoutError):
                credentials.get_token(timeout=0.1)

    @pytest.mark.fault(9, "Ctrl-C while waiting for another thread's renewal", "the others get the token")
    def test_who_is_interrupted_leaves_the_others_alone(self, clock: FakeClock) -> None:
        class Interrupted(BaseException):
            """As a Ctrl-C, which only a main thread gets."""

        granted = http_response({"access_token": "a-token", "expires_in": 60})
        with RecordingServer([granted]) as server, asking(server.url, clock) as credentials:
            interrupted = threading.Event()
            request = credentials._granted

            def interrupt(*args: Any) -> Any:
                if not interrupted.is_set():
                    interrupted.set()
                    raise Interrupted
                return request(*args)

            credentials._granted = interrupt  # type: ignore[method-assign]
            with ThreadPoolExecutor(8) as pool:
                outcomes = [pool.submit(credentials.get_token) for _ in range(8)]
                errors = [outcome.exception(TIMEOUT) for outcome in outcomes]
            assert Counter(type(error) for error in errors) == {Interrupted: 1, type(None): 7}
            assert len(server.requests) == 1

    def test_a_renewal_whose_thread_is_gone_is_taken_over(self, client: bluejeans.ClientCredentials) -> None:
        client._process.under_way = _Attempt(early=False, ends=time.monotonic() - 11)
        assert client.get_token().token

    def test_a_time_that_is_none_is_refused(self, client: bluejeans.ClientCredentials) -> None:
        with pytest.raises(ValueError, match="timeout must be a positive number of seconds, not -1"):
            client.get_token(-1)


def asking(host: str, clock: FakeClock, **settings: Any) -> bluejeans.ClientCredentials:
    """Credentials that ask a server of the test's."""
    configuration = bluejeans.Configuration()
    configuration.host = host
    vars(configuration).update(max_attempts=1, **settings)
    api = bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))
    return bluejeans.ClientCredentials("id", "canary-secret", api=api, clock=clock)


class TestALife:
    """Fresh, due, expired."""

    def test_a_fresh_token_is_given_without_a_request(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        token = client.get_token()
        clock.forward(LIFETIME - WINDOW - 1)
        assert client.get_token() is token
        assert grants(bluejeans_sandbox) == 1

    def test_for_a_moment_it_is_given_without_a_look_at_the_time_since_boot(
        self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        credentials = bluejeans.ClientCredentials(bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret, api=api)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now)
        token = credentials.get_token()
        assert credentials.get_token() is token
        monkeypatch.delattr(Clock, "boot")
        assert credentials.get_token() is token

    def test_that_moment_ends_when_it_is_due(self, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now)
        monkeypatch.setattr(Clock, "boot", lambda _: now)
        old, new = (http_response({"access_token": token, "expires_in": 10}) for token in ("old", "new"))
        with RecordingServer([old, new]) as server:
            identity = ("id", "canary-secret")
            credentials = bluejeans.ClientCredentials(*identity, api=asking(server.url, clock).api)
            tokens = []
            for seconds in (0, 8.9, 0.7):  # it is due half a second to a second before its end
                now += seconds
                tokens.append(credentials.get_token().token)
        assert tokens == ["old", "old", "new"]

    @pytest.mark.fault(35, "the token is in its last tenth, at most five minutes", "one caller renews it")
    def test_a_token_that_is_due_is_renewed(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        token = client.get_token()
        clock.forward(LIFETIME - WINDOW / 2 + 1)
        assert client.get_token() != token
        assert grants(bluejeans_sandbox) == 2

    def test_processes_renew_at_moments_of_their_own(self) -> None:
        due = [renewal_due(LIFETIME, chance) for chance in (0.0, 0.5, 1.0)]
        assert due == [WINDOW, WINDOW * 0.75, WINDOW * 0.5]

    @pytest.mark.fault(35, "a token is being renewed before its end", "the others get it as it is, without waiting")
    def test_while_one_renews_the_others_keep_a_token_that_is_good(self, clock: FakeClock) -> None:
        asked, go_on = threading.Event(), threading.Event()

        def answer_later(connection: Any) -> None:
            asked.set()
            go_on.wait(TIMEOUT)
            connection.sendall(http_response({"access_token": "new", "expires_in": LIFETIME}, Connection="close"))

        old = http_response({"access_token": "old", "expires_in": LIFETIME})
        with RecordingServer([old, answer_later]) as server, asking(server.url, clock) as credentials:
            credentials.get_token()
            clock.forward(LIFETIME - WINDOW / 2 + 1)
            with ThreadPoolExecutor(1) as pool:
                renewed = pool.submit(credentials.get_token)
                assert asked.wait(TIMEOUT)
                assert {credentials.get_token().token for _ in range(100)} == {"old"}
                go_on.set()
                assert renewed.result(TIMEOUT).token == "new"
            assert credentials.get_token().token == "new"
            assert len(server.requests) == 2

    def test_a_thread_renews_it_if_asked_to(
        self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi, clock: FakeClock
    ) -> None:
        renewed = threading.Semaphore(0)
        credentials = bluejeans.ClientCredentials(
            bluejeans_sandbox.client_id,
            bluejeans_sandbox.client_secret,
            api=api,
            clock=clock,
            renew_in_background=True,
            on_renewal=lambda _: renewed.release(),
        )
        old = credentials.get_token()
        assert renewed.acquire(timeout=TIMEOUT)
        clock.forward(LIFETIME - WINDOW / 2 + 1)
        assert credentials.get_token() == old
        assert renewed.acquire(timeout=TIMEOUT)
        assert credentials.get_token() != old
        assert grants(bluejeans_sandbox) == 2

    def test_a_renewal_in_the_background_leaves_nothing_for_the_programs_end(
        self, client: bluejeans.ClientCredentials, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_end: list[Any] = []
        functions = SimpleNamespace(register=lambda wait, _: at_end.append(wait), unregister=at_end.remove)
        monkeypatch.setattr("BlueJeansMeetingsRestApi.renewal.atexit", functions)
        renewed = threading.Semaphore(0)
        credentials = another(client, renew_in_background=True, clock=clock, on_renewal=lambda _: renewed.release())
        for _ in range(3):
            credentials.get_token()
            assert renewed.acquire(timeout=TIMEOUT)
            assert at_end == []
            clock.forward(LIFETIME - WINDOW / 2 + 1)

    @pytest.mark.fault(
        35, "a renewal before the token's end fails", "logged once, and not raised while the token is good"
    )
    def test_a_renewal_that_fails_early_is_forgiven(
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
        assert [record.levelname for record in caplog.records if "could not be renewed" in record.message] == [
            "WARNING"
        ]

    @pytest.mark.fault(35, "100,000 calls while renewals fail", "at most 4 requests, with growing pauses")
    def test_failing_renewals_come_with_growing_pauses(
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
        told = [record for record in caplog.records if "could not be renewed" in record.message]
        assert [record.levelname for record in told] == ["WARNING", *["DEBUG"] * (failures - 1)]
        for record in told:
            assert record.message.startswith("The client_credentials token could not be renewed and is good for ")
            assert "s: (503) Reason: Service Unavailable POST http" in record.message

    @pytest.mark.parametrize("kind", ["client", "user", "meeting", "sign-in"])
    def test_a_renewal_before_its_end_is_one_request(
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

    @pytest.mark.fault(
        35, "renewals fail until the token's end", "the error, and never a token past its end", "ServiceError"
    )
    def test_a_token_past_its_end_is_not_given_however_long_renewals_fail(
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

    def test_where_the_system_gives_no_thread_the_caller_renews(
        self, client: bluejeans.ClientCredentials, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        credentials = another(client, renew_in_background=True, clock=clock)
        token = credentials.get_token()
        clock.forward(LIFETIME - WINDOW / 2 + 1)
        monkeypatch.setattr(threading.Thread, "start", none)
        assert credentials.get_token() != token

    def test_a_failure_after_its_end_is_raised(
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
        assert "could not be renewed" not in caplog.text  # it is the caller's, and told once

    @pytest.mark.parametrize("grant", [{"expires_in": 0}, {}, {"expires_in": None}])
    def test_a_token_that_does_not_say_how_long_it_lasts_is_used_once(
        self, clock: FakeClock, grant: dict[str, Any]
    ) -> None:
        with (
            RecordingServer([http_response({"access_token": "a-token", **grant})]) as server,
            asking(server.url, clock) as credentials,
        ):
            assert [credentials.get_token().token for _ in range(3)] == ["a-token"] * 3
            assert len(server.requests) == 3

    def test_its_life_counts_from_when_it_was_asked_for(self, clock: FakeClock) -> None:
        asked_at = clock.wall()

        def answer_late(connection: Any) -> None:
            clock.forward(7)
            connection.sendall(http_response({"access_token": "a-token", "expires_in": 60}))

        with RecordingServer([answer_late]) as server, asking(server.url, clock) as credentials:
            assert credentials.get_token().expires_at == asked_at + 60


class TestClocks:
    @pytest.mark.fault(37, "the wall clock is set back a day", "the time since boot ends the token")
    def test_set_back(self, client: bluejeans.ClientCredentials, clock: FakeClock) -> None:
        token = client.get_token()
        clock.set_wall(-86400)
        assert client.get_token() is token
        clock.forward(LIFETIME)
        assert client.get_token() != token

    @pytest.mark.fault(37, "the wall clock is set forward a day", "the token is renewed")
    def test_set_forward(self, client: bluejeans.ClientCredentials, clock: FakeClock) -> None:
        token = client.get_token()
        clock.set_wall(86400)
        assert client.get_token() != token

    def test_the_time_of_the_system_counts(
        self, bluejeans_sandbox: Sandbox, api: bluejeans.AuthenticationApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        credentials = bluejeans.ClientCredentials(bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret, api=api)
        tokens = [credentials.get_token() for _ in range(3)]
        for set_to in (time.time() - 86400, time.time() + 86400):
            monkeypatch.setattr(time, "time", lambda set_to=set_to: set_to)
            tokens += [credentials.get_token(), credentials.get_token()]
        assert [len(set(tokens[:5])), len(set(tokens[5:])), len(set(tokens))] == [1, 1, 2]

    @pytest.mark.parametrize("shared", ["memory", "file"])
    def test_a_stored_token_is_not_believed_to_last_longer_after_the_clock_was_set_back(
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

    def test_a_stored_token_of_another_boot_is_believed_by_the_wall_clock(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        store = bluejeans.MemoryTokenStore()
        token = another(client, store=store, clock=FakeClock(bluejeans_sandbox, "a boot")).get_token()
        other = FakeClock(bluejeans_sandbox, "another boot")
        assert another(client, store=store, clock=other).get_token() == token
        other.set_wall(-86400)  # before the token was made
        assert another(client, store=store, clock=other).get_token() != token


def another(like: bluejeans.ClientCredentials, **options: Any) -> bluejeans.ClientCredentials:
    """Other credentials of the same client, as another process has them."""
    return bluejeans.ClientCredentials(**like._identity, api=like.api, **options)  # type: ignore[arg-type]


class TestRefusedTokens:
    @pytest.mark.fault(38, "the service refuses a token that should be good", "renewed once, and sent once more")
    def test_call_api_sends_once_more(
        self, client: bluejeans.ClientCredentials, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
    ) -> None:
        configuration.credentials = client
        assert get_user(configuration, bluejeans_sandbox) == bluejeans_sandbox.user_id
        bluejeans_sandbox.reset()
        assert get_user(configuration, bluejeans_sandbox) == bluejeans_sandbox.user_id
        assert [seen.status for seen in bluejeans_sandbox.requests] == [401, 200, 200]

    @pytest.mark.fault(38, "it refuses the next token too", "the error", "UnauthorizedError")
    def test_a_second_refusal_is_raised(
        self, client: bluejeans.ClientCredentials, configuration: bluejeans.Configuration, clock: FakeClock
    ) -> None:
        grant, refusal = http_response({"access_token": "a-token", "expires_in": 60}), http_response(status=401)
        with RecordingServer([grant, refusal, grant, refusal]) as server, asking(server.url, clock) as credentials:
            configuration.host, configuration.credentials = server.url, credentials
            with bluejeans.ApiClient(configuration) as caller, pytest.raises(bluejeans.UnauthorizedError):
                caller.call_api("/v1/user/7", "GET")
            assert len(server.requests) == 4

    def test_requests_sends_once_more(self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox) -> None:
        url = f"{bluejeans_sandbox.url}/v1/user/{bluejeans_sandbox.user_id}"
        with requests.Session() as session:
            assert session.get(url, auth=client).status_code == 200
            bluejeans_sandbox.reset()
            answer = session.get(url, auth=client)
        assert answer.status_code == 200
        assert [seen.status for seen in bluejeans_sandbox.requests] == [401, 200, 200]
        assert [earlier.status_code for earlier in answer.history] == [401]

    def test_requests_says_what_it_sent_the_second_time(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        client.get_token()
        bluejeans_sandbox.reset()
        answer = requests.get(f"{bluejeans_sandbox.url}/v1/user/{bluejeans_sandbox.user_id}", auth=client)
        assert answer.request.headers["Authorization"] == f"Bearer {client.get_token().token}"

    def test_requests_sends_it_over_the_same_connection(self, client: bluejeans.ClientCredentials) -> None:
        with (
            RecordingServer([http_response({"message": "no"}, status=401), http_response({})]) as server,
            requests.Session() as session,
        ):
            assert session.get(server.url, auth=another(client, allowed_hosts=[server.url])).status_code == 200
            assert (len(server.requests), server.connections) == (2, 1)

    def test_requests_has_the_time_limit_of_the_first_time(self, client: bluejeans.ClientCredentials) -> None:
        with RecordingServer([http_response({}, status=401), never_respond]) as server, requests.Session() as session:
            credentials = another(client, allowed_hosts=[server.url])
            with pytest.raises(requests.ReadTimeout):
                session.get(server.url, auth=credentials, timeout=0.2)

    def test_requests_takes_the_token_that_another_thread_got_meanwhile(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        newer = []

        def refuse(connection: Any) -> None:
            credentials.invalidate()
            newer.append(credentials.get_token().token)
            connection.sendall(http_response({}, status=401, Connection="close"))

        with RecordingServer([refuse, http_response({}, Connection="close")]) as server:
            credentials = another(client, allowed_hosts=[server.url])
            assert requests.get(server.url, auth=credentials).status_code == 200
            assert server.requests[-1].headers["authorization"] == f"Bearer {newer[0]}"
        assert grants(bluejeans_sandbox) == 2

    def test_requests_does_not_send_a_stream_twice(self, clock: FakeClock) -> None:
        grant = http_response({"access_token": "a-token", "expires_in": 60})
        with RecordingServer([grant, http_response(status=401)]) as server, asking(server.url, clock) as credentials:
            body = iter([b"part"])
            answer = requests.post(server.url, data=body, auth=credentials, headers={"Connection": "close"})
            assert answer.status_code == 401

    def test_an_old_refusal_does_not_end_a_newer_token(self, client: bluejeans.ClientCredentials) -> None:
        old = client.get_token()
        client.invalidate()
        new = client.get_token()
        client.invalidate(old.token)
        assert client.get_token() is new

    def test_a_store_does_not_bring_a_refused_token_back(
        self, client: bluejeans.ClientCredentials, clock: FakeClock
    ) -> None:
        credentials = another(client, store=bluejeans.MemoryTokenStore(), clock=clock)
        old = credentials.get_token()
        credentials.invalidate()
        assert credentials.get_token() != old

    @pytest.mark.fault(
        39, "a refresh token is refused", "not tried again; says who has to sign in", "ReauthenticationRequired"
    )
    def test_a_refresh_token_that_is_refused(
        self, signed_in: bluejeans.RefreshTokenCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        signed_in.invalidate()
        bluejeans_sandbox.reset()
        for _ in range(3):
            with pytest.raises(bluejeans.ReauthenticationRequired, match="has to sign in again") as caught:
                signed_in.get_token()
        assert (grants(bluejeans_sandbox), caught.value.status) == (1, 401)
        assert caught.value.reason == "the refresh token was refused"

    def test_a_static_token_that_is_refused(
        self, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
    ) -> None:
        configuration.credentials = bluejeans.StaticToken("canary-token")
        for _ in range(2):
            with pytest.raises(bluejeans.ReauthenticationRequired) as caught:
                get_user(configuration, bluejeans_sandbox)
        said = "(401)\nReason: the token was refused\nIt cannot be renewed: get another one.\n"
        assert str(caught.value) == said
        assert len(bluejeans_sandbox.requests) == 1


def get_user(configuration: bluejeans.Configuration, sandbox: Sandbox) -> int:
    with bluejeans.ApiClient(configuration) as client:
        path, params = "/v1/user/{id}", {"id": sandbox.user_id}
        return int(client.call_api(path, "GET", params, response_type="object")[0]["id"])


def test_a_call_with_credentials_ends_in_its_own_time(configuration: bluejeans.Configuration, clock: FakeClock) -> None:
    with RecordingServer([never_respond]) as server, asking(server.url, clock) as credentials:
        configuration.host, configuration.credentials = server.url, credentials
        with bluejeans.ApiClient(configuration) as caller, pytest.raises(bluejeans.ApiTimeoutError):
            caller.call_api("/v1/user/7", "GET", _request_timeout=0.3)
        assert [request.method for request in server.requests] == ["POST"]


class TestWhereTheTokenGoes:
    @pytest.mark.parametrize(
        "url",
        [
            r"https://evil.example\@{host}",
            r"https://{host}/\evil.example",
            "https://user@{host}",
            "https://{host} /",
            "https://{host}\n.evil.example",
        ],
    )
    def test_not_to_a_url_that_others_read_another_host_in(self, url: str) -> None:
        token = bluejeans.StaticToken("canary", allowed_hosts=["https://api.example"])
        why = "^a token is not sent to a URL with a user name, a backslash or a space in it$"
        with pytest.raises(ValueError, match=why):
            token.authorization_for(url.format(host="api.example"))

    def test_not_to_what_is_no_url_of_a_host(self) -> None:
        with pytest.raises(ValueError, match="and not sent to ftp://:0, unless allowed_hosts names that$"):
            bluejeans.StaticToken("canary").authorization_for("ftp:x")

    def test_to_call_api_as_a_header_and_not_in_the_query(
        self, client: bluejeans.ClientCredentials, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
    ) -> None:
        configuration.credentials = client
        get_user(configuration, bluejeans_sandbox)
        assert bluejeans_sandbox.requests[-1].path == f"/v1/user/{bluejeans_sandbox.user_id}"

    def test_credentials_without_an_api_ask_by_way_of_the_client_they_are_given_to(
        self, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
    ) -> None:
        sandbox = bluejeans_sandbox
        configuration.credentials = bluejeans.PasswordCredentials(sandbox.username, sandbox.password)
        assert get_user(configuration, sandbox) == sandbox.user_id

    def test_a_header_of_ones_own_is_left_as_it_is(
        self, client: bluejeans.ClientCredentials, configuration: bluejeans.Configuration, bluejeans_sandbox: Sandbox
    ) -> None:
        configuration.credentials = client
        with bluejeans.ApiClient(configuration) as caller, pytest.raises(bluejeans.UnauthorizedError):
            caller.call_api("/v1/user/7", "GET", header_params={"authorization": "Bearer mine"})
        assert grants(bluejeans_sandbox) == 0

    @pytest.mark.parametrize("get", [requests.get, httpx.get])
    def test_to_other_http_clients(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, get: Callable[..., Any]
    ) -> None:
        url = f"{bluejeans_sandbox.url}/v1/user/{bluejeans_sandbox.user_id}"
        assert get(url, auth=client).status_code == 200

    @pytest.mark.parametrize("get", [requests.get, httpx.get])
    def test_not_to_another_host(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, get: Callable[..., Any]
    ) -> None:
        with RecordingServer([http_response()]) as other:
            with pytest.raises(ValueError, match="is for http://127.0.0.1:.* and not sent to http://127.0.0.1:"):
                get(other.url, auth=client)
            assert other.requests == []
        assert grants(bluejeans_sandbox) == 0

    def test_to_another_host_that_is_allowed(self, client: bluejeans.ClientCredentials, clock: FakeClock) -> None:
        with RecordingServer([http_response()]) as other:
            credentials = another(client, allowed_hosts=[other.url], clock=clock)
            requests.get(other.url, auth=credentials, headers={"Connection": "close"})
            assert other.requests[0].headers["authorization"] == f"Bearer {credentials.get_token().token}"

    @pytest.mark.parametrize(
        ("host", "url"),
        [
            ("https://other.example", "https://OTHER.example:443/x"),
            ("https://other.example:443", "https://other.example/x"),
            ("http://localhost", "http://localhost:80/x"),
        ],
    )
    def test_a_port_need_not_be_written_out(self, host: str, url: str) -> None:
        assert bluejeans.StaticToken("t", allowed_hosts=[host]).authorization_for(url) == "Bearer t"

    @pytest.mark.parametrize(
        "url",
        ["http://other.example/x", "https://other.example:444/x", "https://sub.other.example/x", "//other.example"],
    )
    def test_what_differs_from_an_allowed_host_is_another(self, url: str) -> None:
        with pytest.raises(ValueError, match="and not sent to"):
            bluejeans.StaticToken("t", allowed_hosts=["https://other.example"]).authorization_for(url)

    def test_an_allowed_host_that_would_get_it_in_clear_text_is_refused(self) -> None:
        with pytest.raises(ValueError, match="allowed_hosts 'http://api.example' would send secrets in clear text"):
            bluejeans.StaticToken("t", allowed_hosts=["http://api.example"])

    def test_not_to_where_requests_is_redirected(self, clock: FakeClock) -> None:
        grant = http_response({"access_token": "canary-token", "expires_in": 60})
        with RecordingServer([http_response(status=401)]) as other:
            moved = http_response(status=302, Location=other.url.replace("127.0.0.1", "localhost"), Connection="close")
            with RecordingServer([grant, moved]) as server, asking(server.url, clock) as credentials:
                assert requests.get(server.url, auth=credentials).status_code == 401
            assert len(other.requests) == 1
            assert "authorization" not in other.requests[0].headers


SIGN_IN_AGAIN = "The user has to sign in again, with AuthorizationCodeFlow.run() or the command bluejeans-auth login."


class Failing(bluejeans.MemoryTokenStore):
    """A store that is down for what `cannot` names."""

    def __init__(self, cannot: set[str] | None = None) -> None:
        super().__init__()
        self.texts, self.cannot = self._values, cannot or set()

    def read(self, key: str) -> str | None:
        self.fail("read")
        return self.texts.get(key, (None, 0.0))[0]

    def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
        self.fail("write")
        self.texts[key] = (text, float("inf"))
        return True

    def lock(self, key: str, seconds: float) -> Any:
        self.fail("lock")
        return super().lock(key, seconds)

    def fail(self, what: str) -> None:
        if what in self.cannot:
            raise bluejeans.TokenStoreError("it is down")


class TestSignIns:
    @pytest.fixture
    def shared(self, tmp_path: Path) -> TokenStore:
        return bluejeans.FileTokenStore(tmp_path / "tokens.json")

    def test_the_refresh_token_rotates(
        self, signed_in: bluejeans.RefreshTokenCredentials, clock: FakeClock, bluejeans_sandbox: Sandbox
    ) -> None:
        tokens = set()
        for _ in range(3):
            tokens.add(signed_in.get_token())
            clock.forward(LIFETIME)
        assert (len(tokens), grants(bluejeans_sandbox)) == (3, 3)

    def test_an_answer_without_a_refresh_token_leaves_the_old_one(self, clock: FakeClock) -> None:
        with RecordingServer([http_response({"access_token": "a-token", "expires_in": 60})]) as server:
            api = asking(server.url, clock).api
            credentials = bluejeans.RefreshTokenCredentials("id", "secret", "first", api=api, clock=clock)
            for _ in range(2):
                credentials.get_token()
                clock.forward(60)
            assert [request.json["refresh_token"] for request in server.requests] == ["first", "first"]

    def test_the_next_refresh_token_is_stored_before_the_token_is_given(
        self,
        signed_in: bluejeans.RefreshTokenCredentials,
        api: bluejeans.AuthenticationApi,
        bluejeans_sandbox: Sandbox,
        clock: FakeClock,
        shared: TokenStore,
    ) -> None:
        of_client = {"client_id": bluejeans_sandbox.client_id, "client_secret": bluejeans_sandbox.client_secret}
        first = signed_in._refresh_token

        def process() -> bluejeans.RefreshTokenCredentials:
            return bluejeans.RefreshTokenCredentials(
                **of_client, refresh_token=first, api=api, store=shared, clock=clock
            )

        for _ in range(3):  # each is started with the first refresh token, which is long spent
            assert process().get_token().token
            clock.forward(LIFETIME)
        assert grants(bluejeans_sandbox) == 4

    def test_a_sign_in_is_kept_for_the_next_process(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, shared: TokenStore, clock: FakeClock
    ) -> None:
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        grant = sign_in(bluejeans_sandbox, api)
        bluejeans.RefreshTokenCredentials.of_grant(*client, grant, api=api, store=shared, clock=clock)
        later = bluejeans.RefreshTokenCredentials(*client, api=api, store=shared, clock=clock)
        assert later.get_token().token == grant.access_token
        clock.forward(LIFETIME * 24 * 90)
        assert later.get_token().token != grant.access_token

    def test_one_that_was_refused_is_not_kept_for_ever(
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
        assert written == [(credentials._key, None, 7), (credentials._key, 30 * 24 * 3600, 7)]

    @pytest.mark.parametrize(("expires_in", "asked"), [(LIFETIME, ["ours"]), (0, ["ours", "theirs"])])
    def test_what_another_process_got_meanwhile_for_the_same_refresh_token_is_taken(
        self, clock: FakeClock, expires_in: float, asked: list[str]
    ) -> None:
        store = bluejeans.MemoryTokenStore()

        def answer_after_another(connection: socket.socket) -> None:
            ends = clock.wall() + expires_in, clock.boot() + expires_in
            theirs = StoredToken("their token", LIFETIME, *ends, clock.boot_id, "theirs")
            store.save(credentials._key, theirs, None, 0)
            connection.sendall(http_response({"message": "It was used."}, status=401))

        with RecordingServer(
            [answer_after_another, http_response({"access_token": "its next", "expires_in": 60})]
        ) as server:
            api = asking(server.url, clock).api
            credentials = bluejeans.RefreshTokenCredentials("id", "s", "ours", api=api, store=store, clock=clock)
            token = credentials.get_token().token
        assert token == ("their token" if expires_in else "its next")
        assert [request.json["refresh_token"] for request in server.requests] == asked

    def test_a_refusal_is_raised_though_the_store_fails_then(self, clock: FakeClock) -> None:
        store = Failing()

        def answer_and_break(connection: socket.socket) -> None:
            store.cannot = {"read"}
            connection.sendall(http_response(status=401))

        with RecordingServer([answer_and_break]) as server:
            api = asking(server.url, clock).api
            credentials = bluejeans.RefreshTokenCredentials("id", "s", "ours", api=api, store=store, clock=clock)
            with pytest.raises(bluejeans.ReauthenticationRequired, match="refresh token was refused"):
                credentials.get_token()

    def test_one_that_could_not_be_kept_is_not_replaced_by_an_older_one(
        self, clock: FakeClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = Failing()
        grant = bluejeans.GrantCode(access_token="first", expires_in=60, refresh_token="newer")
        with RecordingServer(
            [http_response({"access_token": "second", "expires_in": 60, "refresh_token": "newest"})]
        ) as server:
            options: Any = {"api": asking(server.url, clock).api, "store": store, "clock": clock}
            older = bluejeans.GrantCode(access_token="old", expires_in=60, refresh_token="older")
            bluejeans.RefreshTokenCredentials.of_grant("id", "s", older, **options)
            store.cannot = {"write"}
            credentials = bluejeans.RefreshTokenCredentials.of_grant("id", "s", grant, **options)
            assert caplog.messages == ["The sign-in is not kept: it is down"]
            store.cannot = set()
            clock.forward(60)
            credentials.get_token()
        assert server.requests[0].json["refresh_token"] == "newer"

    def test_two_that_live_long_go_on_with_each_others_refresh_tokens(
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

    def test_one_that_was_refused_gives_way_to_a_new_sign_in(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        store = Failing()
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        options: Any = {"api": api, "store": store, "clock": clock}
        credentials = bluejeans.RefreshTokenCredentials.of_grant(*client, sign_in(bluejeans_sandbox, api), **options)
        store.cannot = {"write"}
        clock.forward(LIFETIME)
        credentials.get_token()  # and what the next one is got with could not be kept
        bluejeans_sandbox.revoke_tokens()
        store.cannot = set()
        again = bluejeans.RefreshTokenCredentials.of_grant(*client, sign_in(bluejeans_sandbox, api), **options)
        store.cannot = {"read"}
        with pytest.raises(bluejeans.ReauthenticationRequired):  # which it could not see yet
            _ = credentials.invalidate() or credentials.get_token()
        store.cannot = set()
        assert credentials.get_token() == again.get_token()

    def test_a_refresh_token_that_could_not_be_kept_is_not_lost(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        store = Failing()
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

    def test_a_sign_in_whose_store_is_down_is_good_all_the_same(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        store = Failing({"lock", "read", "write"})
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        credentials = bluejeans.RefreshTokenCredentials.of_grant(
            *client, sign_in(bluejeans_sandbox, api), api=api, store=store, clock=clock
        )
        assert credentials.get_token().token
        clock.forward(LIFETIME)
        assert credentials.get_token().token

    def test_who_took_a_token_from_the_store_knows_what_the_next_one_is_got_with(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, clock: FakeClock
    ) -> None:
        first_store, second_store = Failing(), Failing()
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

    def test_a_store_that_is_down_does_not_ask_for_a_sign_in(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox
    ) -> None:
        credentials = bluejeans.RefreshTokenCredentials(
            "id", "secret", api=api, store=Failing({"lock", "read", "write"})
        )
        with pytest.raises(bluejeans.ApiConnectionError) as caught:
            credentials.get_token()
        assert str(caught.value) == "(0)\nReason: the sign-in is in a store that cannot be used now: it is down\n"
        assert bluejeans_sandbox.requests == []

    def test_a_store_without_a_sign_in_says_so(
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
    def test_later_versions_find_what_this_one_has_stored(
        self, credentials: Callable[[bluejeans.AuthenticationApi], bluejeans.Credentials], key: str
    ) -> None:
        configuration = bluejeans.Configuration()
        configuration.host = "https://api.example"
        assert credentials(bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)))._key == key

    def test_two_users_of_one_client_have_tokens_of_their_own(
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

    def test_revoking_ends_it_at_the_service_and_in_the_store(
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

    def test_one_that_was_revoked_is_not_asked_for_again(
        self, signed_in: bluejeans.RefreshTokenCredentials, bluejeans_sandbox: Sandbox
    ) -> None:
        signed_in.revoke()
        before = grants(bluejeans_sandbox)
        with pytest.raises(bluejeans.ReauthenticationRequired) as caught:
            signed_in.get_token()
        assert str(caught.value) == f"(0)\nReason: the sign-in was revoked\n{SIGN_IN_AGAIN}\n"
        assert grants(bluejeans_sandbox) == before

    @pytest.mark.parametrize(("asked_before", "counts"), [(None, 0), (0, 0), (2000, 2000), (-50, 0)])
    def test_its_token_lives_from_when_it_was_asked_for(
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
        clock.set_wall(-86400)  # so that the time since boot alone ends it
        clock.forward(LIFETIME - counts - WINDOW - 1)
        assert credentials.get_token() == first
        clock.forward(WINDOW + 1)
        assert credentials.get_token() != first

    def test_a_grant_without_a_refresh_token_is_no_sign_in(self, shared: TokenStore) -> None:
        grant = bluejeans.GrantCode(access_token="t", expires_in=3600)
        with pytest.raises(bluejeans.ApiResponseError) as caught:
            bluejeans.RefreshTokenCredentials.of_grant("id", "secret", grant, store=shared)
        why = "the grant has no refresh token, and the code that it was got with is spent"
        assert str(caught.value) == f"(0)\nReason: {why}\n"

    def test_what_is_stored_is_stored_with_the_number_of_the_lock(
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


class TestStores:
    @pytest.fixture(params=["memory", "file", "encrypted file"])
    def store(self, request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore:
        from cryptography.fernet import Fernet

        key = Fernet.generate_key() if "encrypted" in request.param else None
        if request.param == "memory":
            return bluejeans.MemoryTokenStore()
        return bluejeans.FileTokenStore(tmp_path / "tokens.json", encryption_key=key)

    def test_two_share_a_token(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, store: TokenStore
    ) -> None:
        tokens = {another(client, store=store).get_token().token for _ in range(3)}
        assert (len(tokens), grants(bluejeans_sandbox)) == (1, 1)

    def test_in_the_window_one_renews_and_the_other_takes_what_it_stored(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, store: TokenStore, clock: FakeClock
    ) -> None:
        first, second = (another(client, store=store, clock=clock) for _ in range(2))
        old = (first.get_token(), second.get_token())
        clock.forward(LIFETIME - WINDOW / 2 + 1)
        new = (first.get_token(), second.get_token())
        assert (old[0].token == old[1].token, new[0].token == new[1].token) == (True, True)
        assert (new[0] != old[0], grants(bluejeans_sandbox)) == (True, 2)

    def test_in_the_window_nobody_waits_for_another_process(
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
        with store.lock(credentials._key, TIMEOUT):
            assert credentials.get_token() == token
        assert grants(bluejeans_sandbox) == 1
        assert [record for record in caplog.records if record.levelname == "WARNING"] == []

    def test_one_that_has_ended_is_not_taken_though_it_ended_later_than_ones_own(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, store: TokenStore, clock: FakeClock
    ) -> None:
        credentials = another(client, store=store, clock=clock)
        credentials.get_token()
        stored = store.load(credentials._key)
        assert stored is not None
        later = {"expires_at": stored.expires_at + 5, "boot_expires_at": stored.boot_expires_at + 5}
        store.save(credentials._key, replace(stored, access_token="ended", **later), None, 0)
        clock.forward(LIFETIME + 10)
        assert credentials.get_token().token != "ended"
        assert grants(bluejeans_sandbox) == 2

    def test_one_is_taken_as_long_as_it_is_good(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, store: TokenStore, clock: FakeClock
    ) -> None:
        token = another(client, store=store, clock=clock).get_token()
        clock.forward(LIFETIME - 0.5)
        assert another(client, store=store, clock=clock).get_token() == token
        assert grants(bluejeans_sandbox) == 1

    def test_another_secret_does_not_get_the_token(
        self,
        client: bluejeans.ClientCredentials,
        bluejeans_sandbox: Sandbox,
        api: bluejeans.AuthenticationApi,
        store: TokenStore,
    ) -> None:
        another(client, store=store).get_token()
        with pytest.raises(bluejeans.UnauthorizedError):
            bluejeans.ClientCredentials(bluejeans_sandbox.client_id, "wrong", api=api, store=store).get_token()

    def test_a_lock_that_is_never_free_ends_in_time(
        self, client: bluejeans.ClientCredentials, store: TokenStore
    ) -> None:
        credentials = another(client, store=store)
        with store.lock(credentials._key, TIMEOUT), pytest.raises(bluejeans.ApiTimeoutError) as caught:
            credentials.get_token(timeout=0.2)
        said = "(0)\nReason: another process's renewal of the token did not end in time\n"
        assert str(caught.value) == said

    def test_who_waited_for_the_lock_takes_what_its_holder_stored(
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
            with store.lock(waiting._key, TIMEOUT) as fence:
                held.set()
                asked = pool.submit(waiting.get_token)
                assert waits.wait(TIMEOUT)
                end, boot_end = clock.wall() + LIFETIME, clock.boot() + LIFETIME
                store.save(waiting._key, StoredToken("stored", LIFETIME, end, boot_end, clock.boot_id), None, fence)
            assert asked.result(TIMEOUT).token == "stored"
            waits.clear()
            assert another(client, store=store, clock=clock).get_token().token == "stored"
        assert (grants(bluejeans_sandbox), waits.is_set()) == (0, False)  # what is good is taken without the lock

    def test_who_was_overtaken_takes_the_newer_token(
        self, client: bluejeans.ClientCredentials, clock: FakeClock
    ) -> None:
        class Overtaken(bluejeans.MemoryTokenStore):
            """Somebody else held the lock meanwhile, and has stored a token."""

            def save(self, key: str, token: StoredToken, seconds: float | None, fence: int) -> bool:
                return not super().save(key, replace(token, access_token="newer"), seconds, fence)

        class Emptied(bluejeans.MemoryTokenStore):
            """And forgotten it again."""

            def save(self, key: str, token: StoredToken, seconds: float | None, fence: int) -> bool:
                return False

        assert another(client, store=Overtaken(), clock=clock).get_token().token == "newer"
        assert len(another(client, store=Emptied(), clock=clock).get_token().token) == 32

    def test_what_can_be_refreshed_is_kept_and_what_cannot_is_forgotten_at_its_end(
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

    def test_who_could_not_lock_it_overwrites_nobody_who_could(
        self, client: bluejeans.ClientCredentials, clock: FakeClock
    ) -> None:
        fences = []

        class Watched(Failing):
            def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
                fences.append(fence)
                return super().write(key, text, seconds, fence)

        another(client, store=Watched({"lock"}), clock=clock).get_token()
        assert fences == [0]

    @pytest.mark.fault(36, "the store cannot be used", "the service is asked, and a warning logged")
    def test_a_store_that_cannot_be_used_stops_nobody(
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
            f"The token is renewed without its store: {store!r} cannot be read: Not a directory",
            f"The token is not kept: {store!r} cannot be locked: File exists",
        ]

    def test_revoking_forgets_it(
        self, client: bluejeans.ClientCredentials, bluejeans_sandbox: Sandbox, store: TokenStore
    ) -> None:
        credentials = another(client, store=store)
        credentials.get_token()
        credentials.revoke()
        another(client, store=store).get_token()
        assert grants(bluejeans_sandbox) == 2


class TestPickles:
    @pytest.fixture(params=["alone", "with a store"])
    def credentials(
        self, request: pytest.FixtureRequest, client: bluejeans.ClientCredentials, tmp_path: Path
    ) -> bluejeans.ClientCredentials:
        store = bluejeans.FileTokenStore(tmp_path / "tokens.json") if request.param == "with a store" else None
        return another(client, store=store)

    def test_they_work_and_hold_no_token(self, credentials: bluejeans.ClientCredentials) -> None:
        token = credentials.get_token().token
        pickled = pickle.dumps(credentials)
        assert token.encode() not in pickled
        with pickle.loads(pickled).api:
            assert pickle.loads(pickled).get_token().token

    def test_a_configuration_with_handlers_is_pickled_too(
        self, configuration: bluejeans.Configuration, client: bluejeans.ClientCredentials, tmp_path: Path
    ) -> None:
        configuration.logger_file = str(tmp_path / "log")
        try:
            assert pickle.loads(pickle.dumps(another(client))).get_token().token
        finally:
            configuration.logger_file = None

    def test_a_refresh_token_is_not_put_into_two_processes(self, signed_in: bluejeans.RefreshTokenCredentials) -> None:
        why = "^A refresh token works once, and not in two processes: RefreshTokenCredentials needs a store$"
        with pytest.raises(TypeError, match=why):
            pickle.dumps(signed_in)

    def test_a_sign_in_with_a_store_is_pickled(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, tmp_path: Path
    ) -> None:
        client = (bluejeans_sandbox.client_id, bluejeans_sandbox.client_secret)
        options: Any = {"api": api, "store": bluejeans.FileTokenStore(tmp_path / "f")}
        credentials = bluejeans.RefreshTokenCredentials.of_grant(*client, sign_in(bluejeans_sandbox, api), **options)
        assert pickle.loads(pickle.dumps(credentials)).get_token().token == credentials.get_token().token

    def test_a_static_token_is_its_pickle(self) -> None:
        copied = pickle.loads(pickle.dumps(bluejeans.StaticToken("a-token", allowed_hosts=["https://other.example"])))
        assert copied.authorization_for("https://other.example/x") == "Bearer a-token"

    def test_a_static_token_keeps_its_host(self) -> None:
        configuration = bluejeans.Configuration()
        configuration.host = "https://own.example"
        static = bluejeans.StaticToken("a-token")
        static.use(bluejeans.ApiClient(configuration))
        copied = pickle.loads(pickle.dumps(static))
        assert copied.authorization_for("https://own.example/x") == "Bearer a-token"

    def test_what_a_pickle_opens_is_closed(self, client: bluejeans.ClientCredentials) -> None:
        with pickle.loads(pickle.dumps(another(client))) as copied:
            copied.get_token()
            rest = copied.api.api_client.rest_client
            assert len(rest._pools) == 1
        assert rest._pools == {}

    def test_a_configuration_with_credentials_is_not_pickled_without_them(
        self, configuration: bluejeans.Configuration
    ) -> None:
        configuration.credentials = bluejeans.StaticToken("a-token")
        with pytest.raises(TypeError, match="pickle the credentials, and set them"):
            pickle.dumps(configuration)


class TestWhatIsTold:
    def test_each_renewal_is_a_line_without_the_token(
        self, client: bluejeans.ClientCredentials, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        token = client.get_token()
        [line] = [r.getMessage() for r in caplog.records if r.name == "BlueJeansMeetingsRestApi.credentials"]
        assert line.startswith("The client_credentials token was renewed in 0.")
        assert line.endswith(" s and is good for 3600 s")
        assert token.token not in caplog.text

    def test_a_life_beyond_any_calendar_is_told_too(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        with RecordingServer([http_response({"access_token": "t", "expires_in": 10**17})]) as server:
            configuration = bluejeans.Configuration()
            configuration.host = server.url
            with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
                assert bluejeans.ClientCredentials("id", "secret", api=api).get_token().token == "t"
        assert "is good for 1000000000000000" in caplog.text

    def test_each_renewal_is_told_to_on_renewal(self, client: bluejeans.ClientCredentials, clock: FakeClock) -> None:
        told: list[Renewal] = []
        credentials = another(client, on_renewal=told.append, clock=clock)
        token = credentials.get_token()
        assert told == [Renewal("client_credentials", 0.0, token.expires_at)]

    def test_on_renewal_may_ask_for_the_token(self, client: bluejeans.ClientCredentials) -> None:
        told: list[Any] = []
        credentials = another(client, on_renewal=lambda _: told.append(credentials.get_token()))
        assert credentials.get_token() == told[0]

    def test_an_on_renewal_that_fails_is_logged(
        self, client: bluejeans.ClientCredentials, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(_: Renewal) -> None:
            raise RuntimeError("metrics are down")

        assert another(client, on_renewal=fail).get_token().token
        assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
            "on_renewal failed"
        ]


class TestEnvironment:
    @pytest.fixture(autouse=True)
    def own_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in os.environ if name.startswith("BLUEJEANS_")]:
            monkeypatch.delenv(name)
        self.monkeypatch = monkeypatch

    def found(self, *, environment: dict[str, str], **options: Any) -> bluejeans.Credentials:
        for name, value in environment.items():
            self.monkeypatch.setenv(f"BLUEJEANS_{name}", value)
        return bluejeans.default_credentials(**options)

    @pytest.mark.parametrize(
        ("environment", "shown"),
        [
            ({"ACCESS_TOKEN": "t", "CLIENT_ID": "id", "CLIENT_SECRET": "s"}, "StaticToken(...)"),
            ({"CLIENT_ID": "id", "CLIENT_SECRET": "s", "USERNAME": "u"}, "ClientCredentials('id', ...)"),
            ({"USERNAME": "u", "PASSWORD": "p", "MEETING_ID": "1"}, "PasswordCredentials('u', ...)"),
            ({"MEETING_ID": "1"}, "MeetingCredentials('1', ...)"),
            ({"MEETING_ID": "1", "MEETING_PASSCODE": "2"}, "MeetingCredentials('1', ...)"),
        ],
    )
    def test_the_first_that_is_there_is_taken(self, environment: dict[str, str], shown: str) -> None:
        assert repr(self.found(environment=environment)) == shown

    def test_the_host_is_taken(self, bluejeans_sandbox: Sandbox) -> None:
        sandbox = bluejeans_sandbox
        environment = {"HOST": sandbox.url, "CLIENT_ID": sandbox.client_id, "CLIENT_SECRET": sandbox.client_secret}
        with self.found(environment=environment) as credentials:
            assert credentials.get_token().token
            connections = credentials.api.api_client.rest_client._services
        assert connections == {}

    def test_the_variable_does_not_override_a_default_configuration_with_a_host(
        self, configuration: bluejeans.Configuration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bluejeans.Configuration, "_default", configuration)
        found = self.found(environment={"HOST": "https://elsewhere.example", "ACCESS_TOKEN": "t"})
        assert found.api.api_client.configuration.host == configuration.host

    def test_a_token_is_for_the_host_and_for_no_other(self, bluejeans_sandbox: Sandbox) -> None:
        found = self.found(environment={"HOST": bluejeans_sandbox.url, "ACCESS_TOKEN": "t"})
        assert found.authorization_for(bluejeans_sandbox.url) == "Bearer t"
        assert found.api.api_client.configuration.host == bluejeans_sandbox.url
        with pytest.raises(ValueError, match="not sent to https://api.bluejeans.com"):
            found.authorization_for("https://api.bluejeans.com/v1")

    def test_a_meetings_passcode_is_taken(self) -> None:
        found = self.found(environment={"MEETING_ID": "1", "MEETING_PASSCODE": "2"})
        assert found._identity == {"meeting_numeric_id": "1", "meeting_passcode": "2"}

    @pytest.mark.parametrize(
        "environment",
        [
            {"ACCESS_TOKEN": "t"},
            {"CLIENT_ID": "id", "CLIENT_SECRET": "s"},
            {"USERNAME": "u", "PASSWORD": "p"},
            {"MEETING_ID": "1"},
        ],
    )
    def test_what_is_given_counts_before_it(
        self, api: bluejeans.AuthenticationApi, bluejeans_sandbox: Sandbox, environment: dict[str, str]
    ) -> None:
        elsewhere = {"HOST": "https://elsewhere.example", "TOKEN_STORE": "/elsewhere"}
        store = bluejeans.MemoryTokenStore()
        options: Any = {"api": api, "store": store, "allowed_hosts": ["https://allowed.example"]}
        found = self.found(environment={**environment, **elsewhere}, **options)
        assert found.api.api_client is api.api_client
        assert found._allowed_hosts == {("https", "allowed.example", 443)}
        assert found._store is (None if "ACCESS_TOKEN" in environment else store)

    def test_a_file_holds_the_value(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("from a file\n")
        environment = {"CLIENT_ID": "id", "CLIENT_SECRET_FILE": str(tmp_path / "secret")}
        assert self.found(environment=environment)._identity["client_secret"] == "from a file"

    def test_a_token_store_is_a_file_or_a_redis(self, tmp_path: Path) -> None:
        stores = [
            self.found(environment={"MEETING_ID": "1", "TOKEN_STORE": where})._store
            for where in (str(tmp_path / "tokens.json"), "redis://127.0.0.1:6379/0")
        ]
        assert [type(store) for store in stores] == [bluejeans.FileTokenStore, bluejeans.RedisTokenStore]

    @pytest.mark.parametrize(
        ("environment", "message"),
        [
            (
                {},
                "^There are no credentials in the environment: set one of BLUEJEANS_ACCESS_TOKEN, BLUEJEANS_CLIENT_ID, "
                r"BLUEJEANS_USERNAME, BLUEJEANS_MEETING_ID \(or BLUEJEANS_ACCESS_TOKEN_FILE …\)$",
            ),
            ({"CLIENT_ID": "id"}, "BLUEJEANS_CLIENT_ID is set and BLUEJEANS_CLIENT_SECRET is not: set both"),
            ({"PASSWORD": "canary"}, "BLUEJEANS_PASSWORD is set and BLUEJEANS_USERNAME is not: set both"),
            (
                {"ACCESS_TOKEN_FILE": "/no/such"},
                "BLUEJEANS_ACCESS_TOKEN_FILE names a file that cannot be read: No such file or directory",
            ),
            ({"ACCESS_TOKEN": "canary", "ACCESS_TOKEN_FILE": "f"}, "are both set: unset one of them"),
            ({"HOST": "no-url", "MEETING_ID": "1"}, "BLUEJEANS_HOST 'no-url' must start with https://"),
        ],
    )
    def test_what_is_wrong_is_said_without_secrets(self, environment: dict[str, str], message: str) -> None:
        with pytest.raises(ValueError, match=message) as caught:
            self.found(environment=environment)
        assert "canary" not in str(caught.value)


def test_credentials_in_a_with_block_close_their_own_client_and_no_other(
    client: bluejeans.ClientCredentials, monkeypatch: pytest.MonkeyPatch, configuration: bluejeans.Configuration
) -> None:
    closed: list[bluejeans.ApiClient] = []
    monkeypatch.setattr(bluejeans.ApiClient, "close", lambda self: closed.append(self))
    monkeypatch.setattr(bluejeans.Configuration, "_default", configuration)
    with another(client), bluejeans.MeetingCredentials("1") as own:
        own_client = own.api.api_client
    assert closed == [own_client]
