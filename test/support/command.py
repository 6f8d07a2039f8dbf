"""Run the command `bluejeans-auth` in a separate process with its own environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from BlueJeansMeetingsRestApi.sandbox import Sandbox
from support.sandbox_environment import SECRETS

COMMAND = ("-W", "error", "-m", "BlueJeansMeetingsRestApi")
BROWSER_USER = Path(__file__).with_name("browser_user.py")


def environment(folder: Path, sandbox: Sandbox | None = None, **settings: str) -> dict[str, str]:
    """Return the environment variables of a shell with `folder` as home directory and a user who signs in."""
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("BLUEJEANS_", "XDG_")) and n != "DISPLAY"}
    browser = {"BROWSER": f"{sys.executable} {BROWSER_USER} %s", "USER_PAGE_FILE": str(folder / "seen.html")}
    # The tests send requests to this machine even if the environment configures a proxy.
    variables = {**inherited, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "NO_PROXY": "*", **browser}
    if sandbox is not None:
        variables.update(of_client(sandbox))
    return {**variables, **settings}


def of_client(sandbox: Sandbox) -> dict[str, str]:
    return {
        "BLUEJEANS_HOST": sandbox.url,
        "BLUEJEANS_CLIENT_ID": sandbox.client_id,
        "BLUEJEANS_CLIENT_SECRET": sandbox.client_secret,
    }


def run(*arguments: str, env: Mapping[str, str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal, and check that its output contains no secret of its environment."""
    finished = subprocess.run(
        [sys.executable, *COMMAND, *arguments],
        env=dict(env),
        text=True,
        check=False,
        start_new_session=True,
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )
    output = (finished.stdout or "") + (finished.stderr or "")
    assert [name for name in SECRETS & env.keys() if env[name] and env[name] in output] == []
    return finished
