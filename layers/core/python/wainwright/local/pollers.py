"""What stands between a queue and a function: Lambda's poller for SQS."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from moto.sqs.models import Message

from wainwright.local.functions import Answer, Functions
from wainwright.local.sqs import SafeSQS

logger = logging.getLogger(__name__)

_POLL_SECONDS = 20.0
_DEFAULT_CONCURRENCY = 10
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class QueueMapping:
    """An event source mapping from a queue to a function."""

    queue: str
    queue_arn: str
    function: str
    region: str
    batch_size: int = 10
    batching_window_seconds: float = 0
    report_item_failures: bool = False
    maximum_concurrency: int | None = None


class QueuePoller:
    """Receives batches, calls the function, and deletes what it has done.

    What failed stays hidden until the queue's visibility timeout and is then received again, until the queue's redrive
    policy moves it to the dead-letter queue: exactly as on AWS.
    """

    def __init__(self, mapping: QueueMapping, sqs: SafeSQS, functions: Functions) -> None:
        self._mapping = mapping
        self._sqs = sqs
        self._functions = functions
        self._stopping = threading.Event()
        self._free = threading.Semaphore(mapping.maximum_concurrency or _DEFAULT_CONCURRENCY)
        self._thread = threading.Thread(target=self._loop, name=f"poll-{mapping.queue}", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def stop(self) -> None:
        """Stop receiving; batches that are being worked on go on."""
        self._stopping.set()
        self._sqs.wake()
        self._free.release()
        self._thread.join(_STOP_SECONDS)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._free.acquire()
            try:
                batch = self._next_batch()
            except Exception:
                logger.exception("receiving from %s failed", self._mapping.queue)
                self._stopping.wait(1)
                batch = []
            if batch:
                threading.Thread(
                    target=self._process, args=(batch,), name=f"batch-{self._mapping.queue}", daemon=True
                ).start()
            else:
                self._free.release()

    def _next_batch(self) -> list[Message]:
        mapping = self._mapping
        visibility = self._sqs.visibility_timeout(mapping.queue)
        batch = self._sqs.receive(mapping.queue, mapping.batch_size, _POLL_SECONDS, visibility, self._stopping)
        deadline = time.monotonic() + mapping.batching_window_seconds
        while batch and len(batch) < mapping.batch_size and (left := deadline - time.monotonic()) > 0:
            more = self._sqs.receive(mapping.queue, mapping.batch_size - len(batch), left, visibility, self._stopping)
            if not more:
                break
            batch += more
        return batch

    def _process(self, batch: list[Message]) -> None:
        mapping = self._mapping
        try:
            event = {"Records": [_record(mapping, message) for message in batch]}
            answer = self._functions.invoke(mapping.function, event, wait_for_slot=True)
            failed = failed_identifiers(answer, [message.id for message in batch], report=mapping.report_item_failures)
            for message in batch:
                if message.id not in failed and message.receipt_handle is not None:
                    self._sqs.delete(mapping.queue, message.receipt_handle)
        except Exception:
            logger.exception("a batch of %s failed", mapping.queue)
        finally:
            self._free.release()


def failed_identifiers(answer: Answer, identifiers: list[str], *, report: bool) -> set[str]:
    """Which items of a batch failed: those that the answer reports, or all of them when the answer is not to be trusted."""
    if answer.failed:
        return set(identifiers)
    if not report:
        return set()
    document = answer.json()
    if document is None:
        return set()
    try:
        failed = {failure["itemIdentifier"] for failure in document.get("batchItemFailures") or ()}
    except (AttributeError, KeyError, TypeError):
        logger.error("a partial batch response is malformed, so the whole batch counts as failed: %.200r", document)
        return set(identifiers)
    if not failed <= set(identifiers):
        logger.error("a partial batch response names unknown items, so the whole batch counts as failed")
        return set(identifiers)
    return failed


def _record(mapping: QueueMapping, message: Message) -> dict[str, Any]:
    attributes = {
        "ApproximateReceiveCount": str(message.approximate_receive_count),
        "SentTimestamp": str(message.sent_timestamp),
        "SenderId": message.sender_id,
        "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
    }
    if message.group_id is not None:
        attributes["MessageGroupId"] = message.group_id
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {
            name: {key[0].lower() + key[1:]: value for key, value in attribute.items()}
            for name, attribute in message.message_attributes.items()
        },
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.queue_arn,
        "awsRegion": mapping.region,
    }
