"""The shared objects of a case: the service, the store, the processes, and the invariants that are checked."""

from __future__ import annotations

import contextlib
import functools
import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest import mock

from BlueJeansMeetingsRestApi.credentials import refresher as module
from BlueJeansMeetingsRestApi.credentials.attempt import Attempt
from BlueJeansMeetingsRestApi.credentials.refresher import TokenRefresher
from BlueJeansMeetingsRestApi.credentials.shared_token import SharedToken
from BlueJeansMeetingsRestApi.credentials.token import AccessToken, Clock, HeldToken
from BlueJeansMeetingsRestApi.exceptions import ApiException, ApiTimeoutError, ReauthenticationRequired, ServiceError
from BlueJeansMeetingsRestApi.token_stores import MemoryTokenStore, StoredToken, TokenStore, TokenStoreError
from support.interleavings.scheduler import Event, FakeThreads, Scheduler, Violation

LIFETIME = 3600.0
TIMEOUT = 30.0
EPOCH = 1_800_000_000.0
KEY = "key"


@dataclass(frozen=True)
class Case:
    """A case to explore.

    threads: how many call `get_token` in each process. calls: how often each does.
    token: the token that they begin with: none, fresh, due or expired.
    outcomes: of the requests: success, refusal, failure, timeout or interrupt (Ctrl-C); then success.
    grant: client or refresh. store: none, memory, lease, file or redis.
    crashes, lost_leases, failed_writes: how many of them occur, at any point.
    invalidate: whether one more thread of each process invalidates the token that it gets.
    background: refresh in the background. timeouts: of the callers in seconds; the last one is repeated.
    jumps: by how much the clock advances between any two steps, once each, in seconds.
    """

    name: str
    threads: tuple[int, ...] = (2,)
    calls: int = 1
    token: str = "none"
    outcomes: tuple[str, ...] = ("success",)
    grant: str = "client"
    store: str = "none"
    crashes: int = 0
    lost_leases: int = 0
    failed_writes: int = 0
    invalidate: bool = False
    background: bool = False
    timeouts: tuple[float, ...] = (TIMEOUT,)
    jumps: tuple[float, ...] = ()


class VirtualClock(Clock):
    """The scheduler's time."""

    boot_id = "a boot"  # type: ignore[assignment]

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def _read(self) -> float:
        task = self._scheduler.current
        if task is not None:
            task.observe(self._scheduler.now)
            task.read_clock_at = self._scheduler.now
        return self._scheduler.now

    def wall(self) -> float:
        return EPOCH + self._read()

    def boot(self) -> float:
        return self._read()


class Interrupted(BaseException):
    """As a Ctrl-C."""


class Service:
    """Grants tokens, and refuses a refresh token that was used."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.granted = 0
        self.requests: list[tuple[int, int, str]] = []  # process, attempt and refresh token of each
        self.newest = "R0"
        self.in_flight: set[int] = set()
        self.unanswered = 0  # responses that no process has got: their process has crashed

    def state(self) -> Hashable:
        return self.granted, tuple(self.requests), self.newest, frozenset(self.in_flight), self.unanswered

    def fetch(self, process: int, timeout: float) -> Any:
        """Respond to a request for a token."""
        world, refresher = self._world, self._world.refreshers[process]
        sent = refresher.refresh_token
        attempt = refresher.attempt_in_flight()
        world.scheduler.point("request")
        world.check_request(process, attempt, sent)
        self.requests.append((process, attempt, sent))
        self.in_flight.add(process)
        self.unanswered += 1
        outcomes = world.case.outcomes
        index = len(self.requests) - 1
        outcome = outcomes[index] if index < len(outcomes) else "success"
        if outcome == "timeout":
            world.scheduler.point("response", lambda: False, world.scheduler.now + timeout)
        grant = None
        if outcome == "success" and (world.case.grant == "client" or sent == self.newest):
            self.granted += 1
            self.newest = f"R{self.granted}" if world.case.grant == "refresh" else "R0"
            grant = SimpleNamespace(
                access_token=f"T{self.granted}",
                expires_in=LIFETIME,
                refresh_token=self.newest if world.case.grant == "refresh" else None,
            )
        if outcome != "timeout":
            world.scheduler.point("response")
        self.in_flight.discard(process)
        self.unanswered -= 1
        if grant is not None:
            return grant
        if outcome == "interrupt":
            raise Interrupted
        if outcome == "timeout":
            raise ApiTimeoutError(0, "timed out")
        if outcome == "failure":
            raise ServiceError(503, "unavailable")
        raise (
            ReauthenticationRequired(401, "refused") if world.case.grant == "refresh" else ServiceError(401, "refused")
        )


class LeaseStore(MemoryTokenStore):
    """A store in memory with fences, whose holder can lose its lease; the protocol of `RedisTokenStore`."""

    def __init__(self) -> None:
        super().__init__()
        self.fence = 0
        self.written = 0
        self.is_locked = False

    @contextlib.contextmanager
    def lock(self, key: str, seconds: float) -> Iterator[int]:
        if self.is_locked:
            raise TimeoutError
        self.fence, self.is_locked = self.fence + 1, True
        mine = self.fence
        try:
            yield mine
        finally:
            self.is_locked = self.is_locked and self.fence != mine

    def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
        if fence < self.written:
            return False
        self.written = fence
        return super().write(key, text, seconds, fence)

    def expire(self, key: str) -> None:
        self.is_locked = False


class ScheduledStore(TokenStore):
    """A store whose operations are steps of the scheduler."""

    def __init__(self, world: World, process: int, inner: TokenStore) -> None:
        super().__init__()
        self._world, self._process, self.inner = world, process, inner

    def read(self, key: str) -> str | None:
        self._world.scheduler.point("read")
        text = self.inner.read(key)
        if self._world.scheduler.current is not None:
            self._world.scheduler.current.observe(text)
        return text

    def write(self, key: str, text: str, seconds: float | None, fence: int) -> bool:
        world = self._world
        world.scheduler.point("write")
        outcome = 0
        if world.failed_writes > 0:
            outcome = world.scheduler.choose(3, "write")
            world.failed_writes -= outcome != 0
        if outcome == 1:
            raise TokenStoreError("the write failed")
        is_written = self.inner.write(key, text, seconds, fence)
        if is_written:
            world.note_write(self._process)
        if outcome == 2:
            raise TokenStoreError("the response to the write was lost")
        if world.scheduler.current is not None:
            world.scheduler.current.observe(is_written)
        return is_written

    def remove(self, key: str) -> None:
        self._world.scheduler.point("remove")
        self.inner.remove(key)

    @contextlib.contextmanager
    def lock(self, key: str, seconds: float) -> Iterator[int]:
        world, scheduler = self._world, self._world.scheduler
        deadline = scheduler.now + seconds
        while True:
            scheduler.point("store lock", lambda: world.holder is None, deadline)
            held = self.inner.lock(key, 0)
            try:
                fence = held.__enter__()
                break
            except TimeoutError:
                if scheduler.now >= deadline:
                    raise
        world.holder, world.fences[self._process] = self._process, fence
        if scheduler.current is not None:
            scheduler.current.observe(fence)
        world.release = lambda: held.__exit__(None, None, None)
        mine = object()
        world.lease = mine
        try:
            yield fence
        finally:
            if not scheduler.is_over:
                scheduler.point("store unlock")
                if world.lease is mine:
                    world.holder = world.lease = None
                held.__exit__(None, None, None)


# Attributes that threads read or write without the lock.
SHARED = frozenset({"_cached", "_held", "_refused", "_is_unsaved"})


def shared_in(case: Case) -> frozenset[str]:
    """Return the attributes that a thread writes while another one may read them: only there the order matters."""
    written_without_lock = {"_cached", "_held", "_refused"} if case.invalidate else {"_cached"}
    return frozenset(written_without_lock | ({"_is_unsaved"} if case.grant == "refresh" else set()))


class ObservedProcess(module._PerProcess):
    """The per-process state, with a scheduling point for each read without the lock."""

    def __init__(self, threads: Any, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        super().__init__(threads)
        self.jitter = 0.5

    @property
    def last(self) -> Any:
        current = self._scheduler.current
        if current is not None and not self._scheduler.is_over and self.lock.owner is not current:  # type: ignore[attr-defined]
            self._scheduler.point("last")
            current.observe(describe(self._last))
        return self._last

    @last.setter
    def last(self, value: Any) -> None:
        self._last = value


class Observed:
    """An object with scheduling points where threads share attributes."""

    world: World

    def __getattribute__(self, name: str) -> Any:
        if name in SHARED and name in object.__getattribute__(self, "world").shared:
            scheduler = object.__getattribute__(self, "world").scheduler
            if scheduler.current is not None and not scheduler.is_over:
                scheduler.point(name)
                value = object.__getattribute__(self, name)
                scheduler.current.observe(describe(value))
                return value
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in SHARED and name in self.world.shared:
            self.world.scheduler.point(f"set {name}")
        object.__setattr__(self, name, value)


class ObservedSharedToken(Observed, SharedToken):
    """The real token in the store, with scheduling points."""

    def __init__(self, world: World, *args: Any, **options: Any) -> None:
        self.__dict__["world"] = world
        super().__init__(*args, **options)

    def state(self) -> Hashable:
        """Return everything that threads can read."""
        names = ("_is_unsaved", "_refresh_token", "_predecessor", "_save_at", "_refused_refresh")
        return tuple(describe(self.__dict__[name]) for name in names)


class ObservedRefresher(Observed, TokenRefresher):
    """The real refresher, with scheduling points."""

    def __init__(self, world: World, process: int, **options: Any) -> None:
        self.__dict__["world"], self.__dict__["process"] = world, process
        self.__dict__["joined"] = {}
        with mock.patch.object(module, "SharedToken", functools.partial(ObservedSharedToken, world)):
            super().__init__(**options)

    def recreate(self) -> None:
        self._process = ObservedProcess(self._threads, self.world.scheduler)

    def attempt_in_flight(self) -> int:
        in_flight = self._process.in_flight
        return in_flight.number if in_flight is not None else 0

    def _wait_for(self, attempt: Any, allowed: float, deadline: float) -> Any:
        self.joined[self._threads.current()] = attempt
        return super()._wait_for(attempt, allowed, deadline)

    def state(self) -> Hashable:
        """Return everything that threads can read."""
        own = self.__dict__
        process = own["_process"]
        return (
            tuple(describe(own[name]) for name in ("_cached", "_held", "_refused")),
            own["_shared"].state(),
            describe(process.in_flight),
            describe(process._last),
            describe(process.due_of),
            process.started,
            process.due,
            process.failures,
            process.lock.owner is not None,
        )


def describe(value: Any) -> Hashable:
    """Return a value that is equal for equal values."""
    if isinstance(value, (AccessToken,)):
        return value.token, value.expires_at
    if isinstance(value, HeldToken):
        return describe(value.access)
    if isinstance(value, Attempt):
        return (
            value.number,
            describe(value.token),
            type(value.error).__name__,
            describe(value.before),
            value.deadline,
            value.timed_out,
            value.only_saves,
            value.is_overdue,
            value.shared_until,
            value.done.is_set(),
            len(value.received_by),
        )
    if isinstance(value, tuple):
        return tuple(map(describe, value))
    if isinstance(value, Exception):
        return type(value).__name__
    return value


@dataclass(frozen=True)
class Call:
    """A call of `get_token`. refused: the tokens that were invalidated before it began."""

    process: int
    task: int
    timeout: float
    began: float
    refused: frozenset[str]


class World:
    """One run of a case."""

    def __init__(self, case: Case, scheduler: Scheduler, make_store: Callable[[str], TokenStore | None]) -> None:
        self.case, self.scheduler, self.shared = case, scheduler, shared_in(case)
        self.service = Service(self)
        self.inner = make_store(case.store)
        self.holder: int | None = None
        self.lease: object | None = None
        self.release: Callable[[], None] = lambda: None
        self.failed_writes = case.failed_writes
        self.lease_lost = self.is_lost_in_window = False
        self.highest_fence = self.interrupted = 0
        self.fences: dict[int, int] = {}  # the last one that each process got
        self.invalidated: list[set[str]] = []
        self.results: list[Any] = []
        self.refreshers: list[ObservedRefresher] = []
        for process, threads in enumerate(case.threads):
            self._add_process(process, threads)
        scheduler.snapshot = self.state
        scheduler.on_stuck = self.check_waiting
        if case.crashes:
            for process in range(len(case.threads)):
                scheduler.events.append(self._crash(process))
        for seconds in case.jumps:
            jump = Event(f"{seconds:g} s pass", lambda: True, lambda by=seconds: self._jump(by), 1)
            scheduler.events.append(jump)
        if case.lost_leases:
            lose = Event("lease lost", lambda: self.holder is not None, self._lose_lease, case.lost_leases)
            scheduler.events.append(lose)

    def _add_process(self, process: int, threads: int) -> None:
        case, primitives = self.case, FakeThreads(self.scheduler, process)
        refresher = ObservedRefresher(
            self,
            process,
            fetch=lambda timeout: self.service.fetch(process, timeout),
            store=None if self.inner is None else ScheduledStore(self, process, self.inner),
            clock=VirtualClock(self.scheduler),
            store_key=lambda: KEY,
            refresh_token="R0" if case.grant == "refresh" else None,
            in_background=case.background,
            threads=primitives,
        )
        primitives.observe = refresher.state
        self.refreshers.append(refresher)
        self.invalidated.append(set())
        left = {"none": None, "fresh": 1000.0, "due": 100.0, "expired": -1.0}[case.token]
        if left is not None:
            held = HeldToken(AccessToken("T0", EPOCH + left), LIFETIME, left)
            object.__setattr__(refresher, "_held", held)
            if self.inner is not None and process == 0:
                refresh_token = "R0" if case.grant == "refresh" else ""
                stored = StoredToken("T0", LIFETIME, EPOCH + left, left, "a boot", refresh_token)
                self.inner.write(KEY, json.dumps({"key": KEY, **vars(stored)}), None, 0)
        for thread in range(threads):
            timeout = case.timeouts[min(thread, len(case.timeouts) - 1)]
            name = f"P{process}T{thread}"
            self.scheduler.spawn(name, process, lambda t=timeout: self._call(process, t), timeout)
        if case.invalidate:
            self.scheduler.spawn(f"P{process}invalidate", process, lambda: self._invalidate(process), "invalidate")

    def state(self) -> Hashable:
        content = None
        if isinstance(self.inner, MemoryTokenStore):
            content = tuple(text for text, _ in self.inner._values.values()), getattr(self.inner, "fence", 0)
        flags = self.holder, self.failed_writes, self.lease_lost, self.is_lost_in_window, self.highest_fence
        return (
            content,
            flags,
            tuple(sorted(self.fences.items())),
            self.service.state(),
            tuple(refresher.state() for refresher in self.refreshers),
            tuple(map(frozenset, self.invalidated)),
            tuple(sorted(map(repr, self.results))),
        )

    # Functions of the tasks.

    def _call(self, process: int, timeout: float) -> None:
        refresher, task = self.refreshers[process], self.scheduler.current
        assert task is not None
        for _ in range(self.case.calls):
            refused = frozenset(self.invalidated[process])
            call = Call(process, id(task), timeout, self.scheduler.now, refused)
            task.observe(timeout, call.began, refused)
            result: Any
            try:
                result = refresher.get_token(timeout)
            except ApiException as error:
                result = error
            except Interrupted:
                self.interrupted += 1
                continue
            self.check_result(call, result)
            self.results.append((process, describe(result)))

    def _invalidate(self, process: int) -> None:
        refresher = self.refreshers[process]
        held = object.__getattribute__(refresher, "_held")
        refresher.invalidate()
        if held is not None and object.__getattribute__(refresher, "_refused") is held.access:
            self.invalidated[process].add(held.access.token)

    # Events.

    def _crash(self, process: int) -> Event:
        def is_possible() -> bool:
            alive = any(
                not task.is_done and task.has_started for task in self.scheduler.tasks if task.process == process
            )
            return process not in self.scheduler.crashed and alive and len(self.scheduler.crashed) < self.case.crashes

        def crash() -> None:
            self.scheduler.crashed.add(process)
            self._note_window(process)
            self.service.in_flight.discard(process)
            if self.holder == process:
                self._free()

        return Event(f"crash of P{process}", is_possible, crash, 1)

    def _jump(self, seconds: float) -> None:
        self.scheduler.now += seconds

    def _lose_lease(self) -> None:
        self.lease_lost = True
        self._free()

    def _free(self) -> None:
        self.holder = self.lease = None
        expire = getattr(self.inner, "expire", None)
        if expire is not None:
            expire(KEY)
        else:
            self.release()

    # Invariants.

    def check_request(self, process: int, attempt: int, sent: str) -> None:
        """At most one request per generation, and a refresh token is sent at most once."""
        case = self.case
        if process in self.service.in_flight:
            raise Violation(f"two requests of process {process} at the same time")
        if any(one[:2] == (process, attempt) for one in self.service.requests) and not self.is_disturbed:
            raise Violation(f"two requests in attempt {attempt} of process {process}")
        if self.inner is not None and self.service.in_flight and not self.is_disturbed:
            raise Violation("two processes send a request at the same time")
        if case.grant == "refresh" and "timeout" not in case.outcomes and "failure" not in case.outcomes:
            # After a refusal, a crash, a lost lease or a failed write, another process may send it again.
            senders = {one[0] for one in self.service.requests if one[2] == sent}
            is_allowed = self.is_disturbed or "refusal" in case.outcomes
            if process in senders or (senders and not is_allowed):
                raise Violation(f"the refresh token {sent} is sent twice")

    @property
    def is_disturbed(self) -> bool:
        """Whether a crash, a lost lease or a failed write has occurred."""
        return bool(self.scheduler.crashed) or self.lease_lost or self.failed_writes < self.case.failed_writes

    def note_write(self, process: int) -> None:
        """A holder that lost its lease never overwrites what a later holder has written."""
        fence = self.fences.get(process, 0)
        if fence < self.highest_fence:
            raise Violation("a process that lost its lease has overwritten a newer token")
        self.highest_fence = fence

    def check_waiting(self) -> None:
        """No caller waits while nothing is in flight."""
        if self.case.jumps:
            return
        if not (self.service.in_flight and "timeout" in self.case.outcomes):
            raise Violation("a caller waits although no request is in flight")

    def check_result(self, call: Call, result: Any) -> None:
        """A caller gets a valid token, or the outcome of the attempt that it joined, in time."""
        now, refresher = self.scheduler.now, self.refreshers[call.process]
        if now > call.began + call.timeout + sum(self.case.jumps) + 0.01:
            raise Violation("a caller waited longer than its timeout")
        if isinstance(result, AccessToken):
            if result.token in call.refused:
                raise Violation("a caller got a token that was refused")
            # When this thread decided to return the token.
            decided = self.scheduler.current.read_clock_at if self.scheduler.current is not None else now
            if result.expires_at <= EPOCH + max(decided, call.began):
                raise Violation("a caller got an expired token")
            self._check_successor(result.token)
        elif not isinstance(result, (ServiceError, ReauthenticationRequired, ApiTimeoutError)):
            raise Violation(f"a caller got an unexpected error: {result}")
        elif set(self.case.outcomes) == {"success"} and not (self.is_disturbed or self.case.jumps):
            raise Violation(f"a caller got an error although the request succeeded: {result}")
        elif self.case.token in ("fresh", "due") and not (self.case.invalidate or self.case.jumps):
            raise Violation("a caller got an error although the token was valid")
        attempt = refresher.joined.pop(call.task, None)
        has_timed_out = isinstance(result, ApiTimeoutError) and now >= call.began + call.timeout
        if attempt is None or attempt.before is not None or has_timed_out:
            return
        is_usable = attempt.token is not None and attempt.token.access.expires_at > EPOCH + now
        if is_usable and result != attempt.token.access and not self.case.invalidate:
            raise Violation("a caller did not get the token of the attempt that it joined")
        has_more_time = attempt.timed_out and call.timeout > attempt.timeout
        if attempt.error is not None and type(result) is not type(attempt.error) and not has_more_time:
            raise Violation("a caller did not get the error of the attempt that it joined")

    def _check_successor(self, token: str) -> None:
        """The successor of a refresh token is stored before the access token is returned."""
        if self.case.grant != "refresh" or self.inner is None or self.is_disturbed:
            return
        if (
            token != "T0"
            and f'"R{token[1:]}"' not in (self.inner.read(KEY) or "")
            and self.service.newest == f"R{token[1:]}"
        ):
            raise Violation("a token was returned before its refresh token was stored")

    def check_end(self) -> None:
        """The newest refresh token is not lost, and no caller caused a request that another one had made."""
        case = self.case
        alive = [process for process in range(len(case.threads)) if process not in self.scheduler.crashed]
        if case.grant == "refresh" and not self.is_lost_in_window:
            stored = "" if self.inner is None else self.inner.read(KEY) or ""
            held = {self.refreshers[process].refresh_token for process in alive}
            if self.service.newest not in held and f'"{self.service.newest}"' not in stored:
                raise Violation(f"the refresh token {self.service.newest} is lost")
        if case.calls == 1 and not case.invalidate and not self.is_disturbed and self.is_steady:
            counts = Counter(process for process, _, _ in self.service.requests)
            total = sum(counts.values())
            limit = 1 if self.inner is not None and set(case.outcomes) == {"success"} else len(alive)
            if max(counts.values(), default=0) > 1 + self.interrupted or total > limit + self.interrupted:
                raise Violation(f"{total} requests in place of one")

    @property
    def is_steady(self) -> bool:
        """Whether time passes equally for all callers, so that one request is enough."""
        return len(set(self.case.timeouts)) == 1 and not self.case.jumps

    def _note_window(self, process: int) -> None:
        """Note whether a crash loses a refresh token in the documented window: between the response and the write."""
        stored = "" if self.inner is None else self.inner.read(KEY) or ""
        if self.case.grant == "refresh" and f'"{self.service.newest}"' not in stored:
            self.is_lost_in_window = True
