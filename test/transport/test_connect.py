"""Look up host names before a deadline."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from BlueJeansMeetingsRestApi.transport.connect import resolve
from support.recording_server import RecordingServer, http_response

LONG = 600.0
SHORT = 0.1


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Name servers that respond once this is set."""
    respond = threading.Event()
    look_up = socket.getaddrinfo

    def getaddrinfo(*args: Any, **options: Any) -> Any:
        if options.get("flags") != socket.AI_NUMERICHOST:
            respond.wait()
            args = ("localhost", *args[1:])
        return look_up(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield respond
    respond.set()
    for thread in threads():
        thread.join()


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("DNS of ")]


def in_seconds(seconds: float) -> float:
    return monotonic() + seconds


@pytest.mark.usefixtures("silence")
def test_address_is_not_looked_up() -> None:
    assert [found[4] for found in resolve("127.0.0.1", 80, in_seconds(LONG))] == [("127.0.0.1", 80)]


def test_host_name_has_each_of_its_addresses_once() -> None:
    found = [(family, where[:2]) for family, _, _, _, where in resolve("localhost", 80, in_seconds(LONG))]
    assert (socket.AF_INET, ("127.0.0.1", 80)) in found
    assert len(found) == len(set(found))


def test_unknown_host_name_raises_gaierror() -> None:
    with pytest.raises(socket.gaierror):
        resolve("no-such-host.invalid", 80, in_seconds(LONG))


@pytest.mark.usefixtures("silence")
def test_lookup_without_a_response_ends_at_the_deadline() -> None:
    with pytest.raises(socket.timeout, match="^no response from DNS for slow.example in time$"):
        resolve("slow.example", 80, in_seconds(SHORT))


@pytest.mark.usefixtures("silence")
def test_thread_of_a_lookup_does_not_delay_the_exit_of_the_program() -> None:
    with pytest.raises(socket.timeout):
        resolve("slow.example", 80, in_seconds(SHORT))
    assert [(thread.name, thread.daemon) for thread in threads()] == [("DNS of slow.example", True)]


def test_lookup_with_a_slow_response_returns_it(silence: threading.Event) -> None:
    timer = threading.Timer(SHORT, silence.set)
    timer.start()
    assert resolve("slow.example", 80, in_seconds(LONG))
    timer.join()


def test_lookup_without_another_thread_is_made_in_the_calling_one(monkeypatch: pytest.MonkeyPatch) -> None:
    callers = []
    look_up = socket.getaddrinfo

    def getaddrinfo(*args: Any, **options: Any) -> Any:
        callers.append(threading.current_thread())
        return look_up(*args, **options)

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(threading.Thread, "start", start)
    assert resolve("localhost", 80, in_seconds(LONG))
    assert set(callers) == {threading.current_thread()}
    with pytest.raises(socket.gaierror):
        resolve("no-such-host.invalid", 80, in_seconds(LONG))


PROGRAM = """
import atexit, sys
import BlueJeansMeetingsRestApi as bluejeans
configuration = bluejeans.Configuration()
configuration.host, configuration.trust_env = sys.argv[1], False
client = bluejeans.ApiClient(configuration)
atexit.register(lambda: print(client.call_api("/", "GET")[1]))
"""


def test_call_at_interpreter_exit_looks_up_the_host_name() -> None:
    with RecordingServer([http_response()]) as server:
        program = subprocess.run(
            [sys.executable, "-c", PROGRAM, f"http://localhost:{server.port}"],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert (program.stdout, program.stderr) == ("200\n", "")
