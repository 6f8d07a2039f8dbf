"""Lets tox find the Pythons that pyenv has installed, which are not on the PATH unless pyenv is told so."""

import os
from pathlib import Path

versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *map(str, sorted(versions.glob("3.*/bin")))])
