"""Progress messages and prompts for a user at a terminal; silent without one."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator

_CLEAR_LINE = "\r\x1b[K"


def notify(text: str) -> None:
    """Print a message if standard error is a terminal; programs that read standard error get errors only."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress(text: str) -> Iterator[None]:
    """Show `text` and the elapsed time in a line that is cleared at the end."""
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    stopped = threading.Event()
    thread = threading.Thread(target=_show_progress, args=(text, stopped), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _show_progress(text: str, stopped: threading.Event) -> None:
    started = time.monotonic()
    pause = 0.3  # a shorter wait shows nothing, so that the line does not flicker
    while not stopped.wait(pause):
        pause = 1.0
        print(f"{_CLEAR_LINE}{text} ({time.monotonic() - started:.0f} s)", end="", file=sys.stderr, flush=True)
    if pause == 1.0:
        print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)


def prompt_secret(text: str) -> str | None:
    """Return what the user types, without an echo; None if there is no terminal or the user presses Ctrl-D."""
    if os.name == "nt":
        if sys.stdin is None or not sys.stdin.isatty():
            return None
    else:
        try:  # standard input may be redirected although there is a terminal
            os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        except OSError:
            return None
    import getpass

    try:
        return getpass.getpass(f"{text}: ")
    except EOFError:
        return None
