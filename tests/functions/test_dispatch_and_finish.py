"""Dispatch and Finish, each through the events that AWS hands it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.dispatch_jobs import handler as dispatch_jobs
from functions.finish_job import handler as finish_job
from tests.functions.conftest import Cloud
from tests.support.builders import PROJECT, completed, failed, job_id
from tests.support.events import CONTEXT, bus_event, sqs_event
from tests.support.faults import Faults
from wainwright.adapters.aws.workers import FargateLauncher
from wainwright.contracts.messages import ExecutionInput, TokenResult, WakeUp
from wainwright.domain.errors import Unavailable
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import Job
from wainwright.domain.states import JobStatus
from wainwright.ports.workers import LaunchRefused
from wainwright.ports.workflows import ExecutionState

WAKE_UP = WakeUp(project=PROJECT).model_dump_json(by_alias=True)


class Ecs:
    """RunTask of the launcher's client, answered here: moto would want a network, a cluster and an image."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.no_room: list[str] = []

    def answer(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        request = json.loads(params["body"])
        self.requests.append(request)
        provider = request["capacityProviderStrategy"][0]["capacityProvider"]
        if provider in self.no_room:
            return _Ok, {"tasks": [], "failures": [{"reason": "RESOURCE:CPU", "detail": "no room"}]}
        return _Ok, {"tasks": [{"taskArn": f"arn:task/{len(self.requests)}"}], "failures": []}


class _Ok:
    status_code = 200


@pytest.fixture
def ecs(cloud: Cloud) -> Iterator[Ecs]:
    launcher: Any = dispatch_jobs.dispatch().launch_workers.launcher
    ecs = Ecs()
    launcher.ecs().meta.events.register("before-call.ecs.RunTask", ecs.answer)
    yield ecs
    launcher.ecs().meta.events.unregister("before-call.ecs.RunTask", ecs.answer)


class TestDispatch:
    def test_wake_ups_admit_start_and_launch(self, cloud: Cloud, ecs: Ecs) -> None:
        job = cloud.submitted()

        answer = dispatch_jobs.handler(sqs_event(WAKE_UP, WAKE_UP), CONTEXT)

        assert answer == {"batchItemFailures": []}
        assert cloud.job(job.id).run == 1
        assert cloud.workflows.state(job.id, 1) is ExecutionState.RUNNING
        (request,) = ecs.requests
        (row,) = cloud.workers.list()
        assert request["startedBy"] == row.id
        assert request["clientToken"] == f"{row.id}-s"
        assert request["cluster"] == "cluster"
        assert request["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
        network = request["networkConfiguration"]["awsvpcConfiguration"]
        assert (network["subnets"], network["securityGroups"]) == (["subnet-a", "subnet-b"], ["sg-1"])
        (container,) = request["overrides"]["containerOverrides"]
        assert container["environment"] == [{"name": "WAINWRIGHT_WORKER_ID", "value": row.id}]

    def test_a_wake_up_may_want_a_worker_though_no_job_does(self, cloud: Cloud, ecs: Ecs) -> None:
        dispatch_jobs.handler(sqs_event(WAKE_UP, WakeUp(project=PROJECT, workers=1).model_dump_json()), CONTEXT)
        assert len(ecs.requests) == 1

        dispatch_jobs.handler(sqs_event("whatever it is"), CONTEXT)
        assert len(ecs.requests) == 1

    def test_holds_to_the_capacity_of_its_settings(self, cloud: Cloud, ecs: Ecs) -> None:
        for _ in range(3):
            cloud.submitted()

        dispatch_jobs.handler(sqs_event(WAKE_UP), CONTEXT)

        assert (cloud.jobs.load(PROJECT).running, cloud.jobs.load(PROJECT).queued) == (2, 1)

    def test_launches_on_demand_where_spot_has_no_room(self, cloud: Cloud, ecs: Ecs) -> None:
        cloud.submitted()
        ecs.no_room = ["FARGATE_SPOT"]

        dispatch_jobs.handler(sqs_event(WAKE_UP), CONTEXT)

        assert [r["capacityProviderStrategy"][0]["capacityProvider"] for r in ecs.requests] == [
            "FARGATE_SPOT",
            "FARGATE",
        ]
        tokens = {request["clientToken"] for request in ecs.requests}
        assert len(tokens) == 2  # the second is no repetition of the first
        assert len(cloud.workers.list()) == 1

    def test_where_there_is_no_room_for_workers_what_was_admitted_waits_for_the_next_wake_up(
        self, cloud: Cloud, ecs: Ecs, caplog: pytest.LogCaptureFixture
    ) -> None:
        job = cloud.submitted()
        ecs.no_room = ["FARGATE_SPOT", "FARGATE"]

        assert dispatch_jobs.handler(sqs_event(WAKE_UP, WAKE_UP), CONTEXT) == {"batchItemFailures": []}

        assert "no more workers may run" in caplog.text
        assert cloud.workers.list() == []
        assert cloud.job(job.id).admitted_at is not None
        assert cloud.workflows.state(job.id, 1) is ExecutionState.RUNNING
        ecs.no_room = []
        dispatch_jobs.handler(sqs_event(WAKE_UP), CONTEXT)
        assert len(cloud.workers.list()) == 1

    def test_a_wake_up_that_itself_wants_workers_comes_again_until_there_is_room(self, cloud: Cloud, ecs: Ecs) -> None:
        ecs.no_room = ["FARGATE_SPOT", "FARGATE"]
        wanting = WakeUp(project=PROJECT, workers=1).model_dump_json()
        event = sqs_event(WAKE_UP, wanting)

        answer = dispatch_jobs.handler(event, CONTEXT)

        assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}
        ecs.no_room = []
        assert dispatch_jobs.handler(sqs_event(wanting), CONTEXT) == {"batchItemFailures": []}
        assert len(cloud.workers.list()) == 1

    def test_a_stopped_task_that_cannot_be_replaced_at_once_is_no_failure(self, cloud: Cloud, ecs: Ecs) -> None:
        cloud.submitted()
        dispatch_jobs.handler(sqs_event(WAKE_UP), CONTEXT)
        (lost,) = cloud.workers.list()
        ecs.no_room = ["FARGATE_SPOT", "FARGATE"]
        detail = {"lastStatus": "STOPPED", "startedBy": lost.id, "stoppedReason": "Your Spot Task was interrupted."}

        dispatch_jobs.handler(bus_event("ECS Task State Change", "aws.ecs", detail), CONTEXT)

        assert cloud.workers.list() == []

    def test_a_refused_request_is_no_want_of_room(self, cloud: Cloud) -> None:
        cloud.submitted()
        launcher = dispatch_jobs.dispatch().launch_workers.launcher
        assert isinstance(launcher, FargateLauncher)
        with Faults(launcher.ecs(), on=["RunTask"]).installed() as faults:
            faults.refuse("AccessDeniedException")
            with pytest.raises(LaunchRefused) as refused:
                dispatch_jobs.handler(sqs_event(WAKE_UP), CONTEXT)

        assert not refused.value.capacity
        assert faults.calls == ["RunTask"]

    def test_a_task_that_stopped_loses_its_row_and_is_replaced(self, cloud: Cloud, ecs: Ecs) -> None:
        cloud.submitted()
        dispatch_jobs.handler(sqs_event(WAKE_UP), CONTEXT)
        (lost,) = cloud.workers.list()
        detail = {"lastStatus": "STOPPED", "startedBy": lost.id, "stoppedReason": "Your Spot Task was interrupted."}

        dispatch_jobs.handler(bus_event("ECS Task State Change", "aws.ecs", detail), CONTEXT)

        (row,) = cloud.workers.list()
        assert row.id != lost.id
        assert len(ecs.requests) == 2

    def test_a_task_of_nobodys_is_passed_over(self, cloud: Cloud, ecs: Ecs) -> None:
        dispatch_jobs.handler(bus_event("ECS Task State Change", "aws.ecs", {"lastStatus": "STOPPED"}), CONTEXT)

        assert ecs.requests == []


class TestFinish:
    @staticmethod
    def workflow_input(job: Job, **more: Any) -> dict[str, Any]:
        request = ExecutionInput(project=PROJECT, job_id=job.id, run=job.run, timeout_seconds=60)
        return json.loads(request.model_dump_json(by_alias=True)) | more  # type: ignore[no-any-return]

    @staticmethod
    def execution_event(job: Job, status: str, **more: Any) -> dict[str, Any]:
        detail = {
            "executionArn": f"arn:aws:states:us-east-1:123456789012:execution:job:{job.id}-{job.run}",
            "stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:job",
            "name": f"{job.id}-{job.run}",
            "status": status,
            "startDate": 1795315365123,
            "stopDate": 1795315366123,
            "input": json.dumps(TestFinish.workflow_input(job)),
            "output": None,
            "error": None,
            "cause": None,
        }
        return bus_event("Step Functions Execution Status Change", "aws.states", detail | more)

    def test_ends_a_run_that_its_workflow_says_has_ended(self, cloud: Cloud) -> None:
        job = cloud.with_outcome(completed())
        ended = json.loads(TokenResult(job_id=job.id, run=1, fence=1).model_dump_json(by_alias=True))

        answer = finish_job.handler(self.workflow_input(job, ended=ended), CONTEXT)

        assert answer == {"jobId": job.id, "run": 1, "status": "completed"}
        assert cloud.job(job.id).held_lanes == 0
        assert cloud.woken() == [PROJECT]

    def test_ends_a_run_whose_token_failed_or_timed_out(self, cloud: Cloud) -> None:
        job = cloud.admitted()

        answer = finish_job.handler(self.workflow_input(job, error={"Error": "States.Timeout"}), CONTEXT)

        assert answer["status"] == "failed"
        failure = cloud.job(job.id).failure
        assert failure is not None
        assert failure.category is FailureCategory.INFRASTRUCTURE

    @pytest.mark.parametrize(
        ("status", "more", "says"),
        [
            ("TIMED_OUT", {}, "no worker took the job"),
            ("ABORTED", {}, "ABORTED"),
            ("FAILED", {"error": "States.Runtime", "cause": "no such path"}, "States.Runtime): no such path"),
        ],
        ids=["timed out", "aborted", "failed"],
    )
    def test_ends_a_run_that_the_rule_says_has_ended(
        self, cloud: Cloud, status: str, more: dict[str, str], says: str
    ) -> None:
        job = cloud.admitted()

        finish_job.handler(self.execution_event(job, status, **more), CONTEXT)

        ended = cloud.job(job.id)
        assert ended.failure is not None
        assert ended.status is JobStatus.FAILED
        assert says in ended.failure.message

    def test_the_rule_does_not_undo_what_a_worker_said(self, cloud: Cloud) -> None:
        job = cloud.with_outcome(completed())

        finish_job.handler(self.execution_event(job, "FAILED", error="States.Runtime"), CONTEXT)

        assert cloud.job(job.id).status is JobStatus.COMPLETED

    def test_finishing_twice_by_both_ways_is_finishing_once(self, cloud: Cloud) -> None:
        job = cloud.with_outcome(failed())
        finish_job.handler(self.workflow_input(job), CONTEXT)
        ended = cloud.job(job.id)
        cloud.woken()

        assert finish_job.handler(self.execution_event(job, "FAILED"), CONTEXT)["status"] == "failed"

        assert cloud.job(job.id) == ended
        assert cloud.woken() == []

    def test_a_job_that_is_gone_is_no_fault(self, cloud: Cloud) -> None:
        request = ExecutionInput(project=PROJECT, job_id=job_id(99), run=1, timeout_seconds=60)

        answer = finish_job.handler(json.loads(request.model_dump_json(by_alias=True)), CONTEXT)

        assert answer == {"jobId": job_id(99), "run": 1, "status": None}

    @pytest.mark.usefixtures("no_pauses")
    def test_raises_what_the_workflow_is_to_try_again(self, cloud: Cloud) -> None:
        job = cloud.with_outcome(completed())
        with Faults(finish_job.finish().jobs.table.client).installed() as faults:  # type: ignore[attr-defined]
            faults.refuse("TransactionCanceledException", reasons=("TransactionConflict",), times=10)
            with pytest.raises(Unavailable):
                finish_job.handler(self.workflow_input(job), CONTEXT)

        assert cloud.job(job.id) == job
