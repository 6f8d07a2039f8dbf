"""The time limits of a call, and the sockets that keep its deadline."""

from __future__ import annotations

import math
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest
import trustme

import BlueJeansMeetingsRestApi as bluejeans
from BlueJeansMeetingsRestApi.rest import Limits, RESTClientObject
from BlueJeansMeetingsRestApi.transport import deadline
from BlueJeansMeetingsRestApi.transport.deadline import Attempt, TimeLeft, keeping_deadlines, keeps_deadlines

LONG = 600.0
SHORT = 0.1


def attempt(seconds: float = LONG, read: float = LONG) -> Attempt:
    return Attempt(Limits(LONG, read, monotonic() + seconds))


class TestLimits:
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
    def test_request_timeout_sets_the_limits_of_the_call(
        self, configuration: bluejeans.Configuration, request_timeout: Any, connect: float, read: float, total: float
    ) -> None:
        before = monotonic()
        limits = RESTClientObject(configuration).limits(request_timeout)
        assert limits[:2] == (connect, read)
        assert before + total <= limits.end <= monotonic() + total

    @pytest.mark.parametrize("name", ["connect_timeout", "read_timeout", "call_timeout"])
    def test_invalid_setting_is_an_error_with_its_name(self, configuration: bluejeans.Configuration, name: str) -> None:
        setattr(configuration, name, 0)
        with pytest.raises(ValueError, match=f"^Configuration.{name} must be a positive number of seconds, not 0"):
            RESTClientObject(configuration).limits()

    @pytest.mark.parametrize("request_timeout", [0, (0, 1), (1, 0)])
    def test_invalid_request_timeout_is_an_error(
        self, configuration: bluejeans.Configuration, request_timeout: Any
    ) -> None:
        with pytest.raises(ValueError, match="^_request_timeout must be a positive number of seconds, not 0"):
            RESTClientObject(configuration).limits(request_timeout)

    @pytest.mark.parametrize("request_timeout", [(1, 2, 3), (1,), {1, 2}, "ab"])
    def test_request_timeout_that_is_not_a_pair_is_an_error(
        self, configuration: bluejeans.Configuration, request_timeout: Any
    ) -> None:
        with pytest.raises(TypeError, match="^_request_timeout must be a number of seconds"):
            RESTClientObject(configuration).limits(request_timeout)


@pytest.mark.parametrize(("seconds", "left"), [(500.0, 500.0), (-5.0, 0.001)])
def test_time_left_is_never_zero(seconds: float, left: float) -> None:
    end = monotonic() + seconds
    uncertain = 100 if seconds > 0 else 0
    assert Limits(1, 1, end).left() == pytest.approx(left, abs=uncertain)
    assert TimeLeft(end) == pytest.approx(left, abs=uncertain)
    assert TimeLeft(end).deadline == end


def test_attempt_connects_until_the_earlier_of_two_limits() -> None:
    now = monotonic()
    assert now + 300 <= Attempt(Limits(300, 1, now + LONG)).connect_deadline() <= monotonic() + 300
    assert Attempt(Limits(LONG, 1, now + 300)).connect_deadline() == now + 300


def test_urllib3_takes_an_attempt_for_its_timeout() -> None:
    one = attempt(read=7)
    assert (one.clone(), one.connect_timeout.attempt, one.connect_timeout, one.read_timeout) == (one, one, LONG, 7)
    assert "Attempt(Limits(connect=" in repr(one)


@pytest.mark.parametrize(
    ("opened", "connected", "reused"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_attempt_knows_whether_it_used_a_pooled_connection(opened: bool, connected: bool, reused: bool) -> None:
    one = attempt()
    one.opened, one.connected = opened, connected
    assert one.reused is reused


@pytest.fixture
def pair() -> Iterator[tuple[Any, socket.socket]]:
    """A socket that keeps deadlines, and one that is connected to it."""
    plain, theirs = socket.socketpair()
    ours = keeping_deadlines(socket.socket)(fileno=plain.detach())
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def tls_pair(pair: tuple[Any, socket.socket]) -> Iterator[tuple[Any, ssl.SSLSocket]]:
    """The same with TLS."""
    authority, server = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.create_default_context()
    authority.issue_cert("a.example").configure_cert(server)
    authority.configure_trust(client)
    client.sslsocket_class = keeping_deadlines(client.sslsocket_class)
    accepted: list[ssl.SSLSocket] = []
    thread = threading.Thread(target=lambda: accepted.append(server.wrap_socket(pair[1], server_side=True)))
    thread.start()
    pair[0].settimeout(TimeLeft(monotonic() + LONG))
    ours = client.wrap_socket(pair[0], server_hostname="a.example")
    thread.join()
    with ours, accepted[0]:
        yield ours, accepted[0]


@pytest.fixture(params=["pair", "tls_pair"])
def both(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


class TestSockets:
    def test_all_of_a_large_message_is_sent(self, both: Any) -> None:
        ours, theirs = both
        message = os.urandom(1_000_000)
        attempt().limit(ours)
        sending = threading.Thread(target=ours.sendall, args=(message,))
        sending.start()
        with theirs.makefile("rb") as received:
            assert received.read(len(message)) == message
        sending.join()

    def test_empty_message_sends_nothing(self, both: Any) -> None:
        ours, theirs = both
        attempt().limit(ours)
        ours.sendall(b"")
        ours.sendall(b"x")
        assert theirs.recv(2) == b"x"

    @pytest.mark.parametrize("limits", [{"seconds": SHORT}, {"read": SHORT}])
    def test_sending_to_a_server_that_does_not_read_times_out(self, both: Any, limits: Any) -> None:
        attempt(**limits).limit(both[0])
        with pytest.raises(socket.timeout):
            both[0].sendall(bytes(50_000_000))

    @pytest.mark.parametrize("limits", [{"seconds": SHORT}, {"read": SHORT}])
    def test_receiving_times_out_at_the_limit(self, both: Any, limits: Any) -> None:
        attempt(**limits).limit(both[0])
        with pytest.raises(socket.timeout, match="timed out"):
            both[0].recv(1)

    @pytest.mark.parametrize("receive", [lambda sock: sock.recv(1), lambda sock: sock.recv_into(bytearray(1))])
    def test_receiving_one_byte_at_a_time_ends_at_the_deadline(self, both: Any, receive: Callable[[Any], Any]) -> None:
        ours, theirs = both
        ours.settimeout(TimeLeft(monotonic() + 3 * SHORT))
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(SHORT / 5):
                theirs.sendall(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        with pytest.raises(socket.timeout):  # after a number of bytes that depends on the machine
            list(iter(lambda: receive(ours), None))
        stop.set()
        dripping.join()

    def test_attempt_that_is_over_receives_nothing_though_bytes_have_come(self, both: Any) -> None:
        both[1].sendall(b"x")
        with pytest.raises(socket.timeout, match="^timed out$"):
            attempt(-1).limit(both[0])

    def test_deadline_passes_to_the_socket_that_replaces_it_for_tls(self, tls_pair: Any) -> None:
        assert keeps_deadlines(tls_pair[0])
        assert tls_pair[0].gettimeout().deadline > monotonic()

    def test_plain_timeout_is_one_for_each_wait(self, both: Any) -> None:
        both[0].settimeout(SHORT)
        assert (both[0].deadline, both[0].gettimeout()) == (None, SHORT)
        both[1].sendall(b"x")
        assert both[0].recv(1) == b"x"
        with pytest.raises(socket.timeout):
            both[0].recv(1)

    def test_error_of_the_system_is_not_taken_for_a_timeout(self, pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def recv(*_: Any) -> bytes:
            raise TimeoutError(110, "Connection timed out")

        attempt().limit(pair[0])
        with pytest.raises(TimeoutError, match="110"):
            pair[0]._wait(recv)

    def test_attempt_limits_other_sockets_by_their_timeout(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            attempt(read=500).limit(ours)
            assert 400 < (ours.gettimeout() or 0) <= 500


def test_sleep_ends_after_several_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    sleep = deadline.time.sleep
    monkeypatch.setattr(deadline, "LONGEST_WAIT", 0.01)
    monkeypatch.setattr(deadline.time, "sleep", lambda seconds: (waits.append(seconds), sleep(seconds)))
    deadline.sleep(0.05)
    assert len(waits) > 1
    assert max(waits) <= 0.01
    assert not math.isinf(sum(waits))
