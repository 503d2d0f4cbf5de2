"""The template's resources, created in moto."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3

from wainwright.local.endpoint import CorsRule
from wainwright.local.errors import LocalError
from wainwright.local.events import rate_seconds
from wainwright.local.template import Resource, Template

_DAY_SECONDS = 86_400.0
_TARGET_KEYS = frozenset({"Id", "Arn", "Input", "DeadLetterConfig", "RetryPolicy", "RoleArn", "SqsParameters"})
"""The last four are left alone: delivery within a process does not fail, and there are no roles."""


class Resources:
    """Creates what keeps state: tables, queues, buckets, state machines, buses, rules, schedule groups."""

    def __init__(self, template: Template) -> None:
        self._template = template

    def create(self) -> None:
        """Create everything; names are the template's.

        Raises:
            LocalError: something in the template is not supported.
        """
        self.create_tables()
        self.create_queues()
        self.create_buckets()
        self.create_buses_and_rules()
        self.create_schedule_groups()

    def create_tables(self) -> None:
        """Tables with their indexes, streams and time to live."""
        client = boto3.client("dynamodb")
        for table in self._of_type("AWS::DynamoDB::Table"):
            properties = table.properties
            name = self._template.ref(table.logical_id)
            settings = {
                key: properties[key]
                for key in ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")
                if key in properties
            }
            for index in settings.get("GlobalSecondaryIndexes", []):
                for key in set(index) - {"IndexName", "KeySchema", "Projection"}:
                    del index[key]
            if "StreamSpecification" in properties:
                settings["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
            client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **settings)
            if "TimeToLiveSpecification" in properties:
                client.update_time_to_live(
                    TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"]
                )

    def create_queues(self) -> None:
        """Queues, then what each redrives to, since a dead-letter queue has to be there first."""
        client = boto3.client("sqs")
        redrives: list[tuple[str, Any]] = []
        for queue in self._of_type("AWS::SQS::Queue"):
            attributes: Any = {
                key: str(queue.properties[key])
                for key in (
                    "VisibilityTimeout",
                    "MessageRetentionPeriod",
                    "DelaySeconds",
                    "ReceiveMessageWaitTimeSeconds",
                    "MaximumMessageSize",
                )
                if key in queue.properties
            }
            name = self._template.attribute(queue.logical_id, "QueueName")
            url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
            if "RedrivePolicy" in queue.properties:
                redrives.append((url, queue.properties["RedrivePolicy"]))
        for url, policy in redrives:
            client.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})

    def create_buckets(self) -> None:
        """Buckets. Their rules for other origins and for expiry are carried out elsewhere."""
        client = boto3.client("s3")
        for bucket in self._of_type("AWS::S3::Bucket"):
            client.create_bucket(Bucket=self._template.ref(bucket.logical_id))

    def create_state_machines(self) -> None:
        """State machines, with their definitions' placeholders filled in."""
        client = boto3.client("stepfunctions")
        for machine in self._of_type("AWS::StepFunctions::StateMachine"):
            if machine.properties.get("StateMachineType", "STANDARD") != "STANDARD":
                raise LocalError(f"{machine.logical_id} is an express workflow, which the local system does not run")
            client.create_state_machine(
                name=self._template.attribute(machine.logical_id, "Name"),
                definition=definition(machine),
                roleArn=self._template.place.arn("iam", "role/local", region=False),
            )

    def create_buses_and_rules(self) -> None:
        """Event buses, rules and their targets."""
        client = boto3.client("events")
        for bus in self._of_type("AWS::Events::EventBus"):
            client.create_event_bus(Name=bus.properties["Name"])
        for rule in self._of_type("AWS::Events::Rule"):
            properties = rule.properties
            settings: dict[str, Any] = {"Name": self._template.ref(rule.logical_id)}
            if "EventPattern" in properties:
                settings["EventPattern"] = json.dumps(properties["EventPattern"])
            if "ScheduleExpression" in properties:
                rate_seconds(properties["ScheduleExpression"])
                settings["ScheduleExpression"] = properties["ScheduleExpression"]
            if "EventBusName" in properties:
                settings["EventBusName"] = properties["EventBusName"]
            client.put_rule(State=properties.get("State", "ENABLED"), **settings)
            targets = [self._target(rule, target) for target in properties.get("Targets", [])]
            bus_name = properties.get("EventBusName", "default")
            client.put_targets(Rule=settings["Name"], EventBusName=bus_name, Targets=targets)

    def create_schedule_groups(self) -> None:
        """Schedule groups."""
        client = boto3.client("scheduler")
        for group in self._of_type("AWS::Scheduler::ScheduleGroup"):
            client.create_schedule_group(Name=self._template.ref(group.logical_id))

    def _target(self, rule: Resource, target: Mapping[str, Any]) -> Any:
        service = target["Arn"].split(":")[2]
        if surplus := set(target) - _TARGET_KEYS:
            raise LocalError(f"{min(surplus)} of a target of {rule.logical_id} is not supported by the local system")
        if service not in ("lambda", "sqs", "events"):
            raise LocalError(f"the rule {rule.logical_id} targets {service}, which the local system does not support")
        return {key: target[key] for key in ("Id", "Arn", "Input") if key in target}

    def _of_type(self, kind: str) -> Iterator[Resource]:
        return self._template.of_type(kind)


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


def bucket_cors(bucket: Resource) -> tuple[CorsRule, ...]:
    """What pages of other origins may do with a bucket's objects."""
    rules = bucket.properties.get("CorsConfiguration", {}).get("CorsRules", [])
    return tuple(
        CorsRule(
            origins=tuple(rule["AllowedOrigins"]),
            methods=tuple(rule["AllowedMethods"]),
            headers=tuple(rule.get("AllowedHeaders", ())),
            exposed=tuple(rule.get("ExposedHeaders", ())),
            max_age_seconds=rule.get("MaxAge"),
        )
        for rule in rules
    )


def bucket_expiry(bucket: Resource) -> list[tuple[str, float]]:
    """A bucket's lifecycle as (prefix, age in seconds).

    Raises:
        LocalError: it has a rule of another kind than expiry or the end of an unfinished upload.
    """
    rules = bucket.properties.get("LifecycleConfiguration", {}).get("Rules", [])
    known = {
        "Id",
        "Status",
        "Prefix",
        "ExpirationInDays",
        "AbortIncompleteMultipartUpload",
        "NoncurrentVersionExpiration",
    }
    expiry: list[tuple[str, float]] = []
    for rule in rules:
        if surplus := set(rule) - known:
            raise LocalError(f"{min(surplus)} in the lifecycle of {bucket.logical_id} is not supported locally")
        if rule["Status"] == "Enabled" and "ExpirationInDays" in rule:
            expiry.append((rule.get("Prefix", ""), float(rule["ExpirationInDays"]) * _DAY_SECONDS))
    return expiry
