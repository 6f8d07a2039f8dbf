"""Runs threads one at a time, and explores the orders in which they can run.

Each task is a real thread that stops at its scheduling points: before it takes a lock, waits, reads what other threads
write, calls the service or the store. At each point, `Choices` decides which task continues, or which event occurs. A
run is determined by its list of choices, so it can be repeated.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Any


class Aborted(BaseException):
    """Unwinds a task whose run is over."""


class Violation(AssertionError):
    """An invariant does not hold in a run."""


class Visited(Exception):
    """The run has reached a state that was explored before."""


class Choices:
    """Makes the choices of one run: those of a prefix, then the first option of each, or random ones."""

    def __init__(self, prefix: Sequence[int] = (), seed: int | None = None) -> None:
        self._prefix = prefix
        self._random = None if seed is None else random.Random(seed)
        self.made: list[int] = []
        self.options: list[int] = []

    def make(self, count: int, state: Callable[[], Hashable] | None, visited: set[Hashable] | None) -> int:
        """Choose one of `count` options. Raises Visited if the state was explored before."""
        position = len(self.made)
        if position < len(self._prefix):
            choice = self._prefix[position]
        else:
            if visited is not None and state is not None:
                key = state()
                if key in visited:
                    raise Visited
                visited.add(key)
            choice = self._random.randrange(count) if self._random is not None else 0
        self.made.append(choice)
        self.options.append(count)
        return choice

    def next_prefix(self) -> list[int] | None:
        """Return the next list of choices in depth-first order; None if there is none."""
        for position in range(len(self.made) - 1, -1, -1):
            if self.made[position] + 1 < self.options[position]:
                return [*self.made[:position], self.made[position] + 1]
        return None


class Task:
    """A thread under the scheduler's control."""

    def __init__(self, name: str, process: int, function: Callable[[], object], kind: Hashable) -> None:
        self.name, self.process, self.function = name, process, function
        self.gate = threading.Lock()
        self.gate.acquire()
        self.is_done = False
        self.is_ready: Callable[[], bool] | None = None  # None: it can run
        self.deadline: float | None = None
        self.history = hash(kind)
        self.error: BaseException | None = None
        self.read_clock_at = 0.0
        self.steps = 0

    @property
    def has_started(self) -> bool:
        return self.steps > 0

    def observe(self, *values: Hashable) -> None:
        """Add to what this task has read: with the code, that determines its local variables."""
        self.steps += 1
        self.history = hash((self.history, values))


class Event:
    """An occurrence between two steps, such as a crash. `budget` limits how often."""

    def __init__(self, name: str, is_possible: Callable[[], bool], apply: Callable[[], None], budget: int) -> None:
        self.name, self.is_possible, self.apply, self.budget = name, is_possible, apply, budget


class _Worker(threading.Thread):
    """A thread that is used for many tasks, because starting one takes longer than most runs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.start_gate, self.job = threading.Lock(), lambda: None
        self.start_gate.acquire()
        self.start()

    def run(self) -> None:
        while True:
            self.start_gate.acquire()
            self.job()


_idle: list[_Worker] = []


class Scheduler:
    """One run.

    snapshot: returns the shared state, with which the histories of the tasks determine the rest of the run.
    max_preemptions: how often a task that could continue is stopped; None for any number.
    """

    def __init__(
        self, choices: Choices, visited: set[Hashable] | None = None, max_preemptions: int | None = None
    ) -> None:
        self._choices, self._visited, self._left = choices, visited, max_preemptions
        self.snapshot: Callable[[], Hashable] = lambda: None
        self.tasks: list[Task] = []
        self.events: list[Event] = []
        self.trace: list[str] = []
        self.now = 0.0
        self.crashed: set[int] = set()
        self.current: Task | None = None
        self.is_over = False
        self.failure: BaseException | None = None
        self.on_stuck: Callable[[], None] = lambda: None
        self._main = threading.Lock()
        self._main.acquire()

    def spawn(self, name: str, process: int, function: Callable[[], object], kind: Hashable) -> Task:
        """Add a task, which starts when it is chosen. Tasks of one kind and process are interchangeable."""
        task = Task(name, process, function, kind)
        self.tasks.append(task)
        worker = _idle.pop() if _idle else _Worker()

        def job() -> None:
            task.gate.acquire()
            try:
                if not self.is_over:
                    task.function()
            except Aborted:
                pass
            except BaseException as error:
                task.error = error
                self.fail(error)
            task.is_done = True
            _idle.append(worker)
            self._leave(task)

        worker.job = job
        worker.start_gate.release()
        return task

    def run(self) -> None:
        """Run all tasks to their end. Raises Violation, Visited, or what a task raised."""
        self._continue(None)
        self._main.acquire()
        if self.failure is not None:
            raise self.failure

    def fail(self, error: BaseException) -> None:
        """End the run."""
        if self.failure is None and not self.is_over:
            self.failure = error
        self.is_over = True

    def choose(self, count: int, label: str = "") -> int:
        """Choose one of `count` outcomes, which are numbered from 0."""
        if self.is_over or count == 1:
            return 0
        choice = self._choices.make(count, None, None)
        self.trace.append(f"{label}={choice}")
        if self.current is not None:
            self.current.observe(label, choice)
        return choice

    def point(self, label: str, is_ready: Callable[[], bool] | None = None, deadline: float | None = None) -> bool:
        """Stop before a step that other tasks can see.

        is_ready: whether the step is possible; None if it always is. deadline: when to continue in any case.

        Returns whether the step is possible.
        """
        task = self.current
        if task is None:  # outside of a run
            return is_ready is None or is_ready()
        if self.is_over:
            raise Aborted
        task.observe(label)
        task.is_ready, task.deadline = is_ready, deadline
        self._continue(task)
        if self.is_over:
            raise Aborted
        task.is_ready = task.deadline = None
        return is_ready is None or is_ready()

    def _leave(self, task: Task) -> None:
        """Continue with another task after one is done."""
        self._continue(task)

    def _continue(self, task: Task | None) -> None:
        """Let the chosen task run; returns when `task` is chosen again."""
        following = self._next(task)
        if following is task and task is not None and not task.is_done:
            return
        self.current = following
        if following is None:
            self._main.release()
        else:
            following.gate.release()
        if task is not None and not task.is_done:
            task.gate.acquire()
            self.current = task

    def _next(self, task: Task | None) -> Task | None:
        """Choose the task that continues. Events may occur first."""
        while not self.is_over:
            ready = [one for one in self.tasks if self._can_run(one)]
            if task in ready:  # the first option is to continue
                ready.remove(task)
                ready.insert(0, task)
                if self._left == 0:
                    ready = [task]
            events = [event for event in self.events if event.budget > 0 and event.is_possible()]
            waiting = [one for one in self.tasks if not one.is_done and one.process not in self.crashed]
            if not waiting:
                break
            # Time passes only if nothing else can happen.
            count = len(ready) + len(events) or 1
            if not ready and events:
                count += 1
            try:
                choice = 0 if count == 1 else self._choices.make(count, self._state(task), self._visited)
                if choice == len(ready) + len(events):
                    self._let_time_pass(waiting)
                    continue
            except (Visited, Violation) as error:
                self.fail(error)
                break
            if choice < len(ready):
                chosen = ready[choice]
                if self._left is not None and task in ready and chosen is not task:
                    self._left -= 1
                if chosen is not task:
                    self.trace.append(chosen.name)
                return chosen
            event = events[choice - len(ready)]
            event.budget -= 1
            self.trace.append(event.name)
            event.apply()
        # The run is over: unwind the tasks, one after another.
        return next((one for one in self.tasks if not one.is_done), None)

    def _let_time_pass(self, waiting: list[Task]) -> None:
        """Advance the clock to the next deadline of a waiting task."""
        self.on_stuck()
        deadlines = [one.deadline for one in waiting if one.deadline is not None]
        if not deadlines:
            raise Violation("a caller waits indefinitely")
        self.now = max(self.now, min(deadlines))
        self.trace.append(f"time {self.now:g}")

    def _can_run(self, task: Task) -> bool:
        if task.is_done or task.process in self.crashed:
            return False
        if task.is_ready is None or task.is_ready():
            return True
        return task.deadline is not None and task.deadline <= self.now

    def _state(self, task: Task | None) -> Callable[[], Hashable]:
        def state() -> Hashable:
            # Which of several equal tasks is in which state makes no difference.
            tasks = tuple(sorted((one.process, one.history, one.is_done) for one in self.tasks))
            bound = None if self._left is None else (self._left, task and (task.process, task.history))
            budgets = tuple(event.budget for event in self.events)
            return tasks, self.now, frozenset(self.crashed), bound, budgets, self.snapshot()

        return state


class FakeLock:
    """A lock of the scheduler."""

    def __init__(self, scheduler: Scheduler, observe: Callable[[], Hashable] = lambda: None) -> None:
        self._scheduler, self._observe = scheduler, observe
        self.owner: Task | None = None

    def __enter__(self) -> None:
        self._scheduler.point("lock", lambda: self.owner is None)
        self.owner = self._scheduler.current
        if self.owner is not None:
            self.owner.observe(self._observe())

    def __exit__(self, *exc_info: object) -> None:
        self.owner = None


class FakeEvent:
    """An event of the scheduler."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler, self._is_set = scheduler, False

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._scheduler.point("set")
        self._is_set = True

    def wait(self, timeout: float | None = None) -> bool:
        deadline = None if timeout is None else self._scheduler.now + timeout
        self._scheduler.point("wait", self.is_set, deadline)
        if self._scheduler.current is not None:
            self._scheduler.current.observe(self._is_set)
        return self._is_set


class FakeThreads:
    """The primitives of `TokenRefresher`, run by the scheduler."""

    def __init__(self, scheduler: Scheduler, process: int) -> None:
        self._scheduler, self._process, self._started = scheduler, process, 0
        self.observe: Callable[[], Hashable] = lambda: None

    def lock(self) -> Any:
        return FakeLock(self._scheduler, lambda: self.observe())

    def event(self) -> Any:
        return FakeEvent(self._scheduler)

    def current(self) -> int:
        return id(self._scheduler.current)

    def monotonic(self) -> float:
        return self._scheduler.now

    def start(self, target: Callable[[], object]) -> None:
        self._started += 1
        self._scheduler.spawn(f"P{self._process}background{self._started}", self._process, target, "background")
