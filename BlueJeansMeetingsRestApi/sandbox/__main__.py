"""`python -m BlueJeansMeetingsRestApi.sandbox`: the service on a terminal."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from . import Accounts, Sandbox

if TYPE_CHECKING:
    from .controls import Seen


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m BlueJeansMeetingsRestApi.sandbox",
        description="The BlueJeans authentication service on this machine, for development. It ends with Ctrl-C.",
    )
    parser.add_argument("--port", type=int, default=8080, help="0 for any that is free; default %(default)s")
    parser.add_argument("--tls", action="store_true", help="over HTTPS, with a throw-away authority")
    parser.add_argument("--lifetime", type=int, metavar="SECONDS", help="of every token; the service's if left out")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    try:
        return _serve_parent(arguments) if arguments.child else _serve_terminal(arguments)
    except (OSError, OverflowError) as error:
        print(f"The sandbox cannot listen on port {arguments.port}: {error}", file=sys.stderr)
        return 2


def _serve_parent(arguments: argparse.Namespace) -> int:
    """For `Sandbox(process=True)`: the accounts come on standard input, and its end ends the service."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the parent, which closes this then
    given = json.loads(sys.stdin.readline())
    accounts = Accounts(**{**given, "redirect_uris": tuple(given["redirect_uris"])})
    with Sandbox(arguments.port, arguments.tls, accounts=accounts, lifetime=arguments.lifetime) as sandbox:
        print(json.dumps([sandbox.url, sandbox.ca_cert]), flush=True)
        sys.stdin.read()
    return 0


def _serve_terminal(arguments: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, _end)

    def on_request(seen: Seen) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {seen}", flush=True)

    try:
        with Sandbox(arguments.port, arguments.tls, lifetime=arguments.lifetime, on_request=on_request) as sandbox:
            print(_introduction(sandbox), flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    return 0


def _end(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _introduction(sandbox: Sandbox) -> str:
    variables = {
        "BLUEJEANS_HOST": sandbox.url,
        "BLUEJEANS_CLIENT_ID": sandbox.client_id,
        "BLUEJEANS_CLIENT_SECRET": sandbox.client_secret,
        "BLUEJEANS_USERNAME": sandbox.username,
        "BLUEJEANS_PASSWORD": sandbox.password,
        "BLUEJEANS_USER_ID": sandbox.user_id,
        "BLUEJEANS_MEETING_ID": sandbox.meeting_numeric_id,
        "BLUEJEANS_MEETING_PASSCODE": sandbox.moderator_passcode,
        "BLUEJEANS_OPEN_MEETING_ID": sandbox.open_meeting_numeric_id,
        "BLUEJEANS_REDIRECT_URI": sandbox.redirect_uri,
    }
    exports = "\n".join(f"export {name}={value}" for name, value in variables.items())
    trust = f"Its authority, to trust with Configuration.ssl_ca_cert: {sandbox.ca_cert}\n" if sandbox.ca_cert else ""
    return (
        f"A sandbox of the BlueJeans authentication service, for development, on this machine only: {sandbox.url}\n"
        f"{trust}What it sees, and switches to let it fail: {sandbox.url}/sandbox\n"
        f"Its accounts are for demonstration, and no secrets:\n\n{exports}\n\n"
        f"Attendees join that meeting with {sandbox.attendee_passcode}. "
        f"Meeting {sandbox.open_meeting_numeric_id} has no passcode.\n"
        "Ctrl-C ends it, and everything is forgotten. What it is asked:\n"
    )


if __name__ == "__main__":
    sys.exit(main())
