"""The bus, the rules, the stream and the queues, which call functions without a request."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs.functions import Functions
from infra.constructs.queues import Queues
from infra.nag import acknowledge_grant
from infra.stages import Stage
from wainwright.contracts import names

DISPATCHERS = 2
"""Batches of wake-ups handled at once: a second one hides a slow call, more would only conflict over the same rows."""


class Bus(Construct):
    """The bus of jobs' events, for whoever subscribes; and the group that schedules will be in."""

    def __init__(self, scope: Construct, construct_id: str, stage: Stage) -> None:
        super().__init__(scope, construct_id)
        self.bus = events.EventBus(self, "EventBus", event_bus_name=f"wainwright-{stage.name}")
        self.schedules = scheduler.ScheduleGroup(self, "Schedules", schedule_group_name=f"wainwright-{stage.name}")


def connect_event_sources(functions: Functions, queues: Queues, table: dynamodb.ITable) -> None:
    """Have Lambda poll the queues and the stream."""
    functions.dispatch_jobs.add_event_source(
        sources.SqsEventSource(queues.jobs, batch_size=10, max_concurrency=DISPATCHERS, report_batch_item_failures=True)
    )
    functions.publish_events.add_event_source(
        sources.DynamoEventSource(
            table,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=100,
            bisect_batch_on_error=True,
            retry_attempts=5,
            report_batch_item_failures=True,
            on_failure=sources.SqsDlq(queues.stream_dead_letters),
            filters=[_rows_of_jobs()],
        )
    )
    acknowledge_grant(
        functions.publish_events,
        "*",
        "dynamodb:ListStreams, which the event source's grant contains, knows no resource.",
    )
    for queue in queues.drained:
        functions.drain_dead_letters.add_event_source(
            sources.SqsEventSource(queue, batch_size=10, report_batch_item_failures=True)
        )


class Rules(Construct):
    """The minute's sweep, and what AWS tells of executions and tasks that ended."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Functions,
        state_machine: sfn.IStateMachine,
        cluster: ecs.ICluster,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        events.Rule(
            self,
            "EveryMinute",
            description="Sweep: what is overdue goes on.",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            # The next minute brings the next one: an old one is of no use.
            targets=[targets.LambdaFunction(functions.sweep, max_event_age=Duration.minutes(1), retry_attempts=0)],
        )
        events.Rule(
            self,
            "EveryTwelveHours",
            description="Clean-up: what has outlived its project's retention goes.",
            schedule=events.Schedule.rate(Duration.hours(12)),
            targets=[_target(functions.clean_up, dead_letters)],
        )
        events.Rule(
            self,
            "ExecutionEnded",
            description="Executions that ended without their Finish state.",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [state_machine.state_machine_arn],
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                },
            ),
            targets=[_target(functions.finish_job, dead_letters)],
        )
        events.Rule(
            self,
            "WorkerStopped",
            description="Workers that stopped: dispatch looks whether another is needed.",
            event_pattern=events.EventPattern(
                source=["aws.ecs"],
                detail_type=["ECS Task State Change"],
                detail={"clusterArn": [cluster.cluster_arn], "lastStatus": ["STOPPED"]},
            ),
            targets=[_target(functions.dispatch_jobs, dead_letters)],
        )


def _target(function: lambda_.IFunction, dead_letters: sqs.IQueue) -> targets.LambdaFunction:
    return targets.LambdaFunction(
        function, dead_letter_queue=dead_letters, max_event_age=Duration.hours(1), retry_attempts=3
    )


def _rows_of_jobs() -> Mapping[str, Any]:
    return lambda_.FilterCriteria.filter(
        {"dynamodb": {"NewImage": {names.ENTITY_ATTRIBUTE: {"S": lambda_.FilterRule.is_equal(names.JOB_ENTITY)}}}}
    )
