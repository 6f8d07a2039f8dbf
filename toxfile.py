"""Add the interpreters from pyenv and from .ci/get-python to the PATH, so that tox finds them."""

import os
from pathlib import Path

pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bluejeans-pythons"
folders = [folder for parent in (pyenv, cache) for folder in sorted(parent.glob("3.*/bin"))]
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *map(str, folders)])
