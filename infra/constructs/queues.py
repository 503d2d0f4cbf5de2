"""The queues, each with a dead-letter queue."""

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.functions import TIMEOUT_SECONDS
from infra.nag import acknowledge

VISIBILITY_TIMEOUT = Duration.seconds(6 * TIMEOUT_SECONDS)
"""Six times the consuming function's timeout, as Lambda advises, so that its own retries stay within it."""


class Queues(Construct):
    """Wake-ups for dispatch, work for workers, and what could not be delivered.

    Standard queues, not FIFO: the rows decide the order, and a message group on a standard queue makes it fair between
    projects without holding anything back.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.jobs_dead_letters = self._dead_letters("JobsDeadLetters")
        self.work_dead_letters = self._dead_letters("WorkDeadLetters")
        self.stream_dead_letters = self._dead_letters("StreamDeadLetters")
        self.rule_dead_letters = self._dead_letters("RuleDeadLetters")
        self.jobs = self._queue(
            "Jobs",
            visibility=VISIBILITY_TIMEOUT,
            # The sweep looks after a project whose wake-ups fail, so there is no use in trying for long.
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.jobs_dead_letters, max_receive_count=5),
        )
        self.work = self._queue(
            "Work",
            # A worker renews its claim every 10 s; a worker that died gives its message up after 30 s.
            visibility=Duration.seconds(30),
            # Only a net: the third loss of a worker ends a run, and an orderly return of a message is no loss.
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.work_dead_letters, max_receive_count=10),
        )

    @property
    def drained(self) -> tuple[sqs.Queue, ...]:
        """Dead-letter queues that a function empties."""
        return (self.jobs_dead_letters, self.work_dead_letters, self.stream_dead_letters)

    def grant_send(self, grantee: iam.IGrantable) -> None:
        """Allow sending wake-ups and work."""
        self.jobs.grant_send_messages(grantee)
        self.work.grant_send_messages(grantee)

    def _queue(self, name: str, *, visibility: Duration, **settings: Any) -> sqs.Queue:
        return sqs.Queue(
            self,
            name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=visibility,
            **settings,
        )

    def _dead_letters(self, name: str) -> sqs.Queue:
        queue = self._queue(name, visibility=VISIBILITY_TIMEOUT, retention_period=Duration.days(14))
        acknowledge(queue, "SQS3", "This is a dead-letter queue itself.")
        return queue
