"""What `--help` and docs/CLI.md say of the command is what it does, against the sandbox."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from BlueJeansMeetingsRestApi import cli
from BlueJeansMeetingsRestApi.cli import demo
from BlueJeansMeetingsRestApi.cli.arguments import make_parser
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.command import environment, run
from support.terminal import Terminal

PAGE = Path(__file__).parent.parent / "docs" / "CLI.md"
COMMANDS: dict[str, argparse.ArgumentParser] = next(
    dict(action.choices) for action in make_parser()._actions if isinstance(action, argparse._SubParsersAction)
)


@pytest.fixture
def env(bluejeans_sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """A shell in which `bluejeans-auth` is this package's, and the sandbox's lines are exported."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "bluejeans-auth"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m BlueJeansMeetingsRestApi "$@"\n')
    program.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return environment(tmp_path, bluejeans_sandbox, PATH=path, BLUEJEANS_USER_ID=str(bluejeans_sandbox.user_id))


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"sandbox"}))  # which does not end by itself
def test_the_example_of_each_command_works(command: str, env: dict[str, str]) -> None:
    example = (COMMANDS[command].epilog or "").partition("example: ")[2]
    if command == "revoke":
        assert run("login", env=env).returncode == cli.DONE
    ended = subprocess.run(example, shell=True, env=env, capture_output=True, text=True, check=False)
    assert (ended.stderr, ended.returncode) == ("", cli.DONE)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_on_standard_output(command: str, env: dict[str, str]) -> None:
    ended = run(*command.split(), "--help", env=env)
    assert (ended.stderr, ended.returncode) == ("", cli.DONE)
    assert "example: bluejeans-auth " in ended.stdout or "exit codes:" in ended.stdout


def test_the_demo_says_what_it_finds_in_the_environment() -> None:
    assert [name for name in demo.VARIABLES if name not in (COMMANDS["demo"].description or "")] == []


def test_the_page_and_help_know_the_exit_codes() -> None:
    codes = {cli.DONE, cli.REFUSED, cli.USAGE, cli.NETWORK, cli.SIGN_IN, cli.INTERRUPTED}
    in_help = re.findall(r"^  (\d+) ", make_parser().epilog or "", re.M)
    in_page = re.findall(r"^\| (\d+) \|", PAGE.read_text("utf-8"), re.M)
    assert {int(code) for code in in_help} == {int(code) for code in in_page} == codes


def session() -> Iterator[tuple[str, str]]:
    """Each line that is typed in the session on the page, and what shows then."""
    (block,) = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    for typed in block.split("$ bluejeans-auth ")[1:]:
        line, _, shown = typed.partition("\n")
        yield f"bluejeans-auth {line}", shown


def without_what_changes(shown: str) -> str:
    shown = re.sub(r"state=[\w-]{43}", "state=S", shown)
    shown = re.sub(r"(127\.0\.0\.1(:|%3A))\d+", r"\1PORT", shown)
    shown = re.sub(r"(?m)^[0-9a-f]{32}$", "TOKEN", shown)
    return re.sub(r"since \d{4}-\d\d-\d\d \d\d:\d\d", "since THEN", shown)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="the session has curl")
def test_the_session_on_the_page_is_what_happens(env: dict[str, str]) -> None:
    for line, shown in session():
        terminal = Terminal(["-c", "import os, sys; os.execvp('sh', ['sh', '-c', sys.argv[1]])", line], env)
        terminal.end()
        seen = re.sub(r"\x1b\[K|\r", "", terminal.screen)
        terminal.close()
        assert without_what_changes(seen.rstrip("\n")) == without_what_changes(shown.rstrip("\n")), line
