"""No value of the environment is visible in what `help()`, notebooks and documentation generators print."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SEARCH = Path(__file__).parent / "support" / "environment_search.py"
CANARIES = {
    "UNRELATED_VARIABLE": "canary-unrelated",
    "BLUEJEANS_HOST": "https://canary-host.example",
    "BLUEJEANS_CLIENT_ID": "an-id",
    "BLUEJEANS_CLIENT_SECRET": "canary-client-secret",
}


def search(*arguments: str) -> list[str]:
    """Return what a new process with the canaries in its environment finds, with the number of objects searched."""
    command = [sys.executable, str(SEARCH), *arguments]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BLUEJEANS_")}
    ended = subprocess.run(command, env={**inherited, **CANARIES}, capture_output=True, text=True, check=False)
    assert (ended.stderr, ended.returncode) == ("", 0)
    return ended.stdout.splitlines()


@pytest.mark.slow
def test_no_signature_docstring_or_repr_shows_the_environment() -> None:
    found, searched = search()[:-1], int(search()[-1])
    assert found == []
    assert searched > 1000


def test_the_search_finds_an_environment_in_a_signature() -> None:
    assert search("--self-test")[:-1] == [
        "BlueJeansMeetingsRestApi.environment.planted: default argument",
        "BlueJeansMeetingsRestApi.environment.planted: signature",
        "BlueJeansMeetingsRestApi.environment.planted_value: repr",
    ]
