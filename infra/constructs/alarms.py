"""Alarms on lost messages, and on a sweep that does not mend."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.functions import Functions
from infra.constructs.queues import Queues

PERIOD = Duration.minutes(5)


class Alarms(Construct):
    """A dead letter arrived; something stays in a dead-letter queue; the sweep, which mends all else, fails."""

    def __init__(self, scope: Construct, construct_id: str, *, queues: Queues, functions: Functions) -> None:
        super().__init__(scope, construct_id)
        self._alarm(
            "SweepFails",
            functions.sweep.metric_errors(period=PERIOD, statistic=cloudwatch.Stats.SUM),
            "Jobs that fell between two steps are not being mended: see the log of sweep.",
            periods=2,
        )
        self._alarm(
            "DeadLetterArrived",
            functions.drain_dead_letters.metric_invocations(period=PERIOD, statistic=cloudwatch.Stats.SUM),
            "A message could not be delivered. Its job goes on or was failed; the function's log says which.",
        )
        for queue in queues.drained:
            # Three periods: a message that is being drained may be seen once.
            self._on_queue(queue, "Dead letters are not being drained: see the log of drain_dead_letters.", periods=3)
        # Nobody drains it: the sweep has made good what was lost there, and a person is to look.
        self._on_queue(
            queues.rule_dead_letters, "An event did not reach its function. The sweep makes it good; find out why."
        )

    def _on_queue(self, queue: sqs.Queue, meaning: str, *, periods: int = 1) -> None:
        metric = queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic=cloudwatch.Stats.MAXIMUM)
        self._alarm(queue.node.id, metric, meaning, periods=periods)

    def _alarm(self, construct_id: str, metric: cloudwatch.Metric, meaning: str, *, periods: int = 1) -> None:
        cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            alarm_description=meaning,
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
