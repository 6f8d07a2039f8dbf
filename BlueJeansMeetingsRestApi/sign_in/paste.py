"""Sign-in without a browser on this machine: the user pastes the URL that a browser was redirected to."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections.abc import Iterator

from .callback import PendingSignIn


def has_terminal() -> bool:
    """Return whether standard input is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


@contextlib.contextmanager
def accept_pasted_url(url: str, pending: PendingSignIn) -> Iterator[None]:
    """Print the URL of the sign-in page and, on a terminal, accept a pasted response until the context is left."""
    print(f"To sign in, open this URL in a browser:\n\n{url}\n", file=sys.stderr, flush=True)
    if not has_terminal():
        yield
        return
    stopped = threading.Event()
    reader = threading.Thread(target=_read_pasted_url, args=(pending, stopped), name="pasted URL", daemon=True)
    with _without_echo(sys.stdin.fileno()):
        prompt = "If the browser then shows an error page, paste the URL of that page here (input is hidden): "
        print(prompt, end="", file=sys.stderr, flush=True)
        reader.start()
        try:
            yield
        finally:
            stopped.set()
            print(file=sys.stderr, flush=True)


def _read_pasted_url(pending: PendingSignIn, stopped: threading.Event) -> None:
    terminal = sys.stdin.fileno()
    while not stopped.is_set():
        # Windows cannot select a terminal: there, the thread blocks in `read` until the program exits.
        if os.name != "nt" and not select.select([terminal], [], [], 0.1)[0]:
            continue
        line = os.read(terminal, 1 << 14)
        if not line:
            return
        try:
            received = pending.receive(line.decode("utf-8", "replace").strip())
            if received is not None:
                received.shown.set()  # the output of the program shows the result
            return
        except ValueError:
            prompt = "\nThat is not the URL that this sign-in redirected the browser to. Paste the URL: "
            print(prompt, end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _without_echo(terminal: int) -> Iterator[None]:
    """Turn the echo of a terminal off, so that the code does not stay on the screen."""
    try:
        import termios
    except ImportError:  # Windows
        yield
        return
    before = termios.tcgetattr(terminal)
    silent = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    termios.tcsetattr(terminal, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
