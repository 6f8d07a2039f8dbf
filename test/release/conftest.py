"""Fixtures: a copy of the tracked files, the packages built from it, and environments that have them installed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.environments import Environment, succeed

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    """Return the paths of the tracked files, with `/` as separator."""
    return succeed("git", "ls-files", cwd=ROOT).splitlines()


@pytest.fixture(scope="session")
def tree(tracked: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the tracked files in their current state, without untracked files."""
    folder = tmp_path_factory.mktemp("tree")
    for name in tracked:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def built(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the paths of the `wheel` and the `sdist`; `python -m build` makes the wheel from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    output = succeed(sys.executable, "-m", "build", "--outdir", folder, tree)
    assert "Warning" not in output, output
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


@pytest.fixture(scope="session")
def install(built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], Environment]:
    """Return a function that installs the wheel or the sdist into a new environment, once for each combination."""
    environments: dict[tuple[str, str, str], Environment] = {}

    def install(kind: str, extra: str = "", python: str = sys.executable) -> Environment:
        if (kind, extra, python) not in environments:
            environment = Environment(tmp_path_factory.mktemp("environment"))
            succeed(python, "-m", "venv", environment.folder)
            name = "BlueJeansMeetingsRestApi" + (f"[{extra}]" if extra else "")
            succeed(environment.python, "-m", "pip", "install", "--quiet", f"{name} @ {built[kind].as_uri()}")
            environments[kind, extra, python] = environment
        return environments[kind, extra, python]

    return install
