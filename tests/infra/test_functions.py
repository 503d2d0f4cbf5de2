"""The functions, and what calls them."""

from typing import Any

import pytest

from tests.infra.synthesized import ROOT, Resource, Synthesized, rendered, target
from wainwright import settings

FUNCTIONS = {
    "api",
    "dispatch_jobs",
    "drain_dead_letters",
    "finish_job",
    "publish_events",
    "stream_events",
    "sweep",
    "clean_up",
}

SETTINGS: dict[str, type[settings.Settings]] = {
    "api": settings.ApiSettings,
    "dispatch_jobs": settings.DispatchSettings,
    "drain_dead_letters": settings.Settings,
    "finish_job": settings.JobSettings,
    "publish_events": settings.PublishSettings,
    "stream_events": settings.StoreSettings,
    "sweep": settings.WorkflowSettings,
    "clean_up": settings.CleanUpSettings,
    "worker": settings.WorkerSettings,
}
"""The model that each process reads its environment with."""

OF_THE_MACHINE = {
    "WAINWRIGHT_WORK_DIR",
    *("WAINWRIGHT_CACHE_DIR", "WAINWRIGHT_CACHE_BYTES", "WAINWRIGHT_CACHE_DAYS", "WAINWRIGHT_INSTALLER_VARIABLES"),
    "WAINWRIGHT_COSTS_DIR",
    "WAINWRIGHT_SPOOL_DIR",
    "WAINWRIGHT_SPOOL_MAX_MB",
    "WAINWRIGHT_UPLOAD_RETRY_SECONDS",
    *(field.alias for field in settings.SuiteSettings.model_fields.values()),
}
"""Variables for a machine of one's own; a stage has the defaults."""
GIVEN_AT_LAUNCH = {"WAINWRIGHT_WORKER_ID", *OF_THE_MACHINE}
"""Variables that differ from one worker to the next, and so are not in the task definition."""

LAMBDA_FACTOR = 6
"""Lambda advises a visibility of six times the function's timeout."""


def mappings_of(template: Synthesized, function: str) -> list[Resource]:
    """The event source mappings that call a function."""
    return [
        mapping
        for mapping in template.of_type("AWS::Lambda::EventSourceMapping").values()
        if template.function_name(mapping["FunctionName"]) == function
    ]


def rule_of(template: Synthesized, function: str) -> tuple[Resource, dict[str, Any]]:
    """The only rule that calls a function, and its target."""
    ((rule, called),) = [
        (rule, called)
        for rule in template.of_type("AWS::Events::Rule").values()
        for called in rule["Targets"]
        if template.function_name(called["Arn"]) == function
    ]
    return rule, called


def test_deploys_every_function_of_the_repository(each: Synthesized) -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}

    assert set(each.functions()) == FUNCTIONS == folders
    assert {found["Handler"] for found in each.functions().values()} == {
        f"functions.{name}.handler.handler" for name in FUNCTIONS
    }


def test_functions_share_one_asset_and_both_layers(each: Synthesized) -> None:
    functions = each.functions().values()
    layers = list(each.of_type("AWS::Lambda::LayerVersion"))

    assert len({found["Code"]["S3Key"] for found in functions}) == 1
    assert [[target(layer) for layer in found["Layers"]] for found in functions] == [layers] * len(FUNCTIONS)


def test_functions_and_layers_are_of_one_python_on_arm64(each: Synthesized) -> None:
    for found in each.functions().values():
        assert (found["Runtime"], found["Architectures"]) == ("python3.13", ["arm64"])
    for layer in each.of_type("AWS::Lambda::LayerVersion").values():
        assert layer["CompatibleRuntimes"] == ["python3.13"]
        assert layer["CompatibleArchitectures"] == ["arm64"]


def test_log_groups_forget(dev: Synthesized, prod: Synthesized) -> None:
    for template, days in ((dev, 7), (prod, 90)):
        groups = template.of_type("AWS::Logs::LogGroup")
        assert {group["RetentionInDays"] for group in groups.values()} == {days}
        assert {target(found["LoggingConfig"]["LogGroup"]) for found in template.functions().values()} <= set(groups)


def test_each_process_is_told_what_its_settings_read_and_no_more(each: Synthesized) -> None:
    read = {
        name: {field.alias for field in model.model_fields.values()} - GIVEN_AT_LAUNCH
        for name, model in SETTINGS.items()
    }

    assert {name: set(variables) for name, variables in each.environments().items()} == read


def test_what_is_told_without_a_reference_is_a_valid_setting(each: Synthesized) -> None:
    for name, variables in each.environments().items():
        values = {variable: rendered(value) for variable, value in variables.items()} | {"WAINWRIGHT_WORKER_ID": "w"}
        assert SETTINGS[name].read(values).stage in {"dev", "prod"}


def test_a_variable_has_one_value_in_all_processes(each: Synthesized) -> None:
    values: dict[str, set[str]] = {}
    for variables in each.environments().values():
        for name, value in variables.items():
            values.setdefault(name, set()).add(rendered(value))

    assert {name: found for name, found in values.items() if len(found) > 1} == {}


def test_capacities_and_timeouts_are_the_documented_defaults(each: Synthesized) -> None:
    api = each.environments()["api"]

    assert (api["RUNNING_CAPACITY"], api["QUEUED_CAPACITY"]) == ("5", "50")
    assert api["TEST_EXECUTION_TIMEOUT_MS"] == "900000"


def test_functions_behind_an_api_answer_before_it_gives_up(each: Synthesized) -> None:
    for integration in each.of_type("AWS::ApiGatewayV2::Integration").values():
        assert each.functions()[each.function_name(integration["IntegrationUri"])]["Timeout"] < 30


def test_event_streams_starve_no_one_in_production(dev: Synthesized, prod: Synthesized) -> None:
    assert prod.functions()["stream_events"]["ReservedConcurrentExecutions"] == 100
    assert "ReservedConcurrentExecutions" not in dev.functions()["stream_events"]


def test_wake_ups_reach_dispatch_a_few_at_a_time(each: Synthesized) -> None:
    (mapping,) = mappings_of(each, "dispatch_jobs")

    assert rendered(mapping["EventSourceArn"]).startswith("<QueuesJobs4")
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (10, {"MaximumConcurrency": 2})
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_changes_of_jobs_are_published_from_the_stream(each: Synthesized) -> None:
    (mapping,) = mappings_of(each, "publish_events")
    (pattern,) = mapping["FilterCriteria"]["Filters"]

    assert rendered(mapping["EventSourceArn"]).endswith(".StreamArn>")
    assert pattern["Pattern"] == '{"dynamodb":{"NewImage":{"entity":{"S":["job"]}}}}'
    assert (mapping["BisectBatchOnFunctionError"], mapping["MaximumRetryAttempts"]) == (True, 5)
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert rendered(mapping["DestinationConfig"]["OnFailure"]["Destination"]).startswith("<QueuesStreamDeadLetters")


def test_dead_letters_are_drained(each: Synthesized) -> None:
    mappings = mappings_of(each, "drain_dead_letters")
    queues = each.of_type("AWS::SQS::Queue")
    drained = {target(mapping["EventSourceArn"]) for mapping in mappings}

    assert {
        target(queue["RedrivePolicy"]["deadLetterTargetArn"]) for queue in queues.values() if "RedrivePolicy" in queue
    } < drained
    assert len(drained) == len(mappings) == 3
    assert {tuple(mapping["FunctionResponseTypes"]) for mapping in mappings} == {("ReportBatchItemFailures",)}


def test_a_message_stays_hidden_while_its_function_may_still_retry(each: Synthesized) -> None:
    queues = each.of_type("AWS::SQS::Queue")
    polled = [
        (queues[target(mapping["EventSourceArn"])], each.function_name(mapping["FunctionName"]))
        for mapping in each.of_type("AWS::Lambda::EventSourceMapping").values()
        if target(mapping["EventSourceArn"]) in queues
    ]

    assert len(polled) == 4
    for queue, function in polled:
        assert queue["VisibilityTimeout"] >= LAMBDA_FACTOR * each.functions()[function]["Timeout"]


def test_sweeps_every_minute_and_ends_before_the_next(each: Synthesized) -> None:
    rule, called = rule_of(each, "sweep")

    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")
    assert called["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    assert each.functions()["sweep"]["Timeout"] < 60


def test_finish_hears_of_executions_that_ended_without_it(each: Synthesized) -> None:
    rule, called = rule_of(each, "finish_job")
    (machine,) = each.of_type("AWS::StepFunctions::StateMachine")

    assert rule["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"stateMachineArn": [{"Ref": machine}], "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
    }
    assert rendered(called["DeadLetterConfig"]["Arn"]).startswith("<QueuesRuleDeadLetters")


def test_dispatch_hears_of_workers_that_stopped(each: Synthesized) -> None:
    rule, called = rule_of(each, "dispatch_jobs")
    (cluster,) = each.of_type("AWS::ECS::Cluster")

    assert rule["EventPattern"] == {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {"clusterArn": [{"Fn::GetAtt": [cluster, "Arn"]}], "lastStatus": ["STOPPED"]},
    }
    assert rendered(called["DeadLetterConfig"]["Arn"]).startswith("<QueuesRuleDeadLetters")


def test_has_a_bus_and_a_group_for_schedules(each: Synthesized) -> None:
    bus, group = each.one("AWS::Events::EventBus"), each.one("AWS::Scheduler::ScheduleGroup")

    assert bus["Name"] == group["Name"] == f"wainwright-{each.environments()['api']['WAINWRIGHT_STAGE']}"


@pytest.mark.parametrize(
    ("api", "routes"),
    [
        (
            "ApiHttpApi",
            {
                "ANY /v1/{proxy+}": "api",
                "GET /v1/jobs/{jobId}/events": "stream_events",
                "$default": "api",
            },
        ),
        (
            "ReportsApiHttpApi",
            {
                "GET /r/{ticket}": "api",
                "GET /r/{ticket}/{proxy+}": "api",
                "GET /r/{ticket}/events": "stream_events",
                "$default": "api",
            },
        ),
    ],
)
def test_routes_lead_to_their_functions(each: Synthesized, api: str, routes: dict[str, str]) -> None:
    integrations = each.of_type("AWS::ApiGatewayV2::Integration")

    assert {
        route["RouteKey"]: each.function_name(integrations[target(route["Target"]["Fn::Join"][1][1])]["IntegrationUri"])
        for route in each.of_type("AWS::ApiGatewayV2::Route").values()
        if target(route["ApiId"]).startswith(api)
    } == routes


def test_apis_let_no_other_origin_in(each: Synthesized) -> None:
    apis = each.of_type("AWS::ApiGatewayV2::Api").values()

    assert [api["ProtocolType"] for api in apis] == ["HTTP", "HTTP"]
    assert not any("CorsConfiguration" in api for api in apis)


def test_apis_are_throttled_and_log_routes_but_no_paths(each: Synthesized) -> None:
    stages = each.of_type("AWS::ApiGatewayV2::Stage").values()

    assert len(stages) == 2
    for stage in stages:
        assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
        assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] > 0
        assert "$context.requestId" in stage["AccessLogSettings"]["Format"]
        assert "$context.routeKey" in stage["AccessLogSettings"]["Format"]
        assert "$context.path" not in stage["AccessLogSettings"]["Format"]


def test_tells_where_everything_is(each: Synthesized) -> None:
    assert set(each.body["Outputs"]) == {"ApiUrl", "ReportsUrl", "TableName", "BucketName"}
