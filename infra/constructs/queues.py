"""The queues, each with a dead-letter queue."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.nag import acknowledge

FUNCTION_TIMEOUT_FACTOR = 6
"""Visibility over the consuming function's timeout, as Lambda advises, so that its own retries stay within it."""


class Queues(Construct):
    """Wake-ups for dispatch, work for workers, and what could not be delivered.

    Standard queues, not FIFO: the rows decide the order, and a message group on a standard queue makes it fair between
    projects without holding anything back.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, dispatch_timeout: Duration, drain_timeout: Duration
    ) -> None:
        super().__init__(scope, construct_id)
        drained = _times(drain_timeout, FUNCTION_TIMEOUT_FACTOR)
        self.jobs_dead_letters = self._dead_letters("JobsDeadLetters", drained)
        self.work_dead_letters = self._dead_letters("WorkDeadLetters", drained)
        self.stream_dead_letters = self._dead_letters("StreamDeadLetters", drained)
        self.rule_dead_letters = self._dead_letters("RuleDeadLetters", drained)
        self.jobs = self._queue(
            "Jobs",
            visibility=_times(dispatch_timeout, FUNCTION_TIMEOUT_FACTOR),
            # The sweep looks after a project whose wake-ups fail, so there is no use in trying for long.
            dead_letters=sqs.DeadLetterQueue(queue=self.jobs_dead_letters, max_receive_count=5),
        )
        self.work = self._queue(
            "Work",
            # A worker renews its claim every 10 s; a worker that died gives its message up after 30 s.
            visibility=Duration.seconds(30),
            # Only a net: the third loss of a worker ends a run, and an orderly return of a message is no loss.
            dead_letters=sqs.DeadLetterQueue(queue=self.work_dead_letters, max_receive_count=10),
        )

    @property
    def drained(self) -> tuple[sqs.Queue, ...]:
        """Dead-letter queues that a function empties."""
        return (self.jobs_dead_letters, self.work_dead_letters, self.stream_dead_letters)

    @property
    def kept(self) -> tuple[sqs.Queue, ...]:
        """Dead-letter queues that wait for a person: what was lost there the sweep has made good."""
        return (self.rule_dead_letters,)

    def _queue(self, name: str, *, visibility: Duration, dead_letters: sqs.DeadLetterQueue) -> sqs.Queue:
        return sqs.Queue(
            self,
            name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=visibility,
            dead_letter_queue=dead_letters,
        )

    def _dead_letters(self, name: str, visibility: Duration) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=visibility,
            retention_period=Duration.days(14),
        )
        acknowledge(queue, "SQS3", "This is a dead-letter queue itself.")
        return queue


def _times(duration: Duration, factor: int) -> Duration:
    return Duration.seconds(int(duration.to_seconds()) * factor)
