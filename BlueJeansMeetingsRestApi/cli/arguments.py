"""The arguments of `bluejeans-auth`, from which `--help`, docs/CLI.md and the shell completions are made.

The module of a command is imported when the command runs. No argument contains a secret, because other users can list
the arguments of a process.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from typing import Any, Callable

from ..environment import VARIABLES, setting_name
from ..version import __version__

SHELLS = ("bash", "zsh", "fish")
GRANTS = ("client", "password", "meeting", "sign-in")
# Variables that the command `demo` uses.
DEMO_VARIABLES = tuple(
    name
    for name, variable in VARIABLES.items()
    if variable.used_for in ("credentials", "demo") and name != "ACCESS_TOKEN"
)

EXIT_CODES = """exit codes:
  0    success
  1    the service refused the request, or a check failed
  2    usage: an argument, a setting or a file is invalid
  3    network: no response from the service, or no sign-in before the timeout
  4    sign-in required: run bluejeans-auth login
  130  interrupted with Ctrl-C"""


def parse_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Return the arguments, with the function of the command as `run`.

    Raises SystemExit for invalid arguments and for `--help`.
    """
    # Arguments after the first `--` belong to another program and are not parsed.
    own, program = (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])
    parser = make_parser()
    arguments, unknown = parser.parse_known_args(own)
    if unknown:
        # Omit the values because they may contain secrets.
        names = [
            name.partition("=")[0] if name.startswith("--") else f"{name[:2]}…" for name in unknown if name[0] == "-"
        ]
        parser.error(f"unrecognized arguments: {' '.join(names) or 'too many positional arguments'}")
    arguments.program = list(program)
    if (arguments.name == "exec") != bool(program):
        parser.error("use -- with a command after exec, and with no other command: bluejeans-auth exec -- COMMAND")
    return arguments


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of `bluejeans-auth` with a subparser for each command."""
    parser = argparse.ArgumentParser(
        prog="bluejeans-auth",
        allow_abbrev=False,  # otherwise `--secret` would mean `--secret-file`
        description="Get OAuth 2.0 access tokens for BlueJeans Meetings.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command", dest="name")
    for add_command in (
        _add_token,
        _add_login,
        _add_info,
        _add_revoke,
        _add_exec,
        _add_doctor,
        _add_demo,
        _add_sandbox,
        _add_completion,
    ):
        add_command(commands)
    return parser


def _add_token(commands: Any) -> None:
    token = _add_command(
        commands,
        "token",
        "print an access token",
        "Print an access token on standard output. Without --grant, the first of these sources is used: "
        f"{setting_name('ACCESS_TOKEN')}, the saved sign-in, a client, a user, a meeting. The token is saved, and "
        "printed again until it expires.",
        "bluejeans-auth token --header",
        "tokens:print_token",
    )
    _add_identity(token)
    form = token.add_mutually_exclusive_group()
    form.add_argument("--header", action="store_true", help="print a header line: Authorization: Bearer ...")
    form.add_argument("--json", action="store_true", help="print JSON; expires_at is a Unix timestamp")


def _add_login(commands: Any) -> None:
    login = _add_command(
        commands,
        "login",
        "sign in with a browser",
        "Sign in with a browser and save the sign-in for token, exec and other programs. The client and the redirect "
        "URI must be registered with the service.",
        "bluejeans-auth login --app-name Example",
        "tokens:log_in",
    )
    _add_service(login)
    login.add_argument("--client-id", help=f"client ID (default: {setting_name('CLIENT_ID')})")
    _add_secret_file(login)
    login.add_argument(
        "--redirect-uri", metavar="URI", help="registered redirect URI (default: http://127.0.0.1/callback)"
    )
    login.add_argument(
        "--scope", help="permissions, separated by commas, such as list_meetings,user_info (default: all registered)"
    )
    login.add_argument("--app-name", metavar="NAME", help="application name on the sign-in page")
    login.add_argument("--app-logo-url", metavar="URL", help="application logo on the sign-in page, 84 by 84 pixels")
    login.add_argument(
        "--no-browser", action="store_true", help="print the URL of the sign-in page and accept a pasted response"
    )
    login.add_argument(
        "--timeout",
        type=float,
        default=120.0,
        metavar="SECONDS",
        help="seconds to wait for the sign-in (default: %(default)g)",
    )
    login.add_argument("--keep-secret", action="store_true", help="save the client secret with the sign-in")


def _add_info(commands: Any) -> None:
    info = _add_command(
        commands,
        "info",
        "list the saved sign-ins",
        "List the sign-ins that are saved on this machine. This needs no secret and sends no request.",
        "bluejeans-auth info --json",
        "tokens:list_sign_ins",
    )
    info.add_argument("--json", action="store_true", help="print JSON")
    _add_debug(info)


def _add_revoke(commands: Any) -> None:
    revoke = _add_command(
        commands,
        "revoke",
        "revoke a sign-in",
        "Revoke a sign-in at the service and delete it from this machine.",
        "bluejeans-auth revoke",
        "tokens:revoke",
    )
    _add_service(revoke)
    revoke.add_argument("--client-id", help="client ID of the sign-in; required if several are saved")
    _add_secret_file(revoke)
    revoke.add_argument("--local", action="store_true", help="delete the sign-in on this machine only; needs no secret")


def _add_exec(commands: Any) -> None:
    execute = _add_command(
        commands,
        "exec",
        "run a command with a token in its environment",
        f"Run a command with an access token in {setting_name('ACCESS_TOKEN')}, refreshed if it expires soon, and the "
        f"host in {setting_name('HOST')}. Variables with secrets are not passed on. The command replaces this process, "
        "so that signals reach it and its exit code is returned (126 and 127 if it cannot be run).",
        f"bluejeans-auth exec -- printenv {setting_name('ACCESS_TOKEN')}",
        "tokens:execute",
    )
    execute.usage = "bluejeans-auth exec [options] -- command [argument ...]"
    _add_identity(execute)


def _add_doctor(commands: Any) -> None:
    doctor = _add_command(
        commands,
        "doctor",
        "find problems with the connection and the settings",
        "Check the host, the proxy, the connection, TLS, the clock, the credentials in the environment, and the token "
        "store. Each line is a check; a problem includes advice. The exit code is 3 if the host cannot be reached, or "
        "1 for any other problem.",
        "bluejeans-auth doctor",
        "doctor:run",
    )
    _add_service(doctor)


def _add_demo(commands: Any) -> None:
    demo = _add_command(
        commands,
        "demo",
        "call each of the eight operations and check the responses",
        "Call each of the eight operations and check the responses. The default service is a sandbox that this command "
        f"starts. With --host, these variables are used: {', '.join(map(setting_name, DEMO_VARIABLES))}.",
        "bluejeans-auth demo",
        "demo:command",
    )
    demo.add_argument("--host", help="URL of the service, such as https://api.bluejeans.com (default: a sandbox)")
    _add_ca(demo)
    _add_debug(demo)


def _add_sandbox(commands: Any) -> None:
    sandbox = _add_command(
        commands,
        "sandbox",
        "run the service on this machine, for development",
        "Run the service on this machine, for development. Stop it with Ctrl-C.",
        "bluejeans-auth sandbox --port 8080",
        "sandbox:run",
    )
    sandbox.add_argument("--port", type=int, default=8080, help="port; 0 for a free one (default: %(default)s)")
    sandbox.add_argument("--tls", action="store_true", help="use HTTPS with a temporary certificate authority")
    sandbox.add_argument(
        "--lifetime", type=int, metavar="SECONDS", help="token lifetime in seconds (default: as the service)"
    )
    _add_debug(sandbox)


def _add_completion(commands: Any) -> None:
    completion = _add_command(
        commands,
        "completion",
        "print a shell completion script",
        "Print a shell completion script. bash: eval it in ~/.bashrc. zsh: eval it in ~/.zshrc, after compinit. fish: "
        "write it to ~/.config/fish/completions/bluejeans-auth.fish.",
        "bluejeans-auth completion bash",
        "completion:run",
    )
    completion.add_argument("shell", choices=SHELLS)
    _add_debug(completion)


def _add_command(
    commands: Any, name: str, help: str, description: str, example: str, function: str
) -> argparse.ArgumentParser:
    """Add a subparser.

    function: module and name of a function that takes the arguments, runs the command and returns the exit code.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=help, description=description, epilog=f"example: {example}", allow_abbrev=False
    )
    parser.set_defaults(run=_import_lazily(function))
    return parser


def _import_lazily(function: str) -> Callable[[argparse.Namespace], int]:
    module, _, name = function.partition(":")

    def run(arguments: argparse.Namespace) -> Any:
        return getattr(importlib.import_module(f".{module}", __package__), name)(arguments)

    return run


def _add_identity(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the owner of a token, and the service."""
    _add_service(parser)
    parser.add_argument("--grant", choices=GRANTS, help="kind of token")
    parser.add_argument(
        "--client-id", help=f"client ID of a client or a sign-in (default: {setting_name('CLIENT_ID')})"
    )
    parser.add_argument("--username", help=f"username of a user (default: {setting_name('USERNAME')})")
    parser.add_argument("--meeting-id", help=f"ID of a meeting (default: {setting_name('MEETING_ID')})")
    _add_secret_file(parser)
    parser.add_argument("--no-store", action="store_true", help="do not read or write the token store")


def _add_service(parser: argparse.ArgumentParser) -> None:
    host = setting_name("HOST")
    parser.add_argument("--host", help=f"URL of the service (default: {host}, or https://api.bluejeans.com)")
    _add_ca(parser)
    _add_debug(parser)


def _add_ca(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ca", metavar="FILE", help="PEM file with trusted CA certificates (default: the bundle of certifi)"
    )


def _add_secret_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--secret-file",
        metavar="FILE",
        help="file with the secret, password or passcode; - for standard input (default: "
        f"{setting_name('CLIENT_SECRET')}, _PASSWORD or _MEETING_PASSCODE, the same with _FILE, or a prompt)",
    )


def _add_debug(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--debug", action="store_true", help="log requests and print tracebacks")
