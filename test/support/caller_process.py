"""Run `caller.py` in a separate process and search its output for secrets."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from support.caller import SECRETS

CALLER = Path(__file__).with_name("caller.py")
GRANT = {"access_token": SECRETS["granted_token"], "expires_in": 3600}
TIMEOUT = 60  # seconds; generous, because the machine may be busy


@dataclass
class Outcome:
    """The outcome of a call: the class and attributes of the exception, or `data` with an empty `kind`."""

    kind: str
    seconds: float
    ended: float
    memory: int
    data: Any = None
    text: str = ""
    status: int | None = None
    reason: str = ""
    body: str | None = None
    attempts: int = 1
    retryable: bool = False
    retry_after: float | None = None
    output: str = ""


class Caller:
    """A running `caller.py`."""

    def __init__(self, results: Path, plan: dict[str, Any], environment: dict[str, str]) -> None:
        self._results = results
        self._lines: list[str] = []
        self._has_line = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-u", str(CALLER), str(results)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1", **environment},
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(plan).encode())
        self._process.stdin.close()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            for line in stdout:
                with self._has_line:
                    self._lines.append(line.decode("utf-8", "replace"))
                    self._has_line.notify_all()

    def wait_until_it_says(self, text: str) -> str:
        """Wait for a line of output that contains `text`, and return it."""
        with self._has_line:
            found = self._has_line.wait_for(lambda: [line for line in self._lines if text in line], TIMEOUT)
            assert found, "".join(self._lines)
            return found[0]

    def interrupt(self) -> float:
        """Call `press_ctrl_c` for this program."""
        return press_ctrl_c(self._process)

    def outcomes(self) -> list[Outcome]:
        """Return the outcomes of the calls, after checking that the output contains no secret."""
        self._process.wait(TIMEOUT)
        self._reader.join(TIMEOUT)
        output = "".join(self._lines)
        assert secrets_shown(output) == []
        assert self._process.returncode == 0, output
        assert "ResourceWarning" not in output
        return [Outcome(**outcome, output=output) for outcome in json.loads(self._results.read_text("utf-8"))]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()


def press_ctrl_c(process: subprocess.Popen[Any]) -> float:
    """Press Ctrl-C once a program waits, and return the time, on the monotonic clock that all processes share.

    Python ignores a Ctrl-C in some places, such as during an import, and delays one that arrives as a wait begins.
    So, if the system reports the state of a process, this function first waits until the main thread sleeps.
    """
    status = Path(f"/proc/{process.pid}/stat")
    end = time.monotonic() + TIMEOUT
    # S: the main thread sleeps. Z: the process has exited.
    while status.exists() and status.read_text("utf-8").rpartition(")")[2].split()[0] not in "SZ":
        assert time.monotonic() < end, "it does not wait for anything"
        time.sleep(0.001)
    now = time.monotonic()
    process.send_signal(signal.SIGINT)
    return now


def secrets_shown(output: str) -> list[str]:
    """Return the names of the secrets that appear in the output of a program, in any form."""

    def forms(value: str) -> set[str]:
        in_json = json.dumps(value)[1:-1]
        in_base64 = {base64.b64encode(f"{before}{value}".encode()).decode() for before in ("", "a-user:")}
        in_urls = {quote(value), quote(value, ""), quote_plus(value)}
        return {value, repr(value)[1:-1], in_json, json.dumps(in_json)[1:-1], *in_base64, *in_urls}

    return [name for name, value in SECRETS.items() if any(form in output for form in forms(value))]
