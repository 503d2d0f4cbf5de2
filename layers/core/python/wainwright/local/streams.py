"""What stands between a table's stream and a function: Lambda's poller for DynamoDB streams."""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.events.models import EventPattern

from wainwright.local.dynamodb import SafeDynamoDB
from wainwright.local.functions import Answer, Functions
from wainwright.local.pollers import failed_identifiers

logger = logging.getLogger(__name__)

_STOP_SECONDS = 5.0
_RETRY_SECONDS = (0.2, 1.0, 5.0, 30.0)


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """An event source mapping from a table's stream to a function."""

    table: str
    stream_arn: str
    function: str
    batch_size: int = 100
    batching_window_seconds: float = 0
    filters: tuple[str, ...] = ()
    """EventBridge patterns over the record, as JSON; a record passes when any matches."""
    retries: int = -1
    """How often a failed batch is tried again; -1: until it succeeds."""
    maximum_age_seconds: float = -1
    bisect: bool = False
    report_item_failures: bool = False
    on_failure: str | None = None
    from_start: bool = True


class StreamPoller:
    """Hands a stream's records to a function, in order, a batch at a time, and never skips one unsaid."""

    def __init__(self, mapping: StreamMapping, dynamodb: SafeDynamoDB, functions: Functions) -> None:
        self._mapping = mapping
        self._dynamodb = dynamodb
        self._functions = functions
        self._stream = dynamodb.stream(mapping.table)
        self._patterns = [EventPattern.load(text) for text in mapping.filters]
        self._next = self._stream.next_sequence
        self._unread = dynamodb.unread(mapping.table) if mapping.from_start else []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"stream-{mapping.table}", daemon=True)

    def start(self) -> None:
        """Begin to read: what an earlier run left unread, then what comes."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading; unread records stay in the journal."""
        self._stopping.set()
        with self._stream.changed:
            self._stream.changed.notify_all()
        self._thread.join(_STOP_SECONDS)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                records = self._wait_for_records()
                if records and self._handle(self._passing(records)):
                    self._dynamodb.forget(self._mapping.table, int(records[-1]["dynamodb"]["SequenceNumber"]))
            except Exception:
                logger.exception("reading the stream of %s failed", self._mapping.table)
                self._stopping.wait(1)

    def _wait_for_records(self) -> list[dict[str, Any]]:
        mapping = self._mapping
        if self._unread:
            taken, self._unread = self._unread[: mapping.batch_size], self._unread[mapping.batch_size :]
            return [record for _, record in taken]
        with self._stream.changed:
            while self._stream.next_sequence <= self._next and not self._stopping.is_set():
                self._stream.changed.wait()
            deadline = time.monotonic() + mapping.batching_window_seconds
            while (
                self._stream.next_sequence - self._next < mapping.batch_size
                and (left := deadline - time.monotonic()) > 0
                and not self._stopping.is_set()
            ):
                self._stream.changed.wait(left)
            records = self._stream.get(self._next, mapping.batch_size)
        if records:
            self._next = int(records[-1]["dynamodb"]["SequenceNumber"]) + 1
        plain: list[dict[str, Any]] = json.loads(dynamo_json_dump(records))
        return plain

    def _passing(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not self._patterns:
            return records
        return [
            record
            for record in records
            if any(pattern.matches_event(record) for pattern in self._patterns)  # type: ignore[arg-type]
        ]

    def _handle(self, records: list[dict[str, Any]]) -> bool:
        """Have the function take the records, as often as the mapping says; False only when the poller was stopped."""
        tries = 0
        while records:
            if self._stopping.is_set():
                return False
            answer = self._invoke(records)
            sequences = [record["dynamodb"]["SequenceNumber"] for record in records]
            failed = failed_identifiers(answer, sequences, report=self._mapping.report_item_failures)
            if not failed:
                return True
            if not answer.failed and len(failed) < len(records):
                # A checkpoint: what came before the first failure is done.
                records = records[min(sequences.index(sequence) for sequence in failed) :]
            if self._exhausted(tries, records):
                self._give_up(records, answer)
                return True
            tries += 1
            if self._mapping.bisect and len(records) > 1:
                half = len(records) // 2
                return self._handle(records[:half]) and self._handle(records[half:])
            self._stopping.wait(_RETRY_SECONDS[min(tries, len(_RETRY_SECONDS)) - 1])
        return True

    def _invoke(self, records: list[dict[str, Any]]) -> Answer:
        event = {"Records": [{**record, "eventSourceARN": self._mapping.stream_arn} for record in records]}
        return self._functions.invoke(self._mapping.function, event, wait_for_slot=True)

    def _exhausted(self, tries: int, records: list[dict[str, Any]]) -> bool:
        mapping = self._mapping
        age = time.time() - float(records[0]["dynamodb"]["ApproximateCreationDateTime"])
        too_old = 0 <= mapping.maximum_age_seconds < age
        return too_old or 0 <= mapping.retries <= tries

    def _give_up(self, records: list[dict[str, Any]], answer: Answer) -> None:
        mapping = self._mapping
        first, last = records[0]["dynamodb"], records[-1]["dynamodb"]
        logger.error("%d records of %s are given up: %.500s", len(records), mapping.table, answer.payload.decode())
        if mapping.on_failure is None or self._functions.deliver is None:
            return
        notice = {
            "requestContext": {"functionArn": mapping.function, "condition": "RetryAttemptsExhausted"},
            "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
            "version": "1.0",
            "DDBStreamBatchInfo": {
                "streamArn": mapping.stream_arn,
                "shardId": self._stream.id,
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "batchSize": len(records),
            },
        }
        self._functions.deliver(mapping.on_failure, json.dumps(notice))
