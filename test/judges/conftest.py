"""Fixtures of the tests with third-party programs, which check the sandbox, the client and docs/openapi.yaml.

`tox -e judges` installs these programs. Elsewhere the tests are skipped, and the reason lists the missing packages.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.node import Node

HERE = Path(__file__).parent
REQUIREMENTS = (HERE / "requirements.txt").read_text(encoding="utf-8")
MISSING = [name for name in re.findall("# imported as (.+)", REQUIREMENTS) if not importlib.util.find_spec(name)]
REASON = f"`tox -e judges` runs these; here is no {', '.join(MISSING)}"

if MISSING and os.environ.get("REQUIRE_JUDGES"):
    raise pytest.UsageError(REASON)


class SkippedModule(pytest.Module):
    """A test file that is skipped before its import, because its imports are not installed."""

    def collect(self) -> Any:
        pytest.skip(REASON, allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return SkippedModule.from_parent(parent, path=module_path) if MISSING else None


@pytest.fixture(scope="session")
def node(pytestconfig: pytest.Config) -> Node:
    """Return the programs for Node.js, reinstalled if package-lock.json has changed."""
    assert pytestconfig.cache is not None
    return Node(pytestconfig.cache.mkdir("judges"))


@pytest.fixture(scope="session")
def document() -> Path:
    """Return the path of the OpenAPI document."""
    return HERE.parent.parent / "docs" / "openapi.yaml"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Yield one sandbox for all tests, because hypothesis forbids function-scoped fixtures."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def generated(document: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Yield the package that openapi-generator makes."""
    import openapi_generator_cli

    folder = tmp_path_factory.mktemp("generated")
    options = [f"--input-spec={document}", f"--output={folder}", "--package-name=generated_client"]
    openapi_generator_cli.run(["generate", "--generator-name=python", *options]).check_returncode()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield importlib.import_module("generated_client")
