"""Every LogStore, in memory and on AWS."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from tests.support.builders import PROJECT, START, job_id
from tests.support.memory.job_store import MemoryJobStore
from tests.support.memory.stores import MemoryLogStore
from tests.support.metering import metered
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.log_store import DynamoLogStore
from wainwright.domain.capacity import Limits, Retention
from wainwright.domain.errors import InvalidInput
from wainwright.domain.logs import MAX_LOG_LINES, LogEntry, LogLevel
from wainwright.ports.log_store import LogQuery, LogStore

JOB = job_id(1)


@pytest.fixture
def dynamodb_logs(table: str, aws_clients: Clients) -> DynamoLogStore:
    return DynamoLogStore(aws_clients.dynamodb, table)


@pytest.fixture
def memory_logs() -> MemoryLogStore:
    return MemoryLogStore(MemoryJobStore())


@pytest.fixture(params=["memory_logs", "dynamodb_logs"])
def logs(request: pytest.FixtureRequest) -> LogStore:
    """Each implementation of LogStore in turn."""
    store: LogStore = request.getfixturevalue(request.param)
    return store


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def entry(number: int, level: LogLevel = "INFO", at: float | None = None) -> LogEntry:
    return LogEntry(timestamp=after(number if at is None else at), level=level, message=f"Line {number}")


def fill(store: LogStore, number: int, job: str = JOB) -> None:
    """Add lines 0 to N-1, line N at second N; every tenth is an error."""
    entries = [entry(each, "INFO" if each % 10 else "ERROR") for each in range(number)]
    for start in range(0, number, 25):
        assert store.append(PROJECT, job, entries[start : start + 25]) == len(entries[start : start + 25])


def messages(entries: Sequence[LogEntry]) -> list[str]:
    return [each.message for each in entries]


def followed(store: LogStore, query: LogQuery) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = store.read(
            PROJECT, JOB,
            LogQuery(level=query.level, message=query.message, start=query.start, end=query.end, limit=query.limit,
                     cursor=cursor),
        )  # fmt: skip
        assert len(page.logs) <= query.limit
        found += messages(page.logs)
        cursor = page.cursor
        if cursor is None:
            return found


def lines(*numbers: int) -> list[str]:
    return [f"Line {number}" for number in numbers]


def test_gives_back_what_was_added(logs: LogStore) -> None:
    written = LogEntry(timestamp=START, level="ERROR", message="Zürich ✓\n\ttwo", additional_info={"a": [1, None, 2.5]})

    assert logs.append(PROJECT, JOB, [written]) == 1

    page = logs.read(PROJECT, JOB, LogQuery())
    assert (list(page.logs), page.cursor) == ([written], None)


def test_a_log_without_lines_is_empty(logs: LogStore) -> None:
    assert logs.append(PROJECT, JOB, []) == 0
    assert list(logs.read(PROJECT, JOB, LogQuery()).logs) == []


def test_lines_are_in_the_order_of_their_times_and_then_of_adding(logs: LogStore) -> None:
    logs.append(PROJECT, JOB, [entry(1, at=5), entry(2, at=5), entry(3, at=1)])
    logs.append(PROJECT, JOB, [entry(4, at=5), entry(5, at=0.001), entry(6, at=5.001)])

    assert messages(logs.read(PROJECT, JOB, LogQuery()).logs) == lines(5, 3, 1, 2, 4, 6)


def test_follows_a_log_page_by_page(logs: LogStore) -> None:
    fill(logs, 53)

    assert followed(logs, LogQuery(limit=10)) == lines(*range(53))
    assert followed(logs, LogQuery(limit=53)) == lines(*range(53))


def test_a_cursor_goes_on_after_lines_that_came_meanwhile(logs: LogStore) -> None:
    fill(logs, 4)
    cursor = logs.read(PROJECT, JOB, LogQuery(limit=3)).cursor
    logs.append(PROJECT, JOB, [entry(9)])

    assert messages(logs.read(PROJECT, JOB, LogQuery(limit=3, cursor=cursor)).logs) == lines(3, 9)


def test_filters_by_level_part_of_the_message_and_time_together(logs: LogStore) -> None:
    fill(logs, 45)

    assert followed(logs, LogQuery(level="ERROR", limit=2)) == lines(0, 10, 20, 30, 40)
    assert followed(logs, LogQuery(message="LINE 3", limit=4)) == lines(3, *range(30, 40))
    assert followed(logs, LogQuery(start=after(20), end=after(23))) == lines(20, 21, 22, 23)
    assert followed(logs, LogQuery(start=after(42))) == lines(42, 43, 44)
    assert followed(logs, LogQuery(end=after(1))) == lines(0, 1)
    assert followed(logs, LogQuery(start=after(5), end=after(4))) == []
    assert followed(logs, LogQuery(level="ERROR", message="3", start=after(1), end=after(40))) == lines(30)


def test_jobs_and_projects_have_logs_of_their_own(logs: LogStore) -> None:
    fill(logs, 1)

    assert list(logs.read(PROJECT, job_id(2), LogQuery()).logs) == []
    assert list(logs.read("other", JOB, LogQuery()).logs) == []


@pytest.mark.parametrize(
    "other", [LogQuery(level="ERROR"), LogQuery(message="a"), LogQuery(start=START), LogQuery(end=START)]
)
def test_refuses_a_cursor_of_another_query(logs: LogStore, other: LogQuery) -> None:
    fill(logs, 3)
    cursor = logs.read(PROJECT, JOB, LogQuery(limit=1)).cursor
    assert cursor

    with pytest.raises(InvalidInput):
        logs.read(PROJECT, JOB, LogQuery(other.level, other.message, other.start, other.end, cursor=cursor))
    with pytest.raises(InvalidInput):
        logs.read(PROJECT, job_id(2), LogQuery(cursor=cursor))
    with pytest.raises(InvalidInput):
        logs.read(PROJECT, JOB, LogQuery(cursor="nonsense"))


def test_takes_at_most_25_lines_at_once(logs: LogStore) -> None:
    with pytest.raises(ValueError, match="26"):
        logs.append(PROJECT, JOB, [entry(number) for number in range(26)])


def test_a_full_log_says_so_once_in_its_last_line(logs: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("wainwright.adapters.aws.log_store", "tests.support.memory.stores"):
        monkeypatch.setattr(f"{module}.MAX_LOG_LINES", 30)
    monkeypatch.setattr("wainwright.adapters.aws.log_store.MAX_LINES", 29)
    fill(logs, 25)

    assert logs.append(PROJECT, JOB, [entry(number) for number in range(25, 29)]) == 4
    assert len(followed(logs, LogQuery())) == 29
    assert logs.append(PROJECT, JOB, [entry(29), entry(30)]) == 0
    assert logs.append(PROJECT, JOB, [entry(31)]) == 0

    page = logs.read(PROJECT, JOB, LogQuery())
    assert messages(page.logs)[:-1] == lines(*range(29))
    assert (page.logs[-1].level, page.logs[-1].timestamp) == ("ERROR", after(29))
    assert f"full: it has {MAX_LOG_LINES} lines" in page.logs[-1].message


def test_keeps_of_a_batch_what_there_is_room_for(logs: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("wainwright.adapters.aws.log_store", "tests.support.memory.stores"):
        monkeypatch.setattr(f"{module}.MAX_LOG_LINES", 30)
    monkeypatch.setattr("wainwright.adapters.aws.log_store.MAX_LINES", 29)
    fill(logs, 25)

    assert logs.append(PROJECT, JOB, [entry(number) for number in range(25, 35)]) == 4

    assert followed(logs, LogQuery())[:-1] == lines(*range(29))
    assert len(followed(logs, LogQuery())) == 30


def test_a_page_examines_at_most_1000_lines(dynamodb_logs: DynamoLogStore, aws_clients: Clients) -> None:
    fill(dynamodb_logs, 1_100)

    with metered(aws_clients.dynamodb) as meter:
        page = dynamodb_logs.read(PROJECT, JOB, LogQuery(message="Line 1099"))
        assert (list(page.logs), meter.examined) == ([], 1_000)
        assert page.cursor

    assert followed(dynamodb_logs, LogQuery(message="Line 1099")) == lines(1_099)


def test_lines_outlive_the_jobs_of_their_project(
    dynamodb_logs: DynamoLogStore, dynamodb_jobs: DynamoJobStore, aws_clients: Clients, table: str
) -> None:
    def expiry() -> set[timedelta]:
        rows = aws_clients.dynamodb.scan(TableName=table)["Items"]
        found = [float(row["expiresAt"]["N"]) for row in rows if row["sk"]["S"].startswith("LOG#")]
        return {timedelta(days=round((each - START.timestamp()) / 86_400)) for each in found}

    dynamodb_logs.append(PROJECT, JOB, [entry(0)])
    assert expiry() == {timedelta(days=9)}

    dynamodb_jobs.set_limits(PROJECT, Limits(retention=Retention(job_days=30)))
    dynamodb_logs.append(PROJECT, JOB, [entry(1)])
    assert expiry() == {timedelta(days=9), timedelta(days=32)}
