"""The steps of CONTRIBUTING.md work as written, in a copy of the source tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGES = ("CONTRIBUTING.md", "README.md")
CALL = """
import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.sandbox import Sandbox

with Sandbox() as sandbox:
    configuration = bluejeans.Configuration()
    configuration.host = sandbox.url
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        configuration.credentials = bluejeans.PasswordCredentials(sandbox.username, sandbox.password)
        user = str(sandbox.user_id)
        profile, status, _ = api.get_enterprise_profile_with_http_info(user)
        print(status, profile.enterprise, api.get_enterprise_profile(user, async_req=True).get().enterprise)
"""


def steps(page: Path) -> list[tuple[str, str]]:
    """Return the file and the lines of each step of "Add an operation"."""
    section = page.read_text(encoding="utf-8").partition("## Add an operation")[2].partition("\n## ")[0]
    return re.findall(r"^`([^`]+\.(?:py|yaml))` [^\n]*\n\n```\w+\n(.*?)^```$", section, re.M | re.S)


# What follows the new lines in files whose end is not their place.
FOLLOWING = {"app.py": "\n\ndef check_host(", "openapi.yaml": "\ncomponents:\n"}


def apply(file: Path, lines: str) -> None:
    """Write a new file, put an import in its alphabetical place, or put lines at the end of a class or section."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if before and lines.startswith("from "):
        present = before.splitlines(keepends=True)
        imports = [(i, line) for i, line in enumerate(present) if line.startswith("from .")]
        place = max((i + 1 for i, line in imports if line < lines), default=imports[0][0])
        after = "".join([*present[:place], lines, *present[place:]])
    elif before:
        start, following, end = before.partition(FOLLOWING.get(file.name, "\0"))
        after = start + added(lines) + following + end
    else:
        after = lines
    file.write_text(after, encoding="utf-8")


def added(lines: str) -> str:
    """Return the lines of a step without those that show where they belong."""
    return re.sub(r"\A\S.*\n +\.\.\.\n", "", lines)


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


def test_readme_and_contributing_have_the_same_two_commands(tree: Path) -> None:
    commands = [re.findall(r"^```sh\n(.*?)^```$", (tree / page).read_text(), re.M | re.S) for page in PAGES]
    assert commands[0] == commands[1][:2]


def test_new_operation_takes_at_most_30_lines(tree: Path) -> None:
    written = [line for _, lines in steps(tree / "CONTRIBUTING.md") for line in added(lines).splitlines()]
    assert 15 < len(list(filter(str.strip, written))) <= 30


def test_new_operation_calls_the_sandbox(changed: Path) -> None:
    assert run_python(changed, "-c", CALL) == "200 12345 12345\n"


@pytest.mark.parametrize(
    "command", ["mypy BlueJeansMeetingsRestApi", "mypy test/typing_consumer.py", "ruff check", "ruff format --check"]
)
def test_types_and_style_of_the_new_operation_are_clean(changed: Path, command: str) -> None:
    run_python(changed, "-m", *command.split())


def test_pages_and_public_names_contain_the_new_operation(changed: Path) -> None:
    row = "| [**get_enterprise_profile**](#get_enterprise_profile) | **GET** /v1/user/{id}/enterprise_profile |"
    assert row in (changed / "docs/AuthenticationApi.md").read_text()
    assert "[EnterpriseProfile](EnterpriseProfile.md)" in (changed / "docs/README.md").read_text()
    assert "\nAuthenticationApi.get_enterprise_profile(user_id: str, " in (changed / "docs/public-api.txt").read_text()
    assert "\n    EnterpriseProfile:\n" in (changed / "docs/openapi.yaml").read_text()


def test_tests_of_pages_and_names_pass_with_the_new_operation(changed: Path) -> None:
    run_python(changed, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test/test_docs.py", "test/test_import.py")
