"""Rows 10 and 11: closed clients, process exit and forks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from BlueJeansMeetingsRestApi import Configuration
from support.caller_process import GRANT, TIMEOUT, secrets_shown
from support.recording_server import RecordingServer, SilentResponse, http_response

PROGRAMS = Path(__file__).parents[1] / "support" / "programs.py"
CALL_TIMEOUT = Configuration().call_timeout
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="requires os.fork")


@pytest.fixture
def run() -> Iterator[Callable[..., str]]:
    """Return a function that runs one of `programs.py`, checks that it exits with status 0, and returns its output."""
    running = []

    def run(program: str, host: str, until: Callable[[], object] = lambda: None) -> str:
        command = [sys.executable, "-W", "ignore:.*fork:DeprecationWarning", str(PROGRAMS), program, host]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        running.append(process)
        until()
        output = process.communicate("go on\n", timeout=TIMEOUT * 2)[0]
        assert secrets_shown(output) == []
        assert process.returncode == 0, output
        return output

    yield run
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.fault(10, "the program exits while calls are in flight in threads", "exit does not wait for the calls")
@pytest.mark.parametrize("program", ["exit_with_async_calls_in_flight", "exit_with_calls_in_daemon_threads"])
def test_exit_does_not_wait_for_calls_in_flight_in_threads(run: Callable[..., str], program: str) -> None:
    silence = SilentResponse()
    with RecordingServer([silence]) as server:
        output = run(program, server.url, until=lambda: silence.requested.wait(TIMEOUT))
        assert time.monotonic() - float(output) < CALL_TIMEOUT / 2


@pytest.mark.fault(10, "the program exits during a background refresh", "exit waits for the new token")
def test_exit_waits_for_a_background_refresh(run: Callable[..., str]) -> None:
    requested, exiting = threading.Event(), threading.Event()

    def respond_late(connection: Any) -> None:
        requested.set()
        exiting.wait(TIMEOUT)
        threading.Event().wait(0.3)  # a slow service; the program is about to exit
        connection.sendall(http_response(GRANT))

    with RecordingServer([http_response(GRANT), respond_late]) as server:
        output = run(
            "exit_during_a_background_refresh", server.url, until=lambda: requested.wait(TIMEOUT) and exiting.set()
        )
        assert (output.split()[1:], len(server.requests)) == (["refreshed"], 2)


@pytest.mark.fault(10, "the program exits and the service does not respond", "exit takes at most 2 seconds")
def test_exit_does_not_wait_long_for_a_silent_service(run: Callable[..., str]) -> None:
    silence = SilentResponse()
    with RecordingServer([http_response(GRANT), silence]) as server:
        output = run("exit_during_a_background_refresh", server.url, until=lambda: silence.requested.wait(TIMEOUT))
        ended, what = output.split(maxsplit=1)
        assert (time.monotonic() - float(ended) < 2, what) == (True, "as it was\n")


@pytest.mark.slow
@pytest.mark.fault(10, "10,000 clients are created and closed", "no thread and no open file remains")
def test_closing_10_000_clients_leaves_no_thread_and_no_open_file(
    run: Callable[..., str], server: RecordingServer
) -> None:
    run("make_and_close_10_000_clients", server.url)
    assert len(server.requests) > 1000


@pytest.mark.fault(10, "clients are dropped without `close()`", "no open file remains")
def test_clients_dropped_without_close_leave_no_open_file(run: Callable[..., str], server: RecordingServer) -> None:
    run("drop_clients", server.url)
    assert len(server.requests) == 100


@needs_fork
@pytest.mark.fault(11, "a process forks after it has used a client", "the child opens its own connection")
def test_forked_child_opens_its_own_connection(run: Callable[..., str], server: RecordingServer) -> None:
    run("fork_after_use", server.url)
    assert (len(server.requests), server.connections) == (3, 2)


@needs_fork
@pytest.mark.fault(11, "a process forks after it has used `async_req`", "the child starts its own threads")
def test_forked_child_starts_its_own_threads(run: Callable[..., str], server: RecordingServer) -> None:
    run("fork_after_use_of_threads", server.url)
    assert len(server.requests) == 2


@needs_fork
@pytest.mark.fault(11, "a process forks while another thread makes a call", "the child's call succeeds")
def test_child_forked_during_a_call_can_make_calls(run: Callable[..., str]) -> None:
    silence = SilentResponse()
    with RecordingServer([silence, http_response(GRANT)]) as server:
        run("fork_during_a_call", server.url, until=lambda: silence.requested.wait(TIMEOUT))
        assert len(server.requests) == 2
