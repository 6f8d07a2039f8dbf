"""`--help` and docs/CLI.md describe the real behavior of the command, against the sandbox."""

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

PAGE = Path(__file__).parent.parent.parent / "docs" / "CLI.md"
COMMANDS: dict[str, argparse.ArgumentParser] = next(
    dict(action.choices) for action in make_parser()._actions if isinstance(action, argparse._SubParsersAction)
)


@pytest.fixture
def env(bluejeans_sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """Return an environment with `bluejeans-auth` in PATH and the variables of the sandbox."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "bluejeans-auth"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m BlueJeansMeetingsRestApi "$@"\n')
    program.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return environment(tmp_path, bluejeans_sandbox, PATH=path, BLUEJEANS_USER_ID=str(bluejeans_sandbox.user_id))


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"sandbox"}))  # runs until it is interrupted
def test_example_of_each_command_succeeds(command: str, env: dict[str, str]) -> None:
    example = (COMMANDS[command].epilog or "").partition("example: ")[2]
    if command == "revoke":
        assert run("login", env=env).returncode == cli.DONE
    ended = subprocess.run(example, shell=True, env=env, capture_output=True, text=True, check=False)
    assert (ended.stderr, ended.returncode) == ("", cli.DONE)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_printed_to_standard_output(command: str, env: dict[str, str]) -> None:
    ended = run(*command.split(), "--help", env=env)
    assert (ended.stderr, ended.returncode) == ("", cli.DONE)
    assert "example: bluejeans-auth " in ended.stdout or "exit codes:" in ended.stdout


def test_help_of_demo_lists_its_environment_variables() -> None:
    assert [name for name in demo.VARIABLES if name not in (COMMANDS["demo"].description or "")] == []


def test_page_and_help_list_the_exit_codes() -> None:
    codes = {cli.DONE, cli.REFUSED, cli.USAGE, cli.NETWORK, cli.SIGN_IN, cli.INTERRUPTED}
    in_help = re.findall(r"^  (\d+) ", make_parser().epilog or "", re.M)
    in_page = re.findall(r"^\| (\d+) \|", PAGE.read_text("utf-8"), re.M)
    assert {int(code) for code in in_help} == {int(code) for code in in_page} == codes


def session() -> Iterator[tuple[str, str]]:
    """Yield each command of the session on the page, with its output."""
    (block,) = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    for text in block.split("$ bluejeans-auth ")[1:]:
        line, _, output = text.partition("\n")
        yield f"bluejeans-auth {line}", output


def normalize(output: str) -> str:
    """Replace the parts of the output that change from run to run."""
    output = re.sub(r"state=[\w-]{43}", "state=S", output)
    output = re.sub(r"(127\.0\.0\.1(:|%3A))\d+", r"\1PORT", output)
    output = re.sub(r"(?m)^[0-9a-f]{32}$", "TOKEN", output)
    return re.sub(r"since \d{4}-\d\d-\d\d \d\d:\d\d", "since THEN", output)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_session_on_the_page_is_the_real_output(env: dict[str, str]) -> None:
    for line, output in session():
        terminal = Terminal(["-c", "import os, sys; os.execvp('sh', ['sh', '-c', sys.argv[1]])", line], env)
        terminal.end()
        seen = re.sub(r"\x1b\[K|\r", "", terminal.screen)
        terminal.close()
        assert normalize(seen.rstrip("\n")) == normalize(output.rstrip("\n")), line
