"""A copy of what git has, what is built of it, and environments that it is installed into."""

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
    """The files that git has, with `/` between their parts."""
    return succeed("git", "ls-files", cwd=ROOT).splitlines()


@pytest.fixture(scope="session")
def tree(tracked: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of them as they are now, without what lies beside them."""
    folder = tmp_path_factory.mktemp("tree")
    for name in tracked:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def built(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The `wheel` and the `sdist`, as `python -m build` makes them: the wheel from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    said = succeed(sys.executable, "-m", "build", "--outdir", folder, tree)
    assert "Warning" not in said, said
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


@pytest.fixture(scope="session")
def install(built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], Environment]:
    """Installs the wheel or the sdist, with an extra or "", into an environment of a Python: each once."""
    made: dict[tuple[str, str, str], Environment] = {}

    def install(kind: str, extra: str = "", python: str = sys.executable) -> Environment:
        if (kind, extra, python) not in made:
            environment = Environment(tmp_path_factory.mktemp("environment"))
            succeed(python, "-m", "venv", environment.folder)
            name = "BlueJeansMeetingsRestApi" + (f"[{extra}]" if extra else "")
            succeed(environment.python, "-m", "pip", "install", "--quiet", f"{name} @ {built[kind].as_uri()}")
            made[kind, extra, python] = environment
        return made[kind, extra, python]

    return install
