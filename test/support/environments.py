"""Environments that the package is installed into, away from the sources."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def succeed(*command: Any, **options: Any) -> str:
    """Run a command that has to succeed, and return what it printed."""
    ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@dataclass(frozen=True)
class Environment:
    """A virtual environment."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one of its programs, with these environment variables and none of the tests'."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        command = [str(self.folder / "bin" / program), *arguments]
        return subprocess.run(
            command, cwd=self.folder, env={**kept, **variables}, capture_output=True, text=True, check=False
        )
