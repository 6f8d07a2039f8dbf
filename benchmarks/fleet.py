"""A fleet of workers over a day, all started at once: how many requests a second its tokens cost the service.

A simulation with a seeded clock. The SDK decides when a token is refreshed; nothing else of it takes part, and
the service answers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from BlueJeansMeetingsRestApi.credentials.token import refresh_due

from .measuring import Effort

DAY = 24 * 3600
LIFETIME = 3600  # seconds that a token holds
ON_ONE_MACHINE = 16  # workers that share a file


def refresh_moments(lifetime: float) -> tuple[float, float]:
    """Seconds after a grant, between which the SDK refreshes its token. Each process has its own moment."""
    return lifetime - refresh_due(lifetime, 0.0), lifetime - refresh_due(lifetime, 1.0)


@dataclass
class Load:
    """Requests a second at the service. start: in the first one. peak: the most in a later one. mean: over the day."""

    start: int
    peak: int
    mean: float


def simulate(workers: int, sharing: int = 1, jitter: bool = True, seed: int = 7) -> Load:
    """The load of so many workers, of which each `sharing` have one store: the first of them refreshes for all."""
    import numpy

    earliest, latest = refresh_moments(LIFETIME)
    sharing = min(sharing, workers)
    stores = -(-workers // sharing)
    # The first of `sharing` moments that are drawn evenly.
    drawn = 1 - numpy.random.default_rng(seed).random(stores) ** (1 / sharing) if jitter else numpy.zeros(stores)
    period = earliest + (latest - earliest) * drawn
    requests = numpy.zeros(DAY, dtype=numpy.int64)
    due: Any = numpy.zeros(stores)
    while due.size:
        requests += numpy.bincount(due.astype(numpy.int64), minlength=DAY)
        due = due + period
        period, due = period[due < DAY], due[due < DAY]
    return Load(int(requests[0]), int(requests[1:].max()), float(requests.sum()) / DAY)


def loads(effort: Effort) -> dict[str, dict[int, Load]]:
    """By what the workers do, and by how many they are."""
    sizes = [10, 1000] if effort.short else [10**power for power in range(1, 7)]
    return {
        "memory, no jitter": {size: simulate(size, jitter=False) for size in sizes},
        "memory": {size: simulate(size) for size in sizes},
        f"a file for {ON_ONE_MACHINE} workers": {size: simulate(size, ON_ONE_MACHINE) for size in sizes},
        "one Redis": {size: simulate(size, size) for size in sizes},
    }
