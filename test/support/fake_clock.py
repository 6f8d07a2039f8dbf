"""A clock that tests set, and that the sandbox goes by too."""

from __future__ import annotations

from BlueJeansMeetingsRestApi.credentials.token import Clock
from BlueJeansMeetingsRestApi.sandbox import Sandbox


class FakeClock(Clock):
    """Stands still until it is told to go on; the tokens of the sandbox age as it does."""

    def __init__(self, sandbox: Sandbox, boot_id: str = "a boot") -> None:
        self._sandbox = sandbox
        self.boot_id = boot_id  # type: ignore[misc]
        self._wall, self._boot = 1_800_000_000.0, 1000.0

    def wall(self) -> float:
        return self._wall

    def boot(self) -> float:
        return self._boot

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self._wall += seconds
        self._boot += seconds
        self._sandbox.advance(seconds)

    def set_wall(self, seconds: float) -> None:
        """Set the time of day so far forward, or back."""
        self._wall += seconds
