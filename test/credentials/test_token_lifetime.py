"""Random sequences of events: time passes, clocks are set, requests fail, processes share a store."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.fake_clock import FakeClock

LIFETIME = 3600  # seconds
SECONDS = st.one_of(st.floats(0, 10), st.floats(3200, 3700), st.floats(0, 100_000))
SETTINGS = settings(
    max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class TokenLifetime(RuleBasedStateMachine):
    """Three processes of one user who signed in, with a file between them."""

    sandbox: Sandbox

    @initialize()
    def sign_in(self) -> None:
        sandbox = self.sandbox
        sandbox.reset()
        self.clock = FakeClock(sandbox)
        self.folder = tempfile.TemporaryDirectory()
        configuration = bluejeans.Configuration()
        configuration.host, configuration.max_attempts, configuration.trust_env = sandbox.url, 1, False
        self.api = bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))
        request = bluejeans.GrantRequestCode(
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
            redirect_uri=sandbox.redirect_uri,
            code=sandbox.authorize(),
        )
        grant = self.api.get_token_by_code(request)
        self.first = str(grant.refresh_token)
        self.failing = 0
        self.failed: set[int] = set()
        self.seen: dict[str, float] = {}
        self.processes = [self.process() for _ in range(3)]

    def process(self) -> bluejeans.RefreshTokenCredentials:
        return bluejeans.RefreshTokenCredentials(
            self.sandbox.client_id,
            self.sandbox.client_secret,
            self.first,
            api=self.api,
            store=bluejeans.FileTokenStore(Path(self.folder.name) / "tokens.json"),
            clock=self.clock,
        )

    @rule(which=st.integers(0, 2))
    def restart(self, which: int) -> None:
        self.processes[which] = self.process()
        self.failed.discard(which)

    @rule(seconds=SECONDS)
    def let_time_pass(self, seconds: float) -> None:
        self.clock.forward(seconds)

    @rule(seconds=st.floats(-100_000, 100_000))
    def set_the_time_of_day(self, seconds: float) -> None:
        self.clock.set_wall(seconds)

    @rule(times=st.integers(1, 2) | st.just(60), status=st.sampled_from([500, 503, 429]))
    def let_requests_fail(self, times: int, status: int) -> None:
        self.sandbox.fail_next(times, status=status)
        self.failing += times

    @rule(which=st.integers(0, 2))
    def refuse(self, which: int) -> None:
        self.processes[which].invalidate()

    @rule(which=st.integers(0, 2), threads=st.sampled_from([1, 4]))
    def ask(self, which: int, threads: int) -> None:
        before = len(self.sandbox.requests)
        with ThreadPoolExecutor(threads) as pool:
            asked = [pool.submit(self.processes[which].get_token) for _ in range(threads)]
        made = len(self.sandbox.requests) - before
        failed = min(made, self.failing)
        self.failing -= failed
        # One thread asks at a time, and another one only after a failure.
        assert made <= failed + 1
        for outcome in asked:
            error = outcome.exception()
            if error is not None:
                # Only injected faults cause errors: no refresh token is lost.
                assert isinstance(error, (bluejeans.ServiceError, bluejeans.RateLimitError))
                # For a second, other threads share the error of the last attempt.
                assert failed or which in self.failed
                self.failed.add(which)
        if not asked[0].exception():
            self.failed.discard(which)
            self.use(self.processes[which], asked[0].result().token)

    def use(self, process: bluejeans.RefreshTokenCredentials, token: str) -> None:
        """Check that the token has not expired, and that a newer one exists if another process replaced it."""
        assert self.clock.boot() < self.seen.setdefault(token, self.clock.boot()) + LIFETIME
        self.let_no_request_fail()
        try:
            self.api.get_token_info(access_token=token)
        except bluejeans.UnauthorizedError:
            process.invalidate(token)
            newer = process.get_token().token
            assert newer != token
            assert self.api.get_token_info(access_token=newer).user == self.sandbox.user_id

    def let_no_request_fail(self) -> None:
        for _ in range(self.failing):
            with pytest.raises(bluejeans.ApiStatusError):
                self.api.get_token_info(access_token="")
        self.failing = 0

    @invariant()
    def the_file_is_whole_and_its_owners_alone(self) -> None:
        path = Path(self.folder.name) / "tokens.json" if hasattr(self, "folder") else None
        if path is not None and path.exists():
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.read_text().endswith("}")

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()
            self.api.api_client.close()


@pytest.mark.slow
def test_random_events_never_lose_a_refresh_token_or_return_an_expired_token(bluejeans_sandbox: Sandbox) -> None:
    """Run random sequences of events in the sandbox."""

    class InThisSandbox(TokenLifetime):
        sandbox = bluejeans_sandbox

    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(InThisSandbox, settings=SETTINGS)  # type: ignore[no-untyped-call]
