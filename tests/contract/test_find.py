"""Finding jobs: each filter gives exactly the right ones in order, and a page costs no more however many there are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.aws import create_table, moto_aws
from tests.support.builders import PROJECT, START
from tests.support.many_jobs import LABELS, NOW, expected, followed, many_jobs, store_quickly
from tests.support.memory.job_store import MemoryJobStore
from tests.support.metering import Meter, metered
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.paging import MOST_EXAMINED, MOST_QUERIES
from wainwright.domain.job_query import JobQuery, SortBy, TimeRange
from wainwright.domain.states import JobStatus

MIDDLE = TimeRange(START + timedelta(seconds=5_000), START + timedelta(seconds=9_000))
S = JobStatus

QUERIES = {
    "all": JobQuery(),
    "oldest first": JobQuery(ascending=True),
    "one state": JobQuery(statuses=frozenset({S.FAILED})),
    "several states": JobQuery(statuses=frozenset({S.PENDING, S.RUNNING, S.SKIPPED})),
    "every state": JobQuery(statuses=frozenset(S), ascending=True),
    "a template": JobQuery(template_id="t1"),
    "a template nobody has": JobQuery(template_id="t9"),
    "a batch": JobQuery(batch_id="b1", ascending=True),
    "a batch and a template": JobQuery(batch_id="b1", template_id="t2"),
    "a template in one state": JobQuery(template_id="t2", statuses=frozenset({S.COMPLETED})),
    "a type": JobQuery(types=frozenset({"function"})),
    "both types": JobQuery(types=frozenset({"function", "browser"})),
    "errors": JobQuery(has_errors=True),
    "no errors, in two states": JobQuery(has_errors=False, statuses=frozenset({S.FAILED, S.STOPPED})),
    "a label": JobQuery(label="nightly"),
    "created in a range": JobQuery(created=MIDDLE),
    "created since": JobQuery(created=TimeRange(start=MIDDLE.start), ascending=True),
    "created until, in a state": JobQuery(created=TimeRange(end=MIDDLE.end), statuses=frozenset({S.CANCELED})),
    "started in a range": JobQuery(started=MIDDLE),
    "ended in a range": JobQuery(ended=MIDDLE),
    "by start": JobQuery(sort_by=SortBy.STARTED),
    "by start, in a range": JobQuery(sort_by=SortBy.STARTED, started=MIDDLE, ascending=True),
    "by end": JobQuery(sort_by=SortBy.COMPLETED, ascending=True),
    "by end, in two states of a template": JobQuery(
        sort_by=SortBy.COMPLETED, statuses=frozenset({S.COMPLETED, S.FAILED}), template_id="t1"
    ),
    "by end, since": JobQuery(sort_by=SortBy.COMPLETED, ended=TimeRange(start=MIDDLE.start), has_errors=True),
    "with what has expired": JobQuery(sort_by=SortBy.COMPLETED, include_expired=True, statuses=frozenset({S.FAILED})),
    "an empty range": JobQuery(created=TimeRange(MIDDLE.end, MIDDLE.start)),
    "everything at once": JobQuery(
        statuses=frozenset({S.COMPLETED, S.FAILED}), types=frozenset({"browser"}), template_id="t1", batch_id="b1",
        has_errors=False, label="smoke", created=TimeRange(end=MIDDLE.end), started=TimeRange(start=START),
        ended=TimeRange(start=START), sort_by=SortBy.STARTED,
    ),
}  # fmt: skip


class Filled:
    """A table with so many jobs, and what its calls cost."""

    def __init__(self, clients: Clients, number: int, meter: Meter) -> None:
        table = create_table(clients.dynamodb, f"jobs-{number}")
        self.jobs = many_jobs(number)
        self.meter = meter
        self.store = DynamoJobStore(clients.dynamodb, table)
        others = [job.model_copy(update={"project": "other"}) for job in self.jobs[:20]]
        store_quickly(clients.dynamodb, table, [*self.jobs, *others])


@pytest.fixture(scope="module")
def filled(aws_clients: Clients) -> Iterator[Callable[[int], Filled]]:
    tables: dict[int, Filled] = {}

    with moto_aws(), metered(aws_clients.dynamodb) as meter:

        def of(number: int) -> Filled:
            if number not in tables:
                tables[number] = Filled(aws_clients, number, meter)
            return tables[number]

        yield of


@dataclass(frozen=True)
class Cost:
    """The cost of one page."""

    calls: int
    examined: int


def walk(filled: Filled, query: JobQuery) -> tuple[list[list[str]], list[Cost]]:
    """Ids of every page, by following the cursor, and what each page cost."""
    pages: list[list[str]] = []
    costs: list[Cost] = []
    while True:
        filled.meter.reset()
        page = filled.store.find(PROJECT, query, NOW)
        pages.append([job.id for job in page.jobs])
        costs.append(Cost(filled.meter.total, filled.meter.examined))
        if page.cursor is None:
            return pages, costs
        query = replace(query, cursor=page.cursor)


# With 20 jobs, and with 2,000

LIMIT = 250
BOUND = Cost(calls=MOST_QUERIES + 3, examined=MOST_EXAMINED)  # the rows themselves are read by three batches


@pytest.mark.parametrize("number", [20, pytest.param(2_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", QUERIES)
def test_finds_exactly_the_right_jobs_in_order_and_within_the_same_bounds(
    filled: Callable[[int], Filled], number: int, name: str
) -> None:
    table, query = filled(number), replace(QUERIES[name], limit=LIMIT)

    pages, costs = walk(table, query)

    assert [id for page in pages for id in page] == expected(table.jobs, query)
    assert all(len(page) <= LIMIT for page in pages)
    assert max(cost.calls for cost in costs) <= BOUND.calls
    assert max(cost.examined for cost in costs) <= BOUND.examined


@pytest.mark.slow
def test_a_page_may_be_empty_where_it_examined_all_that_it_may(filled: Callable[[int], Filled]) -> None:
    pages, costs = walk(filled(2_000), JobQuery(types=frozenset({"nothing"})))

    assert pages[:2] == [[], []]
    assert [cost.examined for cost in costs][:2] == [MOST_EXAMINED, MOST_EXAMINED]


INDEXED = ["all", "oldest first", "one state", "several states", "a template", "a batch", "by start", "by end"]


@pytest.mark.slow
@pytest.mark.parametrize("name", INDEXED)
def test_a_page_that_an_index_answers_costs_as_much_among_2000_as_among_20(
    filled: Callable[[int], Filled], name: str
) -> None:
    query = replace(QUERIES[name], limit=3)
    partitions = max(1, len(query.statuses))

    for number in (20, 2_000):
        filled(number).meter.reset()
        filled(number).store.find(PROJECT, query, NOW)
        assert filled(number).meter.total <= 2 * partitions + 1  # twice where what comes first has expired
        assert filled(number).meter.examined <= partitions * 3 * (query.limit + 1)


def test_scans_nothing_and_reads_rows_by_key_alone(filled: Callable[[int], Filled]) -> None:
    table = filled(20)
    table.meter.reset()

    for query in QUERIES.values():
        table.store.find(PROJECT, query, NOW)

    assert set(table.meter.calls) == {"Query", "BatchGetItem"}


# Both stores, any query

times = st.none() | st.integers(0, 20_500).map(lambda seconds: START + timedelta(seconds=seconds))
ranges = st.builds(TimeRange, times, times)
queries = st.builds(
    JobQuery,
    statuses=st.frozensets(st.sampled_from(JobStatus), max_size=4),
    types=st.frozensets(st.sampled_from(["browser", "function"])),
    template_id=st.sampled_from(["t1", "t2", None, None]),
    batch_id=st.sampled_from(["b1", None, None]),
    has_errors=st.sampled_from([True, False, None, None]),
    label=st.sampled_from([*LABELS, None]),
    created=ranges,
    started=st.just(TimeRange()) | ranges,
    ended=st.just(TimeRange()) | ranges,
    sort_by=st.sampled_from(SortBy),
    ascending=st.booleans(),
    include_expired=st.booleans(),
    limit=st.integers(7, 70),
)


@given(query=queries)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_query_finds_what_plain_filtering_finds(filled: Callable[[int], Filled], query: JobQuery) -> None:
    table = filled(60)

    found = [id for page in followed(table.store, query) for id in page]

    assert found == expected(table.jobs, query)


@given(query=queries)
@settings(max_examples=60, deadline=None)
def test_the_memory_store_finds_what_plain_filtering_finds(query: JobQuery) -> None:
    store, jobs = MemoryJobStore(), many_jobs(60)
    for job in jobs:
        store.write(None, job)

    assert [id for page in followed(store, query) for id in page] == expected(jobs, query)
