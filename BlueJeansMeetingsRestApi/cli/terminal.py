"""What a person at a terminal sees and is asked; nothing where there is none."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator

_CLEAR = "\r\x1b[K"


def say(text: str) -> None:
    """Tell the person. Programs that read standard error are told of errors alone."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show what is waited for, and for how long, in a line that goes away."""
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    ended = threading.Event()
    shows = threading.Thread(target=_show, args=(what, ended), name="progress", daemon=True)
    shows.start()
    try:
        yield
    finally:
        ended.set()
        shows.join()


def _show(what: str, ended: threading.Event) -> None:
    started = time.monotonic()
    pause = 0.3  # what is quicker does not flicker
    while not ended.wait(pause):
        pause = 1.0
        print(f"{_CLEAR}{what}, for {time.monotonic() - started:.0f} s", end="", file=sys.stderr, flush=True)
    if pause == 1.0:
        print(_CLEAR, end="", file=sys.stderr, flush=True)


def ask(what: str) -> str | None:
    """What the person types, without an echo; None if there is nobody to ask, or who answers."""
    if os.name == "nt":
        if sys.stdin is None or not sys.stdin.isatty():
            return None
    else:
        try:  # which standard input need not be
            os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        except OSError:
            return None
    import getpass

    try:
        return getpass.getpass(f"{what}: ")
    except EOFError:  # Ctrl-D
        return None
