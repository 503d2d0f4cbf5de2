"""One event for each function, as AWS would send it, and the state of AWS in which it finds something to do."""

from __future__ import annotations

import importlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any
from unittest.mock import patch

from botocore import handlers
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from benchmarks.cold_start_child import Context
from benchmarks.replay import Answer, noted
from tests.support.aws import TABLE, create_table, moto_aws, new_clients
from tests.support.builders import PROJECT, a_job, completed
from tests.support.events import bus_event, http_event, sqs_event, stream_event
from wainwright.adapters.aws.access_store import DynamoAccessStore
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.items import job_item
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.clock import system_clock
from wainwright.contracts.events import EventKind
from wainwright.contracts.messages import ExecutionInput, WakeUp, WorkMessage
from wainwright.contracts.scopes import Scope
from wainwright.domain.jobs import Job
from wainwright.ports.job_store import NewEvent
from wainwright.usecases.manage_keys import ManageKeys

QUEUES = "https://sqs.us-east-1.amazonaws.com/123456789012"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:job"
ENVIRONMENT = {
    "WAINWRIGHT_STAGE": "test",
    "WAINWRIGHT_TABLE": TABLE,
    "WAINWRIGHT_BUCKET": "artifacts",
    "WAINWRIGHT_JOBS_QUEUE_URL": f"{QUEUES}/jobs",
    "WAINWRIGHT_WORK_QUEUE_URL": f"{QUEUES}/work",
    "WAINWRIGHT_REPORTS_URL": "https://reports.example",
    "WAINWRIGHT_STATE_MACHINE_ARN": MACHINE,
    "WAINWRIGHT_EVENT_BUS": "bus",
    "WAINWRIGHT_CLUSTER": "cluster",
    "WAINWRIGHT_TASK_DEFINITION": "worker:1",
    "WAINWRIGHT_SUBNETS": "subnet-a,subnet-b",
    "WAINWRIGHT_SECURITY_GROUP": "sg-1",
    "MAX_CONCURRENT_TESTS": "3",
}
RIVAL = "the usual stack"
BODY = json.dumps(
    {"script": "def test_title(page):\n    page.goto('/')\n", "url": "https://shop.example", "label": "a"}
)

Event = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """A handler, an event, and AWS's answers to what the handler calls for. ``outcome`` is what it gave back."""

    name: str
    module: str
    event: Event
    says: str
    answers: list[Answer]
    outcome: Any


@dataclass(frozen=True)
class World:
    """Stores and keys that the scenes are set up with."""

    clients: Clients

    @property
    def jobs(self) -> DynamoJobStore:
        """The jobs."""
        return DynamoJobStore(self.clients.dynamodb, TABLE)

    def key(self) -> str:
        """The secret of a new key."""
        return ManageKeys(DynamoAccessStore(self.clients.dynamodb, TABLE), system_clock).create(
            PROJECT, Scope.RUN, "a key"
        )[1]

    def admitted(self, **fields: Any) -> Job:
        """A job that runs soon."""
        job = self.jobs.write(None, a_job(**({"created_at": system_clock()} | fields)))
        return self.jobs.write(job, job.admit(job.created_at))

    def ended(self, **fields: Any) -> Job:
        """A job whose worker has left an outcome."""
        job = self.admitted(**fields)
        job = self.jobs.write(job, job.claim("w1", job.created_at))
        return self.jobs.write(job, job.record_outcome(completed(), job.created_at))


def _new_job(world: World) -> Event:
    return http_event(
        "POST", "/v1/jobs", key=world.key(), body=BODY, headers={"content-type": "application/json"}
    )  # fmt: skip


def _watched(world: World) -> Event:
    job = world.admitted()
    job = world.jobs.write(job, job.claim("w1", job.created_at))
    world.jobs.record(job, events=[NewEvent(EventKind.LOG, job.created_at, {"message": "here"})])
    return http_event("GET", f"/v1/jobs/{job.id}/events", key=world.key(), parameters={"jobId": job.id})


def _waiting(world: World) -> Event:
    world.jobs.write(None, a_job(created_at=system_clock()))
    return sqs_event(WakeUp(project=PROJECT).model_dump_json(by_alias=True))


def _run_over(world: World) -> Event:
    job = world.ended()
    request = ExecutionInput(project=PROJECT, job_id=job.id, run=job.run, timeout_seconds=60)
    event: Event = json.loads(request.model_dump_json(by_alias=True))
    return event


def _changed(_world: World) -> Event:
    job = a_job(created_at=system_clock())
    admitted = job.admit(job.created_at)
    return stream_event((job_item(admitted), job_item(admitted.claim("w1", job.created_at))))


def _overdue(world: World) -> Event:
    world.jobs.write(None, a_job(created_at=system_clock() - timedelta(minutes=5)))
    return bus_event("Scheduled Event", "aws.events", {})


def _outlived(world: World) -> Event:
    job = world.ended(created_at=system_clock() - timedelta(days=400))
    outcome = job.outcome
    if outcome is None:
        raise RuntimeError("a job that has ended has an outcome")
    world.jobs.write(job, job.finish(outcome, job.created_at))
    return bus_event("Scheduled Event", "aws.events", {})


def _given_up(_world: World) -> Event:
    work = WorkMessage(project=PROJECT, job_id="1", run=1, task_token="token")  # noqa: S106 - a token of no task
    return sqs_event(work.model_dump_json(by_alias=True), queue="work-dead")


SCENES: dict[str, tuple[Callable[[World], Event], str]] = {
    "api": (_new_job, "POST /v1/jobs with a script"),
    "stream_events": (_watched, "GET …/events of a job with news"),
    "dispatch_jobs": (_waiting, "a wake-up; one job to admit, one worker to launch"),
    "finish_job": (_run_over, "a run whose worker left an outcome"),
    "publish_events": (_changed, "a change of status"),
    "sweep": (_overdue, "one job whose wake-up was lost"),
    "clean_up": (_outlived, "one job to delete"),
    "drain_dead_letters": (_given_up, "work that was given up"),
}
"""By the function's folder: what sets it up, and what it is."""


def scenes(names: Sequence[str]) -> list[Scene]:
    """Have each function, and the usual stack first, do its work once; what AWS answered is in each scene."""
    asked = {name: (f"functions.{name}.handler", *SCENES[name]) for name in names}
    sides = {RIVAL: ("benchmarks.cold_start_rival", _new_job, "POST /v1/jobs; one item"), **asked}
    return [_scene(name, *side) for name, side in sides.items()]


def _scene(name: str, module: str, set_up: Callable[[World], Event], says: str) -> Scene:
    with _world() as world:
        event = set_up(world)
        logging.disable(logging.ERROR)  # what a handler logs is no part of what is printed here
        try:
            with noted() as answers:
                outcome = importlib.import_module(module).handler(event, Context())
        finally:
            logging.disable(logging.NOTSET)
        return Scene(name, module, event, says, answers, json.loads(json.dumps(outcome)))


@contextmanager
def _world() -> Iterator[World]:
    """An AWS with everything that the functions are told of, and one answer that moto would want a network for."""
    ecs, tokens = ("before-send.ecs.RunTask", _started), ("before-send.stepfunctions.SendTaskFailure", _stale)
    with patch.dict(os.environ, ENVIRONMENT), moto_aws():
        clients = new_clients()
        create_table(clients.dynamodb)
        clients.s3.create_bucket(Bucket=ENVIRONMENT["WAINWRIGHT_BUCKET"])
        clients.sqs.create_queue(QueueName="jobs")
        clients.sqs.create_queue(QueueName="work")
        definition = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
        role = "arn:aws:iam::123456789012:role/job"
        clients.stepfunctions.create_state_machine(name="job", definition=definition, roleArn=role)
        clients.events.create_event_bus(Name="bus")
        handlers.BUILTIN_HANDLERS[:0] = [ecs, tokens]
        try:
            yield World(clients)
        finally:
            handlers.BUILTIN_HANDLERS.remove(ecs)
            handlers.BUILTIN_HANDLERS.remove(tokens)


class _Raw(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _answered(request: AWSPreparedRequest, status: int, body: object) -> AWSResponse:
    raw: Any = _Raw(json.dumps(body).encode())
    return AWSResponse(request.url, status, HTTPHeaders.from_dict({"content-type": "application/x-amz-json-1.1"}), raw)


def _started(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    return _answered(
        request, 200, {"tasks": [{"taskArn": "arn:aws:ecs:us-east-1:123456789012:task/c/1"}], "failures": []}
    )


def _stale(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    """The token's run has ended meanwhile, which counts as ended."""
    return _answered(request, 400, {"__type": "TaskTimedOut", "message": "Task Timed Out"})
