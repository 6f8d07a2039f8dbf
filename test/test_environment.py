"""The table of environment variables, and the visibility of their values in `help()` and documentation generators."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.environment import VARIABLES, setting

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


def test_search_finds_an_environment_value_in_a_signature() -> None:
    assert search("--self-test")[:-1] == [
        "BlueJeansMeetingsRestApi.environment.planted: default argument",
        "BlueJeansMeetingsRestApi.environment.planted: signature",
        "BlueJeansMeetingsRestApi.environment.planted_value: repr",
    ]


def test_package_reads_no_variable_outside_the_table() -> None:
    folder = Path(bluejeans.__file__).parent
    sources = [path for path in folder.rglob("*.py") if "sandbox" not in path.parts]
    found = {
        name for path in sources for name in re.findall(r"BLUEJEANS_([A-Z_]*[A-Z])", path.read_text(encoding="utf-8"))
    }
    assert {name.removesuffix("_FILE") for name in found} <= VARIABLES.keys()
    with pytest.raises(AssertionError):
        setting("CLIENT")


@pytest.mark.parametrize("name", VARIABLES)
def test_each_variable_can_be_read_from_a_file(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(f"BLUEJEANS_{name}", raising=False)
    (tmp_path / "value").write_text("from a file\n", encoding="utf-8")
    monkeypatch.setenv(f"BLUEJEANS_{name}_FILE", str(tmp_path / "value"))
    assert setting(name) == "from a file"
