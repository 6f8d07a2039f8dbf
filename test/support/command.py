"""The command `bluejeans-auth`, as others run it: in a process, with an environment of its own."""

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
    """What a shell has whose home is `folder`, and where a person is who signs in."""
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("BLUEJEANS_", "XDG_")) and n != "DISPLAY"}
    browser = {"BROWSER": f"{sys.executable} {BROWSER_USER} %s", "USER_PAGE_FILE": str(folder / "seen.html")}
    # Tests on a machine with a proxy talk to this one.
    made = {**inherited, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "NO_PROXY": "*", **browser}
    if sandbox is not None:
        made.update(of_client(sandbox))
    return {**made, **settings}


def of_client(sandbox: Sandbox) -> dict[str, str]:
    return {
        "BLUEJEANS_HOST": sandbox.url,
        "BLUEJEANS_CLIENT_ID": sandbox.client_id,
        "BLUEJEANS_CLIENT_SECRET": sandbox.client_secret,
    }


def run(*arguments: str, env: Mapping[str, str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal. No secret that it is given is in what it prints."""
    ended = subprocess.run(
        [sys.executable, *COMMAND, *arguments],
        env=dict(env),
        text=True,
        check=False,
        start_new_session=True,
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )
    shown = (ended.stdout or "") + (ended.stderr or "")
    assert [name for name in SECRETS & env.keys() if env[name] and env[name] in shown] == []
    return ended
