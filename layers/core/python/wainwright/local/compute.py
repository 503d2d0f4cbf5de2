"""What the template says of functions, their sources and routes, and workers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wainwright.local.endpoint import CorsRule
from wainwright.local.errors import LocalError
from wainwright.local.functions import FunctionSpec, function_name
from wainwright.local.http_api import Route
from wainwright.local.pollers import QueueMapping
from wainwright.local.streams import StreamMapping
from wainwright.local.template import Resource, Template
from wainwright.local.workers import TaskDefinition

_CONTAINER_USED = frozenset({"Name", "Environment", "StopTimeout"})
_CONTAINER_INERT = frozenset(
    # The image's own business, or a machine's that is not this one.
    {"Image", "Essential", "LogConfiguration", "LinuxParameters", "User", "ReadonlyRootFilesystem", "Cpu", "Memory"}
    | {"MemoryReservation", "MountPoints", "Ulimits", "PortMappings", "Command", "EntryPoint", "WorkingDirectory"}
    | {"VersionConsistency", "RestartPolicy", "Privileged", "DockerSecurityOptions"}
)


def functions(template: Template) -> list[FunctionSpec]:
    """Every function of ours."""
    after_failure = {
        function_name(config.properties["FunctionName"]): config.properties
        for config in template.of_type("AWS::Lambda::EventInvokeConfig")
    }
    specs = []
    for resource in template.of_type("AWS::Lambda::Function"):
        properties = resource.properties
        name = template.ref(resource.logical_id)
        config = after_failure.get(name, {})
        specs.append(
            FunctionSpec(
                name=name,
                arn=template.attribute(resource.logical_id, "Arn"),
                handler=properties["Handler"],
                timeout_seconds=float(properties.get("Timeout", 3)),
                memory_mb=int(properties.get("MemorySize", 128)),
                environment=properties.get("Environment", {}).get("Variables", {}),
                reserved_concurrency=properties.get("ReservedConcurrentExecutions"),
                async_retries=int(config.get("MaximumRetryAttempts", 2)),
                on_failure=_destination(resource, config),
            )
        )
    return specs


def shared_environment(specs: list[FunctionSpec]) -> dict[str, str]:
    """The union of all functions' variables.

    Raises:
        LocalError: a variable has two values; handlers of one process share one environment.
    """
    shared: dict[str, tuple[str, str]] = {}
    for spec in specs:
        for name, value in spec.environment.items():
            if shared.setdefault(name, (str(value), spec.name))[0] != str(value):
                raise LocalError(
                    f"the variable {name} differs between {shared[name][1]} and {spec.name}: locally all functions share "
                    "one environment, so give it one value or two names"
                )
    return {name: value for name, (value, _) in shared.items()}


def queue_mappings(template: Template) -> list[QueueMapping]:
    """Event source mappings from queues."""
    mappings = []
    for resource in _enabled_mappings(template, "sqs"):
        properties = resource.properties
        mappings.append(
            QueueMapping(
                queue=properties["EventSourceArn"].rpartition(":")[2],
                queue_arn=properties["EventSourceArn"],
                function=function_name(properties["FunctionName"]),
                region=template.place.region,
                batch_size=int(properties.get("BatchSize", 10)),
                batching_window_seconds=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
                report_item_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", ()),
                maximum_concurrency=properties.get("ScalingConfig", {}).get("MaximumConcurrency"),
            )
        )
        if "FilterCriteria" in properties:
            raise LocalError(f"the filter of {resource.logical_id}, on a queue, is not supported by the local system")
    return mappings


def stream_mappings(template: Template) -> list[StreamMapping]:
    """Event source mappings from tables' streams."""
    return [
        StreamMapping(
            table=resource.properties["EventSourceArn"].split("/")[1],
            stream_arn=resource.properties["EventSourceArn"],
            function=function_name(resource.properties["FunctionName"]),
            batch_size=int(resource.properties.get("BatchSize", 100)),
            batching_window_seconds=float(resource.properties.get("MaximumBatchingWindowInSeconds", 0)),
            filters=tuple(each["Pattern"] for each in resource.properties.get("FilterCriteria", {}).get("Filters", ())),
            retries=int(resource.properties.get("MaximumRetryAttempts", -1)),
            maximum_age_seconds=float(resource.properties.get("MaximumRecordAgeInSeconds", -1)),
            bisect=bool(resource.properties.get("BisectBatchOnFunctionError", False)),
            report_item_failures="ReportBatchItemFailures" in resource.properties.get("FunctionResponseTypes", ()),
            on_failure=_destination(resource, resource.properties),
            from_start=resource.properties.get("StartingPosition", "LATEST") == "TRIM_HORIZON",
        )
        for resource in _enabled_mappings(template, "dynamodb")
    ]


def routes(template: Template, api_logical_id: str) -> list[Route]:
    """The routes of one HTTP API."""
    api = template.ref(api_logical_id)
    integrations = {
        template.ref(each.logical_id): each.properties for each in template.of_type("AWS::ApiGatewayV2::Integration")
    }
    found = []
    for resource in template.of_type("AWS::ApiGatewayV2::Route"):
        properties = resource.properties
        if properties["ApiId"] != api:
            continue
        if properties.get("AuthorizationType", "NONE") != "NONE":
            raise LocalError(
                f"the route {resource.logical_id} has an authorizer, which the local system does not support"
            )
        integration = integrations[properties["Target"].rpartition("/")[2]]
        kind = (integration["IntegrationType"], integration.get("PayloadFormatVersion"))
        if kind != ("AWS_PROXY", "2.0"):
            raise LocalError(
                f"the route {resource.logical_id} is no Lambda proxy of payload format 2.0, which is all that is supported"
            )
        function = function_name(integration["IntegrationUri"].removesuffix("/invocations"))
        seconds = float(integration.get("TimeoutInMillis", 30_000)) / 1000
        found.append(Route(properties["RouteKey"], function, seconds))
    return found


def api_cors(template: Template, api_logical_id: str) -> CorsRule | None:
    """What pages of other origins may ask of an HTTP API."""
    api = next(each for each in template.of_type("AWS::ApiGatewayV2::Api") if each.logical_id == api_logical_id)
    if api.properties.get("ProtocolType") != "HTTP":
        raise LocalError(f"{api_logical_id} is no HTTP API, which is all that the local system supports")
    cors = api.properties.get("CorsConfiguration")
    if cors is None:
        return None
    return CorsRule(
        origins=tuple(cors.get("AllowOrigins", ())),
        methods=tuple(cors.get("AllowMethods", ())),
        headers=tuple(cors.get("AllowHeaders", ())),
        exposed=tuple(cors.get("ExposeHeaders", ())),
    )


def task_definitions(template: Template) -> list[TaskDefinition]:
    """What RunTask can run."""
    definitions = []
    for resource in template.of_type("AWS::ECS::TaskDefinition"):
        containers = resource.properties["ContainerDefinitions"]
        if len(containers) != 1:
            raise LocalError(f"{resource.logical_id} has {len(containers)} containers; the local system runs one")
        container = containers[0]
        if surplus := set(container) - _CONTAINER_USED - _CONTAINER_INERT:
            raise LocalError(
                f"{min(surplus)} of the container of {resource.logical_id} is not supported by the local system"
            )
        arn = template.ref(resource.logical_id)
        definitions.append(
            TaskDefinition(
                arn=arn,
                family=arn.rpartition("/")[2].rpartition(":")[0],
                container=container["Name"],
                environment={each["Name"]: str(each["Value"]) for each in container.get("Environment", [])},
                stop_timeout_seconds=float(container.get("StopTimeout", 30)),
                cpu_units=int(resource.properties.get("Cpu", 1_024)),
                memory_mib=int(resource.properties.get("Memory", 2_048)),
            )
        )
    return definitions


def _enabled_mappings(template: Template, service: str) -> list[Resource]:
    known = ("sqs", "dynamodb")
    enabled = []
    for resource in template.of_type("AWS::Lambda::EventSourceMapping"):
        source = resource.properties["EventSourceArn"].split(":")[2]
        if source not in known:
            raise LocalError(f"{resource.logical_id} reads from {source}, which the local system does not support")
        if source == service and resource.properties.get("Enabled", True):
            enabled.append(resource)
    return enabled


def _destination(resource: Resource, properties: Mapping[str, Any]) -> str | None:
    destination: str | None = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination is not None and destination.split(":")[2] != "sqs":
        raise LocalError(
            f"what {resource.logical_id} cannot do goes to {json.dumps(destination)}; only queues are supported"
        )
    return destination
