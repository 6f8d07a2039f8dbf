"""A terminal that programs run on, with a person who reads and types."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

# Opening it makes it the terminal of the session that the program leads.
_TAKE_THE_TERMINAL = "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"
_ENOUGH = 60  # seconds after which a test gives up


class Terminal:
    """A program of Python on a terminal of its own. stdout: None for the terminal."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], stdout: int | None = None) -> None:
        self._ours, theirs = pty.openpty()
        self.screen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_THE_TERMINAL, sys.executable, *arguments],
            stdin=theirs,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            env=dict(environment),
            start_new_session=True,
        )
        os.close(theirs)

    def wait_for(self, text: str) -> str:
        """Read until the screen shows the pattern, and return what it found."""
        until = time.monotonic() + _ENOUGH
        while not (found := re.search(text, self.screen)):
            assert self._read(until), self.screen
        return found.group()

    def _read(self, until: float) -> bool:
        if not select.select([self._ours], [], [], max(until - time.monotonic(), 0))[0]:
            return False
        try:
            read = os.read(self._ours, 1 << 16)
        except OSError:  # how Linux says that the program has ended
            return False
        self.screen += read.decode()
        return bool(read)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def end(self) -> int:
        """Read to the end, and return the exit code."""
        until = time.monotonic() + _ENOUGH
        while self._read(until):
            pass
        return self.process.wait(_ENOUGH)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
