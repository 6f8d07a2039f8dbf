"""A clock that the tests control, together with the clock of the sandbox."""

from __future__ import annotations

from BlueJeansMeetingsRestApi.sandbox import Sandbox
from BlueJeansMeetingsRestApi.token_life import Clock


class FakeClock(Clock):
    """A clock that advances only on request and advances the clock of the sandbox as well."""

    def __init__(self, sandbox: Sandbox, boot_id: str = "a boot") -> None:
        self._sandbox = sandbox
        self.boot_id = boot_id  # type: ignore[misc]
        self._wall, self._boot = 1_800_000_000.0, 1000.0

    def wall(self) -> float:
        return self._wall

    def boot(self) -> float:
        return self._boot

    def forward(self, seconds: float) -> None:
        """Advance all clocks by `seconds`."""
        self._wall += seconds
        self._boot += seconds
        self._sandbox.advance(seconds)

    def set_wall(self, seconds: float) -> None:
        """Change the wall clock alone by `seconds`, which may be negative."""
        self._wall += seconds
