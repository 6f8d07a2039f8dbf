"""Rows 10 and 11: what is left behind when clients, processes and their children end."""

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
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system knows no fork")


@pytest.fixture
def run() -> Iterator[Callable[..., str]]:
    """Runs one of `programs.py` to its end, which has to be a good one, and returns what it printed."""
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


@pytest.mark.fault(10, "the program ends while calls are under way in threads", "it does not wait for them")
@pytest.mark.parametrize("program", ["end_with_async_calls_under_way", "end_with_calls_in_daemon_threads"])
def test_the_program_ends_while_calls_are_under_way(run: Callable[..., str], program: str) -> None:
    silence = SilentResponse()
    with RecordingServer([silence]) as server:
        output = run(program, server.url, until=lambda: silence.requested.wait(TIMEOUT))
        assert time.monotonic() - float(output) < CALL_TIMEOUT / 2


@pytest.mark.fault(10, "the program ends while a token is renewed in the background", "the new token is waited for")
def test_the_program_ends_while_a_token_is_renewed(run: Callable[..., str]) -> None:
    asked, told = threading.Event(), threading.Event()

    def answer_late(connection: Any) -> None:
        asked.set()
        told.wait(TIMEOUT)
        threading.Event().wait(0.3)  # a slow service; the program has been told to end
        connection.sendall(http_response(GRANT))

    with RecordingServer([http_response(GRANT), answer_late]) as server:
        output = run(
            "end_with_a_renewal_in_the_background", server.url, until=lambda: asked.wait(TIMEOUT) and told.set()
        )
        assert (output.split()[1:], len(server.requests)) == (["renewed"], 2)


@pytest.mark.fault(10, "the service is silent when the program ends", "it ends within two seconds")
def test_the_program_ends_though_a_renewal_does_not(run: Callable[..., str]) -> None:
    silence = SilentResponse()
    with RecordingServer([http_response(GRANT), silence]) as server:
        output = run("end_with_a_renewal_in_the_background", server.url, until=lambda: silence.requested.wait(TIMEOUT))
        ended, what = output.split(maxsplit=1)
        assert (time.monotonic() - float(ended) < 2, what) == (True, "as it was\n")


@pytest.mark.slow
@pytest.mark.fault(10, "10,000 clients are made and closed", "no thread and no open file is left")
def test_10_000_clients_are_made_and_closed(run: Callable[..., str], server: RecordingServer) -> None:
    run("make_and_close_10_000_clients", server.url)
    assert len(server.requests) > 1000


@pytest.mark.fault(10, "clients are dropped without `close()`", "no open file is left")
def test_clients_are_dropped(run: Callable[..., str], server: RecordingServer) -> None:
    run("drop_clients", server.url)
    assert len(server.requests) == 100


@needs_fork
@pytest.mark.fault(11, "a process forks after it has used a client", "the child opens a connection of its own")
def test_a_process_forks_after_use(run: Callable[..., str], server: RecordingServer) -> None:
    run("fork_after_use", server.url)
    assert (len(server.requests), server.connections) == (3, 2)


@needs_fork
@pytest.mark.fault(11, "a process forks after it has used `async_req`", "the child starts threads of its own")
def test_a_process_forks_after_use_of_threads(run: Callable[..., str], server: RecordingServer) -> None:
    run("fork_after_use_of_threads", server.url)
    assert len(server.requests) == 2


@needs_fork
@pytest.mark.fault(11, "a process forks while another thread makes a call", "the child's call succeeds")
def test_a_process_forks_during_a_call(run: Callable[..., str]) -> None:
    silence = SilentResponse()
    with RecordingServer([silence, http_response(GRANT)]) as server:
        run("fork_during_a_call", server.url, until=lambda: silence.requested.wait(TIMEOUT))
        assert len(server.requests) == 2
