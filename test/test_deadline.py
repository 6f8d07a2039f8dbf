"""A call's time: what settings and callers make it, and how each step on the way to the service keeps to it."""

from __future__ import annotations

import math
import multiprocessing
import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi import transport
from BlueJeansMeetingsRestApi.rest import Limits, RESTClientObject, _pause
from BlueJeansMeetingsRestApi.transport import Call, Service
from support.interrupted_calls import interrupted_everywhere
from support.recording_server import RecordingServer, drip, http_response, never_respond, reset, unused_port

GRANT = {"access_token": "a-token", "expires_in": 3600}
LONG = 60.0
SHORT = 0.1


def a_call(seconds: float = LONG, connect: float = LONG, read: float = LONG) -> Call:
    return Call(monotonic() + seconds, connect, read, fresh=False)


class TestWhatACallerAsksFor:
    @pytest.fixture
    def configuration(self) -> bluejeans.Configuration:
        configuration = bluejeans.Configuration()
        configuration.connect_timeout, configuration.read_timeout, configuration.call_timeout = 3, 5, 7
        return configuration

    @pytest.mark.parametrize(
        ("request_timeout", "connect", "read", "total"),
        [
            (None, 3, 5, 7),
            (20, 3, 20, 20),
            (1.5, 3, 1.5, 1.5),
            ((1, 2), 1, 2, 7),
            ([10, 20], 10, 20, 30),
            ((None, 20), 3, 20, 23),
            ((20, None), 20, 5, 25),
            ((None, None), 3, 5, 8),
        ],
        ids=str,
    )
    def test_is_the_time_it_gets(
        self, configuration: bluejeans.Configuration, request_timeout: Any, connect: float, read: float, total: float
    ) -> None:
        before = monotonic()
        limits = RESTClientObject(configuration).limits(request_timeout)
        assert limits[:2] == (connect, read)
        assert before + total <= limits.end <= monotonic() + total

    @pytest.mark.parametrize("name", ["connect_timeout", "read_timeout", "call_timeout"])
    def test_may_be_no_time_in_a_setting_which_is_named(
        self, configuration: bluejeans.Configuration, name: str
    ) -> None:
        setattr(configuration, name, 0)
        with pytest.raises(ValueError, match=f"^Configuration.{name} must be a positive number of seconds, not 0"):
            RESTClientObject(configuration).limits()

    @pytest.mark.parametrize("request_timeout", [0, (0, 1), (1, 0)])
    def test_may_be_no_time_in_an_argument_which_is_named(
        self, configuration: bluejeans.Configuration, request_timeout: Any
    ) -> None:
        with pytest.raises(ValueError, match="^_request_timeout must be a positive number of seconds, not 0"):
            RESTClientObject(configuration).limits(request_timeout)

    @pytest.mark.parametrize("request_timeout", [(1, 2, 3), (1,), {1, 2}, "ab"])
    def test_may_be_no_pair_at_all(self, configuration: bluejeans.Configuration, request_timeout: Any) -> None:
        with pytest.raises(TypeError, match="^_request_timeout must be a number of seconds"):
            RESTClientObject(configuration).limits(request_timeout)


@pytest.mark.parametrize(("seconds", "left"), [(5.0, 5.0), (-5.0, 0.001)])
def test_a_call_that_is_over_has_a_moment_left_as_no_time_would_be_no_limit(seconds: float, left: float) -> None:
    now = monotonic()
    uncertain = 0.5 if seconds > 0 else 0
    assert Limits(1, 1, now + seconds).left() == pytest.approx(left, abs=uncertain)
    assert Call(now + seconds, 1, 1, fresh=False).time_left(math.inf) == pytest.approx(left, abs=uncertain)
    assert Call(now + LONG, 1, 1, fresh=False).time_left(now + seconds) == pytest.approx(left, abs=uncertain)


class TestConnecting:
    @pytest.fixture
    def connect(self) -> Iterator[Callable[..., Any]]:
        """Connects to a URL, and returns the connection."""
        services = []

        def connect(url: str, call: Call) -> Any:
            services.append(Service(bluejeans.Configuration(), url, maxsize=1))
            connection = services[-1].pool._get_conn()
            connection.call = call
            try:
                services[-1].pool._connect(connection)
            finally:
                services[-1].pool._put_conn(connection)
            return connection

        yield connect
        for service in services:
            service.pool.close()

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

    def test_leaves_the_rest_of_its_time_to_the_handshake(
        self, connect: Callable[..., Any], server: RecordingServer
    ) -> None:
        connection = connect(server.url, a_call(connect=30))
        assert 0 < connection.sock.gettimeout() <= 30

    def test_is_part_of_the_call(self, connect: Callable[..., Any], server: RecordingServer) -> None:
        call = a_call(20)
        end = call.deadline
        connection = connect(server.url, call)
        assert 0 < connection.sock.gettimeout() <= 20
        assert call.deadline == end

    def test_sets_the_options_that_urllib3_has_for_sockets(
        self, connect: Callable[..., Any], server: RecordingServer
    ) -> None:
        connection = connect(server.url, a_call())
        assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def test_goes_on_with_the_next_address_where_one_refuses(
        self, connect: Callable[..., Any], at: Callable[..., str], server: RecordingServer
    ) -> None:
        connection = connect(at(unused_port(), unused_port(), server.port), a_call())
        assert connection.sock.getpeername() == ("127.0.0.1", server.port)

    def test_takes_the_first_address_that_answers(
        self, connect: Callable[..., Any], at: Callable[..., str], server: RecordingServer
    ) -> None:
        connection = connect(at(server.port, unused_port()), a_call())
        assert connection.sock.getpeername() == ("127.0.0.1", server.port)

    def test_leaves_time_for_the_next_address_where_one_is_silent(
        self, connect: Callable[..., Any], at: Callable[..., str], server: RecordingServer, full_backlog: str
    ) -> None:
        connection = connect(at(int(full_backlog.rpartition(":")[2]), server.port), a_call(connect=1))
        assert connection.sock.getpeername() == ("127.0.0.1", server.port)
        # All but the moment that connecting to this machine took, of the half that was kept for it.
        assert connection.sock.gettimeout() > SHORT

    def test_fails_where_no_address_answers(self, connect: Callable[..., Any], at: Callable[..., str]) -> None:
        with pytest.raises(transport.NewConnectionError, match="no connection") as caught:
            connect(at(unused_port(), unused_port()), a_call())
        assert isinstance(caught.value.__cause__, ConnectionRefusedError)

    def test_ends_in_time_where_nobody_answers(self, connect: Callable[..., Any], full_backlog: str) -> None:
        with pytest.raises(transport.ConnectTimeoutError, match="timed out"):
            connect(full_backlog, a_call(connect=SHORT))

    def test_ends_with_the_call(self, connect: Callable[..., Any], full_backlog: str) -> None:
        with pytest.raises(transport.ConnectTimeoutError, match="timed out"):
            connect(full_backlog, a_call(SHORT))

    def test_ends_in_time_where_tls_gets_no_answer(self, connect: Callable[..., Any]) -> None:
        with (
            RecordingServer([never_respond], accept_invalid_http=True) as silent,
            pytest.raises(OSError, match="timed out"),
        ):
            connect(f"https://127.0.0.1:{silent.port}", a_call(connect=SHORT))

    def test_includes_what_a_proxy_says_however_slowly(self) -> None:
        configuration = bluejeans.Configuration()
        configuration.host, configuration.connect_timeout, configuration.max_attempts = "https://a.example", SHORT, 1
        with RecordingServer([drip(b"HTTP/1.1 200 OK\r\nX: ")]) as proxy, bluejeans.ApiClient(configuration) as client:
            configuration.proxy = proxy.url
            with pytest.raises(bluejeans.ApiProxyError, match="timed out"):
                client.call_api("/", "GET")


class TestAskingForAddresses:
    @pytest.fixture
    def silence(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
        """Name servers that answer once this is set."""
        answer = threading.Event()
        look_up = socket.getaddrinfo

        def getaddrinfo(*args: Any, **options: Any) -> Any:
            if options.get("flags") != socket.AI_NUMERICHOST:
                answer.wait()
                args = ("localhost", *args[1:])
            return look_up(*args, **options)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield answer
        answer.set()
        for thread in self.questions():
            thread.join()

    def questions(self) -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("DNS of ")]

    def test_is_not_needed_for_an_address(self, silence: threading.Event) -> None:
        assert [found[4] for found in transport._addresses("127.0.0.1", 80, LONG)] == [("127.0.0.1", 80)]

    def test_gives_those_of_a_name_once_each(self) -> None:
        found = [(family, where[:2]) for family, _, _, _, where in transport._addresses("localhost", 80, LONG)]
        assert (socket.AF_INET, ("127.0.0.1", 80)) in found
        assert len(found) == len(set(found))

    def test_says_that_there_is_no_such_name(self) -> None:
        with pytest.raises(socket.gaierror):
            transport._addresses("no-such-host.invalid", 80, LONG)

    def test_ends_in_time(self, silence: threading.Event) -> None:
        with pytest.raises(socket.timeout, match="^no answer of DNS for slow.example in time$"):
            transport._addresses("slow.example", 80, SHORT)

    def test_does_not_keep_a_program_from_ending(self, silence: threading.Event) -> None:
        with pytest.raises(socket.timeout):
            transport._addresses("slow.example", 80, SHORT)
        assert [(thread.name, thread.daemon) for thread in self.questions()] == [("DNS of slow.example", True)]

    def test_waits_for_less_than_a_second_where_there_is_less(self, silence: threading.Event) -> None:
        silence.set()
        assert transport._addresses("quick.example", 80, 0.9)

    def test_waits_for_as_long_as_there_is_time(self, silence: threading.Event) -> None:
        timer = threading.Timer(SHORT, silence.set)
        timer.start()
        assert transport._addresses("slow.example", 80, LONG)
        timer.join()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two sockets that are connected to each other."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


class TestSending:
    def test_sends_all_of_it(self, pair: tuple[socket.socket, socket.socket]) -> None:
        ours, theirs = pair
        message = os.urandom(100_000)
        sending = threading.Thread(target=transport._send, args=(ours, message, a_call()))
        sending.start()
        with theirs.makefile("rb") as received:
            assert received.read(len(message)) == message
        sending.join()

    @pytest.mark.parametrize("limits", [{"seconds": 30}, {"read": 30}])
    def test_takes_the_time_that_the_call_and_silence_leave(
        self, pair: tuple[socket.socket, socket.socket], limits: Any
    ) -> None:
        transport._send(pair[0], b"x", a_call(**limits))
        assert 0 < (pair[0].gettimeout() or 0) <= 30

    @pytest.mark.parametrize("limits", [{"seconds": SHORT}, {"read": SHORT}])
    def test_ends_in_time_where_nobody_reads(self, pair: tuple[socket.socket, socket.socket], limits: Any) -> None:
        with pytest.raises(socket.timeout):
            transport._send(pair[0], bytes(10_000_000), a_call(**limits))


class TestReading:
    """`_BoundedReader`, which http.client reads an answer from."""

    def test_takes_the_time_that_the_call_leaves(self, pair: tuple[socket.socket, socket.socket]) -> None:
        pair[0].settimeout(LONG)
        pair[1].sendall(b"x")
        assert transport._BoundedReader(a_call(30), pair[0]).read(1) == b"x"
        assert 0 < (pair[0].gettimeout() or 0) <= 30

    def test_takes_no_more_time_of_silence_than_the_socket_has(self, pair: tuple[socket.socket, socket.socket]) -> None:
        pair[0].settimeout(30)
        pair[1].sendall(b"x")
        assert transport._BoundedReader(a_call(), pair[0]).read(1) == b"x"
        assert pair[0].gettimeout() == 30

    def test_ends_after_silence(self, pair: tuple[socket.socket, socket.socket]) -> None:
        pair[0].settimeout(SHORT)
        with pytest.raises(socket.timeout, match="^timed out$"):
            transport._BoundedReader(a_call(), pair[0]).read(1)

    def test_ends_with_the_call_though_more_has_come(self, pair: tuple[socket.socket, socket.socket]) -> None:
        pair[0].settimeout(LONG)
        pair[1].sendall(b"x")
        with pytest.raises(socket.timeout, match="^timed out$"):
            transport._BoundedReader(a_call(-1), pair[0]).read(1)


class TestReadingUnderTLS:
    """The same for TLS within the TLS to a proxy."""

    def test_takes_the_time_that_the_call_leaves(self, pair: tuple[socket.socket, socket.socket]) -> None:
        pair[0].settimeout(LONG)
        pair[1].sendall(b"x")
        assert transport._SocketUnderTLS(pair[0], connection(a_call(30))).recv(1) == b"x"
        assert 0 < (pair[0].gettimeout() or 0) <= 30

    def test_takes_no_more_time_of_silence_than_the_socket_has(self, pair: tuple[socket.socket, socket.socket]) -> None:
        pair[0].settimeout(30)
        pair[1].sendall(b"x")
        assert transport._SocketUnderTLS(pair[0], connection(a_call())).recv(1) == b"x"
        assert pair[0].gettimeout() == 30


def connection(call: Call) -> Any:
    return SimpleNamespace(call=call)


class TestPauses:
    @pytest.mark.parametrize(("attempt", "bound"), [(1, 0.5), (2, 1), (3, 2), (4, 4)])
    def test_are_by_chance_up_to_a_bound_that_doubles(self, attempt: int, bound: float) -> None:
        pauses = [_pause(bluejeans.ServiceError(503), attempt) for _ in range(10_000)]
        assert 0 <= min(pauses) < 0.01 * bound
        assert 0.99 * bound < max(pauses) <= bound

    def test_are_what_the_service_asks_for(self) -> None:
        error = bluejeans.ServiceError(503)
        error.retry_after = 7
        assert _pause(error, 1) == 7


class TestAnotherTry:
    @pytest.fixture
    def server(self) -> Iterator[RecordingServer]:
        with RecordingServer([http_response()]) as server:
            yield server

    @pytest.fixture
    def client(self, server: RecordingServer) -> Iterator[bluejeans.ApiClient]:
        configuration = bluejeans.Configuration()
        configuration.host = server.url
        with bluejeans.ApiClient(configuration) as client:
            yield client

    def test_takes_none_of_the_kept_connections_once_one_was_dead(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        first = client.call_api("/", "GET", _preload_content=False)[0]
        client.call_api("/", "GET")
        first.read()
        first.release_conn()
        server.respond_with(reset, http_response())
        client.call_api("/", "GET")
        assert server.connections == 3

    def test_is_told_in_the_log(
        self, client: bluejeans.ApiClient, server: RecordingServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        server.respond_with(http_response(status=503, Retry_After="0"), http_response())
        client.call_api("/x", "GET")
        assert caplog.messages == [f"GET {server.url}/x failed (Whatever), trying again in 0.00 s"]

    def test_is_not_begun_where_the_call_would_end_before_it(
        self, client: bluejeans.ApiClient, server: RecordingServer
    ) -> None:
        server.respond_with(http_response(status=503, Retry_After="30"))
        with pytest.raises(bluejeans.ServiceError):
            client.call_api("/", "GET", _request_timeout=20)
        assert len(server.requests) == 1


@pytest.mark.slow
@pytest.mark.parametrize("statuses", [[200], [503, 200], [401]], ids=str)
def test_ctrl_c_ends_a_call_at_each_of_its_steps(statuses: list[int]) -> None:
    # Another process makes the calls, because Ctrl-C just before a lock is released leaves it locked.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        steps = process.submit(interrupted_everywhere, statuses).result()
    assert [where for where, ended in steps if not ended] == []
    assert len(steps) > 300
