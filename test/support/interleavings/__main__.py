"""Explore all cases and mutants, and print a table: `PYTHONPATH=test python -m support.interleavings`."""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from support.interleavings import cases
from support.interleavings.explore import Result, explore, replay
from support.interleavings.mutants import MUTANTS
from support.redis_server import redis_server

PAGE = Path(__file__).parents[3] / "docs" / "INTERLEAVINGS.md"
MARK = re.compile(r"(<!-- results -->\n).*(<!-- end of results -->)", re.DOTALL)
SEEDS = range(5_000)
SEEDS_OF_REAL_STORES = range(200)


def main() -> int:
    """Explore the cases. The exit status is 1 if an invariant does not hold, or a mutant is not found."""
    parser = argparse.ArgumentParser(prog="python -m support.interleavings", description=__doc__)
    parser.add_argument("--docs", action="store_true", help="write the table into docs/INTERLEAVINGS.md")
    parser.add_argument("--small", action="store_true", help="explore only the small cases and the mutants")
    parser.add_argument("--case", metavar="NAME", help="run a single schedule of this case, and print its steps")
    parser.add_argument("--seed", type=int, help="the seed of the schedule")
    parser.add_argument("--choices", help="the choices of the schedule, separated by commas")
    options = parser.parse_args()
    if options.case:
        return _replay(options.case, options.seed, options.choices)
    rows: list[str] = []
    failed = [result for result in _results(options.small, rows) if result.violation]
    for result in failed:
        sys.stderr.write(f"{result.case.name}: {result.violation}\n  {result.trace}\n  --choices {result.replay}\n")
    missed = _mutants(rows)
    if options.docs and not (failed or missed):
        table = "\n".join(rows)
        PAGE.write_text(MARK.sub(lambda match: f"{match[1]}{table}\n{match[2]}", PAGE.read_text("utf-8")), "utf-8")
    return 1 if failed or missed else 0


def _results(only_small: bool, rows: list[str]) -> list[Result]:
    groups: list[tuple[str, tuple[cases.Case, ...], Callable[[cases.Case], Result]]] = [
        ("complete", cases.SMALL, explore)
    ]
    results: list[Result] = []
    with contextlib.ExitStack() as stack:
        if not only_small:
            groups += [
                ("complete", cases.LARGE, explore),
                ("up to 3 preemptions", cases.BOUNDED, lambda case: explore(case, max_preemptions=3)),
                ("random", cases.RANDOM, lambda case: explore(case, seeds=SEEDS)),
            ]
            files = stack.enter_context(cases.file_stores())
            stores = [("random, file store", files)]
            if shutil.which("redis-server"):
                server = stack.enter_context(redis_server(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
                stores.append(("random, Redis store", stack.enter_context(cases.redis_stores(server.url))))
            for kind, make in stores:
                groups.append(
                    (kind, cases.REAL_STORES, lambda case, make=make: explore(case, None, SEEDS_OF_REAL_STORES, make))
                )
        _print(rows, "| Case | Explored | Schedules | States | Seconds |\n| --- | --- | --- | --- | --- |")
        for kind, group, run in groups:
            for case in group:
                result = run(case)
                results.append(result)
                schedules = result.schedules + result.pruned
                states = f"{result.states:,}" if result.states else ""
                _print(rows, f"| {case.name} | {kind} | {schedules:,} | {states} | {result.seconds:.0f} |")
    total = sum(result.schedules + result.pruned for result in results)
    _print(rows, f"\n{len(results)} cases, {total:,} schedules, no violation of an invariant.\n")
    return results


def _mutants(rows: list[str]) -> list[str]:
    """Return the mutants that the exploration did not find."""
    missed = []
    _print(rows, "| Mutant | Found as | After schedules |\n| --- | --- | --- |")
    for mutant in MUTANTS:
        with mutant.applied():
            result = explore(mutant.case)
        if mutant.violation not in result.violation or not result.violation:
            missed.append(mutant.name)
            sys.stderr.write(f"not found: {mutant.name}\n")
        _print(rows, f"| {mutant.name} | {result.violation} | {result.schedules + result.pruned:,} |")
    return missed


def _print(rows: list[str], row: str) -> None:
    rows.append(row)
    print(row, flush=True)


def _replay(name: str, seed: int | None, choices: str | None) -> int:
    case = next(one for one in (*cases.SMALL, *cases.LARGE, *cases.BOUNDED, *cases.RANDOM) if one.name == name)
    result = replay(case, seed, [int(choice) for choice in (choices or "").split(",") if choice])
    print(result.trace)
    print(result.violation or "no violation")
    return 1 if result.violation else 0


if __name__ == "__main__":
    sys.exit(main())
