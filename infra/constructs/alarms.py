"""Alarms on what must not stay unnoticed: lost messages, and a sweep that does not mend."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.queues import Queues

PERIOD = Duration.minutes(5)


class Alarms(Construct):
    """A dead letter arrived; something stays in a dead-letter queue; the sweep, which mends all else, fails."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queues: Queues,
        drain: lambda_.IFunction,
        sweep: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        _alarm(
            self,
            "SweepFails",
            sweep.metric_errors(period=PERIOD, statistic=cloudwatch.Stats.SUM),
            "Jobs that fell between two steps are not being mended: see the log of sweep.",
            periods=2,
        )
        _alarm(
            self,
            "DeadLetterArrived",
            drain.metric_invocations(period=PERIOD, statistic=cloudwatch.Stats.SUM),
            "A message could not be delivered. Its job goes on or was failed; the function's log says which.",
        )
        for queue in queues.drained:
            # Three periods: a message that is being drained may be seen once.
            self._on_queue(queue, "Dead letters are not being drained: see the log of drain_dead_letters.", periods=3)
        for queue in queues.kept:
            self._on_queue(
                queue, "An event did not reach its function. The sweep makes it good; find out why.", periods=1
            )

    def _on_queue(self, queue: sqs.Queue, meaning: str, *, periods: int) -> None:
        metric = queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic=cloudwatch.Stats.MAXIMUM)
        _alarm(self, queue.node.id, metric, meaning, periods=periods)


def _alarm(scope: Construct, construct_id: str, metric: cloudwatch.Metric, meaning: str, *, periods: int = 1) -> None:
    cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        alarm_description=meaning,
        threshold=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluation_periods=periods,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
