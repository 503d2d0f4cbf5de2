"""Logs of jobs in DynamoDB: a row for each line, and one that counts them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from wainwright.adapters.aws.items import Item, expiry, expressions, job_partition, key, number, text
from wainwright.adapters.aws.paging import CHUNK, MOST_EXAMINED, Bounds, Reader, page
from wainwright.adapters.aws.table import WRITE_BATCH, Refusal, TableStore
from wainwright.adapters.cursors import read_cursor, write_cursor
from wainwright.domain.capacity import Limits, Retention
from wainwright.domain.errors import Conflict
from wainwright.domain.instants import to_milliseconds
from wainwright.domain.logs import LOG_FULL, MAX_LOG_LINES, LogEntry
from wainwright.ports.log_store import LogPage, LogQuery
from wainwright.ports.updates import retry_conflicts

LONGER_THAN_JOBS = timedelta(days=2)
"""Lines go by their own time, jobs by the time they ended; a job's log shall not be shorter-lived than the job."""

MAX_LINES = MAX_LOG_LINES - 1
"""Lines of a log without the one that says that it is full."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TRIES = 5


class DynamoLogStore(TableStore):
    """A :class:`~wainwright.ports.log_store.LogStore` on one table."""

    def append(self, project: str, job_id: str, entries: Sequence[LogEntry]) -> int:
        # Numbers are taken first and lines written then: whoever fails in between leaves a gap in the numbers, no more.
        if len(entries) > WRITE_BATCH:
            raise ValueError(f"{len(entries)} lines at once, more than {WRITE_BATCH}")
        if not entries:
            return 0
        partition, kept_for = job_partition(project, job_id), self._kept_for(project)
        first, room = self._take(partition, len(entries), entries[-1].timestamp + kept_for)
        kept = entries[:room]
        self.table.put_all(
            _line(partition, entry.timestamp, first + place, entry, kept_for) for place, entry in enumerate(kept)
        )
        if room < len(entries) and first + room == MAX_LINES:
            self._fill(partition, entries[room].timestamp, kept_for)
        return len(kept)

    def _take(self, partition: str, wanted: int, until: datetime) -> tuple[int, int]:
        """The number of the first of the lines, and for how many there is room."""

        def attempt() -> tuple[int, int]:
            nonlocal wanted
            values = {":wanted": number(wanted), ":most": number(MAX_LINES - wanted), ":until": expiry(until)}
            try:
                counted = self.table.update(
                    key(partition, "LOGGED"), "ADD #count :wanted SET expiresAt = :until", values,
                    "attribute_not_exists(pk) OR #count <= :most", ReturnValues="UPDATED_NEW",
                )  # fmt: skip
            except Refusal as refusal:
                count = int(self.table.get(key(partition, "LOGGED"))["count"]["N"])
                wanted = min(wanted, MAX_LINES - count)
                if wanted <= 0:
                    return count, 0
                raise Conflict("the log has less room than was wanted") from refusal
            return int(counted["count"]["N"]) - wanted, wanted

        return retry_conflicts(attempt, "the log", tries=_TRIES)

    def _fill(self, partition: str, at: datetime, kept_for: timedelta) -> None:
        """Say once, at the end of the log, that it is full."""
        last = self.table.ask(
            Limit=1, ConsistentRead=True, ScanIndexForward=False,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :log)",
            ExpressionAttributeValues={":pk": text(partition), ":log": text("LOG#")},
        )["Items"]  # fmt: skip
        at = max([at, *(_read(row).timestamp for row in last)])
        notice = _line(partition, at, MAX_LOG_LINES, LOG_FULL.model_copy(update={"timestamp": at}), kept_for)
        count = {"Key": key(partition, "LOGGED")} | expressions(
            {":full": number(MAX_LOG_LINES), ":lines": number(MAX_LINES)},
            UpdateExpression="SET #count = :full", ConditionExpression="#count = :lines",
        )  # fmt: skip
        try:
            self.table.commit([{"Update": count}, {"Put": {"Item": notice}}])
        except Refusal:
            return  # it has been said

    def _kept_for(self, project: str) -> timedelta:
        row: Any = self.table.get(key("PROJECTS", project)) or {}
        limits = Limits.model_validate_json(row["limits"]["S"]) if "limits" in row else None
        return timedelta(days=(limits.retention if limits else Retention()).job_days) + LONGER_THAN_JOBS

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


def _line(partition: str, at: datetime, number: int, entry: LogEntry, kept_for: timedelta) -> Item:
    body = entry.model_dump_json(by_alias=True, exclude_none=True)
    return key(partition, _place(at, f"{number:06d}")) | {"body": text(body), "expiresAt": expiry(at + kept_for)}


def _read(row: Any) -> LogEntry:
    return LogEntry.model_validate(json.loads(row["body"]["S"]))
