"""The command `bluejeans-auth`."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from ..exceptions import ApiConnectionError, ApiException, ReauthenticationRequired
from .arguments import parse

# What the command ends with; others read it.
DONE, REFUSED, USAGE, NETWORK, SIGN_IN, INTERRUPTED = 0, 1, 2, 3, 4, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, those of the process if None, and return its exit code."""
    if sys.stderr is None:  # it is closed, and `print` would take standard output in its place
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  for as long as the process lasts
    arguments = parse(sys.argv[1:] if argv is None else argv)
    try:
        code: int = arguments.run(arguments)
        _flush()  # and not left to the interpreter's exit: a reader that went away is noticed here
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        with contextlib.suppress(OSError):
            _flush()
        if isinstance(error, BrokenPipeError):
            return REFUSED
        if arguments.debug:
            print(_traceback(error), file=sys.stderr)
        print(in_a_line(error), file=sys.stderr)
        return _code_of(error)
    return code


def _code_of(error: Exception) -> int:
    """The exit code that stands for what went wrong."""
    if isinstance(error, ReauthenticationRequired):
        return SIGN_IN
    if isinstance(error, ApiConnectionError):
        return NETWORK
    return REFUSED if isinstance(error, ApiException) else USAGE


def in_a_line(error: Exception) -> str:
    """What went wrong, in one line."""
    if not isinstance(error, ApiException):
        return " ".join(str(error).split()) or type(error).__name__
    said = [f"{error.status or ''} {error.reason}".strip(), *error.detail.splitlines()]
    return " ".join(part if part.endswith(".") else f"{part}." for part in said)


def _traceback(error: Exception) -> str:
    import traceback

    from ..environment import setting_name
    from ..redaction import scrub
    from .given import SECRETS

    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return scrub(text, filter(None, (os.environ.get(setting_name(name)) for name in SECRETS))).rstrip()


def _flush() -> None:
    """Write what was printed. What cannot be written is let go, or the interpreter would try again at its exit."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
