"""The order of visits: so many at once, canaries first, what others hold again at the end; and what a target is called."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from asyncmig.config import Config
from asyncmig.config.fleet import FailureLimit, FleetSettings
from asyncmig.errors import ConfigError, UsageError
from asyncmig.fleet.report import FleetReport, TargetOutcome, TargetResult
from asyncmig.fleet.targets import Target, as_target, as_targets, parse_lines
from asyncmig.fleet.tour import Limits, Tour
from asyncmig.revisions.plan import Direction


class Log:
    """A tour over numbers: odd ones fail where `fails`, those of `held` are somebody else's so many times."""

    def __init__(self, limits: Limits, *, fails: Callable[[int], bool] = lambda number: False, **held: int) -> None:
        self.limits = limits
        self.fails = fails
        self.held = {int(name[1:]): times for name, times in held.items()}
        self.visits: list[int] = []
        self.settled: dict[int, bool] = {}
        self.insisted: set[int] = set()
        self.running = self.most = 0
        self.tour: Tour[int, bool] = Tour(self.visit, lambda failed: failed, self.keep, limits, lambda queue: None)

    async def visit(self, number: int, insist: bool) -> bool | None:
        self.visits.append(number)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        if insist:
            self.insisted.add(number)
        elif self.held.get(number, 0) > 0:
            self.held[number] -= 1
            return None
        return self.fails(number)

    async def keep(self, number: int, failed: bool) -> None:
        assert number not in self.settled
        self.settled[number] = failed


@given(count=st.integers(0, 30), concurrency=st.integers(1, 8), canary=st.integers(0, 5))
def test_each_is_visited_once_and_never_more_at_a_time_than_allowed(count: int, concurrency: int, canary: int) -> None:
    log = Log(Limits(concurrency, canary))
    asyncio.run(log.tour.run(range(count)))
    assert sorted(log.visits) == list(range(count)) == sorted(log.settled)
    assert log.most == min(concurrency, max(min(canary, count), count - canary))
    assert set(log.visits[: min(canary, count)]) == set(range(min(canary, count)))


async def test_a_failing_canary_keeps_the_others_from_beginning() -> None:
    log = Log(Limits(4, canary=3), fails=lambda number: number == 1)
    await log.tour.run(range(10))
    assert sorted(log.settled) == [0, 1, 2]
    assert log.tour.stopped == "1 of 3 canaries failed"


@given(st.integers(1, 20), st.integers(1, 5), st.one_of(st.integers(1, 25), st.floats(0.01, 1)))
def test_no_more_is_begun_once_enough_failed(count: int, concurrency: int, limit: float) -> None:
    threshold = FailureLimit.parse(limit)
    log = Log(Limits(concurrency, max_failures=threshold), fails=lambda number: True)
    asyncio.run(log.tour.run(range(count)))
    needed = next((n for n in range(1, count + 1) if threshold.reached(n, count)), count)
    assert needed <= len(log.settled) <= min(count, needed + concurrency - 1)
    assert bool(log.tour.stopped) == threshold.reached(len(log.settled), count)


async def test_what_others_hold_is_visited_again_at_the_end() -> None:
    log = Log(Limits(1), t1=2, t3=1)
    await log.tour.run(range(5))
    assert log.visits == [0, 1, 2, 3, 4, 1, 3, 1]
    assert sorted(log.settled) == [0, 1, 2, 3, 4]
    assert log.insisted == set()


async def test_what_is_held_for_too_long_is_insisted_on() -> None:
    log = Log(Limits(2, patience=0.1), t0=10_000)
    await log.tour.run(range(2))
    assert (log.insisted, sorted(log.settled)) == ({0}, [0, 1])


async def test_canaries_that_others_hold_are_waited_for_before_the_rest() -> None:
    log = Log(Limits(4, canary=1), t0=2)
    await log.tour.run(range(4))
    assert log.visits[:3] == [0, 0, 0]


async def test_an_error_that_concerns_all_ends_the_tour_after_what_runs() -> None:
    log = Log(Limits(2))
    log.tour.stop(ValueError("wrong for all"))
    with pytest.raises(ValueError, match="wrong for all"):
        await log.tour.run(range(9))
    assert log.settled == {}


# targets


@pytest.mark.parametrize(
    ("text", "name", "schema"),
    [
        ("tenant_1", "tenant_1", "tenant_1"),
        (" spaced ", "spaced", "spaced"),
        ("sqlite:///a.db", "sqlite+aiosqlite:///a.db", None),
        ("postgresql://u:pw@h/d", "postgresql+asyncpg://u:***@h/d", None),
        ("postgres://u:p?w@h/d?schema=a b", "postgresql+asyncpg://u:***@h/d?schema=a b", "a b"),
        ("postgresql://h/d?schema=a&ssl=require", "postgresql+asyncpg://h/d?ssl=require&schema=a", "a"),
    ],
)
def test_a_text_means_a_target(text: str, name: str, schema: str | None) -> None:
    target = as_target(text)
    assert (target.name, target.schema) == (name, schema)
    assert (target.url is None) == ("://" not in text)
    assert target.url is None or "schema" not in target.url.query


@pytest.mark.parametrize("text", ["", "mysql://h/d", "postgresql+psycopg2://h/d", "postgresql://h/d?schema=a&schema=b"])
def test_a_text_that_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        as_target(text)


def test_targets_are_taken_once_in_their_order() -> None:
    given = ["b", "a", Target(schema="b"), make_url("sqlite:///x.db"), "sqlite:///x.db"]
    assert [target.name for target in as_targets(given)] == ["b", "a", "sqlite+aiosqlite:///x.db"]
    with pytest.raises(UsageError, match="must be a list"):
        as_targets("tenant")


def test_lines_are_targets_but_comments_and_empty_ones() -> None:
    assert parse_lines("# all\n a \n\nb\r\n  # c\n") == ["a", "b"]


# the table [fleet]


def test_the_table_is_read_with_paths_from_the_file_s_folder(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "asyncmig.toml").write_text(
        '[asyncmig]\nscript_location = "m"\n[fleet]\ntargets = ["postgresql://u:${PW}@h/d"]\nfile = "t.txt"\n'
        'max_failures = "10%"\ncanary = 2\n'
    )
    config = Config.load(cwd=tmp_path, environ={"PW": "a@b"})
    assert config.fleet == FleetSettings(
        targets=("postgresql://u:a%40b@h/d",), file=tmp_path / "t.txt", max_failures=FailureLimit(share=0.1), canary=2
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("canaries = 1", "Did you mean canary"),
        ("concurrency = 0", "1 or more"),
        ('canary = "1"', "0 or more"),
        ('max_failures = "some"', "a share"),
        ("max_failures = 1.5", "a share"),
        ('targets = "one"', "a list"),
        ('databases = "yes"', "true or false"),
        ('query = ""', "a query"),
    ],
)
def test_a_wrong_key_of_the_table_is_named(tmp_path, line: str, says: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "asyncmig.toml").write_text(f'[asyncmig]\nscript_location = "m"\n[fleet]\n{line}\n')
    with pytest.raises(ConfigError, match=says):
        Config.load(cwd=tmp_path, environ={})


# results


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([], 0),
        ([TargetResult("a", TargetOutcome.CHANGED, applied=("x",)), TargetResult("b", TargetOutcome.UNCHANGED)], 0),
        ([TargetResult("a", TargetOutcome.FAILED, exit_code=5)], 5),
        ([TargetResult("a", TargetOutcome.NOT_STARTED), TargetResult("b", TargetOutcome.FAILED, exit_code=3)], 3),
        ([TargetResult("a", TargetOutcome.CHANGED, applied=("x",)), TargetResult("b", TargetOutcome.FAILED)], 4),
        ([TargetResult("b", TargetOutcome.FAILED, applied=("x",), exit_code=4)], 4),
    ],
)
def test_the_exit_code_follows_the_results(results: list[TargetResult], code: int) -> None:
    assert FleetReport("head", Direction.UPGRADE, tuple(results)).exit_code == code
