"""The sandbox as a thing that runs: its sockets, its threads and processes, what it saw, and what it is told to do."""

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
def here() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def http(request: pytest.FixtureRequest) -> Iterator[urllib3.PoolManager]:
    sandbox = request.getfixturevalue("here" if "here" in request.fixturenames else "sandbox")
    manager = urllib3.PoolManager(ca_certs=sandbox.ca_cert, cert_reqs="CERT_REQUIRED", retries=False)
    yield manager
    manager.clear()


def sign_in(http: urllib3.PoolManager, sandbox: Sandbox) -> urllib3.BaseHTTPResponse:
    body = {"grant_type": "password", "username": sandbox.username, "password": sandbox.password}
    headers = {"Content-Type": "application/json"}
    return http.request("POST", f"{sandbox.url}/oauth2/token", body=json.dumps(body), headers=headers)


def port_of(sandbox: Sandbox) -> int:
    return int(sandbox.url.rpartition(":")[2])


class TestInEveryMode:
    def test_answers_over_a_socket(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        assert sign_in(http, sandbox).status == 200

    def test_tells_what_it_saw_without_secrets(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        token = json.loads(sign_in(http, sandbox).data)["access_token"]
        http.request("GET", f"{sandbox.url}/oauth2/tokenInfo?access_token={token}")
        first, second = sandbox.requests
        assert (first.method, first.path, first.grant, first.status) == ("POST", "/oauth2/token", "password", 200)
        assert first.request == {"grant_type": "password", "username": sandbox.username, "password": "***"}
        assert first.response["access_token"] == "***"
        assert (second.path, second.grant) == ("/oauth2/tokenInfo?access_token=***", None)
        assert token not in f"{sandbox.requests!r} {first} {second}"

    def test_a_passcode_that_comes_as_a_number_does_not_show(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        body = {"grant_type": "meeting_passcode", "meetingNumericId": 1, "meetingPasscode": 3691}
        http.request("POST", f"{sandbox.url}/oauth2/token", body=json.dumps(body))
        (seen,) = sandbox.requests
        assert seen.request["meetingPasscode"] == "***"
        assert seen.response["code"] == 401

    def test_reset_forgets_tokens_requests_and_faults(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        token = json.loads(sign_in(http, sandbox).data)["access_token"]
        sandbox.fail_next(5)
        sandbox.reset()
        assert sandbox.requests == []
        assert http.request("GET", f"{sandbox.url}/oauth2/tokenInfo?access_token={token}").status == 401

    def test_fails_as_often_as_it_is_told(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        sandbox.fail_next(2, status=429, message="Too many.", headers={"Retry-After": "7"})
        refused = sign_in(http, sandbox)
        assert (refused.status, refused.headers["Retry-After"]) == (429, "7")
        assert json.loads(refused.data) == {"code": 429, "message": "Too many."}
        assert [sign_in(http, sandbox).status for _ in range(2)] == [429, 200]

    def test_drops_a_connection_without_an_answer(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        sandbox.fail_next(drop=True)
        with pytest.raises(urllib3.exceptions.HTTPError):
            sign_in(http, sandbox)
        assert sign_in(http, sandbox).status == 200

    def test_time_passes_as_it_is_told(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        token = json.loads(sign_in(http, sandbox).data)["access_token"]
        sandbox.advance(1209600)
        assert http.request("GET", f"{sandbox.url}/oauth2/tokenInfo?access_token={token}").status == 401

    def test_serves_64_clients_at_once(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        together = threading.Barrier(64)

        def client(_: int) -> int:
            with urllib3.PoolManager(ca_certs=sandbox.ca_cert, retries=False) as own:
                together.wait()
                return sign_in(own, sandbox).status

        with ThreadPoolExecutor(64) as clients:
            assert list(clients.map(client, range(64))) == [200] * 64

    def test_closes_although_clients_keep_their_connections(self, http: urllib3.PoolManager, sandbox: Sandbox) -> None:
        sign_in(http, sandbox)
        sandbox.close()
        with pytest.raises(urllib3.exceptions.HTTPError):
            sign_in(http, sandbox)


class TestConnections:
    def test_are_kept_for_the_next_request(self, sandbox: Sandbox, http: urllib3.PoolManager) -> None:
        for _ in range(3):
            sign_in(http, sandbox)
        assert http.connection_from_url(sandbox.url).num_connections == 1

    def test_are_kept_after_a_body_that_was_not_read(self, here: Sandbox, http: urllib3.PoolManager) -> None:
        for _ in range(2):
            assert http.request("POST", f"{here.url}/nothing", body=b"x" * 100000).status == 404
        assert http.connection_from_url(here.url).num_connections == 1

    def test_end_after_a_body_of_unknown_length(self, here: Sandbox, http: urllib3.PoolManager) -> None:
        answer = http.request("POST", f"{here.url}/nothing", body=iter([b"x"]))
        assert (answer.status, answer.headers["Connection"]) == (404, "close")

    @pytest.mark.parametrize(
        "sent", [b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"no request line at all\r\n\r\n"]
    )
    def test_what_is_no_http_is_refused_in_the_services_words(self, here: Sandbox, sent: bytes) -> None:
        with socket.create_connection(("127.0.0.1", port_of(here))) as connection:
            connection.sendall(sent)
            answer = connection.makefile("rb").read()
        assert answer.endswith(b'{"code": 400, "message": "Bad Request."}')


class TestStart:
    def test_is_on_loopback_only(self, here: Sandbox) -> None:
        assert here.url.startswith("http://127.0.0.1:")

    def test_again_on_the_same_port(self, here: Sandbox, http: urllib3.PoolManager) -> None:
        sign_in(http, here)
        here.close()
        with Sandbox(port_of(here)) as again:
            assert again.url == here.url

    @pytest.mark.parametrize("process", [False, True])
    def test_on_a_taken_port_is_an_error(self, here: Sandbox, process: bool, capfd: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(OSError, match="did not start" if process else "in use"):
            Sandbox(port_of(here), process=process).start()

    def test_twice_is_once(self, here: Sandbox) -> None:
        url = here.url
        assert here.start().url == url

    def test_close_twice_is_once(self, here: Sandbox) -> None:
        here.close()
        here.close()

    def test_what_needs_a_running_sandbox_says_so(self) -> None:
        with pytest.raises(RuntimeError, match="not running"):
            Sandbox().reset()

    def test_its_text_shows_no_secret(self, here: Sandbox) -> None:
        assert repr(here) == f"<Sandbox at {here.url}>"
        assert "not started" in repr(Sandbox())

    def test_the_accounts_can_be_others(self) -> None:
        with Sandbox(accounts=Accounts(password="another")) as sandbox:
            assert sandbox.password == "another"
            with urllib3.PoolManager() as http:
                assert sign_in(http, sandbox).status == 200

    def test_leaves_no_thread(self) -> None:
        before = set(threading.enumerate())
        with Sandbox() as sandbox, urllib3.PoolManager() as http:
            sign_in(http, sandbox)
            sandbox.close()
            assert set(threading.enumerate()) <= before  # others may have ended

    def test_leaves_no_child(self) -> None:
        with Sandbox(process=True) as sandbox:
            child = sandbox._running._process  # type: ignore[union-attr]
        assert child.returncode == 0

    def test_without_the_extra_says_how_to_install_it(self) -> None:
        program = (
            "import sys; sys.modules['flask'] = None\n"
            "from BlueJeansMeetingsRestApi.sandbox import Sandbox\n"
            "Sandbox().start()"
        )
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert 'pip install "BlueJeansMeetingsRestApi[sandbox]"' in ended.stderr


class TestTLS:
    def test_is_not_trusted_without_its_authority(self) -> None:
        with Sandbox(tls=True) as sandbox, pytest.raises(urllib3.exceptions.SSLError):
            urllib3.PoolManager(retries=False).request("GET", sandbox.url)

    def test_a_silent_client_keeps_neither_others_nor_the_end_waiting(self) -> None:
        silent = socket.socket()
        before = set(threading.enumerate())
        with silent, Sandbox(tls=True) as sandbox, urllib3.PoolManager(ca_certs=sandbox.ca_cert) as http:
            silent.connect(("127.0.0.1", port_of(sandbox)))
            assert sign_in(http, sandbox).status == 200
            sandbox.close()
            assert set(threading.enumerate()) <= before  # others may have ended

    def test_the_authoritys_file_goes_with_the_sandbox(self) -> None:
        with Sandbox(tls=True) as sandbox:
            authority = Path(str(sandbox.ca_cert))
            assert authority.exists()
        assert not authority.exists()


class TestControls:
    def test_a_delayed_answer_comes(self, here: Sandbox, http: urllib3.PoolManager) -> None:
        here.fail_next(status=200, body="late", delay=0.01)
        assert sign_in(http, here).data == b"late"

    def test_a_web_page_cannot_drive_them(self, here: Sandbox, http: urllib3.PoolManager) -> None:
        form = http.request("POST", f"{here.url}/sandbox/reset", fields={"x": "y"}, encode_multipart=False)
        assert form.status == 415

    def test_an_unknown_one_is_refused(self, here: Sandbox, http: urllib3.PoolManager) -> None:
        headers = {"Content-Type": "application/json"}
        assert http.request("POST", f"{here.url}/sandbox/close", body="{}", headers=headers).status == 404

    def test_a_failure_of_the_sandbox_itself_is_an_answer(self) -> None:
        def stopped() -> float:
            raise LookupError

        with Sandbox(clock=stopped) as sandbox, urllib3.PoolManager(retries=False) as http:
            answer = sign_in(http, sandbox)
            assert json.loads(answer.data) == {"code": 500, "message": "The sandbox itself failed."}


class TestTerminal:
    @pytest.fixture
    def terminal(self) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "BlueJeansMeetingsRestApi.sandbox", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            yield process
            process.kill()

    def test_says_its_address_accounts_and_each_request(self, terminal: subprocess.Popen[str]) -> None:
        assert terminal.stdout is not None
        lines = iter(terminal.stdout.readline, "")
        said = dict(line[len("export ") :].strip().split("=", 1) for line in lines_until(lines, "asked"))
        assert said["BLUEJEANS_HOST"].startswith("http://127.0.0.1:")
        assert {"BLUEJEANS_CLIENT_ID", "BLUEJEANS_CLIENT_SECRET", "BLUEJEANS_USERNAME"} <= set(said)
        next(lines)
        body = f'{{"grant_type": "password", "username": "x", "password": "{said["BLUEJEANS_PASSWORD"]}"}}'
        with urllib3.PoolManager() as http:
            headers = {"Content-Type": "application/json"}
            http.request("POST", f"{said['BLUEJEANS_HOST']}/oauth2/token?Password", body=body, headers=headers)
        seen = next(lines)
        assert "POST /oauth2/token?Password password -> 401 in " in seen
        assert said["BLUEJEANS_PASSWORD"] not in seen

    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
    def test_ends_cleanly(self, terminal: subprocess.Popen[str], how: signal.Signals) -> None:
        assert terminal.stdout is not None
        list(lines_until(iter(terminal.stdout.readline, ""), "asked"))
        terminal.send_signal(how)
        _, errors = terminal.communicate()
        assert (terminal.returncode, errors) == (0, "")

    def test_a_taken_port_is_told_in_one_line(self, here: Sandbox) -> None:
        command = [sys.executable, "-m", "BlueJeansMeetingsRestApi.sandbox", "--port", str(port_of(here))]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 2
        assert ended.stderr.startswith(f"The sandbox cannot listen on port {port_of(here)}: ")
        assert ended.stderr.count("\n") == 1

    def test_with_tls_says_where_its_authority_is(self) -> None:
        command = [sys.executable, "-m", "BlueJeansMeetingsRestApi.sandbox", "--port", "0", "--tls"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            authority = process.stdout.readline().rpartition(": ")[2].strip()
            assert os.path.exists(authority)
            process.send_signal(signal.SIGTERM)


def lines_until(lines: Iterator[str], word: str) -> Iterator[str]:
    """The export lines before the line with that word."""
    for line in lines:
        if word in line:
            return
        if line.startswith("export "):
            yield line
