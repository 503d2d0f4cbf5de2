"""Jobs in DynamoDB: one transaction for a row and all that follows from it."""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wainwright.adapters.aws import items, job_writes, statistics
from wainwright.adapters.aws.items import key, number, text
from wainwright.adapters.aws.job_records import JobRecords
from wainwright.adapters.aws.job_writes import COUNTERS, IDEMPOTENCY, JOB, Change, Operation
from wainwright.adapters.aws.transactions import Refusal
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import CapacityExceeded, Conflict, IdempotencyConflict, Refused
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.states import AT_REST
from wainwright.ports.job_store import Idempotency, JobStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RETRY_AFTER_SECONDS = 5


class DynamoJobStore(JobRecords, JobStore):
    """A :class:`~wainwright.ports.job_store.JobStore` on one table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        super().__init__(client, table)
        self._extremes = statistics.Extremes(self._rows)

    def write(
        self,
        before: Job | None,
        after: Job,
        *,
        limits: Limits | None = None,
        detail: JobDetail | None = None,
        idempotency: Idempotency | None = None,
        also: Sequence[tuple[Job, Job]] = (),
        unchanged: Sequence[Job] = (),
    ) -> Job:
        """See :meth:`wainwright.ports.job_store.JobStore.write`."""
        operation = str(uuid.uuid4())
        changes = [Change.of(*pair, operation) for pair in ((before, after), *also)]
        written = changes[0].after
        if any(change.after.project != after.project for change in changes):
            raise ValueError("one write is of one project")
        sums = statistics.sums_of(changes)
        operations = [
            *job_writes.row_and_line(changes[0]),
            *job_writes.counters(changes, limits),
            *([job_writes.detail(after.project, after.id, detail)] if detail is not None else []),
            *([job_writes.idempotency(written, idempotency)] if idempotency is not None else []),
            *(each for change in changes[1:] for each in job_writes.row_and_line(change)),
            *(each for change in changes for each in job_writes.notes(change)),
            *map(job_writes.unchanged, unchanged),
            *statistics.additions(sums),
        ]
        self._commit(operations, written, before, limits)
        self._extremes.note(sums)
        return written

    def _commit(self, operations: Sequence[Operation], written: Job, before: Job | None, limits: Limits | None) -> None:
        names = [name for name, _ in operations]
        try:
            self._rows.commit([operation for _, operation in operations])
        except Refusal as refusal:
            failed = {names[index] for index in refusal.failed}
            current = self.get(written.project, written.id)
            if current is not None and current.operation == written.operation:
                return  # it was our own write, whose answer was lost
            if IDEMPOTENCY in failed:
                raise IdempotencyConflict("this Idempotency-Key is taken") from refusal
            if COUNTERS in failed and JOB not in failed:
                raise _over(limits, before) from refusal
            raise Conflict(f"job {written.id}, or one that belongs to it, changed since it was read") from refusal

    def set_detail(self, project: str, job_id: str, detail: JobDetail) -> None:
        """See :meth:`wainwright.ports.job_store.JobStore.set_detail`."""
        there = {
            "Key": items.job_key(project, job_id),
            "ConditionExpression": "#version > :none",  # neither absent nor being deleted
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":none": number(0)},
        }
        _, put = job_writes.detail(project, job_id, detail)
        try:
            self._rows.commit([{"ConditionCheck": there}, put])
        except Refusal as refusal:
            raise Conflict(f"there is no job {job_id} any more") from refusal

    def set_limits(self, project: str, limits: Limits) -> None:
        """See :meth:`wainwright.ports.job_store.JobStore.set_limits`."""
        body = text(limits.model_dump_json(by_alias=True))
        self._rows.update(key("PROJECTS", project), "SET limits = :limits", {":limits": body})

    def delete(self, job: Job) -> None:
        """See :meth:`wainwright.ports.job_store.JobStore.delete`.

        The row goes last. Until then it is sealed, and whoever reads it can go on deleting.
        """
        self.seal(job)
        partition = items.job_partition(job.project, job.id)
        rows = self._rows.partition(partition, ProjectionExpression="pk, sk")
        self._rows.remove_all(row for row in rows if row["sk"]["S"] != "#JOB")
        predecessors = dict.fromkeys((*job.depends_on, *job.blocked_on))
        self._rows.remove_all(items.next_key(job.project, each, job.id) for each in predecessors)
        try:
            self._rows.remove(
                items.job_key(job.project, job.id), "attribute_not_exists(pk) OR #version = :sealed",
                {":sealed": number(-job.version)}, ExpressionAttributeNames={"#version": "version"},
            )  # fmt: skip
        except Refusal as refusal:
            raise Conflict(f"job {job.id} changed since it was read") from refusal

    def seal(self, job: Job) -> None:
        """See :meth:`wainwright.ports.job_store.JobStore.seal`. The row's version is negative from then on."""
        if job.status not in AT_REST:
            raise Refused(f"the job is {job.status}; only a job at rest can be deleted", advice="Cancel it first.")
        try:
            self._rows.update(
                items.job_key(job.project, job.id),
                "SET #version = :sealed, fence = :none, body = :body REMOVE byStatus, byTemplate, byBatch, dueShard",
                {
                    ":version": number(job.version), ":sealed": number(-job.version), ":none": number(-1),
                    ":body": text(job.seal().model_dump_json(by_alias=True, exclude_defaults=True)),
                },
                ConditionExpression="#version = :version OR #version = :sealed",
                ExpressionAttributeNames={"#version": "version"},
            )  # fmt: skip
        except Refusal as refusal:
            if self.get(job.project, job.id) is not None:
                raise Conflict(f"job {job.id} changed since it was read") from refusal


def _over(limits: Limits | None, before: Job | None) -> CapacityExceeded:
    if limits is None:
        raise AssertionError("counters were conditional without limits")
    if before is None:
        return CapacityExceeded(
            f"the project has {limits.queued} jobs queued, which is all it may", retry_after=RETRY_AFTER_SECONDS,
            advice="Wait until some have started, or have the project's administrator raise the limit.",
        )  # fmt: skip
    return CapacityExceeded(
        f"the project has all of its {limits.running} lanes running", retry_after=RETRY_AFTER_SECONDS
    )
