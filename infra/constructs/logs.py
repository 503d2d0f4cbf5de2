"""The pattern of every log group."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.stages import Stage


def make_log_group(scope: Construct, stage: Stage) -> logs.LogGroup:
    """A log group that forgets after the stage's retention, and outlives the stack where the table does."""
    return logs.LogGroup(
        scope,
        "Logs",
        retention=logs.RetentionDays[stage.log_retention],
        removal_policy=RemovalPolicy.RETAIN if stage.keep_data else RemovalPolicy.DESTROY,
    )
