"""`bluejeans-auth completion`, tested in real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from BlueJeansMeetingsRestApi.cli import main
from BlueJeansMeetingsRestApi.cli.arguments import SHELLS

COMMANDS = {"token", "login", "info", "revoke", "exec", "doctor", "demo", "sandbox", "completion"}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    if shutil.which(request.param) is None and not os.environ.get("BLUEJEANS_TEST_SKIPS_NOTHING"):
        pytest.skip(f"{request.param} is not installed")
    return str(request.param)


@pytest.fixture
def script(shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Path:
    assert main(["completion", shell]) == 0
    script = tmp_path / "completion"
    script.write_text(capsys.readouterr().out)
    return script


def completed(shell: str, script: Path, line: str) -> set[str]:
    """Return the words that the shell offers at the end of a line."""
    words = line.split(" ")
    in_bash = (
        f"source {script}; COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}'); COMP_CWORD={len(words) - 1}\n"
        "_bluejeans_auth; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    # zsh completes only in its line editor; these functions replace the ones that display the offered words.
    in_zsh = (
        "autoload -Uz compinit; compinit -u -D\n"
        f"source {script}\n"
        "_describe() { print -l ${${(P)2}%%:*} }\n"
        "_arguments() { local spec; for spec in $@; do [[ $spec == (--*|1:*) ]] && print -r -- $spec; done }\n"
        f"words=({' '.join(words[:-1])} '{words[-1]}'); CURRENT={len(words)}; _bluejeans_auth"
    )
    program = {"bash": in_bash, "zsh": in_zsh, "fish": f"source {script}; complete -C '{line}'"}[shell]
    ended = subprocess.run([shell, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.stderr, ended.returncode) == ("", 0)
    offered = {word.partition("\t")[0].partition("[")[0] for word in ended.stdout.splitlines() if word}
    return {word for word in offered if word.startswith((words[-1], "1:"))}


def test_completion_offers_the_commands(shell: str, script: Path) -> None:
    assert completed(shell, script, "bluejeans-auth ") == COMMANDS


def test_completion_offers_the_options_of_a_command(shell: str, script: Path) -> None:
    assert completed(shell, script, "bluejeans-auth info --") == {"--help", "--json", "--debug"}


def test_completion_offers_the_choices_of_an_option(shell: str, script: Path) -> None:
    if shell == "zsh":
        assert "--grant[kind of token]:choice:(client password meeting sign-in)" in script.read_text()
        return
    assert completed(shell, script, "bluejeans-auth token --grant ") == {"client", "password", "meeting", "sign-in"}


def test_completion_offers_the_shells(shell: str, script: Path) -> None:
    if shell == "zsh":
        assert completed(shell, script, "bluejeans-auth completion ") >= {"1:completion:(bash zsh fish)"}
        return
    assert completed(shell, script, "bluejeans-auth completion ") >= set(SHELLS)


def test_completion_offers_programs_after_exec(shell: str, script: Path) -> None:
    if shell != "bash":
        assert "command" in script.read_text()
        return
    assert "bash" in completed(shell, script, "bluejeans-auth exec -- bas")
