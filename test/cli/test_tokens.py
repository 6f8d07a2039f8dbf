"""`bluejeans-auth token`, `login`, `info`, `revoke` and `exec`, in processes against the sandbox."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi import cli
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.browser_user import BrowserUser
from support.command import COMMAND, environment, run
from support.terminal import Terminal

TOKEN = re.compile(r"[0-9a-z]{32}(@z2)?\n")


@pytest.fixture
def env(bluejeans_sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, bluejeans_sandbox)


@pytest.fixture
def signed_in(env: dict[str, str]) -> dict[str, str]:
    assert run("login", env=env).returncode == cli.DONE
    return env


def without_secret(env: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name != "BLUEJEANS_CLIENT_SECRET"}


def posts(sandbox: Sandbox) -> list[str | None]:
    """Return the requested grants."""
    return [seen.grant for seen in sandbox.requests if seen.method == "POST" and "/token" in seen.path]


@pytest.mark.parametrize("argument", ["--secret=canary", "--client-secret=canary", "-pcanary", "canary"])
def test_error_about_an_unknown_argument_does_not_contain_its_value(env: dict[str, str], argument: str) -> None:
    ended = run("token", argument, env=env)
    assert (ended.returncode, "canary" in ended.stderr) == (cli.USAGE, False)


def test_error_about_a_secret_passed_as_a_file_does_not_contain_it(env: dict[str, str]) -> None:
    ended = run("token", "--secret-file", "canary", env=env)
    assert (ended.returncode, "canary" in ended.stderr) == (cli.USAGE, False)


@pytest.mark.parametrize(
    ("grant", "settings"),
    [
        ("client", {}),
        ("password", {"BLUEJEANS_USERNAME": "demo.user", "BLUEJEANS_PASSWORD": "demo-password"}),
        ("meeting", {"BLUEJEANS_MEETING_ID": "494435558", "BLUEJEANS_MEETING_PASSCODE": "3691"}),
        ("meeting", {"BLUEJEANS_MEETING_ID": "271828182"}),
    ],
)
def test_token_is_the_only_text_on_standard_output(env: dict[str, str], grant: str, settings: dict[str, str]) -> None:
    ended = run("token", "--grant", grant, env={**env, **settings})
    assert (TOKEN.fullmatch(ended.stdout) is not None, ended.stderr, ended.returncode) == (True, "", cli.DONE)


def test_token_is_saved_and_printed_again(env: dict[str, str], bluejeans_sandbox: Sandbox) -> None:
    assert run("token", env=env).stdout == run("token", env=env).stdout
    assert posts(bluejeans_sandbox) == ["client_credentials"]


def test_saved_token_is_not_printed_with_another_secret(env: dict[str, str], bluejeans_sandbox: Sandbox) -> None:
    run("token", env=env)
    ended = run("token", env={**env, "BLUEJEANS_CLIENT_SECRET": "another"})
    assert (ended.stdout, ended.returncode) == ("", cli.REFUSED)
    where = f"{bluejeans_sandbox.url}/oauth2/token?Client"
    assert ended.stderr == f"401 Unauthorized. POST {where}. The credentials are wrong.\n"


def test_printing_a_saved_token_imports_no_unneeded_module(env: dict[str, str]) -> None:
    run("token", env=env)
    program = (
        "import sys; before = set(sys.modules)\n"
        "from BlueJeansMeetingsRestApi import cli; cli.main(['token'])\n"
        "unwanted = {'flask', 'asyncio', 'filelock', 'http.server', 'webbrowser', 'multiprocessing', 'dateutil'}\n"
        "print(sorted(unwanted & sys.modules.keys() - before), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert ended.stderr == "[]\n"


def test_no_store_option_neither_reads_nor_writes_the_store(
    env: dict[str, str], bluejeans_sandbox: Sandbox, tmp_path: Path
) -> None:
    first = run("token", "--no-store", env=env).stdout
    assert run("token", "--no-store", env=env).stdout != first
    assert not (tmp_path / "state").exists()


def test_token_of_a_sign_in_requires_the_store(signed_in: dict[str, str]) -> None:
    ended = run("token", "--no-store", "--grant", "sign-in", env=signed_in)
    assert (ended.stdout, ended.returncode) == ("", cli.USAGE)


def test_token_is_saved_in_the_store_from_the_environment(env: dict[str, str], tmp_path: Path) -> None:
    run("token", env={**env, "BLUEJEANS_TOKEN_STORE": str(tmp_path / "mine.json")})
    assert stat.S_IMODE((tmp_path / "mine.json").stat().st_mode) == 0o600
    assert not (tmp_path / "state").exists()


def test_header_option_prints_a_header_line(env: dict[str, str]) -> None:
    header = run("token", "--header", env=env).stdout
    assert header == f"Authorization: Bearer {run('token', env=env).stdout}"


def test_token_json_option_prints_token_type_and_expiry(env: dict[str, str]) -> None:
    content = json.loads(run("token", "--json", env=env).stdout)
    assert content.pop("access_token") == run("token", env=env).stdout.strip()
    assert content.pop("expires_at") > 1_700_000_000
    assert content == {"token_type": "Bearer"}


def test_access_token_from_the_environment_is_printed_unchanged(
    env: dict[str, str], bluejeans_sandbox: Sandbox
) -> None:
    program = [sys.executable, *COMMAND, "token", "--json"]
    env["BLUEJEANS_ACCESS_TOKEN"] = "given"
    ended = subprocess.run(program, env=env, capture_output=True, text=True, check=True)
    assert json.loads(ended.stdout) == {"access_token": "given", "token_type": "Bearer", "expires_at": None}
    assert bluejeans_sandbox.requests == []


def test_identity_option_has_priority_over_the_environment(env: dict[str, str], bluejeans_sandbox: Sandbox) -> None:
    run("token", "--username", "demo.user", env={**env, "BLUEJEANS_PASSWORD": "demo-password"})
    assert posts(bluejeans_sandbox) == ["password"]


def test_token_without_any_credentials_requires_a_sign_in(tmp_path: Path) -> None:
    ended = run("token", env=environment(tmp_path))
    assert (ended.stdout, ended.returncode) == ("", cli.SIGN_IN)
    assert "bluejeans-auth login" in ended.stderr


def test_error_about_a_missing_identity_contains_option_and_variable(env: dict[str, str]) -> None:
    ended = run("token", "--grant", "password", env=env)
    assert (ended.stderr, ended.returncode) == (
        "The username is missing: use --username, or set BLUEJEANS_USERNAME\n",
        cli.USAGE,
    )


def test_secret_is_read_from_the_file_in_the_environment(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{env['BLUEJEANS_CLIENT_SECRET']}\n")
    with_file = {**without_secret(env), "BLUEJEANS_CLIENT_SECRET_FILE": str(tmp_path / "secret")}
    assert run("token", env=with_file).returncode == cli.DONE


def test_secret_is_read_from_the_secret_file_option(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(env["BLUEJEANS_CLIENT_SECRET"])
    ended = run("token", "--secret-file", str(tmp_path / "secret"), env=without_secret(env))
    assert ended.returncode == cli.DONE


def test_secret_is_read_from_standard_input(env: dict[str, str]) -> None:
    options = {"input": env["BLUEJEANS_CLIENT_SECRET"] + "\n"}
    command = [sys.executable, *COMMAND, "token", "--secret-file", "-"]
    ended = subprocess.run(command, env=without_secret(env), capture_output=True, text=True, check=True, **options)
    assert TOKEN.fullmatch(ended.stdout)


def test_secret_is_prompted_for_without_an_echo(env: dict[str, str], tmp_path: Path) -> None:
    with open(tmp_path / "stdout", "wb") as stdout:
        terminal = Terminal([*COMMAND, "token"], without_secret(env), stdout.fileno())
    terminal.wait_for("Client secret: ")
    terminal.type(env["BLUEJEANS_CLIENT_SECRET"] + "\n")
    assert terminal.end() == cli.DONE
    assert env["BLUEJEANS_CLIENT_SECRET"] not in terminal.screen
    assert TOKEN.fullmatch((tmp_path / "stdout").read_text())
    terminal.close()


def test_missing_secret_is_a_usage_error(env: dict[str, str]) -> None:
    ended = run("token", env=without_secret(env))
    assert (ended.stdout, ended.returncode) == ("", cli.USAGE)
    assert "set BLUEJEANS_CLIENT_SECRET or BLUEJEANS_CLIENT_SECRET_FILE" in ended.stderr


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_unreadable_secret_file_is_a_usage_error(env: dict[str, str], tmp_path: Path, name: str) -> None:
    ended = run("token", "--secret-file", str(tmp_path / name), env=env)
    assert ended.stderr.startswith("--secret-file names a file that cannot be read")
    assert ended.returncode == cli.USAGE


def test_secrets_are_not_accepted_as_arguments(env: dict[str, str]) -> None:
    for argument in ("--client-secret", "--password", "--meeting-passcode", "--access-token"):
        assert run("token", f"{argument}=x", env=env).returncode == cli.USAGE


def test_login_saves_a_token_of_the_user(signed_in: dict[str, str], bluejeans_sandbox: Sandbox) -> None:
    token = run("token", env=signed_in).stdout.strip()
    configuration = bluejeans.Configuration()
    configuration.host = bluejeans_sandbox.url
    with bluejeans.AuthenticationApi(bluejeans.ApiClient(configuration)) as api:
        assert api.get_token_info(access_token=token).user == bluejeans_sandbox.user_id
    assert posts(bluejeans_sandbox) == ["authorization_code"]


def test_login_shows_a_result_page_with_the_application_name(env: dict[str, str], tmp_path: Path) -> None:
    run("login", "--app-name", "Example", env=env)
    assert (
        "You are signed in</h1><p>You can close this tab and return to Example." in (tmp_path / "seen.html").read_text()
    )


def test_sign_in_is_saved_in_files_that_only_the_owner_can_read(signed_in: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "state" / "bluejeans-auth"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.iterdir()]}
    assert modes.pop("bluejeans-auth") == 0o700
    assert set(modes.values()) == {0o600}


def test_login_does_not_save_the_client_secret(signed_in: dict[str, str], tmp_path: Path) -> None:
    stored = (tmp_path / "state" / "bluejeans-auth" / "tokens.json").read_text()
    assert signed_in["BLUEJEANS_CLIENT_SECRET"] not in stored
    assert run("token", env=without_secret(signed_in)).returncode == cli.USAGE


def test_keep_secret_option_saves_the_client_secret(env: dict[str, str], tmp_path: Path) -> None:
    run("login", "--keep-secret", env=env)
    assert TOKEN.fullmatch(run("token", env=environment(tmp_path)).stdout)
    assert "with client secret" in run("info", env=environment(tmp_path)).stdout


def test_sign_in_that_a_program_refreshed_is_used_by_the_command(
    signed_in: dict[str, str], bluejeans_sandbox: Sandbox
) -> None:
    first = run("token", env=signed_in).stdout
    store = bluejeans.FileTokenStore(Path(signed_in["XDG_STATE_HOME"]) / "bluejeans-auth" / "tokens.json")
    configuration = bluejeans.Configuration()
    configuration.host = bluejeans_sandbox.url
    with bluejeans.ApiClient(configuration) as client:
        credentials = bluejeans.RefreshTokenCredentials(
            bluejeans_sandbox.client_id,
            bluejeans_sandbox.client_secret,
            store=store,
            api=bluejeans.AuthenticationApi(client),
        )
        assert credentials.get_token().token == first.strip()
        credentials.invalidate()
        second = credentials.get_token().token
    assert run("token", env=signed_in).stdout == f"{second}\n"
    assert posts(bluejeans_sandbox) == ["authorization_code", "refresh_token"]


def test_denied_login_requires_a_new_sign_in(env: dict[str, str], tmp_path: Path) -> None:
    ended = run("login", env={**env, "USER_DECISION": "deny"})
    assert (ended.stdout, ended.returncode) == ("", cli.SIGN_IN)
    assert ended.stderr == "access was denied. Start a new sign-in.\n"
    assert "Access was not granted" in (tmp_path / "seen.html").read_text()


def test_login_times_out_without_a_response(env: dict[str, str]) -> None:
    ended = run("login", "--timeout", "0.2", env={**env, "BROWSER": "true"})
    assert (ended.returncode, "timed out waiting for the sign-in" in ended.stderr) == (cli.NETWORK, True)


def test_login_reports_why_the_code_was_refused(env: dict[str, str], tmp_path: Path) -> None:
    ended = run("login", env={**env, "BLUEJEANS_CLIENT_SECRET": "mistyped"})
    assert (ended.returncode, "The credentials are wrong." in ended.stderr) == (cli.SIGN_IN, True)
    assert "Sign-in failed" in (tmp_path / "seen.html").read_text()


def test_login_without_a_client_id_is_a_usage_error(tmp_path: Path) -> None:
    assert run("login", env=environment(tmp_path)).stderr.startswith("The client ID is missing")


def test_login_without_a_browser_accepts_a_pasted_url(env: dict[str, str]) -> None:
    terminal = Terminal([*COMMAND, "login", "--no-browser"], env)
    url = terminal.wait_for(r"http://\S+authorize\?\S+")
    terminal.wait_for("paste the URL of that page here")
    terminal.type("https://somewhere.example/?code=x\n")
    terminal.wait_for("That is not the URL")
    user = BrowserUser(is_elsewhere=True)
    user.sign_in(url)
    terminal.type(f"{user.address}\n")
    assert terminal.end() == cli.DONE
    assert "Signed in as user 1442589" in terminal.screen
    assert parse_qs(urlsplit(user.address).query)["code"][0] not in terminal.screen
    terminal.close()


def test_login_on_a_terminal_reports_that_a_browser_opens(env: dict[str, str]) -> None:
    terminal = Terminal([*COMMAND, "login"], env)
    terminal.wait_for("Opening a browser to sign in")
    assert terminal.end() == cli.DONE
    terminal.close()


def test_info_lists_the_saved_sign_ins(signed_in: dict[str, str], bluejeans_sandbox: Sandbox) -> None:
    output = run("info", env=without_secret(signed_in)).stdout
    assert output.startswith(f"{bluejeans_sandbox.url}  client {bluejeans_sandbox.client_id}  user 1442589  all scopes")
    assert output.count("\n") == 1


def test_info_json_option_prints_the_sign_ins_as_json(signed_in: dict[str, str], bluejeans_sandbox: Sandbox) -> None:
    (one,) = json.loads(run("info", "--json", env=signed_in).stdout)
    assert one.pop("signed_in_at") > 1_700_000_000
    assert one == {
        "host": bluejeans_sandbox.url,
        "client_id": bluejeans_sandbox.client_id,
        "user": 1442589,
        "scope": None,
        "secret_is_kept": False,
    }


def test_info_without_a_sign_in_prints_nothing(env: dict[str, str]) -> None:
    ended = run("info", env=env)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("", "", cli.DONE)


def test_revoke_deletes_the_sign_in_here_and_at_the_service(
    signed_in: dict[str, str], bluejeans_sandbox: Sandbox
) -> None:
    token = run("token", env=signed_in).stdout.strip()
    assert run("revoke", env=signed_in).returncode == cli.DONE
    assert run("info", env=signed_in).stdout == ""
    assert run("token", "--grant", "sign-in", env=signed_in).returncode == cli.SIGN_IN
    assert bluejeans_sandbox.requests[-1].method == "DELETE"
    assert token not in Path(signed_in["XDG_STATE_HOME"], "bluejeans-auth", "tokens.json").read_text()


def test_revoke_deletes_a_sign_in_that_the_service_revoked_before(
    signed_in: dict[str, str], bluejeans_sandbox: Sandbox
) -> None:
    bluejeans_sandbox.reset()
    assert run("revoke", env=signed_in).returncode == cli.DONE
    assert run("info", env=signed_in).stdout == ""


def test_refused_revoke_of_a_valid_token_does_not_delete_the_sign_in(
    signed_in: dict[str, str], bluejeans_sandbox: Sandbox
) -> None:
    bluejeans_sandbox.fail_next(status=401, message="The client is locked.")
    ended = run("revoke", env=signed_in)
    assert (ended.returncode, "The client is locked." in ended.stderr) == (cli.REFUSED, True)
    assert run("info", env=signed_in).stdout != ""


def test_revoke_with_a_wrong_secret_does_not_delete_the_sign_in(signed_in: dict[str, str]) -> None:
    ended = run("revoke", env={**signed_in, "BLUEJEANS_CLIENT_SECRET": "wrong"})
    assert ended.stderr.startswith("The client secret is not the one of this sign-in")
    assert run("info", env=signed_in).stdout != ""


def test_local_revoke_needs_no_secret_and_sends_no_request(
    signed_in: dict[str, str], bluejeans_sandbox: Sandbox
) -> None:
    before = len(bluejeans_sandbox.requests)
    assert run("revoke", "--local", env=without_secret(signed_in)).returncode == cli.DONE
    assert run("info", env=signed_in).stdout == ""
    assert len(bluejeans_sandbox.requests) == before


def test_revoke_without_a_sign_in_requires_a_sign_in(env: dict[str, str]) -> None:
    assert run("revoke", env=env).returncode == cli.SIGN_IN


def test_revoke_with_several_sign_ins_requires_a_selection(signed_in: dict[str, str]) -> None:
    with Sandbox() as other:
        run("login", "--host", other.url, env=signed_in)
        without_host = {name: value for name, value in signed_in.items() if name != "BLUEJEANS_HOST"}
        ended = run("revoke", env=without_host)
        assert (ended.returncode, "Several sign-ins are saved" in ended.stderr) == (cli.USAGE, True)
        assert run("revoke", "--host", other.url, env=without_host).returncode == cli.DONE
    assert run("info", env=signed_in).stdout.startswith(signed_in["BLUEJEANS_HOST"])


def test_sign_in_is_found_by_a_host_in_capitals(signed_in: dict[str, str]) -> None:
    host = signed_in["BLUEJEANS_HOST"].replace("http:", "HTTP:")
    assert run("revoke", "--local", "--host", f"{host}/", env=signed_in).returncode == cli.DONE
    assert run("info", env=signed_in).stdout == ""


def test_exec_warns_that_no_host_is_set(tmp_path: Path) -> None:
    env = environment(tmp_path, BLUEJEANS_ACCESS_TOKEN="a-token")
    ended = run("exec", "--", "sh", "-c", "echo $BLUEJEANS_HOST", env=env)
    assert ended.stdout == "https://api.bluejeans.com\n"
    assert ended.stderr.count("The vendor has announced the end of the service at this host") == 1


def test_exec_passes_the_token_and_removes_the_secrets(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "password").write_text("x")
    env = {**env, "BLUEJEANS_PASSWORD_FILE": str(tmp_path / "password")}
    ended = run("exec", "--", "env", env=env)
    seen = dict(line.split("=", 1) for line in ended.stdout.splitlines() if line.startswith("BLUEJEANS_"))
    assert seen == {
        "BLUEJEANS_ACCESS_TOKEN": run("token", env=env).stdout.strip(),
        "BLUEJEANS_HOST": env["BLUEJEANS_HOST"],
        "BLUEJEANS_CLIENT_ID": env["BLUEJEANS_CLIENT_ID"],
    }


def test_exec_removes_a_redis_url_that_may_contain_a_password(env: dict[str, str]) -> None:
    env = {**env, "BLUEJEANS_TOKEN_STORE": "redis://:a-password@127.0.0.1:1/0"}
    assert "BLUEJEANS_TOKEN_STORE" not in run("exec", "--no-store", "--", "env", env=env).stdout


def test_exec_removes_the_file_variable_of_a_redis_url(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "store").write_text("redis://:a-password@127.0.0.1:1/0")
    env = {**env, "BLUEJEANS_TOKEN_STORE_FILE": str(tmp_path / "store")}
    assert "BLUEJEANS_TOKEN_STORE" not in run("exec", "--no-store", "--", "env", env=env).stdout


def test_program_started_by_exec_finds_its_credentials(env: dict[str, str]) -> None:
    program = "import BlueJeansMeetingsRestApi as b; print(b.default_credentials())"
    assert run("exec", "--", sys.executable, "-c", program, env=env).stdout == "StaticToken(...)\n"


@pytest.mark.parametrize("code", [0, 1, 77])
def test_exec_returns_the_exit_code_of_the_program(env: dict[str, str], code: int) -> None:
    assert run("exec", "--", "sh", "-c", f"exit {code}", env=env).returncode == code


def test_signals_reach_the_program_started_by_exec(env: dict[str, str]) -> None:
    command = [sys.executable, *COMMAND, "exec", "--", "sh", "-c", "echo started; exec sleep 60"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait() == -signal.SIGTERM


def test_program_started_by_exec_exits_on_a_broken_pipe(env: dict[str, str]) -> None:
    command = f"{sys.executable} -m BlueJeansMeetingsRestApi exec -- yes | head -n 1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == (f"y\n{128 + signal.SIGPIPE}\n", "")


@pytest.mark.parametrize(("program", "code"), [("no-such-program", 127), (os.devnull, 126)])
def test_exec_reports_a_program_that_cannot_be_run_as_shells_do(env: dict[str, str], program: str, code: int) -> None:
    ended = run("exec", "--", program, env=env)
    assert (ended.stderr.startswith(f"{program}: "), ended.returncode) == (True, code)


@pytest.mark.parametrize("arguments", [["exec"], ["exec", "env"], ["exec", "--"], ["token", "--", "env"]])
def test_exec_requires_a_command_after_two_hyphens(env: dict[str, str], arguments: list[str]) -> None:
    assert run(*arguments, env=env).returncode == cli.USAGE


@pytest.fixture
def bare(env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    missing = tmp_path / "missing"
    missing.mkdir()
    for name in ("filelock", "platformdirs"):
        (missing / f"{name}.py").write_text("raise ImportError('it is not installed')")
    return {**env, "PYTHONPATH": str(missing)}


def test_token_is_printed_without_the_extra_of_the_store(bare: dict[str, str]) -> None:
    assert TOKEN.fullmatch(run("token", env=bare).stdout)


@pytest.mark.parametrize("command", ["login", "info", "revoke"])
def test_commands_for_sign_ins_report_the_missing_extra(bare: dict[str, str], command: str) -> None:
    ended = run(command, env=bare)
    assert (ended.returncode, 'pip install "BlueJeansMeetingsRestApi[cli]"' in ended.stderr) == (cli.USAGE, True)
