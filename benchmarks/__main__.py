"""Run the benchmarks and print the results.

The exit status is 1 if a contestant fails or a result is missing. Slow results are not a failure.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import sys
import traceback
from pathlib import Path
from typing import Any, Callable

from . import fleet, report, rows, scale
from .measuring import FULL, SHORT, Effort, Row, pin
from .scale import Curve
from .server import running


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measures what docs/PERFORMANCE.md says."
    )
    arguments.add_argument("--short", action="store_true", help="only see whether everything can be measured")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    arguments.add_argument("--docs", action="store_true", help="renew the numbers and plots of docs/PERFORMANCE.md")
    options = arguments.parse_args()
    results, broken = measure(SHORT if options.short else FULL)
    sys.stdout.write(report.text(results) + "\n")
    if options.json:
        options.json.write_text(results.json(), encoding="utf-8")
    if options.docs and not broken:
        report.write_page(results)
    for name in [*broken, *results.missing()]:
        sys.stderr.write(f"missing: {name}\n")
    return 1 if broken or results.missing() else 0


def measure(effort: Effort) -> tuple[report.Results, list[str]]:
    """Return the results and the names of the benchmarks that failed."""
    broken: list[str] = []
    table: list[Row] = []
    curves: list[Curve] = []

    def attempt(what: Callable[..., Any], *args: Any) -> Any:
        sys.stderr.write(f"{what.__module__}.{what.__name__}\n")
        try:
            return what(*args, effort)
        except Exception:
            traceback.print_exc()
            broken.append(f"{what.__module__}.{what.__name__}")
            return []

    environment = {"Python": platform.python_version(), "on": pin()}
    for package in (
        "urllib3",
        "requests",
        "httpx",
        "requests-oauthlib",
        "Authlib",
        "google-auth",
        "msal",
        "azure-identity",
    ):
        environment[package] = importlib.metadata.version(package)
    with running() as plain, running(tls=True) as secure:
        for what in (rows.calls, rows.first_calls):
            table += [*attempt(what, plain), *attempt(what, secure)]
        table += attempt(rows.threads, plain)
        table += attempt(rows.cached_tokens, secure)
        table += attempt(rows.deserializing)
        table += attempt(rows.imports)
        table += attempt(rows.memory_left, plain)
        table += attempt(rows.renewal, plain)
        table += attempt(scale.redis_operations, plain)
        curves += attempt(scale.by_threads, plain)
        curves += attempt(scale.by_processes, plain)
        curves += attempt(scale.by_size, plain)
        curves += attempt(scale.by_tokens, plain)
    return report.Results(environment, table, curves, attempt(fleet.loads)), broken


if __name__ == "__main__":
    sys.exit(main())
