"""Jobs in DynamoDB: one transaction for a row and all that follows from it."""

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from wainwright.adapters.aws import items
from wainwright.adapters.aws.cursors import read_cursor, write_cursor
from wainwright.adapters.aws.items import Item, key, number, text
from wainwright.adapters.aws.transactions import Refusal, attempt_until_clear
from wainwright.contracts.events import JobEvent
from wainwright.contracts.names import DUE_INDEX, PROJECT_INDEX, STATUS_INDEX
from wainwright.domain.capacity import Limits, ProjectLoad
from wainwright.domain.errors import CapacityExceeded, Conflict, FenceLost, IdempotencyConflict, Unavailable
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.tests import Tally, TestOutcome
from wainwright.ports import Idempotency, JobView, LineEntry, NewEvent, Page, Progress, StoredTest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RETRY_AFTER_SECONDS = 5
RECORD_TRIES = 8

_JOB, _COUNTERS, _IDEMPOTENCY = "job", "counters", "idempotency"


class DynamoJobStore:
    """A :class:`~wainwright.ports.JobStore` on one table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    # Writing

    def write(
        self,
        before: Job | None,
        after: Job,
        *,
        limits: Limits | None = None,
        detail: JobDetail | None = None,
        idempotency: Idempotency | None = None,
    ) -> Job:
        """See :meth:`wainwright.ports.JobStore.write`."""
        written = after.model_copy(
            update={"version": (before.version if before else 0) + 1, "operation": str(uuid.uuid4())}
        )
        operations = self._operations(before, written, limits, detail, idempotency)
        names = [name for name, _ in operations]
        try:
            self._commit([operation for _, operation in operations])
        except Refusal as refusal:
            failed = {names[index] for index in refusal.failed}
            current = self.get(after.project, after.id)
            if current is not None and current.operation == written.operation:
                return written  # it was our own write, whose answer was lost
            if _IDEMPOTENCY in failed:
                raise IdempotencyConflict("this Idempotency-Key is taken") from refusal
            if _COUNTERS in failed and _JOB not in failed:
                raise _over(limits, before) from refusal
            raise Conflict(f"job {after.id} changed since it was read") from refusal
        return written

    def _operations(
        self,
        before: Job | None,
        after: Job,
        limits: Limits | None,
        detail: JobDetail | None,
        idempotency: Idempotency | None,
    ) -> list[tuple[str, dict[str, Any]]]:
        operations = [(_JOB, self._put_job(before, after))]
        old = before.line_position if before and before.waiting else None
        new = after.line_position if after.waiting else None
        if old is not None and old != new:
            operations.append(("line", {"Delete": {"Key": key(items.queue_partition(after.project), old)}}))
        if new is not None and (old != new or (before and before.not_before != after.not_before)):
            operations.append(("line", {"Put": {"Item": items.line_item(after)}}))
        if counters := self._count(before, after, limits):
            operations.append((_COUNTERS, counters))
        partition = items.job_partition(after.project, after.id)
        if detail is not None:
            body = text(detail.model_dump_json(by_alias=True, exclude_defaults=True))
            operations.append(("detail", {"Put": {"Item": key(partition, "#DETAIL") | {"body": body}}}))
        if idempotency is not None:
            item = key(items.project_partition(after.project), f"IDEMPOTENCY#{idempotency.key}") | {
                "jobId": text(after.id), "digest": text(idempotency.digest), "expiresAt": items.expiry(idempotency.until),
            }  # fmt: skip
            put = {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
            operations.append((_IDEMPOTENCY, {"Put": put}))
        return operations

    def _put_job(self, before: Job | None, after: Job) -> dict[str, Any]:
        put: dict[str, Any] = {"Item": items.job_item(after)}
        if before is None:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "#version = :version"
            put["ExpressionAttributeNames"] = {"#version": "version"}
            put["ExpressionAttributeValues"] = {":version": number(before.version)}
        return {"Put": put}

    def _count(self, before: Job | None, after: Job, limits: Limits | None) -> dict[str, Any] | None:
        queued = int(after.waiting) - int(before.waiting if before else False)
        running = after.held_lanes - (before.held_lanes if before else 0)
        if not queued and not running:
            return None
        expression = "ADD queued :queued, running :running"
        values: Item = {":queued": number(queued), ":running": number(running)}
        conditions = []
        if running > 0:
            expression += " SET served = :served"
            values[":served"] = text(to_text(after.updated_at))
        if limits and running > 0:
            values[":mostRunning"] = number(limits.running - running)
            conditions.append("(attribute_not_exists(running) OR running <= :mostRunning)")
        if limits and queued > 0:
            values[":mostQueued"] = number(limits.queued - queued)
            conditions.append("(attribute_not_exists(queued) OR queued <= :mostQueued)")
        update: dict[str, Any] = {"Key": key("PROJECTS", after.project), "UpdateExpression": expression}
        if conditions:
            update["ConditionExpression"] = " AND ".join(conditions)
        update["ExpressionAttributeValues"] = values
        return {"Update": update}

    def _commit(self, operations: Sequence[dict[str, Any]]) -> None:
        for operation in operations:
            for request in operation.values():
                request["TableName"] = self._table
        if len(operations) == 1 and "Put" in operations[0]:
            put = operations[0]["Put"]
            attempt_until_clear(lambda: self._client.put_item(**put))
        else:
            transaction: Any = list(operations)
            attempt_until_clear(lambda: self._client.transact_write_items(TransactItems=transaction))

    def record(
        self, job: Job, *, tests: Sequence[StoredTest] = (), events: Sequence[NewEvent] = (), tally: Tally | None = None
    ) -> Progress:
        """See :meth:`wainwright.ports.JobStore.record`."""
        operation = str(uuid.uuid4())
        for _ in range(RECORD_TRIES):
            row = self._get(key(items.job_partition(job.project, job.id), "#PROGRESS"))
            before = _read_progress(row)
            if row and row.get("operation") == text(operation):
                return before  # the try before took effect, and its answer was lost
            after = Progress(sequence=before.sequence + len(events), tests=before.tests if tally is None else tally)
            try:
                self._commit(self._record_operations(job, before, after, tests, events, operation))
            except Refusal as refusal:
                if 0 in refusal.failed:
                    raise FenceLost(f"job {job.id} is no longer held under fence {job.fence}") from refusal
                continue  # another writer of events was first: number ours anew
            return after
        raise Unavailable(f"events of job {job.id} came faster than they could be numbered")

    def _record_operations(
        self,
        job: Job,
        before: Progress,
        after: Progress,
        tests: Sequence[StoredTest],
        events: Sequence[NewEvent],
        operation: str,
    ) -> list[dict[str, Any]]:
        partition = items.job_partition(job.project, job.id)
        fence = {
            "Key": key(partition, "#JOB"),
            "ConditionExpression": "#run = :run AND fence = :fence",
            "ExpressionAttributeNames": {"#run": "run"},
            "ExpressionAttributeValues": {":run": number(job.run), ":fence": number(job.fence)},
        }
        progress = {
            "Item": key(partition, "#PROGRESS")
            | {
                "sequence": number(after.sequence), "body": text(after.tests.model_dump_json()),
                "operation": text(operation),
            },
            "ConditionExpression": "attribute_not_exists(pk) OR #sequence = :sequence",
            "ExpressionAttributeNames": {"#sequence": "sequence"},
            "ExpressionAttributeValues": {":sequence": number(before.sequence)},
        }  # fmt: skip
        operations: list[dict[str, Any]] = [{"ConditionCheck": fence}, {"Put": progress}]
        for test in tests:
            body = {"id": test.id, "outcome": test.outcome, "attempt": test.attempt, "body": test.body}
            item = items.test_key(job.project, job.id, test.id) | {"body": text(json.dumps(body, ensure_ascii=False))}
            operations.append({"Put": {"Item": item}})
        for sequence, event in enumerate(events, start=before.sequence + 1):
            stored = JobEvent(sequence=sequence, kind=event.kind, at=event.at, data=dict(event.data))
            operations.append({"Put": {"Item": items.event_item(job.project, job.id, stored)}})
        return operations

    # Reading

    def _get(self, item_key: Item) -> Any:
        return self._client.get_item(TableName=self._table, Key=item_key, ConsistentRead=True).get("Item")

    def get(self, project: str, job_id: str) -> Job | None:
        """See :meth:`wainwright.ports.JobStore.get`."""
        found = self._get(key(items.job_partition(project, job_id), "#JOB"))
        return items.read_job(found) if found else None

    def view(self, project: str, job_id: str) -> JobView | None:
        """See :meth:`wainwright.ports.JobStore.view`."""
        rows = {row["sk"]["S"]: row for row in self._query(items.job_partition(project, job_id), "#")}
        if "#JOB" not in rows:
            return None
        detail = rows.get("#DETAIL")
        return JobView(
            job=items.read_job(rows["#JOB"]),
            detail=JobDetail.model_validate_json(detail["body"]["S"]) if detail else JobDetail(),
            progress=_read_progress(rows.get("#PROGRESS")),
        )

    def get_idempotent(self, project: str, key: str) -> tuple[str, str] | None:
        """See :meth:`wainwright.ports.JobStore.get_idempotent`."""
        found = self._get(items.key(items.project_partition(project), f"IDEMPOTENCY#{key}"))
        return (found["jobId"]["S"], found["digest"]["S"]) if found else None

    def waiting_line(self, project: str, now: datetime, limit: int) -> Sequence[LineEntry]:
        """See :meth:`wainwright.ports.JobStore.waiting_line`."""
        ready = {
            "FilterExpression": "attribute_not_exists(notBefore) OR notBefore <= :now",
            "ExpressionAttributeValues": {":now": text(to_text(now))},
        }
        rows = self._query(items.queue_partition(project), "", most=limit, **ready)
        return [
            LineEntry(
                position=row["sk"]["S"], job_id=row["jobId"]["S"], lanes=int(row["lanes"]["N"]),
                not_before=datetime.fromisoformat(row["notBefore"]["S"]) if "notBefore" in row else None,
            )
            for row in rows
        ]  # fmt: skip

    def loads(self) -> Sequence[ProjectLoad]:
        """See :meth:`wainwright.ports.JobStore.loads`."""
        return [_read_load(row) for row in self._query("PROJECTS", "")]

    def load(self, project: str) -> ProjectLoad:
        """See :meth:`wainwright.ports.JobStore.load`."""
        found = self._get(key("PROJECTS", project))
        return _read_load(found) if found else ProjectLoad(project=project)

    def due(self, before: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """See :meth:`wainwright.ports.JobStore.due`."""
        answer = self._client.query(
            TableName=self._table, IndexName=DUE_INDEX, Limit=limit,
            KeyConditionExpression="dueShard = :shard AND dueAt <= :before",
            ExpressionAttributeValues={":shard": text(items.DUE_SHARD), ":before": text(to_text(before))},
        )  # fmt: skip
        keys = [row["pk"]["S"].split("#", 2) for row in answer["Items"]]
        return [(project, job_id) for _, project, job_id in keys]

    def list_jobs(self, project: str, *, status: str | None, limit: int, cursor: str | None) -> Page:
        """See :meth:`wainwright.ports.JobStore.list_jobs`."""
        index, attribute = (PROJECT_INDEX, "byProject") if status is None else (STATUS_INDEX, "byStatus")
        value = project if status is None else f"{project}#{status}"
        request: dict[str, Any] = {"ExclusiveStartKey": read_cursor(cursor, attribute, value)} if cursor else {}
        answer = self._client.query(
            TableName=self._table, IndexName=index, Limit=limit, ScanIndexForward=False,
            KeyConditionExpression="#index = :value", ExpressionAttributeNames={"#index": attribute},
            ExpressionAttributeValues={":value": text(value)}, **request,
        )  # fmt: skip
        last: Any = answer.get("LastEvaluatedKey")
        return Page(jobs=[items.read_job(row) for row in answer["Items"]], cursor=write_cursor(last) if last else None)

    def tests(self, project: str, job_id: str) -> Sequence[StoredTest]:
        """See :meth:`wainwright.ports.JobStore.tests`."""
        bodies = [json.loads(row["body"]["S"]) for row in self._query(items.job_partition(project, job_id), "TEST#")]
        return [
            StoredTest(id=body["id"], outcome=TestOutcome(body["outcome"]), attempt=body["attempt"], body=body["body"])
            for body in bodies
        ]

    def events(self, project: str, job_id: str, after: int, limit: int) -> Sequence[JobEvent]:
        """See :meth:`wainwright.ports.JobStore.events`."""
        answer = self._client.query(
            TableName=self._table, Limit=limit, ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": text(items.job_partition(project, job_id)),
                ":first": text(f"EVENT#{after + 1:010d}"), ":last": text("EVENT#9999999999"),
            },
        )  # fmt: skip
        return [JobEvent.model_validate_json(row["body"]["S"]) for row in answer["Items"]]

    def _query(self, partition: str, prefix: str, *, most: int | None = None, **more: Any) -> list[Any]:
        """All rows of a partition whose sort key starts so, or the first ``most``; read consistently, page by page."""
        values = {":pk": text(partition)} | more.pop("ExpressionAttributeValues", {})
        condition = "pk = :pk"
        if prefix:
            values[":prefix"] = text(prefix)
            condition += " AND begins_with(sk, :prefix)"
        rows: list[Any] = []
        start: dict[str, Any] = {}
        while True:
            answer = self._client.query(
                TableName=self._table, ConsistentRead=True, KeyConditionExpression=condition,
                ExpressionAttributeValues=values, **start, **more,
            )  # fmt: skip
            rows += answer["Items"]
            last = answer.get("LastEvaluatedKey")
            if last is None or (most is not None and len(rows) >= most):
                return rows[:most]
            start = {"ExclusiveStartKey": last}


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


def _read_progress(row: Any) -> Progress:
    if not row:
        return Progress()
    return Progress(sequence=int(row["sequence"]["N"]), tests=Tally.model_validate_json(row["body"]["S"]))


def _read_load(row: Any) -> ProjectLoad:
    return ProjectLoad(
        project=row["sk"]["S"], running=int(row.get("running", number(0))["N"]), queued=int(row.get("queued", number(0))["N"]),
        served=row.get("served", text(""))["S"],
        limits=Limits.model_validate_json(row["limits"]["S"]) if "limits" in row else None,
    )  # fmt: skip
