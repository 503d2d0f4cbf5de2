"""Lambda's pollers: from a queue or a table's stream to a function, a batch at a time."""

import json
import logging
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.events.models import EventPattern
from moto.sqs.models import Message

from wainwright.local.dynamodb import SafeDynamoDB
from wainwright.local.functions import Answer, Functions
from wainwright.local.sqs import SafeSQS

logger = logging.getLogger(__name__)

_POLL_SECONDS = 20.0
_STOP_SECONDS = 5.0
_QUEUE_CONCURRENCY = 10
"""Batches of a queue handled at once where the mapping does not say."""
_STREAM_RETRY_SECONDS = (0.2, 1.0, 5.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSourceMapping:
    """An event source mapping of the template. The last four are for streams alone."""

    source_arn: str
    function: str
    batch_size: int
    report_item_failures: bool = False
    maximum_concurrency: int | None = None
    filters: tuple[str, ...] = ()
    """EventBridge patterns over the record, as JSON; a record passes when any matches."""
    retries: int = -1
    """Number of times that a failed batch is tried again; -1: until it succeeds."""
    bisect: bool = False
    on_failure: str | None = None


class _Poller(ABC):
    """A thread that hands batches to a function until it is stopped."""

    def __init__(self, mapping: EventSourceMapping, source: str, functions: Functions) -> None:
        self._mapping = mapping
        self._source = source
        self._functions = functions
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"poll-{source}", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more batches; those that are being worked on go on."""
        self._stopping.set()
        self._wake()
        self._thread.join(_STOP_SECONDS)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self._poll()
            except Exception:
                logger.exception("reading %s failed", self._source)
                self._stopping.wait(1)

    def _invoke(self, records: list[dict[str, Any]], identifiers: list[str]) -> tuple[Answer, set[str]]:
        """The function's answer, and the identifiers of the records that failed."""
        event = {"Records": [{**record, "eventSourceARN": self._mapping.source_arn} for record in records]}
        answer = self._functions.invoke(self._mapping.function, event, wait_for_slot=True)
        return answer, _failed_identifiers(answer, identifiers, report=self._mapping.report_item_failures)

    @abstractmethod
    def _poll(self) -> None:
        """Wait for a batch and have it handled."""

    @abstractmethod
    def _wake(self) -> None:
        """End a wait for a batch."""


class QueuePoller(_Poller):
    """Receives batches, calls the function, and deletes what it has done.

    What failed stays hidden until the queue's visibility timeout and is then received again, until the queue's redrive
    policy moves it to the dead-letter queue: exactly as on AWS.
    """

    def __init__(self, mapping: EventSourceMapping, sqs: SafeSQS, functions: Functions) -> None:
        self._queue = mapping.source_arn.rpartition(":")[2]
        super().__init__(mapping, self._queue, functions)
        self._sqs = sqs
        self._free = threading.Semaphore(mapping.maximum_concurrency or _QUEUE_CONCURRENCY)

    def _wake(self) -> None:
        self._sqs.wake()
        self._free.release()

    def _poll(self) -> None:
        self._free.acquire()
        batch: list[Message] = []
        try:
            batch = self._sqs.receive(self._queue, self._mapping.batch_size, _POLL_SECONDS, self._stopping)
        finally:
            if not batch:
                self._free.release()
        if batch:
            threading.Thread(target=self._process, args=(batch,), name=f"batch-{self._queue}", daemon=True).start()

    def _process(self, batch: list[Message]) -> None:
        region = self._mapping.source_arn.split(":")[3]
        try:
            _, failed = self._invoke([_record(message, region) for message in batch], [each.id for each in batch])
            for message in batch:
                if message.id not in failed and message.receipt_handle is not None:
                    self._sqs.delete(self._queue, message.receipt_handle)
        except Exception:
            logger.exception("a batch of %s failed", self._queue)
        finally:
            self._free.release()


class StreamPoller(_Poller):
    """Hands a stream's records to a function, in order, a batch at a time, and never skips one unsaid.

    It begins with what an earlier run left unread; what it has not read when it is stopped stays in the journal.
    """

    def __init__(self, mapping: EventSourceMapping, dynamodb: SafeDynamoDB, sqs: SafeSQS, functions: Functions) -> None:
        self._table = mapping.source_arn.split("/")[1]
        super().__init__(mapping, self._table, functions)
        self._dynamodb = dynamodb
        self._sqs = sqs
        self._stream = dynamodb.stream(self._table)
        self._patterns = [EventPattern.load(text) for text in mapping.filters]
        self._next = self._stream.next_sequence
        self._unread = dynamodb.unread(self._table)

    def _wake(self) -> None:
        with self._stream.changed:
            self._stream.changed.notify_all()

    def _poll(self) -> None:
        records = self._wait_for_records()
        if records and self._handle([record for record in records if self._passes(record)]):
            self._dynamodb.forget(self._table, _sequence(records[-1]))

    def _wait_for_records(self) -> list[dict[str, Any]]:
        size = self._mapping.batch_size
        if self._unread:
            taken, self._unread = self._unread[:size], self._unread[size:]
            return taken
        with self._stream.changed:
            while self._stream.next_sequence <= self._next and not self._stopping.is_set():
                self._stream.changed.wait()
            records = self._stream.get(self._next, size)
        if records:
            self._next = _sequence(records[-1]) + 1
        plain: list[dict[str, Any]] = json.loads(dynamo_json_dump(records))
        return plain

    def _passes(self, record: dict[str, Any]) -> bool:
        return not self._patterns or any(
            pattern.matches_event(record)  # type: ignore[arg-type]  # moto types EventBridge's own events
            for pattern in self._patterns
        )

    def _handle(self, records: list[dict[str, Any]]) -> bool:
        """Have the function take the records, as often as the mapping says; False only when the poller was stopped."""
        tries = 0
        while records:
            if self._stopping.is_set():
                return False
            sequences = [record["dynamodb"]["SequenceNumber"] for record in records]
            answer, failed = self._invoke(records, sequences)
            if not failed:
                return True
            if not answer.failed and len(failed) < len(records):
                # A checkpoint: what came before the first failure is done.
                records = records[min(sequences.index(sequence) for sequence in failed) :]
            if 0 <= self._mapping.retries <= tries:
                self._give_up(records, answer)
                return True
            tries += 1
            if self._mapping.bisect and len(records) > 1:
                half = len(records) // 2
                return self._handle(records[:half]) and self._handle(records[half:])
            self._stopping.wait(_STREAM_RETRY_SECONDS[min(tries, len(_STREAM_RETRY_SECONDS)) - 1])
        return True

    def _give_up(self, records: list[dict[str, Any]], answer: Answer) -> None:
        mapping = self._mapping
        logger.error("%d records of %s are given up: %.500s", len(records), self._table, answer.payload.decode())
        if mapping.on_failure is None:
            return
        notice = {
            "requestContext": {"functionArn": mapping.function, "condition": "RetryAttemptsExhausted"},
            "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
            "version": "1.0",
            "DDBStreamBatchInfo": {
                "streamArn": mapping.source_arn,
                "shardId": self._stream.id,
                "startSequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
                "endSequenceNumber": records[-1]["dynamodb"]["SequenceNumber"],
                "batchSize": len(records),
            },
        }
        self._sqs.send(mapping.on_failure.rpartition(":")[2], json.dumps(notice))


def _sequence(record: dict[str, Any]) -> int:
    return int(record["dynamodb"]["SequenceNumber"])


def _failed_identifiers(answer: Answer, identifiers: list[str], *, report: bool) -> set[str]:
    """The items of a batch that the answer reports as failed, or all where the answer is not to be trusted."""
    if answer.failed:
        return set(identifiers)
    document = answer.json() if report else None
    if document is None:
        return set()
    try:
        failed = {failure["itemIdentifier"] for failure in document.get("batchItemFailures") or ()}
        if failed <= set(identifiers):
            return failed
    except (AttributeError, KeyError, TypeError):
        logger.debug("no partial batch response", exc_info=True)
    logger.error("a partial batch response is malformed, so the whole batch counts as failed: %.200r", document)
    return set(identifiers)


def _record(message: Message, region: str) -> dict[str, Any]:
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
        "awsRegion": region,
    }
