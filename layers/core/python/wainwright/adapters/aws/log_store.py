"""Logs of jobs in DynamoDB: a row for each line, and one that counts them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from wainwright.adapters.aws import items
from wainwright.adapters.aws.items import Item, expiry, expressions, job_partition, key, number, text
from wainwright.adapters.aws.job_records import ADD_TRIES, RECORD_TRIES
from wainwright.adapters.aws.paging import CHUNK, MOST_EXAMINED, Bounds, Reader, page
from wainwright.adapters.aws.table import WRITE_BATCH, Refusal, TableStore
from wainwright.adapters.cursors import read_cursor, write_cursor
from wainwright.domain.capacity import Limits, Retention
from wainwright.domain.errors import Conflict, FenceLost
from wainwright.domain.instants import to_milliseconds
from wainwright.domain.jobs import Job
from wainwright.domain.lanes import LaneRecord
from wainwright.domain.logs import LOG_FULL, MAX_LOG_LINES, LogEntry
from wainwright.ports.log_store import LogPage, LogQuery
from wainwright.ports.updates import retry_conflicts

LONGER_THAN_JOBS = timedelta(days=2)
"""Lines go by their own time, jobs by the time they ended; a job's log shall not be shorter-lived than the job."""

MAX_LINES = MAX_LOG_LINES - 1
"""Lines of a log without the one that says that it is full."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DynamoLogStore(TableStore):
    """A :class:`~wainwright.ports.log_store.LogStore` on one table."""

    def append(
        self, project: str, job_id: str, entries: Sequence[LogEntry], *, held: Job | None = None,
        lane: LaneRecord | None = None,
    ) -> int:  # fmt: skip
        if len(entries) > WRITE_BATCH:
            raise ValueError(f"{len(entries)} lines at once, more than {WRITE_BATCH}")
        if not entries:
            return 0
        partition = job_partition(project, job_id)
        checks = items.held(held, lane) if held is not None else []

        def attempt() -> int:
            count, kept_for = self._count_and_retention(project, job_id)
            kept = entries[: max(MAX_LINES - count, 0)]
            lines = [(count + place, entry) for place, entry in enumerate(kept)]
            if len(kept) < len(entries) and count <= MAX_LINES:  # said once, at the end of the log
                lines.append((MAX_LOG_LINES, self._full_notice(partition, entries[: len(kept) + 1])))
            if not lines:
                return 0
            try:
                self.table.commit([*checks, *_puts(partition, count, lines, kept_for)])
            except Refusal as refusal:
                if refusal.failed.intersection(range(len(checks))):
                    raise FenceLost(f"job {job_id} is no longer held by the one who logs") from refusal
                raise Conflict(f"the log of job {job_id} has other lines by now") from refusal
            return len(kept)

        tries = ADD_TRIES if held is None else RECORD_TRIES
        return retry_conflicts(attempt, f"the log of job {job_id}", tries=tries)

    def _count_and_retention(self, project: str, job_id: str) -> tuple[int, timedelta]:
        """Return how many lines the log has, and for how long the project keeps them."""
        counter = key(job_partition(project, job_id), "LOGGED")
        rows: dict[str, Any] = {row["pk"]["S"]: row for row in self.table.get_all([counter, key("PROJECTS", project)])}
        counted, settings = rows.get(counter["pk"]["S"]), rows.get("PROJECTS", {})
        limits = Limits.model_validate_json(settings["limits"]["S"]) if "limits" in settings else None
        kept_for = timedelta(days=(limits.retention if limits else Retention()).job_days) + LONGER_THAN_JOBS
        return int(counted["count"]["N"]) if counted else 0, kept_for

    def _full_notice(self, partition: str, entries: Sequence[LogEntry]) -> LogEntry:
        """The line that says that the log is full, no earlier than any other."""
        last = self.table.ask(
            Limit=1, ConsistentRead=True, ScanIndexForward=False,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :log)",
            ExpressionAttributeValues={":pk": text(partition), ":log": text("LOG#")},
        )["Items"]  # fmt: skip
        at = max(entry.timestamp for entry in [*entries, *map(_read, last)])
        return LOG_FULL.model_copy(update={"timestamp": at})

    def read(self, project: str, job_id: str, query: LogQuery) -> LogPage:
        scope = query.scope(project, job_id)
        bounds = Bounds(
            first="LOG#" if query.start is None else _place(query.start, ""),
            last="LOG#~" if query.end is None else _place(query.end, "~"),
            passed=read_cursor(query.cursor, scope),
        )
        chunk = query.limit + 1 + (bounds.passed is not None)
        if query.level is not None or query.message is not None:
            chunk = max(chunk, CHUNK)
        reader = Reader(self.table, min(chunk, MOST_EXAMINED))
        lines = reader.range(job_partition(project, job_id), *bounds.ends, ascending=True, ConsistentRead=True)
        found, passed = page(
            [lines], lambda row: str(row["sk"]["S"]), bounds, lambda row: query.matches(_read(row)), query.limit
        )
        cursor = None if passed is None else write_cursor(scope, passed)
        return LogPage(logs=[_read(row) for row in found], cursor=cursor)


def _place(time: datetime, number: str) -> str:
    return f"LOG#{to_milliseconds(time - EPOCH):014d}#{number}"


def _puts(
    partition: str, count: int, lines: Sequence[tuple[int, LogEntry]], kept_for: timedelta
) -> list[dict[str, Any]]:
    """Puts of numbered lines, and of their new number in the place of the one that was read."""
    last, entry = lines[-1]
    counter = key(partition, "LOGGED") | {
        "count": number(min(last + 1, MAX_LOG_LINES)),
        "expiresAt": expiry(entry.timestamp + kept_for),
    }
    condition = expressions(
        {":count": number(count)}, ConditionExpression="attribute_not_exists(pk) OR #count = :count"
    )
    rows = [_line(partition, place, entry, kept_for) for place, entry in lines]
    return [{"Put": {"Item": counter} | condition}, *({"Put": {"Item": row}} for row in rows)]


def _line(partition: str, number: int, entry: LogEntry, kept_for: timedelta) -> Item:
    at, body = entry.timestamp, entry.model_dump_json(by_alias=True, exclude_none=True)
    return key(partition, _place(at, f"{number:06d}")) | {"body": text(body), "expiresAt": expiry(at + kept_for)}


def _read(row: Any) -> LogEntry:
    return LogEntry.model_validate(json.loads(row["body"]["S"]))
