"""The documentation: generated pages are up to date, links are valid, and the Python examples run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi import models
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support import sandbox_environment

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")])

FUTURE = re.compile("^from __future__ import .*\n", re.M)
# The README instructs readers to run this before its examples, so that they use the sandbox.
PRELUDE = """
import os
import BlueJeansMeetingsRestApi
configuration = BlueJeansMeetingsRestApi.Configuration()
configuration.host = os.environ["BLUEJEANS_HOST"]
BlueJeansMeetingsRestApi.Configuration.set_default(configuration)
"""


def blocks() -> Iterator[object]:
    for page in PAGES:
        for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.M | re.S), 1):
            yield pytest.param(block, id=f"{page.relative_to(ROOT)}:{number}")


@pytest.mark.parametrize("block", list(blocks()))
def test_python_example_in_the_documentation_runs(block: str, bluejeans_sandbox: Sandbox) -> None:
    future = FUTURE.findall(block)  # these imports must come first
    environment = sandbox_environment.environment(bluejeans_sandbox)
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", "".join([*future, PRELUDE, FUTURE.sub("", block)])],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.stderr, finished.returncode) == ("", 0)
    assert "failed" not in finished.stdout
    for name in sandbox_environment.SECRETS:
        assert environment[name] not in finished.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_anchors_of_a_page_exist(page: Path) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    for target in targets:
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ \**(.*?)\**$", linked.read_text(encoding="utf-8"), re.M)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tests_linked_from_a_page_exist(page: Path) -> None:
    linked_tests = re.findall(r"\[(test_\w+)\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    assert [
        test for test, file in linked_tests if f"def {test}(" not in (page.parent / file).read_text(encoding="utf-8")
    ] == []


@pytest.mark.slow
def test_generated_pages_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "render.py"), "--check"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (finished.stderr, finished.returncode) == ("", 0)


def test_configuration_page_lists_exactly_the_options() -> None:
    configuration = bluejeans.Configuration()
    properties = {name for name, value in vars(type(configuration)).items() if isinstance(value, property)}
    options = {name for name in vars(configuration) if not name.startswith("_")} | properties
    options -= {"base_url", "logger", "logger_formatter", "logger_stream_handler", "logger_file_handler"}
    page = (ROOT / "docs" / "Configuration.md").read_text(encoding="utf-8")
    listed = [name for row in re.findall(r"^\| (`.*?) \|", page, re.M) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(options)


def test_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def test_every_model_has_a_page() -> None:
    names = {name for name, value in vars(models).items() if isinstance(value, type)}
    assert {name for name in names if not (ROOT / "docs" / f"{name}.md").exists()} == set()


def test_changelog_has_a_section_for_the_current_version() -> None:
    assert f"\n## {bluejeans.__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
