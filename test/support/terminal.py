"""A pseudo-terminal on which the tests run programs, read the screen and type."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

# By opening the terminal, the leader of a new session makes it the controlling terminal.
_OPEN_TERMINAL = "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"
_TIMEOUT = 60  # seconds


class Terminal:
    """A Python program on its own terminal.

    stdout: a file descriptor for its standard output (default: the terminal)
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], stdout: int | None = None) -> None:
        self._ours, theirs = pty.openpty()
        self.screen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _OPEN_TERMINAL, sys.executable, *arguments],
            stdin=theirs,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            env=dict(environment),
            start_new_session=True,
        )
        os.close(theirs)

    def wait_for(self, text: str) -> str:
        """Read until the regular expression `text` matches the screen, and return the match."""
        until = time.monotonic() + _TIMEOUT
        while not (found := re.search(text, self.screen)):
            assert self._read(until), self.screen
        return found.group()

    def _read(self, until: float) -> bool:
        if not select.select([self._ours], [], [], max(until - time.monotonic(), 0))[0]:
            return False
        try:
            read = os.read(self._ours, 1 << 16)
        except OSError:  # On Linux, this error means that the program has exited.
            return False
        self.screen += read.decode()
        return bool(read)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def end(self) -> int:
        """Read until the program exits, and return its exit status."""
        until = time.monotonic() + _TIMEOUT
        while self._read(until):
            pass
        return self.process.wait(_TIMEOUT)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
