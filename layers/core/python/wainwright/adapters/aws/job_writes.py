"""What one write of jobs does to the table: the operations of its one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from wainwright.adapters.aws import items
from wainwright.adapters.aws.items import Item, key, number, text
from wainwright.domain.capacity import Limits
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job, JobDetail
from wainwright.ports.job_store import Idempotency

JOB, LINE, COUNTERS, IDEMPOTENCY, PART = "job", "line", "counters", "idempotency", "part"

Operation = tuple[str, dict[str, Any]]
"""What it is about, and the operation as a transaction takes it."""


@dataclass(frozen=True)
class Change:
    """One job before and after; ``after`` has the version and the operation that it will be written with."""

    before: Job | None
    after: Job

    @classmethod
    def of(cls, before: Job | None, after: Job, operation: str) -> "Change":
        """A change, numbered and marked with the write's operation."""
        version = (before.version if before else 0) + 1
        return cls(before, after.model_copy(update={"version": version, "operation": operation}))

    @property
    def queued(self) -> int:
        """What it adds to the counter of queued jobs."""
        return int(self.after.waiting) - int(self.before.waiting if self.before else False)

    @property
    def running(self) -> int:
        """What it adds to the counter of running lanes."""
        return self.after.held_lanes - (self.before.held_lanes if self.before else 0)


def row_and_line(change: Change) -> Iterable[Operation]:
    """The job's row, and its place in the waiting line."""
    before, after = change.before, change.after
    yield JOB, _put_job(before, after)
    old = before.line_position if before and before.waiting else None
    new = after.line_position if after.waiting else None
    if old is not None and old != new:
        yield LINE, {"Delete": {"Key": key(items.queue_partition(after.project), old)}}
    if new is not None and (old != new or (before and before.not_before != after.not_before)):
        yield LINE, {"Put": {"Item": items.line_item(after)}}


def _put_job(before: Job | None, after: Job) -> dict[str, Any]:
    put: dict[str, Any] = {"Item": items.job_item(after)}
    if before is None:
        put["ConditionExpression"] = "attribute_not_exists(pk)"
    else:
        put |= _as_read(before)
    return {"Put": put}


def _as_read(job: Job) -> dict[str, Any]:
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": number(job.version)},
    }


def unchanged(job: Job) -> Operation:
    """A check that a job is still as it was read."""
    return JOB, {"ConditionCheck": {"Key": items.job_key(job.project, job.id)} | _as_read(job)}


def counters(changes: Sequence[Change], limits: Limits | None) -> Iterable[Operation]:
    """What all changes together add to their project's counters, within limits."""
    queued, running = sum(change.queued for change in changes), sum(change.running for change in changes)
    serving = [change.after.updated_at for change in changes if change.running > 0]
    if not queued and not running and not serving:
        return
    expression = "ADD queued :queued, running :running"
    values: Item = {":queued": number(queued), ":running": number(running)}
    conditions = []
    if serving:
        expression += " SET served = :served"
        values[":served"] = text(to_text(max(serving)))
    if limits and running > 0:
        conditions.append(_at_most("running", limits.running - running, values))
    if limits and queued > 0:
        conditions.append(_at_most("queued", limits.queued - queued, values))
    update: dict[str, Any] = {
        "Key": key("PROJECTS", changes[0].after.project), "UpdateExpression": expression,
        "ExpressionAttributeValues": values,
    }  # fmt: skip
    if conditions:
        update["ConditionExpression"] = " AND ".join(conditions)
    yield COUNTERS, {"Update": update}


def _at_most(counter: str, most: int, values: Item) -> str:
    values[f":most_{counter}"] = number(most)
    condition = f"{counter} <= :most_{counter}"
    return condition if most < 0 else f"(attribute_not_exists({counter}) OR {condition})"


def detail(project: str, job_id: str, content: JobDetail) -> Operation:
    """The row of a job's detail. Raises TooLarge as :func:`~wainwright.adapters.aws.items.pack`."""
    body = items.pack("what the job carries", content.model_dump_json(by_alias=True, exclude_defaults=True))
    return PART, {"Put": {"Item": key(items.job_partition(project, job_id), "#DETAIL") | body}}


def idempotency(job: Job, known: Idempotency) -> Operation:
    """What an ``Idempotency-Key`` stands for from now on."""
    item = key(items.project_partition(job.project), f"IDEMPOTENCY#{known.key}") | {
        "jobId": text(job.id), "digest": text(known.digest), "expiresAt": items.expiry(known.until),
    }  # fmt: skip
    return IDEMPOTENCY, {"Put": {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}


def notes(change: Change) -> Iterable[Operation]:
    """A new job that is blocked is noted with those it waits for."""
    if change.before is not None:
        return
    for predecessor in dict.fromkeys(change.after.blocked_on):
        item = items.next_key(change.after.project, predecessor, change.after.id)
        yield PART, {"Put": {"Item": item | {"jobId": text(change.after.id)}}}
