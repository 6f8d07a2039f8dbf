"""The scripts in examples/ run against the sandbox as they are, and print no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import settings_of_sandbox
from redis_server import redis_server

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script with these settings, and search all that it prints for secrets."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BLUEJEANS_")}
    command = [sys.executable, "-W", "error", str(EXAMPLES / script)]
    ended = subprocess.run(command, env={**inherited, **environment}, capture_output=True, text=True, check=False)
    for name in settings_of_sandbox.SECRETS & environment.keys():
        assert environment[name] not in ended.stdout + ended.stderr
    return ended


@pytest.mark.parametrize(
    ("script", "said"),
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
def test_example_runs(bluejeans_sandbox: Sandbox, script: str, said: str) -> None:
    ended = run(script, settings_of_sandbox.environment(bluejeans_sandbox))
    assert (ended.stdout, ended.stderr, ended.returncode) == (said, "", 0)


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*_*.py")))
def test_a_missing_setting_is_told_in_one_line(script: str) -> None:
    ended = run(script, {})
    assert ended.returncode == 1
    assert "BLUEJEANS_" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_wrong_password_is_told_in_one_line(bluejeans_sandbox: Sandbox) -> None:
    environment = {**settings_of_sandbox.environment(bluejeans_sandbox), "BLUEJEANS_PASSWORD": "mistyped"}
    assert run("password_token.py", environment).stderr == "The name or the password is wrong\n"


def test_a_spent_code_is_told_in_one_line(bluejeans_sandbox: Sandbox) -> None:
    environment: dict[str, Any] = settings_of_sandbox.environment(bluejeans_sandbox)
    run("exchange_code.py", environment)
    assert run("exchange_code.py", environment).stderr.startswith("The code is wrong, was used, or is older")


def test_machines_share_a_token_by_way_of_redis(bluejeans_sandbox: Sandbox, tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        environment = {**settings_of_sandbox.environment(bluejeans_sandbox), "BLUEJEANS_TOKEN_STORE": redis.url}
        ended = [run("shared_by_redis.py", environment) for _ in range(2)]
    assert [one.stderr for one in ended] == ["", ""]
    assert [one.stdout for one in ended] == ["This machine got a token\n", "Another machine had got a token\n"]


def test_workers_of_gunicorn_share_a_token_by_way_of_a_file(bluejeans_sandbox: Sandbox, tmp_path: Path) -> None:
    environment = settings_of_sandbox.environment(bluejeans_sandbox)
    bluejeans_sandbox.reset()
    environment["BLUEJEANS_TOKEN_STORE"] = str(tmp_path / "tokens.json")
    socket = tmp_path / "socket"
    command = [sys.executable, "-m", "gunicorn", "--workers", "4", "--bind", f"unix:{socket}", "gunicorn_app"]
    with subprocess.Popen(
        command, cwd=EXAMPLES, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    ) as gunicorn:
        assert gunicorn.stderr is not None
        said = ""
        while said.count("Booting worker") < 4:
            said += (line := gunicorn.stderr.readline())
            assert line, said
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), headers={"Connection": "close"}) as http:
            answers = {http.get("http://localhost/").text for _ in range(20)}
        gunicorn.terminate()
    assert len(answers) == 1
    assert [seen.grant for seen in bluejeans_sandbox.requests] == ["client_credentials"]


def test_each_is_listed() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("*_*.py") if f"]({path.name})" not in listed] == []
    assert bluejeans.__version__
