"""An AWS with everything that the functions are told of by their environment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.aws import TABLE, create_table, moto_aws
from tests.support.builders import PROJECT, a_job
from tests.support.events import Http
from wainwright.adapters.aws.access_store import DynamoAccessStore
from wainwright.adapters.aws.artifacts import S3Artifacts
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.workers import DynamoWorkerStore
from wainwright.adapters.aws.workflows import StepFunctionsWorkflows
from wainwright.adapters.clock import system_clock
from wainwright.contracts.messages import WakeUp
from wainwright.contracts.scopes import Scope
from wainwright.domain.jobs import Job, Outcome
from wainwright.usecases.manage_keys import ManageKeys

BUCKET = "artifacts"
REPORTS_URL = "https://reports.example"
ROLE = "arn:aws:iam::123456789012:role/job"
STATE_MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:job"
JOBS_QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/jobs"


@dataclass(frozen=True)
class Cloud:
    """The far ends of what the functions do."""

    clients: Clients

    @property
    def jobs(self) -> DynamoJobStore:
        """The jobs."""
        return DynamoJobStore(self.clients.dynamodb, TABLE)

    @property
    def access(self) -> DynamoAccessStore:
        """Keys and tickets."""
        return DynamoAccessStore(self.clients.dynamodb, TABLE)

    @property
    def workers(self) -> DynamoWorkerStore:
        """Rows of workers."""
        return DynamoWorkerStore(self.clients.dynamodb, TABLE)

    @property
    def artifacts(self) -> S3Artifacts:
        """The bucket."""
        return S3Artifacts(self.clients.s3, BUCKET)

    @property
    def workflows(self) -> StepFunctionsWorkflows:
        """The executions."""
        return StepFunctionsWorkflows(lambda: self.clients.stepfunctions, STATE_MACHINE)

    def job(self, job_id: str) -> Job:
        """A job as it is now."""
        job = self.jobs.get(PROJECT, job_id)
        assert job is not None
        return job

    def submitted(self, **fields: Any) -> Job:
        """A waiting job."""
        return self.jobs.write(None, a_job(**({"created_at": system_clock()} | fields)))

    def admitted(self, **fields: Any) -> Job:
        """A job that was admitted, and no more."""
        job = self.submitted(**fields)
        return self.jobs.write(job, job.admit(system_clock()))

    def with_outcome(self, outcome: Outcome) -> Job:
        """A job whose worker has left an outcome."""
        job = self.admitted()
        job = self.jobs.write(job, job.claim("w1", system_clock()))
        return self.jobs.write(job, job.record_outcome(outcome, system_clock()))

    def key(self, scope: Scope = Scope.RUN, project: str = PROJECT) -> str:
        """The secret of a new key."""
        return ManageKeys(self.access, system_clock).create(project, scope, "a key")[1]

    def woken(self) -> list[str]:
        """Projects whose wake-ups are on the jobs queue now; they are taken off it."""
        found = []
        while messages := self.clients.sqs.receive_message(QueueUrl=JOBS_QUEUE).get("Messages"):
            for message in messages:
                self.clients.sqs.delete_message(QueueUrl=JOBS_QUEUE, ReceiptHandle=message["ReceiptHandle"])
                found.append(WakeUp.model_validate_json(message["Body"]).project)
        return found


@pytest.fixture
def cloud(aws_clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with moto_aws():
        create_table(aws_clients.dynamodb)
        aws_clients.s3.create_bucket(Bucket=BUCKET)
        assert aws_clients.sqs.create_queue(QueueName="jobs")["QueueUrl"] == JOBS_QUEUE
        work_queue = aws_clients.sqs.create_queue(QueueName="work")["QueueUrl"]
        definition = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
        machine = aws_clients.stepfunctions.create_state_machine(name="job", definition=definition, roleArn=ROLE)
        assert machine["stateMachineArn"] == STATE_MACHINE
        aws_clients.events.create_event_bus(Name="bus")
        for name, value in {
            "WAINWRIGHT_STAGE": "test",
            "WAINWRIGHT_TABLE": TABLE,
            "WAINWRIGHT_BUCKET": BUCKET,
            "WAINWRIGHT_JOBS_QUEUE_URL": JOBS_QUEUE,
            "WAINWRIGHT_WORK_QUEUE_URL": work_queue,
            "WAINWRIGHT_REPORTS_URL": REPORTS_URL,
            "WAINWRIGHT_STATE_MACHINE_ARN": STATE_MACHINE,
            "WAINWRIGHT_EVENT_BUS": "bus",
            "WAINWRIGHT_CLUSTER": "cluster",
            "WAINWRIGHT_TASK_DEFINITION": "worker:1",
            "WAINWRIGHT_SUBNETS": "subnet-a,subnet-b",
            "WAINWRIGHT_SECURITY_GROUP": "sg-1",
            "MAX_CONCURRENT_TESTS": "3",
            "RUNNING_CAPACITY": "2",
            "QUEUED_CAPACITY": "3",
        }.items():
            monkeypatch.setenv(name, value)
        yield Cloud(aws_clients)


@pytest.fixture(scope="module", autouse=True)
def _put_together_once() -> Iterator[None]:
    """Handlers put their use cases together at the first event; another module's tests begin anew."""
    yield
    from functions.api import handler as api
    from functions.dispatch_jobs import handler as dispatch_jobs
    from functions.drain_dead_letters import handler as drain_dead_letters
    from functions.finish_job import handler as finish_job
    from functions.publish_events import handler as publish_events
    from functions.stream_events import handler as stream_events
    from functions.sweep import handler as sweep

    caches: list[Any] = [
        api.api, dispatch_jobs.dispatch, drain_dead_letters.give_up, finish_job.finish, publish_events.publish,
        stream_events.stream, sweep.sweep,
    ]  # fmt: skip
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def http(cloud: Cloud) -> Http:
    """Somebody with a key that may run jobs."""
    from functions.api.handler import handler

    return Http(handler, cloud.key())
