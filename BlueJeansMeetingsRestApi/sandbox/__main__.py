"""Run the sandbox on a terminal: `python -m BlueJeansMeetingsRestApi.sandbox`."""

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
    from .controls import ReceivedRequest


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m BlueJeansMeetingsRestApi.sandbox",
        description="Run the BlueJeans authentication service on this machine, for development. Press Ctrl-C to stop.",
    )
    parser.add_argument(
        "--port", type=int, default=8080, help="port to listen on, 0 for any free port (default: %(default)s)"
    )
    parser.add_argument("--tls", action="store_true", help="serve HTTPS with a temporary certificate authority")
    parser.add_argument(
        "--lifetime", type=int, metavar="SECONDS", help="lifetime of every access token (default: as the service)"
    )
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    try:
        return _serve_parent(arguments) if arguments.child else _serve_terminal(arguments)
    except (OSError, OverflowError) as error:
        print(f"The sandbox cannot listen on port {arguments.port}: {error}", file=sys.stderr)
        return 2


def _serve_parent(arguments: argparse.Namespace) -> int:
    """Serve `Sandbox(process=True)`: read the accounts from standard input and exit when it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C and then closes this one
    values = json.loads(sys.stdin.readline())
    accounts = Accounts(**{**values, "redirect_uris": tuple(values["redirect_uris"])})
    with Sandbox(arguments.port, arguments.tls, accounts=accounts, lifetime=arguments.lifetime) as sandbox:
        print(json.dumps([sandbox.url, sandbox.ca_cert]), flush=True)
        sys.stdin.read()
    return 0


def _serve_terminal(arguments: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, _interrupt)

    def on_request(received: ReceivedRequest) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {received}", flush=True)

    try:
        with Sandbox(arguments.port, arguments.tls, lifetime=arguments.lifetime, on_request=on_request) as sandbox:
            print(_introduction(sandbox), flush=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    return 0


def _interrupt(*_: object) -> NoReturn:
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
    trust = f"CA certificate, for Configuration.ssl_ca_cert: {sandbox.ca_cert}\n" if sandbox.ca_cert else ""
    return (
        f"A sandbox of the BlueJeans authentication service, for development, on this machine only: {sandbox.url}\n"
        f"{trust}Journal of requests, and faults to inject: {sandbox.url}/sandbox\n"
        f"The accounts are for demonstration; they are not secret:\n\n{exports}\n\n"
        f"Attendees join that meeting with {sandbox.attendee_passcode}. "
        f"Meeting {sandbox.open_meeting_numeric_id} has no passcode.\n"
        "Press Ctrl-C to stop; nothing is saved. Requests:\n"
    )


if __name__ == "__main__":
    sys.exit(main())
