"""The template's resources that keep state, created in moto under their physical names."""

import json
from collections.abc import Mapping
from typing import Any

import boto3

from wainwright.local.errors import LocalError
from wainwright.local.events import rate_seconds
from wainwright.local.template import ACCOUNT_ID, Resource, Template

_DAY_SECONDS = 86_400.0
_QUEUE_ATTRIBUTES = (
    *("VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "ReceiveMessageWaitTimeSeconds"),
    "MaximumMessageSize",
)
_LIFECYCLE_KEYS = frozenset(
    {"Id", "Status", "Prefix", "ExpirationInDays", "AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"}
)
_TARGET_KEYS = frozenset({"Id", "Arn", "Input", "DeadLetterConfig", "RetryPolicy", "RoleArn", "SqsParameters"})
"""The last four are left alone: delivery within a process does not fail, and there are no roles."""


def create_resources(template: Template) -> None:
    """Create tables, queues, buckets, state machines, buses, rules and schedule groups.

    Raises:
        LocalError: something in the template is not supported.
    """
    for table in template.of_type("AWS::DynamoDB::Table"):
        _create_table(table)
    _create_queues(template)
    for bucket in template.of_type("AWS::S3::Bucket"):
        boto3.client("s3").create_bucket(Bucket=bucket.name)
    for bus in template.of_type("AWS::Events::EventBus"):
        boto3.client("events").create_event_bus(Name=bus.name)
    for rule in template.of_type("AWS::Events::Rule"):
        _create_rule(rule)
    for group in template.of_type("AWS::Scheduler::ScheduleGroup"):
        boto3.client("scheduler").create_schedule_group(Name=group.name)
    for machine in template.of_type("AWS::StepFunctions::StateMachine"):
        if machine.properties.get("StateMachineType", "STANDARD") != "STANDARD":
            raise LocalError(f"{machine.logical_id} is an express workflow, which the local system does not run")
        boto3.client("stepfunctions").create_state_machine(
            name=machine.name, definition=definition(machine), roleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/local"
        )


def definition(machine: Resource) -> str:
    """A state machine's definition with its `${placeholders}` filled in."""
    text = machine.properties.get("DefinitionString")
    if not isinstance(text, str):
        raise LocalError(
            f"the definition of {machine.logical_id} is not in the template: use DefinitionBody.from_string"
        )
    for name, value in machine.properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{name}}}", str(value))
    return text


def bucket_cors(bucket: Resource) -> list[Mapping[str, Any]]:
    """A bucket's rules for pages of other origins."""
    rules: list[Mapping[str, Any]] = bucket.properties.get("CorsConfiguration", {}).get("CorsRules", [])
    return rules


def bucket_expiry(bucket: Resource) -> list[tuple[str, float]]:
    """A bucket's lifecycle as (prefix, age in seconds).

    Raises:
        LocalError: it has a rule of another kind than expiry or the end of an unfinished upload.
    """
    expiry: list[tuple[str, float]] = []
    for rule in bucket.properties.get("LifecycleConfiguration", {}).get("Rules", []):
        if surplus := set(rule) - _LIFECYCLE_KEYS:
            raise LocalError(f"{min(surplus)} in the lifecycle of {bucket.logical_id} is not supported locally")
        if rule["Status"] == "Enabled" and "ExpirationInDays" in rule:
            expiry.append((rule.get("Prefix", ""), float(rule["ExpirationInDays"]) * _DAY_SECONDS))
    return expiry


def _create_table(table: Resource) -> None:
    properties = table.properties
    settings: dict[str, Any] = {key: properties[key] for key in ("KeySchema", "AttributeDefinitions")}
    if "GlobalSecondaryIndexes" in properties:
        settings["GlobalSecondaryIndexes"] = [
            {key: index[key] for key in ("IndexName", "KeySchema", "Projection")}
            for index in properties["GlobalSecondaryIndexes"]
        ]
    if "StreamSpecification" in properties:
        settings["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    client = boto3.client("dynamodb")
    client.create_table(TableName=table.name, BillingMode="PAY_PER_REQUEST", **settings)
    if "TimeToLiveSpecification" in properties:
        client.update_time_to_live(TableName=table.name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])


def _create_queues(template: Template) -> None:
    """Queues first, then what each redrives to, since a dead-letter queue has to be there by then."""
    client = boto3.client("sqs")
    redrives: list[tuple[str, Any]] = []
    for queue in template.of_type("AWS::SQS::Queue"):
        attributes: Any = {key: str(queue.properties[key]) for key in _QUEUE_ATTRIBUTES if key in queue.properties}
        url = client.create_queue(QueueName=queue.name, Attributes=attributes)["QueueUrl"]
        if "RedrivePolicy" in queue.properties:
            redrives.append((url, queue.properties["RedrivePolicy"]))
    for url, policy in redrives:
        client.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})


def _create_rule(rule: Resource) -> None:
    properties, client = rule.properties, boto3.client("events")
    settings: dict[str, Any] = {"Name": rule.name, "EventBusName": properties.get("EventBusName", "default")}
    if "EventPattern" in properties:
        settings["EventPattern"] = json.dumps(properties["EventPattern"])
    if "ScheduleExpression" in properties:
        rate_seconds(properties["ScheduleExpression"])
        settings["ScheduleExpression"] = properties["ScheduleExpression"]
    client.put_rule(State=properties.get("State", "ENABLED"), **settings)
    targets = [_target(rule, target) for target in properties.get("Targets", [])]
    client.put_targets(Rule=rule.name, EventBusName=settings["EventBusName"], Targets=targets)


def _target(rule: Resource, target: Mapping[str, Any]) -> Any:
    service = target["Arn"].split(":")[2]
    if surplus := set(target) - _TARGET_KEYS:
        raise LocalError(f"{min(surplus)} of a target of {rule.logical_id} is not supported by the local system")
    if service not in ("lambda", "sqs", "events"):
        raise LocalError(f"the rule {rule.logical_id} targets {service}, which the local system does not support")
    return {key: target[key] for key in ("Id", "Arn", "Input") if key in target}
