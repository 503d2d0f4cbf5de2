"""Every write that a worker's stores offer, by a worker whose claim no longer counts: refused, and without a trace."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, START, a_running_job, completed, failed
from tests.support.faults import Faults
from tests.support.memory.history_store import MemoryTestHistory
from tests.support.memory.job_store import MemoryJobStore
from tests.support.memory.stores import MemoryLogStore
from tests.support.memory.work_lists import MemoryWorkListStore
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.log_store import DynamoLogStore
from wainwright.adapters.aws.test_history_store import DynamoTestHistory
from wainwright.adapters.aws.work_lists import DynamoWorkListStore
from wainwright.contracts.events import EventKind
from wainwright.domain.errors import Conflict, FenceLost
from wainwright.domain.jobs import LEASE, Job, JobDetail
from wainwright.domain.lanes import LaneRecord
from wainwright.domain.logs import LogEntry
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.test_history import Sample
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.domain.work_list import WorkList, WorkOrder
from wainwright.ports.job_store import JobStore, NewEvent, StoredTest
from wainwright.ports.log_store import LogQuery, LogStore
from wainwright.ports.test_history import TestHistory
from wainwright.ports.work_lists import WorkListStore
from wainwright.wiring.workers import Worker

LATER = START + timedelta(seconds=40)
STAY = LaneRecord(lane=1, token="t1", worker="w2", lease_until=START + LEASE)
JOINING = LaneRecord(lane=2, token="t2", worker="w3", lease_until=START + LEASE)
ORDER = WorkOrder(["a", "b"], [1.0, 2.0])
EVENT = NewEvent(kind=EventKind.LOG, at=START, data={})
LINE = LogEntry(timestamp=START, level="INFO", message="from an old claim")
OUTCOME = StoredTest(id="a", outcome=TestOutcome.PASSED, attempt=1, body={})


@dataclass(frozen=True)
class Stores:
    """The stores that a worker writes to, of one kind; all that is said of jobs lies in them."""

    jobs: JobStore
    lists: WorkListStore
    logs: LogStore
    history: TestHistory


@pytest.fixture(params=["memory_stores", "dynamodb_stores"])
def stores(request: pytest.FixtureRequest) -> Stores:
    found: Stores = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def memory_stores(memory_jobs: MemoryJobStore) -> Stores:
    return Stores(
        memory_jobs, MemoryWorkListStore(memory_jobs), MemoryLogStore(memory_jobs), MemoryTestHistory(memory_jobs)
    )


@pytest.fixture
def dynamodb_stores(dynamodb_jobs: DynamoJobStore, table: str, aws_clients: Clients) -> Stores:
    client = aws_clients.dynamodb
    return Stores(
        dynamodb_jobs, DynamoWorkListStore(client, table), DynamoLogStore(client, table),
        DynamoTestHistory(client, table),
    )  # fmt: skip


def opened(job: Job) -> WorkList:
    return WorkList(fence=job.fence, run=job.run, lanes=job.lanes, total=2)


WRITES: dict[Callable[..., Any], Callable[[Stores, Job], object]] = {
    JobStore.write: lambda stores, job: stores.jobs.write(job, job.note_error(LATER)),
    JobStore.set_detail: lambda stores, job: stores.jobs.set_detail(job, JobDetail(results={"old": True})),
    JobStore.record: lambda stores, job: stores.jobs.record(
        job, tests=[OUTCOME], events=[EVENT], tally=Tally(total=9), percent=1
    ),
    WorkListStore.open: lambda stores, job: stores.lists.open(job, opened(job), ORDER),
    WorkListStore.write: lambda stores, job: stores.lists.write(job, opened(job).lease("t1", 1)[0]),
    WorkListStore.join: lambda stores, job: stores.lists.join(job, JOINING, None),
    WorkListStore.update: lambda stores, job: stores.lists.update(job, STAY, STAY.renew(LATER)),
    LogStore.append: lambda stores, job: stores.logs.append(PROJECT, job.id, [LINE], held=job),
    TestHistory.note: lambda stores, job: stores.history.note(
        job, {"test_x.py": {"a": Sample(TestOutcome.FAILED, 1.0)}}, now=LATER
    ),
}
"""Each write of a worker, as the holder of a claim would do it."""

OWN_ROWS: frozenset[Callable[..., Any]] = frozenset({WorkListStore.write, WorkListStore.update})
"""Writes to rows that belong to one fence alone, and that no later claim reads: they go by what stands there."""

NOT_OF_A_WORKER: frozenset[Callable[..., Any]] = frozenset(
    {JobStore.seal, JobStore.delete, JobStore.set_limits, JobStore.add_events}
)
"""Writes that the API and the cleaning do, each with a condition of its own."""

READS: frozenset[Callable[..., Any]] = frozenset(
    {
        JobStore.update,  # reads, and writes by JobStore.write
        JobStore.get, JobStore.view, JobStore.get_idempotent, JobStore.waiting_line, JobStore.loads, JobStore.load,
        JobStore.due, JobStore.find, JobStore.dependents, JobStore.statistics, JobStore.tests, JobStore.events,
        WorkListStore.read, WorkListStore.order, WorkListStore.last, WorkListStore.lanes, LogStore.read,
        TestHistory.files, TestHistory.all,
    }
)  # fmt: skip

FENCED_OTHERWISE = {
    "Artifacts": "an object's key has the fence or the digest of its content, or is of the report as a whole",
    "WorkQueue": "a receipt is the fence of a message",
    "Workflows": "a token is the fence of an execution's step",
    "Spool": "the worker's own disk",
    "WorkerStore": "the worker's own row",
    "SecretStore": "only read",
    "QuarantineStore": "only read",
}


def ports_of(kind: Any) -> Iterator[type]:
    """The ports among the fields of a class, and among the fields of those."""
    for found in typing.get_type_hints(kind).values():
        if not isinstance(found, type) or not found.__module__.startswith("wainwright."):
            continue
        if getattr(found, "_is_protocol", False) or any(getattr(base, "_is_protocol", False) for base in found.__mro__):
            yield found
        elif dataclasses.is_dataclass(found):
            yield from ports_of(found)


def test_every_method_of_a_workers_stores_is_a_read_or_a_write_with_a_fence() -> None:
    ports = [port for port in dict.fromkeys(ports_of(Worker)) if port.__module__.startswith("wainwright.ports.")]
    ports = [port for port in ports if port.__name__ not in FENCED_OTHERWISE and port.__name__ != "Clock"]
    methods: set[Callable[..., Any]] = {
        method for port in ports for name, method in inspect.getmembers(port, inspect.isfunction) if name[0] != "_"
    }

    assert {port.__name__ for port in ports} == {"JobStore", "WorkListStore", "LogStore", "TestHistory"}
    assert methods == WRITES.keys() | READS | NOT_OF_A_WORKER


def superseded(stores: Stores, job: Job) -> Job:
    """Another worker has claimed the run."""
    return stores.jobs.write(job, job.claim("w9", LATER))


def run_again(stores: Stores, job: Job) -> Job:
    """The run was given up, and another one admitted and claimed."""
    job = stores.jobs.write(job, job.restart(LATER))
    job = stores.jobs.write(job, job.admit(LATER))
    return superseded(stores, job)


def ended(stores: Stores, job: Job) -> Job:
    """The run was ended over the worker's head, as after a time-out."""
    return stores.jobs.write(job, job.finish(completed(), LATER))


def back_in_line(stores: Stores, job: Job) -> Job:
    """The run has failed, and the job waits for its next try."""
    return stores.jobs.write(job, job.finish(failed(), LATER))


def deleted(stores: Stores, job: Job) -> Job:
    """The job ended, and was deleted."""
    ended_job = ended(stores, job)
    stores.jobs.delete(ended_job)
    return ended_job


def seen(stores: Stores, job: Job) -> list[Any]:
    """All that later claims of the job, and those who ask for it, are told."""
    logs = stores.logs.read(PROJECT, job.id, LogQuery()).logs
    return [
        stores.jobs.view(PROJECT, job.id), list(stores.jobs.tests(PROJECT, job.id)),
        list(stores.jobs.events(PROJECT, job.id, 0, 99)), list(logs), stores.history.all(PROJECT, most=9),
    ]  # fmt: skip


@pytest.mark.parametrize("lost", [superseded, run_again, ended, back_in_line, deleted])
@pytest.mark.parametrize(
    "write", [write for write in WRITES if write not in OWN_ROWS], ids=lambda each: each.__qualname__
)
def test_a_write_under_a_claim_that_no_longer_counts_is_refused(
    stores: Stores, write: Callable[..., Any], lost: Callable[[Stores, Job], Job]
) -> None:
    job = a_running_job(stores.jobs, lanes=4, retry=RetryPolicy(max_attempts=3))
    stores.lists.open(job, opened(job), ORDER)
    stores.lists.join(job, STAY, None)
    later = lost(stores, job)
    before = seen(stores, later)

    with pytest.raises((FenceLost, Conflict)):
        WRITES[write](stores, job)

    assert seen(stores, later) == before


@pytest.mark.parametrize("write", sorted(OWN_ROWS, key=str), ids=lambda each: each.__qualname__)
def test_a_write_to_the_rows_of_an_old_fence_changes_nothing_of_the_later_one(
    stores: Stores, write: Callable[..., Any]
) -> None:
    job = a_running_job(stores.jobs, lanes=4)
    stores.lists.open(job, opened(job), ORDER)
    stores.lists.join(job, STAY, None)
    later = superseded(stores, job)
    before = seen(stores, later)

    WRITES[write](stores, job)

    assert (stores.lists.read(later), list(stores.lists.lanes(later)), seen(stores, later)) == (None, [], before)


@pytest.mark.parametrize("write", WRITES, ids=lambda each: each.__qualname__)
def test_a_write_under_a_claim_that_counts_is_conditional_in_each_request(
    dynamodb_stores: Stores, aws_clients: Clients, write: Callable[..., Any]
) -> None:
    """Nothing may happen between a check and the write that it is for."""
    job = a_running_job(dynamodb_stores.jobs, lanes=4)
    if write is not WorkListStore.open:
        dynamodb_stores.lists.open(job, opened(job), ORDER)
        dynamodb_stores.lists.join(job, STAY, None)

    with Faults(aws_clients.dynamodb).installed() as calls:
        WRITES[write](dynamodb_stores, job)

    writes = [(name, request) for name, request in calls.requests if name not in {"GetItem", "BatchGetItem", "Query"}]
    assert writes
    assert {name for name, _ in writes} <= {"TransactWriteItems", "PutItem", "UpdateItem"}
    for name, request in writes:
        operations = request["TransactItems"] if name == "TransactWriteItems" else [{"Put": request}]
        assert any("ConditionExpression" in body for each in operations for body in each.values())


def test_lines_of_a_lane_that_was_dismissed_are_refused(stores: Stores) -> None:
    job = a_running_job(stores.jobs, lanes=4)
    stores.lists.join(job, STAY, None)
    assert stores.logs.append(PROJECT, job.id, [LINE], held=job, lane=STAY) == 1
    stores.lists.update(job, STAY, STAY.leave())

    with pytest.raises(FenceLost):
        stores.logs.append(PROJECT, job.id, [LINE], held=job, lane=STAY)

    assert len(stores.logs.read(PROJECT, job.id, LogQuery()).logs) == 1
