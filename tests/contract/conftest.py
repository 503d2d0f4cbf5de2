"""Every implementation of every port. A new one is one more line here, and passes the same suite."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.aws import create_table
from tests.support.builders import START
from tests.support.memory.job_store import MemoryJobStore
from tests.support.memory.secrets import MemorySecretStore
from tests.support.memory.services import (
    MemoryArtifacts,
    MemoryClock,
    MemoryEventBus,
    MemoryWakeUps,
    MemoryWorkQueue,
)
from tests.support.memory.stores import MemoryAccessStore, MemoryWorkerStore
from tests.support.memory.work_lists import MemoryWorkListStore
from wainwright.adapters.aws.access_store import DynamoAccessStore
from wainwright.adapters.aws.artifacts import S3Artifacts
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.event_bus import EventBridgeBus
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.queues import SqsWakeUps, SqsWorkQueue
from wainwright.adapters.aws.secret_store import SsmSecretStore
from wainwright.adapters.aws.work_lists import DynamoWorkListStore
from wainwright.adapters.aws.workers import DynamoWorkerStore
from wainwright.contracts.events import StatusChanged
from wainwright.contracts.messages import WakeUp, WorkMessage
from wainwright.ports.access import AccessStore
from wainwright.ports.artifacts import Artifacts
from wainwright.ports.event_bus import EventBus
from wainwright.ports.job_store import JobStore
from wainwright.ports.queues import WakeUps, WorkQueue
from wainwright.ports.secrets import SecretStore
from wainwright.ports.work_lists import WorkListStore
from wainwright.ports.workers import WorkerStore


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock(START)


@pytest.fixture
def table(aws: None, aws_clients: Clients) -> str:
    return create_table(aws_clients.dynamodb)


@pytest.fixture
def safe_table(aws: None, aws_clients: Clients, tmp_path: Path) -> Iterator[str]:
    """The table, safe for several threads: moto's own transactions undo what others wrote meanwhile."""
    from wainwright.local.dynamodb import SafeDynamoDB
    from wainwright.local.journal import Journal
    from wainwright.local.patches import Patches

    journal = Journal(tmp_path / "data")
    with Patches() as patches:
        SafeDynamoDB(journal).install(patches)
        yield create_table(aws_clients.dynamodb)
    journal.close()


@pytest.fixture(params=["memory_jobs", "dynamodb_jobs"])
def jobs(request: pytest.FixtureRequest) -> JobStore:
    """Each implementation of JobStore in turn."""
    store: JobStore = request.getfixturevalue(request.param)
    return store


@pytest.fixture(params=["memory_jobs", "threaded_dynamodb_jobs"])
def threaded_jobs(request: pytest.FixtureRequest) -> JobStore:
    """Each implementation of JobStore in turn, fit for several threads."""
    store: JobStore = request.getfixturevalue(request.param)
    return store


@pytest.fixture
def memory_jobs() -> MemoryJobStore:
    return MemoryJobStore()


@pytest.fixture
def dynamodb_jobs(table: str, aws_clients: Clients) -> DynamoJobStore:
    return DynamoJobStore(aws_clients.dynamodb, table)


@pytest.fixture
def threaded_dynamodb_jobs(safe_table: str, aws_clients: Clients) -> DynamoJobStore:
    return DynamoJobStore(aws_clients.dynamodb, safe_table)


@pytest.fixture(params=["memory_access", "dynamodb_access"])
def access(request: pytest.FixtureRequest) -> AccessStore:
    """Each implementation of AccessStore in turn."""
    store: AccessStore = request.getfixturevalue(request.param)
    return store


@pytest.fixture
def memory_access() -> MemoryAccessStore:
    return MemoryAccessStore()


@pytest.fixture
def dynamodb_access(table: str, aws_clients: Clients) -> DynamoAccessStore:
    return DynamoAccessStore(aws_clients.dynamodb, table)


@pytest.fixture(params=["memory_workers", "dynamodb_workers"])
def workers(request: pytest.FixtureRequest) -> WorkerStore:
    """Each implementation of WorkerStore in turn."""
    store: WorkerStore = request.getfixturevalue(request.param)
    return store


@pytest.fixture
def memory_workers() -> MemoryWorkerStore:
    return MemoryWorkerStore()


@pytest.fixture
def dynamodb_workers(table: str, aws_clients: Clients) -> DynamoWorkerStore:
    return DynamoWorkerStore(aws_clients.dynamodb, table)


@pytest.fixture(params=["memory_secrets", "ssm_secrets"])
def secrets(request: pytest.FixtureRequest) -> SecretStore:
    """Each implementation of SecretStore in turn."""
    store: SecretStore = request.getfixturevalue(request.param)
    return store


@pytest.fixture
def memory_secrets() -> MemorySecretStore:
    return MemorySecretStore()


@pytest.fixture
def ssm_secrets(table: str, aws_clients: Clients) -> SsmSecretStore:
    return SsmSecretStore(lambda: aws_clients.ssm, aws_clients.dynamodb, table, "dev")


@dataclass(frozen=True)
class Queues:
    """An implementation of WorkQueue and WakeUps, with the other ends of both in the test's hands."""

    work: WorkQueue
    wakeups: WakeUps
    put: Callable[[WorkMessage], None]
    pass_time: Callable[[timedelta], object]
    woken: Callable[[], list[str]]
    """Projects whose wake-ups can be received now; they are taken off the queue."""


@pytest.fixture(params=["memory_queues", "sqs_queues"])
def queues(request: pytest.FixtureRequest) -> Queues:
    """Each implementation of the queues in turn."""
    found: Queues = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def memory_queues(clock: MemoryClock) -> Queues:
    work, wakeups = MemoryWorkQueue(clock), MemoryWakeUps()

    def woken() -> list[str]:
        due = [project for project, delay in wakeups.sent if START + delay <= clock()]
        wakeups.sent = [sent for sent in wakeups.sent if START + sent[1] > clock()]
        return due

    return Queues(work=work, wakeups=wakeups, put=work.put, pass_time=clock.advance, woken=woken)


@pytest.fixture
def sqs_queues(aws: None, aws_clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Queues:
    sqs = aws_clients.sqs
    work_url = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    jobs_url = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    ahead = timedelta(0)

    def pass_time(duration: timedelta) -> None:
        nonlocal ahead
        ahead += duration

    began, ticks = time.time(), itertools.count()

    def now() -> float:
        return began + ahead.total_seconds() + next(ticks) * 1e-6  # moto takes two equal times for none having passed

    monkeypatch.setattr("moto.sqs.models.unix_time", now)
    monkeypatch.setattr("moto.sqs.models.unix_time_millis", lambda: now() * 1_000)

    def put(message: WorkMessage) -> None:
        sqs.send_message(QueueUrl=work_url, MessageBody=message.model_dump_json(by_alias=True))

    def woken() -> list[str]:
        messages = sqs.receive_message(QueueUrl=jobs_url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=jobs_url, ReceiptHandle=message["ReceiptHandle"])
        return [WakeUp.model_validate_json(message["Body"]).project for message in messages]

    return Queues(
        work=SqsWorkQueue(lambda: sqs, work_url),
        wakeups=SqsWakeUps(lambda: sqs, jobs_url),
        put=put,
        pass_time=pass_time,
        woken=woken,
    )


@pytest.fixture(params=["memory_artifacts", "s3_artifacts"])
def artifacts(request: pytest.FixtureRequest) -> Artifacts:
    """Each implementation of Artifacts in turn."""
    store: Artifacts = request.getfixturevalue(request.param)
    return store


@pytest.fixture
def memory_artifacts(clock: MemoryClock) -> MemoryArtifacts:
    return MemoryArtifacts(clock)


@pytest.fixture
def s3_artifacts(aws: None, aws_clients: Clients) -> S3Artifacts:
    aws_clients.s3.create_bucket(Bucket="artifacts")
    return S3Artifacts(aws_clients.s3, "artifacts")


@dataclass(frozen=True)
class Bus:
    """An implementation of EventBus, and what arrived there."""

    bus: EventBus
    arrived: Callable[[], list[StatusChanged]]


@pytest.fixture(params=["memory_bus", "eventbridge_bus"])
def bus(request: pytest.FixtureRequest) -> Bus:
    """Each implementation of EventBus in turn."""
    found: Bus = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def memory_bus() -> Bus:
    bus = MemoryEventBus()
    return Bus(bus, lambda: bus.published)


@pytest.fixture
def eventbridge_bus(aws: None, aws_clients: Clients) -> Bus:
    """A bus with a rule of the kind that a user would add: to a queue."""
    sqs, events = aws_clients.sqs, aws_clients.events
    url = sqs.create_queue(QueueName="arrivals")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.create_event_bus(Name="bus")
    pattern = json.dumps({"source": ["wainwright"], "detail-type": ["Job Status Changed"]})
    events.put_rule(Name="all", EventBusName="bus", EventPattern=pattern)
    events.put_targets(Rule="all", EventBusName="bus", Targets=[{"Id": "queue", "Arn": arn}])

    def arrived() -> list[StatusChanged]:
        found: list[StatusChanged] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [StatusChanged.model_validate(json.loads(message["Body"])["detail"]) for message in messages]
        return found

    return Bus(EventBridgeBus(events, "bus"), arrived)


@dataclass(frozen=True)
class WorkLists:
    """An implementation of WorkListStore, with the jobs that it belongs to."""

    jobs: JobStore
    lists: WorkListStore


@pytest.fixture(params=["memory_work_lists", "dynamodb_work_lists"])
def work_lists(request: pytest.FixtureRequest) -> WorkLists:
    """Each implementation of WorkListStore in turn."""
    found: WorkLists = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["memory_work_lists", "threaded_dynamodb_work_lists"])
def threaded_work_lists(request: pytest.FixtureRequest) -> WorkLists:
    """Each implementation of WorkListStore in turn, fit for several threads."""
    found: WorkLists = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def memory_work_lists(memory_jobs: MemoryJobStore) -> WorkLists:
    return WorkLists(memory_jobs, MemoryWorkListStore(memory_jobs))


@pytest.fixture
def dynamodb_work_lists(dynamodb_jobs: DynamoJobStore, table: str, aws_clients: Clients) -> WorkLists:
    return WorkLists(dynamodb_jobs, DynamoWorkListStore(aws_clients.dynamodb, table))


@pytest.fixture
def threaded_dynamodb_work_lists(
    threaded_dynamodb_jobs: DynamoJobStore, safe_table: str, aws_clients: Clients
) -> WorkLists:
    return WorkLists(threaded_dynamodb_jobs, DynamoWorkListStore(aws_clients.dynamodb, safe_table))
