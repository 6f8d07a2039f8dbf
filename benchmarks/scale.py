"""Measure the cost by threads, by processes on one store, by response size, and by number of tokens."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from BlueJeansMeetingsRestApi import FileTokenStore, MemoryTokenStore, RedisTokenStore

from . import contestants
from .measuring import Effort, NotMeasured, Row, Value, in_turns, median
from .rows import MICROSECONDS, MILLISECONDS, OURS, clients, threads
from .server import Server

BOTH = {name: contestants.HTTP_CLIENTS[name] for name in ("urllib3", OURS)}


@dataclass
class Curve:
    """For each subject, a value in `unit` for each of `xs`, or the reason why there is none.

    key: the name of the plot
    """

    key: str
    name: str
    x: str
    unit: str
    xs: list[int]
    values: dict[str, list[Value]] = field(default_factory=dict)


def by_threads(server: Server, effort: Effort) -> list[Curve]:
    counts = [1, 8] if effort.short else [1, 2, 4, 8, 16, 32, 64]
    curve = Curve("threads", "tokens a second, by threads on one client", "threads", "1/s", counts)
    rows = [threads(server, effort, count)[0] for count in counts]
    curve.values = {name: [row.values[name] for row in rows] for name in rows[0].values}
    return [curve]


def by_size(server: Server, effort: Effort) -> list[Curve]:
    sizes = [1 << 10, 1 << 20] if effort.short else [1 << power for power in range(10, 21, 2)]
    curve = Curve("size", "a call, by the size of its answer", "bytes", "µs", sizes)
    for size in sizes:
        with clients(BOTH, [], server, path=f"/bytes/{size}") as made:
            for name, taken in in_turns({name: client.get_token for name, client in made.items()}, effort).items():
                curve.values.setdefault(name, []).append(taken[0] * MICROSECONDS)
    return [curve]


def by_tokens(server: Server, effort: Effort) -> list[Curve]:
    """Measure the credentials of many clients that share a store in memory."""
    counts = [1, 100] if effort.short else [10**power for power in range(6)]
    curve = Curve("tokens", "a cached token, by the number of tokens in memory", "tokens", "ns", counts)
    for count in counts:
        store = MemoryTokenStore()
        made = [contestants.credentials(server, client_id=f"application-{n}", store=store) for n in range(count)]
        for held, client in made:
            held.get_token()
            client.close()
        turn = itertools.cycle([held for held, _ in made])
        taken = in_turns({OURS: lambda turn=turn: next(turn).get_token()}, effort)  # type: ignore[misc]
        curve.values.setdefault(OURS, []).append(taken[OURS][0] * 1e9)
    return [curve]


def by_processes(server: Server, effort: Effort) -> list[Curve]:
    counts = [1, 2] if effort.short else [1, 2, 4, 8, 16]
    renewal = Curve(
        "renewal", "processes on one store: from the start until each has the one new token", "processes", "ms", counts
    )
    read = Curve("store", "processes on one store: a token that another process got", "processes", "ms", counts)
    for kind, store in (("a file", _file), ("Redis", _redis)):
        for curve in (renewal, read):
            curve.values[kind] = []
        for count in counts:
            try:
                with store() as where:
                    taken: tuple[Value, Value] = _processes(server, where, count)
            except NotMeasured as why:
                taken = (f"not measured: {why}", f"not measured: {why}")
            renewal.values[kind].append(taken[0])
            read.values[kind].append(taken[1])
    return [renewal, read]


WORKER = """
import sys, time
from benchmarks.contestants import credentials
from benchmarks.scale import store_at
from benchmarks.server import Server
held, reader = (credentials(Server({url!r}, None), "/slow/20", store=store_at({where!r}))[0] for _ in range(2))
print("ready", flush=True)
sys.stdin.readline()
started = time.monotonic()
token = held.get_token().token
ended = time.monotonic()
reader.get_token()
print(token, started, ended, time.monotonic() - ended, flush=True)
"""


def _processes(server: Server, where: str, count: int) -> tuple[float, float]:
    """Return the milliseconds until the last process has the new token, and those for a token from the store."""
    program = WORKER.format(url=server.url, where=where)
    root = Path(__file__).parent.parent
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", program], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    results = []
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        printed, _ = worker.communicate(timeout=60)
        results.append(printed.split())
    if len({token for token, *_ in results}) != 1:
        raise RuntimeError(f"{count} processes on one store ({where}) asked for more than one token")
    started = min(float(start) for _, start, _, _ in results)
    last = max(float(end) for _, _, end, _ in results)
    return (last - started) * MILLISECONDS, median(float(read) for *_, read in results) * MILLISECONDS


def store_at(where: str) -> Any:
    return RedisTokenStore(where) if where.startswith("redis:") else FileTokenStore(where)


@contextmanager
def _file() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield str(Path(folder, "tokens"))


@contextmanager
def _redis() -> Iterator[str]:
    """Run a new, empty Redis and yield its URL."""
    try:
        import redis
    except ImportError as error:
        raise NotMeasured(f"{error}") from None
    if shutil.which("redis-server") is None:
        raise NotMeasured("there is no redis-server here")
    with tempfile.TemporaryDirectory() as folder:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                connection = redis.Redis(port=port)
                for _ in range(100):
                    try:
                        connection.ping()
                        break
                    except redis.ConnectionError:
                        time.sleep(0.05)
                connection.close()
                yield f"redis://127.0.0.1:{port}/0"
            finally:
                process.terminate()


# Commands that are sent once for each connection, or by this measurement.
CONNECTION_COMMANDS = {f"cmdstat_{name}" for name in ("auth", "client|setinfo", "hello", "info", "ping", "select")}


def redis_operations(server: Server, _: Effort) -> list[Row]:
    """Count the commands with the statistics of Redis itself."""
    row = Row("operations of Redis", "commands", "")
    subjects = ("a renewal", "a token that another process got")
    try:
        with _redis() as where:
            import redis

            connection = redis.Redis.from_url(where)

            def commands() -> int:
                statistics: Any = connection.info("commandstats")
                return sum(of["calls"] for name, of in statistics.items() if name not in CONNECTION_COMMANDS)

            for subject in subjects:
                held, client = contestants.credentials(server, store=store_at(where))
                before = commands()
                held.get_token()
                row.values[subject] = float(commands() - before)
                client.close()
            connection.close()
    except NotMeasured as why:
        row.values.update(dict.fromkeys(subjects, f"not measured: {why}"))
    return [row]
