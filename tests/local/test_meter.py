"""Jobs and usage of real calls to moto."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.builders import job_id
from wainwright.adapters.costs import read_usage
from wainwright.contracts.names import report_key
from wainwright.domain.costs import WORKER_SECONDS, CostGroup, Usage, WorkerSize
from wainwright.domain.prices import GIGABYTE
from wainwright.local.dynamodb import SafeDynamoDB
from wainwright.local.functions import FunctionSpec
from wainwright.local.journal import Journal
from wainwright.local.meter import INVOCATION_LOG_BYTES, LINE_LOG_BYTES, Meter
from wainwright.local.patches import Patches
from wainwright.local.usage import UsageBook

REGION = "us-east-1"
ONE, TWO = job_id(1), job_id(2)
API = FunctionSpec("stage-FunctionsApiHandler12AB", "arn", "h", 3, 512, {})
DISPATCH = FunctionSpec("stage-FunctionsDispatchJobsHandler12AB", "arn", "h", 3, 256, {})


class Metered:
    """An AWS in this process with a meter."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        stack.enter_context(mock_aws())
        self.book = UsageBook(folder / "costs", WorkerSize())
        self.folder = folder / "costs"
        self.logged = 0
        self.seconds = 0.0
        self.meter = Meter(
            self.book, lambda _: 15 * 86_400.0, log_bytes=lambda _: self.logged, clock=lambda: self.seconds
        )
        journal = Journal(folder / "data")
        stack.callback(journal.close)
        patches = stack.enter_context(Patches())
        tables = SafeDynamoDB(journal)
        tables.observer = self.meter.queried
        tables.install(patches)
        self.meter.install(patches)
        self.sqs, self.s3, self.events = (self._client(name) for name in ("sqs", "s3", "events"))
        self.dynamodb = self._client("dynamodb")
        self.queue = self.sqs.create_queue(QueueName="jobs")["QueueUrl"]
        self.s3.create_bucket(Bucket="shop")
        self.dynamodb.create_table(
            TableName="t",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        self.book.discard()

    @staticmethod
    def _client(service: str) -> Any:
        return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]

    def put(self, job: str, sk: str = "#JOB") -> None:
        self.dynamodb.put_item(TableName="t", Item=row(job, sk))

    def work(self, worker: str, operation: str, body: dict[str, Any], answer: dict[str, Any] | None = None) -> None:
        """A request of a worker to its queue."""
        headers = {
            "x-amz-target": f"AmazonSQS.{operation}",
            "user-agent": f"Boto3/1 app/{worker}",
            "authorization": "x",
        }
        with self.meter.requested("sqs", "POST", "/", headers):
            answered = json.dumps(answer or {}).encode()
            self.meter.answered("sqs", "POST", "/", headers, json.dumps(body).encode(), answered)

    def used(self, job: str | None = None) -> tuple[Usage, ...]:
        self.book.flush()
        usage = read_usage(self.folder, job)
        return usage.used if usage else ()

    def units(self, job: str | None, name: str, group: CostGroup = CostGroup.CONTROL_PLANE) -> float:
        return sum(each.units.get(name, 0.0) for each in self.used(job) if each.group is group)


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Metered]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    with ExitStack() as stack:
        yield Metered(stack, tmp_path)


def row(job: str, sk: str = "#JOB") -> dict[str, Any]:
    return {"pk": {"S": f"JOB#shop#{job}"}, "sk": {"S": sk}}


def request(method: str, path: str) -> dict[str, Any]:
    return {"rawPath": path, "requestContext": {"http": {"method": method}}}


# ---------------------------------------------------------------------------------------------------- functions
def test_a_new_jobs_request_is_the_jobs_by_what_it_writes(aws: Metered) -> None:
    with aws.meter.watch(API, request("POST", "/v1/jobs"), 300):
        aws.dynamodb.get_item(TableName="t", Key={"pk": {"S": "KEY#1"}, "sk": {"S": "KEY"}}, ConsistentRead=True)
        aws.put(ONE)
        aws.sqs.send_message(QueueUrl=aws.queue, MessageBody='{"project":"shop"}')

    assert aws.units(ONE, "dynamodb.write") == 1
    assert aws.units(ONE, "dynamodb.read") == 1, "the key's row is read for the job"
    assert aws.units(ONE, "sqs.request") == 1
    assert (aws.units(ONE, "httpapi.request"), aws.units(ONE, "lambda.request")) == (1, 1)
    assert {each.caller for each in aws.used(ONE)} == {"api"}
    assert aws.used(None) == ()


def test_an_invocation_is_billed_by_its_time_and_its_memory(aws: Metered) -> None:
    with aws.meter.watch(API, {"jobId": ONE}, 10):
        aws.seconds += 0.0201

    assert aws.units(ONE, "lambda.gbSecond") == pytest.approx(0.021 * 0.5), "each begun millisecond counts"


def test_a_body_over_half_a_megabyte_is_two_requests_of_the_api(aws: Metered) -> None:
    with aws.meter.watch(API, request("POST", f"/v1/jobs/{ONE}/logs"), 512 * 1024 + 1):
        pass

    assert aws.units(ONE, "httpapi.request") == 2


def test_what_a_wake_up_brings_about_is_for_the_job_whose_change_sent_it(aws: Metered) -> None:
    with aws.meter.watch(DISPATCH, {"jobId": ONE}, 10):
        sent = aws.sqs.send_message(QueueUrl=aws.queue, MessageBody='{"project":"shop"}')
    event = {"Records": [{"messageId": sent["MessageId"], "body": '{"project":"shop"}'}]}

    with aws.meter.watch(DISPATCH, event, 10):
        aws.dynamodb.query(
            TableName="t", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "QUEUE#shop"}}
        )

    assert aws.units(ONE, "lambda.request") == 2
    assert aws.units(ONE, "dynamodb.read") == 0.5
    assert aws.units(ONE, "sqs.request") == 3, "sent, received and deleted"
    assert aws.used(None) == ()


def test_several_jobs_of_one_invocation_share_what_is_none_of_theirs(aws: Metered) -> None:
    keys = [{"dynamodb": {"Keys": row(job)}} for job in (ONE, TWO, ONE)]

    with aws.meter.watch(DISPATCH, {"Records": keys}, 10):
        aws.events.put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": json.dumps({"jobId": ONE})}])

    assert [aws.units(job, "lambda.request") for job in (ONE, TWO)] == [0.5, 0.5]
    assert [aws.units(job, "events.event") for job in (ONE, TWO)] == [1, 0]


def test_looking_is_listed_apart(aws: Metered) -> None:
    for path in (f"/v1/jobs/{ONE}", f"/v1/jobs/{ONE}/events"):
        with aws.meter.watch(API, request("GET", path), 10):
            aws.dynamodb.get_item(TableName="t", Key=row(ONE), ConsistentRead=True)

    assert {each.group for each in aws.used(ONE)} == {CostGroup.LOOKING}
    assert aws.units(ONE, "dynamodb.read", CostGroup.LOOKING) == 2
    assert aws.units(ONE, "lambda.request", CostGroup.LOOKING) == 2


def test_what_the_clock_starts_is_nobodys_but_for_what_it_mends(aws: Metered) -> None:
    with aws.meter.watch(DISPATCH, {"detail-type": "Scheduled Event", "detail": {}}, 10):
        aws.put(ONE)

    assert [each.service for each in aws.used(ONE)] == ["dynamodb"]
    assert aws.units(None, "lambda.request") == 1


def test_lines_that_functions_log_count_with_what_lambda_writes_around_them(aws: Metered) -> None:
    log = logging.getLogger("functions.api.test")
    log.setLevel(logging.INFO)
    with aws.meter.watch(API, {"jobId": ONE}, 10):
        log.info("dispatched %d", 7)
        logging.getLogger("wainwright.local.test").warning("not written on AWS")

    expected = len("dispatched 7") + LINE_LOG_BYTES + INVOCATION_LOG_BYTES
    assert aws.units(ONE, "logs.ingestion") * GIGABYTE == pytest.approx(expected)


# ----------------------------------------------------------------------------------------------------- services
def test_files_of_a_report_are_artifacts_stored_for_as_long_as_they_are_kept(aws: Metered) -> None:
    key = report_key("shop", ONE, fence=1, path="index.html")

    with aws.meter.watch(API, request("POST", "/v1/jobs"), 10):
        aws.s3.put_object(Bucket="shop", Key=key, Body=b"x" * 1_000)
        aws.s3.get_object(Bucket="shop", Key=key)
        aws.s3.delete_object(Bucket="shop", Key=key)

    assert aws.units(ONE, "s3.put", CostGroup.ARTIFACTS) == 1
    assert aws.units(ONE, "s3.storage", CostGroup.ARTIFACTS) * GIGABYTE == pytest.approx(500)
    assert aws.units(ONE, "s3.get") == 1
    assert sum(each.calls for each in aws.used(ONE) if each.operation == "DeleteObject") == 1, "which costs nothing"


def test_a_large_message_is_several_requests(aws: Metered) -> None:
    body = json.dumps({"jobId": ONE, "text": "x" * 65_536})

    aws.sqs.send_message(QueueUrl=aws.queue, MessageBody=body)

    assert aws.units(ONE, "sqs.request") == 2


def test_transitions_are_the_start_each_state_and_each_retry(aws: Metered) -> None:
    kinds = ["ExecutionStarted", "TaskStateEntered", "TaskScheduled", "TaskFailed", "TaskScheduled", "TaskStateExited"]

    aws.meter.ended(f"arn:aws:states:us-east-1:1:execution:m:{ONE}-1", [{"type": kind} for kind in kinds])

    assert aws.units(ONE, "stepfunctions.transition") == 3


# ------------------------------------------------------------------------------------------------------ workers
def test_a_worker_spends_its_time_and_its_log_on_the_job_that_it_took(aws: Metered) -> None:
    message = {"Body": json.dumps({"jobId": ONE}), "ReceiptHandle": "r"}
    aws.work("w1", "ReceiveMessage", {}, {"Messages": [message]})
    aws.logged = 500
    aws.seconds += 3
    aws.work("w1", "DeleteMessage", {"ReceiptHandle": "r"})

    assert aws.units(ONE, WORKER_SECONDS, CostGroup.COMPUTE) == 3
    assert aws.units(ONE, "logs.ingestion") * GIGABYTE == pytest.approx(500)
    assert aws.units(ONE, "sqs.request") == 2


def test_a_worker_that_waits_for_work_spends_nothing_on_anybody(aws: Metered) -> None:
    message = {"Body": json.dumps({"jobId": ONE}), "ReceiptHandle": "r"}
    aws.work("w1", "ReceiveMessage", {}, {"Messages": [message]})
    aws.work("w2", "ReceiveMessage", {})
    aws.work("w1", "ReceiveMessage", {})
    before = aws.units(ONE, WORKER_SECONDS, CostGroup.COMPUTE)
    aws.seconds += 2
    aws.work("w1", "ReceiveMessage", {})

    assert aws.units(ONE, WORKER_SECONDS, CostGroup.COMPUTE) == before
    assert aws.units(ONE, "sqs.request") == 1
    assert aws.units(None, "sqs.request") == 3


# -------------------------------------------------------------------------------------------------- what is kept
def test_a_restarted_system_goes_on_counting(aws: Metered) -> None:
    aws.put(ONE)
    aws.book.flush()

    again = UsageBook(aws.folder, WorkerSize())
    again.add(ONE, aws.used(ONE))
    again.flush()

    usage = read_usage(aws.folder, ONE)
    assert usage is not None
    assert [each.calls for each in usage.used] == [2]


def test_the_figures_of_a_deleted_job_go_with_it_and_do_not_come_back(aws: Metered) -> None:
    aws.put(ONE)
    aws.put(ONE, "TEST#1")
    aws.dynamodb.delete_item(TableName="t", Key=row(ONE, "TEST#1"))
    assert aws.used(ONE)

    aws.dynamodb.delete_item(TableName="t", Key=row(ONE))
    with aws.meter.watch(DISPATCH, {"Records": [{"dynamodb": {"Keys": row(ONE)}}]}, 10):
        pass

    assert aws.used(ONE) == ()
    assert list(aws.folder.glob(f"{ONE}*")) == []


def test_a_call_that_the_meter_does_not_understand_is_answered_all_the_same(
    aws: Metered, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"x-amz-target": "AmazonSQS.SendMessage"}

    aws.meter.answered("sqs", "POST", "/", headers, b"{}", b"<xml/>")

    assert "the meter missed a call" in caplog.text
