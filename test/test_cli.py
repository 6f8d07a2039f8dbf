"""The command `bluejeans-auth`, run as a person runs it."""

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
    """What was checked, and whether it held, from the last lines of the demo."""
    return {what: held for held, what in re.findall(r"^  (ok|FAILED) +(.*)$", output, re.M)}


class TestDemo:
    def test_calls_all_eight_operations_and_checks_each(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["demo"]) == 0
        output = capsys.readouterr().out
        checked = summary(output)
        assert set(checked.values()) == {"ok"}
        assert {what.split()[0] for what in checked} >= EIGHT
        assert f"Checked, {len(checked)} of {len(checked)} held:" in output

    def test_shows_each_request_with_its_status_and_no_secret(self, capsys: pytest.CaptureFixture[str]) -> None:
        cli.main(["demo"])
        output = capsys.readouterr().out
        requests = re.findall(r"^  ([A-Z]+) http://127\.0\.0\.1:\d+(\S+) -> (\d+) in \d+ ms$", output, re.M)
        assert requests == [
            ("GET", "/oauth2/authorize", "200"),
            ("POST", "/oauth2/token?Code", "200"),
            ("GET", "/oauth2/tokenInfo", "200"),
            ("POST", "/oauth2/token?Refresh", "200"),
            ("GET", "/v1/user/1442589", "200"),
            ("DELETE", "/oauth2/token?Revoke", "204"),
            ("DELETE", "/oauth2/token?Revoke", "400"),
            ("GET", "/oauth2/tokenInfo", "401"),
            ("POST", "/oauth2/token?Client", "200"),
            ("POST", "/oauth2/token?Password", "200"),
            ("GET", "/v1/user/1442589", "200"),
            ("POST", "/oauth2/token?Meeting", "200"),
        ]
        sandbox = Sandbox()
        assert not [s for s in (sandbox.client_secret, sandbox.password) if s in output]
        assert not re.search(r"'(access|refresh)_token': '[^*']", output)

    def test_against_a_host_it_uses_what_the_environment_has(
        self, bluejeans_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name, value in sandbox_environment.environment(bluejeans_sandbox).items():
            monkeypatch.setenv(name, value)
        assert cli.main(["demo", "--host", bluejeans_sandbox.url]) == 0
        assert {what.split()[0] for what in summary(capsys.readouterr().out)} >= EIGHT

    def test_and_leaves_out_what_it_has_no_credentials_for(
        self, bluejeans_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("BLUEJEANS_CLIENT_ID", bluejeans_sandbox.client_id)
        monkeypatch.setenv("BLUEJEANS_CLIENT_SECRET", bluejeans_sandbox.client_secret)
        assert cli.main(["demo", "--host", bluejeans_sandbox.url]) == 0
        output = capsys.readouterr().out
        assert list(summary(output)) == ["get_token_by_client gives a token for the enterprise"]
        assert "left out, for want of BLUEJEANS_USERNAME, BLUEJEANS_PASSWORD" in output

    def test_without_a_code_its_exchange_is_left_out(
        self, bluejeans_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name, value in sandbox_environment.environment(bluejeans_sandbox).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("BLUEJEANS_CODE")
        assert cli.main(["demo", "--host", bluejeans_sandbox.url]) == 0
        assert "left out, for want of BLUEJEANS_CODE" in capsys.readouterr().out

    def test_with_no_credentials_it_says_which_it_takes(
        self, bluejeans_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(["demo", "--host", bluejeans_sandbox.url]) == cli.USAGE
        assert "BLUEJEANS_CLIENT_ID" in capsys.readouterr().err

    @pytest.mark.parametrize("wrong", ["BLUEJEANS_CLIENT_SECRET", "BLUEJEANS_CODE", "BLUEJEANS_PASSWORD"])
    def test_what_the_service_refuses_has_failed(
        self,
        bluejeans_sandbox: Sandbox,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        wrong: str,
    ) -> None:
        for name, value in sandbox_environment.environment(bluejeans_sandbox).items():
            monkeypatch.setenv(name, "wrong" if name == wrong else value)
        assert cli.main(["demo", "--host", bluejeans_sandbox.url]) == cli.REFUSED
        assert "FAILED" in summary(capsys.readouterr().out).values()

    def test_a_service_that_forgets_its_own_rules_is_found_out(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        grant = {"access_token": "same", "refresh_token": "r", "expires_in": 1, "scope": {"user": 1, "enterprise": "2"}}
        for name in demo.VARIABLES:
            monkeypatch.setenv(name, "x")
        page, info = http_response({}), http_response({"user": 2})
        user, revoked = http_response({"id": 3}), http_response(status=200)
        answers = [
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
        with RecordingServer(answers) as service:
            assert cli.main(["demo", "--host", service.url]) == cli.REFUSED
        checked = summary(capsys.readouterr().out)
        assert {what for what, held in checked.items() if held == "FAILED"} >= {
            "get_token_info knows the token and whose it is",
            "get_token_by_refresh gives another token",
            "GET /v1/user/{id} takes the token of the code grant",
            "revoke_access_token takes the token back",
            "a token is not revoked twice",
            "a revoked token is not valid",
        }


class TestExit:
    def test_a_host_that_is_none_is_usage(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["demo", "--host", "nowhere"]) == cli.USAGE
        assert capsys.readouterr().err.startswith("Configuration.host 'nowhere'")

    def test_a_host_that_cannot_be_reached_has_failed(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        monkeypatch.setenv("BLUEJEANS_MEETING_ID", "1")
        assert cli.main(["demo", "--host", f"http://127.0.0.1:{port}"]) == cli.REFUSED
        assert "cannot connect to" in capsys.readouterr().out

    def test_an_unknown_command_is_usage(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            cli.main(["dance"])
        assert ended.value.code == cli.USAGE
        assert "dance" in capsys.readouterr().err

    def test_a_reader_that_went_away_is_no_traceback(self) -> None:
        command = f"{sys.executable} -m BlueJeansMeetingsRestApi demo | head -n 1"
        ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert ended.stderr == ""
        assert ended.stdout.startswith("A sandbox of the service runs at ")


class TestSandbox:
    @pytest.fixture
    def sandbox(self) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "BlueJeansMeetingsRestApi", "sandbox", "--port", "0", "--tls"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            yield process
            process.kill()

    def test_runs_until_it_is_interrupted(self, sandbox: subprocess.Popen[str]) -> None:
        assert sandbox.stdout is not None
        assert "this machine only: https://127.0.0.1:" in sandbox.stdout.readline()
        for line in sandbox.stdout:
            if "What it is asked" in line:
                break
        os.kill(sandbox.pid, signal.SIGINT)
        assert (sandbox.communicate()[1], sandbox.returncode) == ("", 0)
