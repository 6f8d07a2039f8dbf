"""How things are timed: on one core, in turns, and by medians."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, Union


class NotMeasured(Exception):
    """Why something cannot be measured, here or at all."""


@dataclass(frozen=True)
class Effort:
    """How long to measure. rounds: how often each takes its turn. turn: how many seconds a turn lasts."""

    rounds: int
    turn: float
    short: bool


FULL = Effort(rounds=41, turn=0.025, short=False)
SHORT = Effort(rounds=3, turn=0.002, short=True)

Value = Union[float, str]


@dataclass
class Row:
    """One line of the results.

    values: a number in `unit` for each subject, or in words why there is none.
    reference: the subject that is 1.00. target: the ratio that ours is to reach; what is more than it if `more`.
    """

    name: str
    unit: str
    reference: str
    target: float | None = None
    more: bool = False
    values: dict[str, Value] = field(default_factory=dict)

    def ratio(self, subject: str) -> float | None:
        value, reference = self.values[subject], self.values.get(self.reference)
        if isinstance(value, str) or isinstance(reference, str) or not reference:
            return None
        return value / reference


def pin() -> str:
    """Keep this process, and those that it starts, on one core; what came of it."""
    if not hasattr(os, "sched_setaffinity"):
        return "on all cores: this system pins no process"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"client and server on core {core}"


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """What lies about from before is not looked at again: all that is imported here would slow each of them down."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def in_turns(subjects: Mapping[str, Callable[[], Any]], effort: Effort) -> dict[str, tuple[float, float]]:
    """Seconds of time and of CPU that one run of each takes: the medians of turns that alternate."""
    turns: dict[str, list[tuple[float, float]]] = {name: [] for name in subjects}
    runs = {name: _runs(run, effort.turn) for name, run in subjects.items()}
    names = list(subjects)
    with without_garbage_collection():
        for _ in range(effort.rounds):
            for name in names:
                turns[name].append(_timed(subjects[name], runs[name]))
            names.append(names.pop(0))
    return {name: (median(wall for wall, _ in taken), median(cpu for _, cpu in taken)) for name, taken in turns.items()}


def median(values: Any) -> float:
    return float(statistics.median(values))


def _timed(run: Callable[[], Any], times: int) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        run()
    return (time.perf_counter() - wall) / times, (time.process_time() - cpu) / times


def _runs(run: Callable[[], Any], seconds: float) -> int:
    """How many runs take about so long. They warm up what is measured, too."""
    times = 1
    while (taken := _timed(run, times)[0] * times) < seconds:
        times = max(times + 1, min(times * 10, round(times * seconds / max(taken, 1e-9))))
    return times
