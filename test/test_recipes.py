"""The recipes of docs/TESTING.md run, and the page quotes them exactly. The container command runs as well."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.recording_server import unused_port

ROOT = Path(__file__).parent.parent
RECIPES = ROOT / "examples" / "testing"
CONTAINERFILE = (ROOT / "sandbox.Containerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("recipe", sorted(path.name for path in RECIPES.glob("test_*.py")))
def test_testing_recipe_passes(recipe: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--import-mode=prepend",
        str(RECIPES / recipe),
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="the recipe for other languages is written with curl")
def test_recipe_for_other_languages_runs_with_curl() -> None:
    environment = {**os.environ, "PORT": str(unused_port())}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    command = ["sh", str(RECIPES / "over_http.sh")]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    *output, requests = finished.stdout.splitlines()
    assert output == ["null", "null", "503", "200"], finished.stderr
    assert [request["status"] for request in json.loads(requests)] == [503, 200]


@pytest.mark.parametrize("recipe", sorted(path.name for path in RECIPES.iterdir() if path.is_file()))
def test_testing_page_links_to_every_recipe(recipe: str) -> None:
    page = (ROOT / "docs" / "TESTING.md").read_text(encoding="utf-8")
    assert recipe == "conftest.py" or f"](../examples/testing/{recipe})" in page


def test_testing_page_quotes_the_recipes_exactly() -> None:
    page = (ROOT / "docs" / "TESTING.md").read_text(encoding="utf-8")
    files = "\n".join(path.read_text(encoding="utf-8") for path in RECIPES.iterdir() if path.is_file())
    shown = re.findall(r"^```py\n(.*?)^```$", page, re.M | re.S)
    assert shown
    assert [block for block in shown if block not in files] == []


class TestContainer:
    """No container engine is used: the tests check the instructions and run the command on this machine."""

    def test_containerfile_copies_every_file_that_the_build_needs(self) -> None:
        copied = {name for line in re.findall("^COPY (.*) /", CONTAINERFILE, re.M) for name in line.split()}
        assert [name for name in copied if not (ROOT / name).exists()] == []
        needed = re.findall(r'here / "([^"]+)"', (ROOT / "setup.py").read_text(encoding="utf-8"))
        assert set(needed) <= copied

    def test_container_command_serves_until_sigterm(self) -> None:
        entrypoint, arguments = (
            json.loads(line) for line in re.findall(r"^(?:ENTRYPOINT|CMD) (.*)$", CONTAINERFILE, re.M)
        )
        assert (entrypoint[0], arguments) == ("python", ["--port", "8080"])
        command = [sys.executable, *entrypoint[1:], "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert "on this machine only: http://127.0.0.1:" in process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            process.communicate()
        assert process.returncode == 0
