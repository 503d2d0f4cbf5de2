"""Permissions."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from tests.infra.synthesized import Synthesized, as_list, rendered

if TYPE_CHECKING:
    from infra.stack import WainwrightStack

PREFIXES = [
    r"<StorageTable\w+\.Arn>/index/\*",
    r"<ArtifactsBucket\w+\.Arn>/(uploads|reports|assets|archive|templates|environments)/\*",
    r"<ArtifactsBucket\w+\.Arn>/reports/\*/report\.zip",
    r"<FunctionsFinishJobHandler\w+\.Arn>:\*",
    r"arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/wainwright/(dev|prod)/\*",
    r"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:[^*]+:\*",
]
"""Resources that can only be named with a wildcard, below a resource of ours."""

WITHOUT_RESOURCE = {
    "dynamodb:ListStreams",
    "ecr:GetAuthorizationToken",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
}
"""Actions that know no resource."""


def test_no_action_is_a_wildcard(each: Synthesized) -> None:
    actions = [(name, action) for name, found in each.statements() for action in as_list(found["Action"])]

    assert actions
    assert [entry for entry in actions if "*" in entry[1]] == []


def test_wildcard_resources_are_the_listed_ones(each: Synthesized) -> None:
    for name, statement in each.statements():
        for resource in map(rendered, as_list(statement["Resource"])):
            if resource == "*":
                assert set(as_list(statement["Action"])) <= WITHOUT_RESOURCE, name
            elif "*" in resource:
                assert any(re.fullmatch(pattern, resource) for pattern in PREFIXES), (name, resource)


def test_no_role_has_a_managed_policy(each: Synthesized) -> None:
    assert [name for name, role in each.of_type("AWS::IAM::Role").items() if "ManagedPolicyArns" in role] == []


def test_roles_can_be_assumed_by_their_service_alone(each: Synthesized) -> None:
    principals = {
        str(statement["Principal"])
        for role in each.of_type("AWS::IAM::Role").values()
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
    }

    assert principals == {
        "{'Service': 'lambda.amazonaws.com'}",
        "{'Service': 'states.amazonaws.com'}",
        "{'Service': 'ecs-tasks.amazonaws.com'}",
    }


def test_workers_are_started_in_our_cluster_alone(each: Synthesized) -> None:
    (statement,) = [found for _, found in each.statements() if "ecs:RunTask" in as_list(found["Action"])]
    (cluster,) = each.of_type("AWS::ECS::Cluster")

    assert statement["Condition"] == {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": [cluster, "Arn"]}}}
    assert rendered(statement["Resource"]).startswith("<WorkersTask")


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        ("FunctionsStreamEventsRole", {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}),
        ("FunctionsPublishEventsRole", {"events:PutEvents"}),
    ],
)
def test_readers_and_publishers_write_no_row(dev: Synthesized, role: str, actions: set[str]) -> None:
    allowed = dev.allowed(role)

    assert actions <= allowed
    assert allowed.isdisjoint({"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"})


def test_workers_may_neither_start_executions_nor_put_bundles(dev: Synthesized) -> None:
    worker = [found for name, found in dev.statements() if name.startswith("WorkersTaskTaskRole")]
    writable = {
        rendered(resource).rpartition(">")[2]
        for statement in worker
        if "s3:PutObject" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }

    assert "states:StartExecution" not in dev.allowed("WorkersTaskTaskRole")
    assert writable == {"/reports/*", "/assets/*", "/environments/*"}


def test_the_api_puts_nothing_into_reports_but_their_zips(dev: Synthesized) -> None:
    api = [found for name, found in dev.statements() if name.startswith("FunctionsApiRole")]
    writable = {
        rendered(resource).rpartition(">")[2]
        for statement in api
        if "s3:PutObject" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }

    assert writable == {"/uploads/*", "/templates/*", "/reports/*/report.zip"}


def test_no_one_scans_or_stops_executions_and_only_reports_and_templates_are_deleted(each: Synthesized) -> None:
    statements = [(name, found, set(as_list(found["Action"]))) for name, found in each.statements()]

    assert (
        set[str]()
        .union(*(actions for _, _, actions in statements))
        .isdisjoint({"states:StopExecution", "dynamodb:Scan", "ecs:StopTask"})
    )
    deleting = [(name, found) for name, found, actions in statements if "s3:DeleteObject" in actions]
    assert all(re.search("Functions(Api|CleanUp)Role", name) for name, _ in deleting)
    deleted = {rendered(each).rpartition(">")[2] for _, found in deleting for each in as_list(found["Resource"])}
    assert deleted == {"/reports/*", "/templates/*"}


def test_functions_are_invoked_for_our_rules_and_apis_alone(each: Synthesized) -> None:
    permissions = each.of_type("AWS::Lambda::Permission").values()

    assert {found["Principal"] for found in permissions} == {"apigateway.amazonaws.com", "events.amazonaws.com"}
    assert all(rendered(found["SourceArn"]) != "*" for found in permissions)


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_passes_the_aws_solutions_rules(stacks: Mapping[str, "WainwrightStack"], stage: str) -> None:
    from cdk_nag import AwsSolutionsChecks

    stack = stacks[stage]
    report = AwsSolutionsChecks(stack, verbose=True).validate_scope(stack)

    findings = [
        f"{violation.rule_name} at {resource.construct_path}: {violation.description}"
        for violation in report.violations
        for resource in violation.violating_resources
    ]
    assert findings == []


def test_the_aws_solutions_rules_are_at_work(stacks: Mapping[str, "WainwrightStack"]) -> None:
    from aws_cdk import App, Stack
    from aws_cdk.aws_sqs import Queue
    from cdk_nag import AwsSolutionsChecks

    stack = Stack(App(), "Careless")
    Queue(stack, "Queue")

    rules = {found.rule_name for found in AwsSolutionsChecks(stack).validate_scope(stack).violations}
    assert "AwsSolutions-SQS4" in rules


def test_the_api_changes_secrets_and_workers_alone_read_them_below_the_stages_own_path(each: Synthesized) -> None:
    (stage,) = {variables["WAINWRIGHT_STAGE"] for variables in each.environments().values()}
    of_secrets: dict[str, set[str]] = {}
    for name, statement in each.statements():
        if actions := {action for action in as_list(statement["Action"]) if action.startswith("ssm:")}:
            of_secrets.setdefault(re.split(r"Role|TaskRole", name)[0], set()).update(actions)
            (resource,) = map(rendered, as_list(statement["Resource"]))
            assert resource.endswith(f":parameter/wainwright/{stage}/*")

    assert of_secrets == {
        "FunctionsApi": {"ssm:PutParameter", "ssm:DeleteParameter"},
        "WorkersTask": {"ssm:GetParametersByPath"},
    }


def test_workers_may_ask_other_workers_for_help_and_wake_nobody_else(dev: Synthesized) -> None:
    sending = {
        rendered(resource)
        for name, statement in dev.statements()
        if name.startswith("WorkersTaskTaskRole") and "sqs:SendMessage" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }

    (queue,) = sending
    assert queue.startswith("<QueuesWork")
