"""The steps of CONTRIBUTING.md work as written, in a copy of the source tree."""

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
    """Return the file and the code of each step of "Add an operation"."""
    section = page.read_text(encoding="utf-8").partition("## Add an operation")[2].partition("\n## ")[0]
    return re.findall(r"^`([^`]+\.py)` [^\n]*\n\n```py\n(.*?)^```$", section, re.M | re.S)


def apply(file: Path, lines: str) -> None:
    """Apply a step: create a file, insert an import in alphabetical order, or append a method to a class."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if before and lines.startswith("from "):
        existing = before.splitlines(keepends=True)
        place = max(i for i, line in enumerate(existing) if line.startswith("from .") and line < lines) + 1
        after = "".join([*existing[:place], lines, *existing[place:]])
    else:
        after = before + lines.partition("    ...\n")[2] if before else lines
    file.write_text(after, encoding="utf-8")


@pytest.fixture(scope="module")
def changed(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the source tree with the operation of CONTRIBUTING.md and updated generated files."""
    copy = tmp_path_factory.mktemp("contributing") / "tree"
    shutil.copytree(tree, copy)
    for name, lines in steps(copy / "CONTRIBUTING.md"):
        apply(copy / name, lines)
    for script in ("render.py", "public_api.py"):
        run_python(copy, f"docs/{script}")
    return copy


def run_python(tree: Path, *arguments: str, **variables: str) -> str:
    """Run this Python with these arguments and the package in `tree`, fail on an error, and return the output."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    finished = subprocess.run(
        [sys.executable, *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_contributing_page_has_the_commands_of_the_readme(tree: Path) -> None:
    commands = [re.findall(r"^```sh\n(.*?)^```$", (tree / page).read_text(), re.M | re.S) for page in PAGES]
    assert commands[0] == commands[1][:2]


def test_new_operation_takes_fewer_than_25_lines(tree: Path) -> None:
    written = [line for _, lines in steps(tree / "CONTRIBUTING.md") for line in lines.splitlines() if line.strip()]
    assert 10 < len(written) < 25


def test_new_operation_works_against_the_sandbox(changed: Path, bluejeans_sandbox: Sandbox) -> None:
    variables = {"BLUEJEANS_HOST": bluejeans_sandbox.url, "BLUEJEANS_PASSWORD": bluejeans_sandbox.password}
    assert run_python(changed, "-c", CALL, **variables) == "200 demo.user\n"


@pytest.mark.parametrize(
    "command", ["mypy BlueJeansMeetingsRestApi", "mypy test/typing_consumer.py", "ruff check", "ruff format --check"]
)
def test_type_checks_and_linters_pass_with_the_new_operation(changed: Path, command: str) -> None:
    run_python(changed, "-m", *command.split())


def test_generated_pages_include_the_new_operation(changed: Path) -> None:
    assert (
        "| [**get_user**](#get_user) | **GET** /v1/user/{id} |" in (changed / "docs/AuthenticationApi.md").read_text()
    )
    assert "[User](User.md)" in (changed / "docs/README.md").read_text()
    assert "\nAuthenticationApi.get_user(user_id: str, " in (changed / "docs/public-api.txt").read_text()


def test_documentation_and_import_tests_pass_with_the_new_operation(changed: Path) -> None:
    run_python(changed, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test/test_docs.py", "test/test_import.py")
