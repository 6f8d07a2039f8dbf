"""The command `bluejeans-auth`: `main()` runs a subcommand and maps its errors to exit codes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from ..exceptions import ApiConnectionError, ApiException, ReauthenticationRequired
from .arguments import parse_arguments

# Exit codes, which scripts rely on.
DONE, REFUSED, USAGE, NETWORK, SIGN_IN, INTERRUPTED = 0, 1, 2, 3, 4, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    argv: arguments (default: those of the process).
    """
    if sys.stderr is None:  # it is closed, and `print` would use standard output instead
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  open until the process exits
    arguments = parse_arguments(sys.argv[1:] if argv is None else argv)
    try:
        code: int = arguments.run(arguments)
        _flush_stdout()  # detects a closed pipe here, not when the interpreter exits
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        with contextlib.suppress(OSError):
            _flush_stdout()
        if isinstance(error, BrokenPipeError):
            return REFUSED
        if arguments.debug:
            print(_format_traceback(error), file=sys.stderr)
        print(format_error(error), file=sys.stderr)
        return _exit_code(error)
    return code


def _exit_code(error: Exception) -> int:
    if isinstance(error, ReauthenticationRequired):
        return SIGN_IN
    if isinstance(error, ApiConnectionError):
        return NETWORK
    return REFUSED if isinstance(error, ApiException) else USAGE


def format_error(error: Exception) -> str:
    """Return the message of an error as one line."""
    if not isinstance(error, ApiException):
        return " ".join(str(error).split()) or type(error).__name__
    parts = [f"{error.status or ''} {error.reason}".strip(), *error.detail.splitlines()]
    return " ".join(part if part.endswith(".") else f"{part}." for part in parts)


def _format_traceback(error: Exception) -> str:
    """Return the traceback of an error without the secrets in the environment."""
    import traceback

    from ..environment import VARIABLES, setting_name
    from ..redaction import scrub

    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    secrets = (os.environ.get(setting_name(name)) for name, variable in VARIABLES.items() if variable.is_secret)
    return scrub(text, filter(None, secrets)).rstrip()


def _flush_stdout() -> None:
    """Write buffered output; discard it on failure, because the interpreter would retry when it exits."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
