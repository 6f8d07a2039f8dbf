"""The arguments of `bluejeans-auth`: what `--help`, docs/CLI.md and the completions are made of.

What a command does is loaded when it is run. No argument takes a secret: the arguments of a process are no secrets.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from typing import Any, Callable

from ..version import __version__

SHELLS = ("bash", "zsh", "fish")
GRANTS = ("client", "password", "meeting", "sign-in")

EXIT_CODES = """exit codes:
  0    done
  1    the service said no, or a check failed
  2    usage: an argument, a setting or a file is not what it should be
  3    network: no answer came, from the service or from a person
  4    sign-in needed: only a person can help, with bluejeans-auth login
  130  interrupted with Ctrl-C"""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The arguments, with `run` to be called with them; SystemExit for those that are none, and for `--help`."""
    # What stands behind the first `--` is another program's, and not to be looked at.
    own, program = (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])
    parser = make_parser()
    arguments, unknown = parser.parse_known_args(own)
    if unknown:
        # Not with their values: one may be a secret.
        names = [
            name.partition("=")[0] if name.startswith("--") else f"{name[:2]}…" for name in unknown if name[0] == "-"
        ]
        parser.error(f"unrecognized arguments: {' '.join(names) or 'there are too many'}")
    arguments.program = list(program)
    if (arguments.name == "exec") != bool(program):
        parser.error("a command stands behind `exec --`, and behind no other `--`")
    return arguments


def make_parser() -> argparse.ArgumentParser:
    """The parser of the command, with one for each of its commands below it."""
    parser = argparse.ArgumentParser(
        prog="bluejeans-auth",
        allow_abbrev=False,  # `--secret` is nobody's `--secret-file`
        description="OAuth2 tokens of BlueJeans Meetings.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command", dest="name")

    def command(name: str, help: str, description: str, example: str, run: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=help, description=description, epilog=f"example: {example}", allow_abbrev=False
        )
        made.set_defaults(run=_later(run))
        return made

    token = command(
        "token",
        "print an access token",
        "Print an access token, alone, on standard output. Without --grant it is BLUEJEANS_ACCESS_TOKEN, or that of "
        "the sign-in that is kept here, of a client, of a user, or of a meeting: the first that there is. It is kept, "
        "and given again until it ends.",
        "bluejeans-auth token --header",
        "tokens:token",
    )
    _add_identity(token)
    shape = token.add_mutually_exclusive_group()
    shape.add_argument("--header", action="store_true", help="as a header line: Authorization: Bearer ...")
    shape.add_argument("--json", action="store_true", help="as JSON, with expires_at in seconds since 1970")

    login = command(
        "login",
        "sign in with a browser",
        "Sign in with a browser, and keep the sign-in, so that token, exec and programs can go on with it. The client "
        "is an application that is registered with the service, and so is the redirect URI.",
        "bluejeans-auth login --app-name Example",
        "tokens:login",
    )
    _add_service(login)
    login.add_argument("--client-id", help="the application's id; BLUEJEANS_CLIENT_ID if left out")
    _add_secret_file(login)
    login.add_argument("--redirect-uri", metavar="URI", help="a registered one; default http://127.0.0.1/callback")
    login.add_argument("--scope", help="comma-delimited, such as list_meetings,user_info; all registered if left out")
    login.add_argument("--app-name", metavar="NAME", help="the application's name, which the person sees")
    login.add_argument("--app-logo-url", metavar="URL", help="its logo, 84 by 84 pixels")
    login.add_argument("--no-browser", action="store_true", help="print the address, and take what is pasted")
    login.add_argument(
        "--timeout", type=float, default=120.0, metavar="SECONDS", help="how long to wait; default %(default)g"
    )
    login.add_argument("--keep-secret", action="store_true", help="keep the client's secret with the sign-in")

    info = command(
        "info",
        "list the sign-ins that are kept",
        "List the sign-ins that are kept on this machine. No secret is needed, and nothing is asked of the service.",
        "bluejeans-auth info --json",
        "tokens:info",
    )
    info.add_argument("--json", action="store_true", help="as JSON")
    _add_debug(info)

    revoke = command(
        "revoke",
        "end a sign-in",
        "End a sign-in: the service takes it back, and it is forgotten here.",
        "bluejeans-auth revoke",
        "tokens:revoke",
    )
    _add_service(revoke)
    revoke.add_argument("--client-id", help="whose sign-in; needed where several are kept")
    _add_secret_file(revoke)
    revoke.add_argument("--local", action="store_true", help="forget it here only; no secret is needed")

    execute = command(
        "exec",
        "run a command with a token in its environment",
        "Run a command with an access token in BLUEJEANS_ACCESS_TOKEN, renewed if it is about to end, and the host in "
        "BLUEJEANS_HOST. The variables with the service's secrets are not passed on. The command takes this "
        "one's place: signals and the exit code are its own (126 and 127 if it cannot be run).",
        "bluejeans-auth exec -- printenv BLUEJEANS_ACCESS_TOKEN",
        "tokens:execute",
    )
    execute.usage = "bluejeans-auth exec [options] -- command [argument ...]"
    _add_identity(execute)

    doctor = command(
        "doctor",
        "check what can go wrong",
        "Check the host, the way to it, TLS, the clock, the credentials that are found, and what is kept. Each line is "
        "a check; one that is a problem says what to do. The exit code is 3 if the host cannot be reached, and else 1 "
        "if there is a problem.",
        "bluejeans-auth doctor",
        "doctor:run",
    )
    _add_service(doctor)

    demo = command(
        "demo",
        "call each of the eight operations and check what comes back",
        "Call each of the eight operations and check what comes back: against a sandbox of the service "
        "that is started for it, or against a host, with what it finds in the environment: BLUEJEANS_CLIENT_ID, "
        "BLUEJEANS_CLIENT_SECRET, BLUEJEANS_USERNAME, BLUEJEANS_PASSWORD, BLUEJEANS_MEETING_ID, "
        "BLUEJEANS_MEETING_PASSCODE, BLUEJEANS_CODE, BLUEJEANS_REDIRECT_URI.",
        "bluejeans-auth demo",
        "demo:command",
    )
    demo.add_argument("--host", help="the service to call, such as https://api.bluejeans.com; a sandbox if left out")
    _add_ca(demo)
    _add_debug(demo)

    sandbox = command(
        "sandbox",
        "run the service on this machine, for development",
        "Run the service on this machine, for development. It ends with Ctrl-C.",
        "bluejeans-auth sandbox --port 8080",
        "sandbox:run",
    )
    sandbox.add_argument("--port", type=int, default=8080, help="0 for any that is free; default %(default)s")
    sandbox.add_argument("--tls", action="store_true", help="over HTTPS, with a throw-away authority")
    sandbox.add_argument("--lifetime", type=int, metavar="SECONDS", help="of every token; the service's if left out")
    _add_debug(sandbox)

    completion = command(
        "completion",
        "print the completion of a shell",
        "Print what makes a shell complete this command. bash: eval it in ~/.bashrc. zsh: the same in ~/.zshrc, after "
        "compinit. fish: write it to ~/.config/fish/completions/bluejeans-auth.fish.",
        "bluejeans-auth completion bash",
        "completion:run",
    )
    completion.add_argument("shell", choices=SHELLS)
    _add_debug(completion)
    return parser


def _later(where: str) -> Callable[[argparse.Namespace], int]:
    module, _, function = where.partition(":")

    def run(arguments: argparse.Namespace) -> Any:
        return getattr(importlib.import_module(f".{module}", __package__), function)(arguments)

    return run


def _add_identity(parser: argparse.ArgumentParser) -> None:
    """Whose token, and of which service."""
    _add_service(parser)
    parser.add_argument("--grant", choices=GRANTS, help="which kind of token")
    parser.add_argument("--client-id", help="a client's or a sign-in's; BLUEJEANS_CLIENT_ID if left out")
    parser.add_argument("--username", help="a user's; BLUEJEANS_USERNAME if left out")
    parser.add_argument("--meeting-id", help="a meeting's; BLUEJEANS_MEETING_ID if left out")
    _add_secret_file(parser)
    parser.add_argument("--no-store", action="store_true", help="neither take a kept token nor keep one")


def _add_service(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="the service; BLUEJEANS_HOST or https://api.bluejeans.com if left out")
    _add_ca(parser)
    _add_debug(parser)


def _add_ca(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ca", metavar="FILE", help="authorities to trust, in PEM; those of certifi if left out")


def _add_secret_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--secret-file",
        metavar="FILE",
        help="holds the secret, password or passcode, - for standard input; if left out: BLUEJEANS_CLIENT_SECRET, "
        "_PASSWORD or _MEETING_PASSCODE, the file that the same with _FILE names, or a prompt",
    )


def _add_debug(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--debug", action="store_true", help="log its requests, and show where an error came from")
