"""The local system over the real infrastructure and the real functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from wainwright.local.resources import definition
from wainwright.local.synth import template_for
from wainwright.local.system import LocalSystem

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return template_for(ROOT, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def system(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    with LocalSystem(document, ROOT, tmp_path_factory.mktemp("data"), api_port=0) as running:
        yield running


def test_every_api_of_the_infrastructure_answers_with_our_functions(system: LocalSystem) -> None:
    assert len(set(system.api_urls.values())) == 2
    for url in set(system.api_urls.values()):
        answer = httpx.get(f"{url}/nowhere", timeout=30)
        assert answer.headers["content-type"].startswith("application/problem+json"), answer.text


def test_the_state_machine_that_runs_is_the_one_in_the_template(system: LocalSystem, document: dict[str, Any]) -> None:
    machines = [each for each in document["Resources"].values() if each["Type"] == "AWS::StepFunctions::StateMachine"]
    assert len(machines) == 1
    resource = next(system.template.of_type("AWS::StepFunctions::StateMachine"))
    client = boto3.client("stepfunctions")
    running = client.describe_state_machine(stateMachineArn=system.template.ref(resource.logical_id))["definition"]

    source = json.loads((ROOT / "infra/workflows/job.asl.json").read_text())
    work = next(
        each for each in system.template.of_type("AWS::SQS::Queue") if each.properties["VisibilityTimeout"] == 30
    )
    source["States"]["Execute"]["Parameters"]["QueueUrl"] = system.template.ref(work.logical_id)
    invoked = json.loads(running)["States"]["Finish"]["Parameters"]["FunctionName"]
    source["States"]["Finish"]["Parameters"]["FunctionName"] = invoked
    assert json.loads(running) == json.loads(definition(resource)) == source
    functions = {
        system.template.attribute(each.logical_id, "Arn"): each
        for each in system.template.of_type("AWS::Lambda::Function")
    }
    assert functions[invoked].properties["Handler"] == "functions.finish_job.handler.handler"


def test_every_table_queue_and_bucket_of_the_template_is_there(system: LocalSystem) -> None:
    template = system.template
    assert set(boto3.client("dynamodb").list_tables()["TableNames"]) == {
        template.ref(each.logical_id) for each in template.of_type("AWS::DynamoDB::Table")
    }
    names = {url.rpartition("/")[2] for url in boto3.client("sqs").list_queues()["QueueUrls"]}
    assert names == {template.attribute(each.logical_id, "QueueName") for each in template.of_type("AWS::SQS::Queue")}
    assert [each["Name"] for each in boto3.client("s3").list_buckets()["Buckets"]] == [
        template.ref(each.logical_id) for each in template.of_type("AWS::S3::Bucket")
    ]
