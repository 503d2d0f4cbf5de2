"""Jobs in DynamoDB: one transaction for a row and all that follows from it. Only lists and what is overdue lag behind."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from wainwright.adapters.aws import items, statistics
from wainwright.adapters.aws.items import expressions, key, number, text
from wainwright.adapters.aws.job_records import JobRecords, read_progress
from wainwright.adapters.aws.table import Refusal
from wainwright.contracts.names import DUE_INDEX
from wainwright.domain.capacity import Limits, LoadChange, ProjectLoad
from wainwright.domain.errors import Conflict, FenceLost, IdempotencyConflict, Refused
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.states import AT_REST
from wainwright.domain.statistics import Statistics
from wainwright.ports.job_store import Idempotency, JobStore, JobView, Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from wainwright.domain.job_query import JobQuery

JOB, COUNTERS, IDEMPOTENCY, PART = "job", "counters", "idempotency", "part"

Operation = tuple[str, dict[str, Any]]
"""The subject of an operation, by which its refusal is explained, and the operation as a transaction takes it."""


class DynamoJobStore(JobRecords, JobStore):
    """A :class:`~wainwright.ports.job_store.JobStore` on one table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        super().__init__(client, table)
        self._extremes = statistics.Extremes(self.table)

    # Writing

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
        operation = str(uuid.uuid4())
        changes = [(old, _numbered(old, new, operation)) for old, new in ((before, after), *also)]
        written = changes[0][1]
        if any(new.project != after.project for _, new in changes):
            raise ValueError("one write is of one project")
        load, sums = LoadChange.of(changes, limits), statistics.sums_of(changes)
        operations = [
            *_row_and_line(before, written),
            *_counters(after.project, load),
            *([_detail(after.project, after.id, detail)] if detail is not None else []),
            *([_idempotency(written, idempotency)] if idempotency is not None else []),
            *(each for old, new in changes[1:] for each in _row_and_line(old, new)),
            *(each for old, new in changes if old is None for each in _notes(new)),
            *(
                (JOB, {"ConditionCheck": {"Key": items.job_key(job.project, job.id)} | _as_read(job)})
                for job in unchanged
            ),
            *((PART, {"Update": update}) for update in statistics.additions(sums)),
        ]
        self._commit(operations, written, load)
        self._extremes.note(sums)
        return written

    def _commit(self, operations: Sequence[Operation], written: Job, load: LoadChange) -> None:
        try:
            self.table.commit([operation for _, operation in operations])
        except Refusal as refusal:
            failed = {operations[index][0] for index in refusal.failed}
            current = self.get(written.project, written.id)
            if current is not None and current.operation == written.operation:
                return  # it was our own write, whose answer was lost
            if IDEMPOTENCY in failed:
                raise IdempotencyConflict("this Idempotency-Key is already used") from refusal
            if COUNTERS in failed and JOB not in failed:
                raise load.refusal() from refusal
            raise Conflict(f"job {written.id}, or one that belongs to it, changed since it was read") from refusal

    def set_detail(self, job: Job, detail: JobDetail) -> None:
        _, put = _detail(job.project, job.id, detail)
        try:
            self.table.commit([*items.held(job), put])
        except Refusal as refusal:
            raise FenceLost(f"job {job.id} is no longer held under fence {job.fence}") from refusal

    def set_limits(self, project: str, limits: Limits) -> None:
        body = text(limits.model_dump_json(by_alias=True))
        self.table.update(key("PROJECTS", project), "SET limits = :limits", {":limits": body})

    def seal(self, job: Job) -> None:
        # The row's version is negative from then on.
        if job.status not in AT_REST:
            raise Refused(
                f"the job is {job.status}; only a job that has ended or stopped can be deleted",
                advice="Cancel it first.",
            )
        values = {
            ":version": number(job.version), ":sealed": number(-job.version), ":none": number(-1),
            ":body": text(job.seal().model_dump_json(by_alias=True, exclude_defaults=True)),
        }  # fmt: skip
        try:
            self.table.update(
                items.job_key(job.project, job.id),
                "SET #version = :sealed, fence = :none, body = :body REMOVE byStatus, byTemplate, byBatch, dueShard",
                values,
                "#version = :version OR #version = :sealed",
            )
        except Refusal as refusal:
            if self.get(job.project, job.id) is not None:
                raise Conflict(f"job {job.id} changed since it was read") from refusal

    def delete(self, job: Job) -> None:
        # The row goes last. Until then it is sealed, and whoever reads it can go on deleting.
        self.seal(job)
        partition = items.job_partition(job.project, job.id)
        rows = self.table.partition(partition, ProjectionExpression="pk, sk")
        self.table.remove_all(row for row in rows if row["sk"]["S"] != "#JOB")
        predecessors = dict.fromkeys((*job.depends_on, *job.blocked_on))
        self.table.remove_all(items.next_key(job.project, each, job.id) for each in predecessors)
        try:
            self.table.remove(
                items.job_key(job.project, job.id), "attribute_not_exists(pk) OR #version = :sealed",
                {":sealed": number(-job.version)},
            )  # fmt: skip
        except Refusal as refusal:
            raise Conflict(f"job {job.id} changed since it was read") from refusal

    # Reading

    def get(self, project: str, job_id: str) -> Job | None:
        found = self.table.get(items.job_key(project, job_id))
        return items.read_job(found) if found else None

    def view(self, project: str, job_id: str) -> JobView | None:
        rows = {row["sk"]["S"]: row for row in self.table.partition(items.job_partition(project, job_id), "#")}
        if "#JOB" not in rows:
            return None
        detail = rows.get("#DETAIL")
        return JobView(
            job=items.read_job(rows["#JOB"]),
            detail=JobDetail.model_validate_json(items.unpack(detail)) if detail else JobDetail(),
            progress=read_progress(rows.get("#PROGRESS")),
        )

    def get_idempotent(self, project: str, key: str) -> tuple[str, str] | None:
        found = self.table.get(items.key(items.project_partition(project), f"IDEMPOTENCY#{key}"))
        return (found["jobId"]["S"], found["digest"]["S"]) if found else None

    def waiting_line(self, project: str, now: datetime, limit: int) -> Sequence[str]:
        ready = expressions(
            {":now": text(to_text(now))}, FilterExpression="attribute_not_exists(notBefore) OR notBefore <= :now"
        )
        rows = self.table.partition(items.queue_partition(project), most=limit, **ready)
        return [row["jobId"]["S"] for row in rows]

    def loads(self) -> Sequence[ProjectLoad]:
        return [_read_load(row) for row in self.table.partition("PROJECTS")]

    def load(self, project: str) -> ProjectLoad:
        found = self.table.get(key("PROJECTS", project))
        return _read_load(found) if found else ProjectLoad(project=project)

    def due(self, before: datetime, limit: int) -> Sequence[tuple[str, str]]:
        values = {":shard": text(items.DUE_SHARD), ":before": text(to_text(before))}
        rows = self.table.of_index(DUE_INDEX, "dueShard = :shard AND dueAt <= :before", values, limit)
        keys = [row["pk"]["S"].split("#", 2) for row in rows]
        return [(project, job_id) for _, project, job_id in keys]

    def find(self, project: str, query: "JobQuery", now: datetime) -> Page:
        # Here, for most functions look for no jobs, and start sooner without it.
        from wainwright.adapters.aws.job_queries import find

        return find(self.table, project, query, now)

    def dependents(self, project: str, job_id: str) -> Sequence[str]:
        return [row["jobId"]["S"] for row in self.table.partition(items.job_partition(project, job_id), "NEXT#")]

    def statistics(self, project: str, template_id: str | None, start: datetime, end: datetime) -> Statistics:
        return statistics.read(self.table, project, template_id, start, end)


def _numbered(before: Job | None, after: Job, operation: str) -> Job:
    """The job as it will be written, marked with the write's operation."""
    return after.model_copy(update={"version": (before.version if before else 0) + 1, "operation": operation})


def _row_and_line(before: Job | None, after: Job) -> Iterable[Operation]:
    """The job's row, and its place in the waiting line."""
    condition = _as_read(before) if before else {"ConditionExpression": "attribute_not_exists(pk)"}
    yield JOB, {"Put": {"Item": items.job_item(after)} | condition}
    old = before.line_position if before and before.waiting else None
    new = after.line_position if after.waiting else None
    if old is not None and old != new:
        yield PART, {"Delete": {"Key": key(items.queue_partition(after.project), old)}}
    if new is not None and (old != new or (before and before.not_before != after.not_before)):
        yield PART, {"Put": {"Item": items.line_item(after)}}


def _as_read(job: Job) -> dict[str, Any]:
    """The condition that a job is still as it was read."""
    return expressions({":version": number(job.version)}, ConditionExpression="#version = :version")


def _counters(project: str, change: LoadChange) -> Iterable[Operation]:
    if not change:
        return
    values = {":queued": number(change.queued), ":running": number(change.running)}
    clauses = {"UpdateExpression": "ADD queued :queued, running :running"}
    if change.served:
        clauses["UpdateExpression"] += " SET served = :served"
        values[":served"] = text(change.served)
    conditions = []
    for counter, bound in change.bounds.items():
        values[f":most_{counter}"] = number(bound)
        condition = f"{counter} <= :most_{counter}"
        conditions.append(condition if bound < 0 else f"(attribute_not_exists({counter}) OR {condition})")
    if conditions:
        clauses["ConditionExpression"] = " AND ".join(conditions)
    yield COUNTERS, {"Update": {"Key": key("PROJECTS", project)} | expressions(values, **clauses)}


def _detail(project: str, job_id: str, content: JobDetail) -> Operation:
    """The row of a job's detail. Raises TooLarge as :func:`~wainwright.adapters.aws.items.pack`."""
    body = items.pack("what the job carries", content.model_dump_json(by_alias=True, exclude_defaults=True))
    return PART, {"Put": {"Item": key(items.job_partition(project, job_id), "#DETAIL") | body}}


def _idempotency(job: Job, known: Idempotency) -> Operation:
    """The row by which an ``Idempotency-Key`` stands for a job."""
    item = key(items.project_partition(job.project), f"IDEMPOTENCY#{known.key}") | {
        "jobId": text(job.id), "digest": text(known.digest), "expiresAt": items.expiry(known.until),
    }  # fmt: skip
    return IDEMPOTENCY, {"Put": {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}


def _notes(job: Job) -> Iterable[Operation]:
    """A new job that is blocked is noted with those it waits for."""
    for predecessor in dict.fromkeys(job.blocked_on):
        yield PART, {"Put": {"Item": items.next_key(job.project, predecessor, job.id) | {"jobId": text(job.id)}}}


def _read_load(row: Any) -> ProjectLoad:
    return ProjectLoad(
        project=row["sk"]["S"], running=int(row.get("running", number(0))["N"]), queued=int(row.get("queued", number(0))["N"]),
        served=row.get("served", text(""))["S"],
        limits=Limits.model_validate_json(row["limits"]["S"]) if "limits" in row else None,
    )  # fmt: skip
