"""The history of tests, and tests in quarantine, in DynamoDB.

The history of a file's tests is one row, which each writer puts in the place of the one that it read. Names of files and
tests may be longer than a sort key, so their digests stand for them.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from wainwright.adapters.aws.items import (
    Item,
    expiry,
    expressions,
    held,
    key,
    number,
    pack,
    project_partition,
    text,
    unpack,
)
from wainwright.adapters.aws.table import Refusal, TableStore
from wainwright.domain.errors import Conflict, FenceLost, TooLarge
from wainwright.domain.jobs import Job
from wainwright.domain.quarantine import Quarantine
from wainwright.domain.record import Record
from wainwright.domain.test_history import KEPT, MOST_TESTS, Sample, TestStats, add_samples
from wainwright.ports.test_history import FileStats
from wainwright.ports.updates import retry_conflicts

TRIES = 12
"""Of a write against others that end at the same time with tests of the same file."""

SHOWN_AFTER = timedelta(days=7)
"""So long after its last day an entry of the quarantine can still be seen."""

_QUARANTINE = "QUARANTINE#"


class _FileHistory(Record):
    """The body of a row: the tests of one file."""

    file: str
    tests: dict[str, TestStats]


class DynamoTestHistory(TableStore):
    """A :class:`~wainwright.ports.test_history.TestHistory` on one table."""

    def note(self, job: Job, samples: Mapping[str, Mapping[str, Sample]], *, now: datetime) -> None:
        rows = self._read(job.project, samples)
        for file, tests in samples.items():
            self._note(job, file, tests, now, rows.get(file))

    def _note(self, job: Job, file: str, tests: Mapping[str, Sample], now: datetime, row: Any) -> None:
        def attempt() -> None:
            nonlocal row
            try:
                self.table.commit([*held(job), {"Put": _put(job.project, file, tests, now, row)}])
            except Refusal as refusal:
                if 0 in refusal.failed:
                    raise FenceLost(f"job {job.id} is no longer held under fence {job.fence}") from refusal
                row = self.table.get(_key(job.project, file))
                raise Conflict(f"the history of {file} changed since it was read") from refusal

        retry_conflicts(attempt, f"the history of {file}", tries=TRIES)

    def files(self, project: str, files: Collection[str]) -> Mapping[str, FileStats]:
        return {file: _read(row).tests for file, row in self._read(project, files).items()}

    def all(self, project: str, *, most: int) -> Mapping[str, FileStats]:
        rows = self.table.partition(_partition(project), most=most)
        return {(known := _read(row)).file: known.tests for row in rows}

    def _read(self, project: str, files: Collection[str]) -> dict[str, Any]:
        found = self.table.get_all([_key(project, file) for file in dict.fromkeys(files)])
        return {_read(row).file: row for row in found}


def _put(project: str, file: str, tests: Mapping[str, Sample], now: datetime, row: Any) -> dict[str, Any]:
    version = int(row["version"]["N"]) if row else 0
    attributes = {"version": number(version + 1), "expiresAt": expiry(now + KEPT)}
    condition = {"ConditionExpression": "attribute_not_exists(pk)"}
    if row:
        condition = expressions({":before": number(version)}, ConditionExpression="#version = :before")
    return {"Item": _key(project, file) | attributes | _packed(file, tests, now, row)} | condition


def _packed(file: str, tests: Mapping[str, Sample], now: datetime, row: Any) -> Item:
    """The row's body: of fewer tests, should their ids be so long that a row has no room for all."""
    before, most = _read(row).tests if row else {}, MOST_TESTS
    while True:
        known = _FileHistory(file=file, tests=dict(add_samples(before, tests, now, most)))
        try:
            return pack("the history of a file", known.model_dump_json(by_alias=True))
        except TooLarge:
            most //= 2


def _read(row: Any) -> _FileHistory:
    return _FileHistory.model_validate_json(unpack(row))


def _partition(project: str) -> str:
    return f"HISTORY#{project}"


def _key(project: str, file: str) -> Item:
    return key(_partition(project), _digest(file))


class DynamoQuarantineStore(TableStore):
    """A :class:`~wainwright.ports.quarantine.QuarantineStore` on one table: a row for each test."""

    def list(self, project: str) -> Sequence[Quarantine]:
        rows = self.table.partition(project_partition(project), _QUARANTINE)
        entries = [Quarantine.model_validate_json(unpack(row)) for row in rows]
        return sorted(entries, key=lambda entry: entry.test_id)

    def put(self, project: str, entry: Quarantine) -> None:
        gone = datetime.combine(entry.until, time(), UTC) + SHOWN_AFTER
        body = {"body": text(entry.model_dump_json(by_alias=True)), "expiresAt": expiry(gone)}
        self.table.commit([{"Put": {"Item": _entry_key(project, entry.test_id) | body}}])

    def remove(self, project: str, test_id: str) -> bool:
        try:
            self.table.remove(_entry_key(project, test_id), "attribute_exists(pk)")
        except Refusal:
            return False
        return True


def _entry_key(project: str, test_id: str) -> Item:
    return key(project_partition(project), f"{_QUARANTINE}{_digest(test_id)}")


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:32]
