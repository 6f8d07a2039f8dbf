"""The command `bluejeans-auth`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from ..exceptions import ApiConnectionError, ApiException
from ..version import __version__
from . import demo

# What the command ends with; others read it.
DONE, REFUSED, USAGE, NETWORK, INTERRUPTED = 0, 1, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, those of the process if None, and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        # Not left to the interpreter's exit: a reader that went away is noticed here.
        sys.stdout.flush()
    except ApiException as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return NETWORK if isinstance(error, ApiConnectionError) else REFUSED
    except (ValueError, ImportError) as error:
        print(error, file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bluejeans-auth", description="OAuth2 tokens of BlueJeans Meetings.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")

    show = commands.add_parser(
        "demo",
        help="call each of the eight operations and check what comes back",
        description="Call each of the eight operations and check what comes back: against a sandbox of the service "
        "that is started for it, or against a host, with what it finds in the environment: "
        f"{', '.join(demo.VARIABLES)}.",
        epilog="example: bluejeans-auth demo",
    )
    show.add_argument("--host", help="the service to call, such as https://api.bluejeans.com; a sandbox if left out")
    show.add_argument("--ca", metavar="FILE", help="authorities to trust, in PEM; those of certifi if left out")
    show.set_defaults(run=lambda arguments: demo.run(arguments.host, arguments.ca))

    sandbox = commands.add_parser(
        "sandbox",
        help="run the service on this machine, for development",
        description="Run the service on this machine, for development. It ends with Ctrl-C.",
        epilog="example: bluejeans-auth sandbox --port 8080",
    )
    sandbox.add_argument("--port", type=int, default=8080, help="0 for any that is free; default %(default)s")
    sandbox.add_argument("--tls", action="store_true", help="over HTTPS, with a throw-away authority")
    sandbox.set_defaults(run=_run_sandbox)
    return parser


def _run_sandbox(arguments: argparse.Namespace) -> int:
    from ..sandbox.__main__ import main as run

    return run([f"--port={arguments.port}", *(["--tls"] if arguments.tls else [])])
