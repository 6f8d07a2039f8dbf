"""Virtual environments in which the package is installed, separate from the sources."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def succeed(*command: Any, **options: Any) -> str:
    """Run a command, fail if its exit status is not 0, and return its output."""
    finished = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@dataclass(frozen=True)
class Environment:
    """A virtual environment."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment with these environment variables and none of the tests' variables."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        command = [str(self.folder / "bin" / program), *arguments]
        return subprocess.run(
            command, cwd=self.folder, env={**inherited, **variables}, capture_output=True, text=True, check=False
        )
