"""Publishing, sweeping, draining: each through the events that AWS hands it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from functions.drain_dead_letters import handler as drain_dead_letters
from functions.publish_events import handler as publish_events
from functions.sweep import handler as sweep
from tests.functions.conftest import Cloud
from tests.support.aws import TABLE
from tests.support.builders import PROJECT, START, a_job, failed, job_id
from tests.support.events import CONTEXT, bus_event, sqs_event, stream_event
from tests.support.faults import Faults
from wainwright.adapters.aws.event_bus import EventBridgeBus
from wainwright.adapters.aws.items import job_item, line_item
from wainwright.adapters.aws.workflows import StepFunctionsWorkflows
from wainwright.adapters.clock import system_clock
from wainwright.contracts.events import StatusChanged
from wainwright.contracts.messages import WakeUp, WorkMessage
from wainwright.domain.errors import Unavailable
from wainwright.domain.workers import WorkerRecord, WorkerState
from wainwright.ports.workflows import ExecutionState

WAKE_UP = WakeUp(project=PROJECT).model_dump_json(by_alias=True)


class TestPublish:
    @pytest.fixture
    def published(self, cloud: Cloud) -> list[dict[str, Any]]:
        """Requests to put events, as they were sent."""
        sent: list[dict[str, Any]] = []
        publish_events.publish.cache_clear()
        client: Any = publish_events.publish().bus.client  # type: ignore[attr-defined]

        def note(params: dict[str, Any], **_: Any) -> None:
            sent.extend(json.loads(params["body"])["Entries"])

        client.meta.events.register("before-call.events.PutEvents", note)
        return sent

    def test_publishes_changes_of_status(self, cloud: Cloud, published: list[dict[str, Any]]) -> None:
        new = a_job(label="l")
        running = new.admit(START).claim("w1", START)
        ended = running.finish(failed(), START)

        answer = publish_events.handler(
            stream_event(
                (None, job_item(new)), (job_item(new), job_item(running)), (job_item(running), job_item(ended))
            ),
            CONTEXT,
        )

        assert answer == {"batchItemFailures": []}
        assert [(entry["EventBusName"], entry["Source"], entry["DetailType"]) for entry in published] == [
            ("bus", "wainwright", "Job Status Changed")
        ] * 3
        details = [StatusChanged.model_validate_json(entry["Detail"]) for entry in published]
        assert [(detail.previous, detail.status) for detail in details] == [
            (None, "pending"),
            ("pending", "running"),
            ("running", "failed"),
        ]
        assert json.loads(published[2]["Detail"])["failureCategory"] == "assertion"

    def test_passes_over_whatever_else_the_stream_tells(self, cloud: Cloud, published: list[dict[str, Any]]) -> None:
        job = a_job()
        renewed = job.touch(START)
        worker = {"pk": {"S": "WORKERS"}, "sk": {"S": "w1"}, "body": {"S": "{}"}}

        publish_events.handler(
            stream_event(
                (job_item(job), job_item(renewed)), (None, line_item(job)), (job_item(job), None), (worker, None),
                (None, worker),
            ),
            CONTEXT,
        )  # fmt: skip

        assert published == []

    def test_a_failure_fails_the_batch_so_that_it_comes_again(
        self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_bus: EventBridgeBus, _changes: object) -> None:
            raise Unavailable("throttled")

        monkeypatch.setattr(EventBridgeBus, "publish", refuse)

        with pytest.raises(Unavailable):
            publish_events.handler(stream_event((None, job_item(a_job()))), CONTEXT)


class TestSweep:
    SCHEDULED = bus_event("Scheduled Event", "aws.events", {})

    def test_mends_what_is_overdue(self, cloud: Cloud) -> None:
        overdue = cloud.submitted(due_at=START - timedelta(days=365 * 5))
        cloud.submitted()

        answer = sweep.handler(self.SCHEDULED, CONTEXT)

        assert answer == {"jobs": 1}
        assert cloud.woken() == [PROJECT]
        due_at = cloud.job(overdue.id).due_at
        assert due_at is not None
        assert due_at > system_clock()

    def test_starts_executions_that_were_not_started(self, cloud: Cloud) -> None:
        job = cloud.submitted()
        long_ago = START - timedelta(days=365 * 5)
        cloud.jobs.write(job, job.admit(long_ago))

        sweep.handler(self.SCHEDULED, CONTEXT)

        assert cloud.workflows.state(job.id, 1) is ExecutionState.RUNNING

    def test_after_a_restart_looks_at_all_that_is_not_at_rest(self, cloud: Cloud) -> None:
        waiting, running = cloud.submitted(), cloud.admitted()
        running = cloud.jobs.write(running, running.claim("w1", system_clock()))
        done = cloud.submitted()
        cloud.jobs.write(done, done.cancel(system_clock()))
        cloud.workers.put(WorkerRecord(id="w1", state=WorkerState.BUSY, due_at=START + timedelta(days=9_000)))

        assert sweep.handler({"recover": True}, CONTEXT) == {"jobs": 2}

        assert cloud.job(running.id).waiting
        assert cloud.job(waiting.id).waiting
        assert cloud.workers.list() == []

    @pytest.mark.parametrize("recover", [False, "yes", 1, None])
    def test_takes_nothing_else_for_a_restart(self, cloud: Cloud, recover: object) -> None:
        cloud.submitted()

        assert sweep.handler({"recover": recover}, CONTEXT) == {"jobs": 0}


class TestDeadLetters:
    @pytest.fixture
    def ended(self, cloud: Cloud) -> Iterator[Faults]:
        workflows = drain_dead_letters.give_up().workflows
        assert isinstance(workflows, StepFunctionsWorkflows)
        with Faults(workflows.stepfunctions(), on=["SendTaskFailure"]).installed() as faults:
            yield faults

    @staticmethod
    def work(number: int) -> str:
        message = WorkMessage(project=PROJECT, job_id=job_id(number), run=1, task_token=f"token-{number}")
        return message.model_dump_json(by_alias=True)

    def test_ends_the_run_of_work_that_was_given_up(self, ended: Faults) -> None:
        ended.refuse("TaskTimedOut")  # a stale token counts as ended

        answer = drain_dead_letters.handler(sqs_event(self.work(1), queue="work-dead"), CONTEXT)

        assert answer == {"batchItemFailures": []}
        ((call, request),) = ended.requests
        assert (call, request["taskToken"], request["error"]) == ("SendTaskFailure", "token-1", "WorkUndeliverable")

    def test_only_tells_of_everything_else(self, ended: Faults, caplog: pytest.LogCaptureFixture) -> None:
        bodies = (WAKE_UP, "no json", "[]", json.dumps({"DDBStreamBatchInfo": {"shardId": "1"}}))

        answer = drain_dead_letters.handler(sqs_event(*bodies, queue="jobs-dead"), CONTEXT)

        assert answer == {"batchItemFailures": []}
        assert ended.requests == []
        assert [record.__dict__["body"] for record in caplog.records if record.levelname == "ERROR"] == list(bodies)

    def test_keeps_what_could_not_be_ended_and_ends_the_rest(self, ended: Faults) -> None:
        ended.refuse("AccessDeniedException")
        ended.refuse("TaskTimedOut")

        answer = drain_dead_letters.handler(sqs_event(self.work(1), self.work(2)), CONTEXT)

        assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
        assert [request["taskToken"] for _, request in ended.requests] == ["token-1", "token-2"]


def test_a_missing_table_is_told_and_not_swallowed(cloud: Cloud) -> None:
    cloud.clients.dynamodb.delete_table(TableName=TABLE)

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        sweep.handler(TestSweep.SCHEDULED, CONTEXT)
