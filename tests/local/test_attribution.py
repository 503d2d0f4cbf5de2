"""The jobs that a call belongs to, by what it says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.builders import job_id
from wainwright.contracts.names import execution_name, report_key
from wainwright.local import attribution
from wainwright.local.attribution import Named

ONE, TWO = job_id(1), job_id(2)


def http(method: str, path: str) -> dict[str, Any]:
    return {"rawPath": path, "requestContext": {"http": {"method": method}}}


@pytest.mark.parametrize(
    ("event", "named"),
    [
        pytest.param(http("POST", "/v1/jobs"), Named(http=True), id="a new job"),
        pytest.param(http("POST", f"/v1/jobs/{ONE}/cancel"), Named((ONE,), http=True), id="a change"),
        pytest.param(http("GET", f"/v1/jobs/{ONE}"), Named((ONE,), looks=True, http=True), id="a look"),
        pytest.param(http("POST", f"/v1/jobs/{ONE}/ticket"), Named((ONE,), looks=True, http=True), id="a ticket"),
        pytest.param(http("GET", "/r/abc/index.html"), Named(looks=True, http=True), id="a report"),
        pytest.param({"jobId": ONE, "run": 1}, Named((ONE,)), id="a state of the workflow"),
        pytest.param({"detail-type": "Scheduled Event", "detail": {}}, Named(routine=True), id="the clock"),
        pytest.param({"recover": True}, Named(routine=True), id="a restart"),
        pytest.param(
            {"detail-type": "Step Functions", "detail": {"executionArn": f"arn:x:{execution_name(ONE, 2)}"}},
            Named((ONE,)), id="the end of an execution",
        ),
        pytest.param({"detail-type": "ECS", "detail": {"startedBy": "w"}}, Named(), id="the end of a task"),
        pytest.param(None, Named(), id="nothing"),
    ],
)  # fmt: skip
def test_an_event_names_its_jobs(event: Any, named: Named) -> None:
    assert attribution.of_event(event) == named


def test_records_name_their_jobs_and_messages() -> None:
    records: list[dict[str, Any]] = [
        {"messageId": "m1", "body": '{"project": "shop"}'},
        {"messageId": "m2", "body": f'{{"jobId": "{ONE}"}}'},
        {"dynamodb": {"Keys": {"pk": {"S": f"JOB#shop#{TWO}"}, "sk": {"S": "#JOB"}}}},
    ]

    assert attribution.of_event({"Records": records}) == Named((ONE, TWO), ("m1", "m2"))


def test_keys_name_jobs_by_their_partition_and_by_their_place_in_the_line() -> None:
    keys = [
        {"pk": {"S": f"JOB#shop#{ONE}"}, "sk": {"S": f"NEXT#{TWO}"}},
        {"pk": {"S": "QUEUE#shop"}, "sk": {"S": f"0#1000#1790000000000#{TWO}"}},
        {"pk": {"S": "QUEUE#shop"}, "sk": {"S": "0"}},
        {"pk": {"S": f"TEMPLATE#shop#{job_id(3)}"}, "sk": {"S": "HEAD"}},
        {"pk": {"N": "1"}},
    ]

    assert attribution.of_keys(keys) == (ONE, TWO)


def test_json_within_json_names_its_job_once() -> None:
    text = f'{{"output": "{{\\"jobId\\": \\"{ONE}\\"}}", "jobId": "{ONE}"}}'

    assert attribution.of_text(text) == (ONE,)


def test_objects_and_executions_name_jobs() -> None:
    assert attribution.of_object(report_key("shop", ONE, fence=1, path="data/1-1-a")) == (ONE,)
    assert attribution.of_object("uploads/shop/abc.tar.gz") == ()
    assert attribution.of_execution("arn:aws:states:us-east-1:1:execution:m:shop-abc") == ()


def test_a_worker_is_known_by_its_user_agent() -> None:
    assert attribution.worker_of("Boto3/1.44 md/Botocore#1 ua/2.1 app/4f2a") == "4f2a"
    assert attribution.worker_of("python-httpx/0.28") is None


@pytest.mark.parametrize(
    ("method", "target", "operation", "key"),
    [
        ("PUT", "/b/k%20k", "PutObject", "k k"),
        ("HEAD", "/b/k", "HeadObject", "k"),
        ("GET", "/b?list-type=2", "ListObjects", ""),
        ("POST", "/b?delete", "DeleteObjects", ""),
        ("DELETE", "/b/k", "DeleteObject", "k"),
    ],
)
def test_requests_to_buckets_have_the_names_of_their_operations(
    method: str, target: str, operation: str, key: str
) -> None:
    assert attribution.operation_of(method, target, {}) == (operation, key)


def test_a_function_is_called_as_its_folder() -> None:
    assert attribution.short_name("wainwright-dev-FunctionsDispatchJobsHandler1A2B") == "dispatch_jobs"
    assert attribution.short_name("echo") == "echo"
