"""The steps of CONTRIBUTING.md, done in a copy of the tree as they are written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from BlueJeansMeetingsRestApi.sandbox import Sandbox

PAGES = ("CONTRIBUTING.md", "README.md")
CALL = """
import os
import BlueJeansMeetingsRestApi as bluejeans

configuration = bluejeans.Configuration()
configuration.host = os.environ["BLUEJEANS_HOST"]
api = bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration))
request = bluejeans.GrantRequestPassword(username="demo.user", password=os.environ["BLUEJEANS_PASSWORD"])
grant = api.get_token_by_password(request)
user, status, _ = api.get_user_with_http_info(str(grant.scope.user), access_token=grant.access_token)
print(status, api.get_user(str(user.id), access_token=grant.access_token).username)
"""


def steps(page: Path) -> list[tuple[str, str]]:
    """The file and the lines of each step of "Add an operation"."""
    section = page.read_text(encoding="utf-8").partition("## Add an operation")[2].partition("\n## ")[0]
    return re.findall(r"^`([^`]+\.py)` [^\n]*\n\n```py\n(.*?)^```$", section, re.M | re.S)


def apply(file: Path, lines: str) -> None:
    """Write a new file; put an import where it belongs by the alphabet, and what is in a class at its end."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if before and lines.startswith("from "):
        there = before.splitlines(keepends=True)
        place = max(i for i, line in enumerate(there) if line.startswith("from .") and line < lines) + 1
        after = "".join([*there[:place], lines, *there[place:]])
    else:
        after = before + lines.partition("    ...\n")[2] if before else lines
    file.write_text(after, encoding="utf-8")


@pytest.fixture(scope="module")
def changed(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with the operation of CONTRIBUTING.md, and what is made from the code made."""
    copy = tmp_path_factory.mktemp("contributing") / "tree"
    shutil.copytree(tree, copy)
    for name, lines in steps(copy / "CONTRIBUTING.md"):
        apply(copy / name, lines)
    for script in ("render.py", "public_api.py"):
        succeeds(copy, f"docs/{script}")
    return copy


def succeeds(tree: Path, *arguments: str, **variables: str) -> str:
    """What this Python printed when it ran these arguments with the package in that tree, without an error."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    ended = subprocess.run(
        [sys.executable, *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_two_commands_are_those_of_the_readme(tree: Path) -> None:
    commands = [re.findall(r"^```sh\n(.*?)^```$", (tree / page).read_text(), re.M | re.S) for page in PAGES]
    assert commands[0] == commands[1][:2]


def test_it_takes_less_than_25_lines(tree: Path) -> None:
    written = [line for _, lines in steps(tree / "CONTRIBUTING.md") for line in lines.splitlines() if line.strip()]
    assert 10 < len(written) < 25


def test_the_new_operation_works(changed: Path, bluejeans_sandbox: Sandbox) -> None:
    variables = {"BLUEJEANS_HOST": bluejeans_sandbox.url, "BLUEJEANS_PASSWORD": bluejeans_sandbox.password}
    assert succeeds(changed, "-c", CALL, **variables) == "200 demo.user\n"


@pytest.mark.parametrize(
    "command", ["mypy BlueJeansMeetingsRestApi", "mypy test/typing_consumer.py", "ruff check", "ruff format --check"]
)
def test_its_types_and_its_style_are_clean(changed: Path, command: str) -> None:
    succeeds(changed, "-m", *command.split())


def test_its_pages_and_its_name_are_there(changed: Path) -> None:
    assert (
        "| [**get_user**](#get_user) | **GET** /v1/user/{id} |" in (changed / "docs/AuthenticationApi.md").read_text()
    )
    assert "[User](User.md)" in (changed / "docs/README.md").read_text()
    assert "\nAuthenticationApi.get_user(user_id: str, " in (changed / "docs/public-api.txt").read_text()


def test_its_example_runs_and_every_other_test_of_pages_and_names_still_passes(changed: Path) -> None:
    succeeds(changed, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test/test_docs.py", "test/test_import.py")
