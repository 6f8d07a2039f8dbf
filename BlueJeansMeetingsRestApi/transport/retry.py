"""`RetryPolicy`: how often a request is sent, after which failures, and with which pauses."""

from __future__ import annotations

import email.utils
import random
import time
from typing import NamedTuple


class RetryPolicy(NamedTuple):
    """When a request that failed is sent again.

    attempts: the maximum number of attempts; 1 for no retry. statuses: the HTTP statuses that are retried.
    backoff: the longest pause before the second attempt, in seconds. It doubles with each further attempt.
    """

    attempts: int = 3
    statuses: tuple[int, ...] = (429, 502, 503, 504)
    backoff: float = 0.5

    def pause(self, attempt: int, retry_after: float | None = None) -> float:
        """Return the seconds to wait after a number of attempts.

        It is what `retry_after` requests, or random up to a limit that doubles (exponential backoff with full jitter).
        """
        return random.uniform(0, self.backoff * 2 ** (attempt - 1)) if retry_after is None else retry_after


def parse_retry_after(value: str | None) -> float | None:
    """Return the seconds from now that a Retry-After header contains (RFC 9110 section 10.2.3), or None."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = email.utils.parsedate_tz(value)
        return None if moment is None else max(0.0, email.utils.mktime_tz(moment) - time.time())
    except (ValueError, TypeError, OverflowError, IndexError):  # such as a month 99
        return None
