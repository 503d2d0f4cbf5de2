"""The jobs queue and the work queue in SQS.

They are given what makes the client: many a process sends nothing, and making it takes longer than a call.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from wainwright.adapters.aws.outages import ignoring
from wainwright.contracts.messages import WakeUp, WorkMessage
from wainwright.ports.queues import ReceivedWork

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

log = logging.getLogger(__name__)

MOST_WAIT = timedelta(seconds=20)
"""SQS waits no longer for a message."""

_GONE = frozenset(
    {"ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"}
)  # fmt: skip


@dataclass(frozen=True)
class SqsWakeUps:
    """A :class:`~wainwright.ports.queues.WakeUps`. Messages are grouped by project, so that the queue is fair between them."""

    sqs: Callable[[], "SQSClient"]
    queue_url: str

    def send(self, project: str, *, delay: timedelta = timedelta(0), workers: int = 0) -> None:
        # Rounded up: a wake-up that comes early finds nothing to start.
        self.sqs().send_message(
            QueueUrl=self.queue_url,
            MessageBody=WakeUp(project=project, workers=workers).model_dump_json(by_alias=True, exclude_defaults=True),
            MessageGroupId=project, DelaySeconds=math.ceil(delay.total_seconds()),
        )  # fmt: skip


@dataclass(frozen=True)
class SqsWorkQueue:
    """A :class:`~wainwright.ports.queues.WorkQueue`."""

    sqs: Callable[[], "SQSClient"]
    queue_url: str

    def receive(self, wait: timedelta) -> ReceivedWork | None:
        answer = self.sqs().receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=1, WaitTimeSeconds=int(min(wait, MOST_WAIT).total_seconds()),
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
        )  # fmt: skip
        for message in answer.get("Messages", []):
            try:
                body = WorkMessage.model_validate_json(message["Body"])
            except ValidationError:
                # It comes again until the queue gives it up; its dead-letter queue has an alarm.
                log.exception("this is not a work message")
                return None
            return ReceivedWork(
                message=body, receipt=message["ReceiptHandle"],
                received=int(message.get("Attributes", {}).get("ApproximateReceiveCount", "1")),
            )  # fmt: skip
        return None

    def send(self, message: WorkMessage) -> None:
        # Grouped by project, as the state machine's messages are.
        body = message.model_dump_json(by_alias=True, exclude_defaults=True)
        self.sqs().send_message(QueueUrl=self.queue_url, MessageBody=body, MessageGroupId=message.project)

    def extend(self, receipt: str, visibility: timedelta) -> None:
        # A message that is gone became visible or was deleted. Who may write is decided by the fence, not by the message.
        with ignoring(_GONE):
            self.sqs().change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=receipt, VisibilityTimeout=int(visibility.total_seconds())
            )

    def delete(self, receipt: str) -> None:
        with ignoring(_GONE):
            self.sqs().delete_message(QueueUrl=self.queue_url, ReceiptHandle=receipt)
