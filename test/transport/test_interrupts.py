"""Ctrl-C interrupts a call at each of its steps, and in each wait that the system does not interrupt."""

from __future__ import annotations

import _thread
import multiprocessing
import socket
import ssl
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
import trustme

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.transport import connect, deadline
from support.interrupts import interrupted_everywhere
from support.recording_server import RecordingServer, http_response

# Longer than any test may take: a wait of this length that is not interrupted makes its test fail.
LONG = 600.0


@pytest.mark.parametrize("statuses", [[200], [503, 200], [401]], ids=str)
def test_ctrl_c_ends_a_call_at_each_of_its_steps(statuses: list[int]) -> None:
    # In a separate process, because Ctrl-C just before the release of a lock leaves it locked.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        steps = process.submit(interrupted_everywhere, statuses).result()
    assert [where for where, ended in steps if not ended] == []
    assert len(steps) > 300


class TestShortWaits:
    """`interrupt_main` is like Ctrl-C on Windows: it does not end a wait, and is noticed only between waits."""

    @pytest.fixture(autouse=True)
    def short_waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deadline, "LONGEST_WAIT", 0.02)

    @pytest.fixture
    def configuration(self) -> bluejeans.Configuration:
        configuration = bluejeans.Configuration()
        configuration.connect_timeout = configuration.read_timeout = configuration.call_timeout = LONG
        configuration.max_attempts = 2
        return configuration

    def interrupted(self, configuration: bluejeans.Configuration, started: threading.Event, **call: Any) -> None:
        """Make a call that waits, and interrupt it once `started` is set and its wait has begun."""
        ended = threading.Event()

        def interrupt() -> None:
            started.wait()
            ended.wait(0.1)  # until the wait has begun
            _thread.interrupt_main()

        thread = threading.Thread(target=interrupt, daemon=True)
        with bluejeans.ApiClient(configuration) as client:
            thread.start()
            with pytest.raises(KeyboardInterrupt):
                client.call_api("/", **{"method": "GET", **call})
            ended.set()
            thread.join()

    def waiting_server(self, **settings: Any) -> tuple[RecordingServer, threading.Event]:
        """Return a server that never responds, and what it sets when it has received something."""
        received = threading.Event()

        def wait(connection: socket.socket) -> None:
            received.set()
            threading.Event().wait(LONG)

        return RecordingServer([wait], **settings), received

    def test_wait_for_a_response_is_interrupted(self, configuration: bluejeans.Configuration) -> None:
        server, received = self.waiting_server()
        with server:
            configuration.host = server.url
            self.interrupted(configuration, received)

    def test_wait_for_the_tls_handshake_is_interrupted(self, configuration: bluejeans.Configuration) -> None:
        server, received = self.waiting_server(accept_invalid_http=True)
        with server:
            configuration.host = f"https://127.0.0.1:{server.port}"
            self.interrupted(configuration, received)

    def test_wait_for_the_response_to_connect_is_interrupted(self, configuration: bluejeans.Configuration) -> None:
        server, received = self.waiting_server()
        with server:
            configuration.host, configuration.proxy = "https://a.example", server.url
            self.interrupted(configuration, received)

    def test_wait_for_a_tls_response_is_interrupted(
        self, configuration: bluejeans.Configuration, tmp_path: Any
    ) -> None:
        authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        server, received = self.waiting_server(tls=context)
        with server:
            configuration.host, configuration.ssl_ca_cert = server.url, str(tmp_path / "ca.pem")
            self.interrupted(configuration, received)

    def test_wait_for_a_connection_is_interrupted(
        self, configuration: bluejeans.Configuration, full_backlog: str
    ) -> None:
        started = threading.Event()
        started.set()
        configuration.host = full_backlog
        self.interrupted(configuration, started)

    def test_wait_for_a_server_that_does_not_read_is_interrupted(self, configuration: bluejeans.Configuration) -> None:
        accepted, connections = threading.Event(), list[socket.socket]()

        def accept() -> None:
            connections.append(listening.accept()[0])
            accepted.set()

        with socket.create_server(("127.0.0.1", 0)) as listening:
            configuration.host = f"http://127.0.0.1:{listening.getsockname()[1]}"
            accepting = threading.Thread(target=accept)
            accepting.start()
            body, headers = bytes(50_000_000), {"Content-Type": "application/octet-stream"}
            self.interrupted(configuration, accepted, method="POST", body=body, header_params=headers)
            accepting.join()
        connections[0].close()

    def test_pause_before_a_retry_is_interrupted(self, configuration: bluejeans.Configuration) -> None:
        responded = threading.Event()

        def respond(connection: socket.socket) -> None:
            connection.sendall(http_response(status=503, Retry_After="500"))
            responded.set()

        with RecordingServer([respond]) as server:
            configuration.host = server.url
            self.interrupted(configuration, responded)

    def test_wait_for_dns_is_interrupted(
        self, configuration: bluejeans.Configuration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked, responded = threading.Event(), threading.Event()
        look_up = socket.getaddrinfo

        def getaddrinfo(*args: Any, **options: Any) -> Any:
            if options.get("flags") != socket.AI_NUMERICHOST:
                asked.set()
                responded.wait()
            return look_up(*args, **options)

        monkeypatch.setattr(connect.socket, "getaddrinfo", getaddrinfo)
        configuration.host = "https://slow.example"
        self.interrupted(configuration, asked)
        responded.set()

    def test_response_that_takes_longer_than_a_wait_is_returned(self, configuration: bluejeans.Configuration) -> None:
        def respond(connection: socket.socket) -> None:
            for part in (b"HTTP/1.1 200 OK\r\nContent-", b"Length: 2\r\n\r\n", b"4", b"2"):
                threading.Event().wait(0.05)
                connection.sendall(part)

        with RecordingServer([respond]) as server, bluejeans.ApiClient(configuration) as client:
            configuration.host = server.url
            assert client.call_api("/", "GET", response_type="int")[0] == 42

    def test_large_request_over_tls_arrives_as_it_was_sent(
        self, configuration: bluejeans.Configuration, tmp_path: Any
    ) -> None:
        authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        with RecordingServer([http_response()], tls=context) as server, bluejeans.ApiClient(configuration) as client:
            configuration.host, configuration.ssl_ca_cert = server.url, str(tmp_path / "ca.pem")
            content = bytes(range(256)) * 8000
            client.call_api("/", "POST", body=content, header_params={"Content-Type": "x/y"})
            assert server.requests[0].body == content


@pytest.mark.skipif(sys.platform == "win32", reason="Windows up to Python 3.13 needs short waits")
def test_waits_are_not_divided_on_systems_that_interrupt_them() -> None:
    assert float("inf") == deadline.LONGEST_WAIT
