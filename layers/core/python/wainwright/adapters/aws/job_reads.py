"""Reading jobs and what belongs to them. Everything but lists and what is overdue is read consistently."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from wainwright.adapters.aws import items, statistics
from wainwright.adapters.aws.items import key, number, text
from wainwright.adapters.aws.rows import Rows
from wainwright.contracts.events import JobEvent
from wainwright.contracts.names import DUE_INDEX
from wainwright.domain.capacity import Limits, ProjectLoad
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.statistics import Statistics
from wainwright.domain.tests import RunningTest, Tally, TestOutcome
from wainwright.ports.job_store import JobView, LineEntry, Page, Progress, StoredTest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from wainwright.domain.find import JobQuery


class JobReads:
    """The reading half of a :class:`~wainwright.ports.job_store.JobStore` on one table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._rows = Rows(client, table)

    def get(self, project: str, job_id: str) -> Job | None:
        """See :meth:`wainwright.ports.job_store.JobStore.get`."""
        found = self._rows.get(items.job_key(project, job_id))
        return items.read_job(found) if found else None

    def view(self, project: str, job_id: str) -> JobView | None:
        """See :meth:`wainwright.ports.job_store.JobStore.view`."""
        rows = {row["sk"]["S"]: row for row in self._rows.partition(items.job_partition(project, job_id), "#")}
        if "#JOB" not in rows:
            return None
        detail = rows.get("#DETAIL")
        return JobView(
            job=items.read_job(rows["#JOB"]),
            detail=JobDetail.model_validate_json(items.unpack(detail)) if detail else JobDetail(),
            progress=read_progress(rows.get("#PROGRESS")),
        )

    def get_idempotent(self, project: str, key: str) -> tuple[str, str] | None:
        """See :meth:`wainwright.ports.job_store.JobStore.get_idempotent`."""
        found = self._rows.get(items.key(items.project_partition(project), f"IDEMPOTENCY#{key}"))
        return (found["jobId"]["S"], found["digest"]["S"]) if found else None

    def waiting_line(self, project: str, now: datetime, limit: int) -> Sequence[LineEntry]:
        """See :meth:`wainwright.ports.job_store.JobStore.waiting_line`."""
        ready: dict[str, Any] = {
            "FilterExpression": "attribute_not_exists(notBefore) OR notBefore <= :now",
            "ExpressionAttributeValues": {":now": text(to_text(now))},
        }
        rows = self._rows.partition(items.queue_partition(project), most=limit, **ready)
        return [
            LineEntry(
                position=row["sk"]["S"], job_id=row["jobId"]["S"], lanes=int(row["lanes"]["N"]),
                not_before=datetime.fromisoformat(row["notBefore"]["S"]) if "notBefore" in row else None,
            )
            for row in rows
        ]  # fmt: skip

    def loads(self) -> Sequence[ProjectLoad]:
        """See :meth:`wainwright.ports.job_store.JobStore.loads`."""
        return [_read_load(row) for row in self._rows.partition("PROJECTS")]

    def load(self, project: str) -> ProjectLoad:
        """See :meth:`wainwright.ports.job_store.JobStore.load`."""
        found = self._rows.get(key("PROJECTS", project))
        return _read_load(found) if found else ProjectLoad(project=project)

    def due(self, before: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """See :meth:`wainwright.ports.job_store.JobStore.due`."""
        values = {":shard": text(items.DUE_SHARD), ":before": text(to_text(before))}
        rows = self._rows.of_index(DUE_INDEX, "dueShard = :shard AND dueAt <= :before", values, limit)
        keys = [row["pk"]["S"].split("#", 2) for row in rows]
        return [(project, job_id) for _, project, job_id in keys]

    def find(self, project: str, query: "JobQuery", now: datetime) -> Page:
        """See :meth:`wainwright.ports.job_store.JobStore.find`."""
        # Here, for most functions look for no jobs, and start sooner without it.
        from wainwright.adapters.aws.find import find

        return find(self._rows, project, query, now)

    def dependents(self, project: str, job_id: str) -> Sequence[str]:
        """See :meth:`wainwright.ports.job_store.JobStore.dependents`."""
        return [row["jobId"]["S"] for row in self._rows.partition(items.job_partition(project, job_id), "NEXT#")]

    def statistics(self, project: str, template_id: str | None, start: datetime, end: datetime) -> Statistics:
        """See :meth:`wainwright.ports.job_store.JobStore.statistics`."""
        return statistics.read(self._rows, project, template_id, start, end)

    def tests(self, project: str, job_id: str, ids: Collection[str] | None = None) -> Sequence[StoredTest]:
        """See :meth:`wainwright.ports.job_store.JobStore.tests`."""
        if ids is None:
            rows = self._rows.partition(items.job_partition(project, job_id), "TEST#")
        else:
            rows = self._rows.get_all([items.test_key(project, job_id, each) for each in ids])
        bodies = [json.loads(row["body"]["S"]) for row in rows]
        return [
            StoredTest(id=body["id"], outcome=TestOutcome(body["outcome"]), attempt=body["attempt"], body=body["body"])
            for body in bodies
        ]

    def events(self, project: str, job_id: str, after: int, limit: int) -> Sequence[JobEvent]:
        """See :meth:`wainwright.ports.job_store.JobStore.events`."""
        answer = self._rows.ask(
            Limit=limit, ConsistentRead=True, KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": text(items.job_partition(project, job_id)),
                ":first": text(f"EVENT#{after + 1:010d}"), ":last": text("EVENT#9999999999"),
            },
        )  # fmt: skip
        return [JobEvent.model_validate_json(row["body"]["S"]) for row in answer["Items"]]


def read_progress(row: Any) -> Progress:
    """The progress of its row, or of none."""
    if not row:
        return Progress()
    return Progress(
        sequence=int(row["sequence"]["N"]),
        tests=Tally.model_validate_json(row["body"]["S"]),
        percent=int(row["percent"]["N"]) if "percent" in row else None,
        running=tuple(map(RunningTest.model_validate, json.loads(row["running"]["S"]))) if "running" in row else (),
    )


def _read_load(row: Any) -> ProjectLoad:
    return ProjectLoad(
        project=row["sk"]["S"], running=int(row.get("running", number(0))["N"]), queued=int(row.get("queued", number(0))["N"]),
        served=row.get("served", text(""))["S"],
        limits=Limits.model_validate_json(row["limits"]["S"]) if "limits" in row else None,
    )  # fmt: skip
