"""The lifecycle of the sandbox: its sockets, threads, processes, journal and command line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import urllib3

from BlueJeansMeetingsRestApi.sandbox import Accounts, Sandbox

MODES = {
    "in process": {},
    "in process, TLS": {"tls": True},
    "child": {"process": True},
    "child, TLS": {"process": True, "tls": True},
}


@pytest.fixture(params=MODES)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(**MODES[request.param]) as sandbox:
        yield sandbox


@pytest.fixture
def in_process() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def http(request: pytest.FixtureRequest) -> Iterator[urllib3.PoolManager]:
    sandbox = request.getfixturevalue("in_process" if "in_process" in request.fixturenames else "sandbox")
    manager = urllib3.PoolManager(ca_certs=sandbox.ca_cert, cert_reqs="CERT_REQUIRED", retries=False)
    yield manager
    manager.clear()


def sign_in(http: urllib3.PoolManager, sandbox: Sandbox) -> urllib3.BaseHTTPResponse:
    body = {"grant_type": "password", "username": sandbox.username, "password": sandbox.password}
    headers = {"Content-Type": "application/json"}
    return http.request("POST", f"{sandbox.url}/oauth2/token", body=json.dumps(body), headers=headers)


def port_number(sandbox: Sandbox) -> int:
    return int(sandbox.url.rpartition(":")[2])


class TestInEveryMode:
    def test_sandbox_responds_over_a_socket_in_every_mode(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        assert sign_in(http, sandbox).status == 200

    def test_journal_records_requests_without_secrets(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        token = json.loads(sign_in(http, sandbox).data)["access_token"]
        http.request("GET", f"{sandbox.url}/oauth2/tokenInfo?access_token={token}")
        first, second = sandbox.requests
        assert (first.method, first.path, first.grant, first.status) == ("POST", "/oauth2/token", "password", 200)
        assert first.request == {"grant_type": "password", "username": sandbox.username, "password": "***"}
        assert first.response["access_token"] == "***"
        assert (second.path, second.grant) == ("/oauth2/tokenInfo?access_token=***", None)
        assert token not in f"{sandbox.requests!r} {first} {second}"

    def test_journal_hides_a_passcode_sent_as_an_integer(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        body = {"grant_type": "meeting_passcode", "meetingNumericId": 1, "meetingPasscode": 3691}
        http.request("POST", f"{sandbox.url}/oauth2/token", body=json.dumps(body))
        (recorded,) = sandbox.requests
        assert recorded.request["meetingPasscode"] == "***"
        assert recorded.response["code"] == 401

    def test_reset_clears_tokens_requests_and_faults(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        token = json.loads(sign_in(http, sandbox).data)["access_token"]
        sandbox.fail_next(5)
        sandbox.reset()
        assert sandbox.requests == []
        assert http.request("GET", f"{sandbox.url}/oauth2/tokenInfo?access_token={token}").status == 401

    def test_fail_next_sends_the_given_number_of_errors(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        sandbox.fail_next(2, status=429, message="Too many.", headers={"Retry-After": "7"})
        refused = sign_in(http, sandbox)
        assert (refused.status, refused.headers["Retry-After"]) == (429, "7")
        assert json.loads(refused.data) == {"code": 429, "message": "Too many."}
        assert [sign_in(http, sandbox).status for _ in range(2)] == [429, 200]

    def test_fail_next_with_drop_closes_the_connection_without_a_response(
        self, sandbox: Sandbox, http: urllib3.PoolManager
    ) -> None:
        sandbox.fail_next(drop=True)
        with pytest.raises(urllib3.exceptions.HTTPError):
            sign_in(http, sandbox)
        assert sign_in(http, sandbox).status == 200

    def test_advance_expires_tokens(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        token = json.loads(sign_in(http, sandbox).data)["access_token"]
        sandbox.advance(1209600)
        assert http.request("GET", f"{sandbox.url}/oauth2/tokenInfo?access_token={token}").status == 401

    def test_sandbox_serves_64_clients_at_once(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        barrier = threading.Barrier(64)

        def client(_: int) -> int:
            with urllib3.PoolManager(ca_certs=sandbox.ca_cert, retries=False) as own:
                barrier.wait()
                return sign_in(own, sandbox).status

        with ThreadPoolExecutor(64) as clients:
            assert list(clients.map(client, range(64))) == [200] * 64

    def test_close_does_not_wait_for_keep_alive_connections(self, http: urllib3.PoolManager, sandbox: Sandbox) -> None:
        sign_in(http, sandbox)
        sandbox.close()
        with pytest.raises(urllib3.exceptions.HTTPError):
            sign_in(http, sandbox)


class TestConnections:
    def test_connection_is_reused_for_the_next_request(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        for _ in range(3):
            sign_in(http, sandbox)
        assert http.connection_from_url(sandbox.url).num_connections == 1

    def test_connection_is_reused_after_an_unread_body(self, in_process: Sandbox, http: urllib3.PoolManager) -> None:
        for _ in range(2):
            assert http.request("POST", f"{in_process.url}/nothing", body=b"x" * 100000).status == 404
        assert http.connection_from_url(in_process.url).num_connections == 1

    def test_connection_is_closed_after_a_body_of_unknown_length(
        self, in_process: Sandbox, http: urllib3.PoolManager
    ) -> None:
        response = http.request("POST", f"{in_process.url}/nothing", body=iter([b"x"]))
        assert (response.status, response.headers["Connection"]) == (404, "close")

    @pytest.mark.parametrize(
        "sent", [b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"no request line at all\r\n\r\n"]
    )
    def test_invalid_http_request_returns_a_400_in_the_service_format(self, in_process: Sandbox, sent: bytes) -> None:
        with socket.create_connection(("127.0.0.1", port_number(in_process))) as connection:
            connection.sendall(sent)
            response = connection.makefile("rb").read()
        assert response.endswith(b'{"code": 400, "message": "Bad Request."}')


class TestStart:
    def test_sandbox_listens_only_on_loopback(self, in_process: Sandbox) -> None:
        assert in_process.url.startswith("http://127.0.0.1:")

    def test_sandbox_can_restart_on_the_same_port(self, in_process: Sandbox, http: urllib3.PoolManager) -> None:
        sign_in(http, in_process)
        in_process.close()
        with Sandbox(port_number(in_process)) as again:
            assert again.url == in_process.url

    @pytest.mark.parametrize("process", [False, True])
    def test_start_raises_os_error_if_the_port_is_in_use(
        self, in_process: Sandbox, process: bool, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(OSError, match="did not start" if process else "in use"):
            Sandbox(port_number(in_process), process=process).start()

    def test_second_start_has_no_effect(self, in_process: Sandbox) -> None:
        url = in_process.url
        assert in_process.start().url == url

    def test_second_close_has_no_effect(self, in_process: Sandbox) -> None:
        in_process.close()
        in_process.close()

    def test_control_of_a_stopped_sandbox_raises_runtime_error(self) -> None:
        with pytest.raises(RuntimeError, match="not running"):
            Sandbox().reset()

    def test_repr_of_the_sandbox_shows_no_secret(self, in_process: Sandbox) -> None:
        assert repr(in_process) == f"<Sandbox at {in_process.url}>"
        assert "not started" in repr(Sandbox())

    def test_accounts_parameter_changes_the_password(self) -> None:
        with Sandbox(accounts=Accounts(password="another")) as sandbox:
            assert sandbox.password == "another"
            with urllib3.PoolManager() as http:
                assert sign_in(http, sandbox).status == 200

    def test_close_stops_every_thread(self) -> None:
        before = set(threading.enumerate())
        with Sandbox() as sandbox, urllib3.PoolManager() as http:
            sign_in(http, sandbox)
            sandbox.close()
            assert set(threading.enumerate()) <= before  # Unrelated threads may have exited.

    def test_close_waits_for_the_child_process(self) -> None:
        with Sandbox(process=True) as sandbox:
            child = sandbox._running._process  # type: ignore[union-attr]
        assert child.returncode == 0

    def test_missing_sandbox_extra_raises_an_error_with_the_pip_command(self) -> None:
        program = (
            "import sys; sys.modules['flask'] = None\n"
            "from BlueJeansMeetingsRestApi.sandbox import Sandbox\n"
            "Sandbox().start()"
        )
        finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert 'pip install "BlueJeansMeetingsRestApi[sandbox]"' in finished.stderr


class TestTLS:
    def test_tls_sandbox_is_not_trusted_without_its_ca(self) -> None:
        with Sandbox(tls=True) as sandbox, pytest.raises(urllib3.exceptions.SSLError):
            urllib3.PoolManager(retries=False).request("GET", sandbox.url)

    def test_silent_tls_client_blocks_neither_other_clients_nor_close(self) -> None:
        silent = socket.socket()
        before = set(threading.enumerate())
        with silent, Sandbox(tls=True) as sandbox, urllib3.PoolManager(ca_certs=sandbox.ca_cert) as http:
            silent.connect(("127.0.0.1", port_number(sandbox)))
            assert sign_in(http, sandbox).status == 200
            sandbox.close()
            assert set(threading.enumerate()) <= before  # Unrelated threads may have exited.

    def test_close_deletes_the_ca_file(self) -> None:
        with Sandbox(tls=True) as sandbox:
            ca_file = Path(str(sandbox.ca_cert))
            assert ca_file.exists()
        assert not ca_file.exists()


class TestControls:
    def test_fail_next_with_delay_sends_a_late_response(self, in_process: Sandbox, http: urllib3.PoolManager) -> None:
        in_process.fail_next(status=200, body="late", delay=0.01)
        assert sign_in(http, in_process).data == b"late"

    def test_controls_refuse_a_form_of_a_web_page(self, in_process: Sandbox, http: urllib3.PoolManager) -> None:
        form = http.request("POST", f"{in_process.url}/sandbox/reset", fields={"x": "y"}, encode_multipart=False)
        assert form.status == 415

    def test_unknown_control_returns_404(self, in_process: Sandbox, http: urllib3.PoolManager) -> None:
        headers = {"Content-Type": "application/json"}
        assert http.request("POST", f"{in_process.url}/sandbox/close", body="{}", headers=headers).status == 404

    def test_internal_error_of_the_sandbox_returns_a_500(self) -> None:
        def stopped() -> float:
            raise LookupError

        with Sandbox(clock=stopped) as sandbox, urllib3.PoolManager(retries=False) as http:
            response = sign_in(http, sandbox)
            assert json.loads(response.data) == {"code": 500, "message": "The sandbox failed with an internal error."}


class TestTerminal:
    @pytest.fixture
    def terminal(self) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "BlueJeansMeetingsRestApi.sandbox", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            yield process
            process.kill()

    def test_command_prints_its_url_its_accounts_and_each_request(self, terminal: subprocess.Popen[str]) -> None:
        assert terminal.stdout is not None
        lines = iter(terminal.stdout.readline, "")
        exported = dict(line[len("export ") :].strip().split("=", 1) for line in lines_until(lines, "Requests:"))
        assert exported["BLUEJEANS_HOST"].startswith("http://127.0.0.1:")
        assert {"BLUEJEANS_CLIENT_ID", "BLUEJEANS_CLIENT_SECRET", "BLUEJEANS_USERNAME"} <= set(exported)
        next(lines)
        body = f'{{"grant_type": "password", "username": "x", "password": "{exported["BLUEJEANS_PASSWORD"]}"}}'
        with urllib3.PoolManager() as http:
            headers = {"Content-Type": "application/json"}
            http.request("POST", f"{exported['BLUEJEANS_HOST']}/oauth2/token?Password", body=body, headers=headers)
        line = next(lines)
        assert "POST /oauth2/token?Password password -> 401 in " in line
        assert exported["BLUEJEANS_PASSWORD"] not in line

    @pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
    def test_command_exits_with_status_0_on_a_signal(
        self, terminal: subprocess.Popen[str], signal_number: signal.Signals
    ) -> None:
        assert terminal.stdout is not None
        list(lines_until(iter(terminal.stdout.readline, ""), "Requests:"))
        terminal.send_signal(signal_number)
        _, errors = terminal.communicate()
        assert (terminal.returncode, errors) == (0, "")

    def test_command_reports_a_port_in_use_in_one_line(self, in_process: Sandbox) -> None:
        command = [sys.executable, "-m", "BlueJeansMeetingsRestApi.sandbox", "--port", str(port_number(in_process))]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        assert finished.returncode == 2
        assert finished.stderr.startswith(f"The sandbox cannot listen on port {port_number(in_process)}: ")
        assert finished.stderr.count("\n") == 1

    def test_command_with_tls_prints_the_path_of_its_ca_file(self) -> None:
        command = [sys.executable, "-m", "BlueJeansMeetingsRestApi.sandbox", "--port", "0", "--tls"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            ca_file = process.stdout.readline().rpartition(": ")[2].strip()
            assert os.path.exists(ca_file)
            process.send_signal(signal.SIGTERM)


def lines_until(lines: Iterator[str], word: str) -> Iterator[str]:
    """Yield the export lines before the line that contains `word`."""
    for line in lines:
        if word in line:
            return
        if line.startswith("export "):
            yield line
