"""The job state machine of the infrastructure, run by moto."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.support.lambdas import lambdas
from wainwright.adapters.aws.clients import Clients
from wainwright.contracts.messages import WorkMessage

DEFINITION = Path(__file__).parents[2] / "infra" / "workflows" / "job.asl.json"
DEADLINE_SECONDS = 20.0

T = TypeVar("T")


def eventually(look: Callable[[], T], *, for_: str) -> T:
    """Return what ``look`` gives as soon as it is true; fail long after it should have been."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"no {for_} within {DEADLINE_SECONDS} s")
        time.sleep(0.005)
    return found


@dataclass
class JobStateMachine:
    """The state machine's ARN, its work queue, and what its Finish function was called with."""

    arn: str
    work_queue_url: str
    clients: Clients
    finished: list[dict[str, Any]] = field(default_factory=list)

    def message(self) -> WorkMessage:
        """The next message on the work queue."""

        def look() -> list[Any]:
            return self.clients.sqs.receive_message(QueueUrl=self.work_queue_url).get("Messages", [])

        return WorkMessage.model_validate_json(eventually(look, for_="work message")[0]["Body"])

    def no_more_messages(self) -> bool:
        """Return True if nothing waits on the work queue."""
        return "Messages" not in self.clients.sqs.receive_message(QueueUrl=self.work_queue_url)

    def at_rest(self) -> bool:
        """Return True if no execution runs."""
        running = self.clients.stepfunctions.list_executions(stateMachineArn=self.arn, statusFilter="RUNNING")
        return running["executions"] == []

    def status(self, name: str) -> str:
        """The status of an execution as Step Functions tells it."""
        arn = self.arn.replace(":stateMachine:", ":execution:") + f":{name}"
        return self.clients.stepfunctions.describe_execution(executionArn=arn)["status"]


@contextmanager
def job_state_machine(
    clients: Clients, finish: Callable[[dict[str, Any]], Any] = lambda _event: None
) -> Iterator[JobStateMachine]:
    """Create it, with a Finish function; within an AWS that runs state machines."""
    url = clients.sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    substitutions = {
        "${WorkQueueUrl}": url,
        "${FinishJobFunction}": "arn:aws:lambda:us-east-1:123456789012:function:finish_job",
    }
    definition = DEFINITION.read_text(encoding="utf-8")
    for name, value in substitutions.items():
        assert name in definition
        definition = definition.replace(name, value)
    assert "${" not in definition
    created = clients.stepfunctions.create_state_machine(
        name="job", definition=definition, roleArn="arn:aws:iam::123456789012:role/job"
    )
    machine = JobStateMachine(created["stateMachineArn"], url, clients)

    def finish_job(event: dict[str, Any]) -> Any:
        machine.finished.append(json.loads(json.dumps(event)))
        return finish(event)

    with lambdas({"finish_job": finish_job}):
        yield machine
        # Its threads would go on into the next test's AWS.
        eventually(machine.at_rest, for_="end of all executions")
