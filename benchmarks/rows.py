"""The rows of the table in docs/PERFORMANCE.md; each function measures one or more of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

from . import contestants
from .contestants import Client
from .measuring import Effort, NotMeasured, Row, in_turns, median
from .server import GRANT, TOKEN, Server

Makers = Mapping[str, Callable[..., Client]]
OURS = "this SDK"
MICROSECONDS = 1e6
MILLISECONDS = 1e3


@contextmanager
def clients(makers: Makers, rows: list[Row], *args: Any, **options: Any) -> Iterator[dict[str, Client]]:
    """Yield the clients that work on this system, and write the reason for each other client into the rows."""
    made = {}
    for name, make in makers.items():
        try:
            made[name] = make(*args, **options)
        except NotMeasured as why:
            for row in rows:
                row.values[name] = f"not measured: {why}"
            continue
        if made[name].get_token() != TOKEN:
            raise RuntimeError(f"{name} got another token than the server gave")
    try:
        yield made
    finally:
        for client in made.values():
            client.close()


def calls(server: Server, effort: Effort) -> list[Row]:
    protocol = "HTTPS" if server.authority else "HTTP"
    wall = Row(f"a token over {protocol}", "µs", "urllib3", 0.8)
    cpu = Row(f"a token over {protocol}, CPU", "µs", "urllib3", 0.8)
    with clients(contestants.ALL, [wall, cpu], server) as made:
        for name, taken in in_turns({name: client.get_token for name, client in made.items()}, effort).items():
            wall.values[name], cpu.values[name] = (seconds * MICROSECONDS for seconds in taken)
    return [wall, cpu]


def first_calls(server: Server, effort: Effort) -> list[Row]:
    protocol = "HTTPS" if server.authority else "HTTP"
    row = Row(f"a client and its first token over {protocol}", "µs", "urllib3", 1.0)

    def first(make: Callable[[Server], Client]) -> Callable[[], None]:
        def run() -> None:
            client = make(server)
            client.get_token()
            client.close()

        return run

    with clients(contestants.HTTP_CLIENTS, [row], server) as made:
        for name, taken in in_turns({name: first(contestants.HTTP_CLIENTS[name]) for name in made}, effort).items():
            row.values[name] = taken[0] * MICROSECONDS
    return [row]


def threads(server: Server, effort: Effort, count: int = 8) -> list[Row]:
    row = Row(f"tokens a second, {count} threads on one client", "1/s", "urllib3", 1.1, more=True)
    with clients(contestants.HTTP_CLIENTS, [row], server, threads=count) as made:
        each = 10 if effort.short else max(1, 1600 // count)
        taken: dict[str, list[float]] = {name: [] for name in made}
        for _ in range(3 if effort.short else 11):
            for name, client in made.items():
                taken[name].append(_rate(client.get_token, count, each))
        row.values.update({name: median(rates) for name, rates in taken.items()})
    return [row]


def _rate(run: Callable[[], Any], count: int, each: int) -> float:
    """Return the runs per second of `count` threads that each make `each` runs."""
    begin = threading.Barrier(count + 1)

    def work() -> None:
        begin.wait()
        for _ in range(each):
            run()

    workers = [threading.Thread(target=work) for _ in range(count)]
    for worker in workers:
        worker.start()
    begin.wait()
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    return count * each / (time.perf_counter() - started)


def cached_tokens(server: Server, effort: Effort) -> list[Row]:
    """Measure `get_token()` with a cached token; `server` must use TLS, because some peers require it."""

    class Bare:
        token = TOKEN

        def get_token(self) -> str:
            return self.token

    bare = Bare()
    row = Row("a cached token", "ns", "a bare method call", 4)
    with clients(contestants.WITH_A_CACHE, [row], server) as made:
        subjects = {name: client.cached for name, client in made.items() if client.cached}
        for name, taken in in_turns({row.reference: lambda: bare.get_token(), **subjects}, effort).items():
            row.values[name] = taken[0] * 1e9
    return [row]


def deserializing(effort: Effort) -> list[Row]:
    from BlueJeansMeetingsRestApi import ApiClient, GrantClient
    from BlueJeansMeetingsRestApi.rest import RESTResponse

    class Response:
        status, reason, headers, data = 200, "OK", {}, json.dumps(GRANT).encode()  # type: ignore[var-annotated]

    row = Row("a grant out of its bytes", "µs", "json.loads", 1.5)
    with ApiClient() as client:
        response = RESTResponse(Response())
        subjects = {
            "json.loads": lambda: json.loads(response.content),
            OURS: lambda: client.deserialize(response, GrantClient),
        }
        for name, taken in in_turns(subjects, effort).items():
            row.values[name] = taken[0] * MICROSECONDS
    return [row]


IMPORTS = {
    "urllib3": "import urllib3",
    OURS: "import BlueJeansMeetingsRestApi; BlueJeansMeetingsRestApi.AuthenticationApi()",
    "requests": "import requests; requests.Session()",
    "httpx": "import httpx; httpx.Client()",
    "requests-oauthlib": "import requests_oauthlib; requests_oauthlib.OAuth2Session('id')",
    "Authlib": "from authlib.integrations.requests_client import OAuth2Session; OAuth2Session('id')",
    "google-auth": "import google.oauth2.credentials, google.auth.transport.requests",
    "MSAL": "import msal",
    "azure-identity": "import azure.identity",
}
OF_A_NEW_PROCESS = """
import time
started = time.perf_counter()
{program}
taken = time.perf_counter() - started
try:
    pages = int(open("/proc/self/statm").read().split()[1])
except OSError:
    pages = 0
print(taken, pages * {page})
"""


def imports(effort: Effort) -> list[Row]:
    time_row = Row("importing it", "ms", "urllib3", 1.15)
    memory = Row("importing it, memory", "MB", "urllib3", 1.15)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ["", *IMPORTS]}
    with tempfile.TemporaryDirectory() as folder:
        # Compile into a temporary folder, so that the results do not depend on write access to the packages.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(2 if effort.short else 21):
            for name in taken:
                taken[name].append(_new_process(IMPORTS.get(name, ""), environment))
    base = median(pages for _, pages in taken.pop("")[1:])
    for name, measured in taken.items():
        time_row.values[name] = median(seconds for seconds, _ in measured[1:]) * MILLISECONDS
        added = median(pages for _, pages in measured[1:]) - base
        memory.values[name] = added / 1e6 if base else "not measured: this system has no /proc"
    return [time_row, memory]


def _new_process(program: str, environment: Mapping[str, str]) -> tuple[float, float]:
    program = OF_A_NEW_PROCESS.format(program=program, page=os.sysconf("SC_PAGE_SIZE") if os.name == "posix" else 0)
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, env=environment, cwd=root, check=True, capture_output=True, text=True).stdout
    seconds, pages = printed.split()
    return float(seconds), float(pages)


LEFT_BEHIND = """
import gc, os
from benchmarks.contestants import {name}
from benchmarks.server import Server
server = Server({url!r}, None)
def make(count):
    for number in range(count):
        client = {name}(server)
        if number % 10 == 0:
            client.get_token()
        client.close()
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
before = make(1000)
print(make({count}) - before)
"""


def memory_left(server: Server, effort: Effort) -> list[Row]:
    row = Row("memory left by 10,000 clients, a tenth of which got a token", "MB", "")
    count = 1000 if effort.short else 10_000
    for subject, name in ((OURS, "ours"), ("urllib3", "urllib3")):
        if not Path("/proc/self/statm").exists():
            row.values[subject] = "not measured: this system has no /proc"
            continue
        program = LEFT_BEHIND.format(name=name, url=server.url, count=count)
        command, root = [sys.executable, "-c", program], Path(__file__).parent.parent
        printed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
        row.values[subject] = float(printed) / 1e6
    return [row]


def renewal(server: Server, effort: Effort, waiting: int = 64) -> list[Row]:
    """Measure the time from the response of the server to the last waiting thread.

    The token is the time at which the server sent it, on the monotonic clock that all processes share.
    """
    row = Row(
        f"renewal with {waiting} waiting threads: from the answer to the last of them", "ms", "urllib3 and a lock"
    )
    subjects = {"urllib3 and a lock": _urllib3_and_a_lock, OURS: _our_credentials}
    for name, make in subjects.items():
        delays = [_delay(make(server), waiting) for _ in range(2 if effort.short else 21)]
        row.values[name] = median(delays) * MILLISECONDS
    return [row]


SLOW = "/slow/100"  # long enough for all threads to wait


def _delay(get_token: Callable[[], str], waiting: int) -> float:
    begin = threading.Barrier(waiting)
    ends: list[tuple[float, str]] = []

    def work() -> None:
        begin.wait()
        token = get_token()
        ends.append((time.monotonic(), token))

    workers = [threading.Thread(target=work) for _ in range(waiting)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    (token,) = {token for _, token in ends}
    return max(end for end, _ in ends) - float(token)


def _urllib3_and_a_lock(server: Server) -> Callable[[], str]:
    """Return the simplest function with which one thread requests a token for all."""
    client, lock = contestants.urllib3(server, SLOW), threading.Lock()
    tokens: list[str] = []

    def get_token() -> str:
        with lock:
            if not tokens:
                tokens.append(client.get_token())
            return tokens[0]

    return get_token


def _our_credentials(server: Server) -> Callable[[], str]:
    credentials, _ = contestants.credentials(server, SLOW)
    return lambda: credentials.get_token().token
