"""The command as a process: output, exit codes and secrets (row 41 of docs/RELIABILITY.md)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from BlueJeansMeetingsRestApi import cli
from support.caller import SECRETS
from support.caller_process import GRANT, TIMEOUT, press_ctrl_c, secrets_shown
from support.command import COMMAND, environment
from support.recording_server import (
    RecordingServer,
    ServerResponse,
    SilentResponse,
    http_response,
    never_respond,
    reset,
    unused_port,
)
from support.terminal import Terminal

pytestmark = pytest.mark.slow  # Each test starts a process.

TOKEN = SECRETS["granted_token"]
IDENTITIES = {
    "client": {"BLUEJEANS_CLIENT_ID": "c", "BLUEJEANS_CLIENT_SECRET": SECRETS["client_secret"]},
    "password": {"BLUEJEANS_USERNAME": "u", "BLUEJEANS_PASSWORD": SECRETS["password"]},
    "meeting": {"BLUEJEANS_MEETING_ID": "1", "BLUEJEANS_MEETING_PASSCODE": SECRETS["meeting_passcode"]},
}
of_each_grant = pytest.mark.parametrize("grant", IDENTITIES)


class Result(NamedTuple):
    """Exit code and output of the command."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return an environment with every secret."""
    settings = {name: value for identity in IDENTITIES.values() for name, value in identity.items()}
    return environment(tmp_path, PYTHONIOENCODING="utf-8", **settings)


@pytest.fixture
def run(env: dict[str, str]) -> Iterator[Callable[..., Result]]:
    """Return a function that runs the command without a terminal, and checks that the output shows only a token."""
    running = []

    def run(
        *arguments: str, until: Callable[[Any], object] = lambda _: None, lacks: tuple[str, ...] = (), **options: Any
    ) -> Result:
        environment = {name: value for name, value in env.items() if name not in lacks}
        text = options.pop("input", None)
        process = subprocess.Popen(
            [sys.executable, *COMMAND, *arguments],
            env=environment,
            stdin=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        running.append(process)
        until(process)
        stdout, stderr = process.communicate(text, TIMEOUT)
        assert secrets_shown((stdout or "").replace(TOKEN, "", 1) + (stderr or "")) == []
        return Result(process.returncode, stdout, stderr)

    yield run
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.fault(41, "the token is read through a pipe", "the pipe receives the token only; nothing else is printed")
@of_each_grant
def test_token_is_the_only_text_written_to_a_pipe(
    run: Callable[..., Result], server: RecordingServer, grant: str
) -> None:
    assert run("token", "--host", server.url, "--grant", grant) == (cli.DONE, f"{TOKEN}\n", "")


@pytest.mark.fault(41, "`--debug`", "requests and tracebacks, without secrets, on standard error")
@of_each_grant
def test_debug_option_prints_requests_and_tracebacks_without_secrets(
    run: Callable[..., Result], server: RecordingServer, grant: str
) -> None:
    secret = list(IDENTITIES[grant].values())[-1]
    server.respond_with(http_response({"message": f"{secret} is not right."}, 401), http_response(GRANT))
    arguments = ("token", "--host", server.url, "--grant", grant, "--debug")
    refused = run(*arguments)
    assert (refused.code, refused.stdout) == (cli.REFUSED, "")
    assert all(part in refused.stderr for part in ("Traceback", "-> 401 in", "UnauthorizedError"))
    assert run(*arguments)[:2] == (cli.DONE, f"{TOKEN}\n")


@pytest.mark.fault(41, "a failure", "one line without a traceback, and the documented exit code")
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (http_response({"message": "No."}, 401), cli.REFUSED),
        (http_response(status=500), cli.REFUSED),
        (http_response({}), cli.REFUSED),
        (reset, cli.NETWORK),
    ],
)
@pytest.mark.parametrize("command", ["token", "exec"])
def test_failure_prints_one_line_and_returns_the_documented_exit_code(
    run: Callable[..., Result], server: RecordingServer, command: str, answer: ServerResponse, code: int
) -> None:
    server.respond_with(answer)
    program = ["--", "echo", "not", "run"] if command == "exec" else []
    ended = run(command, "--host", server.url, *program)
    assert (ended.code, ended.stdout, ended.stderr.count("\n")) == (code, "", 1)


@pytest.mark.fault(41, "the host refuses the connection", "exit code 3")
def test_refused_connection_returns_the_exit_code_for_network_errors(run: Callable[..., Result]) -> None:
    ended = run("token", "--host", f"http://127.0.0.1:{unused_port()}")
    assert (ended.code, "cannot connect to 127.0.0.1" in ended.stderr) == (cli.NETWORK, True)


@pytest.mark.fault(41, "wrong usage: a host, a file, an argument", "exit code 2")
@pytest.mark.parametrize(
    "arguments",
    [["--host", "http://service.example"], ["--secret-file", "/nowhere"], ["--wrong"], ["--ca", "/nowhere"]],
)
def test_invalid_argument_returns_the_exit_code_for_usage_errors(
    run: Callable[..., Result], arguments: list[str]
) -> None:
    assert run("token", *arguments)[:2] == (cli.USAGE, "")


@pytest.mark.fault(41, "no sign-in and no credentials", "exit code 4; advice to sign in")
def test_missing_sign_in_returns_exit_code_4_with_advice(run: Callable[..., Result], env: dict[str, str]) -> None:
    ended = run("token", lacks=tuple(name for name in env if name.startswith("BLUEJEANS_")))
    assert (ended.code, "bluejeans-auth login" in ended.stderr) == (cli.SIGN_IN, True)


@pytest.mark.fault(41, "Ctrl-C during a request", "exit code 130, and no output")
@pytest.mark.parametrize("program", [[], ["--", "echo", "not", "run"]], ids=["token", "exec"])
def test_ctrl_c_during_a_request_returns_exit_code_130_silently(run: Callable[..., Result], program: list[str]) -> None:
    silence = SilentResponse()

    def interrupt(process: Any) -> None:
        assert silence.requested.wait(TIMEOUT)
        press_ctrl_c(process)

    with RecordingServer([silence]) as server:
        command = "exec" if program else "token"
        assert run(command, "--host", server.url, *program, until=interrupt) == (cli.INTERRUPTED, "", "")


@pytest.mark.fault(41, "the reader of the token has exited", "no error is printed")
@pytest.mark.parametrize("command", ["token", "completion bash", "doctor"])
def test_broken_pipe_prints_no_error(run: Callable[..., Result], server: RecordingServer, command: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as broken:
        name, *rest = command.split()
        host = [] if rest else ["--host", server.url]
        ended = run(name, *rest, *host, stdout=broken)
    assert (ended.code, ended.stderr) == (cli.REFUSED, "")


@pytest.mark.fault(41, "standard output is full", "one line; exit code 2")
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="requires /dev/full")
def test_full_disk_is_reported_in_one_line(run: Callable[..., Result], server: RecordingServer) -> None:
    with open("/dev/full", "wb") as full:
        ended = run("token", "--host", server.url, stdout=full)
    assert (ended.code, ended.stderr.count("\n"), "No space left" in ended.stderr) == (cli.USAGE, 1, True)


@pytest.mark.fault(41, "standard error is closed", "errors are discarded, and not written to standard output")
def test_closed_standard_error_does_not_redirect_errors_to_the_token_output(
    run: object, env: dict[str, str], server: RecordingServer
) -> None:
    server.respond_with(http_response(status=401))
    command = ["sh", "-c", 'exec "$0" "$@" 2>&-', sys.executable, *COMMAND, "token", "--host", server.url]
    ended = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stdout) == (cli.REFUSED, b"")


@pytest.mark.fault(41, "no terminal, and a missing secret", "no prompt; exit code 2")
@of_each_grant
def test_missing_secret_without_a_terminal_does_not_wait_for_input(
    run: Callable[..., Result], server: RecordingServer, grant: str
) -> None:
    secret = [name for name in IDENTITIES[grant] if not name.endswith(("_ID", "USERNAME"))]
    ended = run("token", "--host", server.url, "--grant", grant, lacks=tuple(secret))
    # A meeting may have no passcode.
    assert ended[:2] == ((cli.DONE, f"{TOKEN}\n") if grant == "meeting" else (cli.USAGE, ""))


@pytest.mark.fault(41, "secrets from standard input, a file, or a `_FILE` variable", "they are used")
@pytest.mark.parametrize("way", ["-", "file", "variable"])
@of_each_grant
def test_secret_is_read_from_each_documented_source(
    run: Callable[..., Result], env: dict[str, str], server: RecordingServer, tmp_path: Path, grant: str, way: str
) -> None:
    (name,) = (name for name in IDENTITIES[grant] if not name.endswith(("_ID", "USERNAME")))
    secret, file = env.pop(name), tmp_path / "secret"
    file.write_text(f"{secret}\n", "utf-8")
    if way == "variable":
        env[f"{name}_FILE"] = str(file)
    option = {"-": ["--secret-file", "-"], "file": ["--secret-file", str(file)], "variable": []}[way]
    run("token", "--host", server.url, "--grant", grant, *option, input=f"{secret}\n")
    assert secret in server.requests[0].json.values()


@pytest.mark.fault(41, "other users list the processes", "no argument of any of our processes is a secret")
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="requires /proc")
@pytest.mark.parametrize(
    "command", ["token", "login --timeout 30", "exec -- sleep 60", "doctor", "demo", "revoke", "info"]
)
def test_arguments_of_all_processes_contain_no_secret(
    run: Callable[..., Result], env: dict[str, str], server: RecordingServer, tmp_path: Path, command: str
) -> None:
    silence, seen = SilentResponse(), tmp_path / "seen"
    name, *rest = command.split(" ")
    host = [] if name in ("info", "demo") else ["--host", server.url]
    # It saves its own arguments and those of its parent process.
    script = (
        f"#!/bin/sh\ntr '\\0' ' ' < /proc/$PPID/cmdline > {seen}.new\necho \"$@\" >> {seen}.new\nmv {seen}.new {seen}\n"
    )
    (tmp_path / "browser").write_text(script)
    (tmp_path / "browser").chmod(0o700)
    env["BROWSER"] = str(tmp_path / "browser")
    if name != "exec":
        server.respond_with(silence)
    listed: list[str] = []

    def look(process: Any) -> None:
        # The started program replaces `exec`.
        until = {"exec": lambda: listed[-1].startswith("sleep"), "login": seen.exists}
        until.update(dict.fromkeys(("token", "doctor"), silence.requested.is_set))
        listed.append(arguments_of(process))
        while process.poll() is None and not (listed[-1] and until.get(name, lambda: True)()):
            os.sched_yield()
            if (arguments := arguments_of(process)) != listed[-1]:
                listed.append(arguments)
        if name == "login":
            listed.append(seen.read_text())
        press_ctrl_c(process)

    run(name, *host, *rest, until=look)
    shown = " ".join(listed)
    assert name in shown
    assert name != "exec" or listed[-1].startswith("sleep")
    assert secrets_shown(shown) == []


def arguments_of(process: Any) -> str:
    return Path(f"/proc/{process.pid}/cmdline").read_text()


@pytest.mark.fault(41, "a terminal, and a slow service", "progress is shown and cleared")
def test_progress_is_shown_on_a_terminal_and_cleared(run: object, env: dict[str, str], tmp_path: Path) -> None:
    with open(tmp_path / "stdout", "wb") as stdout, RecordingServer([never_respond]) as server:
        terminal = Terminal([*COMMAND, "token", "--host", server.url], env, stdout.fileno())
        terminal.wait_for(r"Waiting for the service \(\d s\)")
        terminal.type("\x03")
        assert terminal.end() == cli.INTERRUPTED
    assert terminal.screen.rstrip().endswith("\x1b[K")
    assert (tmp_path / "stdout").read_text() == ""
    assert secrets_shown(terminal.screen) == []
    terminal.close()


@pytest.mark.fault(41, "Ctrl-C or Ctrl-D in a prompt", "exit code 130 or 2")
@pytest.mark.parametrize(("key", "code"), [("\x03", cli.INTERRUPTED), ("\x04", cli.USAGE)], ids=["Ctrl-C", "Ctrl-D"])
def test_prompt_is_cancelled_with_ctrl_c_or_ctrl_d(
    run: object, env: dict[str, str], server: RecordingServer, key: str, code: int
) -> None:
    del env["BLUEJEANS_CLIENT_SECRET"]
    terminal = Terminal([*COMMAND, "token", "--host", server.url], env)
    terminal.wait_for("Client secret: ")
    terminal.type(key)
    assert terminal.end() == code
    assert "Traceback" not in terminal.screen
    terminal.close()


@pytest.mark.fault(41, "saved files, and the list of sign-ins", "no secret in a file name or in `info`")
def test_saved_files_and_info_contain_no_secret_in_names(
    run: Callable[..., Result], env: dict[str, str], server: RecordingServer, tmp_path: Path
) -> None:
    tokens = {**GRANT, "refresh_token": SECRETS["granted_refresh_token"], "user": 7}
    server.respond_with(http_response(tokens))
    (tmp_path / "browser").write_text(
        f"#!{sys.executable}\nimport re, sys, urllib.parse, urllib.request\n"
        "asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(sys.argv[1]).query))\n"
        f"answer = urllib.parse.urlencode({{'code': {SECRETS['code']!r}, 'state': asked['state']}})\n"
        "urllib.request.urlopen(asked['redirectUri'] + '?' + answer).read()\n"
    )
    (tmp_path / "browser").chmod(0o700)
    env["BROWSER"] = str(tmp_path / "browser")
    assert run("login", "--host", server.url, "--keep-secret") == (cli.DONE, "", "")
    assert json.loads(run("info", "--json").stdout)[0]["client_id"] == "c"
    names = [str(path) for path in (tmp_path / "state").rglob("*")]
    assert secrets_shown("\n".join(names)) == []
