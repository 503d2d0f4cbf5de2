"""Functions, their event sources and routes, and workers, as the template declares them."""

import json
from typing import Any

from wainwright.local.errors import LocalError
from wainwright.local.event_sources import EventSourceMapping
from wainwright.local.functions import FunctionSpec, function_name
from wainwright.local.http_api import Route
from wainwright.local.template import Resource, Template
from wainwright.local.workers import TaskDefinition

_CONTAINER_KEYS = frozenset(
    {"Name", "Environment", "StopTimeout"}
    # The rest is the image's own business, or a machine's that is not this one.
    | {"Image", "Essential", "LogConfiguration", "LinuxParameters", "User", "ReadonlyRootFilesystem", "Cpu", "Memory"}
    | {"MemoryReservation", "MountPoints", "Ulimits", "PortMappings", "Command", "EntryPoint", "WorkingDirectory"}
    | {"VersionConsistency", "RestartPolicy", "Privileged", "DockerSecurityOptions"}
)


def functions(template: Template) -> list[FunctionSpec]:
    """Every function of ours."""
    return [
        FunctionSpec(
            name=resource.name,
            arn=template.attribute(resource.logical_id, "Arn"),
            handler=resource.properties["Handler"],
            timeout_seconds=float(resource.properties.get("Timeout", 3)),
            memory_mb=int(resource.properties.get("MemorySize", 128)),
            environment=resource.properties.get("Environment", {}).get("Variables", {}),
            reserved_concurrency=resource.properties.get("ReservedConcurrentExecutions"),
        )
        for resource in template.of_type("AWS::Lambda::Function")
    ]


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


def event_source_mappings(template: Template, service: str) -> list[EventSourceMapping]:
    """Enabled event source mappings from queues (``sqs``) or from tables' streams (``dynamodb``)."""
    return [
        mapping
        for resource in template.of_type("AWS::Lambda::EventSourceMapping")
        if (mapping := _mapping(resource)).source_arn.split(":")[2] == service
        and resource.properties.get("Enabled", True)
    ]


def _mapping(resource: Resource) -> EventSourceMapping:
    properties = resource.properties
    source = properties["EventSourceArn"].split(":")[2]
    if source not in ("sqs", "dynamodb"):
        raise LocalError(f"{resource.logical_id} reads from {source}, which the local system does not support")
    if source == "sqs" and "FilterCriteria" in properties:
        raise LocalError(f"the filter of {resource.logical_id}, on a queue, is not supported by the local system")
    if properties.get("StartingPosition", "TRIM_HORIZON") != "TRIM_HORIZON":
        raise LocalError(f"{resource.logical_id} skips records; the local system reads a stream from its start")
    return EventSourceMapping(
        source_arn=properties["EventSourceArn"],
        function=function_name(properties["FunctionName"]),
        batch_size=int(properties.get("BatchSize", 10 if source == "sqs" else 100)),
        report_item_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", ()),
        maximum_concurrency=properties.get("ScalingConfig", {}).get("MaximumConcurrency"),
        filters=tuple(each["Pattern"] for each in properties.get("FilterCriteria", {}).get("Filters", ())),
        retries=int(properties.get("MaximumRetryAttempts", -1)),
        bisect=bool(properties.get("BisectBatchOnFunctionError", False)),
        on_failure=_destination(resource),
    )


def _destination(resource: Resource) -> str | None:
    destination: str | None = resource.properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination is not None and destination.split(":")[2] != "sqs":
        raise LocalError(
            f"what {resource.logical_id} cannot do goes to {json.dumps(destination)}; only queues are supported"
        )
    return destination


def routes(template: Template, api_logical_id: str) -> list[Route]:
    """The routes of one HTTP API."""
    api = next(each for each in template.of_type("AWS::ApiGatewayV2::Api") if each.logical_id == api_logical_id)
    if api.properties.get("ProtocolType") != "HTTP":
        raise LocalError(f"{api_logical_id} is no HTTP API, which is all that the local system supports")
    integrations = {each.name: each.properties for each in template.of_type("AWS::ApiGatewayV2::Integration")}
    return [
        _route(resource, integrations[resource.properties["Target"].rpartition("/")[2]])
        for resource in template.of_type("AWS::ApiGatewayV2::Route")
        if resource.properties["ApiId"] == api.name
    ]


def _route(resource: Resource, integration: Any) -> Route:
    if resource.properties.get("AuthorizationType", "NONE") != "NONE":
        raise LocalError(f"the route {resource.logical_id} has an authorizer, which the local system does not support")
    if (integration["IntegrationType"], integration.get("PayloadFormatVersion")) != ("AWS_PROXY", "2.0"):
        raise LocalError(
            f"the route {resource.logical_id} is no Lambda proxy of payload format 2.0, which is all that is supported"
        )
    return Route(
        resource.properties["RouteKey"], function_name(integration["IntegrationUri"].removesuffix("/invocations"))
    )


def task_definitions(template: Template) -> list[TaskDefinition]:
    """The task definitions that RunTask can run."""
    definitions = []
    for resource in template.of_type("AWS::ECS::TaskDefinition"):
        containers = resource.properties["ContainerDefinitions"]
        if len(containers) != 1:
            raise LocalError(f"{resource.logical_id} has {len(containers)} containers; the local system runs one")
        container = containers[0]
        if surplus := set(container) - _CONTAINER_KEYS:
            raise LocalError(
                f"{min(surplus)} of the container of {resource.logical_id} is not supported by the local system"
            )
        definitions.append(
            TaskDefinition(
                arn=template.ref(resource.logical_id),
                family=resource.name,
                container=container["Name"],
                environment={each["Name"]: str(each["Value"]) for each in container.get("Environment", [])},
                stop_timeout_seconds=float(container.get("StopTimeout", 30)),
                cpu_units=int(resource.properties.get("Cpu", 1_024)),
                memory_mib=int(resource.properties.get("Memory", 2_048)),
            )
        )
    return definitions
