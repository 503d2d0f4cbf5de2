"""DynamoDB as it is on a bad day: answers lost, transactions in each other's way, throttling."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.support.builders import PROJECT, START, a_job
from tests.support.faults import Faults
from wainwright.adapters.aws import table
from wainwright.adapters.aws.access_store import DynamoAccessStore
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_records import ADD_TRIES, RECORD_TRIES
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.workers import DynamoWorkerStore
from wainwright.contracts.events import EventKind
from wainwright.contracts.scopes import Scope
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import CapacityExceeded, Conflict, FenceLost, Unavailable
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.domain.workers import WorkerRecord, WorkerState
from wainwright.ports.access import ApiKey, Ticket
from wainwright.ports.job_store import Idempotency, NewEvent, StoredTest

pytestmark = pytest.mark.usefixtures("no_pauses")

KEY = Idempotency(key="a key", digest="d", until=START + timedelta(days=1))
EVENT = NewEvent(kind=EventKind.LOG, at=START, data={"n": 1})
ALL_BUSY = table.TRIES


@pytest.fixture
def faults(dynamodb_jobs: DynamoJobStore, aws_clients: Clients) -> Iterator[Faults]:
    with Faults(aws_clients.dynamodb).installed() as faults:
        yield faults


def running(store: DynamoJobStore) -> Job:
    job = store.write(None, a_job())
    job = store.write(job, job.admit(START))
    return store.write(job, job.claim("w1", START))


# Our own write, whose answer was lost


def test_knows_its_own_new_job_again(dynamodb_jobs: DynamoJobStore, faults: Faults) -> None:
    faults.lose_answers = 1

    job = dynamodb_jobs.write(None, a_job(), limits=Limits(), detail=JobDetail(params={"a": 1}), idempotency=KEY)

    assert faults.left == 0
    assert faults.calls.count("TransactWriteItems") == 1  # botocore itself sent it again
    assert dynamodb_jobs.get(PROJECT, job.id) == job
    assert dynamodb_jobs.load(PROJECT).queued == 1
    assert len(dynamodb_jobs.waiting_line(PROJECT, START, 10)) == 1


def test_knows_its_own_admission_again_though_it_took_the_last_lane(
    dynamodb_jobs: DynamoJobStore, faults: Faults
) -> None:
    job = dynamodb_jobs.write(None, a_job())
    faults.lose_answers = 1

    admitted = dynamodb_jobs.write(job, job.admit(START), limits=Limits(running=1))

    assert faults.left == 0
    assert dynamodb_jobs.get(PROJECT, job.id) == admitted
    assert (dynamodb_jobs.load(PROJECT).queued, dynamodb_jobs.load(PROJECT).running) == (0, 1)


def test_knows_its_own_write_of_the_row_alone_again(dynamodb_jobs: DynamoJobStore, faults: Faults) -> None:
    job = running(dynamodb_jobs)
    faults.lose_answers = 2

    renewed = dynamodb_jobs.write(job, job.renew(START, 5))

    assert faults.left == 0
    assert faults.calls[-2:] == ["PutItem", "GetItem"]
    assert dynamodb_jobs.get(PROJECT, job.id) == renewed
    assert renewed.version == job.version + 1


def test_does_not_take_the_write_of_another_for_its_own(dynamodb_jobs: DynamoJobStore, faults: Faults) -> None:
    job = dynamodb_jobs.write(None, a_job())
    dynamodb_jobs.write(job, job.touch(START))
    faults.lose_answers = 1

    with pytest.raises(Conflict):
        dynamodb_jobs.write(job, job.cancel(START))


def test_numbers_events_once_though_the_answer_was_lost(dynamodb_jobs: DynamoJobStore, faults: Faults) -> None:
    job = running(dynamodb_jobs)
    dynamodb_jobs.record(job, events=[EVENT])
    faults.lose_answers = 1

    progress = dynamodb_jobs.record(job, events=[EVENT, EVENT], tally=Tally(total=3))

    assert faults.left == 0
    assert progress.sequence == 3
    assert [event.sequence for event in dynamodb_jobs.events(PROJECT, job.id, 0, 10)] == [1, 2, 3]


def test_numbers_events_once_though_the_answer_was_lost_and_others_followed(
    dynamodb_jobs: DynamoJobStore, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = running(dynamodb_jobs)
    meanwhile = [1]

    def others(_seconds: float) -> None:  # between the answer that was lost and sending it again
        if meanwhile and not faults.lose_answers:
            meanwhile.clear()
            assert dynamodb_jobs.add_events(PROJECT, job.id, [EVENT], 100)

    monkeypatch.setattr("botocore.endpoint.time.sleep", others)
    faults.lose_answers = 1

    progress = dynamodb_jobs.record(job, events=[EVENT, EVENT])

    assert (faults.left, meanwhile) == (0, [])
    assert progress.sequence == 2
    assert [event.sequence for event in dynamodb_jobs.events(PROJECT, job.id, 0, 10)] == [1, 2, 3]


def test_adds_events_once_though_the_answer_was_lost(dynamodb_jobs: DynamoJobStore, faults: Faults) -> None:
    job = dynamodb_jobs.write(None, a_job())
    faults.lose_answers = 1

    assert dynamodb_jobs.add_events(PROJECT, job.id, [EVENT], 1)

    assert faults.left == 0
    assert [event.sequence for event in dynamodb_jobs.events(PROJECT, job.id, 0, 10)] == [1]


def test_keeps_outcomes_without_events_though_the_answer_was_lost(
    dynamodb_jobs: DynamoJobStore, faults: Faults
) -> None:
    job = running(dynamodb_jobs)
    faults.lose_answers = 1

    dynamodb_jobs.record(job, tests=[StoredTest(id="a", outcome=TestOutcome.PASSED, attempt=1, body={})])

    assert [test.id for test in dynamodb_jobs.tests(PROJECT, job.id)] == ["a"]


def test_tells_of_a_connection_that_is_never_answered(dynamodb_jobs: DynamoJobStore, faults: Faults) -> None:
    faults.lose_answers = 100

    with pytest.raises(ConnectionClosedError):
        dynamodb_jobs.write(None, a_job())


# In the way of others

CONFLICT = ("None", "TransactionConflict", "None")


@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        pytest.param("TransactionCanceledException", CONFLICT, id="another transaction"),
        pytest.param("TransactionCanceledException", ("ThrottlingError", "None", "None"), id="a throttled transaction"),
        pytest.param("TransactionInProgressException", (), id="the same transaction under way"),
        pytest.param("ThrottlingException", (), id="throttling"),
        pytest.param("ProvisionedThroughputExceededException", (), id="a hot partition"),
        pytest.param("InternalServerError", (), id="a fault of the database"),
    ],
)
def test_tries_again_after(dynamodb_jobs: DynamoJobStore, faults: Faults, code: str, reasons: tuple[str, ...]) -> None:
    faults.refuse(code, reasons=reasons, times=ALL_BUSY - 1)

    job = dynamodb_jobs.write(None, a_job())

    assert faults.left == 0
    assert faults.calls.count("TransactWriteItems") == ALL_BUSY
    assert dynamodb_jobs.get(PROJECT, job.id) == job


def test_gives_up_when_others_are_always_in_the_way(dynamodb_jobs: DynamoJobStore, faults: Faults) -> None:
    job = a_job()
    faults.refuse("TransactionCanceledException", reasons=CONFLICT, times=ALL_BUSY)

    with pytest.raises(Unavailable) as refused:
        dynamodb_jobs.write(None, job)

    assert refused.value.advice
    assert faults.left == 0
    assert dynamodb_jobs.get(PROJECT, job.id) is None


def test_tries_the_write_of_a_row_alone_again(dynamodb_jobs: DynamoJobStore, faults: Faults) -> None:
    job = running(dynamodb_jobs)
    faults.refuse("TransactionConflictException", times=3)

    renewed = dynamodb_jobs.write(job, job.renew(START, 5))

    assert faults.left == 0
    assert dynamodb_jobs.get(PROJECT, job.id) == renewed


def test_tries_again_to_record(dynamodb_jobs: DynamoJobStore, faults: Faults) -> None:
    job = running(dynamodb_jobs)
    faults.refuse("TransactionCanceledException", reasons=CONFLICT, times=2)

    assert dynamodb_jobs.record(job, events=[EVENT]).sequence == 1
    assert faults.left == 0


def test_a_condition_that_does_not_hold_counts_for_more_than_a_conflict(
    dynamodb_jobs: DynamoJobStore, faults: Faults
) -> None:
    job = running(dynamodb_jobs)
    faults.refuse("TransactionCanceledException", reasons=("ConditionalCheckFailed", "TransactionConflict"))
    faults.calls.clear()

    with pytest.raises(FenceLost):
        dynamodb_jobs.record(job, events=[EVENT])

    assert faults.calls.count("TransactWriteItems") == 1


def test_counters_alone_refusing_are_a_matter_of_capacity(dynamodb_jobs: DynamoJobStore, faults: Faults) -> None:
    faults.refuse("TransactionCanceledException", reasons=("None", "None", "ConditionalCheckFailed"))

    with pytest.raises(CapacityExceeded):
        dynamodb_jobs.write(None, a_job(), limits=Limits())


@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        pytest.param("TransactionCanceledException", ("None", "ValidationError"), id="of an invalid transaction"),
        pytest.param("ValidationException", (), id="of an invalid request"),
        pytest.param("AccessDeniedException", (), id="of missing rights"),
        pytest.param("ResourceNotFoundException", (), id="of a missing table"),
    ],
)
def test_does_not_repeat_what_can_only_fail_again_because(
    dynamodb_jobs: DynamoJobStore, faults: Faults, code: str, reasons: tuple[str, ...]
) -> None:
    faults.refuse(code, reasons=reasons)

    with pytest.raises(ClientError):
        dynamodb_jobs.write(None, a_job())

    assert faults.calls.count("TransactWriteItems") == 1


def test_gives_up_to_number_events_that_others_always_number_first(
    dynamodb_jobs: DynamoJobStore, faults: Faults
) -> None:
    job = running(dynamodb_jobs)
    faults.refuse("TransactionCanceledException", reasons=("None", "ConditionalCheckFailed"), times=RECORD_TRIES)

    with pytest.raises(Unavailable):
        dynamodb_jobs.record(job, events=[EVENT])

    assert faults.left == 0
    assert dynamodb_jobs.events(PROJECT, job.id, 0, 10) == []


def test_gives_up_to_add_events_that_others_always_number_first(dynamodb_jobs: DynamoJobStore, faults: Faults) -> None:
    job = dynamodb_jobs.write(None, a_job())
    faults.refuse("TransactionCanceledException", reasons=("None", "ConditionalCheckFailed"), times=ADD_TRIES)

    with pytest.raises(Unavailable) as refused:
        dynamodb_jobs.add_events(PROJECT, job.id, [EVENT], 100)

    assert refused.value.advice
    assert faults.left == 0
    assert dynamodb_jobs.events(PROJECT, job.id, 0, 10) == []


# Waiting between tries


def test_waits_a_little_longer_each_time_and_never_long(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: list[tuple[float, float]] = []
    pauses: list[float] = []

    def longest(least: float, most: float) -> float:
        bounds.append((least, most))
        return most

    monkeypatch.setattr("random.uniform", longest)

    def busy() -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")

    with pytest.raises(Unavailable):
        table.attempt_until_clear(busy, pauses.append)

    assert len(pauses) == table.TRIES
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (table.BASE_SECONDS, table.MAX_SECONDS)
    assert {least for least, _ in bounds} == {0}  # full jitter: whoever met once does not meet again
    assert sum(pauses) < 5  # an API call ends long before the gateway's 30 s


# Reading


def test_reads_every_row_consistently(
    dynamodb_jobs: DynamoJobStore, aws_clients: Clients, table: str, faults: Faults
) -> None:
    job = running(dynamodb_jobs)
    access, workers = DynamoAccessStore(aws_clients.dynamodb, table), DynamoWorkerStore(aws_clients.dynamodb, table)
    access.put_key(ApiKey(id="k", digest="d", project=PROJECT, scope=Scope.READ, name="n", created_at=START))
    access.put_ticket(Ticket(digest="t", project=PROJECT, job_id=job.id, expires_at=START))
    workers.put(WorkerRecord(id="w", state=WorkerState.IDLE, due_at=START))
    faults.requests.clear()

    dynamodb_jobs.get(PROJECT, job.id)
    dynamodb_jobs.view(PROJECT, job.id)
    dynamodb_jobs.get_idempotent(PROJECT, "a key")
    dynamodb_jobs.waiting_line(PROJECT, START, 10)
    dynamodb_jobs.loads()
    dynamodb_jobs.load(PROJECT)
    dynamodb_jobs.tests(PROJECT, job.id)
    dynamodb_jobs.events(PROJECT, job.id, 0, 10)
    access.find_key("d")
    access.list_keys(PROJECT)
    access.find_ticket("t")
    workers.list()

    lagging = [request for request in faults.requests if not request[1].get("ConsistentRead")]
    assert len(faults.requests) >= 12
    assert lagging == []


def test_reads_a_partition_over_all_its_pages(
    dynamodb_jobs: DynamoJobStore, aws_clients: Clients, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        dynamodb_jobs.write(None, a_job())
    asked: list[Any] = []
    query = aws_clients.dynamodb.query

    def two_rows_a_page(**request: Any) -> Any:
        asked.append(request)
        return query(**request | {"Limit": 2})

    monkeypatch.setattr(aws_clients.dynamodb, "query", two_rows_a_page)

    assert len(dynamodb_jobs.waiting_line(PROJECT, START, 100)) == 5
    assert len(asked) == 3
    assert len(dynamodb_jobs.waiting_line(PROJECT, START, 3)) == 3
    assert len(asked) == 5
