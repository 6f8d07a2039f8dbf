"""The scripts in examples/ run against the sandbox as they are, and print no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import settings_of_sandbox

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
    ],
)
def test_example_runs(bluejeans_sandbox: Sandbox, script: str, said: str) -> None:
    ended = run(script, settings_of_sandbox.environment(bluejeans_sandbox))
    assert (ended.stdout, ended.stderr, ended.returncode) == (said, "", 0)


@pytest.mark.parametrize("script", sorted(path.name for path in EXAMPLES.glob("*_*.py")))
def test_a_missing_setting_is_told_in_one_line(script: str) -> None:
    ended = run(script, {})
    assert ended.returncode == 1
    assert ended.stderr.startswith("Set the environment variable BLUEJEANS_")
    assert ended.stderr.count("\n") == 1


def test_a_wrong_password_is_told_in_one_line(bluejeans_sandbox: Sandbox) -> None:
    environment = {**settings_of_sandbox.environment(bluejeans_sandbox), "BLUEJEANS_PASSWORD": "mistyped"}
    assert run("password_token.py", environment).stderr == "The name or the password is wrong\n"


def test_a_spent_code_is_told_in_one_line(bluejeans_sandbox: Sandbox) -> None:
    environment: dict[str, Any] = settings_of_sandbox.environment(bluejeans_sandbox)
    run("exchange_code.py", environment)
    assert run("exchange_code.py", environment).stderr.startswith("The code is wrong, was used, or is older")


def test_each_is_listed() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("*_*.py") if f"]({path.name})" not in listed] == []
    assert bluejeans.__version__
