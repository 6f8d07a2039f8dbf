"""Time functions on one core, in alternating turns, and report medians."""

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
    """The reason why something cannot be measured on this system or at all."""


@dataclass(frozen=True)
class Effort:
    """The effort of a measurement.

    rounds: number of turns of each subject
    turn: duration of a turn in seconds
    """

    rounds: int
    turn: float
    short: bool


FULL = Effort(rounds=41, turn=0.025, short=False)
SHORT = Effort(rounds=3, turn=0.002, short=True)

Value = Union[float, str]


@dataclass
class Row:
    """A row of the results.

    values: for each subject, a number in `unit` or the reason why there is none
    reference: the subject with the ratio 1.00
    target: the ratio that this SDK should reach
    more: whether higher ratios are better
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
    """Pin this process and its children to one core, and return a description of the outcome."""
    if not hasattr(os, "sched_setaffinity"):
        return "on all cores: this system pins no process"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"client and server on core {core}"


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Exclude existing objects from garbage collection, because the many imports here would slow every subject down."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def in_turns(subjects: Mapping[str, Callable[[], Any]], effort: Effort) -> dict[str, tuple[float, float]]:
    """Return the median wall time and CPU time of a run of each subject in seconds, measured in alternating turns."""
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
    """Return the number of runs that take about `seconds`. These runs also warm up the subject."""
    times = 1
    while (taken := _timed(run, times)[0] * times) < seconds:
        times = max(times + 1, min(times * 10, round(times * seconds / max(taken, 1e-9))))
    return times
