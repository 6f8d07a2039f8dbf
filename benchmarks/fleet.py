"""A fleet of workers over a day, all started at once: how many requests a second its tokens cost the service.

A simulation with a seeded clock. When a token is renewed is the SDK's own decision; nothing else of it takes part, and
the service answers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .measuring import Effort, NotMeasured

DAY = 24 * 3600
LIFETIME = 3600  # seconds that a token holds
ON_ONE_MACHINE = 16  # workers that share a file


def renewal_window(lifetime: float) -> tuple[float, float]:
    """Seconds after a grant: when a worker may begin to renew it, and when it has to. It draws a moment in between."""
    try:
        from BlueJeansMeetingsRestApi.credentials import renewal_window as of_the_sdk
    except ImportError as error:
        raise NotMeasured(f"{error}") from None
    earliest, latest = of_the_sdk(lifetime)
    return earliest, latest


@dataclass
class Load:
    """Requests a second at the service. start: in the first one. peak: the most in a later one. mean: over the day."""

    start: int
    peak: int
    mean: float


def simulate(workers: int, window: tuple[float, float], sharing: int = 1, jitter: bool = True, seed: int = 7) -> Load:
    """The load of so many workers, of which each `sharing` have one store: who draws first renews for all of them."""
    import numpy

    chance = numpy.random.default_rng(seed)
    earliest, latest = window
    sharing = min(sharing, workers)
    stores = -(-workers // sharing)
    requests = numpy.zeros(DAY, dtype=numpy.int64)
    due: Any = numpy.zeros(stores)
    while due.size:
        requests += numpy.bincount(due.astype(numpy.int64), minlength=DAY)
        # The first of `sharing` moments that are drawn evenly.
        drawn = 1 - chance.random(due.size) ** (1 / sharing) if jitter else 0.0
        due = due + earliest + (latest - earliest) * drawn
        due = due[due < DAY]
    return Load(int(requests[0]), int(requests[1:].max()), float(requests.sum()) / DAY)


def loads(effort: Effort) -> dict[str, dict[int, Load]]:
    """By what the workers do, and by how many they are."""
    window = renewal_window(LIFETIME)
    sizes = [10, 1000] if effort.short else [10**power for power in range(1, 7)]
    return {
        "memory, no jitter": {size: simulate(size, window, jitter=False) for size in sizes},
        "memory": {size: simulate(size, window) for size in sizes},
        f"a file for {ON_ONE_MACHINE} workers": {size: simulate(size, window, ON_ONE_MACHINE) for size in sizes},
        "one Redis": {size: simulate(size, window, size) for size in sizes},
    }
