"""The scripts in examples/ run unchanged against the sandbox and print no secret."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support import sandbox_environment
from support.browser_user import BrowserUser
from support.recording_server import unused_port
from support.redis_server import redis_server

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script with these environment variables, and check that its output contains no secret."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BLUEJEANS_")}
    command = [sys.executable, "-W", "error", str(EXAMPLES / script)]
    finished = subprocess.run(command, env={**inherited, **environment}, capture_output=True, text=True, check=False)
    for name in sandbox_environment.SECRETS & environment.keys():
        assert environment[name] not in finished.stdout + finished.stderr
    return finished


@pytest.mark.parametrize(
    ("script", "output"),
    [
        ("client_token.py", "A token for enterprise 12345, good for 3600 seconds\nUser 1442589 is called demo.user\n"),
        ("password_token.py", "A token for user 1442589, good for 1209600 seconds\n"),
        (
            "meeting_token.py",
            "A token for meeting 494435558, as moderator\nA token for meeting 271828182, as attendee\n",
        ),
        ("exchange_code.py", "Tokens for user 1442589, who allowed user_info\n"),
        ("refresh_token.py", "The next token is good for 3600 seconds\n"),
        ("revoke_token.py", "The token is revoked\nIt was revoked before\n"),
        ("threaded_service.py", "100 calls were answered, with 1 token\n"),
        ("short_process.py", "first: a token of 32 characters\nsecond: a token of 32 characters\n"),
        ("http_clients.py", "requests: demo.user\nhttpx: demo.user\n"),
    ],
)
def test_example_runs_against_the_sandbox(bluejeans_sandbox: Sandbox, script: str, output: str) -> None:
    finished = run(script, sandbox_environment.environment(bluejeans_sandbox))
    assert (finished.stdout, finished.stderr, finished.returncode) == (output, "", 0)


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*_*.py")))
def test_missing_setting_is_reported_in_one_line(script: str) -> None:
    finished = run(script, {})
    assert finished.returncode == 1
    assert "BLUEJEANS_" in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_wrong_password_is_reported_in_one_line(bluejeans_sandbox: Sandbox) -> None:
    environment = {**sandbox_environment.environment(bluejeans_sandbox), "BLUEJEANS_PASSWORD": "mistyped"}
    assert run("password_token.py", environment).stderr == "The name or the password is wrong\n"


def test_used_code_is_reported_in_one_line(bluejeans_sandbox: Sandbox) -> None:
    environment: dict[str, Any] = sandbox_environment.environment(bluejeans_sandbox)
    run("exchange_code.py", environment)
    assert run("exchange_code.py", environment).stderr.startswith("The code is wrong, was used, or is older")


@pytest.mark.slow
def test_redis_example_shares_a_token_between_machines(bluejeans_sandbox: Sandbox, tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        environment = {**sandbox_environment.environment(bluejeans_sandbox), "BLUEJEANS_TOKEN_STORE": redis.url}
        finished = [run("shared_by_redis.py", environment) for _ in range(2)]
    assert [process.stderr for process in finished] == ["", ""]
    assert [process.stdout for process in finished] == [
        "This machine got a token\n",
        "Another machine had got a token\n",
    ]


@pytest.mark.slow
def test_gunicorn_example_shares_a_token_between_workers(bluejeans_sandbox: Sandbox, tmp_path: Path) -> None:
    environment = sandbox_environment.environment(bluejeans_sandbox)
    bluejeans_sandbox.reset()
    environment["BLUEJEANS_TOKEN_STORE"] = str(tmp_path / "tokens.json")
    socket = tmp_path / "socket"
    command = [sys.executable, "-m", "gunicorn", "--workers", "4", "--bind", f"unix:{socket}", "gunicorn_app"]
    with subprocess.Popen(
        command, cwd=EXAMPLES, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    ) as gunicorn:
        assert gunicorn.stderr is not None
        output = ""
        while output.count("Booting worker") < 4:
            output += (line := gunicorn.stderr.readline())
            assert line, output
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), headers={"Connection": "close"}) as http:
            responses = {http.get("http://localhost/").text for _ in range(20)}
        gunicorn.terminate()
    assert len(responses) == 1
    assert [recorded.grant for recorded in bluejeans_sandbox.requests] == ["client_credentials"]


class TestFlaskSignIn:
    @pytest.fixture
    def url(self, bluejeans_sandbox: Sandbox, tmp_path: Path) -> Iterator[str]:
        port = unused_port()
        environment = {**os.environ, **sandbox_environment.environment(bluejeans_sandbox), "PORT": str(port)}
        command = [sys.executable, str(EXAMPLES / "flask_sign_in.py")]
        log = tmp_path / "log"
        with (
            open(log, "wb") as output,
            subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT) as application,
        ):
            deadline = time.monotonic() + 30
            while application.poll() is None and time.monotonic() < deadline:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
            yield f"http://127.0.0.1:{port}"
            application.kill()
        assert "code=" not in log.read_text()

    def test_flask_example_signs_in_a_user(self, url: str) -> None:
        assert BrowserUser().sign_in(f"{url}/sign-in") == "You are user 1442589"

    def test_flask_example_reports_denied_access(self, url: str) -> None:
        assert BrowserUser("deny").sign_in(f"{url}/sign-in") == "You did not allow it"

    def test_flask_example_refuses_the_callback_of_another_session(self, url: str) -> None:
        attacker = BrowserUser(is_elsewhere=True)
        attacker.open(f"{url}/sign-in")
        attacker.sign_in(attacker.address)
        user = BrowserUser()
        assert user.open(attacker.address) == "This is no answer to a sign-in that was begun here"
        assert user.open(url).endswith("Sign in</a>")

    def test_flask_example_refuses_a_repeated_callback(self, url: str) -> None:
        user = BrowserUser(is_elsewhere=True)
        user.open(f"{url}/sign-in")
        user.sign_in(user.address)
        callback = user.address
        user.open(callback)
        assert user.open(callback) == "This is no answer to a sign-in that was begun here"
        assert user.open(url) == "You are user 1442589"


def test_examples_readme_lists_every_example() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("*_*.py") if f"]({path.name})" not in listed] == []
    assert bluejeans.__version__
