"""Credentials of several processes that share a file or Redis, are killed or forked, or have their clock set."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.recording_server import RecordingServer, SilentResponse, http_response
from support.redis_server import RedisServer, redis_server

pytestmark = pytest.mark.slow  # Each test starts several processes.

USER = Path(__file__).parents[1] / "support" / "token_process.py"
TIMEOUT = 60  # seconds after which a test gives up
GRANT = {"access_token": "a-token", "expires_in": 3600}
Store = list[Any]


@pytest.fixture(scope="module")
def running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


class User:
    """`token_process.py`, running."""

    def __init__(self, log: Path, command: tuple[str, ...] = (), **environment: str) -> None:
        self.log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [*command, sys.executable, str(USER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **environment},
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout

    def begin(self, plan: dict[str, Any]) -> None:
        self.stdin.write(json.dumps(plan).encode() + b"\n")
        self.stdin.flush()

    def told(self) -> list[str]:
        """Return the token or error of each of its threads."""
        line = self.stdout.readline()
        assert line, self.log.read_text()
        return list(json.loads(line))

    def asks(self, plan: dict[str, Any]) -> list[str]:
        self.begin(plan)
        return self.told()


@pytest.fixture
def users(tmp_path: Path) -> Iterator[Callable[..., list[User]]]:
    """Starts processes, and searches their logs for tokens in the end."""
    running: list[User] = []

    def start(count: int, *args: Any, **environment: str) -> list[User]:
        started = [User(tmp_path / f"log-{len(running) + n}", *args, **environment) for n in range(count)]
        running.extend(started)
        for user in started:
            assert user.stdout.readline() == b"ready\n", user.log.read_text()
        return started

    yield start
    for user in running:
        user.process.kill()
        user.process.wait()
        user.stdin.close()
        user.stdout.close()
        assert re.findall("[0-9a-f]{32}|a-token", user.log.read_text()) == []


class Stores:
    """Empty stores of one kind."""

    def __init__(self, kind: str, folder: Path, redis: RedisServer) -> None:
        self.kind, self.folder, self.redis, self.made = kind, folder, redis, 0

    def new(self) -> Store:
        self.made += 1
        options = {"encryption_key": Fernet.generate_key().decode()} if "encrypted" in self.kind else {}
        if "file" in self.kind:
            return ["FileTokenStore", str(self.folder / f"tokens-{self.made}.json"), options]
        with self.redis.client as client:
            client.flushall()
        # Time limits for a machine that is busy with eight processes.
        return ["RedisTokenStore", self.redis.url, {**options, "timeout": 10.0, "lease": 10.0}]


@pytest.fixture(params=["file", "redis", "encrypted file", "encrypted redis"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    return Stores(request.param, tmp_path, request.getfixturevalue("running_redis"))


def of_client(sandbox: Sandbox, store: Store | None, **more: Any) -> dict[str, Any]:
    arguments = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    plan = {"kind": "ClientCredentials", "arguments": arguments, "host": sandbox.url, "store": store, "threads": 8}
    return {**plan, **more}


def at_once(users: list[User], plan: dict[str, Any]) -> set[str]:
    for user in users:
        user.begin(plan)
    told = [token for user in users for token in user.told()]
    assert len(told) == len(users) * plan["threads"]
    return set(told)


class TestManyProcesses:
    @pytest.mark.fault(36, "8 processes of 8 threads have no token", "one request, and all get its token")
    def test_8_processes_without_a_token_send_one_request(
        self, users: Callable[..., list[User]], stores: Stores, bluejeans_sandbox: Sandbox
    ) -> None:
        eight = users(8)
        for one in range(20):
            bluejeans_sandbox.reset()
            tokens = at_once(eight, of_client(bluejeans_sandbox, stores.new(), round=one))
            assert (len(tokens), len(bluejeans_sandbox.requests)) == (1, 1)

    @pytest.mark.fault(36, "8 processes of 8 threads have a refresh token", "it is sent once, and the next one is kept")
    def test_8_processes_use_a_refresh_token_once(
        self, users: Callable[..., list[User]], stores: Stores, bluejeans_sandbox: Sandbox, api: Any
    ) -> None:
        grant = api.get_token_by_code(
            bluejeans.GrantRequestCode(
                client_id=bluejeans_sandbox.client_id,
                client_secret=bluejeans_sandbox.client_secret,
                redirect_uri=bluejeans_sandbox.redirect_uri,
                code=bluejeans_sandbox.authorize(),
            )
        )
        plan = of_client(bluejeans_sandbox, stores.new(), kind="RefreshTokenCredentials")
        plan["arguments"]["refresh_token"] = grant.refresh_token
        eight = users(8)
        tokens = at_once(eight, plan)
        assert (len(tokens), len(bluejeans_sandbox.requests)) == (1, 2)
        # A process that starts later with the used refresh token.
        [later] = users(1)
        assert {*later.asks(plan)} == tokens


@pytest.mark.fault(36, "the process that refreshes the token is killed", "the next one refreshes it")
def test_next_process_refreshes_if_the_lock_holder_is_killed(users: Callable[..., list[User]], stores: Stores) -> None:
    silence = SilentResponse()
    with RecordingServer([silence, http_response(GRANT)]) as server:
        kind, where, options = stores.new()
        store = [kind, where, {**options, **({"lease": 1.5} if kind == "RedisTokenStore" else {})}]
        arguments = {"client_id": "id", "client_secret": "secret"}
        plan = {"kind": "ClientCredentials", "arguments": arguments, "host": server.url, "store": store, "threads": 1}
        holder, other = users(2)
        holder.begin(plan)
        assert silence.requested.wait(TIMEOUT)
        other.begin(plan)
        holder.process.kill()
        assert other.told() == ["a-token"]
        assert len(server.requests) == 2


class TestRedisFailures:
    @pytest.fixture
    def redis(self, tmp_path: Path) -> Iterator[RedisServer]:
        with redis_server(tmp_path) as server:
            yield server

    def plan(self, host: str, redis: RedisServer) -> dict[str, Any]:
        arguments = {"client_id": "id", "client_secret": "secret"}
        store = ["RedisTokenStore", redis.url, {"timeout": 0.3}]
        return {"kind": "ClientCredentials", "arguments": arguments, "host": host, "store": store, "threads": 8}

    @pytest.mark.fault(36, "Redis is down", "the service is asked, and a warning logged")
    def test_refresh_works_if_redis_is_down(self, users: Callable[..., list[User]], redis: RedisServer) -> None:
        redis.kill()
        [user] = users(1)
        with RecordingServer([http_response(GRANT)]) as server:
            assert {*user.asks(self.plan(server.url, redis))} == {"a-token"}
            assert len(server.requests) == 1
        assert "The token is refreshed without its store" in user.log.read_text()

    @pytest.mark.fault(36, "Redis takes connections and says nothing", "the service is asked, and a warning logged")
    def test_refresh_works_if_redis_does_not_respond(
        self, users: Callable[..., list[User]], redis: RedisServer
    ) -> None:
        [user] = users(1)
        with redis.stopped(), RecordingServer([http_response(GRANT)]) as server:
            assert {*user.asks(self.plan(server.url, redis))} == {"a-token"}
        assert "The token is refreshed without its store" in user.log.read_text()

    @pytest.mark.fault(36, "Redis goes down while the service is asked", "the token is given, and a warning logged")
    def test_refresh_works_if_redis_stops_during_the_request(
        self, users: Callable[..., list[User]], redis: RedisServer
    ) -> None:
        def answer(connection: Any) -> None:
            redis.kill()
            connection.sendall(http_response(GRANT))

        [user] = users(1)
        with RecordingServer([answer]) as server:
            assert {*user.asks(self.plan(server.url, redis))} == {"a-token"}
        assert "The token is not stored" in user.log.read_text()


@pytest.mark.usefixtures("no_token_in_any_log")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
class TestForks:
    @pytest.fixture
    def in_a_child(self) -> Callable[[Callable[[], bool]], None]:
        def run(holds: Callable[[], bool]) -> None:
            pid = os.fork()
            if pid == 0:
                held = False
                try:
                    held = holds()
                finally:
                    os._exit(0 if held else 1)
            assert os.waitpid(pid, 0)[1] == 0

        return run

    def asking(self, server: RecordingServer, store: Any = None) -> bluejeans.ClientCredentials:
        configuration = bluejeans.Configuration()
        configuration.host = server.url
        api = bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))
        return bluejeans.ClientCredentials("id", "secret", api=api, store=store)

    @pytest.mark.fault(11, "a process that has a token forks", "the child has it too")
    def test_valid_token_is_also_valid_in_a_forked_child(self, in_a_child: Callable[..., None]) -> None:
        with RecordingServer([http_response(GRANT)]) as server:
            credentials = self.asking(server)
            token = credentials.get_token()
            in_a_child(lambda: credentials.get_token() == token)
            assert len(server.requests) == 1

    @pytest.mark.fault(11, "a process forks while a thread refreshes the token", "the child refreshes it itself")
    @pytest.mark.parametrize("shared", [False, True], ids=["alone", "with a store in memory"])
    def test_child_forked_during_a_refresh_refreshes_itself(
        self, in_a_child: Callable[..., None], shared: bool
    ) -> None:
        silence = SilentResponse()
        with RecordingServer([silence, http_response(GRANT)]) as server:
            credentials = self.asking(server, bluejeans.MemoryTokenStore() if shared else None)
            thread = threading.Thread(target=lambda: self.try_it(credentials), daemon=True)
            thread.start()
            assert silence.requested.wait(TIMEOUT)
            in_a_child(lambda: credentials.get_token(timeout=30).token == "a-token")
        thread.join(TIMEOUT)

    def try_it(self, credentials: bluejeans.ClientCredentials) -> None:
        try:
            credentials.get_token(timeout=1)
        except bluejeans.ApiException:
            return


@pytest.fixture
def faketime() -> str:
    program = shutil.which("faketime")
    if program is None:
        if os.environ.get("BLUEJEANS_TEST_SKIPS_NOTHING"):
            pytest.fail("faketime is not installed")
        pytest.skip("faketime is not installed (Debian's package faketime)")
    return program


class TestClockSteps:
    """A whole process under faketime."""

    @pytest.fixture
    def user(self, users: Callable[..., list[User]], faketime: str, tmp_path: Path) -> User:
        (tmp_path / "time").write_text("+0")
        settings = {"FAKETIME_TIMESTAMP_FILE": str(tmp_path / "time"), "FAKETIME_NO_CACHE": "1"}
        # Set only the wall clock, through the file instead of the command's option.
        command = (faketime, "--exclude-monotonic", "-f", "+0", "env", "-u", "FAKETIME")
        started: list[User] = users(1, command, **settings)
        return started[0]

    @pytest.mark.fault(37, "the clock of a whole process jumps a day back and forth", "never an expired token")
    def test_wall_clock_steps_of_a_day_never_return_an_expired_token(
        self, user: User, tmp_path: Path, bluejeans_sandbox: Sandbox
    ) -> None:
        plan = of_client(bluejeans_sandbox, None, threads=1)
        tokens = []
        for set_to in ("+0", "-1d", "+1d"):
            (tmp_path / "time").write_text(set_to)
            tokens += user.asks(plan)
        assert tokens[0] == tokens[1]
        assert tokens[2] != tokens[0]
        assert len(bluejeans_sandbox.requests) == 2
