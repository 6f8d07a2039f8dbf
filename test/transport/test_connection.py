"""Connect to the service, and send requests over the connection."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest
import urllib3
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.transport.deadline import Attempt, Limits
from BlueJeansMeetingsRestApi.transport.pool import Pool
from BlueJeansMeetingsRestApi.transport.settings import ConnectionSettings
from support.recording_server import RecordingServer, drip, http_response, never_respond, unused_port

LONG = 600.0
SHORT = 0.1


def attempt(seconds: float = LONG, connect: float = LONG) -> Attempt:
    return Attempt(Limits(connect, LONG, monotonic() + seconds))


class TestConnecting:
    @pytest.fixture
    def connect(self) -> Iterator[Callable[..., Any]]:
        """A function that connects to a URL and returns the connection."""
        connections = []

        def connect(url: str, attempt: Attempt) -> Any:
            pool: Any = Pool(ConnectionSettings(trust_env=False), url, 1)._pool
            connections.append(pool.ConnectionCls(pool.host, pool.port, **pool.conn_kw))
            connections[-1].timeout = attempt.connect_timeout
            connections[-1].connect()
            return connections[-1]

        yield connect
        for connection in connections:
            connection.close()

    @pytest.fixture
    def server(self) -> Iterator[RecordingServer]:
        with RecordingServer([http_response()]) as server:
            yield server

    @pytest.fixture
    def at(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
        """The URL of a host that has those ports of this machine as its addresses."""

        def at(*ports: int) -> str:
            found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in ports]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
            return "http://several.example"

        return at

    def test_handshake_gets_the_rest_of_the_time_to_connect(
        self, connect: Callable[..., Any], server: RecordingServer
    ) -> None:
        connection = connect(server.url, attempt(connect=30))
        assert 0 < connection.sock.gettimeout() <= 30

    def test_connecting_ends_with_the_call(self, connect: Callable[..., Any], server: RecordingServer) -> None:
        one = attempt(20)
        end = one.deadline
        connection = connect(server.url, one)
        assert 0 < connection.sock.gettimeout() <= 20
        assert one.deadline == end

    def test_socket_options_of_urllib3_are_set(self, connect: Callable[..., Any], server: RecordingServer) -> None:
        connection = connect(server.url, attempt())
        assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def test_next_address_is_tried_after_one_that_refuses(
        self, connect: Callable[..., Any], at: Callable[..., str], server: RecordingServer
    ) -> None:
        connection = connect(at(unused_port(), unused_port(), server.port), attempt())
        assert connection.sock.getpeername() == ("127.0.0.1", server.port)

    def test_first_address_that_accepts_is_used(
        self, connect: Callable[..., Any], at: Callable[..., str], server: RecordingServer
    ) -> None:
        connection = connect(at(server.port, unused_port()), attempt())
        assert connection.sock.getpeername() == ("127.0.0.1", server.port)

    def test_silent_address_leaves_time_for_the_next_one(
        self, connect: Callable[..., Any], at: Callable[..., str], server: RecordingServer, full_backlog: str
    ) -> None:
        connection = connect(at(int(full_backlog.rpartition(":")[2]), server.port), attempt(connect=1))
        assert connection.sock.getpeername() == ("127.0.0.1", server.port)
        # Connecting to this machine takes only a moment of the half that is left.
        assert connection.sock.gettimeout() > SHORT

    def test_no_address_that_accepts_is_an_error(self, connect: Callable[..., Any], at: Callable[..., str]) -> None:
        with pytest.raises(NewConnectionError, match="no connection") as caught:
            connect(at(unused_port(), unused_port()), attempt())
        assert isinstance(caught.value.__cause__, ConnectionRefusedError)

    def test_connecting_without_a_response_times_out(self, connect: Callable[..., Any], full_backlog: str) -> None:
        with pytest.raises(ConnectTimeoutError, match="timed out"):
            connect(full_backlog, attempt(connect=SHORT))

    def test_connecting_ends_at_the_deadline_of_the_call(self, connect: Callable[..., Any], full_backlog: str) -> None:
        with pytest.raises(ConnectTimeoutError, match="timed out"):
            connect(full_backlog, attempt(SHORT))

    def test_tls_handshake_without_a_response_times_out(self, connect: Callable[..., Any]) -> None:
        with (
            RecordingServer([never_respond], accept_invalid_http=True) as silent,
            pytest.raises(OSError, match="timed out"),
        ):
            connect(f"https://127.0.0.1:{silent.port}", attempt(connect=SHORT))

    def test_slow_response_to_connect_times_out(self) -> None:
        configuration = bluejeans.Configuration()
        configuration.host, configuration.connect_timeout, configuration.max_attempts = "https://a.example", SHORT, 1
        with RecordingServer([drip(b"HTTP/1.1 200 OK\r\nX: ")]) as proxy, bluejeans.ApiClient(configuration) as client:
            configuration.proxy = proxy.url
            with pytest.raises(bluejeans.ApiProxyError, match="timed out"):
                client.call_api("/", "GET")


class TestSupportedUrllib3:
    """A urllib3 that does not connect through `_new_conn` would ignore the deadline."""

    @pytest.fixture
    def configuration(self, monkeypatch: pytest.MonkeyPatch) -> bluejeans.Configuration:
        from BlueJeansMeetingsRestApi.transport import pool

        for cls in pool._pool_classes().values():
            connection, base = cls.ConnectionCls, cls.ConnectionCls.__mro__[2]
            # As if urllib3 called its own method by another name.
            monkeypatch.setattr(connection, "_new_conn", base._new_conn)
        configuration = bluejeans.Configuration()
        configuration.connect_timeout = configuration.read_timeout = 30
        return configuration

    @pytest.mark.parametrize("scheme", ["http", "https"])
    @pytest.mark.parametrize("through_proxy", [False, True])
    def test_connection_without_our_hook_sends_no_byte(
        self, configuration: bluejeans.Configuration, scheme: str, through_proxy: bool
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening, bluejeans.ApiClient(configuration) as client:
            port = listening.getsockname()[1]
            configuration.host = f"{scheme}://127.0.0.1:{port}"
            if through_proxy:
                configuration.host, configuration.proxy = f"{scheme}://127.0.0.1:9", f"http://127.0.0.1:{port}"
            with pytest.raises(bluejeans.ApiConnectionError, match="does not connect through `_new_conn`") as caught:
                client.call_api("/", "GET")
            connection, _ = listening.accept()
            with connection:
                assert connection.recv(1) == b""
            listening.settimeout(0)
            with pytest.raises(BlockingIOError):
                listening.accept()
        assert (caught.value.attempts, caught.value.retryable) == (1, False)

    def test_urllib3_without_the_hook_is_refused(self) -> None:
        from BlueJeansMeetingsRestApi.transport.connection import connection_class
        from BlueJeansMeetingsRestApi.transport.deadline import UnsupportedUrllib3Error

        class Renamed:
            __module__ = "urllib3.connection"

        class RenamedPool:
            ConnectionCls = Renamed

        with pytest.raises(UnsupportedUrllib3Error, match=f"^urllib3 {urllib3.__version__} does not connect"):  # type: ignore[attr-defined]
            connection_class(RenamedPool)


def test_host_name_with_a_final_dot_is_looked_up_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    look_up = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **options: Any) -> Any:
        names.append(host)
        return look_up("127.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    configuration = bluejeans.Configuration()
    configuration.trust_env, configuration.allow_insecure_host = False, True
    with RecordingServer([http_response()]) as server, bluejeans.ApiClient(configuration) as client:
        configuration.host = f"http://a.example.:{server.port}"
        client.call_api("/", "GET")
    assert names[0] == "a.example."
    assert server.requests[0].headers["host"] == f"a.example:{server.port}"
