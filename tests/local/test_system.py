"""The parts of the one-machine AWS together."""

from __future__ import annotations

import json
import signal
import time
import uuid
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import eventually, seen, worker_report
from tests.local.templates import template
from wainwright.local.errors import LocalError
from wainwright.local.system import LocalSystem


def client(service: str) -> Any:
    return boto3.client(service)  # type: ignore[call-overload]


def queue_url(system: LocalSystem, logical_id: str) -> str:
    return system.template.ref(logical_id)


def receive(system: LocalSystem, logical_id: str) -> Any:
    """The next message of a queue, deleted."""
    sqs, url = client("sqs"), queue_url(system, logical_id)
    messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, AttributeNames=["All"]).get("Messages")
    assert messages, f"nothing arrived in {logical_id}"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
    return messages[0]


def put(sk: str, **attributes: str) -> None:
    item = {"pk": {"S": "job"}, "sk": {"S": sk}, **{name: {"S": value} for name, value in attributes.items()}}
    client("dynamodb").put_item(TableName="Table", Item=item)


# --------------------------------------------------------------------------------------------- queues and streams
def test_a_message_that_fails_is_tried_again_alone_and_ends_in_the_dead_letter_queue(system: LocalSystem) -> None:
    batches = seen("consume")
    batches.clear()
    sqs = client("sqs")
    entries = [{"Id": body, "MessageBody": body} for body in ("good", "bad", "fine")]
    sqs.send_message_batch(QueueUrl=queue_url(system, "Jobs"), Entries=entries)
    dead = receive(system, "DeadLetters")
    assert dead["Body"] == "bad"
    handled = [body for batch in batches for body in batch]
    assert sorted(handled) == ["bad", "bad", "fine", "good"], "what succeeded is not handed out again"


def test_a_stream_reaches_its_function_filtered_and_in_order(system: LocalSystem) -> None:
    events = seen("events")
    events.clear()
    for number in range(25):
        put(f"{number:02}", entity="job" if number % 2 else "counter")
    expected = [f"{number:02}" for number in range(25) if number % 2]
    assert eventually(lambda: len(events) >= len(expected))
    assert events == expected


def test_a_poisoned_record_is_split_off_and_given_up_to_the_failure_queue(system: LocalSystem) -> None:
    events = seen("events")
    events.clear()
    items = [{"pk": {"S": "batch"}, "sk": {"S": str(number)}, "entity": {"S": "job"}} for number in range(4)]
    items[2]["poison"] = {"S": "yes"}
    client("dynamodb").transact_write_items(
        TransactItems=[{"Put": {"TableName": "Table", "Item": item}} for item in items]
    )
    notice = json.loads(receive(system, "DeadLetters")["Body"])
    assert notice["DDBStreamBatchInfo"]["batchSize"] == 1
    assert notice["requestContext"]["condition"] == "RetryAttemptsExhausted"
    eventually(lambda: set(events) == {"0", "1", "3"})


# ------------------------------------------------------------------------------------------------ state machines
def start(system: LocalSystem, job: str, timeout_seconds: int = 60) -> tuple[str, str]:
    """An execution that waits for its token: its ARN and the token."""
    arn = client("stepfunctions").start_execution(
        stateMachineArn=system.template.ref("Machine"),
        name=f"{job}-{uuid.uuid4().hex}",
        input=json.dumps({"job": job, "timeoutSeconds": timeout_seconds}),
    )["executionArn"]
    message = json.loads(receive(system, "Work")["Body"])
    assert message["job"] == job
    return arn, message["taskToken"]


def ended(arn: str) -> dict[str, Any]:
    def describe() -> dict[str, Any] | None:
        answer: dict[str, Any] = client("stepfunctions").describe_execution(executionArn=arn)
        return None if answer["status"] == "RUNNING" else answer

    return eventually(describe)


def test_a_token_goes_to_a_queue_and_its_outcome_to_our_function(system: LocalSystem) -> None:
    arn, token = start(system, "shop")
    client("stepfunctions").send_task_success(taskToken=token, output='{"passed": 3}')
    assert json.loads(ended(arn)["output"])["answer"] == {"job": "shop", "ended": {"passed": 3}, "error": None}


def test_a_failed_token_is_caught_by_its_error(system: LocalSystem) -> None:
    arn, token = start(system, "shop")
    client("stepfunctions").send_task_failure(taskToken=token, error="Job.Failed", cause="assertion")
    assert json.loads(ended(arn)["output"])["answer"]["error"] == "Job.Failed"


def test_a_token_that_nobody_ends_times_out(system: LocalSystem) -> None:
    arn, token = start(system, "shop", timeout_seconds=1)
    assert json.loads(ended(arn)["output"])["answer"]["error"] == "States.Timeout"
    with pytest.raises(ClientError, match=r"TaskTimedOut|TaskDoesNotExist|InvalidToken"):
        client("stepfunctions").send_task_success(taskToken=token, output="{}")


def test_catch_matches_the_class_that_our_function_raised(system: LocalSystem) -> None:
    arn, token = start(system, "refuse")
    client("stepfunctions").send_task_success(taskToken=token, output="{}")
    caught = json.loads(ended(arn)["output"])["caught"]
    assert (caught["Error"], json.loads(caught["Cause"])["errorMessage"]) == ("Refused", "no")


def test_an_execution_that_fails_is_told_to_the_rule_for_it(system: LocalSystem) -> None:
    seen("echo").clear()
    arn = client("stepfunctions").start_execution(
        stateMachineArn=system.template.ref("Machine"), name=uuid.uuid4().hex, input='{"no": "job"}'
    )["executionArn"]
    assert ended(arn)["status"] == "FAILED"
    event = eventually(lambda: [each for each in seen("echo") if each.get("resources") == [arn]])[0]
    assert event["detail-type"] == "Step Functions Execution Status Change"
    assert event["source"] == "aws.states"
    assert (event["detail"]["status"], event["detail"]["input"]) == ("FAILED", '{"no":"job"}')


def test_a_name_starts_one_execution(system: LocalSystem) -> None:
    sfn, arn = client("stepfunctions"), system.template.ref("Machine")
    first = sfn.start_execution(stateMachineArn=arn, name="once", input='{"no": "job"}')["executionArn"]
    ended(first)
    with pytest.raises(sfn.exceptions.ExecutionAlreadyExists):
        sfn.start_execution(stateMachineArn=arn, name="once", input='{"no": "job"}')


# ---------------------------------------------------------------------------------------------- events and rules
def test_events_of_our_bus_reach_their_targets(system: LocalSystem) -> None:
    seen("echo").clear()
    detail = {"n": 1}
    entry = {"Source": "shop", "DetailType": "Sold", "Detail": json.dumps(detail), "EventBusName": "shop"}
    assert client("events").put_events(Entries=[entry, entry | {"Source": "other"}])["FailedEntryCount"] == 0
    delivered = eventually(lambda: [each for each in seen("echo") if each.get("source") in ("shop", "other")])
    assert [(each["source"], each["detail-type"], each["detail"]) for each in delivered] == [("shop", "Sold", detail)]
    assert delivered[0]["time"].endswith("Z")


def test_a_rule_that_is_added_while_running_delivers_to_a_queue(system: LocalSystem) -> None:
    events = client("events")
    events.put_rule(Name="mine", EventBusName="shop", EventPattern='{"source": ["mine"]}')
    arn = system.template.attribute("Work", "Arn")
    events.put_targets(Rule="mine", EventBusName="shop", Targets=[{"Id": "1", "Arn": arn}])
    events.put_events(Entries=[{"Source": "mine", "DetailType": "x", "Detail": "{}", "EventBusName": "shop"}])
    assert json.loads(receive(system, "Work")["Body"])["source"] == "mine"


def test_a_schedule_fires_its_function(system: LocalSystem) -> None:
    seen("sweep").clear()
    system._router.fire("EveryMinute")
    event = eventually(lambda: seen("sweep"))[0]
    assert (event["detail-type"], event["source"]) == ("Scheduled Event", "aws.events")


# ------------------------------------------------------------------------------------------------------ workers
def run_task(system: LocalSystem, *, token: str | None = None, **environment: str) -> dict[str, Any]:
    override = {
        "name": "worker",
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
    }
    answer: dict[str, Any] = client("ecs").run_task(
        cluster=system.template.ref("Cluster"),
        taskDefinition=system.template.ref("Task"),
        overrides={"containerOverrides": [override]},
        **({"clientToken": token} if token else {}),
    )
    return answer


def stop_task(system: LocalSystem, arn: str) -> dict[str, Any]:
    client("ecs").stop_task(cluster="Cluster", task=arn, reason="test")

    def stopped() -> dict[str, Any] | None:
        task: dict[str, Any] = client("ecs").describe_tasks(cluster="Cluster", tasks=[arn])["tasks"][0]
        return task if task["lastStatus"] == "STOPPED" else None

    return eventually(stopped)


def test_a_task_is_a_process_with_its_containers_environment(system: LocalSystem) -> None:
    arn = run_task(system, WORKER_ID="w1")["tasks"][0]["taskArn"]
    report = worker_report(system.data_dir, arn)
    assert report["SHOP_TABLE"] == "Table"
    assert report["WORKER_ID"] == "w1"
    assert report["AWS_ENDPOINT_URL"] == system.endpoint_url
    assert report["AWS_ACCESS_KEY_ID"] == system.credentials.access_key
    assert not [name for name in report if name in ("AWS_PROFILE", "WAINWRIGHT_API_KEY")], "nor is the user's"
    assert "SHOP_BUCKET" not in report, "the functions' environment is not the workers'"
    task = stop_task(system, arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "test")


def test_a_worker_that_ends_is_told_to_the_rule_for_it(system: LocalSystem) -> None:
    seen("echo").clear()
    arn = run_task(system, DO="exit")["tasks"][0]["taskArn"]
    event = eventually(lambda: [each for each in seen("echo") if each.get("resources") == [arn]])[0]
    assert (event["source"], event["detail"]["taskArn"]) == ("aws.ecs", arn)
    assert event["detail"]["containers"][0]["exitCode"] == 3
    assert event["detail"]["stopCode"] == "EssentialContainerExited"


def test_a_client_token_starts_one_task(system: LocalSystem) -> None:
    first = run_task(system, token="launch-1")["tasks"][0]["taskArn"]
    assert run_task(system, token="launch-1")["tasks"][0]["taskArn"] == first
    stop_task(system, first)


def test_a_worker_that_does_not_go_is_killed(system: LocalSystem) -> None:
    arn = run_task(system, DO="ignore")["tasks"][0]["taskArn"]
    worker_report(system.data_dir, arn)
    assert stop_task(system, arn)["containers"][0]["exitCode"] == -signal.SIGKILL


def test_more_workers_than_the_bound_have_no_capacity(system: LocalSystem) -> None:
    arns = [run_task(system)["tasks"][0]["taskArn"] for _ in range(4)]
    answer = run_task(system)
    assert (answer["tasks"], answer["failures"][0]["reason"]) == ([], "Capacity is unavailable at this time.")
    for arn in arns:
        stop_task(system, arn)


def test_a_worker_reaches_tables_and_queues_with_this_runs_key(system: LocalSystem) -> None:
    run_task(system, DO="put", QUEUE_URL=queue_url(system, "Work"))
    assert receive(system, "Work")["Body"] == "from the worker"
    key = {"pk": {"S": "worker"}, "sk": {"S": "1"}}
    assert client("dynamodb").get_item(TableName="Table", Key=key)["Item"] == key


# ----------------------------------------------------------------------------------------------------- the rest
def test_a_second_system_in_one_process_is_refused(system: LocalSystem, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="runs in this process already"):
        LocalSystem(template(), tmp_path, tmp_path / "data", api_port=0).start()


def test_names_the_apis_urls(system: LocalSystem) -> None:
    assert system.api_url == system.api_urls["Api"] == system.api_urls["api"]
    assert system.api_urls["reports"] != system.api_url


def test_housekeeping_deletes_what_has_expired(system: LocalSystem) -> None:
    client("s3").put_object(Bucket="bucket", Key="old/1", Body=b"x")
    client("s3").put_object(Bucket="bucket", Key="new/1", Body=b"x")
    soon = 2 * 86_400
    assert system._s3.expire(time.time() + soon) == 1
    names = [each["Key"] for each in client("s3").list_objects_v2(Bucket="bucket")["Contents"]]
    assert "new/1" in names
    assert "old/1" not in names
