"""`bluejeans-auth demo` and `sandbox`, and errors of the command."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from BlueJeansMeetingsRestApi import cli
from BlueJeansMeetingsRestApi.cli import demo
from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support import sandbox_environment
from support.recording_server import RecordingServer, http_response

EIGHT = {
    "get_authorization_code",
    "get_token_by_client",
    "get_token_by_code",
    "get_token_by_meeting",
    "get_token_by_password",
    "get_token_by_refresh",
    "get_token_info",
    "revoke_access_token",
}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in demo.VARIABLES:
        monkeypatch.delenv(name, raising=False)


def summary(output: str) -> dict[str, str]:
    """Return the checks and their results from the last lines of the demo."""
    return {check: result for result, check in re.findall(r"^  (ok|FAILED) +(.*)$", output, re.M)}


def test_demo_calls_and_checks_all_eight_operations(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["demo"]) == 0
    output = capsys.readouterr().out
    checked = summary(output)
    assert set(checked.values()) == {"ok"}
    assert {check.split()[0] for check in checked} >= EIGHT
    assert f"{len(checked)} of {len(checked)} checks passed:" in output


def test_demo_prints_each_request_with_its_status_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["demo"])
    output = capsys.readouterr().out
    requests = re.findall(r"^  ([A-Z]+) http://127\.0\.0\.1:\d+(\S+) -> (\d+) in \d+ ms$", output, re.M)
    assert requests == [
        ("GET", "/oauth2/authorize", "200"),
        ("POST", "/oauth2/token?Code", "200"),
        ("GET", "/oauth2/tokenInfo", "200"),
        ("POST", "/oauth2/token?Refresh", "200"),
        ("GET", "/v1/user/{id}", "200"),
        ("DELETE", "/oauth2/token?Revoke", "204"),
        ("DELETE", "/oauth2/token?Revoke", "400"),
        ("GET", "/oauth2/tokenInfo", "401"),
        ("POST", "/oauth2/token?Client", "200"),
        ("POST", "/oauth2/token?Password", "200"),
        ("GET", "/v1/user/{id}", "200"),
        ("POST", "/oauth2/token?Meeting", "200"),
    ]
    sandbox = Sandbox()
    assert not [s for s in (sandbox.client_secret, sandbox.password) if s in output]
    assert not re.search(r"'(access|refresh)_token': '[^*']", output)


def test_demo_with_a_host_uses_the_credentials_in_the_environment(
    bluejeans_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in sandbox_environment.environment(bluejeans_sandbox).items():
        monkeypatch.setenv(name, value)
    assert cli.main(["demo", "--host", bluejeans_sandbox.url]) == 0
    assert {check.split()[0] for check in summary(capsys.readouterr().out)} >= EIGHT


def test_demo_skips_operations_without_credentials(
    bluejeans_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BLUEJEANS_CLIENT_ID", bluejeans_sandbox.client_id)
    monkeypatch.setenv("BLUEJEANS_CLIENT_SECRET", bluejeans_sandbox.client_secret)
    assert cli.main(["demo", "--host", bluejeans_sandbox.url]) == 0
    output = capsys.readouterr().out
    assert list(summary(output)) == ["get_token_by_client returns a token for the enterprise"]
    assert "skipped; set BLUEJEANS_USERNAME, BLUEJEANS_PASSWORD" in output


def test_demo_skips_the_code_exchange_without_a_code(
    bluejeans_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in sandbox_environment.environment(bluejeans_sandbox).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("BLUEJEANS_CODE")
    assert cli.main(["demo", "--host", bluejeans_sandbox.url]) == 0
    assert "skipped; set BLUEJEANS_CODE" in capsys.readouterr().out


def test_demo_without_credentials_lists_the_variables(
    bluejeans_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["demo", "--host", bluejeans_sandbox.url]) == cli.USAGE
    assert "BLUEJEANS_CLIENT_ID" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["BLUEJEANS_CLIENT_SECRET", "BLUEJEANS_CODE", "BLUEJEANS_PASSWORD"])
def test_demo_reports_a_failed_check_if_the_service_refuses_a_request(
    bluejeans_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    for name, value in sandbox_environment.environment(bluejeans_sandbox).items():
        monkeypatch.setenv(name, "wrong" if name == wrong else value)
    assert cli.main(["demo", "--host", bluejeans_sandbox.url]) == cli.REFUSED
    assert "FAILED" in summary(capsys.readouterr().out).values()


def test_demo_reports_failed_checks_if_the_responses_are_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    grant = {"access_token": "same", "refresh_token": "r", "expires_in": 1, "scope": {"user": 1, "enterprise": "2"}}
    for name in demo.VARIABLES:
        monkeypatch.setenv(name, "x")
    page, info = http_response({}), http_response({"user": 2})
    user, revoked = http_response({"id": 3}), http_response(status=200)
    responses = [
        page,
        http_response(grant),
        info,
        http_response(grant),
        user,
        revoked,
        revoked,
        http_response(status=500),
        http_response(grant),
    ]
    with RecordingServer(responses) as service:
        assert cli.main(["demo", "--host", service.url]) == cli.REFUSED
    checked = summary(capsys.readouterr().out)
    assert {check for check, result in checked.items() if result == "FAILED"} >= {
        "get_token_info returns the user of the token",
        "get_token_by_refresh returns another token",
        "GET /v1/user/{id} accepts the token of the code grant",
        "revoke_access_token revokes the token",
        "a token cannot be revoked twice",
        "a revoked token is invalid",
    }


def test_invalid_host_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["demo", "--host", "nowhere"]) == cli.USAGE
    assert capsys.readouterr().err.startswith("Configuration.host 'nowhere'")


def test_demo_fails_if_the_host_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("BLUEJEANS_MEETING_ID", "1")
    assert cli.main(["demo", "--host", f"http://127.0.0.1:{port}"]) == cli.REFUSED
    assert "cannot connect to" in capsys.readouterr().out


def test_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["dance"])
    assert ended.value.code == cli.USAGE
    assert "dance" in capsys.readouterr().err


def test_closed_pipe_prints_no_traceback() -> None:
    command = f"{sys.executable} -m BlueJeansMeetingsRestApi demo | head -n 1"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    assert ended.stdout.startswith("A sandbox of the service runs at ")


@pytest.fixture
def sandbox() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "BlueJeansMeetingsRestApi", "sandbox", "--port", "0", "--tls"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_sandbox_command_runs_until_it_is_interrupted(sandbox: subprocess.Popen[str]) -> None:
    assert sandbox.stdout is not None
    assert "this machine only: https://127.0.0.1:" in sandbox.stdout.readline()
    for line in sandbox.stdout:
        if line.endswith("Requests:\n"):
            break
    os.kill(sandbox.pid, signal.SIGINT)
    assert (sandbox.communicate()[1], sandbox.returncode) == ("", 0)
