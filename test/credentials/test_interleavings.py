"""The interleavings of small cases, completely, and random ones of larger cases. See docs/INTERLEAVINGS.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.interleavings import cases
from support.interleavings.explore import explore, replay
from support.interleavings.mutants import MUTANTS, Mutant
from support.interleavings.world import Case
from support.redis_server import RedisServer, redis_server

pytestmark = pytest.mark.slow


def name_of(value: Case | Mutant) -> str:
    return value.name


@pytest.mark.parametrize("case", cases.SMALL, ids=name_of)
def test_invariants_hold_in_every_interleaving(case: Case) -> None:
    result = explore(case)
    assert result.violation == "", f"{result.trace}; replay with --choices {result.replay}"
    assert result.schedules > 0


@pytest.mark.parametrize("case", [*cases.BOUNDED, *cases.RANDOM], ids=name_of)
def test_invariants_hold_in_random_interleavings(case: Case) -> None:
    result = explore(case, seeds=range(200))
    assert (result.violation, result.schedules) == ("", 200), f"{result.trace}; replay with --choices {result.replay}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=name_of)
def test_exploration_finds_each_mutant(mutant: Mutant) -> None:
    with mutant.applied():
        result = explore(mutant.case)
    assert mutant.violation in result.violation
    assert result.violation
    with mutant.applied():
        again = replay(mutant.case, choices=[int(choice) for choice in result.replay.split(",") if choice])
    assert again.violation == result.violation
    assert explore(mutant.case).violation == ""


@pytest.mark.parametrize("case", cases.REAL_STORES, ids=name_of)
def test_invariants_hold_in_random_interleavings_with_a_file(case: Case) -> None:
    with cases.file_stores() as make:
        result = explore(case, seeds=range(20), make_store=make)
    assert (result.violation, result.schedules) == ("", 20)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.mark.parametrize("case", cases.REAL_STORES, ids=name_of)
def test_invariants_hold_in_random_interleavings_with_redis(case: Case, redis: RedisServer) -> None:
    with cases.redis_stores(redis.url) as make:
        result = explore(case, seeds=range(20), make_store=make)
    assert (result.violation, result.schedules) == ("", 20)


def test_schedule_of_a_seed_can_be_repeated() -> None:
    case = cases.RANDOM[0]
    traces = {replay(case, seed=7).trace for _ in range(3)}
    assert len(traces) == 1
    assert replay(case, seed=8).trace not in traces


def test_files_of_the_exploration_are_removed() -> None:
    with cases.file_stores() as make:
        store = make("real")
        folder = Path(str(getattr(store, "path", ""))).parent
        assert folder.exists()
    assert not folder.exists()
