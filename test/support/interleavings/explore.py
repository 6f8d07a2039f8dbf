"""Explores a case: all its interleavings, those with few preemptions, or random ones."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

from BlueJeansMeetingsRestApi.token_stores import MemoryTokenStore, TokenStore
from support.interleavings.scheduler import Choices, Scheduler, Violation, Visited
from support.interleavings.world import Case, LeaseStore, World

MakeStore = Callable[[str], "TokenStore | None"]


@dataclass
class Result:
    """The exploration of a case. schedules: complete runs. pruned: runs that reached a known state."""

    case: Case
    schedules: int = 0
    pruned: int = 0
    states: int = 0
    seconds: float = 0.0
    violation: str = ""
    trace: str = ""
    replay: str = ""


def new_store(kind: str) -> TokenStore | None:
    """Return a new store in memory."""
    return {"none": lambda: None, "memory": MemoryTokenStore, "lease": LeaseStore}[kind]()


def explore(
    case: Case,
    max_preemptions: int | None = None,
    seeds: range | None = None,
    make_store: MakeStore = new_store,
    stop_after: float | None = None,
) -> Result:
    """Explore a case up to its first violation.

    max_preemptions: None for all interleavings. seeds: of random ones instead. stop_after: seconds.
    """
    result = Result(case)
    visited: set[Hashable] | None = set() if seeds is None and make_store is new_store else None
    began = time.monotonic()
    with quiet():
        for choices in _each(seeds):
            _run(result, choices, visited, max_preemptions, make_store)
            is_late = stop_after is not None and time.monotonic() - began > stop_after
            if result.violation or is_late:
                break
    result.states, result.seconds = len(visited or ()), time.monotonic() - began
    return result


def replay(case: Case, seed: int | None = None, choices: Sequence[int] = ()) -> Result:
    """Run the one schedule that a seed or a list of choices determines."""
    result = Result(case)
    with quiet():
        _run(result, Choices(choices, seed), None, None, new_store)
    return result


def _each(seeds: range | None) -> Iterator[Choices]:
    if seeds is not None:
        yield from (Choices(seed=seed) for seed in seeds)
        return
    prefix: list[int] | None = []
    while prefix is not None:
        choices = Choices(prefix)
        yield choices
        prefix = choices.next_prefix()


def _run(
    result: Result, choices: Choices, visited: set[Hashable] | None, max_preemptions: int | None, make_store: MakeStore
) -> None:
    scheduler = Scheduler(choices, visited, max_preemptions)
    world = World(result.case, scheduler, make_store)
    try:
        scheduler.run()
        scheduler.current = None
        world.check_end()
        result.schedules += 1
        result.trace = " ".join(scheduler.trace)
    except Visited:
        result.pruned += 1
    except Violation as error:
        result.schedules += 1
        result.violation, result.trace = str(error), " ".join(scheduler.trace)
        result.replay = ",".join(map(str, choices.made))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Disable logging, which takes longer than the runs."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
