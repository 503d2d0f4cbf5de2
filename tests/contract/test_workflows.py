"""Every Workflows, and the state machine of the infrastructure in Step Functions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.support.aws import moto_aws
from tests.support.builders import PROJECT, START, job_id
from tests.support.faults import Faults
from tests.support.memory.services import MemoryClock, MemoryWorkflows, MemoryWorkQueue
from tests.support.workflow import JobStateMachine, eventually, job_state_machine
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.workflows import StepFunctionsWorkflows
from wainwright.contracts.messages import ExecutionInput, FinishInput, TokenResult, WorkMessage
from wainwright.contracts.names import execution_name
from wainwright.ports.workflows import ExecutionState, Workflows

REQUEST = ExecutionInput(project=PROJECT, job_id=job_id(1), run=2, timeout_seconds=60)
NAME = execution_name(REQUEST.job_id, REQUEST.run)
RESULT = TokenResult(job_id=REQUEST.job_id, run=2, fence=7)


@dataclass(frozen=True)
class Flow:
    """An implementation of Workflows, and the far end of its work queue."""

    workflows: Workflows
    message: Callable[[], WorkMessage]
    no_more_messages: Callable[[], bool]

    def ended(self) -> bool:
        return eventually(lambda: self.workflows.state(REQUEST.job_id, 2) is ExecutionState.ENDED, for_="end")


@pytest.fixture(params=["memory_flow", "step_functions_flow"])
def flow(request: pytest.FixtureRequest) -> Flow:
    """Each implementation of Workflows in turn."""
    found: Flow = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def memory_flow() -> Flow:
    queue = MemoryWorkQueue(MemoryClock(START))

    def message() -> WorkMessage:
        work = queue.receive(timedelta(0))
        assert work is not None
        return work.message

    return Flow(MemoryWorkflows(queue), message, lambda: queue.receive(timedelta(0)) is None)


@pytest.fixture
def machine(aws_clients: Clients) -> Iterator[JobStateMachine]:
    with moto_aws(run_state_machines=True), job_state_machine(aws_clients) as machine:
        yield machine


@pytest.fixture
def step_functions_flow(machine: JobStateMachine) -> Flow:
    workflows = StepFunctionsWorkflows(lambda: machine.clients.stepfunctions, machine.arn)
    return Flow(workflows, machine.message, machine.no_more_messages)


def test_an_execution_hands_its_run_to_a_worker(flow: Flow) -> None:
    assert flow.workflows.start(REQUEST)

    message = flow.message()

    assert (message.project, message.job_id, message.run) == (PROJECT, REQUEST.job_id, 2)
    assert message.task_token
    flow.workflows.succeed(message.token, RESULT)


def test_tells_of_an_execution_from_before_it_was_to_after_it_ended(flow: Flow) -> None:
    assert flow.workflows.state(REQUEST.job_id, 2) is ExecutionState.ABSENT
    flow.workflows.start(REQUEST)
    message = flow.message()
    assert flow.workflows.state(REQUEST.job_id, 2) is ExecutionState.RUNNING
    assert flow.workflows.state(REQUEST.job_id, 1) is ExecutionState.ABSENT

    flow.workflows.succeed(message.token, RESULT)

    assert flow.ended()


def test_a_failed_token_ends_the_execution_too(flow: Flow) -> None:
    flow.workflows.start(REQUEST)

    flow.workflows.fail(flow.message().token, error="worker_lost", cause="3 workers were lost")

    assert flow.ended()


def test_starting_a_run_again_makes_no_second_execution(flow: Flow) -> None:
    flow.workflows.start(REQUEST)
    flow.workflows.start(REQUEST)
    token = flow.message().token

    assert flow.no_more_messages()
    flow.workflows.succeed(token, RESULT)
    assert flow.ended()


def test_refuses_to_start_a_run_whose_execution_has_ended(flow: Flow) -> None:
    flow.workflows.start(REQUEST)
    flow.workflows.succeed(flow.message().token, RESULT)
    assert flow.ended()

    assert not flow.workflows.start(REQUEST)
    assert flow.no_more_messages()


def test_a_token_ends_once_and_does_not_mind_being_ended_again(flow: Flow) -> None:
    flow.workflows.start(REQUEST)
    token = flow.message().token
    flow.workflows.succeed(token, RESULT)
    assert flow.ended()

    flow.workflows.succeed(token, RESULT)
    flow.workflows.fail(token, error="too", cause="late")

    assert flow.workflows.state(REQUEST.job_id, 2) is ExecutionState.ENDED


def test_finish_is_told_what_the_token_said(machine: JobStateMachine) -> None:
    workflows = StepFunctionsWorkflows(lambda: machine.clients.stepfunctions, machine.arn)
    workflows.start(REQUEST)

    workflows.succeed(machine.message().token, RESULT)

    told = FinishInput.model_validate(eventually(lambda: machine.finished, for_="Finish")[0])
    assert (told.project, told.job_id, told.run, told.ended, told.error) == (PROJECT, REQUEST.job_id, 2, RESULT, None)
    eventually(lambda: machine.status(NAME) == "SUCCEEDED", for_="success")


def test_finish_is_told_why_the_token_failed(machine: JobStateMachine) -> None:
    workflows = StepFunctionsWorkflows(lambda: machine.clients.stepfunctions, machine.arn)
    workflows.start(REQUEST)

    with Faults(machine.clients.stepfunctions).installed() as sent:
        workflows.fail(machine.message().token, error="worker_lost", cause="ä" * 40_000)

    told = FinishInput.model_validate(eventually(lambda: machine.finished, for_="Finish")[0])
    assert told.ended is None
    assert told.error is not None
    assert told.error.error == "worker_lost"
    # moto drops the cause; Step Functions refuses one that is too long.
    assert [request["cause"] for name, request in sent.requests] == ["ä" * 32_768]
    eventually(lambda: machine.status(NAME) == "SUCCEEDED", for_="success")


def test_finish_is_told_of_a_worker_that_never_came(machine: JobStateMachine) -> None:
    workflows = StepFunctionsWorkflows(lambda: machine.clients.stepfunctions, machine.arn)

    workflows.start(REQUEST.model_copy(update={"timeout_seconds": 1}))

    told = FinishInput.model_validate(eventually(lambda: machine.finished, for_="Finish")[0])
    assert told.error is not None
    assert told.error.error == "States.Timeout"
