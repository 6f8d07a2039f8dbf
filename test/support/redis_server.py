"""A real Redis for the tests, in a separate process, on a free port and on a Unix socket."""

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
    """A running Redis: its process, its TCP port and its Unix socket."""

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
        """Suspend the process: the kernel still accepts connections, but Redis does not respond."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def redis_server(folder: Path, **settings: object) -> Iterator[RedisServer]:
    """Run Redis during a `with` block.

    If Redis is not installed, skip the test, or fail it if BLUEJEANS_TEST_SKIPS_NOTHING is set, as in CI.
    """
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
        output = b""
        while b"Ready to accept connections" not in output and b"ready to accept connections" not in output:
            line = process.stdout.readline()
            assert line, output.decode()
            output += line
        try:
            yield RedisServer(process, port, socket)
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
