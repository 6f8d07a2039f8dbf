"""Simulate a fleet of workers over a day and count its token requests per second.

All workers start at once, the random generator is seeded, and the service responds immediately. From the SDK, the
simulation uses only the function that decides when to refresh a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from BlueJeansMeetingsRestApi.token_life import renewal_due

from .measuring import Effort

DAY = 24 * 3600
LIFETIME = 3600  # lifetime of a token, in seconds
ON_ONE_MACHINE = 16  # workers that share a file


def renewal_moments(lifetime: float) -> tuple[float, float]:
    """Return the earliest and latest time of a refresh, in seconds after the grant; each process draws its own."""
    return lifetime - renewal_due(lifetime, 0.0), lifetime - renewal_due(lifetime, 1.0)


@dataclass
class Load:
    """Requests per second at the service.

    start: in the first second
    peak: the maximum in a later second
    mean: the average over the day
    """

    start: int
    peak: int
    mean: float


def simulate(workers: int, sharing: int = 1, jitter: bool = True, seed: int = 7) -> Load:
    """Return the load of `workers`; each group of `sharing` workers has one store, and the first refreshes for all."""
    import numpy

    earliest, latest = renewal_moments(LIFETIME)
    sharing = min(sharing, workers)
    stores = -(-workers // sharing)
    # The minimum of `sharing` uniformly distributed moments.
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
    """Return the load by the kind of token store and by the number of workers."""
    sizes = [10, 1000] if effort.short else [10**power for power in range(1, 7)]
    return {
        "memory, no jitter": {size: simulate(size, jitter=False) for size in sizes},
        "memory": {size: simulate(size) for size in sizes},
        f"a file for {ON_ONE_MACHINE} workers": {size: simulate(size, ON_ONE_MACHINE) for size in sizes},
        "one Redis": {size: simulate(size, size) for size in sizes},
    }
