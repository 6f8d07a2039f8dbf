"""A real Redis for the tests: a process of its own, on a free port and on a Unix socket."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from support.recording_server import unused_port

PASSWORD = "canary-redis-password-5e3b"


@dataclass
class RedisServer:
    """Where it listens, and what can be done to it."""

    process: subprocess.Popen[bytes]
    port: int
    socket: Path

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, decode_responses=True)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """It takes connections, as its kernel does for it, and says nothing."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def redis_server(folder: Path, **settings: object) -> Iterator[RedisServer]:
    """One that runs. Tests are skipped where there is none, unless nothing may be (as in CI)."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("BLUEJEANS_TEST_SKIPS_NOTHING"):
            pytest.fail("redis-server is not installed")
        pytest.skip("redis-server is not installed (Debian's package redis-server)")
    port, socket = unused_port(), folder / "redis.sock"
    options = {"port": port, "unixsocket": socket, "requirepass": PASSWORD, "save": "", "dir": folder, **settings}
    command = [
        program,
        *(part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))),
    ]
    with subprocess.Popen(
        [*command, "--bind", "127.0.0.1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        said = b""
        while b"Ready to accept connections" not in said and b"ready to accept connections" not in said:
            line = process.stdout.readline()
            assert line, said.decode()
            said += line
        try:
            yield RedisServer(process, port, socket)
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
